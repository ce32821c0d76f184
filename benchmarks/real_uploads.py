"""What a publish takes where files really go up: to an S3 server on the same processors, and to one that is 30 ms away."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks import site, upload_clients
from benchmarks.cases import LESSON, STANDARD, SUBJECT, Bench, Row, publish_all
from benchmarks.generate import Shape
from benchmarks.latency import Far
from benchmarks.s3_server import REGION
from benchmarks.site import Warm
from benchmarks.upload import seaweedfs
from benchmarks.upload_clients import Server, timed
from memora.services.cdn_export.storage import StorageSettings, Upload
from memora.services.cdn_export.storage.s3 import S3Storage

ROUND_TRIP = 0.03
PLANS = 50
_TRIPS = 7
"""Of a title's edit: the mark read and written, lesson, unit, subject, search index, manifest
(`memora/tests/builds/test_round_trips.py`)."""


def uploads(bench: Bench) -> Iterable[Row]:
	"""Uploaded to SeaweedFS, at hand and 30 ms away: an edit for 50 plans, everything, and a subject renamed."""
	with seaweedfs() as near:
		yield from _rows(bench, near, "at hand", 0.0)
		with Far(near.url, ROUND_TRIP) as far:
			there = Server(far.url, near.bucket, near.access_key, near.secret_key)
			yield from _rows(bench, there, f"{ROUND_TRIP * 1000:.0f} ms away", ROUND_TRIP)


def _rows(bench: Bench, server: Server, where: str, latency: float) -> Iterator[Row]:
	yield from _edit_for_all(bench, server, where, latency)
	yield from _everything(bench, server, where)
	yield from _renamed(bench, server, where)


def _edit_for_all(bench: Bench, server: Server, where: str, latency: float) -> Iterator[Row]:
	planted = _fill(bench, server, Shape(subjects=1), PLANS)
	lesson = next(iter(planted.lessons.values()))[100]
	with _open(bench, server) as warm:
		warm.drain()
		taken = []
		for number in range(bench.full_runs):
			drain = warm.drain_edit(LESSON, lesson, title=f"Edited {number} {time.time():.0f}")
			taken.append(drain.whole.seconds)
	yield Row(
		f"a lesson's title edited, live in {PLANS} plans, {where}",
		statistics.median(taken),
		floor=_TRIPS * latency or None,
		of_floor=f"{_TRIPS} round trips" if latency else "",
		more={"all": taken},
	)


def _everything(bench: Bench, server: Server, where: str) -> Iterator[Row]:
	_fill(bench, server, STANDARD, 1)
	with site.opened(bench.server) as warm:
		warm.storage.bodies = {}
		publish_all(warm)
		files = _files(warm)
	site.forget_all_published()
	with _open(bench, server) as warm, upload_clients.bare_obstore(server, files) as bare:
		warm.drain()
		full, floors = [], []
		for _ in range(bench.full_runs):
			site.forget_all_published()
			_emptied(server)
			full.append(warm.drain().whole.seconds)
			floors.append(timed(bare).wall)
	yield Row(
		f"full rebuild of 2,000 lessons, uploaded, {where}",
		statistics.median(full),
		floor=statistics.median(floors),
		of_floor="the same bytes put by bare obstore",
		note=f"{len(files):,} files",
		more={"all": full},
	)


def _renamed(bench: Bench, server: Server, where: str) -> Iterator[Row]:
	shape = Shape(subjects=1, tracks=2, units=5, topics=10, lessons=2 if bench.quick else 20)
	planted = _fill(bench, server, shape, 1)
	subject = next(iter(planted.subjects.values()))
	with site.opened(bench.server) as warm:
		warm.drain()
		warm.storage.bodies = {}
		warm.drain_edit(SUBJECT, subject, title="Renamed for nothing")
		files = _files(warm)
	site.forget_all_published()
	with _open(bench, server) as warm, upload_clients.bare_obstore(server, files) as bare:
		warm.drain()
		real, floors = [], []
		for number in range(bench.full_runs):
			drain = warm.drain_edit(SUBJECT, subject, title=f"Renamed in earnest {number}")
			real.append(drain.seconds)
			floors.append(timed(bare).wall)
	floor = statistics.median(floors)
	yield Row(
		f"a subject of {shape.all_lessons:,} lessons renamed, uploaded, {where}",
		statistics.median(real),
		floor=floor,
		of_floor="the same bytes put by bare obstore",
		note=f"{len(files):,} files",
		more={"all": real},
	)


def _fill(bench: Bench, server: Server, shape: Shape, plans: int):
	site.empty(bench.server)
	_emptied(server)
	site.configure(
		bench.server,
		endpoint_url=server.url,
		bucket_name=server.bucket,
		access_key=server.access_key,
		secret_key=server.secret_key,
	)
	return site.fill(shape, plans=plans)


def _emptied(server: Server) -> None:
	with S3Storage(_settings(server)) as storage:
		storage.delete(found.path for found in storage.list())


@contextmanager
def _open(bench: Bench, server: Server) -> Iterator[Warm]:
	with ExitStack() as stack:
		storage = stack.enter_context(S3Storage(_settings(server)))
		yield stack.enter_context(site.opened(bench.server, storage))


def _settings(server: Server) -> StorageSettings:
	return StorageSettings("AWS S3", server.url, REGION, server.bucket, server.access_key, server.secret_key)


def _files(warm: Warm) -> Sequence[Upload]:
	"""What has just been put, under other paths, so that the floor overwrites nothing."""
	bodies = warm.storage.bodies or {}
	return [Upload(f"floor/{path}", body, "max-age=300", {"version": "1"}) for path, body in bodies.items()]
