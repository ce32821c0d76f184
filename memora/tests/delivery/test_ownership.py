"""Whose place is it: a bucket or folder belongs to one site, and no other publishes, removes or fixes anything there."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Lock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import frappe
import orjson

from memora.api import cdn_admin
from memora.exceptions import PlaceRefusedError, ScopeBusyError, StorageUnavailableError
from memora.patches import outdate_metadata
from memora.services.cdn_export import batch_processor, settings
from memora.services.cdn_export.admin import doctor, operations, pipeline_status, verification
from memora.services.cdn_export.builds import (
	index_build,
	plan_file_reading,
	plan_removal,
	removals,
	subject_reading,
)
from memora.services.cdn_export.delivery import ownership
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import daily, metadata_renewal
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.outbox import reconciliation
from memora.services.cdn_export.state import site_key
from memora.services.cdn_export.storage import Upload, r2
from memora.services.cdn_export.worker import drain
from memora.tests.helpers import clock, factories
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.copies import copied_site
from memora.tests.helpers.faulty_server import Cut, FaultyServer, Request, s3_error
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import PublishingTestCase, make_course, run_command

OTHER = site_key.hash_of("another site's key")


class Marked(BucketTestCase):
	"""A published course in a bucket."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(title="Physics")
		self.plan = factories.make_plan([self.course["subject"]], title="Grade 7", is_published=1)
		self.lesson = self.course["lessons"][0]

	def mark(self) -> dict[str, Any] | None:
		body = self.read_bytes(paths.MARK)
		return body and orjson.loads(body)

	def set_mark(self, **values: Any) -> None:
		self.put(paths.MARK, orjson.dumps({**(self.mark() or {}), **values}))

	def assertRefused(self, *words: str) -> None:
		"""Nothing at all is done to the bucket, whatever runs, and everybody is told why; editors' work waits."""
		self.change(self.lesson, description=f"edited {frappe.generate_hash(length=6)}")
		whole = {**self.objects(), paths.MARK: self.read_bytes(paths.MARK)}
		drained = self.publish()
		self.assertEqual((drained.published, drained.failed), (0, 0))
		self.assertGreater(drained.left, 0)
		for run in (
			self.tick,
			lambda: batch_processor.run_batch(),
			lambda: reconciliation.daily(),
			lambda: self.publish(),
			lambda: daily.daily(),
			lambda: daily.run(),
		):
			run()
		with self.assertRaises(PlaceRefusedError):
			operations.repair()
		self.assertEqual({**self.objects(), paths.MARK: self.read_bytes(paths.MARK)}, whole)
		self.assertEqual(self.failures(), {})
		self.assertEqual(pipeline_status.dead_letters(), [])

		status = pipeline_status.status()
		verified = verification.verify()
		findings = cdn_admin.test_connection()["findings"]
		said = {
			"status": status["place_refused"],
			"verify": verified["problems"][0]["message"],
			"doctor": " ".join(
				finding.message + finding.fix for finding in doctor.run() if finding.check == "storage: place"
			),
			"dashboard": " ".join(
				warning["message"] + warning["fix"] for warning in cdn_admin.get_health()["warnings"]
			),
			"test connection": findings[0]["message"] + findings[0]["fix"],
			"admins": frappe.get_last_doc("Notification Log").email_content,
			"failures": cdn_admin.get_recent_failures()[0]["error_message"],
			"process": operations.process()["failures"][0]["error_message"],
		}
		for where, text in said.items():
			for word in (*words, "take-over"):
				self.assertIn(word, text, where)
		self.assertFalse(verified["ok"])
		self.assertEqual(len(findings), 1)
		for command, code in (("status", 1), ("verify", 1), ("doctor", 1), ("repair", 2), ("process", 1)):
			self.assertEqual(run_command(command).exit_code, code, command)
		self.assertEqual({**self.objects(), paths.MARK: self.read_bytes(paths.MARK)}, whole)

	def take_over(self) -> None:
		answer = run_command("take-over", "--yes")
		self.assertEqual(answer.exit_code, 0, answer.output)
		self.publish()
		while self.failures() and not pipeline_status.dead_letters():
			# Versions are seconds: one of this very second may be there, and only a later try goes above it.
			time.sleep(1)
			self.minutes_pass(9)
			self.publish()
		self.check()
		self.assertEqual(pipeline_status.status()["place_refused"], "")
		self.assertTrue(verification.verify()["ok"])


