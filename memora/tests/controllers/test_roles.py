"""Who may do what: tried as the user who may not, through the doors that users have."""

import json

import frappe
from frappe import client
from frappe.desk.form.save import savedocs

from memora.install import ADMIN, EDITOR, may_see_app
from memora.tests.helpers.factories import make_lesson, make_plan, make_subject
from memora.tests.helpers.users import make_user
from memora.tests.helpers.utils import MemoraTestCase

CONTENT = (
	"Memora Subject",
	"Memora Track",
	"Memora Unit",
	"Memora Topic",
	"Memora Lesson",
	"Memora Academic Plan",
	"Memora Season",
	"Memora Grade",
	"Memora Stream",
)
WRITING = ("create", "write", "delete")


class TestRoles(MemoraTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		roles = (EDITOR, ADMIN, "System Manager", "Desk User")
		cls.users = {role: make_user(cls, f"{frappe.scrub(role)}@memora.test", role) for role in roles}

		cls.internal = frappe.get_all(
			"DocType",
			{
				"module": "Memora",
				"name": ("not in", (*CONTENT, "CDN Settings", "CDN Sync Log")),
				"istable": 0,
			},
			pluck="name",
		)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")

	def become(self, role: str) -> None:
		frappe.set_user(self.users[role])

	def may(self, doctype: str, *rights: str) -> list[bool]:
		return [bool(frappe.has_permission(doctype, right)) for right in rights]

	def test_editors_have_content_and_plans(self) -> None:
		self.become(EDITOR)
		for doctype in CONTENT:
			rights = ("read", *WRITING, "import", "export", "report")
			self.assertEqual(self.may(doctype, *rights), [True] * len(rights), doctype)

	def test_editors_have_no_settings_and_only_read_logs(self) -> None:
		self.become(EDITOR)
		for right in ("read", *WRITING):
			self.assertFalse(frappe.has_permission("CDN Settings", right), right)
		self.assertTrue(frappe.has_permission("CDN Sync Log", "read"))
		for right in (*WRITING, "submit", "cancel"):
			self.assertFalse(frappe.has_permission("CDN Sync Log", right), right)
		for doctype in self.internal:
			self.assertFalse(frappe.has_permission(doctype, "read"), doctype)

	def test_admins_have_settings_and_read_the_rest(self) -> None:
		self.become(ADMIN)
		self.assertEqual(self.may("CDN Settings", "read", "write"), [True, True])
		for doctype in (*CONTENT, *self.internal, "CDN Sync Log"):
			self.assertEqual(self.may(doctype, "read", *WRITING), [True, False, False, False], doctype)

	def test_system_managers_have_everything_but_write_nothing_internal(self) -> None:
		self.become("System Manager")
		for doctype in CONTENT:
			self.assertEqual(self.may(doctype, "read", *WRITING), [True] * 4, doctype)
		self.assertEqual(self.may("CDN Settings", "read", *WRITING), [True, False, True, False])
		for doctype in self.internal:
			self.assertEqual(self.may(doctype, "read", *WRITING), [True, False, False, False], doctype)
		self.assertEqual(self.may("CDN Sync Log", "read", "create", "write"), [True, False, False])

	def test_others_have_nothing(self) -> None:
		for user in (self.users["Desk User"], "Guest"):
			frappe.set_user(user)
			for doctype in (*CONTENT, *self.internal, "CDN Settings", "CDN Sync Log"):
				self.assertFalse(frappe.has_permission(doctype, "read"), f"{user}: {doctype}")

	def test_an_editor_works_through_the_desks_own_doors(self) -> None:
		self.become(EDITOR)
		subject = make_subject(title="Physics")
		subject.title = "Physics I"
		savedocs(json.dumps(subject.as_dict(), default=str), "Save")
		make_plan([subject])
		lesson = make_lesson()
		client.delete("Memora Lesson", lesson.name)
		self.assertEqual(frappe.db.get_value("Memora Subject", subject.name, "title"), "Physics I")

	def test_an_editor_cannot_reach_settings_by_any_door(self) -> None:
		self.become(EDITOR)
		for call in (
			lambda: client.get("CDN Settings", "CDN Settings"),
			lambda: client.get_value("CDN Settings", "access_key"),
			lambda: client.get_single_value("CDN Settings", "access_key"),
			lambda: client.set_value("CDN Settings", "CDN Settings", "enabled", 1),
			lambda: frappe.get_list("CDN File"),
			lambda: frappe.get_list("CDN Change"),
		):
			with self.assertRaises(frappe.PermissionError):
				call()

	def test_nobody_edits_or_forges_records_of_publishing(self) -> None:
		log = frappe.get_doc({"doctype": "CDN Sync Log", "plan_id": make_plan().name, "status": "Failed"})
		log.insert(ignore_permissions=True)
		for role in (EDITOR, ADMIN, "System Manager"):
			self.become(role)
			for call in (
				lambda: client.set_value("CDN Sync Log", log.name, "status", "Success"),
				lambda: client.insert({"doctype": "CDN Sync Log", "plan_id": log.plan_id}),
				lambda: client.insert({"doctype": "CDN Change", "ref_doctype": "Memora Subject"}),
				lambda: client.insert({"doctype": "CDN File", "name": "x", "path": "plans/index.json"}),
			):
				with self.assertRaises(frappe.PermissionError):
					call()

	def test_an_admin_cannot_change_content(self) -> None:
		subject = make_subject()
		self.become(ADMIN)
		with self.assertRaises(frappe.PermissionError):
			client.set_value("Memora Subject", subject.name, "is_published", 1)
		with self.assertRaises(frappe.PermissionError):
			client.delete("Memora Subject", subject.name)

	def test_the_apps_tile_is_for_those_who_have_a_role(self) -> None:
		for role, seen in ((EDITOR, True), (ADMIN, True), ("System Manager", True), ("Desk User", False)):
			self.become(role)
			self.assertEqual(may_see_app(), seen, role)
