"""What a person in the Desk waits for: one request, with the worst lessons and with a thousand plans."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import frappe

from benchmarks import meter, site
from benchmarks.cases import LESSON, Bench, Row
from benchmarks.generate import Shape
from memora.api import cdn_admin, publishing

_TARGET_MS = 2000

_WORST: dict[str, Any] = {
	"a grid of 64 × 64 zeros": {"grid": [[0] * 64] * 64},
	"2,000 numbers": {"numbers": list(range(2000))},
	"4,000 equal lines": {"lines": ["the same"] * 4000},
	"900 KB in one text": {"html": "<p>نص الدرس</p>" * 45_000},
	"2 MB in one text": {"html": "<p>نص الدرس</p>" * 100_000},
}


def answers(bench: Bench) -> Iterator[Row]:
	"""Single requests of the Desk: the worst lessons, 1,000 plans, 2,000 lessons in a subject."""
	site.empty(bench.server)
	plans = 50 if bench.quick else 1000
	planted = site.fill(Shape(subjects=1), plans=plans)
	lessons = next(iter(planted.lessons.values()))
	plan = planted.plans[0]
	with site.opened(bench.server) as warm:
		warm.drain()
		for what, config in _WORST.items():
			doc = frappe.get_doc(LESSON, lessons[100])
			doc.stages[0].update({"type": "Interactive", "config": json.dumps(config)})
			yield _row(f"save a lesson with {what}", _save(doc), bench.runs)
			warm.drain()
			doc.stages[0].config = json.dumps({**config, "changed": True})
			doc.save()
			frappe.db.commit()
			yield _row(
				f"View JSON of it, changed: {what}",
				lambda: publishing.view_json(LESSON, lessons[100], plan),
				bench.runs,
			)
	for what, ask in {
		f"status of a lesson in {plans:,} plans": lambda: publishing.document_status(LESSON, lessons[100]),
		f"states of 500 lessons in {plans:,} plans": lambda: publishing.list_states(LESSON, lessons[:500]),
		f"dashboard with {plans:,} plans": publishing.get_dashboard,
		f"queue status with {plans:,} plans": cdn_admin.get_queue_status,
		"Preview Changes of a plan": lambda: publishing.preview_changes(plan),
	}.items():
		yield _row(what, ask, bench.runs)


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
