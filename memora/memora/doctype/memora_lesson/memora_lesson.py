from memora.memora.content import ContentNode


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
		kept = {stage.video_url() for stage in rows.values()}
		for stage in self.stages:
			stage.validate_config(self.title, rows.get(stage.name))
			if not self.flags.restored and stage.video_url() not in kept:
				stage.refuse_stray_link(self.title)
			if before is None or stage.config not in {row.config for row in rows.values()}:
				stage.warn_of_files(self.title)
