import frappe
from frappe.model.document import Document


class MemoraLessonText(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		words: DF.LongText | None
	# end: auto-generated types

	pass


def on_doctype_update():
	# Frappe makes no such index itself, and leaves one on a Long Text alone.
	frappe.db.sql_ddl("alter table `tabMemora Lesson Text` add fulltext index if not exists words (words)")
