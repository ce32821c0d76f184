"""Plans that share subjects: what one plan changes, only its own learners see.

Also what must go when no learner may read it any more, at once or after a grace (spec, "Publishing").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import frappe
import orjson
import pytest
from frappe.model.document import Document

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.admin import pipeline_status, publication_status, publish_requests
from memora.services.cdn_export.outbox import reconciliation, relay
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.storage import Storage, Upload
from memora.services.cdn_export.worker import drain
from memora.tests.faults.places import STEPS, killed
from memora.tests.helpers import clock, factories
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import PublishingTestCase, Reading, make_course

ACTIONS = {"Hide": "", "Rename": "Another title", "Set Free": "", "Set Sold Separately": "ITEM-OWN"}


class TwoPlansTestCase(PublishingTestCase):
	"""`whole` and `other` list the same subject; both are published."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(title="Physics")
		self.subject = self.course["subject"]
		self.lessons = self.course["lessons"]
		self.whole = factories.make_plan([self.subject], title="Whole", is_published=1)
		self.other = factories.make_plan([self.subject], title="Other", is_published=1)
		self.publish()
		self.check()

	def override(self, plan: Document, *rows: dict[str, str]) -> None:
		"""Replace a plan's overrides and publish."""
		self.change(plan, overrides=list(rows))
		self.publish()

	def below(self, folder: str) -> set[str]:
		return {path for path in self.paths() if path.startswith(folder)}

	def folder(self, plan: Document) -> str:
		return f"plans/{plan.name}/"

	def shared(self) -> dict[str, bytes]:
		"""The shared files."""
		return {
			path: body for path, body in self.contents().items() if path.startswith(("units/", "lessons/"))
		}

	def without(self, plan: Document) -> dict[str, bytes]:
		"""All files but those of a plan."""
		folder = self.folder(plan)
		return {path: body for path, body in self.contents().items() if not path.startswith(folder)}

	@contextmanager
	def refused(self, *beginnings: str) -> Iterator[None]:
		"""No upload of a path that begins so succeeds."""
		kind = type(self.storage())
		put = kind.put

		def refusing(storage: Storage, upload: Upload, **condition: Any) -> str:
			if upload.path.startswith(beginnings):
				raise StorageUnavailableError(f"{upload.path} was refused by the test")
			return put(storage, upload, **condition)

		with patch.object(kind, "put", refusing):
			yield

	def said(self) -> dict[str, str]:
		"""Path of each file that is to go, with when."""
		return dict(frappe.db.sql("select path, remove_at from `tabCDN File` where state = 'removing'"))