class TestMark(Marked):
	def test_an_empty_bucket_is_claimed_and_each_batch_that_writes_raises_the_number_once(self) -> None:
		self.assertIsNone(self.mark())
		self.publish()
		first = self.mark()
		self.assertEqual(first["site"], site_key.known_hash())
		self.publish()  # nothing to write
		self.assertEqual(self.mark(), first)
		self.change(self.lesson, title="Edited")
		self.publish()
		self.assertEqual(self.mark()["number"], first["number"] + 1)

	def test_the_key_is_in_the_configuration_only_and_nobody_can_read_it(self) -> None:
		self.publish()
		key = json.loads(Path(frappe.get_site_path("site_config.json")).read_text())[site_key.NAME]
		self.assertRegex(key, "^[0-9a-f]{64}$")
		for path in [paths.MARK, *self.all_paths()]:
			self.assertNotIn(key.encode(), self.read_bytes(path))
		noted = frappe.db.sql("select group_concat(defvalue) from tabDefaultValue")[0][0]
		self.assertNotIn(key, noted)
		self.assertEqual({found[3]["site"] for found in self.objects().values()}, {site_key.hash_of(key)})

	def test_a_batch_that_writes_costs_one_get_and_one_put_of_the_mark(self) -> None:
		self.publish()
		with FaultyServer(self.endpoint) as server:
			self.configure(endpoint_url=server.url)
			self.publish()  # another address: everything again
			for _ in range(2):
				self.change(self.lesson, title=frappe.generate_hash(length=6))
				server.requests.clear()
				self.publish()
				self.assertEqual(self.asked(server), {"GET": 1, "PUT": 1})
			server.requests.clear()
			self.publish()
			self.assertEqual(self.asked(server), {})

	@staticmethod
	def asked(server: FaultyServer) -> Counter:
		return Counter(request.method for request in server.requests if paths.MARK in request.path)

	def test_drains_of_a_batch_compare_at_most_once_a_minute(self) -> None:
		self.publish()
		with FaultyServer(self.endpoint) as server:
			self.configure(endpoint_url=server.url)
			self.publish()
			self.change(self.lesson, title="One")
			frappe.db.commit()
			server.requests.clear()
			drain.drain(seconds=None, batch="together")
			self.assertEqual(self.asked(server), {"GET": 1, "PUT": 1})
			for later, asked in ((0, {}), (61, {"GET": 1})):
				self.change(self.lesson, title=frappe.generate_hash(length=6))
				frappe.db.commit()
				server.requests.clear()
				moment = ownership.time.time() + later
				with patch.object(ownership.time, "time", return_value=moment):
					drain.drain(seconds=None, batch="together")
				self.assertEqual(self.asked(server), asked)

	def test_parallel_drains_raise_it_once_each_at_most_and_all_publish(self) -> None:
		self.publish()
		number = self.mark()["number"]
		plans = [factories.make_plan([make_course()["subject"]], is_published=1) for _ in range(4)]
		frappe.db.commit()
		at_once(*[lambda: drain.drain(seconds=None, batch="together")] * 3)
		self.publish()
		self.assertEqual(self.mark()["number"], number + 1)
		self.assertEqual(pipeline_status.place_refused(), "")
		self.check()
		for plan in plans:
			self.learner(plan)

	def test_a_worker_that_dies_between_the_database_and_the_mark_does_no_harm(self) -> None:
		self.publish()
		self.change(self.lesson, title="Edited")
		with patch.object(ownership.Ownership, "_write", side_effect=StorageUnavailableError("gone")):
			self.publish()
		self.assertIn("gone", str(self.failures()))
		self.minutes_pass(3)
		self.publish()
		self.assertEqual(self.failures(), {})
		self.check()

	def test_a_mark_that_cannot_be_read_fails_as_any_file_does_and_is_not_taken_for_none(self) -> None:
		self.publish()
		for status, code in ((403, "AccessDenied"), (503, "SlowDown")):
			with self.subTest(code), FaultyServer(self.endpoint) as server:

				def rule(request: Request, status: int = status, code: str = code) -> Any:
					is_mark = request.method == "GET" and paths.MARK in request.path
					return s3_error(status, code) if is_mark else None

				self.change(self.lesson, title=code)
				with patch("memora.services.cdn_export.storage.s3.pause"), server.broken(rule):
					frappe.db.set_single_value("CDN Settings", "endpoint_url", server.url)
					drained = self.publish()
				self.assertGreater(drained.failed, 0)
				self.assertIn(code, str(self.failures()))
				self.assertEqual(pipeline_status.place_refused(), "")
				frappe.db.set_single_value("CDN Settings", "endpoint_url", self.endpoint)
				self.minutes_pass(3)
				self.publish()
				self.assertEqual(self.failures(), {})

	def test_a_mark_that_vanished_is_made_again_where_the_list_of_plans_is_ours(self) -> None:
		self.publish()
		number = self.mark()["number"]
		self.drop(paths.MARK)
		self.change(self.lesson, title="Edited")
		self.publish()
		self.assertEqual(self.mark()["number"], number + 1)
		self.check()

	def test_a_place_from_before_there_were_marks_is_claimed_by_the_list_of_plans(self) -> None:
		self.publish()
		self.drop(paths.MARK)
		for path in self.all_paths():
			self.rewrite(path, Metadata=without_newer(self.objects()[path][3]))
		frappe.db.delete("DefaultValue", {"defkey": "memora_ownership"})
		self.change(self.lesson, title="Edited")
		self.publish()
		self.assertEqual(self.mark()["site"], site_key.known_hash())
		self.check()

	def test_a_place_with_published_files_of_others_and_no_mark_is_refused(self) -> None:
		self.put(paths.PLAN_INDEX, b'{"plans": []}')
		self.assertRefused("has published files", self.bucket)
		self.assertEqual(self.read_bytes(paths.PLAN_INDEX), b'{"plans": []}')

	def test_other_files_in_a_bucket_are_no_reason_to_refuse_it(self) -> None:
		self.put("videos/1.mp4", b"film")
		self.publish()
		self.check(leaving=["videos/1.mp4"])

	def test_something_else_where_the_mark_should_be_is_no_mark(self) -> None:
		self.publish()
		for body in (b"", b"[]", b"{", b'{"site": 1}', b'{"number": "x", "site": "y"}'):
			with self.subTest(body):
				self.put(paths.MARK, body)
				self.change(self.lesson, title=frappe.generate_hash(length=5))
				self.assertIn("no mark", self.publish().refused)
		self.assertRefused("no mark")

	def test_who_loses_a_race_for_an_empty_bucket_publishes_nothing(self) -> None:
		put, client_put = type(self.storage()).put, self.put
		done = []

		def raced(storage: Any, upload: Upload, **condition: Any) -> str:
			if upload.path == paths.MARK and not done:
				done.append(1)
				client_put(paths.MARK, orjson.dumps({"site": OTHER, "number": 1}))
			return put(storage, upload, **condition)

		with patch.object(type(self.storage()), "put", raced):
			self.assertIn("Another site", self.publish().refused)
		self.assertEqual(self.all_paths(), set())

	def test_another_sites_place_is_refused_until_it_is_taken_over(self) -> None:
		self.publish()
		self.set_mark(site=OTHER, number=77)
		self.assertRefused("Another site", self.bucket, "memora_site_key")
		self.take_over()
		self.assertEqual((self.mark()["site"], self.mark()["number"]), (site_key.known_hash(), 79))

	def test_a_place_where_a_copy_has_published_is_refused_until_it_is_taken_over(self) -> None:
		self.publish()
		number = self.mark()["number"] + 5
		self.set_mark(number=number)
		self.assertRefused("copy of this site", "backup")
		self.take_over()
		self.assertEqual(self.mark()["number"], number + 2)

	def test_a_key_that_was_lost_is_put_back(self) -> None:
		self.publish()
		self.change(self.lesson, title="Edited")
		with other_key():
			self.assertIn("memora_site_key", self.publish().refused)
		drained = self.publish()
		self.assertEqual((drained.refused, drained.failed, drained.left), ("", 0, 0))
		self.assertEqual(pipeline_status.place_refused(), "")
		self.check()

	def test_after_a_key_was_lost_for_good_everything_is_taken_over(self) -> None:
		self.publish()
		with other_key():
			self.assertRefused("memora_site_key")
			self.take_over()
			daily.run()
			self.publish()
			self.check()
			self.assertEqual({found[3]["site"] for found in self.objects().values()}, {site_key.known_hash()})
			self.assertTrue(run_command("repair", "--dry-run").exit_code == 0)

	def test_only_what_is_refused_can_be_taken_over(self) -> None:
		self.publish()
		before = self.objects()
		answer = run_command("take-over", "--yes")
		self.assertEqual(answer.exit_code, 2)
		self.assertIn("already", answer.output)
		self.publish()
		self.assertEqual(self.objects(), before)

	def test_a_storage_that_ignores_conditions_is_read_back(self) -> None:
		"""As servers do that know neither If-Match nor If-None-Match."""
		with FaultyServer(self.endpoint) as server, patch.object(ownership, "READ_BACK_SECONDS", 0.0):
			forward = server_without_conditions(server)
			with forward:
				self.configure(endpoint_url=server.url)
				self.publish()
				self.assertTrue(ownership.known().ignores_conditions)
				self.check()
				put, later = type(self.storage()).put, []

				def overtaken(storage: Any, upload: Upload, **condition: Any) -> str:
					etag = put(storage, upload, **condition)
					if upload.path == paths.MARK:  # a copy that has read the same number
						later.append(upload.path)
						self.set_mark(written="by another")
					return etag

				self.change(self.lesson, title="Edited")
				before = self.objects()
				with patch.object(type(self.storage()), "put", overtaken):
					self.assertIn("copy of this site", self.publish().refused)
				self.assertTrue(later)
				self.assertEqual(self.objects(), before)

	def test_a_bucket_that_is_left_and_come_back_to_is_still_ours(self) -> None:
		self.publish()
		first, number = self.bucket, self.mark()["number"]
		self.bucket = self.make_bucket()
		self.configure()
		self.publish()
		self.check()
		self.bucket = first
		self.configure()
		drained = self.publish()
		self.assertEqual((drained.refused, drained.failed), ("", 0))
		self.assertGreater(self.mark()["number"], number)
		self.check()


