"""Places in a build, and workers that die or stop there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from unittest.mock import patch

import frappe

from memora.services.cdn_export import batch_processor, cdn_uploader
from memora.services.cdn_export.builds import plan_group
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, ledger, publish_state, renditions, sync_log
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.helpers.processes import Child, Stops, fork

Act = Callable[[], None]


@dataclass(frozen=True)
class Place:
	"""A place in a build: `patches` makes what it returns act there, before or after it is passed."""

	name: str
	patches: Callable[[Act], Any]

	def __str__(self) -> str:
		return self.name


def call(owner: Any, name: str, act: Act, *, after: bool = False) -> Any:
	"""Act before or after each call of a function."""
	original = getattr(owner, name)

	def acting(*args: Any, **kwargs: Any) -> Any:
		if not after:
			act()
		result = original(*args, **kwargs)
		if after:
			act()
		return result

	return patch.object(owner, name, acting)


def _put(wanted: str, act: Act, *, nth: int = 1, after: bool = False) -> Any:
	"""Act before or after the nth upload of a path that holds `wanted`."""
	original, seen = LocalStorage.put, count(1)

	def put(storage: LocalStorage, upload: Upload, **condition: Any) -> str:
		number = next(seen) if wanted in upload.path else 0
		if number == nth and not after:
			act()
		etag = original(storage, upload, **condition)
		if number == nth and after:
			act()
		return etag

	return patch.object(LocalStorage, "put", put)


STEPS: dict[str, tuple[Place, ...]] = {
	"in the relay": (
		Place("before the relay's commit", lambda act: call(relay, "_note_lessons", act, after=True)),
	),
	"before the content is read": (
		Place("before the content is read", lambda act: call(content_tree, "load", act)),
	),
	"before anything is in flight": (
		Place("before anything is in flight", lambda act: call(ledger, "begin", act)),
		Place("in flight but not committed", lambda act: call(ledger, "begin", act, after=True)),
	),
	"in flight and nothing uploaded": (
		Place("in flight and nothing uploaded", lambda act: call(cdn_uploader, "publish", act)),
	),
	"amid the uploads": (
		Place("before the first lesson", lambda act: _put("lessons/", act)),
		Place("after the first lesson", lambda act: _put("lessons/", act, after=True)),
		Place("amid the lessons", lambda act: _put("lessons/", act, nth=3)),
		Place("after the first unit", lambda act: _put("units/", act, after=True)),
		Place("after a subject", lambda act: _put("/subjects/", act, after=True)),
		Place("after the search index", lambda act: _put("search_index", act, after=True)),
	),
	"before the manifest": (Place("before the manifest", lambda act: _put("manifest", act)),),
	"after the manifest": (Place("after the manifest", lambda act: _put("manifest", act, after=True)),),
	"before the ledger": (
		Place("before the ledger", lambda act: call(ledger, "close", act)),
		Place("before what the manifest reads is stored", lambda act: call(renditions, "store", act)),
	),
	"before the closing commit": (
		Place("before the closing commit", lambda act: call(publish_state, "succeeded", act, after=True)),
	),
	"at the removals": (
		Place("before the removals", lambda act: call(LocalStorage, "delete", act)),
		Place("after the removals", lambda act: call(LocalStorage, "delete", act, after=True)),
	),
	"before the log": (Place("before the log", lambda act: call(sync_log, "write", act)),),
	"at the list of plans": (
		Place("before the list of plans", lambda act: _put(paths.PLAN_INDEX, act)),
		Place("after the list of plans", lambda act: _put(paths.PLAN_INDEX, act, after=True)),
	),
}
"""The steps of a build in order, each with the places in it."""

IN_A_GROUP = (
	Place("when a group is leased", lambda act: call(plan_group, "run", act)),
	Place("when a group's files are in flight", lambda act: _begun_together(act)),
	Place("after a group's first subject", lambda act: _put("/subjects/", act, after=True)),
	Place("before a group's first manifest", lambda act: _put("manifest", act)),
	Place("amid a group's manifests", lambda act: _put("manifest", act, nth=3, after=True)),
	Place("before a group's ledger", lambda act: call(renditions, "store", act)),
	Place(
		"before a group's closing commit",
		lambda act: call(publish_state, "succeeded_together", act, after=True),
	),
	Place("before a group's log", lambda act: call(sync_log, "write", act)),
)
"""The places in the build of a group, where nothing but a shared subject has changed."""


def _begun_together(act: Act) -> Any:
	begin = ledger.begin

	def begun(files: Mapping[Scope, Any]) -> None:
		begin(files)
		if len(files) > 1:
			act()

	return patch.object(ledger, "begin", begun)


PLACES: tuple[Place, ...] = tuple(place for places in STEPS.values() for place in places)


def worker(
	place: Place | None = None, act: Callable[[Stops], None] = Stops.die, *, session: str = ""
) -> Child:
	"""A worker process that drains, and at a place, the first time it passes it, dies or does as told.

	`session` is SQL that its connection begins with.
	"""

	def work(stops: Stops) -> Any:
		passed: list[bool] = []

		def once() -> None:
			if not passed:
				passed.append(True)
				act(stops)

		if session:
			frappe.db.sql(session)
			frappe.db.commit()
		with ExitStack() as stack:
			if place:
				stack.enter_context(patch.object(database, "IDLE_SECONDS", 1))
				stack.enter_context(place.patches(once))
			drained = batch_processor.process("Scheduler")
		return drained.published, drained.failed, drained.left, bool(passed)

	frappe.db.commit()
	return fork(work)


@contextmanager
def stopped(place: Place, seconds: float = 0) -> Iterator[Child]:
	"""A worker that has stopped at a place; when it goes on, its clocks say that `seconds` more have passed.

	Where it holds locks, the server ends its connection after one second instead of 20.
	"""

	def stop(stops: Stops) -> None:
		stops.stop(place.name)
		clocks = leases._clocks
		leases._clocks = lambda: tuple(moment + seconds for moment in clocks())

	child = worker(place, stop)
	try:
		if child.arrived() != place.name:
			raise AssertionError(f"the worker never came to stop {place}: {child.wait()}")
		yield child
	finally:
		child.end()


def killed(place: Place) -> None:
	"""`kill -9` of a worker at a place."""
	if (told := worker(place).wait()) is not None:
		raise AssertionError(f"the worker never came to die {place}: {told}")
