"""The site that is measured: emptied, filled, published, and drained as a warm worker does it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from unittest.mock import patch

import frappe

from benchmarks import meter
from benchmarks.generate import Bulk, Planted, Shape, plan_of, subjects
from benchmarks.meter import Nowhere, Span
from benchmarks.s3_server import BUCKET, REGION, S3Server
from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.outbox import reconciliation, relay
from memora.services.cdn_export.state import publish_state
from memora.services.cdn_export.storage import Storage, StorageSettings
from memora.services.cdn_export.worker import builder
from memora.services.cdn_export.worker import drain as worker
from memora.tests.helpers.utils import wipe

T = TypeVar("T")

_PURGED = 20
"""So few transactions in InnoDB's history are those of the server itself."""

_LONGEST_PURGE_SECONDS = 60

_LIVE = ("CDN Publish State", "CDN Node Change", "CDN Rendition", "CDN File", "CDN Sync Log", "CDN Change")


@dataclass(slots=True)
class Drain:
	"""One drain: the whole of it, and each build in it by scope; that of a group by all their names."""

	whole: Span = field(default_factory=Span)
	builds: dict[str, Span] = field(default_factory=dict)
	puts: list[str] = field(default_factory=list)

	@property
	def seconds(self) -> float:
		"""The builds' time, from taking the lease to the log's record."""
		return sum(span.seconds for span in self.builds.values())

	@property
	def work(self) -> float:
		"""What the builds take where no other process wants the processor."""
		return sum(span.work for span in self.builds.values())

	@property
	def statements(self) -> int:
		return sum(span.count for span in self.builds.values())


def configure(server: S3Server, **fields: Any) -> None:
	"""Point CDN Settings at the benchmark's S3 server."""
	doc = frappe.get_doc("CDN Settings")
	doc.update(
		{
			"enabled": 1,
			"storage_provider": "AWS S3",
			"endpoint_url": server.url,
			"region": REGION,
			"bucket_name": BUCKET,
			"access_key": "benchmark",
			"secret_key": "benchmark-secret",
			"sign": "All",
			**fields,
		}
	)
	doc.save()
	frappe.db.commit()


def storage_settings(server: S3Server) -> StorageSettings:
	return StorageSettings(
		provider="AWS S3",
		endpoint_url=server.url,
		region=REGION,
		bucket_name=BUCKET,
		access_key="benchmark",
		secret_key="benchmark-secret",
	)


def empty(server: S3Server) -> None:
	"""Nothing of memora on the site, settings aside, nor in the bucket."""
	server.empty()
	Nowhere.mark = None
	wipe()
	configure(server)


def fill(shape: Shape, *, plans: int = 1, seed: int = 0) -> Planted:
	"""Put a curriculum on the site, with plans that all list all of it; commits."""
	bulk = Bulk(seed)
	for piece in subjects(shape, seed):
		bulk.add_subject(piece)
		frappe.db.commit()
	titles = list(bulk.planted.subjects)
	for number in range(plans):
		bulk.add_plan(plan_of(titles, number))
	frappe.db.commit()
	return bulk.planted


def forget_all_published() -> None:
	"""As if nothing had ever been published: the content stays, and every plan waits."""
	for doctype in _LIVE:
		frappe.db.delete(doctype)
	frappe.db.commit()
	frappe.db.sql(
		"analyze table `tabCDN File`, `tabCDN Publish State`, `tabCDN Rendition`, `tabCDN Node Change`"
	)
	plans = frappe.get_all("Memora Academic Plan", pluck="name")
	listed = set(frappe.get_all("Memora Plan Subject", pluck="subject"))
	relay.touch(plans, listed)
	publish_state.ensure(scopes.INDEX)
	frappe.db.commit()


def _settle() -> None:
	"""Wait until InnoDB has purged what was deleted so far, which would take a processor from what is measured.

	Raises TimeoutError when something keeps it from that: an open transaction, or others at work.
	"""
	ends = time.monotonic() + _LONGEST_PURGE_SECONDS
	while time.monotonic() < ends:
		frappe.db.commit()  # what an open snapshot may still read is not purged
		((unpurged,),) = frappe.db.sql(
			"select variable_value from information_schema.global_status"
			" where variable_name = 'INNODB_HISTORY_LIST_LENGTH'"
		)
		if int(unpurged) <= _PURGED:
			return
		time.sleep(0.02)
	raise TimeoutError(
		f"InnoDB still keeps {unpurged} old transactions after {_LONGEST_PURGE_SECONDS} s: close what else uses this"
		" MariaDB, and measure again"
	)


@contextmanager
def opened(server: S3Server, storage: Storage | None = None) -> Iterator[Warm]:
	"""A worker's process that has its storage open, as after the first build of a drain."""
	storage = storage or Nowhere(storage_settings(server))
	with (
		patch.object(settings, "open_storage", lambda _: storage),
		patch.object(type(storage), "close", lambda _: None),
		meter.counting_statements(),
	):
		yield Warm(PublishTarget.open())


@dataclass(slots=True)
class Warm:
	"""Drains without opening the storage again."""

	target: PublishTarget

	@property
	def storage(self) -> Nowhere:
		return self.target.storage  # type: ignore[return-value]

	def drain(self) -> Drain:
		"""Relay and build until nothing waits."""
		_settle()
		found = Drain()
		self.target.shared = type(self.target.shared)()
		self.target.stamp = settings.stamp()
		if isinstance(self.target.storage, Nowhere):
			self.target.storage.puts = found.puts
		build_one, build_together = builder.Builder._build_one, builder.Builder._build_together

		def one(run: builder.Builder, target: PublishTarget, state: Any) -> bool:
			return measured(state.name, lambda: build_one(run, target, state))

		def together(
			run: builder.Builder, target: PublishTarget, group: list[Any]
		) -> tuple[int, Sequence[Any], Sequence[Any]]:
			names = " ".join(state.name for state in group)
			return measured(names, lambda: build_together(run, target, group))

		def measured(names: str, build: Callable[[], T]) -> T:
			with meter.span() as current:
				done = build()
			known = found.builds.setdefault(names, Span())
			known.seconds += current.seconds
			known.cpu += current.cpu
			known.server += current.server
			known.statements += current.statements
			return done

		with (
			patch.object(builder.Builder, "_build_one", one),
			patch.object(builder.Builder, "_build_together", together),
			patch.object(PublishTarget, "open", lambda *_: self.target),
			meter.span() as found.whole,
		):
			drained = worker.drain("Scheduler", seconds=None)
		if drained.failed or drained.left:
			raise RuntimeError(f"A drain that is measured must publish all: {drained}")
		return found

	def drain_edit(self, doctype: str, name: str, **fields: Any) -> Drain:
		"""Save an edit as an editor does, then drain."""
		edit(doctype, name, **fields)
		return self.drain()


def edit(doctype: str, name: str, **fields: Any) -> None:
	"""Save through Frappe and commit. `stage_title` changes the first stage of a lesson."""
	doc = frappe.get_doc(doctype, name)
	if "stage_title" in fields:
		doc.stages[0].title = fields.pop("stage_title")
	doc.update(fields)
	doc.save()
	frappe.db.commit()


def touch_all() -> None:
	"""Let everything be read again, as the nightly reconciliation does."""
	reconciliation.queue_everything(triggered_by="Scheduler", cause="")
