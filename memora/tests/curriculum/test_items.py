"""ERPNext's Items, by which content is sold: a rename is followed, the rest is warned of."""

from unittest.mock import patch

import frappe

from memora.services.cdn_export.admin import dashboard, doctor
from memora.services.cdn_export.admin.doctor import content
from memora.services.cdn_export.curriculum import items
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.statements import statements
from memora.tests.helpers.utils import messages


class ItemsTestCase(PublishingTestCase):
	"""A plan that sells a subject, a track, and a unit by an override, by the Item GRADE7-PHYS."""

	def setUp(self) -> None:
		super().setUp()
		if not frappe.db.exists("DocType", "Item"):
			self._stand_in_for_erpnext()
		for code in ("GRADE7-PHYS", "OTHER", "PHYSICS-7"):
			frappe.db.delete("Item", {"name": code})
		for code in ("GRADE7-PHYS", "OTHER"):
			self.make_item(code)
		self.course = make_course(required_item="GRADE7-PHYS")
		self.change(self.course["track"], required_item="GRADE7-PHYS")
		self.plan = factories.make_plan(
			[self.course["subject"]],
			is_published=1,
			overrides=[
				factories.override(self.course["units"][0], "Set Sold Separately", "GRADE7-PHYS"),
				factories.override(self.course["units"][1], "Rename", "GRADE7-PHYS"),
			],
		)
		self.publish()
		frappe.clear_messages()

	def make_item(self, code: str) -> None:
		if not frappe.db.exists("Item", code):
			group = (
				frappe.db.get_value("Item Group", {"is_group": 0})
				if frappe.db.exists("DocType", "Item Group")
				else None
			)
			frappe.get_doc(
				{
					"doctype": "Item",
					"item_code": code,
					"item_group": group,
					"stock_uom": "Nos",
					"is_stock_item": 0,
				}
			).insert()

	def _stand_in_for_erpnext(self) -> None:
		frappe.get_doc(
			{
				"doctype": "DocType",
				"name": "Item",
				"module": "Memora",
				"custom": 1,
				"autoname": "field:item_code",
				"allow_rename": 1,
				"fields": [
					{"fieldname": "item_code", "fieldtype": "Data", "label": "Item Code", "reqd": 1},
					{"fieldname": "disabled", "fieldtype": "Check", "label": "Disabled"},
				],
			}
		).insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "DocType", "Item", force=True)

	def sold(self) -> set[str]:
		"""The items in everything that is published."""
		found: set[str] = set()

		def gather(value: object) -> None:
			if isinstance(value, dict):
				if "required_item" in value:
					found.add(value["required_item"])
				value = list(value.values())
			if isinstance(value, list):
				for each in value:
					gather(each)

		reading = self.learner(self.plan)
		gather(
			[reading.manifest, *reading.subjects.values(), *reading.units.values(), *reading.lessons.values()]
		)
		return found


class TestRename(ItemsTestCase):
	def test_what_is_sold_by_it_follows_everywhere_and_is_published(self) -> None:
		self.assertEqual(self.sold(), {"GRADE7-PHYS"})
		frappe.rename_doc("Item", "GRADE7-PHYS", "PHYSICS-7")
		self.publish()
		self.assertEqual(self.sold(), {"PHYSICS-7"})
		self.plan.reload()
		self.assertEqual(self.plan.overrides[1].override_value, "GRADE7-PHYS")  # a title

	def test_a_merge_is_followed(self) -> None:
		frappe.rename_doc("Item", "GRADE7-PHYS", "OTHER", merge=True)
		self.publish()
		self.assertEqual(self.sold(), {"OTHER"})

	def test_another_item_that_differs_in_case_only_is_another_text(self) -> None:
		frappe.db.set_value("Memora Subject", self.course["subject"].name, "required_item", "grade7-phys")
		frappe.rename_doc("Item", "GRADE7-PHYS", "PHYSICS-7")
		self.assertEqual(
			frappe.db.get_value("Memora Subject", self.course["subject"].name, "required_item"), "grade7-phys"
		)

	def test_it_never_fails_because_of_memora(self) -> None:
		with patch.object(items, "_sold_by", side_effect=RuntimeError("broken")):
			frappe.rename_doc("Item", "GRADE7-PHYS", "PHYSICS-7")
		self.assertTrue(frappe.db.exists("Item", "PHYSICS-7"))
		self.assertIn("GRADE7-PHYS", " ".join(items.unsellable()))


