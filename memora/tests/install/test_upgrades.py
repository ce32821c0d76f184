"""From one release to the next: patches, the queue over a migration, code that is newer than the tables."""

from __future__ import annotations

import importlib
import unittest
from pathlib import Path
from unittest.mock import patch

import frappe
from frappe.modules.patch_handler import get_patches_from_app

import memora
from memora.patches import store_plain_texts, take_down_former_names
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import doctor, publish_requests
from memora.services.cdn_export.admin.doctor import content
from memora.services.cdn_export.builds import plan_build, subject_build
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import due, job_queue
from memora.tests.helpers import factories
from memora.tests.helpers.benches import bench, structure
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.utils import wipe

#: A release before these columns and indexes: each is removed, and has to come back with its default.
_LATER = {
	"CDN Publish State": ("held_reason", "approved_generation", "index_entry"),
	"CDN Sync Log": ("triggered_by",),
	"Memora Lesson": ("is_free_preview",),
}
_LATER_INDEXES = {
	"CDN File": "path_index",
	"CDN Sync Log": "status_creation_index",
	"CDN Node Change": "subject_generation_index",
}


class TestPatches(PublishingTestCase):
	def test_each_patch_runs_and_runs_again(self) -> None:
		for name in get_patches_from_app("memora"):
			module = importlib.import_module(name.split()[0])
			for _ in range(2):
				module.execute()
			self.assertTrue(module.__doc__, f"{name} does not say what it fixes")

	def test_each_patch_is_listed(self) -> None:
		folder = Path(memora.__path__[0], "patches")
		listed = {name.split()[0] for name in get_patches_from_app("memora")}
		there = {
			".".join(("memora", "patches", *file.relative_to(folder).with_suffix("").parts))
			for file in folder.rglob("*.py")
			if file.name != "__init__.py"
		}
		self.assertEqual(there, listed)

	def test_none_is_stopped_by_what_is_committed_meanwhile(self) -> None:
		"""Batches and admins go on while a site is migrated. MariaDB from 11.6 on refuses to write a row that has changed
		since the transaction's snapshot (1020)."""
		if not frappe.db.sql("show variables like 'innodb_snapshot_isolation'"):
			self.skipTest("this server does not have it")
		frappe.db.sql("set innodb_snapshot_isolation = on")
		self.addCleanup(frappe.db.sql, "set innodb_snapshot_isolation = off")
		patches = [f"{name.split()[0]}.execute" for name in get_patches_from_app("memora")]
		hooks = frappe.get_hooks(app_name="memora")
		for name in [*patches, *hooks.after_install, *hooks.after_migrate]:
			with self.subTest(name):
				wipe()
				self.configure()
				_leave_as_earlier_releases_did()
				frappe.db.sql("select 1 from `tabCDN Publish State` limit 1")  # makes the snapshot
				at_once(_change_every_row)
				frappe.get_attr(name)()
				frappe.db.commit()


def _leave_as_earlier_releases_did() -> None:
	"""A published plan, and something to write for each patch."""
	plan = factories.make_plan(subjects=[make_course()["subject"]], is_published=1)
	frappe.db.commit()
	batch_processor.process("Scheduler")
	frappe.db.sql("update `tabMemora Academic Plan` set name = 'renamed' where name = %s", (plan.name,))
	frappe.db.sql("update `tabCDN Publish State` set last_error = '<b>'")
	frappe.get_doc({"doctype": "CDN Media", "name": "a-row", "file_url": "/files/<b>.png"}).db_insert()
	share = {"share_doctype": "CDN Settings", "share_name": "CDN Settings", "user": "Guest", "read": 1}
	frappe.get_doc({"doctype": "DocShare", "name": 900_001, "owner": "Guest", **share}).db_insert()
	frappe.db.set_single_value("CDN Settings", "video_folders", "")
	frappe.db.commit()


def _change_every_row() -> None:
	"""Of memora's tables, by another connection."""
	tables = frappe.get_all("DocType", {"module": "Memora", "issingle": 0}, pluck="name")
	for table in [*tables, "DocShare"]:
		frappe.db.sql(f"update `tab{table}` set modified = modified + interval 1 second")
	rows = frappe.db.sql("select doctype, field, value from `tabSingles` where doctype = 'CDN Settings'")
	frappe.db.delete("Singles", {"doctype": "CDN Settings"})
	frappe.db.bulk_insert("Singles", ["doctype", "field", "value"], rows)
	frappe.db.commit()


class TestFormerNames(PublishingTestCase):
	def test_a_plan_that_still_stands_under_its_former_name_goes(self) -> None:
		"""As an earlier release left it that could not build the plan under its new name."""
		plan = factories.make_plan(subjects=[make_course()["subject"]], is_published=1)
		self.publish()
		frappe.db.sql("update `tabMemora Academic Plan` set name = 'renamed' where name = %s", (plan.name,))
		frappe.db.sql(
			"update `tabMemora Plan Subject` set parent = 'renamed' where parent = %s", (plan.name,)
		)
		for _ in range(2):
			take_down_former_names.execute()
			self.publish()
			self.assertEqual(
				{path for path in self.paths() if path.startswith("plans/")}, {"plans/index.json"}
			)
		relay.touch(["renamed"])
		self.publish()
		self.check()


