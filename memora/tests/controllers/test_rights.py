"""The table of rights in docs/security.md, tried over HTTP: each role, DocType and action."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import frappe
from frappe.model.document import Document
from werkzeug.test import TestResponse

import memora
from memora.install import ADMIN, EDITOR
from memora.patches import drop_shares
from memora.services.access_gate import keys
from memora.services.cdn_export.model.doctypes import CONTENT, PLAN
from memora.services.cdn_export.state import database
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course
from memora.tests.helpers.web import Web

TITLED = (*CONTENT, PLAN, "Memora Season", "Memora Grade", "Memora Stream")
SETTINGS, LOG = "CDN Settings", "CDN Sync Log"
NOBODY, OUTSIDER = "Desk User", "outsider@rights.test"
ROLES = (EDITOR, ADMIN, "System Manager", NOBODY)

#: Those tried over HTTP: one of each kind that Frappe treats differently. The others have the same rights to the letter.
TRIED = ("Memora Lesson", SETTINGS, LOG, "CDN File")

#: What each action asks for; None: no role may. Those behind a list endpoint say what was refused in their answer.
ACTIONS = {
	"read": "read",
	"list": "read",
	"open form": "read",
	"create": "create",
	"duplicate": "create",
	"restore": "create",
	"restore in Frappe": "create",
	"write": "write",
	"set value": "write",
	"bulk edit": "write",
	"rename": "write",
	"delete": "delete",
	"client delete": "delete",
	"bulk delete": "delete",
	"submit": None,
	"cancel": None,
	"share": "share",
	"share more": "share",
	"assign outside": "share",
	"assign to myself": "read",
	"comment": "read",
	"print": "read",  # Frappe asks for either
	"export": "export",
	"import": "import",
	"email": "email",
}


def table() -> dict[str, dict[str, set[str]]]:
	"""docs/security.md: the rights by what they are for and role."""
	text = Path(memora.__path__[0], "..", "docs", "security.md").read_text()
	rows = [
		line.strip("|").split("|") for line in text[text.index("| | Memora Editor |") :].splitlines()[2:7]
	]
	return {
		name.strip(): {
			role: {right.strip() for right in cell.split(",")} - {"–"}
			for role, cell in zip(ROLES, cells, strict=True)
		}
		for name, *cells in rows
	}


class TestRights(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.web = Web()
		cls.users = {
			role: cls.web.make_user(f"{frappe.scrub(role)}@rights.test", *([] if role == NOBODY else [role]))
			for role in ROLES
		}
		cls.web.make_user(OUTSIDER)
		cls.addClassCleanup(frappe.db.commit)
		for user in (*cls.users.values(), OUTSIDER):
			cls.addClassCleanup(frappe.delete_doc, "User", user, force=True, ignore_permissions=True)

	def setUp(self) -> None:
		super().setUp()
		course = make_course(units=1, lessons=1)
		self.plan = factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		self.docs: dict[str, Document] = {doc.doctype: doc for doc in (*chain(course), self.plan)}
		for field in ("season", "grade", "stream"):
			doctype = f"Memora {field.title()}"
			self.docs[doctype] = frappe.get_doc(doctype, self.plan.get(field))
		self.docs[SETTINGS] = frappe.get_doc(SETTINGS)
		self.docs[LOG] = frappe.get_last_doc(LOG)
		for doctype in frappe.get_all("DocType", {"module": "Memora", "istable": 0}, pluck="name"):
			if doctype not in self.docs:
				self.docs[doctype] = self._a_row(doctype)
		frappe.db.commit()
		self.addCleanup(database.fresh)
		self.addCleanup(frappe.db.delete, "DocShare", {"share_doctype": ("in", list(self.docs))})
		self.addCleanup(frappe.db.delete, "ToDo", {"reference_type": ("in", list(self.docs))})

	def _a_row(self, doctype: str) -> Document:
		doc = frappe.get_doc({"doctype": doctype, "name": "a-row"})
		doc.db_insert()
		return doc

	def _group(self, doctype: str) -> str:
		if doctype in TITLED:
			return "content, plans, seasons, grades, streams"
		return doctype if doctype in (SETTINGS, LOG, keys.TABLE) else "what publishing keeps for itself"

	def fresh(self, doctype: str) -> Document:
		"""A document of the kind that can be deleted."""
		if doctype not in TITLED:
			return self.docs[doctype]
		kind = doctype.split()[-1].lower()
		make: Callable[..., Document] = getattr(factories, f"make_{kind}", None) or factories.make_plan
		doc = make() if doctype in (*CONTENT, PLAN) else factories.make(doctype)
		frappe.db.commit()
		return doc

	def ask(self, action: str, user: str, doc: Document) -> tuple[TestResponse, Callable[[], bool]]:
		"""The answer, and whether it has happened, for those that answer 200 all the same."""
		web, doctype, name = self.web, doc.doctype, doc.name
		path = f"/api/resource/{doctype}/{name}"
		always = lambda: True  # noqa: E731
		gone = lambda: not frappe.db.exists(doctype, name)  # noqa: E731
		values = {
			key: value
			for key, value in json.loads(doc.as_json()).items()
			if doc.meta.has_field(key) and not isinstance(value, list)
		}
		field = next(
			df.fieldname for df in doc.meta.fields if df.fieldtype in ("Small Text", "Data", "Text", "Int")
		)
		if action == "read":
			return web.ask(user, "GET", path), always
		if action == "list":
			return web.ask(user, "GET", f"/api/resource/{doctype}"), always
		if action == "open form":
			return web.call(
				user, "frappe.desk.form.load.getdoc", http="GET", doctype=doctype, name=name
			), always
		if action == "create":
			return web.ask(
				user, "POST", f"/api/resource/{doctype}", json={**values, "title": _title()}
			), always
		if action == "duplicate":
			copied = {**values, "doctype": doctype, "__islocal": 1, "title": _title()}
			return web.call(user, "frappe.client.insert", doc=copied), always
		if action.startswith("restore"):
			deleted = frappe.get_doc(
				{
					"doctype": "Deleted Document",
					"deleted_doctype": doctype,
					"deleted_name": "gone",
					"data": frappe.as_json({**values, "doctype": doctype, "name": "gone", "title": _title()}),
				}
			).insert(ignore_permissions=True)
			frappe.db.commit()
			method = "memora.api.trash.restore"
			if action == "restore in Frappe":
				method = "frappe.core.doctype.deleted_document.deleted_document.restore"
			return web.call(user, method, name=deleted.name), always
		if action == "write":
			return web.ask(user, "PUT", path, json={field: doc.get(field)}), always
		if action == "set value":
			given = {"doctype": doctype, "name": name, "fieldname": field, "value": doc.get(field)}
			return web.call(user, "frappe.client.set_value", **given), always
		if action == "bulk edit":
			docs = json.dumps([{"doctype": doctype, "docname": name, field: doc.get(field)}])
			answer = web.call(user, "frappe.client.bulk_update", docs=docs)
			return answer, lambda: not answer.json["message"]["failed_docs"]
		if action == "rename":
			given = {
				"doctype": doctype,
				"old_name": name,
				"new_name": f"renamed-{frappe.generate_hash(length=6)}",
			}
			return web.call(user, "frappe.client.rename_doc", **given), gone
		if action == "delete":
			return web.ask(user, "DELETE", path), gone
		if action == "client delete":
			return web.call(user, "frappe.client.delete", doctype=doctype, name=name), gone
		if action == "bulk delete":
			given = {"doctype": doctype, "items": json.dumps([name])}
			return web.call(user, "frappe.desk.reportview.delete_items", **given), gone
		if action == "submit":
			return web.call(user, "frappe.client.submit", doc=doc.as_json()), always
		if action == "cancel":
			return web.call(user, "frappe.client.cancel", doctype=doctype, name=name), always
		if action == "share":
			given = {"doctype": doctype, "name": name, "user": user, "write": 1, "share": 1}
			return web.call(user, "frappe.share.add", **given), always
		if action == "share more":
			given = {"doctype": doctype, "name": name, "user": OUTSIDER, "permission_to": "write"}
			return web.call(user, "frappe.share.set_permission", **given), always
		if action.startswith("assign"):
			whom = OUTSIDER if "outside" in action else user
			given = {"doctype": doctype, "name": name, "assign_to": json.dumps([whom])}
			return web.call(user, "frappe.desk.form.assign_to.add", **given), always
		if action == "comment":
			given = {"reference_doctype": doctype, "reference_name": name, "content": "x"}
			who = {"comment_email": user, "comment_by": user}
			return web.call(user, "frappe.desk.form.utils.add_comment", **given, **who), always
		if action == "print":
			given = {"doc": doctype, "name": name}
			return web.call(user, "frappe.www.printview.get_html_and_style", **given), always
		if action == "export":
			fields = json.dumps([f"`tab{doctype}`.`name`"])
			given = {"doctype": doctype, "fields": fields, "title": doctype, "file_format_type": "CSV"}
			return web.call(user, "frappe.desk.reportview.export_query", **given), always
		given = {"doctype": doctype, "docname": name, "perm_type": action}
		answer = web.call(user, "frappe.client.has_permission", **given)
		return answer, lambda: bool(answer.json["message"]["has_permission"])

	def may(self, action: str, user: str, doc: Document) -> bool:
		answer, has_happened = self.ask(action, user, doc)
		database.fresh()
		# A traceback is no refusal.
		self.assertLess(answer.status_code, 500, f"{action} {doc.doctype} {user}: {answer.text[:3000]}")
		return answer.status_code in (200, 202) and has_happened()

	def actions(self, doctype: str) -> list[str]:
		"""All that there are; a single has no table, at which Frappe breaks."""
		is_single = frappe.get_meta(doctype).issingle
		return [action for action in ACTIONS if not (is_single and action in ("list", "export", "rename"))]

	def wanted(self, action: str, doctype: str, rights: set[str]) -> bool:
		if action == "rename" and not frappe.get_meta(doctype).allow_rename:
			return False
		return ACTIONS[action] in rights

	def test_each_role_may_what_the_table_says(self) -> None:
		said, wrong = table(), []
		for doctype in TRIED:
			for role, user in self.users.items():
				rights = said[self._group(doctype)][role]
				for action in self.actions(doctype):
					wanted = self.wanted(action, doctype, rights)
					is_taken = wanted and action in ("rename", "delete", "client delete", "bulk delete")
					doc = self.fresh(doctype) if is_taken else self.docs[doctype]
					allowed = self.may(action, user, doc)
					if action == "restore in Frappe":
						wanted = wanted and allowed  # from v17 on it refuses all but System Managers
					if allowed != wanted:
						wrong.append(f"{role}: {action} {doctype}: {'refused' if wanted else 'allowed'}")
				frappe.db.delete("DocShare", {"share_doctype": doctype})
				frappe.db.delete("ToDo", {"reference_type": doctype})
				frappe.db.commit()
		self.assertEqual(wrong, [])

	def test_every_doctype_has_the_rights_of_its_kind(self) -> None:
		said = table()
		for doctype in self.docs:
			for role in ROLES[:3]:
				given = [perm for perm in frappe.get_meta(doctype).permissions if perm.role == role]
				rights = {right for perm in given for right in frappe.permissions.rights if perm.get(right)}
				self.assertEqual(rights, said[self._group(doctype)][role], f"{role}: {doctype}")
				self.assertFalse(any(perm.if_owner or perm.permlevel for perm in given))
			roles = {perm.role for perm in frappe.get_meta(doctype).permissions}
			self.assertLessEqual(roles, set(ROLES[:3]), doctype)

	def test_guests_may_nothing(self) -> None:
		for doctype in TRIED:
			for action in self.actions(doctype):
				self.assertFalse(self.may(action, "Guest", self.docs[doctype]), f"{action} {doctype}")

	def test_settings_are_deleted_made_anew_or_shared_by_nobody(self) -> None:
		before = frappe.get_doc(SETTINGS).as_dict()
		for call in (
			lambda: frappe.delete_doc(SETTINGS, SETTINGS),
			lambda: frappe.get_doc({"doctype": SETTINGS}).insert(),
			lambda: frappe.share.add(SETTINGS, SETTINGS, OUTSIDER),
		):
			with self.assertRaises((frappe.PermissionError, frappe.DuplicateEntryError)):
				call()
			frappe.db.rollback()
		self.assertEqual(frappe.get_doc(SETTINGS).as_dict(), before)

	def test_nobody_gives_what_they_do_not_have(self) -> None:
		"""Whoever was given a document with the right to share it."""
		lesson = self.docs["Memora Lesson"]
		frappe.share.add("Memora Lesson", lesson.name, OUTSIDER, read=1, share=1)
		frappe.db.commit()
		given: dict[str, Any] = {"doctype": "Memora Lesson", "name": lesson.name, "user": self.users[NOBODY]}
		self.assertEqual(self.web.call(OUTSIDER, "frappe.share.add", **given, write=1).status_code, 403)
		self.assertEqual(self.web.call(OUTSIDER, "frappe.share.add", **given).status_code, 200)

	def test_shares_that_gave_more_go_with_the_upgrade(self) -> None:
		lesson = self.docs["Memora Lesson"]
		for number, (doctype, name, owner) in enumerate(
			(
				("Memora Lesson", lesson.name, self.users[EDITOR]),
				("Memora Lesson", lesson.name, self.users[ADMIN]),
				(SETTINGS, SETTINGS, "Administrator"),
				(LOG, self.docs[LOG].name, self.users["System Manager"]),
			),
			start=900_001,
		):
			frappe.db.sql(
				"""insert into tabDocShare (name, owner, user, share_doctype, share_name, `read`, `write`)
				values (%s, %s, %s, %s, %s, 1, 1)""",
				(number, owner, OUTSIDER, doctype, name),
			)
		drop_shares.execute()
		left = frappe.get_all(
			"DocShare",
			{"user": OUTSIDER, "share_doctype": ("!=", "User")},
			["share_doctype", "owner"],
			as_list=True,
		)
		self.assertEqual(list(left), [("Memora Lesson", self.users[EDITOR])])


def _title() -> str:
	return f"Made {frappe.generate_hash(length=8)}"
