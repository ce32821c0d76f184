"""What each way of changing content leaves in its history: the state before, who and when, in one statement."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document

from memora.api import course
from memora.install import ADMIN, EDITOR
from memora.services.history import entries, recording
from memora.tests.helpers import factories
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import chain, make_course
from memora.tests.helpers.statements import statements
from memora.tests.helpers.users import make_user
from memora.tests.helpers.utils import MemoraTestCase

LESSON = "Memora Lesson"
USER = "history.writing@memora.test"


def stage(title: str, text: str = "Read") -> dict[str, str]:
	return {"title": title, "type": "Text", "config": json.dumps({"text": text})}


class HistoryTestCase(MemoraTestCase):
	def states(self, doc: Document) -> list[dict[str, Any]]:
		"""What the history has of a document, the oldest first."""
		found = entries.of_document(doc.doctype, doc.name)
		by_name = entries.states(doc.doctype, doc.name, [entry.name for entry in found])
		return [by_name[entry.name] for entry in reversed(found)]  # type: ignore[misc]

	def count(self) -> int:
		return frappe.db.count(entries.TABLE)

	def change(self, doc: Document, **values: Any) -> None:
		doc.reload()
		doc.update(values).save()

	def written(self, work: Callable[[], Any]) -> list[str]:
		with statements() as seen:
			work()
		return [each for each in seen if entries.TABLE in each]


class TestRecording(HistoryTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(cls, USER, EDITOR)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")
		self.lesson = factories.make_lesson(title="Light", stages=[stage("One"), stage("Two")])

	def test_a_new_document_costs_nothing_and_its_first_change_keeps_what_it_was(self) -> None:
		self.assertEqual(self.count(), 0)
		frappe.set_user(USER)
		self.change(self.lesson, title="Other light")
		(was,) = self.states(self.lesson)
		self.assertEqual((was["title"], [row["title"] for row in was["stages"]]), ("Light", ["One", "Two"]))
		self.assertNotIn("modified", was)
		(entry,) = entries.of_document(LESSON, self.lesson.name)
		self.assertEqual((entry.by, entry.event), (USER, "change"))

	def test_a_document_that_was_there_before_has_its_first_state(self) -> None:
		topic = frappe.get_doc("Memora Topic", self.lesson.parent_topic)
		(name,) = factories.make_many(LESSON, topic, ["From long ago"])
		doc = frappe.get_doc(LESSON, name)
		self.assertEqual(len(self.written(lambda: self.change(doc, title="New"))), 1)
		self.assertEqual([was["title"] for was in self.states(doc)], ["From long ago"])

	def test_each_save_is_one_insert_and_one_that_changes_nothing_none(self) -> None:
		for values, expected in (
			({"title": "Other"}, 1),
			({"stages": [stage("Three")]}, 1),
			({}, 0),
			({"sort_order": 7}, 0),
			({"is_published": 1}, 1),
			({"description": "About", "is_free_preview": 1}, 1),
		):
			seen = self.written(lambda values=values: self.change(self.lesson, **values))
			self.assertEqual(len(seen), expected, values)
		self.assertEqual(self.count(), 4)

	def test_the_order_of_stages_is_kept(self) -> None:
		self.lesson.reload()
		self.lesson.stages.reverse()
		for number, row in enumerate(self.lesson.stages, start=1):
			row.idx = number
		self.lesson.save()
		(was,) = self.states(self.lesson)
		self.assertEqual([row["title"] for row in was["stages"]], ["One", "Two"])

	def test_db_set_leaves_what_was_before_each_of_them(self) -> None:
		doc = frappe.get_doc(LESSON, self.lesson.name)
		for title in ("A", "B", "B", "C"):
			doc.db_set("title", title)
		self.assertEqual([was["title"] for was in self.states(doc)], ["Light", "A", "B"])
		doc.title = "D"
		doc.save()
		self.assertEqual(self.states(doc)[-1]["title"], "C")

	def test_a_stage_that_is_saved_added_or_deleted_by_itself_changes_its_lesson(self) -> None:
		row = frappe.get_doc("Memora Lesson Stage", self.lesson.stages[1].name)
		row.title = "Second"
		row.save()
		new = {"doctype": "Memora Lesson Stage", "parent": self.lesson.name, "parenttype": LESSON}
		frappe.get_doc({**new, "parentfield": "stages", "idx": 3, **stage("Third")}).insert()
		frappe.delete_doc("Memora Lesson Stage", row.name)
		self.assertEqual(
			[[row["title"] for row in was["stages"]] for was in self.states(self.lesson)],
			[["One", "Two"], ["One", "Second"], ["One", "Second", "Third"]],
		)

	def test_a_stage_that_names_no_table_of_its_lesson_is_saved_all_the_same(self) -> None:
		row = {"doctype": "Memora Lesson Stage", "parenttype": LESSON, "parent": self.lesson.name}
		row = frappe.get_doc({**row, **stage("Lost")}).insert()
		row.update({"title": "Found"}).save()
		row.delete()
		self.assertEqual([len(state["stages"]) for state in self.states(self.lesson)], [2])

	def test_a_rename_takes_the_history_along_by_one_statement(self) -> None:
		self.change(self.lesson, title="Other")
		seen = self.written(
			lambda: frappe.rename_doc(LESSON, self.lesson.name, "renamed-history", force=True)
		)
		self.assertEqual(len(seen), 1)
		self.assertEqual(
			[was["title"] for was in self.states(frappe.get_doc(LESSON, "renamed-history"))], ["Light"]
		)

	def test_a_row_that_is_renamed_has_no_history_to_take_along(self) -> None:
		(row, _other) = self.lesson.stages
		self.assertEqual(
			self.written(lambda: frappe.rename_doc(row.doctype, row.name, "renamed-row", force=True)), []
		)

	def test_a_deleted_document_has_its_history_when_it_comes_back(self) -> None:
		self.change(self.lesson, title="Other")
		self.assertEqual(len(self.written(lambda: frappe.delete_doc(LESSON, self.lesson.name))), 1)
		factories.bring_back(self.lesson)
		self.assertEqual([was["title"] for was in self.states(self.lesson)], ["Light", "Other"])

	def test_a_document_that_takes_the_name_of_a_deleted_one_has_a_history_of_its_own(self) -> None:
		values = {"doctype": LESSON, "parent_topic": self.lesson.parent_topic}
		other = factories.make_lesson(title="Before its rename")
		self.change(other, title="Renamed")
		self.change(self.lesson, title="Secret")
		(secret,) = [entry.name for entry in entries.of_document(LESSON, self.lesson.name)]
		frappe.delete_doc(LESSON, self.lesson.name)
		taker = frappe.get_doc({**values, "title": "Taker"}).insert(set_name=self.lesson.name)
		self.assertEqual(self.states(taker), [])
		self.change(taker, title="Later")
		self.assertEqual([was["title"] for was in self.states(taker)], ["Taker"])
		self.assertEqual(entries.states(LESSON, taker.name, [secret]), {})
		frappe.delete_doc(LESSON, taker.name)
		frappe.rename_doc(LESSON, other.name, self.lesson.name, force=True)
		self.assertEqual([was["title"] for was in self.states(self.lesson)], ["Before its rename"])
		self.assertEqual(entries.states(LESSON, self.lesson.name, [secret]), {})

	def test_what_is_rolled_back_was_never_there(self) -> None:
		frappe.db.commit()
		self.change(self.lesson, title="Other")
		frappe.db.rollback()
		self.assertEqual(self.count(), 0)

	def test_a_plan_keeps_its_subjects_and_overrides(self) -> None:
		made = make_course(units=1, lessons=1)
		plan = factories.make_plan([made["subject"]])
		self.change(plan, overrides=[factories.override(made["units"][0], "Hide")])
		self.change(plan, subjects=[], overrides=[])
		was = self.states(plan)[1]
		self.assertEqual(was["overrides"][0]["target_name"], made["units"][0].name)
		self.assertEqual([row["subject"] for row in was["subjects"]], [made["subject"].name])

	def test_admins_see_the_rows_and_nobody_the_states(self) -> None:
		self.change(self.lesson, title="Other")
		(entry,) = entries.of_document(LESSON, self.lesson.name)
		admin = make_user(self, "history.admin@memora.test", ADMIN)
		frappe.set_user(admin)
		(row,) = frappe.get_list(entries.TABLE, fields=["name", "ref_name", "owner"])
		self.assertEqual(row.ref_name, self.lesson.name)
		self.assertFalse(frappe.client.get(entries.TABLE, entry.name).get("state"))
		rows = frappe.get_list(entries.TABLE, fields=["name", "state"])
		self.assertFalse(rows[0].get("state"))
		frappe.set_user(USER)
		self.assertRaises(frappe.PermissionError, frappe.client.get, entries.TABLE, entry.name)

	def test_a_request_for_personal_data_finds_what_a_user_has_changed_and_harms_no_state(self) -> None:
		frappe.set_user(USER)
		self.change(self.lesson, title="Other")
		frappe.set_user("Administrator")
		(found,) = [hook for hook in frappe.get_hooks("user_data_fields") if hook["doctype"] == entries.TABLE]
		self.assertEqual(len(frappe.get_all(entries.TABLE, {found["filter_by"]: USER})), 1)
		request = frappe.get_doc({"doctype": "Personal Data Deletion Request", "email": USER})
		request.email, request.full_name, request.anon = USER, "e", "x"  # a name that every text holds
		request._PersonalDataDeletionRequest__redact_partial_match_data(found)
		self.assertEqual([was["title"] for was in self.states(self.lesson)], ["Light"])

	def test_a_user_who_is_renamed_or_deleted_leaves_what_he_has_changed(self) -> None:
		new = "history.renamed@memora.test"
		old, other = (make_user(self, f"history.{name}@memora.test", EDITOR) for name in ("old", "other"))
		for user, title in ((old, "First"), (other, "Second")):
			frappe.set_user(user)
			self.change(self.lesson, title=title)
		frappe.set_user("Administrator")

		def seen() -> list[tuple[str, str]]:
			rows = frappe.get_list(entries.TABLE, fields=["changed_by", "owner"], order_by="name")
			return [(row.changed_by, row.owner) for row in rows]

		frappe.rename_doc("User", old, new, force=True)
		self.assertEqual(seen(), [(new, new), (other, other)])
		frappe.delete_doc("User", new)
		self.assertEqual(seen(), [(new, new), (other, other)])
		self.assertEqual([was["title"] for was in self.states(self.lesson)], ["Light", "First"])

	def test_a_save_goes_on_without_the_table(self) -> None:
		frappe.db.commit()
		frappe.db.sql_ddl(f"alter table `tab{entries.TABLE}` rename to `tabMemora History Away`")
		try:
			self.change(self.lesson, title="Saved all the same")
			frappe.db.commit()
		finally:
			frappe.db.sql_ddl(f"alter table `tabMemora History Away` rename to `tab{entries.TABLE}`")
		self.assertEqual(frappe.db.get_value(LESSON, self.lesson.name, "title"), "Saved all the same")

	def test_a_save_goes_on_where_json_does_not_take_a_state_and_no_other_error_is_hidden(self) -> None:
		with patch.object(recording.states, "of", return_value={"title": "half a character: \ud800"}):
			recording.on_trash(self.lesson)
		self.assertEqual(self.count(), 0)
		with (
			patch.object(recording.states, "of", side_effect=TypeError("of the program")),
			self.assertRaisesRegex(TypeError, "of the program"),
		):
			recording.on_trash(self.lesson)

	def test_what_is_gone_for_good_leaves_no_history(self) -> None:
		self.change(self.lesson, title="Other")
		frappe.delete_doc(LESSON, self.lesson.name)
		entries.clear(180)
		self.assertEqual(self.count(), 2)
		frappe.db.delete("Deleted Document", {"deleted_name": self.lesson.name})
		entries.clear(180)
		self.assertEqual(self.count(), 0)


class TestCourseAndImports(HistoryTestCase):
	"""Each way to change many at once costs at most a statement for each document that changes."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=3)
		self.subject, self.track, self.unit, self.topic, self.lesson = chain(self.course)
		frappe.db.commit()

	def test_the_outline_moves_numbers_and_publishes(self) -> None:
		first, second, third = self.course["lessons"]
		other = factories.make_topic(parent_unit=self.unit.name)
		rows = [f"{LESSON}:{doc.name}" for doc in (first, second)]
		move = course.move
		for what, work, expected in (
			("order", lambda: move(LESSON, first.name, self.topic.name, second.name, third.name), 0),
			("parent", lambda: move(LESSON, first.name, other.name), 1),
			("publish", lambda: course.set_published(rows, 0), 2),
			("title", lambda: course.set_title("Memora Unit", self.unit.name, "U", self.unit.title), 1),
			("copies", lambda: course.duplicate([f"{LESSON}:{third.name}"]), 0),
		):
			self.assertEqual(len(self.written(work)), expected, what)
		(was, _published) = self.states(first)
		self.assertEqual(was["parent_topic"], self.topic.name)

	def test_an_import_costs_a_statement_for_each_document_that_it_changes(self) -> None:
		new = "Title,Topic,Published\n" + "".join(f"N{n},{self.topic.name},0\n" for n in range(4))
		self.assertEqual(len(self.written(lambda: self.data_import(new, "Insert New Records"))), 0)
		changed = "ID,Title\n" + "".join(f"{doc.name},Changed {doc.name}\n" for doc in self.course["lessons"])
		seen = self.written(lambda: self.data_import(changed, "Update Existing Records"))
		self.assertEqual(len(seen), 3)
		self.assertEqual(self.count(), 3)

	def data_import(self, csv: str, kind: str) -> None:
		file = frappe.get_doc(
			{
				"doctype": "File",
				"file_name": f"{frappe.generate_hash(length=8)}.csv",
				"content": csv,
				"is_private": 1,
			}
		).insert()
		self.addCleanup(frappe.delete_doc, "File", file.name, force=True)
		values = {"reference_doctype": LESSON, "import_type": kind, "import_file": file.file_url}
		job = frappe.get_doc({"doctype": "Data Import", **values}).insert()
		self.addCleanup(frappe.delete_doc, "Data Import", job.name, force=True)
		job.get_importer().import_data()
		job.reload()
		self.assertEqual(job.status, "Success", job.template_warnings)