class TestCopies(Marked):
	"""A staging site, restored from a dump of production; two sites for real."""

	def setUp(self) -> None:
		super().setUp()
		self.publish()

	def edit_copy(self) -> str:
		"""What people do on staging."""
		doc = frappe.get_doc("Memora Subject", self.course["subject"].name)
		doc.title = "TEST do not use"
		doc.save()
		doc = frappe.get_doc("Memora Lesson", self.course["lessons"][1].name)
		doc.is_published = 0
		doc.save()
		frappe.db.commit()
		refused = batch_processor.process().refused
		reconciliation.daily()
		batch_processor.process()
		daily.run()
		batch_processor.run_batch()
		return refused

	def test_a_copy_changes_nothing_in_productions_bucket(self) -> None:
		for with_key, words in ((True, "copy of this site"), (False, "Another site")):
			with self.subTest(with_site_config=with_key), copied_site(with_key=with_key) as copy:
				self.change(self.lesson, title=f"Corrected in production {with_key}")
				self.publish()
				before = self.objects()
				self.assertIn(words, copy.run(self.edit_copy))
				self.assertEqual(self.objects(), before)
				self.change(self.lesson, title="And again")
				self.assertEqual(self.publish().refused, "")
				self.check()
				self.assertTrue(verification.verify()["ok"])

	def test_production_says_so_when_a_copy_has_published_first(self) -> None:
		with copied_site(with_key=True) as copy:
			self.assertEqual(copy.run(self.edit_copy), "")
		self.assertRefused("copy of this site")
		self.take_over()
		daily.run()
		self.publish()
		self.check()
		subject = self.read(paths.plan_subject(self.plan.name, self.course["subject"].name))
		self.assertEqual(subject["title"], "Physics")

	def test_staging_that_was_upgraded_before_production_has_claimed_the_place(self) -> None:
		self.drop(paths.MARK)
		for path in self.all_paths():
			self.rewrite(path, Metadata=without_newer(self.objects()[path][3]))
		frappe.db.delete("DefaultValue", {"defkey": "memora_ownership"})
		with copied_site(with_key=False) as copy:
			self.assertEqual(copy.run(self.edit_copy), "")
		self.assertRefused("Another site")
		self.take_over()

	def test_of_a_site_and_its_copy_that_write_the_mark_at_once_one_publishes(self) -> None:
		"""Also where the storage knows no conditions: then both writes succeed, and each reads back what is there."""
		for knows_conditions in (True, False):
			with self.subTest(knows_conditions=knows_conditions), FaultyServer(self.endpoint) as server:
				with ExitStack() as stack:
					if not knows_conditions:
						stack.enter_context(server_without_conditions(server))
						self.bucket = self.make_bucket()
					self.configure(endpoint_url=server.url)
					self.publish()
					self.assertEqual(ownership.known().ignores_conditions, not knows_conditions)
					copy = stack.enter_context(copied_site(with_key=True))
					self.change(self.lesson, title=f"Edited in production {knows_conditions}")
					frappe.db.commit()
					stack.enter_context(server.broken(at_the_same_time(2, "GET", "PUT")))
					stack.enter_context(
						patch.object(ownership, "READ_BACK_SECONDS", 5.0)
					)  # of a busy machine
					with ThreadPoolExecutor(1) as pool:
						theirs = pool.submit(copy.run, lambda: _edit_and_process(self.lesson.name))
						ours = self.publish().refused
						refused = {"production": ours, "copy": theirs.result()}
				self.assertEqual(sum(bool(text) for text in refused.values()), 1, refused)
				self.assertIn("copy of this site", "".join(refused.values()))
				title = self.read(f"lessons/{self.lesson.name}.json")["title"]
				edited = (
					"Edited after the backup was restored"
					if ours
					else f"Edited in production {knows_conditions}"
				)
				self.assertEqual(title, edited)
				if ours:
					self.take_over()

	def test_a_restored_backup_of_the_same_site(self) -> None:
		with copied_site(with_key=True) as backup, in_one_second():
			self.change(self.lesson, title="After the backup")
			self.change(self.course["lessons"][1], is_published=0)
			self.publish()
			before = self.objects()
			self.assertIn("backup", backup.run(lambda: _edit_and_process(self.lesson.name)))
			self.assertEqual(self.objects(), before)
			backup.run(_take_over)
			self.assertEqual(
				self.read(f"lessons/{self.lesson.name}.json")["title"], "Edited after the backup was restored"
			)
			self.check()


