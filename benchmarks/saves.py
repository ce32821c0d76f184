"""What noting a change adds to an editor's save: by DocType, and while Redis refuses."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import frappe

from benchmarks import meter, site
from benchmarks.cases import Bench, Row
from benchmarks.meter import Span
from memora.services.cdn_export import change_tracker
from memora.services.cdn_export.state import redis_mirror
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import make_course

_OURS = ("on_change", "_resolve", "_ring")
"""All of the tracker that runs in a save: the row, before the commit, after it."""


def saves(bench: Bench) -> Iterator[Row]:
	"""A save's price: what tracking adds to it, per DocType."""
	site.empty(bench.server)
	course = make_course(units=1, lessons=1)
	plan = factories.make_plan([course["subject"]], is_published=1)
	frappe.db.commit()
	docs = [course["subject"], course["track"], *(course[kind][0] for kind in ("units", "topics", "lessons"))]
	for doc in (*docs, plan, frappe.get_doc("Memora Season", plan.season)):
		found = [_save(doc.doctype, doc.name) for _ in range(bench.runs * 2)]
		whole = statistics.median(whole for _, whole in found) * 1000
		yield _row(
			f"a {doc.doctype} saved", [added for added, _ in found], target=2, note=f"of {whole:.0f} ms"
		)
	for what, address in (("refuses", _refusing), ("answers nothing", _silent)):
		with address() as url, patch.dict(frappe.local.conf, {"redis_queue": url}):
			found = [_first_ring(course["lessons"][0].name) for _ in range(bench.runs)]
		yield _row(
			f"a Memora Lesson saved while Redis {what}",
			found,
			target=52 if what == "refuses" else None,
			note="the first save in half a minute, then the breaker is open",
		)


def _row(what: str, added: list[Span], *, target: float | None, note: str) -> Row:
	return Row(
		f"{what}: what tracking adds",
		statistics.median(span.seconds for span in added) * 1000,
		"ms",
		target=target,
		work=statistics.median(span.work for span in added) * 1000,
		note=f"fastest {min(span.seconds for span in added) * 1000:.1f} ms; {note}",
	)


def _first_ring(lesson: str) -> Span:
	redis_mirror._broken_until = 0.0
	with patch("frappe.realtime.emit_via_redis", lambda *_: None):  # Frappe's own, which would wait too
		added, _ = _save("Memora Lesson", lesson)
	return added


def _save(doctype: str, name: str) -> tuple[Span, float]:
	"""What the tracker takes, and the seconds of load, save and commit as a whole."""
	spent = Span()

	def timed(function: Callable[..., Any]) -> Callable[..., Any]:
		def run(*args: Any, **kwargs: Any) -> Any:
			with meter.span() as current:
				result = function(*args, **kwargs)
			spent.seconds += current.seconds
			spent.cpu += current.cpu
			spent.server += current.server
			return result

		return run

	with patch.multiple(change_tracker, **{name: timed(getattr(change_tracker, name)) for name in _OURS}):
		began = time.perf_counter()
		doc = frappe.get_doc(doctype, name)
		doc.title = f"Saved {began}"
		doc.save()
		frappe.db.commit()
		return spent, time.perf_counter() - began


@contextmanager
def _refusing() -> Iterator[str]:
	with socket.socket() as taken:
		taken.bind(("127.0.0.1", 0))  # and does not listen
		yield f"redis://127.0.0.1:{taken.getsockname()[1]}/0"


@contextmanager
def _silent() -> Iterator[str]:
	with socket.socket() as listening:
		listening.bind(("127.0.0.1", 0))
		listening.listen(100)
		yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
