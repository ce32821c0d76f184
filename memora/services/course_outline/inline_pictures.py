"""Pictures that a text holds itself (`data:image/…`), as they come with what is pasted from elsewhere: files of the site's own
are made of them when the text is saved, so that a lesson stays small and a picture is loaded when it is seen.

Only markup and a poster are looked at: in code, such an address is part of an example.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import frappe
from frappe.model.document import Document

from memora.services.cdn_export.model import exact_json, stage_files
from memora.services.cdn_export.model.stage_files import Link
from memora.services.cdn_export.rules import stage_schema
from memora.services.cdn_export.rules.refused_file import Refused
from memora.services.course_outline import uploads
from memora.services.course_outline.rules import data_urls

_MOST = 100
"""Pictures of one save, since somebody waits for it; the others stay in the text until the next one."""

_SAVEPOINT = "memora_picture"
_PLAIN = re.compile(r"[\w/.-]+")


class Allowance:
	"""How many pictures one save may still make files of, in all its stages."""

	def __init__(self) -> None:
		self.left = _MOST


def to_files(
	doctype: str, name: str, type_: str, config: str | None, allowance: Allowance | None = None
) -> tuple[str | None, dict[str, Refused]]:
	"""A stage's config with files of the site in the place of the pictures that it holds, attached to a document; and why
	some stay, each by the beginning of its address. Without such a picture it is the same text, unparsed."""
	if not config or not data_urls.may_hold(config):
		return config, {}
	try:
		parsed = exact_json.loads(config)
	except ValueError:
		return config, {}  # which is refused, and said, elsewhere
	if not isinstance(parsed, dict):
		return config, {}
	maker = _Maker(doctype, name, allowance or Allowance())
	changed = _changed(type_, parsed, maker.address_of)
	if not maker.made:
		return config, maker.refused
	indent = 2 if "\n" in config else None
	separators = (",", ": " if indent else ":")
	return json.dumps(changed, ensure_ascii=False, indent=indent, separators=separators), maker.refused


class _Maker:
	"""Makes files of one stage's pictures, one of each however often it is shown."""

	def __init__(self, doctype: str, name: str, allowance: Allowance) -> None:
		self._to = (doctype, name)
		self._allowance = allowance
		self.made: dict[str, str] = {}
		self.refused: dict[str, Refused] = {}

	def address_of(self, link: Link) -> str | None:
		"""The address of the file that was made of a picture; None for every other link, and where none can be made."""
		if not data_urls.is_picture(link.url):
			return None
		if link.url not in self.made:
			shown = f"{link.url[:40]}…"
			try:
				if self._allowance.left < 1:
					raise Refused("many", str(_MOST))
				extension, content = data_urls.decoded(link.url)
				file = self._kept(f"picture.{extension}", content)
			except Refused as error:
				self.refused[shown] = error
				return None
			self._allowance.left -= 1
			url = str(file.file_url)
			self.made[link.url] = url if _PLAIN.fullmatch(url) else quote(url)
		return self.made[link.url]

	def _kept(self, file_name: str, content: bytes) -> Document:
		"""The picture as a file. What the site's own rules for files refuse stays in the text: it fails no save."""
		frappe.db.savepoint(_SAVEPOINT)
		said = list(frappe.local.message_log)
		try:
			return uploads.keep(*self._to, file_name, content)
		except (frappe.ValidationError, frappe.PermissionError) as error:
			frappe.db.rollback(save_point=_SAVEPOINT)
			frappe.local.message_log = said
			raise Refused("site", frappe.utils.strip_html(str(error))) from error


def _changed(type_: str, config: dict[str, Any], address_of: Callable[[Link], str | None]) -> Any:
	changed: Any = config
	for path, html in stage_schema.markup_fields(type_, config):
		new = stage_files.replaced(html, address_of, data_urls.may_hold)
		if new is not html:
			changed = _with(changed, path, new)
	poster = config.get("poster")
	if isinstance(poster, str) and (url := address_of(Link(poster, is_html=False))):
		changed = {**changed, "poster": url}
	return changed


def _with(value: Any, path: tuple[str | int, ...], new: str) -> Any:
	"""The same value with another text at a path."""
	if not path:
		return new
	copy = dict(value) if isinstance(value, dict) else list(value)
	copy[path[0]] = _with(copy[path[0]], path[1:], new)  # type: ignore[index]
	return copy
