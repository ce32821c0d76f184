"""Tests of the course page: what they read of an outline, and whom they ask as."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.model.document import Document

from memora.api import course, outline
from memora.install import ADMIN, EDITOR
from memora.services.cdn_export.model.doctypes import PARENT_FIELDS
from memora.tests.helpers import factories
from memora.tests.helpers.frappe_versions import set_in_test
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.users import make_user

NO_ROLE = "Desk User"
REFUSED = (frappe.PermissionError, frappe.DoesNotExistError)


def row(doc: Document) -> str:
	return f"{doc.doctype}:{doc.name}"


def published(*docs: Document) -> list[bool]:
	return [bool(frappe.db.get_value(doc.doctype, doc.name, "is_published")) for doc in docs]


def run(undo: dict[str, Any]) -> Any:
	"""Call what an `undo` says, as the page does."""
	return getattr(course, undo["method"].rpartition(".")[2])(**undo["args"])


class OutlineTestCase(PublishingTestCase):
	def order(self, parent: Document | str, subject: str = "") -> list[str]:
		"""The titles below a parent, as the outline shows them."""
		name = getattr(parent, "name", parent)
		return [row["title"] for row in self.branch(name, subject)]

	def branch(self, name: str, subject: str = "") -> list[dict[str, Any]]:
		subject = subject or self.course["subject"].name
		return outline.outline(subject, [name])["branches"][name]

	def lessons(self, topic: Document, *places: int) -> list[Document]:
		"""Published lessons called a, b, c … with these places."""
		return [
			factories.make_lesson(title=title, parent_topic=topic.name, is_published=1, sort_order=place)
			for title, place in zip("abcdefghij", places, strict=False)
		]

	def move(self, doc: Document, after: Document | None, before: Document | None, parent: Any = None) -> Any:
		field = PARENT_FIELDS[doc.doctype]
		return course.move(
			doc.doctype,
			doc.name,
			getattr(parent, "name", None) or frappe.db.get_value(doc.doctype, doc.name, field),
			after.name if after else "",
			before.name if before else "",
		)


class RolesTestCase(OutlineTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		roles = (EDITOR, ADMIN, "System Manager", NO_ROLE)
		cls.users = {role: make_user(cls, f"{frappe.scrub(role)}@course.test", role) for role in roles}

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(set_in_test, True)
		self.course, self.others = make_course(title="Mine"), make_course(title="Secret")

	def become(self, user: str) -> None:
		frappe.set_user(user)
		set_in_test(False)