class TestFormerModules(unittest.TestCase):
	"""A job that was queued before the upgrade, and a Scheduled Job Type or a cached hook until the migration, name what ran
	until then."""

	def test_they_lead_to_what_runs_now(self) -> None:
		package = "memora.services.cdn_export"
		for former, now in (
			("batch_processor.drain", job_queue.DRAIN),
			("batch_processor.run_batch", job_queue.RUN_BATCH),
			("upkeep.run", job_queue.AUDIT),
			("upkeep.daily", "maintenance.daily.daily"),
			("reconciliation.hourly", "outbox.reconciliation.hourly"),
			("reconciliation.daily", "outbox.reconciliation.daily"),
			("items.on_change", "curriculum.items.on_change"),
			("items.on_trash", "curriculum.items.on_trash"),
			("items.after_rename", "curriculum.items.after_rename"),
		):
			now = now if now.startswith(package) else f"{package}.{now}"
			self.assertIs(frappe.get_attr(f"{package}.{former}"), frappe.get_attr(now), former)


class TestUpgrade(PublishingTestCase):
	def test_from_an_earlier_schema_with_data(self) -> None:
		course = make_course()
		plan = factories.make_plan(subjects=[course["subject"]], is_published=1)
		self.publish()
		before, files = structure(), self.contents()
		for doctype, columns in _LATER.items():
			for column in columns:
				frappe.db.sql_ddl(f"alter table `tab{doctype}` drop column `{column}`")
		for doctype, index in _LATER_INDEXES.items():
			frappe.db.sql_ddl(f"alter table `tab{doctype}` drop index `{index}`")
		frappe.db.sql_ddl("alter table `tabCDN File` modify path varchar(255) collate utf8mb4_unicode_ci")
		# What makes Frappe see that a DocType has changed since.
		for doctype in {*_LATER, *_LATER_INDEXES}:
			frappe.db.set_value("DocType", doctype, "migration_hash", None, update_modified=False)

		bench("migrate", "--skip-search-index")

		self.assertEqual(_sorted(structure()), _sorted(before))
		(path,) = frappe.db.sql("show full columns from `tabCDN File` like 'path'", as_dict=True)
		self.assertEqual(path.Collation, "utf8mb4_bin")  # in the order in which storages list
		self.assertTrue(frappe.db.exists("Memora Academic Plan", plan.name))
		self.publish()
		self.assertEqual(self.contents(), files)
		self.check()

	def test_texts_of_an_earlier_release_are_published_as_before(self) -> None:
		course = make_course()
		plan = factories.make_plan(subjects=[course["subject"]], is_published=1)
		former = {
			"Memora Subject": '["<img src=x onerror=ran()>"]',  # JSON, which Frappe's sanitizer lets through
			"Memora Lesson": "HTML: &lt;h1&gt; vs &lt;h2&gt; &amp; more",
		}
		for doctype, title in former.items():
			frappe.db.sql(f"update `tab{doctype}` set title = %s", title)
		self.publish()
		files = self.contents()
		frappe.db.sql("update `tabCDN Publish State` set last_error = '<b>'")

		for _ in range(2):
			store_plain_texts.execute()
		held = frappe.get_all("CDN Publish State", pluck="last_error", distinct=True)
		self.assertEqual(held, ["﹤b﹥"])
		publish_requests.rebuild_everything()
		self.publish()

		self.assertEqual(self.contents(), files)
		self.assertNotIn("<", frappe.db.get_value("Memora Subject", course["subject"].name, "title"))
		lesson = course["lessons"][0]
		self.change(lesson, sort_order=3)
		self.publish()
		self.assertEqual(self.learner(plan).lessons[lesson.name]["title"], former["Memora Lesson"])
		(finding,) = doctor._made(content.former_entities)
		self.assertIn(f"Memora Lesson {lesson.name}", finding.message)
		self.assertNotIn("Memora Subject", finding.message)

	def test_what_waits_waits_on(self) -> None:
		course = make_course()
		plan = factories.make_plan(subjects=[course["subject"]], is_published=1)
		self.publish()
		course["lessons"][0].db_set("title", "Relayed before migrating")
		frappe.db.commit()
		relay.run()
		course["lessons"][1].db_set("title", "Not relayed yet")
		frappe.db.commit()

		bench("migrate", "--skip-search-index")

		waiting, _dead = due.waiting_and_dead()
		self.assertIn(plan.name, [state.ref for state in waiting])
		self.assertEqual(frappe.db.count("CDN Change"), 1)
		self.publish()
		titles = {lesson["title"] for lesson in self.learner(plan).lessons.values()}
		self.assertLess({"Relayed before migrating", "Not relayed yet"}, titles)

	def test_code_newer_than_the_tables_is_no_fault_of_a_plan(self) -> None:
		"""A worker that takes a batch between the new code and `bench migrate` makes no dead letters."""
		course = make_course()
		factories.make_plan(subjects=[course["subject"]], is_published=1)
		frappe.db.commit()
		unknown = frappe.db.OperationalError(1054, "Unknown column 'new' in 'SELECT'")
		for _ in range(5):
			with (
				patch.object(subject_build, "run", side_effect=unknown),
				patch.object(plan_build, "run", side_effect=unknown),
				self.assertRaises(frappe.db.OperationalError),
			):
				batch_processor.process()
		self.assertEqual(self.failures(), {})
		self.publish()
		self.check()


def _sorted(found: dict) -> dict:
	"""Columns that come back are at the end of their table."""
	columns = {table: sorted(map(str, rows)) for table, rows in found["columns"].items()}
	return {**found, "columns": columns}
