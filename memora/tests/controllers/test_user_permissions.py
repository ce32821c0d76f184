"""A User Permission on one Subject, or on anything below it, holds down the tree, through every door."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import frappe
from frappe import client
from frappe.desk import reportview, search
from frappe.model.document import Document

from memora.api import course, publishing
from memora.install import EDITOR
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS, PLAN
from memora.tests.helpers import factories
from memora.tests.helpers.frappe_versions import set_in_test
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course
from memora.tests.helpers.users import drop_user_permissions, make_user

USER = "restricted@memora.test"
REFUSED = (frappe.PermissionError, frappe.DoesNotExistError)


class TestUserPermissions(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(cls, USER, EDITOR)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(drop_user_permissions, USER)
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(set_in_test, True)
		self.mine, self.others = make_course(title="Mine"), make_course(title="Secret")
		self.plan = factories.make_plan([self.mine["subject"]], is_published=1)
		self.mixed = factories.make_plan(
			[self.mine["subject"], self.others["subject"]],
			title="Secret plan",
			is_published=1,
			overrides=[factories.override(self.others["lessons"][0], "Hide")],
		)
		self.publish()

	def permit(self, doc: Document, **values: Any) -> None:
		row = {"doctype": "User Permission", "user": USER, "allow": doc.doctype, "for_value": doc.name}
		frappe.get_doc({**row, "apply_to_all_doctypes": 1, **values}).insert(ignore_permissions=True)
		frappe.cache.hdel("user_permissions", USER)

	def become(self) -> None:
		frappe.set_user(USER)
		set_in_test(False)

	def seen(self, doctype: str, **asked: Any) -> set[str]:
		return {row.name for row in frappe.get_list(doctype, fields=["name"], **asked)}

	def nodes(self, course: dict[str, Any], doctype: str) -> set[str]:
		kind = doctype.split()[1].lower()
		found = course.get(kind) or course[f"{kind}s"]
		return {doc.name for doc in (found if isinstance(found, list) else [found])}

	def test_what_hangs_in_other_subjects_is_in_no_list(self) -> None:
		self.permit(self.mine["subject"])
		self.become()
		for doctype in CONTENT:
			mine = self.nodes(self.mine, doctype)
			with self.subTest(doctype):
				self.assertEqual(self.seen(doctype), mine)
				self.assertEqual({row["name"] for row in client.get_list(doctype, limit_page_length=0)}, mine)
				found = search.search_widget(
					doctype, "", page_length=100, as_dict=True
				) or frappe.response.get("values")
				# early v15 asks no query of an app's for dicts
				names = {row["name"] if isinstance(row, dict) else row[0] for row in found}
				self.assertEqual(names, mine)
				frappe.form_dict.update(
					{"doctype": doctype, "fields": json.dumps([f"`tab{doctype}`.`name`"]), "view": "Report"}
				)
				report = reportview.get()
				self.assertEqual({row[0] for row in report["values"]}, mine)
				self.assertEqual(reportview.get_count(), len(mine))
		self.assertEqual(self.seen(PLAN), {self.plan.name})
		self.assertEqual(
			{log.plan_id for log in frappe.get_list("CDN Sync Log", fields=["plan_id"])}, {self.plan.name}
		)
		for doctype, parent, mine in (
			("Memora Lesson Stage", "Memora Lesson", self.nodes(self.mine, "Memora Lesson")),
			("Memora Plan Subject", PLAN, {self.plan.name}),
			("Memora Plan Override", PLAN, set()),
		):
			rows = client.get_list(doctype, fields=["parent"], parent=parent, limit_page_length=0)
			self.assertEqual({row["parent"] for row in rows}, mine, doctype)

	def test_it_cannot_be_read_written_or_deleted(self) -> None:
		self.permit(self.mine["subject"])
		log = frappe.get_last_doc("CDN Sync Log", {"plan_id": self.mixed.name})
		self.become()
		for doc in (*chain(self.others), self.mixed):
			for call in (
				lambda doc=doc: client.get(doc.doctype, doc.name),
				lambda doc=doc: client.set_value(doc.doctype, doc.name, "title", "Taken"),
				lambda doc=doc: client.delete(doc.doctype, doc.name),
				lambda doc=doc: publishing.document_status(doc.doctype, doc.name),
				lambda doc=doc: publishing.publish_now(doc.doctype, doc.name),
				lambda doc=doc: publishing.view_json(doc.doctype, doc.name, self.mixed.name),
			):
				with self.assertRaises(REFUSED):
					call()
			self.assertEqual(publishing.list_states(doc.doctype, [doc.name]), {})
		with self.assertRaises(REFUSED):
			publishing.preview_changes(self.mixed.name)
		with self.assertRaises(REFUSED):
			client.get(log.doctype, log.name)
		filters = {"subjects": [self.mine["subject"].name, self.others["subject"].name]}
		for doctype in CONTENT:
			found = publishing.search_targets(doctype, "", "name", 0, 50, filters)
			self.assertEqual({row[0] for row in found}, self.nodes(self.mine, doctype))
		told = publishing.document_status("Memora Lesson", self.mine["lessons"][0].name)
		self.assertNotIn("Secret", frappe.as_json(told))

	def test_who_may_not_delete_hears_of_plans_that_they_may_read_and_of_others_how_many(self) -> None:
		first, second, third = self.mine["lessons"][:3]
		bare = factories.make_subject(title="Bare")
		for plan, docs in ((self.mixed, (first, second)), (self.plan, (first, third))):
			plan.reload()
			plan.extend("overrides", [factories.override(doc, "Hide") for doc in docs])
			plan.append("subjects", {"subject": bare.name})
			plan.save()
		self.permit(self.mine["subject"])
		self.permit(bare)
		self.become()
		both = f"“{self.plan.title}” and 1 more"
		hidden = "You may not read 1 of these: ask an admin."
		for doc, named, also in (
			(first, both, hidden),
			(second, "“…”", hidden),
			(third, f"“{self.plan.title}”", ""),
			(bare, both, hidden),
		):
			for call in (
				lambda doc=doc: client.delete(doc.doctype, doc.name),
				lambda doc=doc: course.delete([f"{doc.doctype}:{doc.name}"]),
			):
				with self.subTest(doc.title), self.assertRaises(frappe.LinkExistsError) as refused:
					call()
				self.assertRegex(str(refused.exception), rf"plan {named}\. .*first\.")
				self.assertTrue(str(refused.exception).endswith(also or "first."))
				self.assertNotIn("Secret", str(refused.exception))

	def test_what_is_mine_can_be_worked_on(self) -> None:
		self.permit(self.mine["subject"])
		self.become()
		for doc in chain(self.mine):
			client.set_value(doc.doctype, doc.name, "description", "Edited")
			self.assertIn(doc.name, publishing.list_states(doc.doctype, [doc.name]))
		topic = factories.make_topic(parent_unit=self.mine["units"][0].name)
		lesson = factories.make_lesson(parent_topic=topic.name)
		client.delete("Memora Lesson", lesson.name)
		self.assertTrue(
			publishing.view_json("Memora Lesson", self.mine["lessons"][0].name, self.plan.name)["live"]
		)

	def test_nothing_is_made_in_or_moved_into_or_out_of_another_subject(self) -> None:
		self.permit(self.mine["subject"])
		self.become()
		for place, doctype in enumerate(CONTENT[1:], start=1):
			field = PARENT_FIELDS[doctype]
			mine, others = chain(self.mine), chain(self.others)
			with self.subTest(doctype):
				with self.assertRaises(REFUSED):
					factories.make(doctype, **{field: others[place - 1].name})
				with self.assertRaises(REFUSED):
					client.set_value(doctype, mine[place].name, field, others[place - 1].name)
				with self.assertRaises(REFUSED):  # as it would be saved, it is below what is allowed
					client.set_value(doctype, others[place].name, field, mine[place - 1].name)
		plan = frappe.get_doc(PLAN, self.mixed.name)
		plan.overrides, plan.subjects = [], plan.subjects[:1]
		self.assertRaises(frappe.PermissionError, plan.save)
		plan = frappe.get_doc(PLAN, self.plan.name)
		plan.append("subjects", {"subject": self.others["subject"].name})
		self.assertRaises(frappe.PermissionError, plan.save)

	def test_it_holds_below_a_track_a_unit_and_a_topic(self) -> None:
		for place, doc in enumerate(chain(self.mine)[1:4], start=1):
			with self.subTest(doc.doctype):
				self.permit(doc)
				self.become()
				for doctype in CONTENT[place:]:
					wanted = self.below(doc, doctype)
					self.assertEqual(self.seen(doctype), wanted)
					for other in self.nodes(self.others, doctype):
						self.assertFalse(frappe.has_permission(doctype, "read", other))
					for own in wanted:
						self.assertTrue(frappe.has_permission(doctype, "write", own))
				frappe.set_user("Administrator")
				frappe.db.delete("User Permission", {"user": USER})
				frappe.cache.hdel("user_permissions", USER)

	def below(self, doc: Document, doctype: str) -> set[str]:
		names, kind = {doc.name}, doc.doctype
		while kind != doctype:
			kind = CONTENT[CONTENT.index(kind) + 1]
			names = set(frappe.get_all(kind, {PARENT_FIELDS[kind]: ("in", names)}, pluck="name"))
		return names

	def test_applicable_for_and_strict_permissions_are_minded(self) -> None:
		adrift = factories.make_lesson(parent_topic=self.mine["topics"][0].name)
		frappe.db.sql("update `tabMemora Lesson` set parent_topic = 'gone' where name = %s", adrift.name)
		subject = self.mine["subject"]
		self.permit(subject, apply_to_all_doctypes=0, applicable_for="Memora Lesson")
		self.become()
		lessons = self.nodes(self.mine, "Memora Lesson") | {adrift.name}
		self.assertEqual(self.seen("Memora Lesson"), lessons)
		self.assertEqual(len(self.seen("Memora Unit")), 4)
		self.assertTrue(frappe.has_permission("Memora Lesson", "read", adrift.name))
		with patch.object(frappe, "get_system_settings", lambda key: key == "apply_strict_user_permissions"):
			self.assertEqual(self.seen("Memora Lesson"), lessons - {adrift.name})
			self.assertFalse(frappe.has_permission("Memora Lesson", "read", adrift.name))

	def test_names_hold_no_sql(self) -> None:
		name = "100% ' \" \\ %s ) or (1=1"
		frappe.rename_doc("Memora Subject", self.mine["subject"].name, name, force=True)
		self.permit(frappe.get_doc("Memora Subject", name))
		self.become()
		self.assertEqual(self.seen("Memora Lesson"), self.nodes(self.mine, "Memora Lesson"))
		self.assertEqual(self.seen("Memora Lesson Stage", parent_doctype="Memora Lesson").__len__(), 8)
		self.assertTrue(frappe.has_permission("Memora Lesson", "read", self.mine["lessons"][0].name))
		self.assertFalse(frappe.has_permission("Memora Lesson", "read", self.others["lessons"][0].name))

	def test_what_it_costs(self) -> None:
		"""No statement where there are no User Permissions, one for a document where there are."""
		lesson = frappe.get_doc("Memora Lesson", self.mine["lessons"][0].name)

		def statements() -> int:
			self.become()
			frappe.has_permission(lesson.doctype, "read", lesson)  # what Frappe keeps of roles and users
			self.seen("Memora Lesson")
			with patch.object(frappe.db, "sql", wraps=frappe.db.sql) as asked:
				frappe.has_permission(lesson.doctype, "read", lesson)
				self.seen("Memora Lesson")
			frappe.set_user("Administrator")
			# Frappe 17 asks for shares, too, where User Permissions hold.
			return sum("DocShare" not in str(call) for call in asked.call_args_list)

		self.assertEqual(statements(), 1)
		self.permit(self.mine["subject"])
		self.assertEqual(statements(), 2)
