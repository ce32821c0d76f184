import frappe
import orjson
from frappe import _
from frappe.model.document import Document
from frappe.utils import escape_html

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
		self.validate_config(frappe.db.get_value(self.parenttype, self.parent, "title"))

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
