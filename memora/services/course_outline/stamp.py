"""Whether an outline has changed since it was read: a page asks every few seconds, so it is one statement."""

from __future__ import annotations

import hashlib

import frappe

from memora.services.cdn_export.model.doctypes import (
	CONTENT,
	LESSON,
	PARENT_FIELDS,
	PLAN,
	SUBJECT,
	TOPIC,
	TRACK,
	UNIT,
	down_to,
)

_COMMON = ("title", "sort_order", "is_published", "is_free_preview", "modified", "creation")
_OWN = {
	SUBJECT: ("is_public", "required_item"),
	TRACK: ("is_sold_separately", "parent_item_required", "required_item"),
}
_OF_STATE = ("name", "generation", "published_generation", "retry_count", "dead_since", "held", "is_live")


def of(subject: str) -> str:
	"""A text that is another one whenever something has changed that an outline of this subject shows: content with its
	order, stages, the plans that list it, what is published. One statement. The caller's rights are not looked at."""
	parts = [
		_part(_columns(doctype), f"{down_to(doctype)} where l0.name = %(subject)s") for doctype in CONTENT
	]
	# Which stages a lesson has is read off the index on `parent`: the rows hold the bodies. A stage that was changed by itself is in
	# the outbox, and then in the subject's generation; otherwise its lesson was saved.
	parts.append(
		f"""select straight_join count(*), cast(coalesce(sum(crc32(stage.name)), 0) as char) from {down_to(LESSON)}
		join `tabMemora Lesson Stage` stage on stage.parent = l{CONTENT.index(LESSON)}.name where l0.name = %(subject)s"""
	)
	parts.append(
		f"""select straight_join count(*), cast(coalesce(sum(crc32(changed.name)), 0) as char) from `tabCDN Change` changed
		join `tab{LESSON}` lesson on lesson.name = changed.ref_name
		join `tab{TOPIC}` topic on topic.name = lesson.parent_topic join `tab{UNIT}` unit on unit.name = topic.parent_unit
		join `tab{TRACK}` track on track.name = unit.parent_track
		where changed.ref_doctype = '{LESSON}' and track.parent_subject = %(subject)s"""
	)
	listed = f"""`tabMemora Plan Subject` listed join `tab{PLAN}` plan on plan.name = listed.parent
		where listed.parenttype = '{PLAN}' and listed.subject = %(subject)s"""
	parts.append(_part(["plan.name", "plan.modified"], listed))
	parts.append(
		_part(
			[f"state.{column}" for column in _OF_STATE],
			f"""`tabCDN Publish State` state where (state.scope_type = 'subject' and state.ref = %(subject)s)
				or (state.scope_type = 'plan' and state.ref in (select plan.name from {listed}))""",
		)
	)
	rows = frappe.db.sql(" union all ".join(parts), {"subject": subject})
	return hashlib.sha256(repr(rows).encode()).hexdigest()[:20]


def _part(columns: list[str], source: str) -> str:
	# A sum, since with exclusive or two rows that swap their places would cancel each other out.
	texts = ", ".join(f"coalesce({column}, '')" for column in columns)
	digest = f"cast(conv(left(md5(concat_ws(0x1f, {texts})), 12), 16, 10) as unsigned)"
	return f"select straight_join count(*), cast(coalesce(sum({digest}), 0) as char) from {source}"


def _columns(doctype: str) -> list[str]:
	depth = CONTENT.index(doctype)
	parent = [f"l{depth}.{PARENT_FIELDS[doctype]}"] if depth else []
	return [*parent, *(f"l{depth}.{column}" for column in ("name", *_COMMON, *_OWN.get(doctype, ())))]
