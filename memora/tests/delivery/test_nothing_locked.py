"""Whoever calls over the network, to the storage, the CDN or Redis, holds no lock in MariaDB meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import frappe

from memora.services.cdn_export import batch_processor, settings
from memora.services.cdn_export.cache_purge import CachePurge, PurgeResult
from memora.services.cdn_export.state import database, redis_mirror
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course

_STORAGE_CALLS = ("put", "get", "head", "delete")


class Probe:
	"""A connection of its own that finds out whether anybody holds a lock on a row of memora's."""

	def __init__(self) -> None:
		self._connection = frappe.db.get_connection()
		self._one_at_a_time = threading.Lock()
		self.seen: list[str] = []
		self.held: list[str] = []
		doctypes = frappe.get_all("DocType", {"module": "Memora", "issingle": 0}, pluck="name")
		self._tables = [*doctypes, "DefaultValue"]

	def look(self, during: str) -> None:
		with self._one_at_a_time:
			self.seen.append(during)
			with self._connection.cursor() as cursor:
				for table in self._tables:
					try:
						cursor.execute(f"select name from `tab{table}` for update nowait")
					except database.ERRORS as error:
						assert database.errno(error) == 1205, error
						self.held.append(f"{during}: a row of {table} is locked")
			self._connection.rollback()

	def close(self) -> None:
		self._connection.close()


class Purge(CachePurge):
	"""A CDN that lets the probe look."""

	name = "Probed"

	def __init__(self, probe: Probe) -> None:
		self._probe = probe

	def purge(self, urls: Sequence[str]) -> PurgeResult:
		self._probe.look("purge")
		return PurgeResult(purged=tuple(urls))

	def verify(self, url: str) -> None:
		raise NotImplementedError


class TestNothingLocked(PublishingTestCase):
	@contextmanager
	def probed(self) -> Iterator[Probe]:
		"""Look whenever something calls over the network."""
		probe = Probe()
		guarded = redis_mirror._guarded

		def looked(call: Callable[[Any], Any]) -> Any:
			probe.look("redis")
			return guarded(call)

		with ExitStack() as stack:
			stack.callback(probe.close)
			stack.enter_context(patch.object(redis_mirror, "_guarded", looked))
			stack.enter_context(patch.object(settings, "open_purge", lambda _doc: Purge(probe)))
			for name in _STORAGE_CALLS:
				stack.enter_context(patch.object(LocalStorage, name, _before(name, probe)))
			yield probe

	def test_neither_in_a_save_nor_in_a_batch_nor_in_a_build(self) -> None:
		self.configure(cdn_base_url="https://cdn.example.com")
		course = make_course()
		plan = factories.make_plan([course["subject"]], is_published=1)
		with self.probed() as probe:
			self.publish()
			for lesson in course["lessons"][:2]:
				self.change(lesson, title=f"{lesson.title} edited")
				frappe.db.commit()
			self.change(course["lessons"][2], is_published=0)
			self.tick()
			batch_processor.run_batch()
			self.publish()
			self.change(plan, is_published=0)
			self.publish()
		self.assertEqual(probe.held, [])
		self.assertEqual(set(probe.seen), {"redis", "purge", "put", "head", "delete"})

	def test_the_probe_sees_a_lock(self) -> None:
		course = make_course(units=1, lessons=1)
		with self.probed() as probe:
			course["subject"].db_set("title", "not committed")
			probe.look("now")
			frappe.db.rollback()
		self.assertIn("now: a row of Memora Subject is locked", probe.held)


def _before(name: str, probe: Probe) -> Callable[..., Any]:
	original = getattr(LocalStorage, name)

	def looked(storage: LocalStorage, *args: Any, **kwargs: Any) -> Any:
		probe.look(name)
		return original(storage, *args, **kwargs)

	return looked