class TestOverrides(TwoPlansTestCase):
	def targets(self) -> list[Document]:
		return [
			self.subject,
			self.course["track"],
			self.course["units"][0],
			self.course["topics"][0],
			self.lessons[0],
		]

	@pytest.mark.earlier_defect(
		"shared paths with plan-specific content: the last plan built won, undoing the other's Hide"
		" and Set Free"
	)
	def test_no_action_at_any_level_touches_the_other_plan(self) -> None:
		before = self.without(self.other)
		for target in self.targets():
			for action, value in ACTIONS.items():
				with self.subTest(target=target.doctype, action=action):
					self.override(self.other, factories.override(target, action, value))
					self.assertEqual(self.without(self.other), before)
					own = self.learner(self.other)
					self.assertEqual(self.seen(own, target), self.expected(target, action))
					self.assertEqual(
						set(own.subjects), set() if self.hides_all(target, action) else {self.subject.name}
					)
					for name in (*own.units, *own.lessons):
						self.assertTrue(own.paths[name].startswith(self.folder(self.other)), name)
		self.override(self.other)
		self.minutes_pass(15)
		self.tick()
		self.check()
		self.assertEqual(self.without(self.other), before)

	def hides_all(self, target: Document, action: str) -> bool:
		return action == "Hide" and target.doctype == "Memora Subject"

	def expected(self, target: Document, action: str) -> Any:
		if action == "Hide":
			return None
		if action == "Rename":
			return ("Another title", {"is_published": True, "access_level": "authenticated"})
		if action == "Set Free":
			return (target.title, {"is_published": True, "access_level": "free_preview"})
		sold = {"required_item": "ITEM-OWN", "is_sold_separately": True, "parent_item_required": False}
		return (target.title, {"is_published": True, "access_level": "paid", **sold})

	def seen(self, reading: Reading, target: Document) -> Any:
		"""Title and access of a node, from the file above it as much as from its own."""
		found = []
		listed = [*reading.manifest["subjects"]]
		for subject in reading.subjects.values():
			listed += [
				subject,
				*subject["tracks"],
				*(unit for track in subject["tracks"] for unit in track["units"]),
			]
		for unit in reading.units.values():
			listed += [
				unit,
				*unit["topics"],
				*(lesson for topic in unit["topics"] for lesson in topic["lessons"]),
			]
		listed += reading.lessons.values()
		for entry in listed:
			if entry["id"] == target.name and (entry["title"], entry["access"]) not in found:
				found.append((entry["title"], entry["access"]))
		self.assertLessEqual(len(found), 1, "a node is shown in two ways")
		return found[0] if found else None

	@pytest.mark.earlier_defect(
		"shared paths with plan-specific content: the last plan built won, undoing the other's Hide"
		" and Set Free"
	)
	def test_both_plans_keep_their_own_in_whatever_order_they_are_built(self) -> None:
		hidden, free = self.lessons[0], self.lessons[3]
		self.override(self.whole, factories.override(free, "Set Free"))
		self.override(self.other, factories.override(hidden, "Hide"))
		for plans in ((self.whole, self.other), (self.other, self.whole)):
			self.change(self.lessons[1], title=f"Edited before {plans[0].title}")
			frappe.db.commit()
			relay.run()
			for place, plan in enumerate(plans):
				frappe.db.sql(
					"update `tabCDN Publish State` set waiting_since = %s where ref = %s",
					(f"2020-01-0{place + 1}", plan.name),
				)
			self.publish()
			whole, other = self.learner(self.whole), self.learner(self.other)
			self.assertEqual(
				(whole.level(free.name), other.level(free.name)), ("free_preview", "authenticated")
			)
			self.assertIn(hidden.name, whole.lessons)
			self.assertNotIn(hidden.name, other.lessons)
			for reading in (whole, other):
				self.assertEqual(
					reading.lessons[self.lessons[1].name]["title"], f"Edited before {plans[0].title}"
				)
		self.check(self.said())

	@pytest.mark.earlier_defect("Rename and Set Sold Separately had no effect")
	def test_a_renamed_node_has_its_new_title_wherever_it_stands_and_the_old_one_nowhere(self) -> None:
		targets = self.targets()
		titles = {target.name: f"Renamed {target.doctype}" for target in targets}
		self.override(
			self.other, *(factories.override(target, "Rename", titles[target.name]) for target in targets)
		)
		other = "".join(self.read_bytes(path).decode() for path in self.learned(self.other))
		whole = "".join(self.read_bytes(path).decode() for path in self.learned(self.whole))
		for target in targets:
			self.assertNotIn(f'"{target.title}"', other)
			self.assertNotIn(f'"{titles[target.name]}"', whole)

		subject, track, unit, topic, lesson = (titles[target.name] for target in targets)
		reading = self.learner(self.other)
		self.assertEqual(reading.manifest["subjects"][0]["title"], subject)
		self.assertEqual(reading.subjects[self.subject.name]["tracks"][0]["title"], track)
		self.assertEqual(
			reading.lessons[self.lessons[0].name]["parent"],
			{
				"topic_id": targets[3].name,
				"topic_title": topic,
				"unit_id": targets[2].name,
				"unit_title": unit,
				"track_id": targets[1].name,
				"track_title": track,
				"subject_id": self.subject.name,
				"subject_title": subject,
			},
		)
		neighbour = reading.lessons[self.lessons[1].name]["navigation"]["previous_lesson"]
		self.assertEqual((neighbour["id"], neighbour["title"]), (self.lessons[0].name, lesson))
		found = next(entry for entry in reading.entries if entry["lesson_id"] == self.lessons[0].name)
		self.assertEqual(
			[found[f"{kind}_name"] for kind in ("subject", "unit", "topic", "lesson")],
			[subject, unit, topic, lesson],
		)
		self.check(self.said())

	def learned(self, plan: Document) -> set[str]:
		reading = self.learner(plan)
		return {
			*reading.paths.values(),
			f"{self.folder(plan)}manifest.json",
			f"{self.folder(plan)}search_index.json",
		}

	def test_an_override_of_one_subject_leaves_the_others_shared(self) -> None:
		second = make_course(units=1, lessons=1)
		self.change(
			self.other, subjects=[{"subject": self.subject.name}, {"subject": second["subject"].name}]
		)
		self.override(self.other, factories.override(second["lessons"][0], "Set Free"))
		reading = self.learner(self.other)
		self.assertEqual(reading.paths[self.lessons[0].name], f"lessons/{self.lessons[0].name}.json")
		self.assertEqual(
			reading.paths[second["lessons"][0].name],
			f"{self.folder(self.other)}lessons/{second['lessons'][0].name}.json",
		)
		self.check()

	def test_an_override_without_effect_still_makes_the_subject_the_plans_own(self) -> None:
		self.change(self.lessons[0], is_published=0)
		self.override(self.other, factories.override(self.lessons[0], "Hide"))
		reading = self.learner(self.other)
		self.assertEqual(
			reading.paths[self.lessons[1].name],
			f"{self.folder(self.other)}lessons/{self.lessons[1].name}.json",
		)
		self.assertEqual(
			self.learner(self.whole).paths[self.lessons[1].name], f"lessons/{self.lessons[1].name}.json"
		)

	def test_an_override_that_writes_its_target_in_another_case_hides_it_all_the_same(self) -> None:
		"""As MariaDB reads it, whoever has written it past the form."""
		lesson = self.lessons[0]
		frappe.rename_doc("Memora Lesson", lesson.name, "Lenses", force=True)
		lesson = frappe.get_doc("Memora Lesson", "Lenses")
		self.override(self.whole, factories.override(lesson, "Hide"))
		self.assertNotIn("Lenses", self.learner(self.whole).lessons)
		frappe.db.sql(
			"update `tabMemora Plan Override` set target_name = 'LENSES' where parent = %s",
			(self.whole.name,),
		)
		relay.touch([self.whole.name], [self.subject.name])
		self.publish()
		self.assertEqual(self.learner(self.whole).lessons.keys(), {doc.name for doc in self.lessons[1:]})
		self.assertIn("Lenses", self.learner(self.other).lessons)
		stands = publication_status.of_documents("Memora Lesson", ["Lenses"])["Lenses"]
		self.assertEqual(
			{found.plan: found.state for found in stands.plans},
			{self.whole.name: "hidden", self.other.name: "live"},
		)

	def test_an_edit_reaches_the_shared_and_the_own_lesson(self) -> None:
		self.override(self.other, factories.override(self.lessons[0], "Hide"))
		lesson = self.lessons[2]
		self.change(lesson, stages=[{"title": "Read", "type": "Text", "config": '{"body": "new"}'}])
		self.publish()
		for plan in (self.whole, self.other):
			self.assertEqual(
				self.learner(plan).lessons[lesson.name]["stages"],
				[{"idx": 1, "title": "Read", "type": "Text", "config": {"body": "new"}}],
			)

	@pytest.mark.earlier_defect("Rename and Set Sold Separately had no effect")
	def test_a_sold_lesson_carries_its_item_beside_the_object(self) -> None:
		self.override(
			self.other, factories.override(self.course["units"][0], "Set Sold Separately", "وحدة 1")
		)
		reading = self.learner(self.other)
		with self.storage() as storage:
			for lesson in self.lessons[:2]:
				metadata = storage.head(reading.paths[lesson.name]).metadata
				self.assertEqual((metadata["access-level"], metadata["required-item"]), ("paid", "وحدة 1"))
				metadata = storage.head(f"lessons/{lesson.name}.json").metadata
				self.assertEqual(metadata["access-level"], "authenticated")
				self.assertNotIn("required-item", metadata)


