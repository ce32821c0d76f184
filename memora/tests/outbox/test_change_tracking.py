"""From a save to the plans it queues: every kind of document, every kind of change, none lost, none waiting."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import frappe
import pytest
import redis
from frappe.core.doctype.deleted_document.deleted_document import restore
from frappe.desk.reportview import delete_bulk
from frappe.model.document import Document
from frappe.utils import now_datetime, scheduler

from memora import frappe_versions
from memora.services.cdn_export import batch_processor, change_tracker
from memora.services.cdn_export.admin import pipeline_status
from memora.services.cdn_export.admin.doctor import jobs
from memora.services.cdn_export.maintenance import dormancy
from memora.services.cdn_export.model import doctypes, paths, scopes
from memora.services.cdn_export.outbox import reconciliation, relay
from memora.services.cdn_export.state import (
	database,
	due,
	job_queue,
	publish_state,
	redis_mirror,
	site_values,
)
from memora.services.cdn_export.state.redis_mirror import Clock
from memora.tests.helpers import factories
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course
from memora.tests.helpers.utils import MemoraTestCase

Change = tuple[str, str, str, str]


class TrackingTestCase(MemoraTestCase):
	"""Two subjects X and Y with a plan each, and a third plan that lists both."""

	def setUp(self) -> None:
		super().setUp()
		self.x, self.y = make_course(units=1, lessons=1), make_course(units=1, lessons=1)
		self.plan_x = factories.make_plan([self.x["subject"]])
		self.plan_y = factories.make_plan([self.y["subject"]])
		self.both = factories.make_plan([self.x["subject"], self.y["subject"]])
		self.of_x = {self.plan_x.name, self.both.name}
		self.of_y = {self.plan_y.name, self.both.name}
		self.settle()

	def settle(self) -> None:
		"""Nothing waits any more, here or in Redis."""
		frappe.db.commit()
		relay.run()
		frappe.db.sql(f"update `tab{publish_state.TABLE}` set published_generation = generation")
		frappe.db.commit()
		redis_mirror.wipe()

	def noted(self) -> list[Change]:
		"""The rows there are now."""
		return sorted(
			tuple(value or "" for value in row)
			for row in frappe.db.sql("select ref_doctype, ref_name, event, was from `tabCDN Change`")
		)

	def queued(self) -> set[str]:
		"""The plans that wait after the relay's next run; nothing waits afterwards."""
		frappe.db.commit()
		relay.run()
		self.assertEqual(self.noted(), [])
		waiting, _ = due.waiting_and_dead()
		self.settle()
		return {state.ref for state in waiting}

	def rung(self) -> set[str]:
		return redis_mirror.waiting() or set()

	def assertQueues(self, plans: set[str], change: Callable[[], Any]) -> None:
		"""After the commit Redis is notified of these plans, and the relay queues them."""
		change()
		frappe.db.commit()
		self.assertEqual(self.rung(), plans)
		self.assertEqual(self.queued(), plans)


