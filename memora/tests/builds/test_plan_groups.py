"""Plans that share what has changed are published as a group: sooner, and otherwise just as one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partialmethod
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime

from memora.exceptions import StorageUnavailableError
from memora.memora.doctype.cdn_sync_log.cdn_sync_log import CDNSyncLog
from memora.services.cdn_export.builds import plan_group
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.cdn_uploader import Cargo
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.delivery.target import PublishTarget, SharedSubjects
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules.plan_files import PlanFiles
from memora.services.cdn_export.state import database, due, ledger, redis_mirror
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.storage import Upload
from memora.services.cdn_export.storage.local import LocalStorage
from memora.services.cdn_export.storage.local_files import TEMPORARY_SUFFIX
from memora.services.cdn_export.worker import builder
from memora.services.cdn_export.worker.drain import Drained
from memora.tests.faults.places import IN_A_GROUP, STEPS, killed, stopped
from memora.tests.helpers import clock, factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course


class PlanGroupTestCase(PublishingTestCase):
	"""Five plans list the same subject; all are published."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.lesson = self.course["lessons"][1]
		self.plans = [factories.make_plan([self.course["subject"]], is_published=1) for _ in range(5)]
		self.publish()

	def edit(self, title: str = "edited") -> None:
		self.change(self.lesson, title=title)
		frappe.db.commit()

	def titles(self) -> set[str]:
		"""What the plans' learners are told the lesson is called, wherever that is said."""
		found = set()
		for plan in self.plans:
			reading = self.learner(plan)
			found.add(reading.lessons[self.lesson.name]["title"])
			found |= {
				entry["lesson_name"] for entry in reading.entries if entry["lesson_id"] == self.lesson.name
			}
		return found

	def uploads(self) -> dict[str, int]:
		"""How many files each plan's last record says were uploaded."""
		rows = frappe.get_all(
			"CDN Sync Log", {"status": "Success"}, ["plan_id", "files_uploaded"], order_by="creation"
		)
		return {row.plan_id: row.files_uploaded for row in rows}

	@contextmanager
	def grouped(self) -> Iterator[list[set[str]]]:
		"""Which plans are published as a group meanwhile, a set a group."""
		groups: list[set[str]] = []
		run = plan_group.run

		def noted(build: Build) -> plan_group.Group:
			group = run(build)
			groups.append({state.ref for state, _ in group.published})
			return group

		with patch.object(plan_group, "run", noted):
			yield groups

	def published(self) -> tuple[Drained, list[set[str]]]:
		with self.grouped() as groups:
			drained = self.publish()
		return drained, groups

	def names(self, *plans: Document) -> set[str]:
		return {plan.name for plan in plans}


