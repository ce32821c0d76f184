"""For tests that break things: places in a build where a worker dies or stops, and what must hold whatever breaks.

Nothing of this is in the product: a worker process patches itself right after it was started by the test.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
import orjson

from memora.services.cdn_export import (
	batch_processor,
	cdn_uploader,
	content_tree,
	database,
	fold,
	ledger,
	paths,
	pending_queue,
	publish_state,
	renditions,
	settings,
	sync_log,
)
from memora.services.cdn_export import lease as leases
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.processes import Child, Stops, fork
from memora.tests.publishing import PublishingTestCase

_STAMPS = re.compile(rb'"version":\d+,"generated_at":"[^"]+",|\?v=\d+')
_OURS = (
	"CDN File",
	"CDN Rendition",
	"CDN Node Change",
	"CDN Publish State",
	"CDN Change",
	"CDN Media",
	"CDN Purge",
	"CDN Sync Log",
)

Act = Callable[[], None]


@dataclass(frozen=True)
class Place:
	"""A place in a build: `patches` makes what it returns act there, before or after it is passed."""

	name: str
	patches: Callable[[Act], Any]

	def __str__(self) -> str:
		return self.name


def _call(owner: Any, name: str, act: Act, *, after: bool = False) -> Any:
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


PLACES: tuple[Place, ...] = (
	Place("before the fold's commit", lambda act: _call(fold, "_note_lessons", act, after=True)),
	Place("before the content is read", lambda act: _call(content_tree, "load", act)),
	Place("before anything is in flight", lambda act: _call(ledger, "begin", act)),
	Place("in flight but not committed", lambda act: _call(ledger, "begin", act, after=True)),
	Place("in flight and nothing uploaded", lambda act: _call(cdn_uploader, "publish", act)),
	Place("before the first lesson", lambda act: _put("lessons/", act)),
	Place("after the first lesson", lambda act: _put("lessons/", act, after=True)),
	Place("amid the lessons", lambda act: _put("lessons/", act, nth=3)),
	Place("after the first unit", lambda act: _put("units/", act, after=True)),
	Place("after a subject", lambda act: _put("/subjects/", act, after=True)),
	Place("after the search index", lambda act: _put("search_index", act, after=True)),
	Place("before the manifest", lambda act: _put("manifest", act)),
	Place("after the manifest", lambda act: _put("manifest", act, after=True)),
	Place("before the ledger", lambda act: _call(ledger, "close", act)),
	Place("before what the manifest reads is stored", lambda act: _call(renditions, "store", act)),
	Place("before the closing commit", lambda act: _call(publish_state, "succeeded", act, after=True)),
	Place("before the removals", lambda act: _call(LocalStorage, "delete", act)),
	Place("after the removals", lambda act: _call(LocalStorage, "delete", act, after=True)),
	Place("before the log", lambda act: _call(sync_log, "write", act)),
	Place("before the list of plans", lambda act: _put(paths.PLAN_INDEX, act)),
	Place("after the list of plans", lambda act: _put(paths.PLAN_INDEX, act, after=True)),
)


FULL = bool(os.environ.get("MEMORA_FAULTS"))
"""Whether to try everything, as `dev/faults` does, rather than what fits into a minute."""


def worker(place: Place | None = None, act: Callable[[Stops], None] = Stops.die) -> Child:
	"""A worker process that drains, and at a place, the first time it passes it, dies or does as told."""

	def work(stops: Stops) -> Any:
		passed: list[bool] = []

		def once() -> None:
			if not passed:
				passed.append(True)
				act(stops)

		with ExitStack() as stack:
			if place:
				stack.enter_context(patch.object(database, "IDLE_SECONDS", 1))
				stack.enter_context(place.patches(once))
			drained = batch_processor.process("Scheduler")
		return drained.published, drained.failed, drained.left, bool(passed)

	frappe.db.commit()
	return fork(work)


@contextmanager
def stalled(place: Place, seconds: float = 70) -> Iterator[Child]:
	"""A worker that has stopped at a place; when it goes on, its clocks say that `seconds` have passed.

	Where it holds locks, the server ends its connection after one second instead of 20.
	"""

	def stop(stops: Stops) -> None:
		stops.stop(place.name)
		clocks = leases._clocks
		leases._clocks = lambda: tuple(moment + seconds for moment in clocks())

	child = worker(place, stop)
	try:
		if child.arrived() != place.name:
			raise AssertionError(f"the worker never came there: {child.wait()}")
		yield child
	finally:
		child.end()


def let_leases_run_out() -> None:
	"""A minute goes by in which nobody renewed."""
	frappe.db.commit()
	frappe.db.sql(
		f"update `tab{publish_state.TABLE}` set lease_expires = now(6) - interval 1 second"
		" where lease_token is not null"
	)
	frappe.db.commit()


def dead_links(read: Callable[[str], bytes | None]) -> list[str]:
	"""Every link, from the list of plans down, that leads to nothing, to half a file or to an older version."""
	found: list[str] = []
	seen: dict[str, int | None] = {}

	def version_of(path: str) -> int | None:
		if path not in seen:
			seen[path] = None
			body = read(path)
			if body is None:
				return None
			try:
				document = orjson.loads(body) if path.endswith(".json") else {"version": 0}
			except orjson.JSONDecodeError:
				found.append(f"{path} is half a file")
				return None
			seen[path] = document["version"]
			follow(path, document)
		return seen[path]

	def follow(path: str, value: Any) -> None:
		if isinstance(value, list):
			for item in value:
				follow(path, item)
		elif isinstance(value, dict):
			for key, item in value.items():
				if key in ("url", "search_index_url") or (
					key in ("image", "badge_image") and str(item).startswith("media/")
				):
					target, _, version = item.partition("?v=")
					there = version_of(target)
					if there is None:
						found.append(f"{path} links to {target}, which is not there")
					elif int(version or 0) > there:
						found.append(f"{path} links to {item}, and version {there} is there")
				elif key != "stages":
					follow(path, item)

	if read(paths.PLAN_INDEX) is not None:
		version_of(paths.PLAN_INDEX)
	return found


def normalised(files: dict[str, bytes]) -> dict[str, bytes]:
	"""Files without what differs from build to build: versions and their moments."""
	return {path: _STAMPS.sub(b"", body) for path, body in files.items()}


def differences(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
	"""What differs between two sets of files, in a few words each."""
	told = [f"{path} is missing" for path in sorted(wanted.keys() - found.keys())]
	told += [f"{path} should not be there" for path in sorted(found.keys() - wanted.keys())]
	for path in sorted(found.keys() & wanted.keys()):
		if found[path] != wanted[path]:
			pairs = zip(found[path], wanted[path], strict=False)
			place = next((n for n, (a, b) in enumerate(pairs) if a != b), 0)
			there, right = found[path][max(0, place - 40) : place + 60], wanted[path][place : place + 60]
			told.append(
				f"{path}: …{there.decode(errors='replace')}… should be …{right.decode(errors='replace')}…"
			)
	return told


def built_anew() -> dict[str, bytes]:
	"""What a site that has never published would publish now, normalised.

	A process of its own builds it, with tables of its own in front of ours and without Redis, so that nothing here
	changes.
	"""
	with tempfile.TemporaryDirectory(prefix="memora-anew-") as folder:
		frappe.db.commit()
		fork(lambda _stops: _build_into(Path(folder) / "files")).wait()
		return normalised(files_below(Path(folder) / "files"))


def _build_into(folder: Path) -> None:
	for doctype in _OURS:
		frappe.db.sql_ddl(f"create temporary table `memora anew` like `tab{doctype}`")
		frappe.db.sql_ddl(f"alter table `memora anew` rename `tab{doctype}`")
	place = settings.place(settings.saved())
	with (
		patch.object(settings, "local_path", lambda _doc: str(folder)),
		patch.object(pending_queue, "_guarded", lambda _call: None),
		patch.object(settings, "place", lambda _doc: place),  # as if files went where ours do
	):
		fold.touch(
			frappe.get_all("Memora Academic Plan", pluck="name"),
			frappe.get_all("Memora Subject", pluck="name"),
		)
		drained = batch_processor.process()
	if drained.failed or drained.left:
		raise AssertionError(f"a build from nothing fails: {drained}")


def files_below(folder: Path) -> dict[str, bytes]:
	return {
		str(file.relative_to(folder)): file.read_bytes()
		for file in folder.rglob("*")
		if file.is_file() and not file.name.endswith(".memora-tmp")
	}


class FaultTestCase(PublishingTestCase):
	"""What must hold whatever breaks."""

	def all_paths(self) -> set[str]:
		"""Without what a killed writer left half done: nobody is sent there, and listing sweeps it."""
		return {path for path in super().all_paths() if not path.endswith(".memora-tmp")}

	def assertLinksHold(self, when: str = "") -> None:
		"""Every link that a learner's app can follow leads to a whole file, at least as new as the link."""
		self.assertEqual(dead_links(self.read_bytes), [], when)

	def assertRecovers(self, when: str = "") -> None:
		"""With leases run out and retries due, one batch publishes what a site would that had never failed."""
		let_leases_run_out()
		frappe.db.sql(f"update `tab{publish_state.TABLE}` set next_retry_at = null")
		drained = self.publish()
		self.assertEqual((drained.failed, drained.left), (0, 0), when)
		self.assertLinksHold(when)
		self.end_of_grace()
		self.assertEqual(differences(normalised(files_below(self.local_path)), built_anew()), [], when)
		self.check()

	def end_of_grace(self) -> None:
		frappe.db.sql(
			f"update `tab{ledger.TABLE}` set remove_at = remove_at - interval 15 minute where state = 'removing'"
		)
		self.publish()

	@contextmanager
	def no_link_ever_dies(self) -> Iterator[None]:
		"""Look after each write and removal, too."""
		put, delete = LocalStorage.put, LocalStorage.delete

		def checked_put(storage: LocalStorage, upload: Upload, **condition: Any) -> str:
			etag = put(storage, upload, **condition)
			self.assertLinksHold(f"after {upload.path}")
			return etag

		def checked_delete(storage: LocalStorage, gone: Any) -> None:
			for path in gone:
				delete(storage, [path])
				self.assertLinksHold(f"after {path} was removed")

		with (
			patch.multiple(LocalStorage, put=checked_put, delete=checked_delete),
			patch.object(LocalStorage, "threads", 1),
		):
			yield