class TestForeign(Marked):
	"""Other sites' files in memora's folders, whoever looks for what is damaged or not needed."""

	def setUp(self) -> None:
		super().setUp()
		self.publish()
		self.lesson_path = f"lessons/{self.lesson.name}.json"

	def put_as(self, site: str | None, path: str) -> None:
		"""A file of memora's, as another site has written it; None: of a release that did not say whose it is."""
		body, content_type, cache, metadata = self.objects()[self.lesson_path]
		metadata = {name: value for name, value in metadata.items() if name != "site"} | (
			{"site": site} if site else {}
		)
		self.put(path, body, ContentType=content_type, CacheControl=cache, Metadata=metadata)

	def maintain(self) -> dict[str, str]:
		"""All that looks for damage and leftovers; what it leaves to people."""
		left = {finding["path"]: finding["fault"] for finding in operations.repair()["left"]}
		daily.run()
		reconciliation.daily()
		self.publish()
		self.minutes_pass(20)
		self.tick()
		return left

	def test_files_of_other_sites_are_reported_and_left(self) -> None:
		theirs = {
			"lessons/theirs.json": OTHER,
			"units/theirs.json": OTHER,
			"plans/theirs/manifest.json": OTHER,
			"schemas/theirs.schema.json": OTHER,
			"media/0f.png": OTHER,
			"lessons/nobody-knows.json": None,
		}
		for path, site in theirs.items():
			self.put_as(site, path)
		before = self.objects()
		self.assertEqual(self.maintain(), dict.fromkeys(theirs, "foreign"))
		self.assertEqual(self.objects(), before)
		self.check(leaving=theirs)

	def test_a_file_of_another_site_where_ours_was_is_never_overwritten(self) -> None:
		self.put_as(OTHER, self.lesson_path)
		self.rewrite(self.lesson_path, ContentType="text/plain")
		before = self.objects()[self.lesson_path]
		self.assertEqual(self.maintain(), {self.lesson_path: "foreign"})
		self.assertEqual(self.objects()[self.lesson_path], before)
		self.put(self.lesson_path, b"{}", Metadata=before[3])
		self.change(self.lesson, title="Edited")
		self.publish()
		self.assertIn("is not this site's", str(self.failures()))
		self.assertEqual(self.read_bytes(self.lesson_path), b"{}")
		self.drop(self.lesson_path)
		self.minutes_pass(3)
		self.publish()
		self.assertEqual(self.failures(), {})
		self.check()

	def test_a_file_of_another_site_where_ours_was_is_not_removed_with_its_lesson(self) -> None:
		self.put_as(OTHER, self.lesson_path)
		before = self.objects()[self.lesson_path]
		other = self.course["lessons"][1]
		for lesson in (self.lesson, other):
			self.change(lesson, is_published=0)
		self.publish()
		self.assertEqual(self.failures(), {})
		self.assertEqual(self.objects()[self.lesson_path], before)
		self.assertNotIn(f"lessons/{other.name}.json", self.paths())
		self.check(leaving=[self.lesson_path])

	def test_what_is_removed_is_looked_at_with_one_request_a_file(self) -> None:
		with FaultyServer(self.endpoint) as server:
			self.configure(endpoint_url=server.url)
			self.publish()
			paths_of = [f"lessons/{lesson.name}.json" for lesson in self.course["lessons"][:2]]
			for most, heads in ((1_000, 2), (1, 0)):
				for lesson in self.course["lessons"][:2]:
					self.change(lesson, is_published=1)
				self.publish()
				for lesson in self.course["lessons"][:2]:
					self.change(lesson, is_published=0)
				server.requests.clear()
				with patch.object(removals, "_LOOKED_AT_MOST", most):
					self.publish()
				asked = Counter(
					request.method for request in server.requests if request.path.endswith(tuple(paths_of))
				)
				self.assertEqual(asked["HEAD"], heads)
				self.assertFalse(set(paths_of) & self.paths())

	def test_what_was_withdrawn_goes_though_it_cannot_be_looked_at(self) -> None:
		"""At once where only looking is refused, else when the storage answers again; until then everybody is told."""
		with FaultyServer(self.endpoint) as server:
			self.configure(endpoint_url=server.url)
			for fault in (403, 400, 501, 503, None):
				with self.subTest(fault):
					self.change(self.lesson, is_published=1)
					self.publish()
					self.change(self.lesson, is_published=0)

					def rule(request: Request, status: int | None = fault) -> Any:
						is_look = request.method == "HEAD" and request.path.endswith(self.lesson_path)
						return (s3_error(status, "Refused") if status else Cut()) if is_look else None

					with server.broken(rule), patch("memora.services.cdn_export.storage.s3.pause"):
						self.publish()
					if self.lesson_path in self.paths():
						self.assertNotIn(fault, (403, 400, 501))
						self.assertEqual(pipeline_status.status()["still_on_cdn_paths"], [self.lesson_path])
						self.minutes_pass(3)
						self.tick()
					self.assertNotIn(self.lesson_path, self.paths())
					self.assertEqual(pipeline_status.status()["still_on_cdn"], 0)

	def test_a_new_lesson_does_not_overwrite_what_stands_at_its_path(self) -> None:
		new = factories.make_lesson(parent_topic=self.course["topics"][0].name, is_published=1)
		path = f"lessons/{new.name}.json"
		for site in (OTHER, None):
			with self.subTest(site=site):
				self.put_as(site, path)
				before = self.read_bytes(path)
				self.publish()
				self.assertIn("is not this site's", str(self.failures()))
				self.assertEqual(self.read_bytes(path), before)
				self.minutes_pass(3)

	def test_a_lost_ledger_takes_what_is_ours_and_nothing_else(self) -> None:
		self.put_as(OTHER, "lessons/theirs.json")
		before = self.objects()
		frappe.db.delete("CDN File")
		answer = operations.repair(lost_ledger=True)
		self.assertEqual(answer["entered"], len(before) - 1)
		self.publish()
		self.minutes_pass(20)
		self.tick()
		self.assertEqual(self.objects(), before)

	def test_a_lost_ledger_of_an_earlier_release_takes_all_where_the_mark_is_ours(self) -> None:
		for path in self.all_paths():
			self.rewrite(path, Metadata=without_newer(self.objects()[path][3]))
		before = self.objects()
		frappe.db.delete("CDN File")
		self.assertEqual(operations.repair(lost_ledger=True)["entered"], len(before))
		self.publish()
		self.check()
		self.assertEqual(
			{path: found[0] for path, found in self.objects().items()},
			{path: found[0] for path, found in before.items()},
		)


