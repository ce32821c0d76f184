"""What an audit finds of damage, and that repairing brings everything back as it was."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import adoption, audit, recognition, repair
from memora.services.cdn_export.maintenance.audit import Audit
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.storage import Storage, StoredObject
from memora.services.cdn_export.worker import drain
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import BucketTestCase, SeaweedFSTestCase, lose_rows
from memora.tests.helpers.publishing import make_course

LESSONS = int(os.environ.get("MEMORA_AUDIT_LESSONS", "60"))
"""2,000 for the full size (docs/storage.md)."""


class AuditCase(BucketTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=3)
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.lesson = f"lessons/{self.course['lessons'][0].name}.json"

	def verify(self, **options: Any) -> Audit:
		with self.site() as target:
			return audit.verify(target, **options)

	def faults(self, **options: Any) -> dict[str, str]:
		return {finding.path: finding.fault for finding in self.verify(**options).findings}

	def repair(self) -> repair.Repair:
		with self.site() as target:
			done = repair.repair(target, audit.verify(target).findings)
		drained = self.publish()
		self.assertEqual((drained.failed, drained.left), (0, 0))
		return done

	def site(self):
		frappe.db.commit()
		return closing(PublishTarget.open())


class Damaged:
	def test_of_2000_lessons_damaged_in_ten_ways_all_come_back_identical(self) -> None:
		self._make_large()
		picture = self._picture()
		own = factories.make_plan(
			[self.course["subject"]],
			is_published=1,
			overrides=[factories.override(self.course["units"][1], "Rename", "Renamed")],
		)
		self.publish()
		self.assertEqual(self.verify().findings, [])
		whole = self.objects()
		lessons = sorted(path for path in whole if path.startswith("lessons/"))
		units = sorted(path for path in whole if path.startswith("units/"))
		orphan = "lessons/long-gone.json"
		gone = whole[lessons[0]]
		gone_unit = f"plans/gone-plan/{units[0]}"

		self.drop(lessons[0], lessons[-1])  # 1: missing
		self.drop(
			paths.manifest(self.plan.name), paths.PLAN_INDEX, "schemas/unit.schema.json"
		)  # 2: entry points
		self.put(units[0], b'{"other": "content"}')  # 3: other content
		self.put(
			paths.search_index(self.plan.name), whole[paths.search_index(self.plan.name)][0][:-9]
		)  # 4: cut off
		self.rewrite(lessons[1], ContentType="text/plain")  # 5: type
		self.rewrite(lessons[2], CacheControl="public, max-age=86400")  # 6: cache
		self.rewrite(units[1], Metadata={})  # 7: metadata
		self.put(orphan, gone[0], ContentType=gone[1], CacheControl=gone[2], Metadata=gone[3])  # 8: orphans
		self.put(gone_unit, whole[units[0]][0], Metadata=whole[units[0]][3])
		self.put("units/foreign.json", b"mine")  # 9: foreign
		lose_rows(
			lessons[3], units[2], paths.plan_subject(own.name, self.course["subject"].name)
		)  # 10: ledger
		self.drop(picture)  # 11: a picture

		found = self.verify()
		self.assertEqual(
			Counter(finding.fault for finding in found.findings),
			{"missing": 6, "altered": 2, "type": 1, "cache": 1, "metadata": 1, "orphan": 5, "foreign": 1},
		)
		done = self.repair()
		self.assertEqual([finding.path for finding in done.left], ["units/foreign.json"])
		self.assertEqual([finding.path for finding in done.fixed], [picture])
		self.assertEqual(self.faults(), {"units/foreign.json": "foreign"})
		self.minutes_pass(20)  # what looks like a lesson that moved has its grace
		self.tick()
		after = self.objects()
		self.assertEqual(after.pop("units/foreign.json")[0], b"mine")
		self.assertEqual({path for path in whole if after.get(path) != whole[path]}, set())
		self.assertEqual(after.keys(), whole.keys())

	def _make_large(self) -> None:
		"""Add lessons until there are as many as asked for."""
		topic = self.course["topics"][0]
		titles = [f"Lesson {number}" for number in range(LESSONS - len(self.course["lessons"]))]
		factories.make_many("Memora Lesson", topic, titles)
		relay.touch([self.plan.name], [self.course["subject"].name])

	def _picture(self) -> str:
		file = Path(frappe.get_site_path("public", "files", "memora-audit.png"))
		file.write_bytes(b"\x89PNG\r\n\x1a\n picture")
		self.addCleanup(file.unlink, missing_ok=True)
		self.change(self.course["lessons"][0], image="/files/memora-audit.png")
		self.publish()
		return next(path for path in self.all_paths() if path.startswith("media/"))


class TestDamage(Damaged, AuditCase):
	pass


class TestDamageOnSeaweedFS(Damaged, SeaweedFSTestCase, AuditCase):
	pass


class TestAudit(AuditCase):
	def test_damage_whose_content_has_changed_since_gets_a_new_version(self) -> None:
		self.publish()
		before = self.read(self.lesson)["version"]
		self.drop(self.lesson)
		frappe.db.set_value(
			"Memora Lesson", self.course["lessons"][0].name, "title", "Silent", update_modified=False
		)
		self.repair()
		self.assertGreater(self.read(self.lesson)["version"], before)
		self.check()

	def test_a_plans_file_of_a_subject_comes_back_though_the_subject_is_as_it_was(self) -> None:
		self.publish()
		path = paths.plan_subject(self.plan.name, self.course["subject"].name)
		before = self.objects()[path]
		self.drop(path)
		self.repair()
		self.assertEqual(self.objects()[path], before)
		self.check()

	def test_a_removed_file_that_is_back_goes_again(self) -> None:
		self.publish()
		removed = self.objects()[self.lesson]
		self.change(self.course["lessons"][0], is_published=0)
		self.publish()
		self.put(self.lesson, removed[0], Metadata=removed[3])
		self.assertEqual(self.faults(), {self.lesson: "orphan"})
		self.repair()
		self.assertIsNone(self.read_bytes(self.lesson))
		self.check()

	def test_a_copy_that_somebody_has_put_beside_the_plans_is_left_to_people(self) -> None:
		self.publish()
		body, _, _, metadata = self.objects()[paths.PLAN_INDEX]
		self.put("plans/index-copy.json", body, Metadata=metadata)
		self.drop(self.lesson)
		done = self.repair()
		self.assertEqual([finding.path for finding in done.left], ["plans/index-copy.json"])
		self.check(leaving=["plans/index-copy.json"])

	def test_a_copy_of_a_plans_folder_goes(self) -> None:
		self.publish()
		for path, (body, _, _, metadata) in self.objects().items():
			if path.startswith(f"plans/{self.plan.name}/"):
				self.put(path.replace(self.plan.name, "a-copy"), body, Metadata=metadata)
		self.repair()
		self.assertEqual(self.faults(), {})
		self.check()

	def test_the_ledger_of_a_plan_with_capitals_in_its_name_is_rebuilt(self) -> None:
		self.change(self.plan, overrides=[factories.override(self.course["units"][0], "Rename", "Renamed")])
		self.plan.name = frappe.rename_doc(self.plan.doctype, self.plan.name, "Plan-A", force=True)
		self.publish()
		before = self.objects()
		frappe.db.delete("CDN File")
		with self.site() as target:
			self.assertEqual(adoption.rebuild_ledger(target), len(before))
		with patch.object(drain, "_let_others_build", side_effect=AssertionError("nobody builds")):
			drained = self.publish()
		self.assertEqual((drained.failed, drained.left), (0, 0))
		self.assertEqual(self.objects(), before)
		self.check()

	def test_a_removed_file_that_is_published_again_while_it_is_repaired_stays(self) -> None:
		self.publish()
		removed = self.objects()[self.lesson]
		self.change(self.course["lessons"][0], is_published=0)
		self.publish()
		self.put(self.lesson, removed[0], Metadata=removed[3])
		scopes_of = recognition.scopes_of

		def published_meanwhile(*arguments: Any) -> Any:
			self.change(self.course["lessons"][0], is_published=1)
			self.publish()
			return scopes_of(*arguments)

		with patch.object(recognition, "scopes_of", published_meanwhile):
			self.repair()
		self.tick()
		self.assertIsNotNone(self.read_bytes(self.lesson))
		self.check()

	def test_a_lost_ledger_is_rebuilt_and_nothing_is_uploaded_again(self) -> None:
		factories.make_plan(
			[self.course["subject"]],
			is_published=1,
			overrides=[factories.override(self.course["units"][1], "Hide")],
		)
		self.publish()
		whole = self.objects()
		columns = ["*"]
		rows = {row.path: row for row in frappe.get_all("CDN File", {"state": "live"}, columns)}
		frappe.db.delete("CDN File")
		with self.site() as target:
			self.assertEqual(adoption.rebuild_ledger(target), len(rows))
		after = {row.path: row for row in frappe.get_all("CDN File", fields=columns)}
		for path, row in rows.items():
			for column in row.keys() - {"creation", "modified", "uploaded_at", "owner", "modified_by"}:
				self.assertEqual(after[path][column] or "", row[column] or "", (path, column))
		self.publish()
		self.assertEqual(self.objects(), whole)
		self.assertEqual(self.faults(), {})

	def test_a_ledger_from_a_backup_believes_what_is_newer(self) -> None:
		self.publish()
		old = frappe.get_all(
			"CDN File", fields=["name", "version", "live_version", "etag", "size", "content_hash"]
		)
		for lesson in self.course["lessons"]:
			self.change(lesson, title=f"Newer {lesson.name}")
		self.publish()
		newer = self.objects()
		for fix in (self.repair, self.rebuild_ledger):
			with self.subTest(fix=fix.__name__):
				for row in old:
					values = {column: value for column, value in row.items() if column != "name"}
					frappe.db.set_value("CDN File", row.name, values)
				self.assertIn("altered", self.faults().values())
				fix()
				self._is_as(newer)

	def rebuild_ledger(self) -> None:
		with self.site() as target:
			self.assertEqual(adoption.rebuild_ledger(target), 0)
		self.publish()

	def _is_as(self, newer: dict[str, Any]) -> None:
		self.assertEqual(self.faults(), {})
		self.check()
		self.assertEqual(
			{path for path in newer if self.objects()[path] != newer[path]},
			set(),
		)

	def test_what_is_live_and_unpublished_is_found(self) -> None:
		self.publish()
		frappe.db.set_value("Memora Lesson", self.course["lessons"][0].name, "is_published", 0)
		self.assertEqual(self.faults(), {self.lesson: "stale"})

	def test_what_is_live_in_an_unpublished_season_is_found(self) -> None:
		self.publish()
		frappe.db.set_value("Memora Season", self.plan.season, "is_published", 0)
		self.assertEqual(self.faults(), {paths.manifest(self.plan.name): "stale"})
		self.repair()
		self.assertIsNone(self.read_bytes(self.lesson))
		self.check()

	def test_an_audit_stops_and_goes_on(self) -> None:
		self.publish()
		self.drop(self.lesson)
		self.put("units/foreign.json", b"mine")
		found, after, rounds = [], "", 0
		while after or not rounds:
			with patch.object(audit, "PAGE", 4):
				part = self.verify(after=after, seconds=1e-9)
			found += part.findings
			after, rounds = part.after, rounds + 1
		self.assertGreater(rounds, 1)
		self.assertEqual({finding.path for finding in found}, {self.lesson, "units/foreign.json"})
		self.assertEqual(self.faults(prefix="units/"), {"units/foreign.json": "foreign"})

	def test_a_key_of_two_lines_may_be_where_an_audit_stops(self) -> None:
		"""S3 takes any character; moto does not."""
		self.publish()
		listed, odd = audit.listed, "lessons/\ntwo\nlines.json"

		def with_odd(storage: Storage, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
			found = [*listed(storage, prefix), StoredObject(odd, "etag", 1)]
			yield from (one for one in sorted(found, key=lambda one: one.path) if one.path > after)

		found, after = [], None
		with patch.object(audit, "PAGE", 1), patch.object(audit, "listed", with_odd):
			while after != "":
				part = self.verify(after=after or "", seconds=1e-9)
				found += part.findings
				after = part.after
		self.assertEqual([(finding.path, finding.fault) for finding in found], [(odd, "foreign")])

	def test_videos_and_other_files_in_the_bucket_are_no_business_of_it(self) -> None:
		self.publish()
		self.put("videos/1.mp4", b"film")
		self.assertEqual(self.faults(), {})