class TestEveryDocumentAndChange(TrackingTestCase):
	def test_insert(self) -> None:
		parents = dict(zip(doctypes.CONTENT, chain(self.x), strict=True))
		for doctype, above in zip(doctypes.CONTENT[1:], doctypes.CONTENT, strict=False):
			with self.subTest(doctype):
				values = {doctypes.PARENT_FIELDS[doctype]: parents[above].name}
				self.assertQueues(self.of_x, lambda d=doctype, v=values: factories.make(d, **v))

	def test_a_new_subject_waits_for_a_plan_that_lists_it(self) -> None:
		subject = factories.make_subject()
		frappe.db.commit()
		self.assertEqual(self.queued(), set())
		plan = frappe.get_doc(self.plan_y.doctype, self.plan_y.name)
		plan.append("subjects", {"subject": subject.name})
		self.assertQueues({plan.name}, plan.save)
		self.assertQueues({plan.name}, lambda: subject.db_set("title", "new"))

	def test_update(self) -> None:
		for doc in chain(self.x):
			with self.subTest(doc.doctype):
				doc.reload()
				doc.title += " edited"
				self.assertQueues(self.of_x, doc.save)

	def test_db_set(self) -> None:
		for doc in chain(self.x):
			with self.subTest(doc.doctype):
				self.assertQueues(self.of_x, lambda d=doc: d.db_set("sort_order", 7))

	def test_a_deletion_still_knows_its_plans(self) -> None:
		for permanently in (False, True):
			for doc in reversed(chain(make_course_below(self.x["subject"]))[1:]):
				self.settle()
				with self.subTest(doc.doctype, permanently=permanently):
					self.assertQueues(
						self.of_x,
						lambda d=doc, p=permanently: frappe.delete_doc(
							d.doctype, d.name, delete_permanently=p
						),
					)

	def test_everything_below_a_track_deleted_in_one_transaction(self) -> None:
		def delete_all() -> None:
			for doc in reversed(chain(self.x)[1:]):
				frappe.delete_doc(doc.doctype, doc.name)

		self.assertQueues(self.of_x, delete_all)

	def test_a_deletion_folded_after_its_parents_are_gone(self) -> None:
		"""The row says what the document belonged to; each further deletion says so too, up to what is left."""
		for doc in reversed(chain(self.x)[1:]):
			frappe.delete_doc(doc.doctype, doc.name)
			frappe.db.commit()
		self.assertEqual(self.queued(), self.of_x)

	def test_restore_queues_as_an_insert_does(self) -> None:
		for doc in reversed(chain(self.x)[1:]):
			frappe.delete_doc(doc.doctype, doc.name)
		self.settle()
		for doc in chain(self.x)[1:]:
			with self.subTest(doc.doctype):
				gone = frappe.db.get_value("Deleted Document", {"deleted_name": doc.name, "restored": 0})
				self.assertQueues(self.of_x, lambda gone=gone: restore(gone, alert=False))

	def test_rename(self) -> None:
		for doc in chain(self.x):
			with self.subTest(doc.doctype):
				self.assertQueues(
					self.of_x,
					lambda d=doc: frappe.rename_doc(d.doctype, d.name, f"renamed {d.name}", force=True),
				)

	def test_merge_queues_the_plans_of_both(self) -> None:
		for place in (4, 3, 2, 1):
			kept, merged = chain(self.x)[place], chain(make_course_below(self.y["subject"]))[place]
			self.settle()
			with self.subTest(kept.doctype):
				self.assertQueues(
					self.of_x | self.of_y,
					lambda k=kept, m=merged: frappe.rename_doc(
						k.doctype, m.name, k.name, merge=True, force=True
					),
				)

	def test_merged_subjects(self) -> None:
		x, y = self.x["subject"], self.y["subject"]
		self.assertQueues(
			self.of_x | self.of_y,
			lambda: frappe.rename_doc(x.doctype, y.name, x.name, merge=True, force=True),
		)

	def test_move_queues_the_plans_of_both_parents(self) -> None:
		for place in range(1, 5):
			doc, here, there = (
				chain(self.x)[place],
				chain(self.x)[place - 1],
				chain(self.y)[place - 1],
			)
			field = doctypes.PARENT_FIELDS[doc.doctype]
			for by in ("save", "db_set"):
				for parent in (there, here):
					with self.subTest(doc.doctype, by=by, to=parent.name):
						doc.reload()
						if by == "save":
							doc.set(field, parent.name)
							change = doc.save
						else:
							change = lambda d=doc, f=field, p=parent: d.db_set(f, p.name)  # noqa: E731
						self.assertQueues(self.of_x | self.of_y, change)

	def test_a_document_moved_twice_by_db_set_says_where_it_hung_last(self) -> None:
		"""Frappe reads the document as it was before only for the first db_set."""
		third = make_course(units=1, lessons=1)
		plan = factories.make_plan([third["subject"]])
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		self.settle()
		lesson.db_set("parent_topic", self.y["topics"][0].name)
		self.assertEqual(self.queued(), self.of_x | self.of_y)
		lesson.db_set("parent_topic", third["topics"][0].name)
		self.assertLessEqual(self.of_y | {plan.name}, self.queued())
		lesson.db_set("parent_topic", self.x["topics"][0].name)
		self.assertLessEqual(self.of_x | {plan.name}, self.queued())

	def test_a_parent_that_moved_on_before_the_fold(self) -> None:
		"""Two editors at once: a topic leaves a unit that has itself gone to another subject meanwhile. The
		subject it belonged to last is where the unit is now."""
		topic, unit = self.x["topics"][0], self.x["units"][0]
		frappe.db.sql("select name from `tabMemora Unit` where name = %s", unit.name)  # my snapshot is made

		def move_the_unit() -> None:
			doc = frappe.get_doc("Memora Unit", unit.name)
			doc.parent_track = self.y["track"].name
			doc.save()

		at_once(move_the_unit)
		self.assertEqual(queued_elsewhere(), self.of_x | self.of_y)
		third = make_course(units=1, lessons=1)
		topic.db_set("parent_unit", third["units"][0].name)
		self.assertLessEqual(self.of_y, self.queued())

	@pytest.mark.earlier_defect("plan and override edits queued nothing")
	def test_child_rows_saved_alone(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		plan = frappe.get_doc(self.plan_x.doctype, self.plan_x.name)
		plan.append("overrides", factories.override(lesson, "Hide"))
		self.assertQueues({plan.name}, plan.save)
		for row, plans in (
			(lesson.stages[0], self.of_x),
			(plan.overrides[0], {plan.name}),
			(plan.subjects[0], {plan.name}),
		):
			doc = frappe.get_doc(row.doctype, row.name)
			with self.subTest(row.doctype):
				self.assertQueues(plans, doc.save)
				self.assertQueues(plans, lambda d=doc: d.db_set("idx", 3))
				self.assertQueues(plans, lambda d=doc: frappe.delete_doc(d.doctype, d.name))

	def test_a_child_row_that_moves_queues_the_plans_of_both_parents(self) -> None:
		there, here = (course["lessons"][0].name for course in (self.x, self.y))
		stage = frappe.get_doc("Memora Lesson Stage", self.x["lessons"][0].stages[0].name)
		stage.parent = here
		self.assertQueues(self.of_x | self.of_y, stage.save)
		self.assertQueues(self.of_x | self.of_y, lambda: stage.db_set("parent", there))
		self.assertQueues(self.of_x | self.of_y, lambda: stage.db_set("parent", here))

	@pytest.mark.earlier_defect("plan and override edits queued nothing")
	def test_a_plan(self) -> None:
		plan = frappe.get_doc(self.plan_x.doctype, self.plan_x.name)
		plan.title += " edited"
		self.assertQueues({plan.name}, plan.save)
		self.assertQueues({plan.name}, lambda: plan.db_set("is_published", 1))
		self.assertQueues({plan.name}, lambda: frappe.delete_doc(plan.doctype, plan.name))
		gone = frappe.db.get_value("Deleted Document", {"deleted_name": plan.name, "restored": 0})
		self.assertQueues({plan.name}, lambda: restore(gone, alert=False))

	def test_a_renamed_plan_under_both_names(self) -> None:
		frappe.rename_doc(self.plan_x.doctype, self.plan_x.name, "grade 9", force=True)
		self.assertEqual(self.queued(), {"grade 9", self.plan_x.name})

	def test_season_grade_and_stream(self) -> None:
		for field, doctype in (
			("season", "Memora Season"),
			("grade", "Memora Grade"),
			("stream", "Memora Stream"),
		):
			doc = frappe.get_doc(doctype, self.plan_y.get(field))
			with self.subTest(doctype):
				doc.title += " edited"
				self.assertQueues({self.plan_y.name}, doc.save)
				self.assertQueues({self.plan_y.name}, lambda d=doc: d.db_set("title", "again"))
				self.assertQueues(
					{self.plan_y.name},
					lambda d=doc: frappe.rename_doc(d.doctype, d.name, f"by hand {d.name}", force=True),
				)

	def test_an_unpublished_season_queues_the_plans_it_unpublishes(self) -> None:
		self.plan_y.db_set("is_published", 1)
		self.settle()
		season = frappe.get_doc("Memora Season", self.plan_y.season)
		season.is_published = 0
		self.assertQueues({self.plan_y.name}, season.save)
		self.assertFalse(frappe.db.get_value(self.plan_y.doctype, self.plan_y.name, "is_published"))


class TestBulk(TrackingTestCase):
	def test_rows_imported_one_by_one(self) -> None:
		def imported() -> None:
			frappe.flags.in_import = True
			try:
				for number in range(5):
					factories.make_lesson(parent_topic=self.x["topics"][0].name, title=f"row {number}")
					frappe.db.commit()
			finally:
				frappe.flags.in_import = False

		self.assertQueues(self.of_x, imported)

	def test_bulk_delete(self) -> None:
		names = [factories.make_lesson(parent_topic=self.x["topics"][0].name).name for _ in range(3)]
		self.settle()
		self.assertQueues(self.of_x, lambda: delete_bulk("Memora Lesson", names))

	def test_many_changes_are_one_rebuild(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		for number in range(5):
			lesson.db_set("sort_order", number)
			frappe.db.commit()
		before = generation(self.plan_x.name)
		self.assertEqual(relay.run(), 5)
		self.assertEqual(generation(self.plan_x.name), before + 1)

	def test_set_value_is_found_by_the_hourly_look(self) -> None:
		for doc, field, plans in (
			(self.x["subject"], "title", self.of_x),
			(self.x["lessons"][0], "title", self.of_x),
			(self.plan_y, "title", {self.plan_y.name}),
			(frappe.get_doc("Memora Grade", self.plan_y.grade), "title", {self.plan_y.name}),
			(self.x["lessons"][0].stages[0], "title", self.of_x),
			(self.plan_x.subjects[0], "sort_order", {self.plan_x.name}),
		):
			age_everything()
			reconciliation.hourly()
			self.settle()
			with self.subTest(doc.doctype):
				frappe.db.set_value(doc.doctype, doc.name, field, 5)
				frappe.db.commit()
				self.assertEqual(self.noted(), [])
				reconciliation.hourly()
				self.assertEqual(self.queued(), plans)

	def test_a_batch_leaves_the_sites_cache_alone(self) -> None:
		"""`frappe.db.set_default` empties it, and every form then loads its DocTypes again."""
		frappe.cache().set_value("memora_test", "kept")
		self.addCleanup(frappe.cache().delete_value, "memora_test")
		batch_processor.run_batch()
		reconciliation.hourly()
		frappe.local.cache.clear()
		self.assertEqual(frappe.cache().get_value("memora_test"), "kept")

	def test_the_hourly_look_after_the_clock_was_set_back(self) -> None:
		age_everything()
		site_values.write("memora_last_reconciliation", "2099-01-01 00:00:00")
		frappe.db.set_value("Memora Lesson", self.x["lessons"][0].name, "title", "found")
		frappe.db.commit()
		reconciliation.hourly()
		self.assertEqual(self.queued(), self.of_x)

	def test_what_left_no_trace_at_all_is_found_nightly(self) -> None:
		frappe.db.set_single_value("CDN Settings", "enabled", 1)
		frappe.clear_document_cache("CDN Settings", "CDN Settings")
		frappe.db.sql("update `tabMemora Lesson` set title = 'raw'")
		frappe.db.commit()
		reconciliation.daily()
		self.assertEqual(self.queued(), self.of_x | self.of_y)


class TestAMoveThatNoHookSaw(PublishingTestCase):
	def test_set_value_leaves_nothing_in_the_former_subject_after_the_hourly_look(self) -> None:
		for place, doctype in enumerate(doctypes.CONTENT[1:], start=1):
			with self.subTest(doctype):
				course, other = make_course(units=1, lessons=1), make_course(units=1, lessons=1)
				plans = [factories.make_plan([c["subject"]], is_published=1) for c in (course, other)]
				self.publish()
				age_everything()
				reconciliation.hourly()
				self.publish()
				node, parent = chain(course)[place], chain(other)[place - 1]
				frappe.db.set_value(doctype, node.name, doctypes.PARENT_FIELDS[doctype], parent.name)
				frappe.db.commit()
				reconciliation.hourly()
				self.publish()
				lesson = course["lessons"][0].name
				shown = [lesson in self.learner(plan).lessons for plan in plans]
				self.assertEqual(shown, [False, True])
				self.check()


class TestOneRowNoTrace(TrackingTestCase):
	def test_one_row_a_save(self) -> None:
		for doc in (*chain(self.x), self.plan_x):
			doc.reload()
			with self.subTest(doc.doctype):
				doc.save()
				self.assertEqual(self.noted(), [(doc.doctype, doc.name, "change", "")])
				self.settle()
				doc.db_set("title", "again")
				self.assertEqual(self.noted(), [(doc.doctype, doc.name, "change", "")])
				self.settle()

	def test_a_lesson_with_many_stages_is_one_row(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		lesson.extend(
			"stages", [{"title": str(n), "type": "Text", "config": '{"text": "x"}'} for n in range(20)]
		)
		lesson.save()
		self.assertEqual(self.noted(), [(lesson.doctype, lesson.name, "change", "")])

	def test_what_a_row_says(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		here, there = self.x["topics"][0].name, self.y["topics"][0].name
		lesson.parent_topic = there
		lesson.save()
		self.assertEqual(self.noted(), [(lesson.doctype, lesson.name, "move", here)])
		self.settle()
		frappe.delete_doc(lesson.doctype, lesson.name)
		self.assertEqual(self.noted(), [(lesson.doctype, lesson.name, "trash", there)])
		self.settle()
		topic = frappe.rename_doc("Memora Topic", here, "renamed", force=True)
		self.assertEqual(self.noted(), [("Memora Topic", topic, "rename", here)])

	@pytest.mark.earlier_defect("queued before commit, a rolled-back save stayed queued")
	def test_a_save_rolled_back_leaves_nothing(self) -> None:
		for doc in (*chain(self.x), self.plan_x):
			doc.reload()
			doc.title = "never"
			doc.save()
			frappe.db.rollback()
		self.assertEqual(self.noted(), [])
		self.assertEqual(self.rung(), set())
		frappe.db.commit()
		self.assertEqual(self.rung(), set())
		self.assertEqual(self.queued(), set())

	def test_after_a_rollback_the_next_save_rings_again(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		lesson.db_set("title", "never")
		frappe.db.rollback()
		self.assertQueues(self.of_x, lambda: lesson.db_set("title", "yes"))

	def test_a_save_rolled_back_to_a_savepoint_leaves_no_row(self) -> None:
		frappe.db.savepoint("mine")
		self.x["lessons"][0].db_set("title", "never")
		frappe.db.rollback(save_point="mine")
		frappe.db.commit()
		self.assertEqual(self.noted(), [])

	def test_an_orphan_queues_nothing_and_leaves_a_warning(self) -> None:
		frappe.db.sql(
			"update `tabMemora Track` set parent_subject = 'gone' where name = %s", self.x["track"].name
		)
		with warnings() as said:
			self.assertQueues(set(), lambda: self.x["lessons"][0].db_set("title", "orphan"))
		self.assertIn(f"Memora Lesson {self.x['lessons'][0].name} belongs to no subject", " ".join(said))

	def test_documents_of_other_apps_are_none_of_our_business(self) -> None:
		frappe.get_doc({"doctype": "ToDo", "description": "x"}).insert()
		self.assertEqual(self.noted(), [])


class TestNobodyWaits(TrackingTestCase):
	def test_two_editors_of_one_plan_never_wait_for_each_other(self) -> None:
		second = factories.make_lesson(parent_topic=self.x["topics"][0].name)
		self.settle()
		mine = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		mine.title = "mine"
		mine.save()  # and not yet committed

		def edit_the_other() -> None:
			frappe.db.sql("set innodb_lock_wait_timeout = 1")
			frappe.get_doc("Memora Lesson", second.name).db_set("title", "theirs")

		at_once(edit_the_other)
		frappe.db.commit()
		self.assertEqual(self.queued(), self.of_x)

	def test_nobody_waits_for_the_fold_nor_the_fold_for_anybody(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		for number in range(60):
			lesson.db_set("sort_order", number)
		frappe.db.commit()
		mine = frappe.get_doc("Memora Lesson", self.y["lessons"][0].name)
		mine.db_set("title", "not committed while the relay is at work")

		def save_without_waiting() -> str:
			frappe.db.sql("set innodb_lock_wait_timeout = 1")
			for _ in range(20):
				frappe.get_doc("Memora Topic", self.x["topics"][0].name).db_set("title", "saved")
			return "saved"

		def fold_and_not_commit() -> int:
			frappe.db.sql("set innodb_lock_wait_timeout = 1")
			relayed = relay._relay_rows()
			self.assertEqual(at_once(save_without_waiting), ["saved"])
			return relayed

		self.assertEqual(at_once(fold_and_not_commit), [60])
		frappe.db.commit()
		self.assertEqual(self.queued(), self.of_x | self.of_y)

	def test_an_editor_who_adds_a_subject_while_another_edits_in_it(self) -> None:
		"""Whoever commits first, the plan is queued with what the other did: resolving is the relay's."""
		for first in ("lister", "editor"):
			plan = frappe.get_doc(self.plan_y.doctype, self.plan_y.name)
			plan.set("subjects", [{"subject": self.y["subject"].name}])
			plan.save()
			self.settle()
			lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
			if first == "lister":
				lesson.db_set("title", "before the subject was listed")  # open while the other commits
				at_once(partial(append_subject, plan.name, self.x["subject"].name))
				frappe.db.commit()
			else:
				append_subject(plan.name, self.x["subject"].name)
				at_once(partial(retitle, lesson.name))
				frappe.db.commit()
			with self.subTest(first=first):
				self.assertEqual(self.queued(), self.of_x | {plan.name})

	def test_twenty_editors_at_once_lose_nothing(self) -> None:
		lessons = [factories.make_lesson(parent_topic=self.x["topics"][0].name).name for _ in range(10)]
		self.settle()

		def edit(name: str) -> None:
			for number in range(5):
				frappe.get_doc("Memora Lesson", name).db_set("sort_order", number)
				frappe.db.commit()

		def relay_all_the_time() -> int:
			return sum(relay.run() for _ in range(30))

		*_, relayed = at_once(*(lambda name=name: edit(name) for name in lessons), relay_all_the_time)
		frappe.db.commit()
		self.assertEqual(relayed + relay.run(), 50)
		known = relay.lessons_changed_since(self.x["subject"].name, generation_of_subject(self.x) - 40)
		self.assertLessEqual(set(lessons), known or set())


class TestAnErrorWithinASave(TrackingTestCase):
	def test_errors_of_either_driver_are_known(self) -> None:
		"""Frappe v16 comes with mysqlclient, whose errors are of another family than PyMySQL's."""
		self.assertTrue(issubclass(frappe.db.OperationalError, database.SERVER_ERRORS))
		other = SimpleNamespace(MySQLError=type("MySQLError", (Exception,), {}))
		with patch.dict(sys.modules, {"MySQLdb": other}):
			self.assertIn(other.MySQLError, frappe_versions.server_errors())
		with patch.dict(sys.modules, {"MySQLdb": None}):
			self.assertNotIn(other.MySQLError, frappe_versions.server_errors())

	def test_a_row_that_cannot_be_written_does_not_fail_the_save(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		with errors() as said, patch.object(frappe, "generate_hash", return_value="same" * 5):
			lesson.db_set("title", "one")
			lesson.db_set("title", "two")  # its row's name is taken
		frappe.db.commit()
		self.assertEqual(len(self.noted()), 1)
		self.assertEqual(frappe.db.get_value("Memora Lesson", lesson.name, "title"), "two")
		self.assertIn(f"CDN Change for Memora Lesson {lesson.name} could not be written", " ".join(said))

	def test_an_error_that_ended_the_transaction_reaches_the_editor(self) -> None:
		"""Swallowed, the edit itself would be lost without a word."""
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		for number in (1020, 1205, 1213, 2006, 2013):
			with self.subTest(number), failing("insert into `tabCDN Change`", number):
				with self.assertRaises(database.ERRORS):
					lesson.db_set("title", "lost")
			frappe.db.rollback()
			with (
				self.subTest(number, at="before the commit"),
				failing("left join `tabMemora Plan Subject`", number),
			):
				lesson.db_set("title", "lost")
				with self.assertRaises(database.ERRORS):
					frappe.db.commit()
			frappe.db.rollback()
		self.assertQueues(self.of_x, lambda: lesson.db_set("title", "kept"))

	def test_plans_that_cannot_be_resolved_cost_only_the_bell(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		with failing("left join `tabMemora Plan Subject`", 1054):
			lesson.db_set("title", "kept")
			frappe.db.commit()
		self.assertEqual(self.rung(), set())
		self.assertEqual(self.queued(), self.of_x)


class TestWhatASaveCosts(TrackingTestCase):
	def statements(self, change: Callable[[], Any]) -> list[str]:
		"""What tracking itself asks of the server during a change and before its commit, in order."""
		seen: list[str] = []
		sql = frappe.db.sql

		def watch(query: str, *args: Any, **kwargs: Any) -> Any:
			callers = (frame.f_code.co_filename for frame, _ in traceback.walk_stack(None))
			if change_tracker.__file__ in callers:
				seen.append(" ".join(str(query).split()))
			return sql(query, *args, **kwargs)

		frappe.db.savepoint("costs")
		with patch.object(frappe.db, "sql", watch):
			change()
			frappe.db.before_commit.run()
		frappe.db.rollback(save_point="costs")
		frappe.db.after_commit.reset()
		return seen

	def test_a_save_costs_three_statements(self) -> None:
		"""A savepoint, a row, and one SELECT for the wake-up."""
		parents = dict(zip(doctypes.CONTENT, chain(self.y), strict=True))
		for doc in (*chain(self.x), self.plan_x, frappe.get_doc("Memora Season", self.plan_x.season)):
			plain = [f"savepoint {change_tracker._SAVEPOINT}", "insert into `tabCDN Change`"]
			if doc.doctype != doctypes.PLAN:
				plain.append("select")
			cases = {"save": lambda d=doc: (d.reload(), d.save())}
			cases["db_set"] = lambda d=doc: frappe.get_doc(d.doctype, d.name).db_set("title", "again")
			if field := doctypes.PARENT_FIELDS.get(doc.doctype):
				above = parents[doctypes.CONTENT[doctypes.CONTENT.index(doc.doctype) - 1]]
				cases["move"] = lambda d=doc, f=field, a=above: (d.reload(), d.set(f, a.name), d.save())
			for case, change in cases.items():
				with self.subTest(doc.doctype, case=case):
					added = self.statements(change)
					self.assertEqual(len(added), len(plain), added)
					for statement, expected in zip(added, plain, strict=True):
						self.assertTrue(statement.startswith(expected), added)

	def test_a_deletion_costs_three_statements(self) -> None:
		lesson = self.x["lessons"][0]
		added = self.statements(lambda: frappe.delete_doc("Memora Lesson", lesson.name))
		self.assertEqual(len(added), 3, added)

	def test_many_saves_in_one_transaction_ring_once(self) -> None:
		lessons = [factories.make_lesson(parent_topic=self.x["topics"][0].name) for _ in range(3)]
		self.settle()
		with patch.object(redis_mirror, "notify", wraps=redis_mirror.notify) as ring:
			for lesson in lessons:
				lesson.db_set("title", "again")
			frappe.db.commit()
		self.assertEqual(ring.call_count, 1)

	def test_while_redis_refuses_a_save_costs_one_attempt_in_half_a_minute(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.x["lessons"][0].name)
		with redis_down() as attempts:
			for number in range(5):
				lesson.db_set("sort_order", number)
				began = time.perf_counter()
				frappe.db.commit()
				self.assertLess(time.perf_counter() - began, 0.5)
		self.assertEqual(len(attempts), 1)
		self.assertEqual(self.queued(), self.of_x)


class TestTheBell(TrackingTestCase):
	def start(self, **clock: Any) -> list[str]:
		"""With what reasons a save starts a batch, after such a check."""
		self.settle()
		if clock:
			values = {"ticked_at": time.time(), "threshold": 50, "enabled": True, **clock}
			redis_mirror.set_clock(Clock(**values))
		with patch.object(frappe, "enqueue") as enqueue:
			self.x["lessons"][0].db_set("title", "again")
			frappe.db.commit()
			self.x["lessons"][0].db_set("title", "and again")
			frappe.db.commit()
		return [call.kwargs["triggered_by"] for call in enqueue.call_args_list]

	@pytest.mark.earlier_defect("`sadd` prefixed and `scard` not, so the threshold never fired")
	def test_the_threshold_starts_a_run_at_once_and_once(self) -> None:
		self.assertEqual(self.start(threshold=2), ["Threshold"])
		self.assertEqual(self.start(threshold=3), [])

	def test_a_site_frappe_takes_for_dormant_starts_a_run_itself(self) -> None:
		self.assertEqual(self.start(ticked_at=time.time() - 3600), ["Scheduler"])
		self.assertEqual(self.start(ticked_at=time.time() - 60), [])

		self.assertEqual(self.start(dormant=True), ["Scheduler"])

	def test_a_flushed_redis_does_not_hide_that_no_tick_comes(self) -> None:
		self.assertEqual(self.start(), ["Scheduler"])

	def test_a_clock_set_back_does_not_hide_it_either(self) -> None:
		self.assertEqual(self.start(ticked_at=time.time() + 7200), ["Scheduler"])

	def test_while_export_is_disabled_nothing_is_started(self) -> None:
		self.assertEqual(self.start(enabled=False, threshold=1, ticked_at=0), [])

	def test_a_clock_left_by_another_release_breaks_no_save(self) -> None:
		for text in (b"{}", b"nonsense", b'{"ticked_at": 1, "threshold": 2, "enabled": true, "new": 1}'):
			self.settle()
			redis_mirror._client().set(redis_mirror.key(redis_mirror.CLOCK), text)
			self.assertQueues(self.of_x, lambda: self.x["lessons"][0].db_set("title", "fine"))

	def test_whatever_the_queue_raises_stays_behind_the_commit(self) -> None:
		self.settle()
		for error in (redis.ConnectionError("down"), RuntimeError("anything"), frappe.ValidationError("no")):
			redis_mirror.wipe()
			with self.subTest(type(error).__name__), patch.object(frappe, "enqueue", side_effect=error):
				self.x["lessons"][0].db_set("title", "kept")
				frappe.db.commit()
		with patch.object(redis_mirror, "_client", side_effect=ValueError("a URL that is none")):
			self.x["lessons"][0].db_set("title", "kept too")
			frappe.db.commit()
		self.assertEqual(self.queued(), self.of_x)

	@pytest.mark.earlier_defect("two sites on the same Redis; the set's size was always 0")
	def test_two_sites_on_one_redis_do_not_meet(self) -> None:
		with patch.dict(frappe.local.conf, {"db_name": "another_site"}):
			redis_mirror.notify(["theirs"])
			self.addCleanup(lambda: redis_mirror._client().delete("another_site|cdn_export:pending_plans"))
		waiting, _ = redis_mirror.notify(["ours"])
		self.assertEqual((waiting, self.rung()), (1, {"ours"}))

	@pytest.mark.earlier_defect("a `clear_cache` emptied the queue")
	def test_a_cleared_cache_clears_no_queue(self) -> None:
		redis_mirror.notify(["waiting"])
		frappe.clear_cache()
		frappe.cache().flushall()
		self.assertEqual(self.rung(), {"waiting"})


class TestDormant(PublishingTestCase):
	"""No user has logged in for days, so Frappe's scheduler does not come by."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=1)
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		frappe.db.commit()
		self.batch()
		if int(frappe.__version__.split(".")[0]) > 15:
			self.skipTest("Frappe takes sites for dormant on Frappe Cloud alone")
		conf = patch.dict(frappe.local.conf, developer_mode=0)  # which would keep any site awake
		conf.start()
		self.addCleanup(conf.stop)
		job = frappe.get_all("Scheduled Job Type", limit=1, pluck="name")[0]  # the one job of today is done
		frappe.get_doc(
			{"doctype": "Scheduled Job Log", "scheduled_job_type": job, "status": "Complete"}
		).insert()
		self.days_pass()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.sql, "update `tabActivity Log` set modified = utc_timestamp()")
		self.addCleanup(frappe.db.sql, "delete from `tabActivity Log` where subject like 'memora %%'")

	def days_pass(self) -> None:
		"""Thirty days in which no user logs in."""
		frappe.db.sql("update `tabActivity Log` set modified = modified - interval 30 day")
		site_values.write(dormancy._NOTE, "0")
		dormancy.forget()
		frappe.db.commit()

	def come_by(self) -> bool:
		"""The minute's check, if Frappe schedules any job now. Whether it does."""
		frappe.db.commit()
		does = bool(scheduler.schedule_jobs_based_on_activity())
		if does:
			self.tick()
		return does

	def save(self, *titles: str) -> int:
		"""Save and commit; returns how many batches that has asked for."""
		with patch.object(frappe, "enqueue") as enqueue:
			for title in titles:
				self.course["lessons"][0].db_set("title", title)
				frappe.db.commit()
		return sum("run_batch" in str(call.args) for call in enqueue.call_args_list)

	def batch(self) -> None:
		with patch.object(job_queue.Worker, "count", return_value=0):
			batch_processor.run_batch()

	def shown(self) -> str:
		return self.learner(self.plan).lessons[self.course["lessons"][0].name]["title"]

	def test_every_edit_is_published_however_soon_after_a_batch(self) -> None:
		self.tick()  # the scheduler's last look
		for number in range(3):
			self.assertEqual(self.save(f"first {number}", f"last {number}"), 1)
			self.batch()
			self.assertEqual(self.shown(), f"last {number}")

	def test_a_batch_is_no_word_from_the_scheduler(self) -> None:
		redis_mirror.set_clock(Clock(time.time() - 3600, 50, True))
		self.batch()
		self.assertEqual(self.save("edited"), 1)

	def test_a_batch_that_could_not_be_asked_for_is_asked_for_again(self) -> None:
		self.tick()
		with patch.object(frappe, "enqueue", side_effect=redis.ConnectionError("down")):
			self.course["lessons"][0].db_set("title", "kept")
			frappe.db.commit()
		self.assertEqual(self.save("kept too"), 1)

	def test_where_the_scheduler_goes_on_nothing_is_asked_for(self) -> None:
		frappe.get_doc({"doctype": "Activity Log", "subject": "logged in", "user": "Administrator"}).insert(
			ignore_permissions=True
		)
		self.tick()
		self.assertEqual(self.save("edited"), 0)

	def test_what_a_batch_leaves_for_later_is_done_in_its_time(self) -> None:
		self.assertFalse(self.come_by())
		lesson = self.local_path / paths.lesson(self.course["lessons"][0].name)
		lesson.unlink()
		lesson.mkdir()  # nothing can be written there
		self.save("edited")
		self.batch()
		self.assertTrue(self.failures())
		lesson.rmdir()
		self.minutes_pass(3)
		self.assertTrue(self.come_by())
		self.assertEqual(self.shown(), "edited")

	def test_whatever_is_to_come_keeps_the_scheduler_awake(self) -> None:
		file, state, purge = "`tabCDN File`", "`tabCDN Publish State`", "`tabCDN Purge`"
		lesson = f"path = '{paths.lesson(self.course['lessons'][0].name)}'"
		plan = f"name = 'plan:{self.plan.name}'"
		later = "now() + interval 1 hour"
		waits = "generation = generation + 1, waiting_since = now()"
		for what in (
			f"update {file} set signed_until = {later} where {lesson}",
			f"update {file} set outdated = 1 where {lesson}",
			f"update {file} set state = 'removing', remove_at = {later} where {lesson}",
			f"update {state} set {waits}, next_retry_at = {later} where {plan}",
			f"update {state} set {waits}, held = 1, held_generation = 1 where {plan}",
			f"insert into {state} (name, scope_type, ref, dead_since) values ('removal:x', 'removal', 'x', now())",
			f"insert into {purge} (name, url, tries, next_try_at) values ('x', 'https://x.example/', 1, {later})",
			"insert into `tabCDN Change` (name, ref_doctype, ref_name) values ('x', 'Memora Subject', 'x')",
		):
			with self.subTest(what):
				frappe.db.savepoint("as_it_was")
				frappe.db.sql(what)
				self.assertTrue(frappe.db.sql(dormancy._ANYTHING_TO_COME)[0][0])
				frappe.db.rollback(save_point="as_it_was")

	def test_a_check_that_may_be_the_last_keeps_it_awake_for_signatures(self) -> None:
		frappe.db.set_value(
			"CDN File",
			{"path": paths.lesson(self.course["lessons"][0].name)},
			"signed_until",
			now_datetime() + timedelta(days=2),  # due in no zone
		)
		self.tick()
		self.assertTrue(self.come_by())
		self.days_pass()
		self.assertFalse(self.come_by())
		self.tick()
		self.assertTrue(self.come_by())

	def test_where_nothing_is_to_come_frappe_decides(self) -> None:
		self.tick()
		self.assertFalse(self.come_by())

	def test_while_export_is_disabled_frappe_decides(self) -> None:
		self.save("edited")
		self.configure(enabled=0)
		self.tick()
		self.batch()
		self.assertFalse(self.come_by())

	def test_a_frappe_that_asks_something_else_is_told_twice_a_day_at_most(self) -> None:
		self.save("edited")
		before = frappe.db.count("Activity Log")
		with patch.object(dormancy, "is_dormant", return_value=True):
			for _ in range(3):
				self.tick()
		self.assertEqual(frappe.db.count("Activity Log"), before + 1)

	def test_status_and_doctor_say_so(self) -> None:
		was = frappe.db.get_single_value("System Settings", "enable_scheduler")
		self.addCleanup(frappe.db.set_single_value, "System Settings", "enable_scheduler", was)
		frappe.db.set_single_value("System Settings", "enable_scheduler", 1)  # off before the setup wizard
		self.assertTrue(pipeline_status.status()["dormant"])
		said = " ".join(finding.message for finding in jobs.scheduler())
		self.assertIn("Nobody has logged in for days", said)


class TestBothRedisDown(PublishingTestCase):
	@pytest.mark.earlier_defect(
		"with Redis down the fallback row was marked Processing, never built, and then blocked that"
		" plan for good"
	)
	def test_a_save_succeeds_and_is_published(self) -> None:
		course = make_course(units=1, lessons=1)
		plan = factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		with redis_down():
			frappe.get_doc("Memora Lesson", course["lessons"][0].name).db_set("title", "saved meanwhile")
			frappe.db.commit()
		self.assertEqual(redis_mirror.waiting(), set())
		batch_processor.run_batch()
		self.publish()
		self.check()
		lesson = self.read(f"lessons/{course['lessons'][0].name}.json")
		self.assertEqual(lesson["title"], "saved meanwhile")
		with redis_down():
			frappe.get_doc("Memora Lesson", course["lessons"][0].name).db_set("title", "published meanwhile")
			frappe.db.commit()
			drained = self.publish()
			self.assertEqual((drained.failed, drained.left), (0, 0))
		self.assertEqual(
			self.read(f"lessons/{course['lessons'][0].name}.json")["title"], "published meanwhile"
		)
		self.assertEqual(frappe.db.count("CDN Sync Log", {"plan_id": plan.name, "status": "Success"}), 3)


class TestTheFold(TrackingTestCase):
	def test_a_crash_in_the_fold_loses_nothing(self) -> None:
		self.x["lessons"][0].db_set("title", "kept")
		frappe.db.commit()
		for where in ("raise_for", "_note_lessons"):
			with (
				patch.object(relay, where, side_effect=RuntimeError("killed")),
				self.assertRaises(RuntimeError),
			):
				relay.run()
			self.assertEqual(len(self.noted()), 1)
		self.assertEqual(self.queued(), self.of_x)

	def test_conflicts_make_it_start_over(self) -> None:
		for number in (1020, 1205, 1213):
			self.x["lessons"][0].db_set("title", "kept")
			frappe.db.commit()
			with self.subTest(number), failing(f"insert into `tab{publish_state.TABLE}`", number, times=2):
				self.assertEqual(relay.run(), 1)
			self.assertEqual(self.queued(), self.of_x)

	def test_with_snapshot_isolation(self) -> None:
		"""MariaDB from 11.6 on refuses to update a row that has changed since the snapshot (1020)."""
		if not frappe.db.sql("show variables like 'innodb_snapshot_isolation'"):
			self.skipTest("this server does not have it")
		frappe.db.sql("set innodb_snapshot_isolation = on")
		self.addCleanup(frappe.db.sql, "set innodb_snapshot_isolation = off")
		names = [factories.make_lesson(parent_topic=self.x["topics"][0].name).name for _ in range(4)]
		self.settle()

		def edit(name: str) -> int:
			frappe.db.sql("set innodb_snapshot_isolation = on")
			relayed = 0
			for number in range(5):
				frappe.get_doc("Memora Lesson", name).db_set("sort_order", number)
				frappe.db.commit()
				relayed += relay.run()
			return relayed

		relayed = sum(at_once(*(lambda name=name: edit(name) for name in names)))
		frappe.db.commit()
		self.assertEqual(relayed + relay.run(), 20)
		self.assertEqual(self.queued(), self.of_x)

	def test_more_rows_than_one_fold_takes(self) -> None:
		with patch.object(relay, "_ROWS_A_RUN", 3):
			for doc in reversed(chain(self.x)[1:]):
				frappe.delete_doc(doc.doctype, doc.name)
			self.y["lessons"][0].db_set("title", "too")
			self.assertEqual(self.queued(), self.of_x | self.of_y)

	def test_a_body_edited_while_its_lesson_was_elsewhere_is_read_anew(self) -> None:
		"""Moved away, edited there and moved back before any build: its shape is the old one, its body is not."""
		subject, lesson = self.x["subject"].name, self.x["lessons"][0].name
		for place in (1, 2, 3, 4):
			doc = frappe.get_doc(chain(self.x)[place].doctype, chain(self.x)[place].name)
			field, home = doctypes.PARENT_FIELDS[doc.doctype], chain(self.x)[place - 1].name
			since = generation_of_subject(self.x)
			doc.db_set(field, chain(self.y)[place - 1].name)
			self.settle()
			edited = frappe.get_doc("Memora Lesson", lesson)
			edited.append("stages", {"title": "s", "type": "Text", "config": '{"text": "x"}'})
			edited.save()
			self.settle()
			doc.db_set(field, home)
			self.settle()
			with self.subTest(doc.doctype):
				self.assertTrue(is_read_anew(lesson, subject, since))

	def test_a_body_edited_while_its_lesson_hung_nowhere_is_read_anew(self) -> None:
		subject, lesson = self.x["subject"].name, self.x["lessons"][0].name
		for place in (1, 2, 3, 4):
			doctype, name = chain(self.x)[place].doctype, chain(self.x)[place].name
			field, home = doctypes.PARENT_FIELDS[doctype], chain(self.x)[place - 1].name
			since = generation_of_subject(self.x)
			frappe.get_doc(doctype, name).db_set(field, None)
			self.settle()
			frappe.get_doc("Memora Lesson", lesson).db_set("description", "edited")
			self.settle()
			frappe.get_doc(doctype, name).db_set(field, home)
			self.settle()
			with self.subTest(doctype):
				self.assertTrue(is_read_anew(lesson, subject, since))

	def test_a_body_edited_under_another_name_of_its_subject_is_read_anew(self) -> None:
		subject = self.x["subject"].name
		since = generation_of_subject(self.x)
		frappe.rename_doc("Memora Subject", subject, "another name", force=True)
		self.settle()
		self.x["lessons"][0].db_set("description", "edited")
		self.settle()
		frappe.rename_doc("Memora Subject", "another name", subject, force=True)
		self.settle()
		self.assertIsNone(relay.lessons_changed_since(subject, since))


def make_course_below(subject: Document) -> dict[str, Any]:
	"""Another track with all below it in a subject."""
	track = factories.make_track(parent_subject=subject.name)
	unit = factories.make_unit(parent_track=track.name)
	topic = factories.make_topic(parent_unit=unit.name)
	lesson = factories.make_lesson(parent_topic=topic.name)
	return {"subject": subject, "track": track, "units": [unit], "topics": [topic], "lessons": [lesson]}


def is_read_anew(lesson: str, subject: str, since: int) -> bool:
	"""Whether the next build of a subject reads this lesson's body; None means all of them."""
	changed = relay.lessons_changed_since(subject, since)
	return changed is None or lesson in changed


def append_subject(plan: str, subject: str) -> None:
	doc = frappe.get_doc(doctypes.PLAN, plan)
	doc.append("subjects", {"subject": subject})
	doc.save()
	frappe.db.commit()


def retitle(lesson: str) -> None:
	frappe.get_doc("Memora Lesson", lesson).db_set("title", "meanwhile")


def queued_elsewhere() -> set[str]:
	"""Relay on another connection, so that this one's snapshot stays; the plans that wait then, settled."""

	def look() -> set[str]:
		relay.run()
		waiting, _ = due.waiting_and_dead()
		frappe.db.sql(f"update `tab{publish_state.TABLE}` set published_generation = generation")
		return {state.ref for state in waiting}

	return at_once(look)[0]


def generation(plan: str) -> int:
	frappe.db.commit()
	return publish_state.read([scopes.plan(plan)])[scopes.plan(plan).id].generation


def generation_of_subject(course: dict[str, Any]) -> int:
	scope = scopes.subject(course["subject"].name)
	frappe.db.commit()
	return publish_state.read([scope])[scope.id].generation


def age_everything() -> None:
	"""Let all content have been written long ago."""
	for doctype in (*doctypes.CONTENT, doctypes.PLAN, *doctypes.PLAN_TITLES, *reconciliation._CHILDREN):
		frappe.db.sql(f"update `tab{doctype}` set modified = '2020-01-01'")
	frappe.db.commit()


@contextmanager
def failing(beginning: str, number: int, times: int = 1000) -> Iterator[None]:
	"""The server refuses statements that hold `beginning`, with this error."""
	execute, left = frappe.db._cursor.execute, [times]

	def refuse(query: str, *args: Any) -> Any:
		if beginning in " ".join(query.split()) and left[0]:
			left[0] -= 1
			error = frappe.db.ProgrammingError if number == 1054 else frappe.db.OperationalError
			raise error(number, "refused by the test")
		return execute(query, *args)

	with patch.object(frappe.db._cursor, "execute", refuse):
		yield


@contextmanager
def redis_down() -> Iterator[list[str]]:
	"""Both Redis refuse every connection; yields what was tried of the queue's. The breaker starts closed."""
	attempts: list[str] = []

	def refused(connection: Any) -> None:
		if connection.socket_timeout == redis_mirror._TIMEOUT_SECONDS:
			attempts.append(str(connection))
		raise redis.ConnectionError("refused by the test")

	connection = redis.Connection
	for pool in [client.connection_pool for client in redis_mirror._clients.values()]:
		pool.disconnect()
	frappe.cache().connection_pool.disconnect()
	with patch.object(redis_mirror, "_broken_until", 0.0), patch.object(connection, "connect", refused):
		yield attempts


@contextmanager
def _logged(level: str) -> Iterator[list[str]]:
	said: list[str] = []
	with patch.object(frappe.logger("memora"), level, lambda message, *args: said.append(message)):
		yield said


def warnings() -> Any:
	return _logged("warning")


def errors() -> Any:
	return _logged("error")
