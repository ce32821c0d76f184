"""What was deleted is brought back by whoever may create it, in every version of Frappe: tried over HTTP."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.model.document import Document

from memora.install import ADMIN, EDITOR
from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PLAN
from memora.services.cdn_export.state import database
from memora.services.course_outline.trash import KINDS
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.web import Web

NOBODY = "Desk User"
RESTORE, LIST = "memora.api.trash.restore", "memora.api.trash.entries"


class TestDeleted(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.web = Web()
		cls.users = {
			role: cls.web.make_user(f"{frappe.scrub(role)}@deleted.test", *([] if role == NOBODY else [role]))
			for role in (EDITOR, ADMIN, "System Manager", NOBODY)
		}
		cls.addClassCleanup(frappe.db.commit)
		for user in cls.users.values():
			cls.addClassCleanup(frappe.delete_doc, "User", user, force=True, ignore_permissions=True)

	def setUp(self) -> None:
		super().setUp()
		self.editor = self.users[EDITOR]
		self.addCleanup(database.fresh)

	def delete(self, doc: Document) -> str:
		"""Delete a document; returns the name of what Frappe keeps of it."""
		frappe.delete_doc(doc.doctype, doc.name, force=True, ignore_permissions=True)
		frappe.db.commit()
		return frappe.get_value("Deleted Document", {"deleted_name": doc.name, "restored": 0})

	def restore(self, user: str, name: str) -> int:
		status = self.web.call(user, RESTORE, name=name).status_code
		database.fresh()
		return status

	def listed(self, user: str, doctype: str, text: str = "") -> list[str]:
		answer = self.web.call(user, LIST, http="GET", doctype=doctype, text=text)
		self.assertEqual(answer.status_code, 200, answer.text)
		return [row["title"] for row in answer.json["message"]["rows"]]

	def make(self, doctype: str) -> Document:
		if doctype not in (*CONTENT, PLAN):
			return factories.make(doctype)
		return getattr(factories, f"make_{doctype.split()[-1].lower()}")()

	def test_whoever_may_create_restores_every_kind(self) -> None:
		for doctype in KINDS:
			doc = self.make(doctype)
			for role in (EDITOR, "System Manager"):
				with self.subTest(f"{role}: {doctype}"):
					name = self.delete(doc)
					self.assertIn(doc.title, self.listed(self.users[role], doctype))
					self.assertEqual(self.restore(self.users[role], name), 200)
					self.assertEqual(frappe.db.get_value(doctype, doc.name, "title"), doc.title)
					self.assertNotIn(doc.title, self.listed(self.users[role], doctype))

	def test_nobody_else_sees_or_restores_any(self) -> None:
		for doctype in KINDS:
			doc = self.make(doctype)
			name = self.delete(doc)
			for user in (self.users[ADMIN], self.users[NOBODY], "Guest"):
				with self.subTest(f"{user}: {doctype}"):
					answer = self.web.call(user, LIST, http="GET", doctype=doctype)
					self.assertEqual(answer.status_code, 403)
					self.assertNotIn(doc.title, answer.text.replace(doctype, ""))
					self.assertEqual(self.restore(user, name), 403)
					self.assertFalse(frappe.db.exists(doctype, doc.name))

	def test_only_memoras_documents_are_restored_and_only_by_post(self) -> None:
		note = frappe.get_doc({"doctype": "ToDo", "description": "A secret"}).insert()
		name = self.delete(note)
		self.addCleanup(frappe.db.delete, "Deleted Document", {"name": name})
		for user in (self.editor, self.users["System Manager"]):
			self.assertEqual(self.restore(user, name), 404)
			for doctype in ("ToDo", "User", "CDN Settings", "CDN File", "Memora Lesson Stage", "x"):
				answer = self.web.call(user, LIST, http="GET", doctype=doctype)
				self.assertEqual(answer.status_code, 403, doctype)
				self.assertNotIn("secret", answer.text)
		lesson = factories.make_lesson()
		name = self.delete(lesson)
		self.assertNotEqual(self.web.call(self.editor, RESTORE, http="GET", name=name).status_code, 200)
		database.fresh()
		self.assertFalse(frappe.db.exists(LESSON, lesson.name))

	def test_a_document_is_restored_once(self) -> None:
		lesson = factories.make_lesson()
		name = self.delete(lesson)
		self.assertEqual([self.restore(self.editor, name) for _ in range(2)], [200, 404])
		self.assertEqual(self.restore(self.editor, "no-such"), 404)

	def test_what_it_hung_in_is_named_where_that_is_gone(self) -> None:
		topic = factories.make_topic(title="Light")
		lesson = factories.make_lesson(parent_topic=topic.name)
		names = [self.delete(doc) for doc in (lesson, topic)]
		answer = self.web.call(self.editor, RESTORE, name=names[0])
		offered = [{"doctype": "Memora Topic", "title": "Light", "below": 0}]
		self.assertEqual(answer.json["message"], {"also": offered})
		database.fresh()
		self.assertFalse(frappe.db.exists(LESSON, lesson.name))
		self.assertEqual([self.restore(self.editor, name) for name in reversed(names)], [200, 200])

	def test_it_is_found_by_its_title_as_it_was_typed(self) -> None:
		titles = ["a < b & 100%", "100 words", "الجبر", 'say "x"']
		for title in titles:
			self.delete(factories.make("Memora Grade", title=title))
		for title in titles:
			self.assertEqual(self.listed(self.editor, "Memora Grade", title), [title])
		self.assertEqual(self.listed(self.editor, "Memora Grade", "100"), titles[1::-1])
		self.assertEqual(self.listed(self.editor, "Memora Grade"), titles[::-1])

	def test_user_permissions_hold(self) -> None:
		mine, others = make_course(title="Mine"), make_course(title="Secret")
		allowed: dict[str, Any] = {"allow": "Memora Subject", "for_value": mine["subject"].name}
		frappe.get_doc(
			{"doctype": "User Permission", "user": self.editor, "apply_to_all_doctypes": 1, **allowed}
		).insert(ignore_permissions=True)
		frappe.db.commit()  # before anybody may ask, and keep the answer
		self.addCleanup(frappe.cache.hdel, "user_permissions", self.editor)
		self.addCleanup(frappe.db.delete, "User Permission", {"user": self.editor})
		frappe.cache.hdel("user_permissions", self.editor)
		for course in (mine, others):
			lesson = course["lessons"][0]
			name = self.delete(lesson)
			is_mine = course is mine
			self.assertEqual(lesson.title in self.listed(self.editor, LESSON), is_mine)
			self.assertEqual(self.restore(self.editor, name), 200 if is_mine else 403)
		# Where all above it is gone too, its owner is unknown.
		for doc in (*others["lessons"][1:], *others["topics"], *others["units"], others["track"]):
			self.delete(doc)
		for doctype in CONTENT[1:]:
			self.assertEqual(self.listed(self.editor, doctype), [], doctype)
