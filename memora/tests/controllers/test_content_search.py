"""Link boxes and the lists' filters: content found by its title and by those above it, in few statements."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe
from frappe.desk import search
from frappe.desk.search import search_link

from memora import install
from memora.api import links, publishing
from memora.install import EDITOR
from memora.memora import content_search
from memora.services.cdn_export.model.doctypes import CONTENT
from memora.tests.helpers import factories
from memora.tests.helpers.frappe_versions import set_in_test
from memora.tests.helpers.statements import rows_read, statements
from memora.tests.helpers.users import drop_user_permissions, make_user
from memora.tests.helpers.utils import MemoraTestCase

USER = "searching@memora.test"
ATTACK = "<img src=x onerror=alert(1)>"


def ours(seen: list[str]) -> list[str]:
	"""The statements that read content. Frappe reads what is shared with the user beside them, after v15."""
	return [statement for statement in seen if "tabDocShare" not in statement]


class TestContentSearch(MemoraTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(cls, USER, EDITOR)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(drop_user_permissions, USER)
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(set_in_test, True)
		self.maths, self.music = (factories.make_subject(title=title) for title in ("Mathematics", "Music"))
		self.geometry = factories.make_track(title="Geometry", parent_subject=self.maths.name)
		self.rhythm = factories.make_track(title="Rhythm", parent_subject=self.music.name)
		self.shapes = factories.make_unit(title="Shapes", parent_track=self.geometry.name)
		self.beats = factories.make_unit(title="Beats", parent_track=self.rhythm.name)
		self.angles = factories.make_topic(title="Angles", parent_unit=self.shapes.name)
		self.counting = factories.make_topic(title="Counting angles", parent_unit=self.beats.name)
		self.lesson = factories.make_lesson(title="Right angles", parent_topic=self.angles.name)

	def offered(self, doctype: str, text: str, **options: Any) -> list[tuple[str, str]]:
		"""What a link box offers: the titles, each with what is written below it."""
		frappe.response.pop("results", None)
		answer = search_link(doctype, text, **options)
		if answer is None:  # early v15
			answer = frappe.response["results"]
		return [(row["label"], row["description"]) for row in answer]

	def titles(self, doctype: str, text: str, **options: Any) -> list[str]:
		return [title for title, _way in self.offered(doctype, text, **options)]

	def become(self, *permitted: Any) -> None:
		for doc in permitted:
			row = {"doctype": "User Permission", "user": USER, "allow": doc.doctype, "for_value": doc.name}
			frappe.get_doc({**row, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
		frappe.cache.hdel("user_permissions", USER)
		frappe.set_user(USER)
		set_in_test(False)

	def test_a_link_box_says_the_way_behind_the_title(self) -> None:
		self.assertEqual(
			self.offered("Memora Topic", "angles"),
			[
				("Angles", f"{self.angles.name}, Mathematics › Geometry › Shapes"),
				("Counting angles", f"{self.counting.name}, Music › Rhythm › Beats"),
			],
		)
		self.assertEqual(self.offered("Memora Subject", "mus"), [("Music", self.music.name)])

	def test_each_word_is_looked_for_in_the_title_and_above_it(self) -> None:
		for text in ("angles geometry", "GEOMETRY  shapes", "Mathematics › Geometry › Ang", "math ang"):
			self.assertEqual(self.titles("Memora Topic", text), ["Angles"], text)
		self.assertEqual(self.titles("Memora Topic", "angles geometry music"), [])
		self.assertEqual(self.titles("Memora Topic", "%"), [])
		self.assertEqual(self.titles("Memora Lesson", "geometry"), ["Right angles"])

	def test_what_is_called_so_itself_comes_first_and_without_a_text_what_was_changed_last(self) -> None:
		shapes = factories.make_topic(title="Shapes", parent_unit=self.beats.name)
		self.assertEqual(self.titles("Memora Topic", "shapes"), ["Shapes", "Angles"])
		self.assertEqual(self.titles("Memora Topic", "")[0], "Shapes")
		shapes.delete()

	def test_the_name_that_was_picked_is_found_by_itself(self) -> None:
		self.assertEqual(self.titles("Memora Topic", self.angles.name), ["Angles"])
		found = search.search_widget("Memora Topic", self.angles.name, page_length=25_000)
		rows = found or frappe.response.get("values")
		self.assertEqual(rows[0][0], self.angles.name)

	def test_a_dialog_of_frappes_gets_dicts(self) -> None:
		way = "Mathematics › Geometry › Shapes"
		self.assertEqual(
			links.search_content("Memora Topic", "geometry", as_dict=True),
			[{"name": self.angles.name, "label": "Angles", "way": way}],
		)

	def test_what_hangs_nowhere_is_found_too(self) -> None:
		frappe.db.set_value("Memora Unit", self.shapes.name, "parent_track", "gone")
		self.assertEqual(self.offered("Memora Topic", "shapes ang")[0][1], f"{self.angles.name}, Shapes")

	def test_the_boxes_filters_hold(self) -> None:
		for filters in (
			[["name", "not in", [self.angles.name]]],
			[["Memora Topic", "title", "!=", "Angles"]],
			{"name": ["!=", self.angles.name]},
			{"parent_unit": self.beats.name},
		):
			self.assertEqual(
				self.titles("Memora Topic", "angles", filters=frappe.as_json(filters)), ["Counting angles"]
			)
		for filters in (
			[["nothing", "=", 1]],
			[["name", "regexp", "x"]],
			{"name": ["=", {"a": 1}]},
			[[]],
			["x"],
		):
			with self.assertRaises(frappe.ValidationError, msg=str(filters)):
				links.search_content("Memora Topic", filters=filters)

	def test_a_user_is_offered_only_what_he_may_see(self) -> None:
		self.become(self.maths)
		self.assertEqual(self.titles("Memora Topic", "angles"), ["Angles"])
		self.assertEqual(self.titles("Memora Topic", "music"), [])
		self.assertEqual(self.titles("Memora Subject", ""), ["Mathematics"])
		targets = publishing.search_targets("Memora Topic", "angles", filters={"subjects": [self.music.name]})
		self.assertEqual(targets, [])
		self.assertEqual(links.parents_within("Memora Lesson", [f"Memora Subject:{self.music.name}"]), [])

	def test_who_may_see_no_content_is_refused(self) -> None:
		frappe.get_doc("User", USER).remove_roles(EDITOR)
		self.addCleanup(frappe.get_doc("User", USER).add_roles, EDITOR)
		self.become()
		for call in (
			lambda: links.search_content("Memora Topic"),
			lambda: links.parents_within("Memora Lesson", [f"Memora Subject:{self.maths.name}"]),
			lambda: links.search_content("User"),
		):
			with self.assertRaises(frappe.PermissionError):
				call()

	def test_no_title_is_markup_however_it_was_written(self) -> None:
		frappe.db.set_value("Memora Unit", self.shapes.name, "title", ATTACK)
		frappe.db.set_value("Memora Topic", self.angles.name, "title", ATTACK)
		for found in (
			links.search_content("Memora Topic", "onerror"),
			publishing.search_targets("Memora Topic", "onerror", filters={"subjects": [self.maths.name]}),
		):
			self.assertEqual(found[0][1], "﹤img src=x onerror=alert(1)﹥")
			self.assertEqual(found[0][2], "Mathematics › Geometry › ﹤img src=x onerror=alert(1)﹥")
		self.assertEqual(len(links.search_content("Memora Topic", "<img")), 1)

	def test_twenty_are_offered_by_one_statement_however_many_there_are(self) -> None:
		factories.make_many("Memora Lesson", self.angles, [f"Angles {place}" for place in range(300)])
		self.become(self.maths)
		for text in ("", "angles 1", "geometry angles"):
			links.search_content("Memora Lesson", text)  # what Frappe reads once
			with statements() as seen:
				self.assertEqual(len(links.search_content("Memora Lesson", text, page_len=10)), 20)
			self.assertEqual(len(ours(seen)), 1, seen)
		first, second = (
			[row[0] for row in links.search_content("Memora Lesson", "angles", start=start)]
			for start in (0, 20)
		)
		self.assertEqual(len({*first, *second}), 40)
		self.assertEqual(
			len(links.search_content("Memora Lesson", page_len=10**6)), content_search.MOST_FOUND
		)

	def test_the_last_changed_are_offered_and_the_others_not_read(self) -> None:
		read = []
		for count in (300, 600):
			factories.make_many("Memora Lesson", self.angles, [f"{count} {place}" for place in range(count)])
			frappe.db.commit()
			frappe.db.sql("analyze table `tabMemora Lesson`")
			links.search_content("Memora Lesson")
			with rows_read() as found:
				self.assertEqual(len(links.search_content("Memora Lesson")), 20)
			read.append(found.rows)
		self.assertLessEqual(read[1], read[0] + 20)

	def test_a_migration_gives_tables_the_index_of_what_was_changed_last(self) -> None:
		"""Frappe 16 drops it from tables that are not sorted by it, and 17 makes none."""
		frappe.db.commit()
		frappe.db.sql_ddl("alter table `tabMemora Lesson` drop index `modified`")
		install.after_migrate()
		self.assertTrue(frappe.db.has_index("tabMemora Lesson", "modified"))

	def test_a_list_is_filtered_by_what_is_above_its_parents(self) -> None:
		other = factories.make_topic(title="Sides", parent_unit=self.shapes.name)
		within = links.parents_within
		for doc in (self.maths, self.geometry, self.shapes):
			found = within("Memora Lesson", [f"{doc.doctype}:{doc.name}"])
			self.assertEqual(set(found), {self.angles.name, other.name}, doc.doctype)
		both = [f"{doc.doctype}:{doc.name}" for doc in (self.maths, self.rhythm)]
		self.assertEqual(within("Memora Lesson", both), [])
		self.assertEqual(within("Memora Unit", [f"Memora Subject:{self.music.name}"]), [self.rhythm.name])
		self.become(self.maths)
		within("Memora Lesson", [f"Memora Subject:{self.maths.name}"])
		with statements() as seen:
			within("Memora Lesson", [f"Memora Subject:{self.maths.name}"])
		self.assertEqual(len(ours(seen)), 1, seen)

	def test_a_list_is_filtered_by_nothing_else(self) -> None:
		for doctype, asked in (
			("Memora Lesson", []),
			("Memora Lesson", [f"Memora Topic:{self.angles.name}"]),
			("Memora Track", [f"Memora Subject:{self.maths.name}"]),
			("Memora Subject", [f"Memora Subject:{self.maths.name}"]),
			("User", ["User:Administrator"]),
			("Memora Lesson", ["nothing"]),
		):
			with self.assertRaises(frappe.ValidationError, msg=doctype):
				links.parents_within(doctype, asked)

	def test_every_kind_of_content_is_searched_so(self) -> None:
		queries = frappe.get_hooks("standard_queries")
		for doctype in CONTENT:
			self.assertEqual(queries[doctype], ["memora.api.links.search_content"])
			with patch.object(content_search, "find", return_value=[]) as find:
				search_link(doctype, "x")
			find.assert_called_once()
