"""Whatever is in the database: the right file, or an error that names what is wrong, kept where admins look.

Editors' forms refuse most of this, so it is written past them, by SQL. A bad piece of content never ends a run,
never leaves a plan half published, and never holds up other plans.
"""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import frappe
import pytest
from frappe.model.document import Document

from memora.services.cdn_export.admin import pipeline_status
from memora.services.cdn_export.builds import plan_build
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.model import counts
from memora.services.cdn_export.outbox import relay
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course

ODD_TITLES = (
	"الجبر الخطي — المتجهات",
	"Rockets 🚀 and “quotes” 'n' \"more\" \\ </script>",
	"م" * 140,
	"🚀" * 140,
	"{{ title }} %s %(x)s ${y}",
	"\u202eright to left\u200b",
)
ODD_NAMES = (
	"a\x1fb",
	"Linear Algebra",
	"a/b/c",
	"..",
	"../../etc/passwd",
	"100% ?x=1#y&v=2",
	"الجبر",
	"x" * 140,
	"index",
	"CON.",
)


class BadInputTestCase(PublishingTestCase):
	"""`plan` lists a good and a bad subject; `neighbour` lists the good one only, `fellow` the bad one only."""

	def setUp(self) -> None:
		super().setUp()
		self.good = make_course(units=1)
		self.bad = make_course(title="Bad")
		self.subject, self.track, self.lesson = self.bad["subject"], self.bad["track"], self.bad["lessons"][0]
		self.plan = factories.make_plan([self.good["subject"], self.subject], is_published=1)
		self.neighbour = factories.make_plan([self.good["subject"]], is_published=1)
		frappe.db.commit()

	def write(self, doc: Document, **values: Any) -> None:
		"""Change a row past Frappe, and have it noticed as the nightly reconciliation does."""
		assignments = ", ".join(f"`{column}` = %s" for column in values)
		frappe.db.sql(
			f"update `tab{doc.doctype}` set {assignments} where name = %s", (*values.values(), doc.name)
		)
		self.notice()

	def notice(self) -> None:
		relay.touch(
			frappe.get_all("Memora Academic Plan", pluck="name"),
			frappe.get_all("Memora Subject", pluck="name"),
		)

	def set_config(self, text: str, row: int = 1) -> None:
		frappe.db.sql("set session check_constraint_checks = 0")
		try:
			self.write(self.bad["lessons"][0].stages[row], config=text)
		finally:
			frappe.db.sql("set session check_constraint_checks = 1")

	def assertHeldBack(self, *words: str) -> None:
		"""The bad subject is recorded as failing in these words, and no other subject is touched."""
		self.minutes_pass(10)  # whatever failed before is tried again
		drained = self.publish()
		self.assertEqual(drained.left, 0)
		self.check()
		said = self.failures()
		self.assertEqual(set(said), {self.subject.name})
		for word in words:
			self.assertIn(word, said[self.subject.name])
		self.assertNotIn("Traceback", said[self.subject.name])
		self.assertEqual(set(self.learner(self.neighbour).lessons), self.names(self.good))
		self.assertLessEqual(self.names(self.good), set(self.learner(self.plan).lessons))

	def names(self, course: dict[str, Any]) -> set[str]:
		return {lesson.name for lesson in course["lessons"]}

	def again(self) -> None:
		"""Everything that waits for a retry is tried now."""
		self.minutes_pass(10)
		self.publish()