class TestMetadata(Marked):
	def metadata(self, lesson: Any) -> dict[str, str]:
		return self.objects()[f"lessons/{lesson.name}.json"][3]

	def test_a_lesson_says_every_item_that_it_asks_for(self) -> None:
		self.change(self.course["subject"], required_item="فيزياء ٧")
		self.change(
			self.course["track"], is_sold_separately=1, parent_item_required=1, required_item="LAB, 1 & 2"
		)
		self.publish()
		listed = self.metadata(self.lesson)["required-items"]
		self.assertEqual([unquote(item) for item in listed.split(",")], ["فيزياء ٧", "LAB, 1 & 2"])
		before = self.objects()
		self.change(self.course["subject"], required_item="PHYSICS")
		self.publish()
		after = self.objects()
		path = f"lessons/{self.lesson.name}.json"
		self.assertEqual(self.metadata(self.lesson)["required-items"], "PHYSICS,LAB%2C%201%20%26%202")
		self.assertEqual(after[path][0], before[path][0])  # as it was, version and all
		self.check()
		self.assertEqual(operations.repair(only_look=True)["left"], [])

	def test_tags_tell_files_and_scopes_apart(self) -> None:
		self.publish()
		tags = {path: found[3]["cache-tag"].split(",") for path, found in self.objects().items()}
		for path, found in tags.items():
			self.assertEqual(len(found), 2, path)
			for tag in found:
				self.assertRegex(tag, "^[0-9a-f]{16}$")
		self.assertEqual(len({of_file for of_file, _ in tags.values()}), len(tags))
		scopes = {path: of_scope for path, (_, of_scope) in tags.items()}
		self.assertEqual(len(set(scopes.values())), 3)  # the plan, the subject, the list of plans
		self.assertEqual(
			scopes[f"lessons/{self.lesson.name}.json"], scopes[f"units/{self.course['units'][0].name}.json"]
		)

	def as_before_the_upgrade(self) -> dict[str, Any]:
		"""What an earlier release has published, and the patch of this one."""
		for path in self.all_paths():
			self.rewrite(path, Metadata=without_newer(self.objects()[path][3]))
		frappe.db.sql("update `tabCDN File` set required_items = null, outdated = 0")
		outdate_metadata.execute()
		frappe.db.commit()
		return self.objects()

	def test_after_an_upgrade_all_get_it_in_the_background_and_nothing_else_changes(self) -> None:
		self.change(self.course["subject"], required_item="PHYSICS")
		self.publish()
		wanted = self.objects()
		before = self.as_before_the_upgrade()
		self.assertNotEqual(before, wanted)
		self.assertEqual(operations.repair(only_look=True)["left"], [])  # none of it is damage
		files = len(before)
		self.assertEqual(pipeline_status.status()["metadata"], {"renewed": 0, "files": files})
		with patch.object(metadata_renewal, "PAGE", 3), patch.object(metadata_renewal, "SECONDS", 1e-9):
			self.assertEqual(self.tick(), {"due": "metadata"})
		renewed = pipeline_status.status()["metadata"]["renewed"]
		self.assertTrue(0 < renewed <= 3, renewed)
		self.assertIn(f"{renewed} of {files} files", run_command("status").output)
		self.assertEqual(operations.repair(only_look=True)["left"], [])
		with patch.object(metadata_renewal, "PAGE", 3):
			self.tick()
		self.assertEqual(self.objects(), wanted)
		self.assertIsNone(pipeline_status.status()["metadata"])
		self.assertEqual(self.tick(), {"due": ""})
		self.check()

	def test_what_goes_elsewhere_or_is_kept_by_another_is_left_to_the_next_batch(self) -> None:
		self.change(self.course["subject"], image=self.picture(b"shown"))
		self.publish()
		wanted = self.objects()
		self.assertTrue(any(path.startswith("media/") for path in wanted))
		self.as_before_the_upgrade()
		busy = ScopeBusyError("another worker looks whose the place is")
		for hindrance in (
			patch.object(PublishTarget, "has_moved", return_value=True),
			patch.object(ownership.Ownership, "claim", side_effect=busy),
		):
			with self.subTest(hindrance), hindrance:
				self.assertEqual(self.tick(), {"due": "metadata"})
		self.tick()
		self.assertEqual(self.objects(), wanted)

	def test_news_goes_before(self) -> None:
		self.publish()
		self.as_before_the_upgrade()
		self.change(self.lesson, title="News")
		with patch.object(metadata_renewal, "SECONDS", 0), patch.object(metadata_renewal, "PAGE", 1):
			self.assertEqual(self.publish().failed, 0)
		self.assertEqual(self.read(f"lessons/{self.lesson.name}.json")["title"], "News")
		self.assertGreater(
			pipeline_status.status()["metadata"]["files"], pipeline_status.status()["metadata"]["renewed"]
		)
		self.tick()
		self.assertIsNone(pipeline_status.status()["metadata"])
		self.check()

	def test_what_is_not_the_object_that_was_published_is_written_anew(self) -> None:
		self.publish()
		wanted = self.objects()
		self.as_before_the_upgrade()
		altered, missing = f"lessons/{self.lesson.name}.json", f"units/{self.course['units'][0].name}.json"
		self.put(altered, b"{}")
		self.drop(missing)
		self.tick()
		self.publish()
		self.tick()
		self.assertEqual(self.objects(), wanted)
		self.assertEqual(operations.repair(only_look=True)["left"], [])

	def test_a_lesson_whose_price_has_changed_past_all_hooks_is_left_to_its_build(self) -> None:
		self.change(self.course["subject"], required_item="PHYSICS")
		self.publish()
		self.as_before_the_upgrade()
		frappe.db.set_value(
			"Memora Subject", self.course["subject"].name, "required_item", "OTHER", update_modified=False
		)
		self.tick()
		self.publish()
		self.tick()
		self.assertEqual(self.metadata(self.lesson)["required-items"], "OTHER")
		self.assertIsNone(pipeline_status.status()["metadata"])
		self.check()