class TestRemoval(TwoPlansTestCase):
	def unread_by_whole(self) -> None:
		"""Leave `other` as the only plan."""
		self.change(self.whole, is_published=0)
		self.publish()

	def lesson_path(self, place: int, plan: Document | None = None) -> str:
		return f"{self.folder(plan) if plan else ''}lessons/{self.lessons[place].name}.json"

	def test_what_moves_into_the_plans_own_folder_keeps_its_old_place_for_15_minutes(self) -> None:
		self.unread_by_whole()
		moved = set(self.shared())
		self.override(self.other, factories.override(self.lessons[0], "Rename", "Another title"))
		self.check(leaving=moved)
		self.minutes_pass(14)
		self.tick()
		self.check(leaving=moved)
		self.minutes_pass(2)
		self.assertEqual(self.tick(), {"due": "removal"})
		self.assertEqual(self.shared(), {})
		self.check()

		own = self.below(f"{self.folder(self.other)}lessons/") | self.below(
			f"{self.folder(self.other)}units/"
		)
		self.override(self.other)
		self.check(leaving=own)
		self.minutes_pass(16)
		self.tick()
		self.assertEqual(set(self.shared()), moved)
		self.check()

	def test_what_comes_back_during_its_grace_stays(self) -> None:
		self.unread_by_whole()
		moved = set(self.shared())
		self.override(self.other, factories.override(self.lessons[0], "Rename", "Another title"))
		own = self.below(f"{self.folder(self.other)}lessons/") | self.below(
			f"{self.folder(self.other)}units/"
		)
		self.override(self.other)
		self.minutes_pass(16)
		self.tick()
		self.check()
		self.assertEqual(set(self.shared()), moved)
		self.assertFalse(own & self.paths())

	def test_nothing_stays_at_the_shared_place_where_the_only_reader_hides_or_sells(self) -> None:
		"""Shared units would go on naming a lesson that no learner may read any more."""
		self.unread_by_whole()
		for row in (
			factories.override(self.lessons[0], "Hide"),
			factories.override(self.course["units"][1], "Set Sold Separately", "ITEM"),
		):
			self.override(self.other, row)
			self.assertEqual(self.shared(), {})
			self.check()
			self.override(self.other)
			self.minutes_pass(16)
			self.tick()
			self.check()

	def test_what_is_no_longer_free_goes_from_the_plans_folder_at_once(self) -> None:
		self.override(self.other, factories.override(self.lessons[0], "Set Free"))
		self.override(self.other)
		self.check()

	def test_hidden_in_an_own_rendition_goes_in_the_same_run(self) -> None:
		self.override(self.other, factories.override(self.lessons[0], "Rename", "Another title"))
		self.assertIn(self.lesson_path(1, self.other), self.paths())
		self.override(
			self.other,
			factories.override(self.lessons[0], "Rename", "Another title"),
			factories.override(self.lessons[1], "Hide"),
		)
		self.assertNotIn(self.lesson_path(1, self.other), self.paths())
		self.assertIn(self.lesson_path(1), self.paths())
		self.check()

	@pytest.mark.earlier_defect("no removal of files after a delete or a hide")
	def test_unpublished_at_any_level_goes_in_the_same_run_for_all_plans(self) -> None:
		self.override(self.other, factories.override(self.lessons[3], "Rename", "Another title"))
		for doc, units, lessons in (
			(self.lessons[0], 2, 3),
			(self.course["topics"][0], 2, 2),
			(self.course["units"][0], 1, 2),
			(self.course["track"], 0, 0),
			(self.subject, 0, 0),
		):
			with self.subTest(doc.doctype):
				self.change(doc, is_published=0)
				self.publish()
				self.check()
				for folder in ("", self.folder(self.other)):
					self.assertEqual(len(self.below(f"{folder}units/")), units)
					self.assertEqual(len(self.below(f"{folder}lessons/")), lessons)
				self.change(doc, is_published=1)
				self.publish()
				self.check()
				self.assertEqual(len(self.shared()), 6)

	@pytest.mark.earlier_defect("no removal of files after a delete or a hide")
	def test_a_deleted_lesson_goes_in_the_same_run_for_all_plans(self) -> None:
		self.override(self.other, factories.override(self.lessons[3], "Rename", "Another title"))
		frappe.delete_doc("Memora Lesson", self.lessons[0].name)
		self.publish()
		self.check()
		self.assertNotIn(self.lesson_path(0), self.paths())
		self.assertNotIn(self.lesson_path(0, self.other), self.paths())

	def test_shared_files_go_with_the_last_plan_that_reads_them(self) -> None:
		shared = self.shared()
		self.change(self.whole, is_published=0)
		self.publish()
		self.assertEqual(self.shared(), shared)
		self.check()
		self.change(self.other, subjects=[])
		self.publish()
		self.assertEqual(self.shared(), {})
		self.check()
		self.assertEqual(self.learner(self.other).manifest["subjects"], [])

		self.change(self.other, subjects=[{"subject": self.subject.name}])
		self.publish()
		self.check()
		self.assertEqual(set(self.shared()), set(shared))

	def test_an_unpublished_plan_leaves_the_list_before_its_folder_goes(self) -> None:
		for end in (
			lambda plan: self.change(plan, is_published=0),
			lambda plan: frappe.delete_doc("Memora Academic Plan", plan.name),
			lambda plan: self.change(frappe.get_doc("Memora Season", plan.season), is_published=0),
		):
			plan = factories.make_plan([self.subject], is_published=1)
			self.publish()
			self.assertIn(plan.name, self.listed())
			before = self.without(plan)
			before.pop("plans/index.json")
			end(plan)
			with self.recorded() as steps:
				self.publish()
			self.check()
			self.assertEqual(self.below(self.folder(plan)), set())
			self.assertNotIn(plan.name, self.listed())
			after = self.without(plan)
			after.pop("plans/index.json")
			self.assertEqual(after, before)
			self.assertEqual(steps[0], ("put", "plans/index.json"))
			self.assertEqual({path.startswith(self.folder(plan)) for step, path in steps[1:]}, {True})
			self.assertEqual({step for step, _ in steps[1:]}, {"delete"})

	def test_a_plan_that_is_published_again_before_it_was_gone_is_listed_again(self) -> None:
		self.change(self.other, is_published=0)
		killed(STEPS["at the list of plans"][1])
		self.assertNotIn(self.other.name, self.listed())
		self.change(self.other, is_published=1)
		clock.skip(leases.LEASE_SECONDS + 1)
		self.publish()
		self.assertIn(self.other.name, self.listed())
		self.check()

	def test_a_plan_goes_with_its_season_also_where_nothing_told_it(self) -> None:
		def set_value(plan: Document) -> None:
			frappe.db.set_value("Memora Season", plan.season, "is_published", 0)
			frappe.db.commit()
			reconciliation.hourly()

		def set_in_sql(plan: Document) -> None:
			frappe.db.sql("update `tabMemora Season` set is_published = 0 where name = %s", (plan.season,))
			frappe.db.commit()
			reconciliation.daily()

		def merge(plan: Document) -> None:
			draft = factories.make("Memora Season", is_published=0)
			frappe.rename_doc("Memora Season", plan.season, draft.name, merge=True)

		def move(plan: Document) -> None:
			plan.db_set("season", factories.make("Memora Season", is_published=0).name)

		def at_the_same_time(plan: Document) -> None:
			"""Neither of the two who save sees what the other does."""
			self.change(plan, is_published=0)
			frappe.db.commit()
			self.change(plan, is_published=1)
			season = frappe.get_doc("Memora Season", plan.season)
			at_once(lambda: self.change(season, is_published=0))
			frappe.db.commit()

		for unpublish in (set_value, set_in_sql, merge, move, at_the_same_time):
			with self.subTest(unpublish.__name__):
				plan = factories.make_plan([self.subject], is_published=1)
				self.publish()
				self.assertIn(plan.name, self.listed())
				unpublish(plan)
				self.publish()
				self.check()
				self.assertEqual(self.below(self.folder(plan)), set())
				self.assertNotIn(plan.name, self.listed())
				reconciliation.hourly()
				self.assertEqual(frappe.db.get_value(plan.doctype, plan.name, "is_published"), 0)
		self.assertEqual(set(self.listed()), {self.whole.name, self.other.name})

	def test_what_sql_has_deleted_goes_with_the_night(self) -> None:
		frappe.db.sql("delete from `tabMemora Academic Plan` where name = %s", (self.other.name,))
		frappe.db.sql("delete from `tabMemora Plan Subject` where parent = %s", (self.other.name,))
		frappe.db.commit()
		reconciliation.daily()
		self.publish()
		self.assertEqual(self.below(self.folder(self.other)), set())
		self.check()
		frappe.db.sql("delete from `tabMemora Subject` where name = %s", (self.subject.name,))
		frappe.db.commit()
		reconciliation.daily()
		self.publish()
		self.assertEqual(self.shared(), {})
		self.check()

	@pytest.mark.earlier_defect(
		"deleting a published plan failed on the link from its sync logs, after its CDN folder was "
		"already gone"
	)
	def test_a_deleted_plan_keeps_its_folder_until_the_deletion_is_certain(self) -> None:
		before = self.contents()
		self.assertTrue(frappe.get_all("CDN Sync Log", {"plan_id": self.other.name, "status": "Success"}))
		frappe.delete_doc("Memora Academic Plan", self.other.name)
		frappe.db.rollback()
		self.publish()
		self.assertEqual(self.contents(), before)
		frappe.delete_doc("Memora Academic Plan", self.other.name)
		self.assertEqual(self.contents(), before)
		self.publish()
		self.assertEqual(self.below(self.folder(self.other)), set())
		self.check()
		log = frappe.get_last_doc("CDN Sync Log", {"plan_id": self.other.name})
		self.assertEqual((log.status, log.files_deleted), ("Success", 3))

	def listed(self) -> list[str]:
		return [plan["plan_id"] for plan in self.read("plans/index.json")["plans"]]

	def test_without_a_published_plan_there_is_an_empty_list_and_nothing_else(self) -> None:
		for plan in (self.whole, self.other):
			self.change(plan, is_published=0)
		self.publish()
		self.assertEqual(self.below("plans/"), {"plans/index.json"})
		self.assertEqual(self.shared(), {})
		self.assertEqual(self.read("plans/index.json")["plans"], [])
		self.check()

	def test_a_site_without_any_plan_has_an_empty_list(self) -> None:
		for plan in (self.whole, self.other):
			frappe.delete_doc("Memora Academic Plan", plan.name)
		self.publish()
		self.assertEqual({*self.below("plans/"), *self.shared()}, {"plans/index.json"})
		self.assertEqual(self.read("plans/index.json")["plans"], [])


