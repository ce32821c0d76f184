"""A file that a lesson's text names and another document has is attached to that lesson too, so that it outlives the other
one. Saves do this from now on."""

from itertools import groupby

import frappe

from memora.services.course_outline import attachments

_AT_ONCE = 200


def execute() -> None:
	after = ""
	while names := frappe.db.sql(
		"""select distinct parent from `tabMemora Lesson Stage`
		where parenttype = 'Memora Lesson' and parent > %s and config like '%%files%%' order by parent limit %s""",
		(after, _AT_ONCE),
		pluck=True,
	):
		rows = frappe.get_all(
			"Memora Lesson Stage",
			{"parent": ("in", names), "parenttype": "Memora Lesson", "config": ("like", "%files%")},
			["parent", "config"],
			order_by="parent",
		)
		for lesson, stages in groupby(rows, key=lambda row: row.parent):
			attachments.keep_named("Memora Lesson", lesson, [stage.config for stage in stages])
		frappe.db.commit()
		after = names[-1]