@contextmanager
def in_one_second() -> Iterator[None]:
	"""All that is built meanwhile is of one second, as on a fast machine: versions are seconds, and no file has the same one
	twice."""
	now = time.time()
	moment = SimpleNamespace(time=lambda: now)
	with ExitStack() as stack:
		for module in (index_build, plan_file_reading, plan_removal, subject_reading):
			stack.enter_context(patch.object(module, "time", moment))
		yield


def without_newer(metadata: dict[str, str]) -> dict[str, str]:
	"""As an earlier release has written it."""
	newer = ("site", "cache-tag", "required-items")
	return {name: value for name, value in metadata.items() if name not in newer}


class TestFolders(PublishingTestCase):
	def test_the_sites_own_folder_needs_no_mark_and_takes_restored_files(self) -> None:
		self.configure(local_path="")
		self.local_path = Path(settings.local_path(settings.saved()))
		self.addCleanup(shutil.rmtree, self.local_path, ignore_errors=True)
		self.addCleanup(shutil.rmtree, f"{self.local_path}.meta", ignore_errors=True)
		course = make_course()
		factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		self.assertFalse((self.local_path / paths.MARK).exists())
		with other_key():  # `restore --with-public-files` brings the files of the site that was backed up
			for title in ("One", "Two"):
				self.change(course["lessons"][0], title=title)
				drained = self.publish()
				self.assertEqual((drained.refused, drained.failed), ("", 0))
			daily.run()
			self.publish()
			self.check()

	def test_production_restored_with_its_public_files_publishes_into_its_own_folder(self) -> None:
		"""`bench restore --with-public-files` brings what is published along, but not what `private` notes of it: files of
		an earlier or a later moment than the dump, with production's `site_config.json` or without."""
		self.configure(local_path="")
		production = self.local_path = Path(settings.local_path(settings.saved()))
		for folder in (production, Path(settings.local_meta(settings.saved()))):
			self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
		course = make_course(units=1)
		factories.make_plan([course["subject"]], is_published=1)
		lesson = course["lessons"][0]
		self.publish()

		def public_files() -> Path:
			folder = TemporaryDirectory()
			self.addCleanup(folder.cleanup)
			return Path(shutil.copytree(production, Path(folder.name) / "memora"))

		older = public_files()
		self.change(course["lessons"][1], is_published=0)
		self.publish()
		for with_key in (True, False):
			with copied_site(with_key=with_key) as copy:
				for doc, fields in (
					(lesson, {"title": "After the dump"}),
					(course["lessons"][1], {"is_published": 1}),
				):
					self.change(doc, **fields)
				self.publish()
				newer, before = public_files(), self.contents()
				self.local_path = Path(copy.name, "public", "files", "memora").resolve()
				for files in (older, newer):
					with self.subTest(with_key=with_key, newer=files == newer):
						shutil.rmtree(self.local_path, ignore_errors=True)
						shutil.copytree(files, self.local_path)
						copy.run(lambda: _publish_in_time(lesson.name))
						self.check()
						shown = self.read(f"lessons/{lesson.name}.json")
						self.assertEqual(shown["title"], "Edited on the copy")
				self.local_path = production
				self.assertEqual(self.contents(), before)
				self.change(course["lessons"][1], is_published=0)
				self.publish()

	def test_two_sites_cannot_share_a_folder(self) -> None:
		course = make_course()
		factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		before = self.contents()
		self.change(course["lessons"][0], title="Edited")
		with other_key():
			self.assertIn("Another site publishes to the folder", self.publish().refused)
		self.assertEqual(self.contents(), before)