class TestGrace(TwoPlansTestCase):
	"""What merely moved stays for a grace, and stays whole: a withdrawal ends the grace of the subject's other files."""

	def setUp(self) -> None:
		super().setUp()
		self.second = make_course(units=1, lessons=1)
		self.topic = self.course["topics"][0]
		self.both = [{"subject": self.subject.name}, {"subject": self.second["subject"].name}]
		self.right = factories.override(self.lessons[3], "Rename", "Another title")

	def own_then_shared(self, *plans: Document) -> set[str]:
		"""Let these plans have the subject of their own and then no more: files that stay for their grace."""
		for overrides in ([self.right], []):
			for plan in plans:
				self.change(plan, overrides=overrides)
			self.publish()
		return self.in_grace()

	def shared_then_own(self) -> set[str]:
		"""Let both plans have the subject of their own: the shared files stay for their grace."""
		for plan in (self.whole, self.other):
			self.change(plan, overrides=[self.right])
		self.publish()
		return self.in_grace()

	def in_grace(self) -> set[str]:
		leaving = self.said().keys()
		self.check(leaving=leaving)
		return set(leaving)

	def naming(self, *names: str) -> set[str]:
		"""The files that name any of these documents."""
		return {
			path
			for path, body in self.contents().items()
			if any(name in path or name.encode() in body for name in names)
		}

	def test_edits_end_no_grace(self) -> None:
		draft = factories.make_lesson(parent_topic=self.topic.name)
		leaving = self.own_then_shared(self.other)
		self.assertTrue(leaving)
		self.change(self.lessons[0], title="Edited", is_free_preview=1)
		self.change(self.topic, title="Edited")
		self.change(draft, title="Edited")
		frappe.delete_doc(draft.doctype, draft.name)
		self.change(self.lessons[1], parent_topic=self.course["topics"][1].name)
		factories.make_lesson(parent_topic=self.topic.name, is_published=1)
		self.publish()
		self.assertEqual(self.in_grace(), leaving)

	def test_a_withdrawal_by_the_content_ends_the_grace_of_every_owner(self) -> None:
		withdrawals = {
			"unpublished": lambda: self.change(self.lessons[0], is_published=0),
			"its topic unpublished": lambda: self.change(self.topic, is_published=0),
			"its track unpublished": lambda: self.change(self.course["track"], is_published=0),
			"its subject unpublished": lambda: self.change(self.subject, is_published=0),
			"narrowed": lambda: self.change(self.course["units"][0], is_free_preview=0),
			"deleted": lambda: frappe.delete_doc("Memora Lesson", self.lessons[0].name),
			"renamed": lambda: frappe.rename_doc("Memora Lesson", self.lessons[0].name, "new", force=True),
			"moved away": lambda: self.change(self.lessons[0], parent_topic=self.second["topics"][0].name),
		}
		for is_shared in (False, True):
			for said, withdraw in withdrawals.items():
				with self.subTest(said, is_shared=is_shared):
					self.setUp()
					self.change(self.course["units"][0], is_free_preview=1)
					self.change(self.whole, subjects=self.both)
					if is_shared:
						leaving = self.shared_then_own()
					else:
						leaving = self.own_then_shared(self.whole, self.other)
					self.assertTrue(leaving)
					withdraw()
					self.publish()
					self.check()

	def test_a_withdrawal_by_a_plan_ends_its_own_grace_alone(self) -> None:
		for row in (
			factories.override(self.lessons[0], "Hide"),
			factories.override(self.topic, "Hide"),
			factories.override(self.course["units"][0], "Set Sold Separately", "ITEM"),
		):
			with self.subTest(f"{row['action']} {row['target_doctype']}"):
				leaving = self.own_then_shared(self.whole, self.other)
				self.override(self.whole, row)
				others = {path for path in leaving if path.startswith(self.folder(self.other))}
				self.assertTrue(others)
				self.assertEqual(self.in_grace(), others)
				self.override(self.whole)
				self.minutes_pass(16)
				self.tick()
				self.check()

	def test_shared_files_stay_for_their_grace_while_another_plan_shows_what_one_hides(self) -> None:
		leaving = self.shared_then_own()
		hidden = factories.override(self.lessons[0], "Hide")
		self.override(self.whole, self.right, hidden)
		self.assertEqual(self.in_grace(), leaving)
		self.change(self.other, is_published=0)
		self.publish()
		self.override(self.whole, self.right, hidden, factories.override(self.lessons[1], "Hide"))
		self.check()

	def test_a_lesson_that_was_moved_and_then_hidden_is_named_nowhere(self) -> None:
		gone = self.lessons[0].name
		for plan in (self.whole, self.other):
			self.change(plan, subjects=self.both)
		for in_one_batch in (False, True):
			with self.subTest(in_one_batch=in_one_batch):
				self.own_then_shared(self.whole, self.other)
				self.change(self.lessons[0], parent_topic=self.second["topics"][0].name)
				if not in_one_batch:
					self.publish()
					self.check()
				self.change(self.lessons[0], is_published=0)
				self.publish()
				self.assertEqual(self.naming(gone), set())
				self.change(self.lessons[0], is_published=1, parent_topic=self.topic.name)
				self.publish()

	def test_a_topic_or_track_that_holds_nothing_any_more_is_named_nowhere(self) -> None:
		"""Files that stay for their grace name them as what their lessons were in."""
		there = factories.make_topic(parent_unit=self.course["units"][0].name, is_published=1)
		track = factories.make_track(parent_subject=self.subject.name, is_published=1)
		old = self.course["track"]
		for is_deleted in (False, True):
			for doc, empty in (
				(self.topic, lambda: [self.change(d, parent_topic=there.name) for d in self.lessons[:2]]),
				(old, lambda: [self.change(d, parent_track=track.name) for d in self.course["units"]]),
			):
				with self.subTest(doc.doctype, is_deleted=is_deleted):
					leaving = self.own_then_shared(self.other)
					empty()
					self.publish()
					self.assertEqual(self.in_grace(), leaving)
					self.assertTrue(self.naming(doc.name))
					if is_deleted:
						frappe.delete_doc(doc.doctype, doc.name)
					else:
						self.change(doc, is_published=0)
					self.publish()
					self.assertEqual(self.naming(doc.name), set())
					self.check()
			if not is_deleted:
				for doc in (self.topic, old):
					self.change(doc, is_published=1)
				for lesson in self.lessons[:2]:
					self.change(lesson, parent_topic=self.topic.name)
				for unit in self.course["units"]:
					self.change(unit, parent_track=old.name)
				self.publish()

	def test_a_subject_that_a_plan_lists_no_more_leaves_nothing_of_it(self) -> None:
		for plan in (self.whole, self.other):
			self.change(plan, subjects=self.both)
		self.own_then_shared(self.whole, self.other)
		for plan in (self.whole, self.other):
			self.change(plan, subjects=self.both[1:])
			self.publish()
			self.assertFalse({path for path in self.in_grace() if path.startswith(self.folder(plan))})
		self.assertEqual(self.naming(*(lesson.name for lesson in self.lessons)), set())

	def test_what_a_plan_that_fails_has_in_its_grace_goes_with_the_content(self) -> None:
		self.own_then_shared(self.other)
		before = self.learner(self.other).lessons.keys()
		gone = self.lessons[0].name
		self.change(self.lessons[0], is_published=0)
		with self.refused(self.folder(self.other)):
			self.publish()
		self.assertEqual({path for path in self.said() if path.startswith(self.folder(self.other))}, set())
		self.assertEqual(before - self.learner(self.whole).lessons.keys(), {gone})

	def test_a_withdrawal_whose_build_breaks_off_ends_the_grace_all_the_same(self) -> None:
		self.change(self.whole, subjects=self.both)
		self.own_then_shared(self.whole, self.other)
		self.change(self.lessons[0], parent_topic=self.second["topics"][0].name)
		with self.refused(f"lessons/{self.lessons[0].name}.json"):
			self.publish()
		self.minutes_pass(3)
		self.publish()
		self.check()


