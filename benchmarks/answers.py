"""What a person in the Desk waits for: one request, with the worst lessons, many siblings and a thousand plans."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import frappe

from benchmarks import meter, site
from benchmarks.cases import LESSON, Bench, Row
from benchmarks.generate import Planted, Shape
from memora.api import cdn_admin, course, outline, publishing
from memora.services.text_search import lesson_texts

_TARGET_MS = 2000

_WORST: dict[str, Any] = {
	"a grid of 64 × 64 zeros": {"grid": [[0] * 64] * 64},
	"2,000 numbers": {"numbers": list(range(2000))},
	"4,000 equal lines": {"lines": ["the same"] * 4000},
	"900 KB in one text": {"html": "<p>نص الدرس</p>" * 45_000},
	"2 MB in one text": {"html": "<p>نص الدرس</p>" * 100_000},
}


def answers(bench: Bench) -> Iterator[Row]:
	"""Single requests of the Desk: the course page, lessons by their words, the worst lessons, 10,000 siblings, 1,000 plans of 500 lessons."""
	yield from _outline(bench)
	yield from _texts(bench)
	yield from _worst_lessons(bench)
	yield from _many_siblings(bench)
	yield from _many_plans(bench)


def _outline(bench: Bench) -> Iterator[Row]:
	"""The course page on one subject of 2,000 lessons."""
	planted = _published(bench, Shape(subjects=1, tracks=4, units=10, topics=5, lessons=10))
	(subject,) = planted.subjects.values()
	topic = frappe.db.get_value(LESSON, next(iter(planted.lessons.values()))[0], "parent_topic")
	opened = [
		name for kind in ("Track", "Unit", "Topic") for name in frappe.get_all(f"Memora {kind}", pluck="name")
	]

	def move() -> None:
		order = [row["name"] for row in outline.outline(subject, [topic])["branches"][topic]]
		course.move(LESSON, order[-1], topic, "", order[0])

	for what, ask in {
		"outline of 2,000 lessons, closed": lambda: outline.outline(subject),
		"outline of 2,000 lessons, all open": lambda: outline.outline(subject, opened),
		"whether that outline has changed": lambda: outline.stamp(subject),
		"find a title among 2,000 lessons": lambda: outline.find(subject, "7"),
		"move a lesson among 2,000, and read its topic": move,
	}.items():
		yield _row(what, ask, bench.runs)


def _texts(bench: Bench) -> Iterator[Row]:
	"""Lessons by their words, among 20,000: a rare word, one of half of all lessons, two of them, none."""
	subjects = 1 if bench.quick else 10
	planted = _published(bench, Shape(subjects=subjects, tracks=4, units=10, topics=5, lessons=10))
	count = subjects * 2_000
	yield Row(f"words of {count:,} lessons written", meter.seconds(lesson_texts.catch_up), "s")
	rare = frappe.get_doc(LESSON, next(iter(planted.lessons.values()))[0])
	rare.description = "zygote"
	rare.save()
	frappe.db.commit()
	for what, text in {
		"a rare word": "zygote",
		"a word of every second lesson": "light",
		"two such words": "light energy",
		"a word of none": "xylophone",
	}.items():
		yield _row(f"{what} found among {count:,} lessons", partial(outline.search, text), bench.runs)


def _worst_lessons(bench: Bench) -> Iterator[Row]:
	planted = _published(bench, Shape(subjects=1))
	lesson, plan = next(iter(planted.lessons.values()))[100], planted.plans[0]
	for what, config in _WORST.items():
		doc = frappe.get_doc(LESSON, lesson)
		doc.stages[0].update({"type": "Interactive", "config": json.dumps(config)})
		yield _row(f"save a lesson with {what}", _save(doc), bench.runs)
		_drain(bench)
		doc.stages[0].config = json.dumps({**config, "changed": True})
		doc.save()
		frappe.db.commit()
		yield _row(
			f"View JSON of it, changed: {what}",
			lambda: publishing.view_json(LESSON, lesson, plan),
			bench.runs,
		)


def _many_siblings(bench: Bench) -> Iterator[Row]:
	siblings = 500 if bench.quick else 10_000
	planted = _published(bench, Shape(subjects=1, tracks=1, units=1, topics=1, lessons=siblings))
	lessons = next(iter(planted.lessons.values()))
	doc = frappe.get_doc(LESSON, lessons[siblings // 2])
	(unit,) = frappe.get_all("Memora Unit", pluck="name")
	for what, ask in {
		f"save a lesson among {siblings:,}": _save(doc),
		f"add a lesson to {siblings:,}": lambda: _add_beside(doc),
		f"status of a lesson among {siblings:,}": lambda: publishing.document_status(LESSON, doc.name),
		f"View JSON of a unit with {siblings:,} lessons": lambda: publishing.view_json(
			"Memora Unit", unit, planted.plans[0]
		),
		f"Preview Changes with {siblings:,} lessons": lambda: publishing.preview_changes(planted.plans[0]),
	}.items():
		yield _row(what, ask, bench.runs)


def _many_plans(bench: Bench) -> Iterator[Row]:
	plans = 50 if bench.quick else 1000
	planted = _published(bench, Shape(subjects=1, tracks=5), plans=plans)
	lessons, plan = next(iter(planted.lessons.values())), planted.plans[0]
	for what, ask in {
		f"status of a lesson in {plans:,} plans": lambda: publishing.document_status(LESSON, lessons[100]),
		f"states of 500 lessons in {plans:,} plans": lambda: publishing.list_states(LESSON, lessons[:500]),
		f"dashboard with {plans:,} plans": publishing.get_dashboard,
		f"queue status with {plans:,} plans": cdn_admin.get_queue_status,
		f"Preview Changes of one of {plans:,} plans": lambda: publishing.preview_changes(plan),
	}.items():
		yield _row(what, ask, bench.runs)


def _published(bench: Bench, shape: Shape, plans: int = 1) -> Planted:
	site.empty(bench.server)
	planted = site.fill(shape, plans=plans)
	_drain(bench)
	return planted


def _drain(bench: Bench) -> None:
	with site.opened(bench.server) as warm:
		warm.drain()


def _add_beside(doc: Any) -> None:
	frappe.get_doc({"doctype": LESSON, "title": "Another", "parent_topic": doc.parent_topic}).insert()
	frappe.db.commit()


def _save(doc: Any) -> Callable[[], None]:
	def save() -> None:
		doc.title = f"Saved {frappe.generate_hash(length=8)}"
		doc.save()
		frappe.db.commit()

	return save


def _row(what: str, ask: Callable[[], Any], times: int) -> Row:
	answer: list[Any] = []

	def once() -> float:
		frappe.db.rollback()  # each request has a snapshot of its own
		return meter.seconds(lambda: answer.append(ask()))

	spent = [once() * 1000 for _ in range(times)]
	size = len(frappe.as_json(answer[-1]).encode()) if answer[-1] is not None else 0
	note = f"slowest {max(spent):.0f} ms" + (f"; answers {size / 1000:,.0f} kB" if size else "")
	return Row(what, statistics.median(spent), "ms", target=_TARGET_MS, note=note)
