from __future__ import annotations

import frappe
from frappe import _
from frappe.utils import cstr

from memora.memora import stages
from memora.memora.content import ContentNode
from memora.memora.texts import called
from memora.services.course_outline import attachments, inline_pictures

_SMALLEST_LIMIT = 1_000_000
"""Bytes that any MariaDB takes in a statement: no site sets max_allowed_packet lower."""

_MOST_BYTES_A_CHARACTER = 14
"""One outside of Unicode's first plane as JSON has it in ASCII, with its backslashes doubled for SQL."""

_BESIDE = 100_000
"""Bytes for the rest of such a statement."""


class MemoraLesson(ContentNode):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from memora.memora.doctype.memora_lesson_stage.memora_lesson_stage import MemoraLessonStage

		description: DF.SmallText | None
		image: DF.AttachImage | None
		is_free_preview: DF.Check
		is_published: DF.Check
		parent_topic: DF.Link
		sort_order: DF.Int
		stages: DF.Table[MemoraLessonStage]
		title: DF.Data
	# end: auto-generated types

	def validate(self):
		super().validate()
		before = self.get_doc_before_save()
		rows = {row.name: row for row in before.stages} if before else {}
		for stage in self.stages:
			stage.validate_config(self.title, rows.get(stage.name))
		allowance = inline_pictures.Allowance()
		for stage in self.changed_stages():
			stage.make_files_of_pictures(self.title, allowance)
		self.refuse_too_large()
		for stage in self.changed_stages():
			if not self.flags.restored:
				stage.refuse_stray_links(self.title, rows.values())
			stage.warn_of_files(self.title)
		stages.check_lesson(self, before)

	def on_update(self):
		attachments.keep_named(self.doctype, self.name, [stage.config for stage in self.changed_stages()])

	def changed_stages(self) -> list[MemoraLessonStage]:
		"""The stages that this save changes, new ones among them."""
		before = self.get_doc_before_save()
		kept = {(row.type, row.config) for row in before.stages} if before else set()
		return [stage for stage in self.stages if (stage.type, stage.config) not in kept]

	def refuse_too_large(self):
		"""Refuse a lesson that MariaDB does not take in one statement. The version's statement is the largest: it has the
		stages from before and after."""
		before = self.get_doc_before_save()
		texts = [cstr(stage.config) for doc in (before, self) if doc for stage in doc.stages]
		if sum(map(len, texts)) * _MOST_BYTES_A_CHARACTER < _SMALLEST_LIMIT:
			return
		size = len(frappe.db.escape(frappe.as_json(texts), percent=False).encode()) + _BESIDE
		limit = frappe.db.sql("select @@max_allowed_packet")[0][0]
		if size > limit:
			frappe.throw(
				_(
					"{0} is too large to be saved: it takes {1} MB, and the database takes {2} MB at once. Make several"
					" lessons of it, or have an admin raise max_allowed_packet of MariaDB."
				).format(called(self), f"{size / 1e6:.1f}", f"{limit / 1e6:.1f}"),
				title=_("Too Large"),
			)
