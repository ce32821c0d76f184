"""The contract's schemas are beside the content, and are written again only when they have changed."""

from __future__ import annotations

from unittest.mock import patch

import frappe

from memora import install
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import contracts
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course


class TestPublishedSchemas(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=1)
		factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()

	def written_since(self, before: dict[str, bytes]) -> set[str]:
		return {path for path, body in self.everything().items() if before.get(path) != body}

	def everything(self) -> dict[str, bytes]:
		return {path: self.read_bytes(path) or b"" for path in self.all_paths()}

	def test_they_are_published_with_the_contracts_version(self) -> None:
		index = self.read(paths.SCHEMA_INDEX)
		self.assertEqual(index["contract_version"], contracts.VERSION)
		self.assertEqual([entry["name"] for entry in index["schemas"]], list(contracts.NAMES))
		for entry in index["schemas"]:
			self.assertEqual(self.read(entry["url"]), contracts.schema(entry["name"]))
		self.check()

	def test_an_edit_and_a_migration_leave_them_alone(self) -> None:
		before = self.everything()
		lesson = self.course["lessons"][0]
		lesson.title = "Another title"
		lesson.save()
		factories.make_plan([self.course["subject"]], is_published=1)
		install.after_migrate()
		self.publish()
		changed = self.written_since(before)
		self.assertIn(paths.PLAN_INDEX, changed)
		self.assertFalse([path for path in changed if path.startswith("schemas/")])

	def test_a_release_that_changes_one_has_it_published_by_its_migration(self) -> None:
		before = self.everything()
		unit = {**contracts.schema("unit"), "description": "As a later release has it."}
		with (
			patch.object(
				contracts,
				"schema",
				lambda name, schema=contracts.schema: unit if name == "unit" else schema(name),
			),
			patch.object(contracts, "VERSION", "1.9"),
		):
			install.after_migrate()
			self.publish()
		self.assertEqual(self.written_since(before), {paths.schema("unit"), paths.SCHEMA_INDEX})
		self.assertEqual(self.read(paths.SCHEMA_INDEX)["contract_version"], "1.9")
		self.check()

	def test_a_migration_before_anything_was_published_queues_nothing(self) -> None:
		frappe.db.sql("delete from `tabCDN Publish State`")
		install.after_migrate()
		self.assertFalse(frappe.get_all("CDN Publish State"))
