"""A form that is open while its document is moved in the outline saves without a conflict, and moves nothing back."""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe.desk.form.save import savedocs
from frappe.model.document import Document

from memora.services.cdn_export.model.doctypes import PARENT_FIELDS
from memora.tests.helpers import factories
from memora.tests.helpers.outline import OutlineTestCase
from memora.tests.helpers.publishing import chain, make_course


class TestOpenForms(OutlineTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()

	def opened(self, doc: Document) -> dict[str, Any]:
		"""A document as a form of memora holds it."""
		values = frappe.get_doc(doc.doctype, doc.name).as_dict(convert_dates_to_str=True)
		parent = values.get(PARENT_FIELDS[doc.doctype], "")
		return {**values, "__memora_place": {"parent": parent, "sort_order": values["sort_order"]}}

	def save(self, form: dict[str, Any], **typed: Any) -> Document:
		savedocs(json.dumps({**form, **typed}, default=str), "Save")
		return frappe.get_doc(form["doctype"], form["name"])

	def test_every_kind_stays_where_the_outline_has_put_it(self) -> None:
		other = make_course()
		homes = chain(other)
		for doc, home in zip(chain(self.course)[1:], homes, strict=False):
			with self.subTest(doc.doctype):
				form = self.opened(doc)
				sibling = frappe.get_last_doc(doc.doctype, {PARENT_FIELDS[doc.doctype]: home.name})
				agreed = self.move(doc, sibling, None, home)
				if "ask" in agreed:
					self.fail("nothing is in a plan here")
				stored = frappe.get_doc(doc.doctype, doc.name)
				saved = self.save(form, title="Typed")
				self.assertEqual(saved.title, "Typed")
				for field in ("sort_order", PARENT_FIELDS[doc.doctype]):
					self.assertEqual(saved.get(field), stored.get(field))

	def test_a_field_that_was_changed_in_the_form_is_obeyed(self) -> None:
		lesson, topic = self.course["lessons"][0], self.course["topics"][1]
		form = self.opened(lesson)
		self.move(lesson, self.course["lessons"][1], None)
		stored = frappe.db.get_value(lesson.doctype, lesson.name, "sort_order")
		saved = self.save(form, parent_topic=topic.name)
		self.assertEqual((saved.parent_topic, saved.sort_order), (topic.name, stored))
		saved = self.save(self.opened(lesson), sort_order="7")
		self.assertEqual((saved.parent_topic, saved.sort_order), (topic.name, 7))

	def test_a_parent_that_is_gone_meanwhile_is_no_obstacle(self) -> None:
		topic = factories.make_topic(parent_unit=self.course["units"][0].name)
		lesson = factories.make_lesson(parent_topic=topic.name)
		form = self.opened(lesson)
		self.move(lesson, self.course["lessons"][1], None, self.course["topics"][0])
		frappe.delete_doc("Memora Topic", topic.name)
		self.assertEqual(self.save(form).parent_topic, self.course["topics"][0].name)

	def test_whatever_else_is_sent_for_it_changes_nothing(self) -> None:
		lesson = self.course["lessons"][0]
		for sent in (None, "", "x", "[1]", [1], 7, {}, {"parent": None, "sort_order": []}, '{"parent": 1}'):
			form = {**self.opened(lesson), "__memora_place": sent}
			saved = self.save(form, sort_order=5)
			self.assertEqual((saved.sort_order, saved.parent_topic), (5, lesson.parent_topic))
			self.save(self.opened(lesson), sort_order=1)
		new = {"doctype": "Memora Lesson", "title": "t", "parent_topic": lesson.parent_topic, "__islocal": 1}
		savedocs(
			json.dumps({**new, "name": "new-1", "__memora_place": {"parent": "x", "sort_order": None}}),
			"Save",
		)