class TestR2(Marked):
	"""Cloudflare R2 takes one write a second for each key, from whichever worker."""

	provider = "Cloudflare R2"

	def test_parallel_drains_raise_the_number_though_a_second_write_within_a_second_is_refused(self) -> None:
		r2.SPACING = 1.0  # as it is, each worker for itself
		written: dict[str, float] = {}
		refused: list[str] = []
		lock = Lock()

		def rule(request: Request) -> Any:
			if request.method != "PUT":
				return None
			key = request.path.partition("?")[0]
			with lock:
				now = time.monotonic()
				if now - written.get(key, -1.0) < 1.0:
					refused.append(key)
					return s3_error(
						429, "TooManyRequests", message="Reduce your request rate for this object."
					)
				written[key] = now
			return None

		with FaultyServer(self.endpoint) as server:
			server.by_rule(rule)
			self.configure(endpoint_url=server.url)
			self.publish()  # claims the bucket, and tries whether conditions hold: two writes of the mark
			plans = [factories.make_plan([make_course()["subject"]], is_published=1) for _ in range(3)]
			frappe.db.commit()
			number = self.mark()["number"]
			# Each worker is a batch of its own, so all write the mark at once.
			at_once(*[lambda: drain.drain(seconds=None)] * 3)
			self.publish()
		self.assertIn(f"/{self.bucket}/{paths.MARK}", refused)
		self.assertEqual((self.failures(), pipeline_status.dead_letters()), ({}, []))
		self.assertEqual(pipeline_status.place_refused(), "")
		self.assertGreater(self.mark()["number"], number)
		self.check()
		for plan in plans:
			self.learner(plan)