class TestContentNobodyCouldSave(BadInputTestCase):
	def test_a_config_that_is_no_object_holds_back_its_subject_naming_lesson_and_stage(self) -> None:
		for text in ("[1]", '"text"', '{"a":', "nonsense", '{"a": "\\ud800"}', "7"):
			with self.subTest(text):
				self.set_config(text)
				self.assertHeldBack(self.lesson.name, "stage 2", "config")
		self.set_config('{"body": "fixed"}')
		self.again()
		self.assertEqual(self.failures(), {})
		self.assertEqual(set(self.learner(self.plan).lessons), self.names(self.good) | self.names(self.bad))
		self.check()

	def test_what_was_live_stays_while_its_subject_fails(self) -> None:
		self.publish()
		before = self.contents()
		self.set_config("[1]")
		self.assertHeldBack(self.lesson.name)
		self.assertEqual(self.contents(), before)
		self.change(self.good["lessons"][0], title="Edited beside a subject that fails")
		self.assertHeldBack(self.lesson.name)
		self.assertLessEqual(self.names(self.bad), set(self.learner(self.plan).lessons))
		self.assertEqual(
			self.learner(self.plan).lessons[self.good["lessons"][0].name]["title"],
			"Edited beside a subject that fails",
		)

	def test_a_subject_that_fails_is_forgotten_when_no_plan_reads_it(self) -> None:
		self.set_config("[1]")
		for _ in range(5):
			self.again()
		self.assertEqual(set(self.failures()), {self.subject.name})
		self.assertEqual(len(pipeline_status.dead_letters()), 1)
		self.change(self.plan, subjects=[{"subject": self.good["subject"].name}])
		self.publish()
		self.check()
		self.assertEqual(self.failures(), {})
		self.assertEqual(pipeline_status.dead_letters(), [])

	def test_a_plan_with_its_own_rendition_says_so_in_its_log(self) -> None:
		self.change(self.plan, overrides=[factories.override(self.lesson, "Set Free")])
		self.set_config("[1]")
		self.publish()
		self.check()
		self.assertEqual(set(self.failures()), {self.plan.name})
		log = frappe.get_last_doc("CDN Sync Log", {"plan_id": self.plan.name})
		self.assertEqual((log.status, log.files_uploaded), ("Failed", 0))
		self.assertIn(f"Lesson {self.lesson.name}, stage 2", log.error_message)
		self.assertEqual(
			[plan["plan_id"] for plan in self.read("plans/index.json")["plans"]], [self.neighbour.name]
		)

	def test_a_null_config_is_an_empty_object(self) -> None:
		self.write(self.lesson.stages[1], config=None)
		self.publish()
		self.assertEqual(self.read(f"lessons/{self.lesson.name}.json")["stages"][1]["config"], {})

	def test_numbers_too_large_for_json_readers_are_still_json(self) -> None:
		self.set_config('{"id": 123456789012345678901234567890, "small": 1e-400}')
		self.publish()
		self.check()
		config = self.read(f"lessons/{self.lesson.name}.json")["stages"][1]["config"]
		self.assertEqual(set(config), {"id", "small"})

	def test_an_empty_title_holds_back_what_it_stands_in_and_says_where(self) -> None:
		for doc, place in (
			(self.lesson, f"lessons/{self.lesson.name}.json"),
			(self.bad["topics"][0], f"lessons/{self.lesson.name}.json"),
			(self.bad["units"][0], f"lessons/{self.lesson.name}.json"),
			(self.track, f"lessons/{self.lesson.name}.json"),
			(self.subject, f"lessons/{self.lesson.name}.json"),
		):
			for title in ("", None):
				if title is None and doc is not self.lesson:
					continue
				with self.subTest(doc.doctype, title=title):
					self.write(doc, title=title)
					self.assertHeldBack(place, "title")
			self.write(doc, title=doc.title)
			self.again()
			self.assertEqual(self.failures(), {})

	def test_an_empty_stage_says_which(self) -> None:
		stage = self.lesson.stages[1]
		for column, value in (("title", ""), ("title", None), ("type", "Riddle"), ("type", None)):
			with self.subTest(column, value=value):
				self.write(stage, **{column: value})
				self.assertHeldBack(f"lessons/{self.lesson.name}.json", f"/stages/1/{column}")
				self.write(stage, **{column: stage.get(column)})

	def test_a_paid_node_without_an_item_is_named(self) -> None:
		self.write(self.track, is_sold_separately=1, required_item=None)
		self.assertHeldBack("track", self.track.title, self.track.name, "item")

	def test_a_plan_that_sells_without_an_item_names_what(self) -> None:
		unit = self.bad["units"][0]
		self.change(self.plan, overrides=[factories.override(unit, "Set Sold Separately", "ITEM")])
		frappe.db.sql("update `tabMemora Plan Override` set override_value = null")
		self.notice()
		self.publish()
		self.check()
		self.assertEqual(set(self.failures()), {self.plan.name})
		for word in ("unit", unit.title, unit.name, "item"):
			self.assertIn(word, self.failures()[self.plan.name])

	def test_a_row_without_its_defaults_is_published(self) -> None:
		for doc in (self.track, self.bad["units"][0], self.bad["topics"][0], self.lesson, self.subject):
			self.write(doc, creation=None, modified=None, description=None)
		self.publish()
		self.check()
		self.assertEqual(self.failures(), {})

	def test_a_plan_without_a_title_holds_up_no_other(self) -> None:
		self.publish()
		listed = self.read("plans/index.json")
		for title in ("", None):
			with self.subTest(title=title):
				self.write(self.plan, title=title)
				third = factories.make_plan([self.good["subject"]], is_published=1)
				self.again()
				self.check()
				self.assertEqual(set(self.failures()), {self.plan.name})
				self.assertIn(f"plans/{self.plan.name}/manifest.json", self.failures()[self.plan.name])
				self.assertIn("title", self.failures()[self.plan.name])
				plans = {plan["plan_id"]: plan for plan in self.read("plans/index.json")["plans"]}
				self.assertIn(third.name, plans)
				for plan in listed["plans"]:
					self.assertEqual(plans[plan["plan_id"]], plan)

	def test_the_list_says_of_a_plan_that_fails_what_its_manifest_says(self) -> None:
		self.change(self.plan, overrides=[factories.override(self.lesson, "Set Free")])
		self.publish()
		self.set_config("[1]")
		self.change(self.plan, title="A title that cannot go live yet")
		third = factories.make_plan(is_published=1)
		self.publish()
		self.check()
		self.assertEqual(set(self.failures()), {self.plan.name})
		self.assertIn(third.name, [plan["plan_id"] for plan in self.read("plans/index.json")["plans"]])

	def test_season_grade_and_stream_that_are_gone_are_left_out(self) -> None:
		self.write(self.plan, season="gone", grade="", stream=None)
		self.publish()
		self.check()
		self.assertFalse({"season", "grade", "stream"} & set(self.learner(self.plan).manifest))