class TestReadersThatChange(TwoPlansTestCase):
	def test_what_another_plan_begins_to_read_in_the_same_batch_is_not_written_again(self) -> None:
		"""Whether the plan that no longer reads it has it of its own, hides something, lists it no more or is gone."""
		third = make_course(units=1, lessons=1)["subject"]
		self.change(self.other, is_published=0)
		self.publish()
		leave = {
			"renames": lambda: self.change(
				self.whole, overrides=[factories.override(self.lessons[0], "Rename", "Another title")]
			),
			"hides": lambda: self.change(self.whole, overrides=[factories.override(self.lessons[0], "Hide")]),
			"lists it no more": lambda: self.change(self.whole, subjects=[{"subject": third.name}]),
			"is unpublished": lambda: self.change(self.whole, is_published=0),
		}
		for said, leaves in leave.items():
			with self.subTest(said):
				before = self.shared()
				self.assertEqual(len(before), 6)
				leaves()
				frappe.db.commit()
				relay.run()  # so that it is built first
				reader = factories.make_plan([self.subject], is_published=1)
				with self.recorded() as steps:
					self.publish()
				self.assertEqual({path: self.read_bytes(path) for path in before}, before)
				self.assertFalse({path for _, path in steps} & before.keys())
				self.assertEqual(set(self.learner(reader).lessons), {lesson.name for lesson in self.lessons})
				self.change(
					self.whole, is_published=1, overrides=[], subjects=[{"subject": self.subject.name}]
				)
				self.publish()
				self.change(reader, is_published=0)
				self.publish()
				self.minutes_pass(16)
				self.tick()

	def test_what_no_plan_begins_to_read_goes_though_one_waits_that_cannot_be_built(self) -> None:
		self.change(self.other, is_published=0)
		self.publish()
		self.change(self.whole, is_published=0)
		reader = factories.make_plan([self.subject], is_published=1)
		with self.refused(f"{self.folder(reader)}manifest.json"):
			self.publish()
		self.assertEqual(len(self.shared()), 6)  # it has said that it will read them
		self.change(reader, is_published=0)
		self.minutes_pass(3)
		self.publish()
		self.assertEqual(self.shared(), {})

	def standing(self) -> dict[str, bytes]:
		return {
			path: body
			for path, body in self.contents().items()
			if "/lessons/" in f"/{path}" or "units/" in path
		}

	def test_what_comes_back_within_its_grace_is_taken_over_as_it_stands(self) -> None:
		"""Whatever way it left; in batches of their own."""
		self.change(self.other, is_published=0)
		self.publish()
		course = make_course(units=1, lessons=1)
		third = course["subject"]
		third_files = {f"units/{course['units'][0].name}.json", f"lessons/{course['lessons'][0].name}.json"}
		own = [factories.override(self.lessons[0], "Rename", "Another title")]
		listed = [{"subject": self.subject.name}]
		self.change(self.whole, subjects=[*listed, {"subject": third.name}])
		reader = factories.make_plan([self.subject], is_published=1, overrides=own)
		self.publish()  # shows the subject too, of its own: what `whole` leaves has merely moved
		ways = {
			"shared, own and shared": ({"overrides": own}, {"overrides": []}),
			"unpublished and published": ({"is_published": 0}, {"is_published": 1}),
			"unlisted and listed": (
				{"subjects": [{"subject": third.name}]},
				{"subjects": [*listed, {"subject": third.name}]},
			),
		}
		for said, (leave, come_back) in ways.items():
			with self.subTest(said):
				before = {path: body for path, body in self.shared().items() if path not in third_files}
				self.change(self.whole, **leave)
				self.publish()
				self.assertTrue(set(before) & set(self.said()))
				self.change(self.whole, **come_back)
				with self.recorded() as steps:
					self.publish()
				self.assertFalse({path for _, path in steps} & before.keys())
				self.assertEqual({path: self.read_bytes(path) for path in before}, before)
				self.minutes_pass(16)
				self.tick()
				self.assertEqual({path: self.read_bytes(path) for path in before}, before)
				self.check()
		with self.subTest("own, shared and own"):
			before = {
				path: body for path, body in self.standing().items() if path.startswith(self.folder(reader))
			}
			self.change(reader, overrides=[])
			self.publish()
			self.assertEqual(before.keys(), self.said().keys())
			self.change(reader, overrides=own)
			with self.recorded() as steps:
				self.publish()
			self.assertFalse({path for _, path in steps} & before.keys())
			self.minutes_pass(16)
			self.tick()
			self.assertEqual({path: self.read_bytes(path) for path in before}, before)
			self.check()

	def test_what_comes_back_changed_is_written_above_what_stands(self) -> None:
		self.change(self.other, overrides=[factories.override(self.lessons[0], "Rename", "Another title")])
		self.change(self.whole, overrides=[factories.override(self.lessons[0], "Rename", "Another title")])
		self.publish()
		path = f"lessons/{self.lessons[1].name}.json"
		before = self.read(path)["version"]
		self.change(self.lessons[1], description="Edited meanwhile")
		self.change(self.whole, overrides=[])
		with self.recorded() as steps:
			self.publish()
		self.assertGreater(self.read(path)["version"], before)
		self.assertEqual([p for kind, p in steps if kind == "put" and p.startswith("lessons/")], [path])
		self.check(leaving=self.said())

	def test_a_worker_that_dies_while_it_takes_back_leaves_no_dangling_link(self) -> None:
		own = [factories.override(self.lessons[0], "Rename", "Another title")]
		for plan in (self.whole, self.other):
			self.change(plan, overrides=own)
		self.publish()
		before = self.shared()
		self.change(self.whole, overrides=[])
		with self.refused(self.folder(self.whole)):
			self.publish()
		self.minutes_pass(16)
		self.tick()
		self.publish()
		self.check(leaving=self.said())
		for path, body in before.items():
			self.assertGreaterEqual(self.read(path)["version"], orjson.loads(body)["version"])

	def test_what_the_storage_refused_to_remove_is_written_anew(self) -> None:
		for plan in (self.whole, self.other):
			self.change(plan, overrides=[factories.override(self.lessons[0], "Rename", "Another title")])
		self.publish()
		before = self.shared()
		self.minutes_pass(16)
		with patch.object(
			type(self.storage()), "delete", side_effect=StorageUnavailableError("refused by the test")
		):
			self.tick()
			self.publish()
		self.assertEqual(self.shared(), before)
		self.change(self.whole, overrides=[])
		self.publish()
		for path, body in before.items():
			self.assertGreater(self.read(path)["version"], orjson.loads(body)["version"])
		self.minutes_pass(16)
		self.tick()
		self.check(leaving=self.said())