class TestTheRest(ItemsTestCase):
	def said_everywhere(self) -> None:
		for said in (
			" ".join(finding.message for finding in doctor._made(content.items_sold)),
			" ".join(warning["message"] for warning in dashboard.health()["warnings"]),
		):
			self.assertIn("GRADE7-PHYS", said)
			self.assertIn(self.course["subject"].title, said)
			self.assertIn(self.plan.title, said)
		for doc in (self.course["subject"], self.course["track"], self.plan):
			frappe.clear_messages()
			doc.reload()
			doc.save()
			self.assertIn("GRADE7-PHYS", messages(), doc.doctype)

	def test_a_disabled_item_is_warned_of(self) -> None:
		item = frappe.get_doc("Item", "GRADE7-PHYS")
		item.disabled = 1
		item.save()
		self.assertIn("GRADE7-PHYS is disabled", messages())
		self.assertIn(self.course["subject"].title, messages())
		self.said_everywhere()

	def test_a_deleted_item_is_warned_of(self) -> None:
		frappe.delete_doc("Item", "GRADE7-PHYS")
		self.assertIn("GRADE7-PHYS is gone", messages())
		self.assertIn(self.plan.title, messages())
		self.said_everywhere()
		self.publish()
		self.assertEqual(self.sold(), {"GRADE7-PHYS"})  # what was live stays

	def test_a_disabled_item_that_is_deleted_is_said_to_be_gone_and_no_more(self) -> None:
		item = frappe.get_doc("Item", "GRADE7-PHYS")
		item.disabled = 1
		item.save()
		frappe.clear_messages()
		item.delete()
		self.assertIn("GRADE7-PHYS is gone", messages())
		self.assertNotIn("is disabled", messages())

	def test_a_plan_asks_for_all_its_items_at_once(self) -> None:
		asked = []
		for count in (10, 20):
			factories.make_many("Memora Unit", self.course["track"], [str(n) for n in range(10)])
			units = frappe.get_all(
				"Memora Unit", {"parent_track": self.course["track"].name}, pluck="name", limit=count
			)
			self.plan.reload()
			self.plan.set("overrides", [])
			for name in units:
				unit = frappe._dict(doctype="Memora Unit", name=name)
				self.plan.append("overrides", factories.override(unit, "Set Sold Separately", "OTHER"))
			self.plan.save()
			self.plan.reload()
			self.plan.title += "+"
			with statements() as seen:
				self.plan.save()
			asked.append(sum("`tabItem`" in statement for statement in seen))
		self.assertEqual(asked, [1, 1])

	def test_what_was_sold_stays_sold_when_erpnext_goes(self) -> None:
		live = self.learner(self.plan)
		frappe.delete_doc("DocType", "Item", force=True)
		frappe.db.sql_ddl("drop table if exists `tabItem`")
		self.publish()
		for doc in (self.course["subject"], self.course["track"], self.course["units"][0], self.plan):
			frappe.clear_messages()
			self.change(doc, title=f"{doc.title} again")
			self.assertNotIn("GRADE7-PHYS", messages(), doc.doctype)
		self.change(self.course["track"], required_item="ANY-CODE")  # nothing knows better now
		self.publish()
		self.assertEqual(self.failures(), {})
		self.assertEqual(self.sold(), {"GRADE7-PHYS", "ANY-CODE"})
		now = self.learner(self.plan)
		for name in (*live.subjects, *live.units, *live.lessons):
			self.assertEqual(now.level(name), live.level(name), name)
		self.assertEqual(now.level(self.course["subject"].name), "paid")
		self.assertEqual(items.unsellable(), [])
		self.assertEqual(list(content.items_sold()), [])
		self.assertNotIn("GRADE7-PHYS", str(dashboard.health()["warnings"]))
		self.check()

	def test_an_item_that_sells_nothing_goes_without_a_word(self) -> None:
		frappe.delete_doc("Item", "OTHER")
		self.assertEqual(messages(), "")
		self.assertEqual(items.unsellable(), [])

	def test_the_dashboard_asks_no_more_the_more_items_are_gone(self) -> None:
		asked = []
		dashboard.health()  # what Frappe reads once
		for _ in range(2):
			factories.make_many("Memora Track", self.course["subject"], [str(n) for n in range(20)])
			frappe.db.sql(
				"update `tabMemora Track` set required_item = concat('GONE-', name) where sort_order >= 1000"
			)
			with statements() as seen:
				told = [
					warning for warning in dashboard.health()["warnings"] if "GONE-" in warning["message"]
				]
			self.assertEqual(len(told), 5)
			asked.append(len(seen))
		self.assertEqual(*asked)
		self.assertEqual(len(items.unsellable()), 40)


class TestWithoutErpnext(PublishingTestCase):
	def test_nothing_is_said(self) -> None:
		if frappe.db.exists("DocType", "Item"):
			self.skipTest("this site has ERPNext")
		factories.make_subject(required_item="ANY")
		self.assertEqual((items.unsellable(), messages()), ([], ""))