class TestLooseEnds(BadInputTestCase):
	def test_a_lesson_without_a_topic_is_published_nowhere(self) -> None:
		self.publish()
		for parent in (None, "", "nowhere"):
			with self.subTest(parent):
				self.write(self.lesson, parent_topic=parent)
				self.publish()
				self.check()
				self.assertEqual(self.failures(), {})
				self.assertNotIn(f"lessons/{self.lesson.name}.json", self.paths())
				self.write(self.lesson, parent_topic=self.lesson.parent_topic)
				self.publish()
				self.assertIn(f"lessons/{self.lesson.name}.json", self.paths())

	def test_a_lesson_made_without_a_topic_is_warned_of_and_queues_nothing(self) -> None:
		self.publish()
		self.write(self.lesson, parent_topic="nowhere")
		self.publish()
		before = self.contents()
		with self.assertLogs(frappe.logger("memora"), "WARNING") as logged:
			frappe.get_doc("Memora Lesson", self.lesson.name).db_set("title", "Adrift")
			self.publish()
		self.assertIn(f"Memora Lesson {self.lesson.name} belongs to no subject", " ".join(logged.output))
		self.assertWritten(before, set())

	def test_a_missing_link_at_any_level_takes_out_what_is_below(self) -> None:
		self.publish()
		for doc, field, left in (
			(self.bad["topics"][0], "parent_unit", 2),
			(self.bad["units"][0], "parent_track", 2),
			(self.track, "parent_subject", 0),
		):
			with self.subTest(doc.doctype):
				for parent in ("nowhere", doc.name):  # gone, and itself
					self.write(doc, **{field: parent})
					self.publish()
					self.check()
					self.assertEqual(self.failures(), {})
					self.assertEqual(
						len(set(self.learner(self.plan).lessons) & self.names(self.bad)), left, parent
					)
				self.write(doc, **{field: doc.get(field)})

	def test_a_plan_with_no_subject_and_a_subject_with_no_lesson_are_published_empty(self) -> None:
		empty = factories.make_subject(is_published=1)
		plans = factories.make_plan(is_published=1), factories.make_plan([empty], is_published=1)
		self.publish()
		self.check()
		for plan, subjects in zip(plans, ([], [empty.name]), strict=True):
			reading = self.learner(plan)
			self.assertEqual(list(reading.subjects), subjects)
			self.assertEqual(reading.search["entries"], [])
			self.assertEqual(reading.search["total_lessons"], 0)
		self.assertEqual(
			self.learner(plans[1]).subjects[empty.name]["stats"],
			{"total_units": 0, "total_topics": 0, "total_lessons": 0},
		)

	def test_a_subject_that_is_gone_is_left_out_of_plans_that_still_list_it(self) -> None:
		self.publish()
		frappe.db.sql("delete from `tabMemora Subject` where name = %s", self.subject.name)
		relay.touch([self.plan.name, self.neighbour.name], [self.subject.name])
		self.publish()
		self.check()
		self.assertEqual(set(self.learner(self.plan).subjects), {self.good["subject"].name})
		self.assertFalse({f"lessons/{name}.json" for name in self.names(self.bad)} & self.paths())

	def test_an_override_of_what_is_gone_changes_nothing(self) -> None:
		self.change(
			self.plan,
			overrides=[
				factories.override(self.lesson, "Hide"),
				factories.override(self.track, "Rename", "New"),
			],
		)
		frappe.db.sql("update `tabMemora Plan Override` set target_name = 'gone' where action = 'Hide'")
		frappe.db.sql("update `tabMemora Plan Override` set target_doctype = 'User' where action = 'Rename'")
		self.publish()
		self.check()
		self.assertEqual(self.learner(self.plan).paths[self.lesson.name], f"lessons/{self.lesson.name}.json")

	def test_a_unit_that_nobody_noticed_neither_hangs_a_run_nor_breaks_a_link(self) -> None:
		self.publish()
		factories.make_many("Memora Unit", self.track, ["Unnoticed"])
		third = factories.make_plan([self.subject], is_published=1)
		self.publish()
		self.check()
		self.assertIn("Unnoticed", [unit["title"] for unit in self.learner(third).units.values()])