class TestKey(PublishingTestCase):
	def test_workers_that_need_it_at_once_make_one_key(self) -> None:
		with other_key(make=False):
			hashes = at_once(*[site_key.site_hash] * 4)
			self.assertEqual(len(set(hashes)), 1)
			self.assertEqual(set(hashes), {site_key.known_hash()})

	def test_a_configuration_that_cannot_be_written_is_said_with_its_fix(self) -> None:
		make_plan_with_course()
		with (
			other_key(make=False),
			patch.object(site_key, "update_site_config", side_effect=PermissionError("read-only")),
		):
			site_key.hash_if_possible()  # installing and migrating go on
			self.publish()
			self.assertIn("openssl rand -hex 32", str(self.failures()))
		self.minutes_pass(3)
		self.publish()
		self.check()

	def test_a_key_that_is_none_is_said(self) -> None:
		make_plan_with_course()
		with other_key(key="secret"):
			self.publish()
			self.assertIn("is no key", str(self.failures()))

	def test_migrating_makes_the_key(self) -> None:
		from memora.install import after_migrate

		with other_key(make=False):
			self.assertEqual(site_key.known_hash(), "")
			after_migrate()
			first = site_key.known_hash()
			after_migrate()
			self.assertEqual((len(first), site_key.known_hash()), (32, first))


def make_plan_with_course() -> None:
	factories.make_plan([make_course()["subject"]], is_published=1)


@contextmanager
def other_key(*, make: bool = True, key: str = "f" * 64) -> Iterator[None]:
	"""A site_config.json that has lost this site's key: with another, or with none."""
	file = Path(frappe.get_site_path("site_config.json"))
	before, in_memory = file.read_text(), frappe.conf.pop(site_key.NAME, None)
	config = {name: value for name, value in json.loads(before).items() if name != site_key.NAME}
	file.write_text(json.dumps(config | ({site_key.NAME: key} if make else {}), indent=1))
	try:
		yield
	finally:
		file.write_text(before)
		frappe.conf.pop(site_key.NAME, None)
		if in_memory:
			frappe.conf[site_key.NAME] = in_memory


@contextmanager
def server_without_conditions(server: FaultyServer) -> Iterator[None]:
	"""The server passes everything on but the conditions of a write."""

	def rule(request: Request) -> None:
		request.headers.pop("if-match", None)
		request.headers.pop("if-none-match", None)

	with server.broken(rule):
		yield


def _edit_and_process(lesson: str) -> str:
	doc = frappe.get_doc("Memora Lesson", lesson)
	doc.title = "Edited after the backup was restored"
	doc.save()
	frappe.db.commit()
	return batch_processor.process().refused


def at_the_same_time(parties: int, *methods: str) -> Callable[[Request], None]:
	"""A rule: the first requests of so many for the mark, by each of these methods, are let through together."""
	together = {method: (Barrier(parties, timeout=60), iter(range(parties))) for method in methods}

	def rule(request: Request) -> None:
		if request.method in together and paths.MARK in request.path:
			barrier, places = together[request.method]
			if next(places, None) is not None:
				barrier.wait()

	return rule


def _publish_in_time(lesson: str) -> None:
	"""Edit and publish on a copy."""
	doc = frappe.get_doc("Memora Lesson", lesson)
	doc.title = "Edited"
	doc.save()
	doc.title = "Edited on the copy"
	doc.save()
	frappe.db.commit()
	_publish_all()


def _take_over() -> None:
	ownership.take_over()
	_publish_all()


def _publish_all() -> None:
	"""Publish with all tries that it takes, and daily maintenance. A file of this very second, or of a later one, may be there
	already: then the next try goes above it, of a subject first and then of its plans."""
	for _ in range(3):
		batch_processor.process()
		daily.run()
		clock.skip(9 * clock.MINUTE)
	drained = batch_processor.process()
	if drained.refused or clock.anything_waits():
		raise AssertionError(drained)