class TestGroups(PlanGroupTestCase):
	def test_an_edit_is_live_for_all_with_a_record_each(self) -> None:
		self.edit()
		drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, drained.left), (6, 0, 0))
		self.assertEqual(groups, [self.names(*self.plans)])
		self.assertEqual(self.titles(), {"edited"})
		# Subject, search index and manifest; one record also has the three lessons and two units that all share.
		self.assertEqual(sorted(self.uploads().values()), [3, 3, 3, 3, 8])
		self.assertEqual(redis_mirror.waiting(), set())
		self.check()

	def test_what_is_published_is_just_what_they_would_publish_one_by_one(self) -> None:
		self.edit()
		_, groups = self.published()
		self.assertEqual(groups, [self.names(*self.plans)])
		database.transaction(
			lambda: relay.touch([plan.name for plan in self.plans], [self.course["subject"].name])
		)
		with patch.object(plan_group, "MOST_PLANS", 1), self.recorded() as steps:
			drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, groups), (6, 0, []))
		self.assertEqual(steps, [])

	def test_more_plans_than_a_group_holds(self) -> None:
		self.edit()
		with patch.object(plan_group, "MOST_PLANS", 2):
			drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, drained.left), (6, 0, 0))
		self.assertEqual([len(group) for group in groups], [2, 2])
		self.assertEqual(self.titles(), {"edited"})
		self.check()

	def test_plans_that_find_no_room_are_the_next_group(self) -> None:
		"""Each renders one subject, and two are as many as a group holds."""
		self.edit()
		with patch.object(plan_group, "_MOST_RENDERED", 2):
			drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, drained.left), (6, 0, 0))
		self.assertEqual([len(group) for group in groups], [2, 2])
		self.assertEqual(self.titles(), {"edited"})
		self.check()

	def test_another_run_than_that_which_built_the_subject_groups_them_too(self) -> None:
		self.edit()
		with leases.acquire_free([scopes.plan(plan.name) for plan in self.plans]):
			self.assertEqual(self.publish().published, 1)
		drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, drained.left), (5, 0, 0))
		self.assertEqual(groups, [self.names(*self.plans)])
		self.assertEqual(self.titles(), {"edited"})
		self.check()

	def test_where_files_must_go_that_another_run_has_dropped_each_is_built_by_itself(self) -> None:
		self.change(self.lesson, is_published=0)
		with leases.acquire_free([scopes.plan(plan.name) for plan in self.plans]):
			self.publish()
		self.assertIn(f"lessons/{self.lesson.name}.json", self.paths())
		_, groups = self.published()
		self.assertEqual(set().union(*groups), set())
		self.assertNotIn(f"lessons/{self.lesson.name}.json", self.paths())
		self.check()

	def test_an_edit_that_is_taken_back_before_the_relay_has_seen_it_does_not_stay(self) -> None:
		"""A plan that reads a subject itself sees more than the subject's last build did."""
		for most, fields in (
			(50, {"title": "taken back"}),
			(1, {"title": "taken back"}),
			(50, {"is_published": 0}),
		):
			with self.subTest(most=most, **fields):
				self.edit(f"edited, {most}")
				with leases.acquire_free([scopes.plan(plan.name) for plan in self.plans]):
					self.publish()
				relay.run()
				self.change(self.lesson, **fields)
				frappe.db.commit()
				with patch.object(relay, "run"), patch.object(plan_group, "MOST_PLANS", most):
					self.publish()
				self.change(self.lesson, title=f"edited, {most}", is_published=1)
				self.publish()
				self.assertEqual(self.titles(), {f"edited, {most}"})
				self.check()

	def test_a_plan_of_more_subjects_than_a_run_remembers_is_read_once(self) -> None:
		others = [make_course(units=1, lessons=1) for _ in range(3)]
		courses = [self.course, *others]
		for plan in self.plans:
			self.change(plan, subjects=[{"subject": course["subject"].name} for course in courses])
		self.publish()
		for course in courses:
			self.change(course["subject"], description="edited")
		frappe.db.commit()
		with leases.acquire_free([scopes.plan(plan.name) for plan in self.plans]):
			self.publish()
		with (
			patch.object(SharedSubjects, "__init__", partialmethod(SharedSubjects.__init__, kept=3)),
			patch.object(content_tree, "load", wraps=content_tree.load) as loaded,
		):
			drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, drained.left), (5, 0, 0))
		self.assertEqual(groups, [set()])  # tried once for all
		# Of four subjects three are remembered, so each plan but the first reads one or two.
		self.assertLessEqual(loaded.call_count, 4 + 4 * 2)
		self.check()

	def test_a_unit_that_is_to_be_removed_again_is_none_to_link_to(self) -> None:
		"""It was removed, and is in the storage once more, of no scope's doing."""
		subject, unit = scopes.subject(self.course["subject"].name), self.course["units"][1]
		path = paths.unit(unit.name)
		self.assertIn(path, ledger.units_and_due(subject, subject.ref)[0])
		self.change(unit, is_published=0)
		self.publish()
		ledger.remove_again([path])
		self.assertNotIn(path, ledger.units_and_due(subject, subject.ref)[0])

	def test_no_more_different_subjects_than_a_run_remembers(self) -> None:
		others = [make_course(units=1, lessons=1) for _ in range(3)]
		courses = [self.course, *others]
		for plan, course in zip(self.plans, [*courses, courses[0]], strict=True):
			self.change(plan, subjects=[{"subject": course["subject"].name}])
		self.publish()
		for course in courses:
			self.change(course["subject"], description="edited")
		with patch.object(SharedSubjects, "__init__", partialmethod(SharedSubjects.__init__, kept=2)):
			drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, drained.left), (9, 0, 0))
		self.assertEqual(sorted(len(group) for group in groups), [2, 3])
		self.check()

	def test_what_waits_out_its_grace_keeps_no_plan_from_a_group(self) -> None:
		own = factories.override(self.lesson, "Rename", "Its own")
		for overrides in ([own], []):
			self.change(self.plans[0], overrides=overrides)
			self.publish()
		folder = f"plans/{self.plans[0].name}/"
		leaving = {path for path in self.paths() if path.startswith((f"{folder}lessons/", f"{folder}units/"))}
		self.assertTrue(leaving)
		self.edit()
		_, groups = self.published()
		self.assertEqual(groups, [self.names(*self.plans)])
		self.check(leaving=leaving)

	def test_what_needs_more_is_built_by_itself(self) -> None:
		second = make_course(units=1, lessons=1)
		both = [{"subject": course["subject"].name} for course in (self.course, second)]
		one = self.plans[0]
		for number, change in enumerate(
			(
				{"title": "Another title"},
				{"subjects": both},
				{"subjects": both[1:]},
				{"subjects": both},
				{"is_published": 0},
				{"is_published": 1},
			)
		):
			with self.subTest(change=change):
				self.edit(f"edited {number}")
				self.change(one, **change)
				drained, groups = self.published()
				self.assertEqual((drained.failed, drained.left), (0, 0))
				grouped = set().union(*groups)
				self.assertNotIn(one.name, grouped)
				self.assertGreater(len(grouped), 1)
				listed = {
					entry["plan_id"]: entry["title"] for entry in self.read("plans/index.json")["plans"]
				}
				self.assertEqual(listed.get(one.name), one.title if one.is_published else None)
				if one.is_published:
					self.assertEqual(
						set(self.learner(one).subjects), {row.subject for row in one.subjects if row.subject}
					)
				self.check()

	def test_one_that_needs_more_keeps_no_other_from_its_group(self) -> None:
		own, *others = self.plans
		self.change(own, overrides=[factories.override(self.course["lessons"][0], "Hide")])
		self.publish()
		self.edit()
		drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed, drained.left), (6, 0, 0))
		self.assertEqual(groups, [self.names(*others)])
		self.assertEqual(self.titles(), {"edited"})
		self.assertNotIn(self.course["lessons"][0].name, self.learner(own).lessons)
		self.check()

	def test_where_files_must_go_they_go_at_once(self) -> None:
		self.change(self.lesson, is_published=0)
		_, groups = self.published()
		self.assertEqual(set().union(*groups), set())
		self.assertNotIn(f"lessons/{self.lesson.name}.json", self.paths())
		self.check()

	def test_while_large_changes_are_held_each_plan_is_looked_at_by_itself(self) -> None:
		self.configure(hold_large_changes=1)
		self.publish()
		self.edit()
		drained, groups = self.published()
		self.assertEqual((drained.failed, drained.left), (0, 0))
		self.assertEqual(set().union(*groups), set())
		self.assertEqual(self.titles(), {"edited"})

	def test_a_record_that_a_site_refuses_takes_no_other_with_it(self) -> None:
		refused = self.plans[2].name

		def refuse(doc: Document) -> None:
			if doc.plan_id == refused:
				frappe.throw("refused by the test")  # frapast:ignore FR-I18N-001

		self.edit()
		with patch.object(CDNSyncLog, "after_insert", refuse, create=True):
			drained, _ = self.published()
		self.assertEqual((drained.published, drained.failed), (6, 0))
		self.assertEqual(
			{
				plan.name
				for plan in self.plans
				if frappe.db.count("CDN Sync Log", {"plan_id": plan.name}) == 2
			},
			{plan.name for plan in self.plans} - {refused},
		)
		self.assertTrue(frappe.get_all("Error Log", {"reference_name": refused}))
		self.assertEqual(self.titles(), {"edited"})


