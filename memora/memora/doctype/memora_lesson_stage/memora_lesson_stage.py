from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import frappe
from frappe import _
from frappe.utils import cstr

from memora.memora import stages
from memora.memora.refused_files import warn_inline, warn_unpublished
from memora.memora.texts import PlainTexts
from memora.services.cdn_export import settings
from memora.services.cdn_export.curriculum import films, public_files
from memora.services.cdn_export.model import exact_json
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import stage_check
from memora.services.course_outline import attachments, inline_pictures


class MemoraLessonStage(PlainTexts):
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
		super().validate()
		lesson, before = (
			frappe.db.get_value(self.parenttype, self.parent, "title"),
			self.get_doc_before_save(),
		)
		self.validate_config(lesson, before)
		if not before or (before.type, before.config) != (self.type, self.config):
			self.make_files_of_pictures(lesson)
			self.refuse_stray_links(lesson, [before] if before else [])
			self.warn_of_files(lesson)
			stages.check_row(lesson, self)

	def on_update(self):
		# As validate: of a lesson's save, the lesson's own does this for all rows.
		attachments.keep_named(self.parenttype, self.parent, [self.config])

	def make_files_of_pictures(self, lesson: str, allowance: inline_pictures.Allowance | None = None):
		"""Make files, attached to the lesson, of the pictures that the texts hold themselves, as many as the save may."""
		self.config, refused = inline_pictures.to_files(
			self.parenttype, self.parent, cstr(self.type), self.config, allowance
		)
		warn_inline(self._where(lesson), refused)

	def validate_config(self, lesson: str, before: PlainTexts | None = None):
		"""Refuse a config that cannot be published as it is; save an empty one as NULL.

		A draft's too: a build needs JSON, and who publishes the lesson past its form would stop it. What was saved before
		and stays as it is, is not refused: `before` is that row.
		"""
		if before and (before.type, before.config) == (self.type, self.config):
			return
		try:
			config = self._parsed_config()
		except exact_json.InexactError as error:
			self._refuse(lesson, _("in its config, {0}").format(stages.told(stage_check.unreadable(error))))
		except ValueError as error:
			self._refuse(lesson, stages.told(stage_check.unreadable(error)))
		if not isinstance(config, dict):
			self._refuse(lesson, _("its config must be a JSON object, like {0}.").format('{"key": "value"}'))
		if not config:
			self.config = None
		elif not isinstance(self.config, str):
			self.config = json.dumps(config, ensure_ascii=False, separators=(",", ":"))

	def stray_links(self) -> set[str]:
		"""The links into the bucket that are not signed, as CDN Settings have it now."""
		links = settings.open_links()
		try:
			return set(films.strays(links, cstr(self.type), self._parsed_config())) if links else set()
		except ValueError:
			return set()

	def refuse_stray_links(self, lesson: str, before: Iterable[MemoraLessonStage]):
		"""Refuse links that lead into the bucket and would not be signed (spec, "Publishing"): a Video's to what is no
		film, and the bucket's own addresses anywhere else. Those that the rows of `before` have stay."""
		strays = self.stray_links()
		if strays:
			strays -= set().union(*(row.stray_links() for row in before))
		if not strays:
			return
		links = settings.open_links()
		if links and self.video_url() in strays:
			self._refuse(
				lesson,
				_(
					"its {0} leads into the bucket, but into none of its video folders ({1}). Put the film there, or"
					" have an admin add its folder to Video Folders in CDN Settings."
				).format('"video_url"', as_html(", ".join(links.films))),
			)
		self._refuse(
			lesson,
			_(
				"“{0}” leads into the bucket and would not be signed. Put a film into the {1} of a Video; link to"
				" anything else by its address on the CDN, or attach it."
			).format(as_html(min(strays)[:140]), '"video_url"'),
		)

	def video_url(self) -> str:
		"""The link of a Video; "" for anything else, and where the config is no such object."""
		try:
			config = self._parsed_config() if self.type == "Video" else None
		except ValueError:
			config = None
		url = config.get("video_url") if isinstance(config, dict) else ""
		return url if isinstance(url, str) else ""

	def warn_of_files(self, lesson: str):
		"""Say which files of the config learners will not see, and which links lead nowhere for them."""
		warn_unpublished(self._where(lesson), public_files.refused_in_stage(self._parsed_config()))

	def _where(self, lesson: str) -> str:
		return _("lesson “{0}”, row {1} (“{2}”)").format(
			as_html(lesson or self.parent), self.idx, as_html(self.title or "")
		)

	def _parsed_config(self) -> Any:
		"""Raises InexactError for what would not be published as it is, ValueError for what is no JSON."""
		if self.config is None:
			return {}
		if isinstance(self.config, str):
			return exact_json.loads(self.config) if self.config.strip() else {}
		exact_json.check(self.config)
		_lost_by_request().check(self.config)
		return self.config

	def _refuse(self, lesson: str, problem: str):
		frappe.throw(stages.about(lesson, self, problem), title=_("Config of a Stage"))


def _lost_by_request() -> exact_json.Lost:
	"""What Frappe's parser has lost of the request that this config came with, looked for once."""
	if not getattr(frappe.local, "request", None):
		return exact_json.Lost(())
	if not hasattr(frappe.local, "memora_lost"):
		texts = [value for value in frappe.local.form_dict.values() if isinstance(value, str)]
		frappe.local.memora_lost = exact_json.Lost([frappe.request.get_data(as_text=True), *texts])
	return frappe.local.memora_lost