class TestRemovalWhereAPlanFails(TwoPlansTestCase):
	"""`other` is a dead letter, for the sake of a second subject that it has to itself."""

	def setUp(self) -> None:
		super().setUp()
		second = make_course(required_item="ITEM")
		self.second = second["subject"]
		self.change(self.other, subjects=[{"subject": self.subject.name}, {"subject": self.second.name}])
		self.override(self.other, factories.override(second["lessons"][0], "Set Sold Separately"))
		self.check()
		self.change(self.second, required_item="")
		for _ in range(4):
			self.publish()
			self.minutes_pass(10)
		self.assertEqual([letter["label"] for letter in pipeline_status.dead_letters()], [self.other.name])

	def fix(self) -> None:
		self.change(self.second, required_item="ITEM")
		self.publish()
		self.check()
		self.assertEqual(pipeline_status.dead_letters(), [])

	def test_an_unpublished_lesson_goes_in_the_same_run(self) -> None:
		gone = self.lessons[0].name
		self.change(self.lessons[0], is_published=0)
		self.publish()
		self.assertIsNone(self.read_bytes(f"lessons/{gone}.json"))
		for plan in (self.whole, self.other):
			self.assertNotIn(gone, self.learner(plan).lessons)
		self.fix()

	def test_an_unpublished_unit_stays_with_its_lessons_for_the_links_to_it(self) -> None:
		before = self.learner(self.other)
		self.change(self.course["units"][0], is_published=0)
		self.publish()
		self.change(self.lessons[2], is_published=0)
		self.publish()
		after = self.learner(self.other)
		self.assertEqual(set(after.units), set(before.units))
		self.assertEqual(set(after.lessons), set(before.lessons) - {self.lessons[2].name})
		self.assertEqual(set(self.learner(self.whole).lessons), {self.lessons[3].name})
		self.fix()
		self.assertEqual(len(self.shared()), 2)

	def test_what_went_meanwhile_counts_as_unpublished_when_large_changes_are_held(self) -> None:
		self.configure(hold_large_changes=1)
		for lesson in self.lessons[:3]:
			self.change(lesson, is_published=0)
		self.publish()
		self.fix()
		self.assertEqual(len(self.learner(self.other).lessons), 5)