class TestOddTexts(BadInputTestCase):
	def test_titles_are_published_as_they_are(self) -> None:
		for title in ODD_TITLES:
			for doc in (
				self.plan,
				self.subject,
				self.track,
				self.bad["units"][0],
				self.bad["topics"][0],
				self.lesson,
			):
				self.change(doc, title=title)
			self.publish()
			self.check()
			self.assertEqual(self.failures(), {})
			reading = self.learner(self.plan)
			lesson = reading.lessons[self.lesson.name]
			self.assertEqual(reading.manifest["title"], title)
			self.assertEqual(
				{lesson["title"], *(v for k, v in lesson["parent"].items() if "title" in k)}, {title}
			)
			entry = next(entry for entry in reading.entries if entry["lesson_id"] == self.lesson.name)
			self.assertEqual({value for key, value in entry.items() if key.endswith("_name")}, {title})
			self.assertIn(title, [plan["title"] for plan in self.read("plans/index.json")["plans"]])

	def test_a_description_is_published_as_it_is(self) -> None:
		for text in ('two\nlines,\r\n\ta tab, a \\, a "quote" and \x01', "a\x1fb", "\x1f", *ODD_TITLES):
			self.write(self.lesson, description=text)
			self.publish()
			self.assertEqual(self.read(f"lessons/{self.lesson.name}.json")["description"], text)

	def test_stages_are_published_as_they_are_however_large_their_lesson(self) -> None:
		stages = [
			{
				"title": title,
				"type": "Text",
				"config": {"": title, "a": [1.50, 1e30, True, None, {"b": "\\u0000"}]},
			}
			for title in (*ODD_TITLES, "a\ttab", "a\x1fb\x7f\\", "],[", '","Text",{}],["')
		]
		large = [{"title": f"Part {n}", "type": "Text", "config": {"body": "م" * 300_000}} for n in range(3)]
		for lesson, written in zip(self.bad["lessons"], (stages, large), strict=False):
			self.change(
				lesson, stages=[{**stage, "config": json.dumps(stage["config"])} for stage in written]
			)
		self.publish()
		for lesson, written in zip(self.bad["lessons"], (stages, large), strict=False):
			published = self.read(f"lessons/{lesson.name}.json")["stages"]
			self.assertEqual(published, [{"idx": idx, **stage} for idx, stage in enumerate(written, start=1)])
		self.check()

	def test_any_name_has_a_path_and_stands_in_its_file_as_it_is(self) -> None:
		for name in ODD_NAMES:
			with self.subTest(name):
				subject = self.named("Memora Subject", name, is_published=1)
				track = self.named("Memora Track", name, parent_subject=subject.name, is_published=1)
				unit = self.named("Memora Unit", name, parent_track=track.name, is_published=1)
				topic = self.named("Memora Topic", name, parent_unit=unit.name, is_published=1)
				lesson = self.named("Memora Lesson", name, parent_topic=topic.name, is_published=1)
				fields = {field: self.plan.get(field) for field in ("season", "grade", "stream")}
				plan = self.named("Memora Academic Plan", name, is_published=1, **fields)
				plan.append("subjects", {"subject": subject.name})
				plan.save()
				self.publish()
				self.check()
				reading = self.learner(plan)
				self.assertEqual(reading.manifest["plan_id"], name)
				for kind in (reading.subjects, reading.units, reading.lessons):
					self.assertEqual(list(kind), [name])
				self.assertEqual(
					[reading.lessons[lesson.name]["parent"][f"{kind}_id"] for kind in ("topic", "track")],
					[name] * 2,
				)
		for path in self.paths():
			self.assertRegex(path, r"^[A-Za-z0-9_~/-]+\.json$")
		self.assertEqual(self.failures(), {})
		for plan in frappe.get_all("Memora Academic Plan", pluck="name"):
			frappe.db.set_value("Memora Academic Plan", plan, "is_published", 0)
			relay.touch([plan])
		self.publish()
		self.assertEqual(self.paths(), {"plans/index.json"})

	def named(self, doctype: str, name: str, **fields: Any) -> Document:
		title = f"{doctype} {name}"[:140]
		return frappe.get_doc({"doctype": doctype, "title": title, **fields}).insert(set_name=name)

	def test_a_name_that_changes_only_in_case_is_a_rename_like_any_other(self) -> None:
		subject = self.named("Memora Subject", "Physics", is_published=1)
		track = factories.make_track(parent_subject=subject.name, is_published=1)
		unit = self.named("Memora Unit", "Motion", parent_track=track.name, is_published=1)
		topic = factories.make_topic(parent_unit=unit.name, is_published=1)
		self.named("Memora Lesson", "Speed", parent_topic=topic.name, is_published=1)
		plan = factories.make_plan([subject], is_published=1)
		frappe.rename_doc("Memora Academic Plan", plan.name, "Grade-9", force=True)
		plan.name = "Grade-9"
		self.publish()
		for doctype, old, new in (
			("Memora Subject", "Physics", "PHYSICS"),
			("Memora Unit", "Motion", "motion"),
			("Memora Lesson", "Speed", "speed"),
			("Memora Academic Plan", "Grade-9", "grade-9"),
		):
			frappe.rename_doc(doctype, old, new, force=True)
		plan.name = "grade-9"
		self.publish()
		self.check()
		self.assertEqual(self.failures(), {})
		reading = self.learner(plan)
		self.assertEqual(
			[list(kind) for kind in (reading.subjects, reading.units, reading.lessons)],
			[["PHYSICS"], ["motion"], ["speed"]],
		)
		self.assertFalse({path for path in self.paths() if "Grade-9" in path or "Physics" in path})


