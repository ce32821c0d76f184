"""From one release to the next: patches, the queue over a migration, code that is newer than the tables."""

from __future__ import annotations

import importlib
from pathlib import Path
from unittest.mock import patch

import frappe
from frappe.modules.patch_handler import get_patches_from_app

import memora
from memora.patches import store_plain_texts, take_down_former_names
from memora.services.cdn_export import batch_processor, doctor, fold, operations, publish_state
from memora.tests import factories
from memora.tests.publishing import PublishingTestCase, make_course
from memora.tests.test_install import bench, structure

#: A release before these columns and indexes: each is taken away, and has to come back with its default.
_LATER = {
	"CDN Publish State": ("held_reason", "approved_generation", "index_entry"),
	"CDN Sync Log": ("triggered_by",),
	"Memora Lesson": ("is_free_preview",),
}
_LATER_INDEXES = {"CDN Sync Log": "status_creation_index", "CDN Node Change": "subject_generation_index"}


class TestPatches(PublishingTestCase):
	def test_each_patch_runs_and_runs_again(self) -> None:
		for name in get_patches_from_app("memora"):
			module = importlib.import_module(name.split()[0])
			for _ in range(2):
				module.execute()
			self.assertTrue(module.__doc__, f"{name} does not say what it mends")

	def test_each_patch_is_listed(self) -> None:
		folder = Path(memora.__path__[0], "patches")
		listed = {name.split()[0] for name in get_patches_from_app("memora")}
		there = {
			".".join(("memora", "patches", *file.relative_to(folder).with_suffix("").parts))
			for file in folder.rglob("*.py")
			if file.name != "__init__.py"
		}
		self.assertEqual(there, listed)


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
		fold.touch(["renamed"])
		self.publish()
		self.check()


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
		# What makes Frappe see that a DocType has changed since.
		for doctype in {*_LATER, *_LATER_INDEXES}:
			frappe.db.set_value("DocType", doctype, "migration_hash", None, update_modified=False)

		bench("migrate", "--skip-search-index")

		self.assertEqual(_sorted(structure()), _sorted(before))
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
		operations.rebuild_everything()
		self.publish()

		self.assertEqual(self.contents(), files)
		self.assertNotIn("<", frappe.db.get_value("Memora Subject", course["subject"].name, "title"))
		lesson = course["lessons"][0]
		self.change(lesson, sort_order=3)
		self.publish()
		self.assertEqual(self.learner(plan).lessons[lesson.name]["title"], former["Memora Lesson"])
		(finding,) = doctor._made(doctor.former_entities)
		self.assertIn(f"Memora Lesson {lesson.name}", finding.message)
		self.assertNotIn("Memora Subject", finding.message)

	def test_what_waits_waits_on(self) -> None:
		course = make_course()
		plan = factories.make_plan(subjects=[course["subject"]], is_published=1)
		self.publish()
		course["lessons"][0].db_set("title", "Folded before migrating")
		frappe.db.commit()
		batch_processor.fold.fold()
		course["lessons"][1].db_set("title", "Not folded yet")
		frappe.db.commit()

		bench("migrate", "--skip-search-index")

		waiting, _dead = publish_state.waiting_and_dead()
		self.assertIn(plan.name, [state.ref for state in waiting])
		self.assertEqual(frappe.db.count("CDN Change"), 1)
		self.publish()
		titles = {lesson["title"] for lesson in self.learner(plan).lessons.values()}
		self.assertLess({"Folded before migrating", "Not folded yet"}, titles)

	def test_code_newer_than_the_tables_is_no_fault_of_a_plan(self) -> None:
		"""A worker that takes a batch between the new code and `bench migrate` makes no dead letters."""
		course = make_course()
		factories.make_plan(subjects=[course["subject"]], is_published=1)
		frappe.db.commit()
		unknown = frappe.db.OperationalError(1054, "Unknown column 'new' in 'SELECT'")
		for _ in range(5):
			with (
				patch.object(batch_processor.subject_build, "run", side_effect=unknown),
				patch.object(batch_processor.plan_build, "run", side_effect=unknown),
				self.assertRaises(frappe.db.OperationalError),
			):
				batch_processor.process()
		self.assertEqual(self.failures(), {})
		self.publish()
		self.check()


def _sorted(found: dict) -> dict:
	"""Columns that come back stand at the end of their table."""
	columns = {table: sorted(map(str, rows)) for table, rows in found["columns"].items()}
	return {**found, "columns": columns}