class TestTakenBack(TwoPlansTestCase):
	"""`other` takes back what it overrides after the build that was to show that has broken off amid its uploads."""

	def setUp(self) -> None:
		super().setUp()
		self.right = factories.override(self.lessons[0], "Rename", "Right")
		self.free = factories.override(self.subject, "Set Free")

	def break_off(self, *rows: dict[str, str]) -> None:
		with self.refused(f"{self.folder(self.other)}manifest.json"):
			self.override(self.other, *rows)
		self.assertEqual(list(self.failures()), [self.other.name])
		self.minutes_pass(2)

	def shown(self) -> dict[str, tuple[str, str]]:
		"""Title and access level of all that its learners read, by path."""
		reading = self.learner(self.other)
		return {
			reading.paths[name]: (document["title"], document["access"]["access_level"])
			for documents in (reading.subjects, reading.units, reading.lessons)
			for name, document in documents.items()
		}

	def test_what_was_shared_is_shared_again(self) -> None:
		before = self.shown()
		self.break_off(self.right, self.free)
		self.override(self.other)
		self.assertEqual(self.shown(), before)
		self.check()

	def test_what_the_plan_had_of_its_own_is_as_it_was(self) -> None:
		self.override(self.other, self.right)
		self.minutes_pass(16)
		self.tick()
		before = self.shown()
		for rows in ([self.free], []):
			with self.subTest(rows=rows):
				self.break_off(*rows)
				self.override(self.other, self.right)
				self.assertEqual(self.shown(), before)
				self.check()

	def test_what_was_never_shown_is_no_part_of_the_plan_until_it_can_be_built(self) -> None:
		second = make_course(units=1, lessons=1)
		rows = [{"subject": self.subject.name}, {"subject": second["subject"].name}]
		lesson = second["lessons"][0]
		self.change(self.other, subjects=rows)
		self.break_off(factories.override(second["subject"], "Set Free"))
		with self.refused(f"lessons/{lesson.name}.json"):
			self.override(self.other)
		self.assertEqual(list(self.learner(self.other).subjects), [self.subject.name])
		self.minutes_pass(16)
		self.publish()
		self.assertEqual(len(self.shown()), 10)
		self.check()


class TestRebuild(TwoPlansTestCase):
	def test_what_a_rebuild_finds_for_one_plan_stands_in_the_other_too(self) -> None:
		frappe.db.set_value("Memora Lesson", self.lessons[0].name, "title", "Found")
		frappe.db.set_value("Memora Lesson", self.lessons[1].name, "is_published", 0)
		publish_requests.rebuild([self.whole.name])
		self.publish()
		self.check()
		for plan in (self.whole, self.other):
			reading = self.learner(plan)
			self.assertEqual({entry["lesson_id"] for entry in reading.entries}, set(reading.lessons))
			self.assertIn("Found", [entry["lesson_name"] for entry in reading.entries])
			self.assertEqual(reading.subjects[self.subject.name]["stats"]["total_lessons"], 3)


