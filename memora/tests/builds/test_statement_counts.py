"""What a build costs, counted: SQL statements that do not grow with the content, and just the files that changed.

An earlier build of this product read each row by itself: 22,684 statements for 2,000 lessons, 5,934 for
500, and the same again, with every file uploaded, after the edit of one title.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar
from unittest.mock import patch

import frappe
from frappe.core.doctype.activity_log.activity_log import add_authentication_log
from frappe.model.document import Document
from frappe.utils.scheduler import is_dormant

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.outbox import reconciliation, relay
from memora.services.cdn_export.worker import builder
from memora.tests.helpers import factories
from memora.tests.helpers.many_rows import copy_row
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.statements import rows_read, statements

T = TypeVar("T")

MARK = 4
"""What the first build of a batch that writes sends besides: a lock, the number that is known, the next one, unlock."""

PHASES = ("lesson", "unit", "subject", "search_shard", "search_index", "manifest", "plans_index")


class TestStatements(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		# That files survive a power failure is tested with the storage; here it would only take long.
		patcher = patch("os.fsync")
		patcher.start()
		self.addCleanup(patcher.stop)

	def library(self, lessons: int, **plan: object) -> tuple[Document, dict]:
		course = make_course(units=1, lessons=1)
		names = factories.make_many(
			"Memora Lesson", course["topics"][0], [f"L{n}" for n in range(lessons - 1)]
		)
		moment = frappe.utils.now()
		frappe.db.bulk_insert(
			"Memora Lesson Stage",
			["name", "parent", "parenttype", "parentfield", "idx", "title", "type", "config", "modified"],
			[
				(
					frappe.generate_hash(length=12),
					name,
					"Memora Lesson",
					"stages",
					idx,
					"S",
					"Text",
					"{}",
					moment,
				)
				for name in names
				for idx in (1, 2, 3)
			],
		)
		return factories.make_plan([course["subject"]], is_published=1, **plan), course

	def costs(self, lessons: int, *, own: bool) -> dict[str, int]:
		"""Statements of a first build, of a full one that finds nothing new, and of an edit's."""
		plan, course = self.library(lessons)
		if own:
			self.change(plan, overrides=[factories.override(course["track"], "Set Free")])
		counts = {}

		def count(what: str) -> None:
			frappe.db.commit()
			with statements() as seen:
				drained = self.publish()
			self.assertEqual((drained.failed, drained.left), (0, 0))
			counts[what] = len(seen)

		relay.touch([plan.name], [course["subject"].name])
		count("first")
		self.assertEqual(len(self.learner(plan).lessons), lessons)
		relay.touch([plan.name], [course["subject"].name])
		count("full")
		self.change(course["lessons"][0], title="Edited")
		count("title")
		self.change(course["lessons"][0], description="Edited")
		count("body")
		self.change(course["topics"][0], title="Edited")  # is in every lesson
		count("all")
		self.change(plan, is_published=0)
		count("removal")
		self.assertEqual(self.paths(), {"plans/index.json"})
		return counts

	def test_their_number_does_not_grow_with_the_lessons(self) -> None:
		self.costs(2, own=True)  # what Frappe reads only once is read now
		for own in (False, True):
			with self.subTest(own=own):
				few, many = (self.costs(lessons, own=own) for lessons in (20, 200))
				self.assertEqual(few, many)
				self.assertLess(max(many.values()), 100)

	def test_an_edit_takes_just_these_builds_and_statements(self) -> None:
		"""From taking the lease to the log's record. Whoever makes it more must say here what for."""
		for subjects in (1, 30):
			with self.subTest(subjects=subjects):
				courses = [make_course(units=1, lessons=3) for _ in range(subjects)]
				plan = factories.make_plan([course["subject"] for course in courses], is_published=1)
				self.publish()
				lesson = courses[0]["lessons"][1]
				for changed in (
					{"stages": [{"title": "Read", "type": "Text", "config": '{"text": "x"}'}]},
					{"title": "Edited"},
				):
					self.change(lesson, **changed)
					self.assertEqual(
						self.costs_of_builds(),
						{f"subject:{courses[0]['subject'].name}": 9 + MARK, f"plan:{plan.name}": 10},
					)

	def test_a_full_rebuild_takes_just_these_builds_and_statements(self) -> None:
		self.costs(2, own=False)  # what Frappe reads only once is read now
		for lessons in (2, 60):
			with self.subTest(lessons=lessons):
				plan, course = self.library(lessons)
				subject = f"subject:{course['subject'].name}"
				first = self.costs_of_builds()
				self.assertEqual(
					first, {f"plan:{plan.name}": 29 + MARK, "index": 8}
				)  # with the subject's, in it
				relay.touch([plan.name], [course["subject"].name])
				frappe.db.commit()
				again = self.costs_of_builds()
				self.assertEqual(again, {subject: 7, f"plan:{plan.name}": 8})

	def test_each_further_plan_takes_just_these_statements(self) -> None:
		"""And what the plans share is built once."""
		_, course = self.library(5)
		for _ in range(7):
			factories.make_plan([course["subject"]], is_published=1)
		all_plans = frappe.get_all("Memora Academic Plan", pluck="name")
		self.publish()
		self.change(course["lessons"][0], description="seen by all")
		with self.recorded() as steps:
			costs = self.costs_of_builds()
		self.assertEqual(costs.pop(f"subject:{course['subject'].name}"), 9 + MARK)
		# Nine, and a record for each plan in the log.
		self.assertEqual(costs, {" ".join(sorted(f"plan:{plan}" for plan in all_plans)): 9 + 8})
		self.assertEqual(len([path for _, path in steps if not path.startswith("plans/")]), 2)
		self.assertEqual(len(steps), 2 + 2 * 8)

	def test_a_night_without_a_change_renders_no_plan(self) -> None:
		"""A subject is read again, for what no hook has seen; its plans are closed in groups, their files of it unread."""
		_, course = self.library(30)
		for _ in range(7):
			factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		reconciliation.daily()
		with patch.object(content_tree, "load", wraps=content_tree.load) as loaded, self.recorded() as steps:
			costs = self.costs_of_builds()
		self.assertEqual(
			([call.args for call in loaded.call_args_list], steps), ([(course["subject"].name,)], [])
		)
		((_, of_group),) = [(names, cost) for names, cost in costs.items() if names.startswith("plan:")]
		self.assertEqual(of_group, 7 + 8)  # without the two of an upload
		for row in frappe.get_all("CDN Rendition", ["subject", "generation"]):
			state = frappe.db.get_value("CDN Publish State", scopes.subject(row.subject).id, "generation")
			self.assertEqual(row.generation, state)

	def test_what_only_the_nightly_check_can_see_is_published_in_all_plans(self) -> None:
		_, course = self.library(3)
		plans = [factories.make_plan([course["subject"]], is_published=1) for _ in range(2)]
		self.publish()
		for doctype, name, column in (
			("Memora Subject", course["subject"].name, "description"),
			("Memora Track", course["track"].name, "description"),
			("Memora Lesson", course["lessons"][0].name, "title"),
		):
			frappe.db.sql(f"update `tab{doctype}` set {column} = 'by SQL' where name = %s", (name,))
			frappe.db.commit()
			reconciliation.daily()
			self.publish()
			for plan in plans:
				learner = self.learner(plan)
				document = learner.subjects[course["subject"].name]
				shown = {
					"Memora Subject": document,
					"Memora Track": document["tracks"][0],
					"Memora Lesson": learner.lessons.get(name),
				}[doctype]
				self.assertEqual(shown[column], "by SQL", doctype)
		self.check()

	def test_a_group_reads_the_overrides_of_its_plans_at_once(self) -> None:
		_, course = self.library(2)
		other = make_course(units=1, lessons=1)
		lists = [course["subject"], other["subject"]]
		hidden = [factories.override(other["lessons"][0], "Hide")]
		shared_by, costs = 1, []
		for more in (2, 4):
			for _ in range(more):
				factories.make_plan(lists, is_published=1, overrides=hidden)
			shared_by += more
			self.publish()
			self.change(course["lessons"][0], description=f"seen by {shared_by}")
			(cost,) = (found for names, found in self.costs_of_builds().items() if names.startswith("plan:"))
			costs.append(cost - shared_by)  # the log has a record for each
		self.assertEqual(costs[0], costs[1])

	def test_a_tick_with_nothing_to_do_writes_nothing_and_costs_the_same_for_any_number_of_plans(
		self,
	) -> None:
		_, course = self.library(2)
		add_authentication_log("logged in", "Administrator")  # so the site is not dormant
		costs = []
		for plans in (0, 20):
			for _ in range(plans):
				factories.make_plan([course["subject"]], is_published=1)
			self.publish()
			batch_processor.run_batch()
			with self.recorded() as steps, statements() as look:
				self.assertEqual(batch_processor.check_due(), {"due": ""})
			with self.recorded() as more, statements() as batch:
				self.assertEqual(batch_processor.run_batch()["waiting"], 0)
			self.assertEqual([*steps, *more], [])
			costs.append((len(look), len(batch)))
		with statements() as asks:  # when somebody last logged in; Frappe 17 does so on its own cloud alone
			is_dormant()
		self.assertEqual(costs, [(5 + len(asks), 13 + len(asks))] * 2)

	def test_a_tick_reads_no_row_more_for_a_thousand_plans(self) -> None:
		"""A state for each, and a live file: what a check looks for is found by an index."""
		self.library(2)
		self.publish()
		add_authentication_log("logged in", "Administrator")  # so the site is not dormant
		read = []
		for copies in (0, 1000):
			copy_row("CDN Publish State", {"scope_type": "plan"}, copies, "ref")
			copy_row("CDN File", {"kind": "manifest"}, copies, "path")
			batch_processor.run_batch()
			with rows_read() as check:
				self.assertEqual(batch_processor.check_due(), {"due": ""})
			with rows_read() as batch:
				self.assertEqual(batch_processor.run_batch()["waiting"], 0)
			read.append((check.rows, batch.rows))
		few, many = read
		self.assertLessEqual(many[0], few[0] + 10)
		self.assertLessEqual(many[1], few[1] + 10)

	def costs_of_builds(self) -> dict[str, int]:
		"""Publish; how many statements each build sent, that of a group by all their names."""
		counts: dict[str, int] = {}
		build_one, build_together = builder.Builder._build_one, builder.Builder._build_together

		def counted(names: str, build: Callable[[], T]) -> T:
			with statements() as seen:
				done = build()
			counts[names] = counts.get(names, 0) + len(seen)
			return done

		def one(run: builder.Builder, target: PublishTarget, state: State) -> bool:
			return counted(state.name, lambda: build_one(run, target, state))

		def together(
			run: builder.Builder, target: PublishTarget, group: list[State]
		) -> tuple[int, Sequence[State], Sequence[State]]:
			names = " ".join(sorted(state.name for state in group))
			return counted(names, lambda: build_together(run, target, group))

		with (
			patch.object(builder.Builder, "_build_one", one),
			patch.object(builder.Builder, "_build_together", together),
		):
			self.publish()
		return counts

	def test_fifty_changes_are_folded_in_as_many_statements_as_two(self) -> None:
		_, course = self.library(60)
		self.publish()
		lessons = frappe.get_all("Memora Lesson", {"parent_topic": course["topics"][0].name}, pluck="name")
		counts = []
		for changed in (2, 50):
			for name in lessons[:changed]:
				frappe.get_doc("Memora Lesson", name).db_set("description", str(changed))
			frappe.db.commit()
			with statements() as seen:
				self.assertEqual(relay.run(), changed)
			counts.append(len(seen))
		self.assertEqual(counts[0], counts[1])
		with statements() as seen, self.recorded() as steps:
			self.publish()
		self.assertLess(len(seen), 60)  # fifty changes are one rebuild
		self.assertEqual(len(steps), 50 + 3)


