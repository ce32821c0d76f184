"""What a measure cannot fall below on this machine, in this run: the bare work, without any of memora."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import frappe
import orjson

from benchmarks import meter
from memora.services.cdn_export.model.doctypes import CONTENT


def read_everything() -> None:
	"""Every content row and stage as tuples, one statement a table."""
	for doctype in CONTENT:
		frappe.db.sql(f"select name, title, description, sort_order, is_published from `tab{doctype}`")
	frappe.db.sql("select parent, idx, title, type, config from `tabMemora Lesson Stage`")


def read_for_an_edit(subject: str, lesson: str) -> None:
	"""A subject's lessons without their bodies, what is known of their files, and one lesson's stages."""
	frappe.db.sql(
		"""select lesson.name, lesson.title, lesson.description, lesson.sort_order
		from `tabMemora Track` track join `tabMemora Unit` unit on unit.parent_track = track.name
		join `tabMemora Topic` topic on topic.parent_unit = unit.name
		join `tabMemora Lesson` lesson on lesson.parent_topic = topic.name
		where track.parent_subject = %s""",
		(subject,),
	)
	frappe.db.sql(
		"select path, content_hash, version from `tabCDN File` where subject = %s and scope = %s",
		(
			subject,
			f"subject:{subject}",
		),
	)
	frappe.db.sql(
		"select idx, title, type, config from `tabMemora Lesson Stage` where parent = %s", (lesson,)
	)


def serialise(bodies: Mapping[str, bytes]) -> float:
	"""What it takes to write and hash the documents of these files, once each."""
	documents = [orjson.loads(body) for body in bodies.values()]
	return meter.work(lambda: [sha256(orjson.dumps(document)).hexdigest() for document in documents])


def statements(count: int) -> float:
	"""What so many of the smallest statements take."""
	return meter.work(lambda: [frappe.db.sql("select 1") for _ in range(count)])
