import frappe
import orjson
from frappe import _
from frappe.model.document import Document
from frappe.utils import escape_html

from memora.services.cdn_export import settings

_DEEPEST = 32
"""How deeply MariaDB lets JSON be nested (JSON_VALID)."""


class MemoraLessonStage(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		config: DF.JSON | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		title: DF.Data
		type: DF.Literal["", "Video", "Question", "Text", "Interactive"]
	# end: auto-generated types

	def validate(self):
		# Frappe comes here only for a row that is saved by itself.
		lesson, before = (
			frappe.db.get_value(self.parenttype, self.parent, "title"),
			self.get_doc_before_save(),
		)
		self.validate_config(lesson)
		if not before or before.video_url() != self.video_url():
			self.refuse_stray_link(lesson)

	def validate_config(self, lesson: str):
		"""Refuse a config that is no JSON object, or a Video without its URL; save an empty one as NULL."""
		try:
			config = self._parsed_config()
		except ValueError as error:
			self._refuse(lesson, _("its config is not valid JSON: {0}.").format(escape_html(str(error))))
		if not isinstance(config, dict):
			self._refuse(lesson, _("its config must be a JSON object, like {0}.").format('{"key": "value"}'))
		if _depth(config) > _DEEPEST:
			self._refuse(lesson, _("its config is nested more than {0} levels deep.").format(_DEEPEST))
		if self.type == "Video":
			url = config.get("video_url")
			if not isinstance(url, str) or not url.strip():
				self._refuse(lesson, _("a Video needs a {0} in its config.").format('"video_url"'))
		if not config:
			self.config = None
		elif not isinstance(self.config, str):
			self.config = orjson.dumps(config).decode()

	def video_url(self) -> str:
		"""The link of a Video; "" for anything else, and where the config is no such object."""
		try:
			config = self._parsed_config() if self.type == "Video" else None
		except ValueError:
			config = None
		url = config.get("video_url") if isinstance(config, dict) else ""
		return url if isinstance(url, str) else ""

	def refuse_stray_link(self, lesson: str):
		"""Refuse a Video that leads to anything of the bucket but a film (spec, "Publishing"): nothing else is signed."""
		links = settings.open_links() if self.video_url() else None
		if links and links.strays(self.video_url()):
			self._refuse(
				lesson,
				_(
					"its {0} leads into the bucket, but into none of its video folders ({1}). Put the film there, or"
					" have an admin add its folder to Video Folders in CDN Settings."
				).format('"video_url"', escape_html(", ".join(links.films))),
			)

	def _parsed_config(self):
		if self.config is None:
			return {}
		if isinstance(self.config, str):
			return orjson.loads(self.config) if self.config.strip() else {}
		return self.config

	def _refuse(self, lesson: str, problem: str):
		frappe.throw(
			_("Lesson “{0}”, row {1} (“{2}”): {3}").format(
				escape_html(lesson or self.parent), self.idx, escape_html(self.title or ""), problem
			),
			title=_("Config of a Stage"),
		)


def _depth(value: object) -> int:
	deepest, level = 0, [value]
	while level:
		deepest += 1
		level = [
			below
			for each in level
			if isinstance(each, dict | list)
			for below in (each.values() if isinstance(each, dict) else each)
		]
	return deepest