class TestBounds(HistoryTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.lesson = factories.make_lesson(title="Large", stages=[stage("One")])

	def test_a_document_keeps_so_many_bytes_and_the_oldest_go(self) -> None:
		with patch.multiple(entries, MOST_BYTES=1_000_000, _LARGE=100_000):
			for number in range(8):
				# Digits of chance: nothing to pack.
				self.change(self.lesson, title=str(number), stages=[stage("One", os.urandom(100_000).hex())])
		kept = self.states(self.lesson)
		self.assertLess(sum(entry.size for entry in entries.of_document(LESSON, self.lesson.name)), 1_000_000)
		self.assertEqual([was["title"] for was in kept], [str(number) for number in range(7 - len(kept), 7)])
		self.assertGreater(len(kept), 3)

	def test_a_state_that_mariadb_would_not_take_leaves_who_and_when(self) -> None:
		with patch.multiple(entries, _SMALLEST_LIMIT=1_000, _LARGEST=2_000):
			self.change(self.lesson, stages=[stage("One", os.urandom(2_000).hex())])
			self.change(self.lesson, title="Still saved")
		self.assertEqual([bool(was) for was in self.states(self.lesson)], [True, False])

	def test_nobody_waits_while_the_history_is_cleared(self) -> None:
		gone, other = factories.make_lesson(title="Gone"), factories.make_lesson(title="Other")
		for doc in (gone, self.lesson):
			self.change(doc, title="Changed")
		frappe.delete_doc(LESSON, gone.name)
		frappe.db.delete("Deleted Document", {"deleted_name": gone.name})
		frappe.db.commit()

		def edit() -> None:
			frappe.db.sql("set innodb_lock_wait_timeout = 1")
			self.change(frappe.get_doc(LESSON, self.lesson.name), title="Meanwhile")
			frappe.delete_doc(LESSON, other.name)

		entries.clear(180)  # and not yet committed
		at_once(edit)
		frappe.db.commit()
		self.assertEqual(frappe.db.get_value(LESSON, self.lesson.name, "title"), "Meanwhile")

	def test_log_settings_clear_what_is_old_and_a_night_what_is_too_much(self) -> None:
		for number in range(4):
			self.change(self.lesson, title=str(number))
		old = entries.of_document(LESSON, self.lesson.name)[-1].name
		long_ago = f"{int(old[:16], 16) - 181 * 86_400 * 10**9:016x}{old[16:]}"
		frappe.db.sql(f"update `tab{entries.TABLE}` set name = %s where name = %s", (long_ago, old))
		# Frappe takes the hook up when it cleans up; early v15 releases know only what is registered.
		(days,) = frappe.get_hooks("default_log_clearing_doctypes")[entries.TABLE]
		settings = frappe.get_doc("Log Settings")
		settings.register_doctype(entries.TABLE, days)
		settings.clear_logs()
		self.assertEqual([was["title"] for was in self.states(self.lesson)], ["0", "1", "2"])
		with patch.object(entries, "MOST_BYTES", 900):
			entries.clear(days)
		self.assertEqual(self.states(self.lesson)[-1]["title"], "2")
		self.assertLess(self.count(), 3)
