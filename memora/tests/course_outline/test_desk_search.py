"""Frappe's own search of the Desk: titles and descriptions of content for whoever may read them, and nothing of its stages."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.model.document import Document
from frappe.utils import global_search

from memora.install import EDITOR
from memora.services.cdn_export.model.doctypes import CONTENT, LESSON
from memora.services.course_outline import desk_search
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.web import Web

METHOD = "frappe.utils.global_search.search"
SETTINGS = "Global Search Settings"


def allowed() -> list[str]:
	return [row.document_type for row in frappe.get_doc(SETTINGS).allowed_in_global_search]


class TestDeskSearch(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.web = Web()
		cls.editor = cls.web.make_user("editor@desk-search.test", EDITOR)
		cls.manager = cls.web.make_user("manager@desk-search.test", "System Manager")
		cls.nobody = cls.web.make_user("nobody@desk-search.test")
		before = allowed()
		cls.addClassCleanup(frappe.db.commit)
		for user in (cls.editor, cls.manager, cls.nobody):
			cls.addClassCleanup(frappe.delete_doc, "User", user, force=True, ignore_permissions=True)
		cls.addClassCleanup(cls.allow, before)

	@classmethod
	def allow(cls, doctypes: list[str]) -> None:
		settings = frappe.get_doc(SETTINGS)
		settings.allowed_in_global_search = []
		for doctype in doctypes:
			settings.append("allowed_in_global_search", {"document_type": doctype})
		settings.save(ignore_permissions=True)

	def setUp(self) -> None:
		super().setUp()
		self.allow(["ToDo"])
		frappe.db.delete("__global_search", {"doctype": ("in", CONTENT)})
		self.course = make_course(title="Zoology")
		self.lesson: Document = self.course["lessons"][0]
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "User Permission", {"user": self.editor})
		self.addCleanup(frappe.cache.hdel, "user_permissions", self.editor)

	def found(self, text: str, user: str = "") -> dict[str, Any]:
		"""What Frappe's own endpoint answers for content, by name."""
		global_search.sync_global_search()
		frappe.db.commit()
		answer = self.web.call(user or self.editor, METHOD, http="GET", text=text, start=0, limit=100)
		self.assertEqual(answer.status_code, 200, answer.text)
		return {row["name"]: row for row in answer.json["message"] if row["doctype"] in CONTENT}

	def test_titles_and_descriptions_are_found_in_every_alphabet_and_stages_are_not(self) -> None:
		desk_search.offer()
		stage = {"title": "s", "type": "Text", "config": '{"text": "hippopotamus"}'}
		self.change(self.lesson, title="Quagga <3>", description="Perissodactyla", stages=[stage])
		arabic = factories.make_lesson(title="الحيوانات المنقرضة", parent_topic=self.lesson.parent_topic)
		row = self.found("quagga")[self.lesson.name]
		self.assertEqual(row["title"], "Quagga ﹤3﹥")
		way = [doc.title for doc in (self.course["subject"], self.course["track"])]
		self.assertEqual(row["way"].split(" › ")[:2], way)
		self.assertIn(self.lesson.name, self.found("perissodactyla"))
		self.assertIn(arabic.name, self.found("المنقرضة"))
		self.assertEqual(self.found("hippopotamus"), {})
		self.assertIn(self.course["subject"].name, self.found("zoology"))
		frappe.delete_doc(LESSON, self.lesson.name)
		self.assertEqual(self.found("quagga"), {})

	def test_only_what_the_caller_may_read_is_found(self) -> None:
		others = make_course(title="Zoology of others")
		desk_search.offer()
		self.assertEqual(self.found("zoology", self.nobody), {})
		self.assertEqual(self.found("zoology").keys() & {others["subject"].name}, {others["subject"].name})
		values = {"allow": "Memora Subject", "for_value": self.course["subject"].name}
		frappe.get_doc(
			{"doctype": "User Permission", "user": self.editor, "apply_to_all_doctypes": 1, **values}
		).insert(ignore_permissions=True)
		frappe.cache.hdel("user_permissions", self.editor)
		self.change(others["lessons"][0], title="Zoology, secret")
		self.assertEqual(set(self.found("zoology")), {self.course["subject"].name})

	def test_it_is_offered_where_the_site_restricts_no_editor_beside_what_is_searched_already(self) -> None:
		frappe.db.delete("__global_search", {"doctype": ("in", CONTENT)})
		for _ in range(2):
			desk_search.offer()
			self.assertEqual(allowed(), ["ToDo", *CONTENT])
		self.assertIn(self.course["subject"].name, self.found("zoology"))

		self.allow(["ToDo"])
		values = {"user": self.editor, "allow": LESSON, "for_value": self.lesson.name}
		frappe.get_doc({"doctype": "User Permission", **values}).insert(ignore_permissions=True)
		desk_search.offer()
		self.assertEqual(allowed(), ["ToDo"])

	def test_what_is_searched_of_other_apps_is_as_it_was(self) -> None:
		note = frappe.get_doc({"doctype": "ToDo", "description": "aardvark"}).insert()
		self.addCleanup(frappe.delete_doc, "ToDo", note.name)
		global_search.sync_global_search()
		frappe.db.commit()
		answer = self.web.call(self.manager, METHOD, http="GET", text="aardvark")
		self.assertEqual(answer.status_code, 200, answer.text)
		self.assertIn(note.name, {row["name"] for row in answer.json["message"]})
		rows = desk_search.search("aardvark", 0, 20, "")
		self.assertEqual(rows, global_search.search("aardvark"))
