"""The daily audit: by the storage's list, with few requests, little memory, and from where it was stopped."""

from __future__ import annotations

import tracemalloc
from contextlib import closing
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import frappe

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, daily, public_check, repair
from memora.services.cdn_export.maintenance.audit import Audit
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import audit_progress, job_queue, ledger
from memora.services.cdn_export.state.audit_progress import AuditProgress
from memora.services.cdn_export.state.ledger import Share
from memora.tests.helpers import factories, numbered_files
from memora.tests.helpers.buckets import BucketTestCase, SeaweedFSTestCase
from memora.tests.helpers.numbered_files import NumberedStorage, path_of
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.statements import statements

NO_HEADERS = Share(0, 0)
FOLDERS = len(paths.OWN_FOLDERS)


class NumberedCase(PublishingTestCase):
	def load(self, count: int) -> None:
		numbered_files.load(count)
		self.target = PublishTarget.open()
		self.addCleanup(self.target.close)
		self.target.storage.close()
		self.storage = self.target.storage = NumberedStorage(count, self.target.ownership.site)

	def verify(self, **options: Any) -> Audit:
		return audit.verify(self.target, **options)

	def faults(self, **options: Any) -> dict[str, str]:
		return {finding.path: finding.fault for finding in self.verify(**options).findings}


class TestRequests(NumberedCase):
	def test_one_list_a_thousand_files_and_a_head_for_each_whose_headers_are_looked_at(self) -> None:
		self.load(20_000)
		headers = Share(first=255, count=1)
		looked_at = sum(headers.has(path_of(number)) for number in range(20_000))
		found = self.verify(headers=headers)
		self.assertEqual((found.findings, found.files, found.objects), ([], 20_000, 20_000))
		self.assertEqual((self.storage.lists, self.storage.heads), (20 + FOLDERS - 1, looked_at))
		self.assertEqual(found.asked, looked_at)
		self.assertAlmostEqual(looked_at, 20_000 / 256, delta=30)
		self.assertLess(self.storage.lists + self.storage.heads, 20_000 / 100)

	def test_one_statement_a_thousand_files(self) -> None:
		counts = []
		for count in (3_000, 8_000):
			frappe.db.delete("CDN File")
			self.load(count)
			with statements() as sent:
				self.verify(headers=NO_HEADERS)
			counts.append(sum("select" in one.lower() for one in sent))
		self.assertEqual(counts[1] - counts[0], 5)

	def test_what_differs_costs_a_head_each(self) -> None:
		self.load(3_000)
		self.storage.missing = {path_of(0), path_of(1_000), path_of(2_999)}
		self.storage.altered = {path_of(7): "other", path_of(1_999): "other"}
		self.storage.untyped = {path_of(8)}
		wanted = dict.fromkeys(self.storage.missing, "missing") | dict.fromkeys(
			self.storage.altered, "altered"
		)
		self.assertEqual(self.faults(headers=NO_HEADERS), wanted)
		self.assertEqual(self.storage.heads, 5)
		self.assertEqual(self.faults(), {**wanted, path_of(8): "type"})
		self.assertEqual(self.storage.heads, 5 + 3_000)

	def test_a_list_in_an_order_of_its_own_costs_more_and_shows_as_much(self) -> None:
		self.load(3_000)
		self.storage.folded = True
		self.storage.missing = {path_of(50), path_of(2_000)}
		self.storage.altered = {path_of(51): "other"}
		wanted = {path_of(50): "missing", path_of(51): "altered", path_of(2_000): "missing"}
		for page in (1_000, 50):
			self.storage.heads = self.storage.lists = 0
			with self.subTest(page=page), patch.object(audit, "PAGE", page):
				self.assertEqual(self.faults(headers=NO_HEADERS), wanted)
				self.assertEqual(self.storage.heads, 101)
				self.assertEqual(self.storage.lists, 3 + FOLDERS - 1)

	def test_a_bucket_that_lost_everything_is_told_page_by_page(self) -> None:
		self.load(5_000)
		self.storage.missing = {path_of(number) for number in range(5_000)}
		found, after, rounds = set(), "", 0
		while after or not rounds:
			part = self.verify(after=after, seconds=60)
			self.assertLessEqual(len(part.findings), 2 * audit.PAGE)
			found |= {finding.path for finding in part.findings}
			after, rounds = part.after, rounds + 1
		self.assertEqual((found, rounds), (self.storage.missing, 3))

	def test_memory_does_not_grow_with_the_files(self) -> None:
		peaks = []
		for count in (4_000, 16_000):
			frappe.db.delete("CDN File")
			self.load(count)
			self.verify(headers=NO_HEADERS, prefix="units/")  # what is loaded once
			tracemalloc.start()
			self.verify(headers=NO_HEADERS)
			peaks.append(tracemalloc.get_traced_memory()[1])
			tracemalloc.stop()
		self.assertLess(peaks[1], peaks[0] * 1.2)

	def test_all_headers_are_looked_at_within_a_turn(self) -> None:
		self.load(2_000)
		self.storage.untyped = {path_of(number) for number in range(0, 2_000, 3)}
		found: set[str] = set()
		for day in range(4):
			found |= self.faults(headers=Share(first=day * 64 + 100, count=64)).keys()
			self.assertEqual(found == self.storage.untyped, day == 3)
		self.assertEqual(self.storage.heads, 2_000)

	def test_the_ledger_is_read_in_the_order_of_bytes(self) -> None:
		self.load(0 + 1)
		names = ["B", "a", "a-b", "a.b", "a/b", "aB", "a_b", "ab", "Z", "~a", "A", "é", "0", "a b"]
		known = [path_of(0), *(f"lessons/{name}" for name in names)]
		frappe.db.delete("CDN File")
		for path in known:
			values = [(ledger.row_name(path), path, "live")]
			frappe.db.bulk_insert("CDN File", ["name", "path", "state"], values)
		wanted = sorted(known, key=str.encode)
		self.assertEqual([entry.path for entry in ledger.in_order("", "", limit=100)], wanted)
		between = ledger.in_order(wanted[2], wanted[9], limit=100)
		self.assertEqual([entry.path for entry in between], wanted[3:10])
		self.assertEqual(
			[entry.path for entry in ledger.in_order("", "", "lessons/a", limit=100)],
			[path for path in wanted if path.startswith("lessons/a")],
		)