class TestFilesWritten(PublishingTestCase):
	"""A subject of two units with three lessons each; 1 to 6 in their order."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(lessons=3)
		self.lessons = self.course["lessons"]
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()

	def lesson(self, *numbers: int) -> set[str]:
		return {f"lessons/{self.lessons[number - 1].name}.json" for number in numbers}

	def unit(self, *numbers: int) -> set[str]:
		return {f"units/{self.course['units'][number - 1].name}.json" for number in numbers}

	def of_plan(self, *names: str, plan: Document | None = None) -> set[str]:
		folder = f"plans/{(plan or self.plan).name}"
		found = {
			"subject": f"{folder}/subjects/{self.course['subject'].name}.json",
			"search": f"{folder}/search_index.json",
			"manifest": f"{folder}/manifest.json",
		}
		return {found[name] for name in names}

	def assertSteps(self, puts: set[str], deletes: set[str] = frozenset()) -> None:
		"""Publishing writes and removes each of these once and nothing else, targets before what links to them."""
		with self.recorded() as steps:
			self.publish()
		self.assertEqual(sorted(path for step, path in steps if step == "put"), sorted(puts))
		self.assertEqual(sorted(path for step, path in steps if step == "delete"), sorted(deletes))
		for plan in frappe.get_all("Memora Academic Plan", pluck="name"):
			read = [
				self.phase(step, path)
				for step, path in steps
				if not path.startswith("plans/") or path.startswith((f"plans/{plan}/", "plans/index"))
			]
			order = [phase for phase, _ in groupby(read)]
			self.assertEqual(order, sorted(set(order), key=(*PHASES, "delete").index))
		self.check()

	def phase(self, step: str, path: str) -> str:
		if step == "delete":
			return step
		for part, kind in (
			("plans/index", "plans_index"),
			("manifest", "manifest"),
			("search_index", "search_index"),
			("/search/", "search_shard"),
			("/subjects/", "subject"),
			("units/", "unit"),
		):
			if part in path:
				return kind
		return "lesson"

	def test_nothing_where_nothing_changed(self) -> None:
		self.lessons[0].reload()
		self.lessons[0].save()
		self.assertSteps(set())
		relay.touch([self.plan.name], [self.course["subject"].name])
		self.assertSteps(set())

	def test_a_body(self) -> None:
		self.change(
			self.lessons[1], stages=[{"title": "Read", "type": "Text", "config": '{"body": "another"}'}] * 2
		)
		self.assertSteps(self.lesson(2) | self.unit(1) | self.of_plan("subject", "manifest"))

	def test_a_title_in_the_middle_of_a_unit(self) -> None:
		self.change(self.lessons[1], title="Another")
		self.assertSteps(self.lesson(1, 2, 3) | self.unit(1) | self.of_plan("subject", "search", "manifest"))

	def test_a_title_at_the_end_of_a_unit(self) -> None:
		self.change(self.lessons[2], title="Another")
		self.assertSteps(
			self.lesson(2, 3, 4) | self.unit(1, 2) | self.of_plan("subject", "search", "manifest")
		)

	def test_a_title_for_two_plans(self) -> None:
		other = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		self.change(self.lessons[0], title="Another")
		self.assertSteps(
			self.lesson(1, 2)
			| self.unit(1)
			| self.of_plan("subject", "search", "manifest")
			| self.of_plan("subject", "search", "manifest", plan=other)
		)

	def test_a_title_in_a_sharded_plan(self) -> None:
		second = make_course(units=1, lessons=1)
		self.change(
			self.plan,
			subjects=[{"subject": self.course["subject"].name}, {"subject": second["subject"].name}],
		)
		factories.make_many("Memora Lesson", second["topics"][0], [f"L{n}" for n in range(500)])
		relay.touch(subjects=[second["subject"].name])
		with patch("os.fsync"):
			self.publish()
		self.change(self.lessons[1], title="Another")
		self.assertSteps(
			self.lesson(1, 2, 3)
			| self.unit(1)
			| self.of_plan("subject", "search", "manifest")
			| {f"plans/{self.plan.name}/search/{self.course['subject'].name}.json"}
		)

	def test_hiding_for_one_plan_that_has_its_own(self) -> None:
		last = factories.override(self.lessons[5], "Rename", "Last")
		self.change(self.plan, overrides=[last])
		self.publish()
		self.minutes_pass(16)
		self.tick()
		self.change(self.plan, overrides=[last, factories.override(self.lessons[2], "Hide")])
		folder = f"plans/{self.plan.name}/"
		self.assertSteps(
			{f"{folder}{path}" for path in self.lesson(2, 4) | self.unit(1, 2)}
			| self.of_plan("subject", "search", "manifest"),
			{f"{folder}{path}" for path in self.lesson(3)},
		)

	def test_unpublishing_a_lesson(self) -> None:
		self.change(self.lessons[2], is_published=0)
		self.assertSteps(
			self.lesson(2, 4) | self.unit(1, 2) | self.of_plan("subject", "search", "manifest"),
			self.lesson(3),
		)

	def test_unpublishing_a_unit(self) -> None:
		self.change(self.course["units"][0], is_published=0)
		self.assertSteps(
			self.lesson(4) | self.unit(2) | self.of_plan("subject", "search", "manifest"),
			self.lesson(1, 2, 3) | self.unit(1),
		)

	def test_reordering_lessons(self) -> None:
		for lesson, order in ((self.lessons[0], 1), (self.lessons[1], 0)):
			self.change(lesson, sort_order=order)
		self.assertSteps(self.lesson(1, 2, 3) | self.unit(1) | self.of_plan("subject", "search", "manifest"))

	def test_another_sort_order_that_changes_no_place(self) -> None:
		self.change(self.lessons[5], sort_order=9)
		self.assertSteps(self.lesson(6) | self.unit(2) | self.of_plan("subject", "manifest"))

	def test_a_new_lesson(self) -> None:
		self.lessons.append(
			factories.make_lesson(parent_topic=self.course["topics"][1].name, sort_order=7, is_published=1)
		)
		self.assertSteps(self.lesson(6, 7) | self.unit(2) | self.of_plan("subject", "search", "manifest"))

	def test_a_draft(self) -> None:
		factories.make_lesson(parent_topic=self.course["topics"][1].name)
		self.assertSteps(set())

	def test_a_title_above_stands_in_all_below(self) -> None:
		self.change(self.course["topics"][0], title="Another")
		self.assertSteps(self.lesson(1, 2, 3) | self.unit(1) | self.of_plan("subject", "search", "manifest"))
		self.change(self.course["track"], title="Another")
		self.assertSteps(self.lesson(*range(1, 7)) | self.unit(1, 2) | self.of_plan("subject", "manifest"))

	def test_a_plans_title(self) -> None:
		self.change(self.plan, title="Another")
		self.assertSteps(self.of_plan("manifest") | {"plans/index.json"})

	def test_a_subject_more(self) -> None:
		second = make_course(units=1, lessons=1)
		self.change(
			self.plan, subjects=[*self.plan.subjects, {"subject": second["subject"].name, "sort_order": 1}]
		)
		subject = second["subject"].name
		self.assertSteps(
			{
				f"lessons/{second['lessons'][0].name}.json",
				f"units/{second['units'][0].name}.json",
				f"plans/{self.plan.name}/subjects/{subject}.json",
			}
			| self.of_plan("search", "manifest")
		)

	def test_a_track_that_moves_to_another_subject(self) -> None:
		other = make_course(units=1, lessons=1)
		self.change(
			self.plan, subjects=[*self.plan.subjects, {"subject": other["subject"].name, "sort_order": 1}]
		)
		self.publish()
		self.change(self.course["track"], parent_subject=other["subject"].name, sort_order=9)
		folder, lesson, unit = f"plans/{self.plan.name}", other["lessons"][0].name, other["units"][0].name
		self.assertSteps(
			self.lesson(*range(1, 7))
			| self.unit(1, 2)
			| {f"lessons/{lesson}.json", f"units/{unit}.json"}  # the lesson before those
			| {f"{folder}/subjects/{other['subject'].name}.json"}
			| self.of_plan("subject", "search", "manifest")
		)