class TestMoves(TwoPlansTestCase):
	def rename(self, doc: Document, name: str) -> str:
		frappe.rename_doc(doc.doctype, doc.name, name, force=True)
		old, doc.name = doc.name, name
		self.publish()
		return old

	def test_a_renamed_plan_is_gone_under_its_old_name_and_there_under_its_new_one(self) -> None:
		self.override(self.other, factories.override(self.lessons[0], "Rename", "Another title"))
		for plan, name in ((self.whole, "plan 1/2"), (self.other, "plan-2")):
			before = self.without(plan)
			before.pop("plans/index.json")
			old = self.folder(plan)
			self.rename(plan, name)
			self.check()
			self.assertEqual(self.below(old), set())
			listed = [entry["plan_id"] for entry in self.read("plans/index.json")["plans"]]
			self.assertEqual((len(listed), name in listed), (2, True))
			self.assertEqual({path: self.read_bytes(path) for path in before}, before)

	def test_a_plan_whose_name_comes_back_never_repeats_a_version(self) -> None:
		old = self.whole.name
		before = {path: self.read(path)["version"] for path in self.below(self.folder(self.whole))}
		self.rename(self.whole, "renamed")
		self.rename(self.whole, old)
		self.check()
		for path, version in before.items():
			self.assertGreater(self.read(path)["version"], version)

	def test_a_renamed_plan_that_cannot_be_built_is_gone_under_its_old_name(self) -> None:
		old = self.folder(self.whole)
		with self.refused("plans/renamed/"):
			self.rename(self.whole, "renamed")
		self.assertEqual(self.below(old), set())
		self.check(leaving=self.below("plans/renamed/"))
		self.minutes_pass(3)
		self.publish()
		self.check()
		self.assertEqual(len(self.read("plans/index.json")["plans"]), 2)

	def test_plans_that_swap_their_names(self) -> None:
		"""Each is in the folder that is the other's now."""
		self.override(self.other, factories.override(self.lessons[0], "Rename", "Another title"))
		self.swap()
		self.publish()
		self.check(leaving=self.said())
		for plan, title in ((self.whole, "Whole"), (self.other, "Other")):
			self.assertEqual(self.learner(plan).manifest["title"], title)
		self.swap()
		self.change(self.whole, is_published=0)
		self.publish()
		self.check(leaving=self.said())
		self.assertEqual(self.learner(self.other).manifest["title"], "Other")
		self.assertEqual(self.below(self.folder(self.whole)), set())

	def test_plans_that_swap_their_names_and_are_unpublished_go_at_once(self) -> None:
		self.swap()
		for plan in (self.whole, self.other):
			self.change(plan, is_published=0)
		frappe.db.commit()
		drained = drain.drain(seconds=30)
		self.assertEqual((drained.failed, drained.left), (0, 0))
		self.assertEqual(self.paths(), {"plans/index.json"})

	def swap(self) -> None:
		"""Let the plans swap their names."""
		names = self.whole.name, self.other.name
		for old, new in ((names[0], "between"), names[::-1], ("between", names[1])):
			frappe.rename_doc(self.whole.doctype, old, new, force=True)
		self.other.name, self.whole.name = names

	def test_a_renamed_lesson_or_unit_leaves_nothing_under_its_old_name(self) -> None:
		self.override(self.other, factories.override(self.lessons[3], "Rename", "Another title"))
		for doc, kind in ((self.lessons[0], "lessons"), (self.course["units"][0], "units")):
			old = self.rename(doc, f"new {kind}/1")
			self.check()
			self.assertFalse(
				{f"{kind}/{old}.json", f"{self.folder(self.other)}{kind}/{old}.json"} & self.paths()
			)
			for plan in (self.whole, self.other):
				self.assertIn(doc.name, getattr(self.learner(plan), kind))

	def test_a_lesson_renamed_again_and_again_leaves_nothing_either(self) -> None:
		"""Each rename may be in another run."""
		name = self.lessons[0].name
		for number in range(8):
			name = frappe.rename_doc("Memora Lesson", name, f"name {number}", force=True)
		with patch.object(relay, "_ROWS_A_RUN", 1):
			self.publish()
		self.check()
		self.assertIn(name, self.learner(self.whole).lessons)

	def test_lessons_that_swap_their_names_show_what_each_holds(self) -> None:
		for number, lesson in enumerate(self.lessons[:2]):
			stage = {"title": "Read", "type": "Text", "config": f'{{"body": "{number}"}}'}
			self.change(lesson, title="Same", sort_order=0, stages=[stage])
		self.publish()
		first, second = (lesson.name for lesson in self.lessons[:2])
		for old, new in ((first, "between"), (second, first), ("between", second)):
			frappe.rename_doc("Memora Lesson", old, new, force=True)
		self.publish()
		self.check()
		reading = self.learner(self.whole)
		bodies = [reading.lessons[name]["stages"][0]["config"]["body"] for name in (first, second)]
		self.assertEqual(bodies, ["1", "0"])

	def test_a_renamed_and_hidden_lesson_goes_at_once(self) -> None:
		old = self.lessons[0].name
		self.change(self.lessons[0], is_published=0)
		self.rename(self.lessons[0], "renamed")
		self.check()
		self.assertNotIn(f"lessons/{old}.json", self.paths())

	def test_a_renamed_subject_leaves_nothing_under_its_old_name(self) -> None:
		self.override(self.other, factories.override(self.lessons[3], "Rename", "Another title"))
		shared = set(self.shared())
		versions = {path: self.read(path)["version"] for path in shared}
		self.rename(self.subject, "أحياء 1/2")
		self.check()
		self.assertEqual(set(self.shared()), shared)
		for path, version in versions.items():
			self.assertGreater(self.read(path)["version"], version)
		for plan in (self.whole, self.other):
			reading = self.learner(plan)
			self.assertEqual(set(reading.subjects), {"أحياء 1/2"})
			self.assertEqual(
				{lesson["parent"]["subject_id"] for lesson in reading.lessons.values()}, {"أحياء 1/2"}
			)
			self.assertEqual({entry["subject_id"] for entry in reading.entries}, {"أحياء 1/2"})

	def test_a_renamed_track_or_topic_shows_in_every_file_below(self) -> None:
		self.override(self.other, factories.override(self.lessons[3], "Rename", "Another title"))
		self.rename(self.course["track"], "new track")
		self.rename(self.course["topics"][0], "new topic")
		self.check()
		for plan in (self.whole, self.other):
			parent = self.learner(plan).lessons[self.lessons[0].name]["parent"]
			self.assertEqual((parent["track_id"], parent["topic_id"]), ("new track", "new topic"))

	def test_a_track_that_moves_to_another_subject_moves_for_all_who_read_either(self) -> None:
		second = make_course(units=1, lessons=1, title="Chemistry")
		third = factories.make_plan([second["subject"]], title="Third", is_published=1)
		self.change(
			self.whole, subjects=[{"subject": self.subject.name}, {"subject": second["subject"].name}]
		)
		self.override(self.other, factories.override(self.lessons[3], "Rename", "Another title"))
		versions = {path: self.read(path)["version"] for path in self.shared()}

		self.change(self.course["track"], parent_subject=second["subject"].name)
		self.publish()

		self.check()
		moved = {lesson.name for lesson in self.lessons}
		stayed = {lesson.name for lesson in second["lessons"]}
		self.assertEqual(set(self.learner(self.whole).lessons), moved | stayed)
		self.assertEqual(set(self.learner(self.other).lessons), set())
		self.assertEqual(set(self.learner(third).lessons), moved | stayed)
		self.assertEqual(self.below(f"{self.folder(self.other)}lessons/"), set())
		for name in moved:
			lesson = self.learner(third).lessons[name]
			self.assertEqual(lesson["parent"]["subject_title"], "Chemistry")
			self.assertGreater(lesson["version"], versions[f"lessons/{name}.json"])

	def test_a_track_that_moves_where_no_plan_reads_it_goes_at_once(self) -> None:
		elsewhere = factories.make_subject(is_published=1)
		self.change(self.course["track"], parent_subject=elsewhere.name)
		self.publish()
		self.assertEqual(self.shared(), {})
		self.check()
		self.change(self.course["track"], parent_subject=self.subject.name)
		self.publish()
		self.check()
		self.assertEqual(len(self.shared()), 6)

	def test_a_lesson_that_moves_to_another_subject_of_the_plan_stays_at_its_path(self) -> None:
		second = make_course(units=1, lessons=1)
		self.change(
			self.whole, subjects=[{"subject": self.subject.name}, {"subject": second["subject"].name}]
		)
		self.publish()
		for topic in (second["topics"][0], self.course["topics"][0]):
			with self.recorded() as steps:
				self.change(self.lessons[0], parent_topic=topic.name)
				self.publish()
			self.check()
			self.assertNotIn(("delete", f"lessons/{self.lessons[0].name}.json"), steps[-1:])
			parent = self.learner(self.whole).lessons[self.lessons[0].name]["parent"]
			self.assertEqual(parent["topic_id"], topic.name)