class DailyCase:
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=3)
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		self.lessons = sorted(path for path in self.all_paths() if path.startswith("lessons/"))
		self.jobs: list[str] = []
		for place, name, value in (
			(audit, "PAGE", 4),
			(daily, "_PART_SECONDS", 1e-9),
			(job_queue, "enqueue", lambda method, **options: self.jobs.append(options.get("after", ""))),
			(public_check, "check", lambda target, share: public_check.PublicCheck()),
		):
			patched = patch.object(place, name, value)
			patched.start()
			self.addCleanup(patched.stop)

	def progress(self) -> AuditProgress:
		frappe.db.rollback()
		progress = audit_progress.read()
		assert progress
		return progress

	def damaged(self) -> dict[str, str]:
		with closing(PublishTarget.open()) as target:
			return {found.path: found.fault for found in audit.verify(target).findings}


class Daily(DailyCase):
	takes_odd_paths = True

	def test_it_finds_by_the_list_what_is_missing_altered_orphaned_or_foreign(self) -> None:
		whole = self.objects()
		self.drop(self.lessons[0], self.lessons[-1], paths.PLAN_INDEX)
		self.put(self.lessons[1], b"{}", ContentType="application/json")
		body, type_, cache, metadata = whole[self.lessons[2]]
		orphan = {"ContentType": type_, "CacheControl": cache, "Metadata": metadata}
		self.put("lessons/zz-gone.json", body, **orphan)
		self.put("units/foreign.json", b"mine")
		if self.takes_odd_paths:
			self.put("units//odd.json", b"mine")
		odd = {"units//odd.json": "foreign"} if self.takes_odd_paths else {}
		frappe.db.commit()
		with closing(PublishTarget.open()) as target:
			found = audit.verify(target, headers=NO_HEADERS)
		self.assertEqual(
			{finding.path: finding.fault for finding in found.findings},
			{
				self.lessons[0]: "missing",
				self.lessons[-1]: "missing",
				paths.PLAN_INDEX: "missing",
				self.lessons[1]: "altered",
				"lessons/zz-gone.json": "orphan",
				"units/foreign.json": "foreign",
				**odd,
			},
		)
		self.assertEqual(found.asked, 6)
		daily.run()
		self.publish()
		self.assertEqual(self.damaged(), {"units/foreign.json": "foreign", **odd})
		self.assertEqual({path: self.objects()[path] for path in whole}, whole)