class TestLargeInput(BadInputTestCase):
	def setUp(self) -> None:
		super().setUp()
		# That files survive a power failure is tested with the storage; here it would only take long.
		patcher = patch("os.fsync")
		patcher.start()
		self.addCleanup(patcher.stop)

	def test_ten_thousand_siblings_are_published(self) -> None:
		lessons = factories.make_many(
			"Memora Lesson", self.bad["topics"][0], [f"Lesson {n}" for n in range(10_000)]
		)
		topics = factories.make_many(
			"Memora Topic", self.bad["units"][1], [f"Topic {n}" for n in range(10_000)]
		)
		self.notice()
		self.publish()
		self.assertEqual(self.failures(), {})
		report = self.check()
		seen = next(plan for plan in report.plans if plan.plan_id == self.plan.name)
		self.assertEqual(len(seen.lessons), 10_000 + 6)
		first, second = (self.read(f"units/{unit.name}.json") for unit in self.bad["units"])
		self.assertEqual([entry["id"] for entry in first["topics"][0]["lessons"]][2:], lessons)
		self.assertEqual([entry["id"] for entry in second["topics"]][1:], topics)

		with self.recorded() as steps:
			self.change(self.lesson, description="one of many")
			self.publish()
		self.assertEqual(
			[path for _, path in steps if path.startswith("lessons/")], [f"lessons/{self.lesson.name}.json"]
		)

	def test_a_lesson_over_10_mb_holds_back_its_subject_and_is_named(self) -> None:
		self.publish()
		before = self.contents()
		self.set_config(json.dumps({"body": "x" * 10_000_000}))
		self.assertHeldBack(f"lessons/{self.lesson.name}.json", "10,000,000")
		self.assertEqual(self.contents(), before)
		self.set_config(json.dumps({"body": "x" * 9_990_000}))
		self.again()
		self.check()
		self.assertEqual(self.failures(), {})
		self.assertGreater(len(self.read_bytes(f"lessons/{self.lesson.name}.json")), 9_990_000)

	def test_a_unit_over_10_mb_is_named(self) -> None:
		factories.make_many(
			"Memora Topic",
			self.bad["units"][1],
			[f"Topic {n}" for n in range(1_000)],
			description="x" * 10_000,
		)
		self.notice()
		self.assertHeldBack(f"units/{self.bad['units'][1].name}.json", "10,000,000")

	@pytest.mark.earlier_defect(
		"`frappe.log_error(long text, title)` puts the text in the title: over 140 characters it "
		"raises inside the error handler, and took the whole batch with it"
	)
	def test_an_error_of_any_length_is_recorded(self) -> None:
		run = plan_build.run

		def fails(build: Build) -> counts.Counts | None:
			if build.scope.ref == self.plan.name:
				raise RuntimeError("🚀 " * 100_000)
			return run(build)

		with patch.object(plan_build, "run", fails):
			for _ in range(4):
				self.again()
		self.check()
		self.assertEqual(set(self.learner(self.neighbour).lessons), self.names(self.good))
		self.assertTrue(self.failures()[self.plan.name].startswith("RuntimeError: 🚀"))
		logs = frappe.get_all(
			"CDN Sync Log", {"plan_id": self.plan.name}, ["status", "error_message"], order_by="creation"
		)
		self.assertEqual([log.status for log in logs], ["Failed", "Failed", "Failed", "Dead Letter"])
		self.assertTrue(logs[-1].error_message.startswith("RuntimeError: 🚀"))


class TestStorageTrouble(BadInputTestCase):
	def test_a_file_that_cannot_be_written_is_a_failure_that_names_it(self) -> None:
		self.publish()
		before = self.contents()
		path = self.local_path / f"lessons/{self.lesson.name}.json"
		path.unlink()
		path.mkdir()
		(path / "stray").touch()
		self.change(self.lesson, title="Cannot be written")
		self.publish()
		self.assertIn(f"lessons/{self.lesson.name}.json", self.failures()[self.subject.name])
		(path / "stray").unlink()
		path.rmdir()
		self.minutes_pass(10)
		self.publish()
		self.assertEqual(self.failures(), {})
		self.assertEqual(set(self.contents()), set(before))
		self.check()