class TestTrouble(PlanGroupTestCase):
	"""A group that fails leaves everything to the plans' own builds."""

	@contextmanager
	def refused(self, plan: Document) -> Iterator[None]:
		"""The storage takes no manifest of this plan meanwhile."""
		put = LocalStorage.put

		def refuse(storage: LocalStorage, upload: Upload, **condition: Any) -> str:
			if upload.path == f"plans/{plan.name}/manifest.json":
				raise StorageUnavailableError(f"{upload.path} was refused by the test")
			return put(storage, upload, **condition)

		with patch.object(LocalStorage, "put", refuse):
			yield

	def test_a_file_that_cannot_be_written_fails_its_plan_and_no_other(self) -> None:
		failing, *others = self.plans
		self.edit()
		with self.refused(failing):
			drained, _ = self.published()
		self.assertEqual((drained.published, drained.failed), (5, 1))
		self.assertEqual(list(self.failures()), [failing.name])
		for plan in others:
			self.assertEqual(self.learner(plan).lessons[self.lesson.name]["title"], "edited")
		self.minutes_pass(2)
		self.edit("edited again")
		with self.refused(failing):
			drained, groups = self.published()
		self.assertEqual((drained.published, drained.failed), (5, 1))
		self.assertEqual(groups, [self.names(*others)])  # one that has failed is tried by itself
		self.minutes_pass(4)
		self.publish()
		self.assertEqual(self.titles(), {"edited again"})
		self.check()

	def test_files_that_are_kept_for_a_plan_that_cannot_be_built_keep_the_others_in_their_group(self) -> None:
		failing, *others = self.plans
		with self.refused(failing):
			self.change(self.course["units"][1], is_published=0)
			self.publish()
			self.change(self.course["lessons"][0], title="edited")
			frappe.db.commit()
			with leases.acquire_free([scopes.plan(plan.name) for plan in self.plans]):
				self.publish()
			self.minutes_pass(2)
			_, groups = self.published()
			self.assertEqual(groups, [self.names(*others)])

	def test_a_worker_that_dies_anywhere_in_it_loses_nothing(self) -> None:
		for number, place in enumerate(IN_A_GROUP):
			with self.subTest(place=str(place)):
				self.change(self.course["subject"], description=str(number))
				self.edit(f"edited {number}")
				killed(place)
				clock.skip(leases.LEASE_SECONDS + 1)
				self.publish()
				self.assertEqual(self.titles(), {f"edited {number}"})
				# What it was just writing, to be swept in an hour.
				self.check(leaving=[path for path in self.paths() if path.endswith(TEMPORARY_SUFFIX)])

	def test_a_worker_that_stood_still_writes_nothing_once_others_have_its_plans(self) -> None:
		for place in IN_A_GROUP:
			with self.subTest(place=str(place)):
				self.edit(f"edited {place}")
				with stopped(place, seconds=leases.LEASE_SECONDS + 1) as building:
					clock.skip(leases.LEASE_SECONDS + 1)
					self.edit(f"edited meanwhile, {place}")
					self.publish()
					published = self.contents()
					building.go_on()
					building.over()
				self.assertEqual(self.contents(), published)
				self.assertEqual(self.titles(), {f"edited meanwhile, {place}"})
				self.check()
				database.transaction(lambda: relay.touch([plan.name for plan in self.plans]))
				with self.recorded() as steps:
					self.publish()
				self.assertEqual(steps, [])  # the ledger knows that just this is live

	def test_what_is_edited_while_a_group_is_built_follows_it(self) -> None:
		self.edit()
		with stopped(STEPS["before the manifest"][0]) as building:
			self.edit("edited meanwhile")
			building.go_on()
			building.wait()
		self.assertEqual(self.titles(), {"edited meanwhile"})
		self.check()

	def test_a_group_takes_the_plans_that_nobody_holds(self) -> None:
		held, *others = self.plans
		build_together = builder.Builder._build_together

		def held_meanwhile(*arguments: Any) -> tuple[int, Sequence[State], Sequence[State]]:
			with leases.acquire(scopes.plan(held.name)):
				return build_together(*arguments)

		self.edit()
		with patch.object(builder.Builder, "_build_together", held_meanwhile):
			drained, groups = self.published()
		self.assertEqual(groups, [self.names(*others)])
		self.assertEqual((drained.published, drained.failed, drained.left), (6, 0, 0))
		self.assertEqual(self.titles(), {"edited"})
		self.check()

	def test_what_another_worker_builds_is_left_to_it(self) -> None:
		"""Neither the plans that wait for its subject are tried one by one, nor each scope that it has taken."""
		tried: list[str] = []
		build_one = builder.Builder._build_one

		def noted(run: builder.Builder, target: PublishTarget, state: State) -> bool:
			tried.append(state.name)
			return build_one(run, target, state)

		second = make_course(units=1, lessons=1)
		both = [{"subject": course["subject"].name} for course in (self.course, second)]
		self.change(self.plans[0], subjects=both)
		self.publish()
		self.change(second["subject"], description="edited")
		self.edit()
		with closing(PublishTarget.open()) as target, patch.object(builder.Builder, "_build_one", noted):
			relay.run()
			waiting = due.to_build(now_datetime())
			first = waiting[0].scope
			self.assertEqual([state.scope_type for state in waiting], [*["subject"] * 2, *["plan"] * 5])
			with leases.acquire_free([state.scope for state in waiting[:2]]):
				self.assertEqual(builder.Builder("Scheduler").build_all(target, waiting), 0)
			self.assertEqual(tried, [first.id])
			with leases.acquire_free([state.scope for state in waiting]):
				self.assertEqual(builder.Builder("Scheduler").build_all(target, waiting), 0)
				self.assertEqual(builder.Builder("Scheduler").build_all(target, waiting[2:]), 0)
			self.assertEqual(tried, [first.id] * 2)
		drained = self.publish()
		self.assertEqual((drained.published, drained.failed, drained.left), (7, 0, 0))
		self.assertEqual(self.titles(), {"edited"})
		self.check()

	def test_plans_that_find_no_room_are_others_to_build_meanwhile(self) -> None:
		free: list[set[str]] = []
		upload = plan_group._upload_and_close

		def noted(build: Build, plans: list[PlanFiles]) -> Cargo:
			leased = {"scope_type": "plan", "lease_token": ("is", "not set")}
			free.append(set(frappe.get_all("CDN Publish State", leased, pluck="ref")))
			return upload(build, plans)

		self.edit()
		with (
			patch.object(plan_group, "_MOST_RENDERED", 2),
			patch.object(plan_group, "_upload_and_close", noted),
		):
			_, groups = self.published()
		self.assertEqual([len(group) for group in groups], [2, 2])
		self.assertEqual(free[0], self.names(*self.plans) - groups[0])
		self.assertEqual(self.titles(), {"edited"})
		self.check()

	def test_where_files_go_elsewhere_meanwhile_nothing_is_said_of_the_old_place(self) -> None:
		elsewhere = self.local_path / "elsewhere"
		run = plan_group.run

		def moved(build: Build) -> plan_group.Group:
			self.configure(local_path=str(elsewhere))
			return run(build.again())

		self.edit()
		with patch.object(plan_group, "run", moved), self.recorded() as steps:
			self.publish()
		manifests = [path for _, path in steps if path.endswith("/manifest.json")]
		self.assertEqual(sorted(manifests), sorted(f"plans/{plan.name}/manifest.json" for plan in self.plans))
		self.local_path = elsewhere
		self.assertEqual(self.titles(), {"edited"})
		self.check()
