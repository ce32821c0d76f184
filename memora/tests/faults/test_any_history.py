"""Whatever editors do and whatever breaks, in whatever order: no link ever dangles, and after recovery what is
published is what a site would publish that had never failed, byte for byte but for versions. Once it is published
nothing names what is withdrawn, and nothing is written again that has not changed.

A Hypothesis state machine. By default it tries the same few histories each time; MEMORA_SEQUENCES says how many, new
ones then, and MEMORA_SEQUENCE_STEPS how long they are. A failure is shrunk, and says how to reproduce it.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import frappe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import dead_letters
from memora.services.cdn_export.rules import file_removals, published_check
from memora.services.cdn_export.state import lease
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.faults.anew import (
	built_anew,
	differences,
	files_below,
	is_only_stamped_anew,
	normalised,
)
from memora.tests.faults.links import dead_links
from memora.tests.faults.places import PLACES, Place, worker
from memora.tests.faults.redis_server import RedisServer
from memora.tests.faults.withdrawn import withdrawn_but_named
from memora.tests.helpers import clock, editors
from memora.tests.helpers.publishing import publish_to
from memora.tests.helpers.utils import wipe

HISTORIES = int(os.environ.get("MEMORA_SEQUENCES", 4))
STEPS = int(os.environ.get("MEMORA_SEQUENCE_STEPS", 20))


class AnyHistory(RuleBasedStateMachine):
	"""A school of `editors`, published to a folder, with a Redis of its own."""

	def __init__(self) -> None:
		super().__init__()
		self.folder = Path(tempfile.mkdtemp(prefix="memora-history-"))
		self.stack = ExitStack()
		self.stack.callback(shutil.rmtree, f"{self.folder}.meta", ignore_errors=True)
		self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
		self.stack.callback(wipe)
		wipe()
		self.redis = self.stack.enter_context(RedisServer())
		self.redis_is_up = True
		publish_to(storage_provider="Local Directory", local_path=str(self.folder))

	def read(self, path: str) -> bytes | None:
		file = self.folder / path
		return file.read_bytes() if file.is_file() else None

	@initialize(dice=st.randoms())
	def found(self, dice: random.Random) -> None:
		editors.found(dice)
		frappe.db.commit()

	@rule(action=st.sampled_from(editors.ACTIONS), dice=st.randoms())
	def edit(self, action: editors.Action, dice: random.Random) -> None:
		editors.attempt(action, dice)

	@rule(action=st.sampled_from(editors.ACTIONS), dice=st.randoms())
	def edit_and_roll_back(self, action: editors.Action, dice: random.Random) -> None:
		try:
			action(dice)
		except (frappe.ValidationError, frappe.LinkExistsError):
			pass
		frappe.db.rollback()

	@rule()
	def publish(self) -> None:
		"""Leases that somebody died with have run out. After each file that is written or removed the links are looked
		at, too."""
		clock.skip(lease.LEASE_SECONDS + 1)
		put, delete = LocalStorage.put, LocalStorage.delete
		# Either the old or the new bytes of these are there.
		unsure = {
			path
			for path, state, etag in frappe.db.sql("select path, state, etag from `tabCDN File`")
			if state == "in_flight" or not etag
		}
		frappe.db.commit()
		written_again: list[str] = []

		def looked_at_put(storage: LocalStorage, upload: Upload, **condition: object) -> str:
			before = self.read(upload.path)
			etag = put(storage, upload, **condition)
			if before is not None and upload.path not in unsure:
				after = self.read(upload.path) or b""
				if is_only_stamped_anew(before, after):
					written_again.append(upload.path)
			self.no_link_dangles()
			return etag

		def looked_at_delete(storage: LocalStorage, gone: object) -> None:
			for path in gone:
				delete(storage, [path])
				self.no_link_dangles()

		with (
			patch.multiple(LocalStorage, put=looked_at_put, delete=looked_at_delete),
			patch.object(LocalStorage, "threads", 1),
			patch.object(LocalStorage, "writers", 1),
		):
			batch_processor.process("Scheduler")
		assert written_again == [], "of which nothing has changed"
		assert withdrawn_but_named(files_below(self.folder)) == []

	@rule(number=st.integers(1, 30))
	def fail_at_an_upload(self, number: int) -> None:
		"""The nth upload and all after it fail, so builds fail and wait for their retries."""
		put, left = LocalStorage.put, [number]

		def failing(storage: LocalStorage, upload: Upload, **condition: object) -> str:
			left[0] -= 1
			if left[0] <= 0:
				raise StorageUnavailableError(f"{upload.path} was refused by the test")
			return put(storage, upload, **condition)

		clock.skip(lease.LEASE_SECONDS + 1)
		with patch.object(LocalStorage, "put", failing):
			batch_processor.process("Scheduler")

	@rule(place=st.sampled_from(PLACES))
	def kill_a_worker(self, place: Place) -> None:
		"""If it comes to that place."""
		clock.skip(lease.LEASE_SECONDS + 1)
		worker(place).wait()

	@rule()
	def let_the_grace_pass(self) -> None:
		clock.skip(file_removals.GRACE.total_seconds())

	@precondition(lambda self: self.redis_is_up)
	@rule()
	def flush_redis(self) -> None:
		self.redis.client.flushall()

	@rule()
	def stop_or_start_redis(self) -> None:
		if self.redis_is_up:
			self.redis.stop()
		else:
			self.redis.start()
		self.redis_is_up = not self.redis_is_up

	@invariant()
	def no_link_dangles(self) -> None:
		assert dead_links(self.read) == []

	def teardown(self) -> None:
		with self.stack:
			if not self.redis_is_up:
				self.redis.start()
			assert clock.scheduler(random.Random(0)) is not None, "something still waits after two hours"
			dead_letters.retry_all()  # what failed four times waits for an admin
			assert clock.scheduler(random.Random(0)) is not None, "something still waits after two hours"
			clock.skip(file_removals.GRACE.total_seconds())
			clock.look(batch=True)
			found = files_below(self.folder)
			report = published_check.check(self.read, lambda: set(found))
			assert [str(problem) for problem in report.problems] == []
			assert report.unlinked == []
			assert differences(normalised(found), built_anew()) == []


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
	max_examples=HISTORIES,
	stateful_step_count=STEPS,
	derandomize="MEMORA_SEQUENCES" not in os.environ,
	deadline=None,
	database=None,
	print_blob=True,
	suppress_health_check=list(HealthCheck),
)