class TestDaily(Daily, BucketTestCase):
	def test_each_request_is_counted(self) -> None:
		calls: dict[str, int] = {}
		with closing(PublishTarget.open()) as target:
			target.storage._api._client.meta.events.register(
				"before-call.s3",
				lambda model, **_: calls.__setitem__(model.name, calls.get(model.name, 0) + 1),
			)
			found = audit.verify(target, headers=NO_HEADERS)
			self.assertEqual((found.findings, calls), ([], {"ListObjectsV2": FOLDERS}))
			self.assertEqual(found.files, len(self.all_paths()))
			audit.verify(target)
		self.assertEqual(calls, {"ListObjectsV2": 2 * FOLDERS, "HeadObject": len(self.all_paths())})

	def test_a_run_that_dies_goes_on_the_next_day(self) -> None:
		self.drop(self.lessons[0])
		self.put("units/foreign.json", b"mine")
		acts, noted = repair.repair, []

		def dies(target: PublishTarget, findings: Any) -> Any:
			noted.append(self.progress())
			if findings[0].path == "units/foreign.json":
				raise StorageUnavailableError("the worker has died")
			return acts(target, findings)

		with patch.object(repair, "repair", dies):
			daily.run()
		stopped = self.progress()
		self.assertEqual((stopped.ended_at, stopped), (0, noted[-1]))
		self.assertGreater(stopped.after, f'["{self.lessons[0]}')
		seen: list[str] = []

		def seeing(target: PublishTarget, **options: Any) -> Audit:
			seen.append(options["after"])
			return audit_verify(target, **options)

		audit_verify = audit.verify
		with patch.object(audit, "verify", seeing):
			daily.run()
		ended = self.progress()
		self.assertEqual(seen[0], stopped.after)
		self.assertGreater(ended.ended_at, 0)
		self.assertNotEqual(ended.token, stopped.token)
		self.assertEqual((ended.found, ended.files), (2, len(self.all_paths())))

	def test_a_run_that_always_stops_at_the_same_place_begins_anew_every_other_day(self) -> None:
		verify, places = audit.verify, []

		def stops(target: PublishTarget, **options: Any) -> Audit:
			if options["after"] > '["lessons/':
				raise StorageUnavailableError("it stops here")
			return verify(target, **options)

		with patch.object(audit, "verify", stops):
			for _day in range(5):
				daily.run()
				places.append(self.progress().taken_over)
		stopped = places[1]
		self.assertGreater(stopped, '["lessons/')
		self.assertEqual(places, ["", stopped, "", stopped, ""])

	def test_a_run_that_takes_long_goes_on_in_another_job_and_ends(self) -> None:
		with patch.object(daily, "_AUDIT_SECONDS", 0):
			daily.run()
			rounds = 1
			while self.jobs:
				self.assertEqual(len(self.jobs), 1)
				self.assertTrue(audit_progress.is_at_work())
				daily.run(after=self.jobs.pop())
				rounds += 1
		self.assertGreater(rounds, 3)
		self.assertEqual(self.progress().files, len(self.all_paths()))
		self.assertGreater(self.progress().ended_at, 0)
		self.assertFalse(audit_progress.is_at_work())

	def test_a_job_whose_run_was_taken_over_does_nothing(self) -> None:
		with patch.object(daily, "_AUDIT_SECONDS", 0):
			daily.run()
			daily.run(anew=True)
		first, second = self.jobs
		before = self.progress()
		daily.run(after=first)
		daily.run(after="ledger:of-an-earlier-release")
		self.assertEqual(self.progress(), before)
		with patch.object(audit, "verify", side_effect=AssertionError("two at once")):
			daily.daily()
		daily.run(after=second)
		self.assertGreater(self.progress().ended_at, 0)

	def test_a_run_that_is_taken_over_ends_with_its_part(self) -> None:
		verify, parts = audit.verify, []

		def taken_over(target: PublishTarget, **options: Any) -> Audit:
			parts.append(options["after"])
			if len(parts) == 2:
				audit_progress.begin(target.storage.target, anew=True)
			return verify(target, **options)

		with patch.object(audit, "verify", taken_over):
			daily.run()
		self.assertEqual(len(parts), 2)
		self.assertEqual((self.progress().after, self.progress().files), ("", 0))

	def test_the_next_run_looks_at_other_headers(self) -> None:
		with patch.object(audit_progress, "_FILES_A_DAY", len(self.all_paths()) // 2):
			self.rewrite(self.lessons[0], ContentType="text/plain")
			turns = []
			for _day in range(4):
				daily.run()
				turns.append(self.progress())
		self.assertTrue(1 < turns[0].count <= 128)
		for before, after in pairwise(turns):
			self.assertEqual(after.first, (before.first + before.count) % 256)
		self.assertGreater(sum(turn.found for turn in turns), 0)
		self.assertLess(turns[0].asked, len(self.all_paths()))

	def test_another_place_is_looked_at_from_its_beginning(self) -> None:
		with patch.object(daily, "_AUDIT_SECONDS", 0):
			daily.run()
		self.assertTrue(self.progress().after)
		self.bucket = self.make_bucket()
		self.configure()
		self.publish()
		daily.run()
		self.assertEqual(self.progress().taken_over, "")
		self.assertEqual(self.progress().files, len(self.all_paths()))

	def edit(self, number: int) -> None:
		"""One lesson changes, one goes, one comes."""
		self.change(self.course["lessons"][number], title=f"Another {number}")
		self.change(self.course["lessons"][number + 1], is_published=0)
		factories.make_many("Memora Lesson", self.course["topics"][0], [f"New {number}"])
		self.publish()

	def test_what_is_published_while_it_is_listed_is_no_finding(self) -> None:
		listed, changed = audit.listed, []

		def meanwhile(*arguments: Any) -> Any:
			for found in listed(*arguments):
				yield found
				if found.path == self.lessons[3] and not changed:
					changed.append(found)
					self.edit(0)

		with closing(PublishTarget.open()) as target, patch.object(audit, "listed", meanwhile):
			self.assertEqual(audit.verify(target, headers=NO_HEADERS).findings, [])
		self.assertTrue(changed)
		self.assertEqual(self.damaged(), {})

	def test_what_is_published_once_the_ledger_was_read_is_no_finding(self) -> None:
		in_order, pages = ledger.in_order, []

		def meanwhile(*arguments: Any, **options: Any) -> Any:
			entries = in_order(*arguments, **options)
			pages.append(len(entries))
			if len(pages) < 3:
				self.edit(2 * len(pages) - 2)
			return entries

		with (
			closing(PublishTarget.open()) as target,
			patch.object(audit, "PAGE", 100),
			patch.object(ledger, "in_order", meanwhile),
		):
			self.assertEqual(audit.verify(target).findings, [])
		self.assertGreater(pages[0], 20)
		self.assertEqual(self.damaged(), {})


class TestDailyOnSeaweedFS(Daily, SeaweedFSTestCase):
	takes_odd_paths = False
