"""What a new document is by default: a draft, and the last among its siblings."""

import frappe
from frappe import client
from frappe.model.document import Document

from memora.services.cdn_export.rules.sibling_order import GAP
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course
from memora.tests.helpers.utils import MemoraTestCase

FIRST_AND_HIGHEST = (0, 2**31 - 1)


def duplicate(doc: Document, **fields: object) -> Document:
	"""As the Desk's Duplicate: everything but what is not to be copied."""
	doc.reload()
	copy = frappe.copy_doc(doc, ignore_no_copy=False)
	copy.update(fields)
	return copy.insert()


class TestDuplicates(PublishingTestCase):
	def test_a_duplicate_of_what_is_live_is_a_draft_and_the_last(self) -> None:
		course = make_course()
		plan = factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		before = self.contents()
		for doc in chain(course):
			copy = duplicate(doc)
			self.assertEqual(copy.is_published, 0, doc.doctype)
			siblings = frappe.get_all(doc.doctype, {"name": ("!=", copy.name)}, pluck="sort_order")
			self.assertGreater(copy.sort_order, max(siblings), doc.doctype)
		self.publish()
		self.assertWritten(before, set())
		self.assertEqual(
			[stage.idx for stage in frappe.get_last_doc("Memora Lesson").stages],
			list(range(1, len(course["lessons"][0].stages) + 1)),
		)

		copy = duplicate(plan, title="Another")
		self.assertEqual(copy.is_published, 0)

	def test_a_plan_with_overrides_is_duplicated_with_them(self) -> None:
		course = make_course()
		plan = factories.make_plan(
			[course["subject"]],
			is_published=1,
			overrides=[
				factories.override(course["units"][0], "Hide"),
				factories.override(course["lessons"][3], "Rename", "Other"),
			],
		)
		copy = duplicate(plan, title="Next year")
		self.assertEqual(
			[(row.idx, row.target_name, row.action, row.override_value) for row in copy.overrides],
			[(row.idx, row.target_name, row.action, row.override_value) for row in plan.overrides],
		)
		self.assertEqual(copy.is_published, 0)


class TestPlace(MemoraTestCase):
	def test_what_is_given_no_place_comes_last_by_whatever_way_it_is_made(self) -> None:
		topic = factories.make_topic()
		given = {"doctype": "Memora Lesson", "parent_topic": topic.name}
		ways = (
			lambda title: frappe.get_doc({**given, "title": title}).insert().name,
			lambda title: frappe.get_doc({**given, "title": title, "sort_order": None}).insert().name,
			lambda title: client.insert({**given, "title": title}).name,
			lambda title: (
				frappe.new_doc("Memora Lesson", parent_topic=topic.name, title=title).insert().name
				if _new_doc_takes_values()
				else _filled(topic.name, title)
			),
			lambda title: client.insert({**given, "title": title, "sort_order": ""}).name,
		)
		factories.make_lesson(parent_topic=topic.name, sort_order=7)
		for number, way in enumerate(ways, start=1):
			name = way(f"Lesson {number}")
			self.assertEqual(frappe.db.get_value("Memora Lesson", name, "sort_order"), 7 + number * GAP)

	def test_a_place_that_is_given_is_kept_also_the_first(self) -> None:
		topic = factories.make_topic()
		factories.make_lesson(parent_topic=topic.name, sort_order=7)
		for place in (0, -3, 2, "0"):
			lesson = client.insert(
				{"doctype": "Memora Lesson", "parent_topic": topic.name, "title": "t", "sort_order": place}
			)
			self.assertEqual(frappe.db.get_value("Memora Lesson", lesson.name, "sort_order"), int(place))

	def test_a_place_that_is_emptied_later_is_0(self) -> None:
		lesson = factories.make_lesson(sort_order=7)
		lesson.sort_order = None
		lesson.save()
		self.assertEqual(frappe.db.get_value("Memora Lesson", lesson.name, "sort_order"), 0)

	def test_siblings_are_those_below_the_same_parent(self) -> None:
		factories.make_lesson(sort_order=50)
		topic = factories.make_topic()
		places = [factories.make_lesson(parent_topic=topic.name).sort_order for _ in range(3)]
		self.assertEqual(places, [0, GAP, 2 * GAP])

	def test_subjects_and_grades_have_places_too(self) -> None:
		for doctype in ("Memora Subject", "Memora Grade"):
			first = factories.make(doctype)
			self.assertGreater(factories.make(doctype).sort_order, first.sort_order)

	def test_behind_the_highest_place_the_moment_decides(self) -> None:
		topic = factories.make_topic()
		for place in FIRST_AND_HIGHEST:
			factories.make_lesson(parent_topic=topic.name, sort_order=place)
		last = factories.make_lesson(parent_topic=topic.name)
		self.assertEqual(last.sort_order, 2**31 - 1)

	def test_a_data_import_without_a_column_for_it_adds_at_the_end_and_one_with_it_is_obeyed(self) -> None:
		topic = factories.make_topic()
		factories.make_lesson(parent_topic=topic.name, sort_order=7)
		self.assertEqual(
			self._imported(topic.name, "Title,Topic", "a", "b"), {"a": 7 + GAP, "b": 7 + 2 * GAP}
		)
		self.assertEqual(
			self._imported(topic.name, "Title,Topic,Sort Order", "c", "d", places=(0, 3)), {"c": 0, "d": 3}
		)

	def _imported(self, topic: str, head: str, *titles: str, places: tuple = ()) -> dict[str, int]:
		# Not at the top: with it Frappe opens a log beside the folder that the tests are collected in.
		from frappe.core.doctype.data_import.importer import Importer

		labels = {field.fieldname: field.label for field in frappe.get_meta("Memora Lesson").fields}
		head = head.replace("Topic", labels["parent_topic"])
		rows = [[title, topic, *places[number : number + 1]] for number, title in enumerate(titles)]
		lines = [head, *(",".join(map(str, row)) for row in rows)]
		file = frappe.get_doc(
			{"doctype": "File", "file_name": "lessons.csv", "content": "\n".join(lines), "is_private": 1}
		).insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "File", file.name)
		job = frappe.get_doc(
			{
				"doctype": "Data Import",
				"reference_doctype": "Memora Lesson",
				"import_type": "Insert New Records",
				"import_file": file.file_url,
			}
		).insert()
		self.addCleanup(frappe.delete_doc, "Data Import", job.name, force=True)
		Importer("Memora Lesson", data_import=job).import_data()
		return {
			title: frappe.db.get_value("Memora Lesson", {"title": title}, "sort_order") for title in titles
		}


def _new_doc_takes_values() -> bool:
	return "kwargs" in frappe.new_doc.__code__.co_varnames


def _filled(topic: str, title: str) -> str:
	doc = frappe.new_doc("Memora Lesson")
	doc.update({"parent_topic": topic, "title": title})
	return doc.insert().name
