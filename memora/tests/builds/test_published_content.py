"""The content of the published files, read back from the folder: complete, in order, right for its readers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
import pytest

from memora.services.cdn_export import search_indexer
from memora.services.cdn_export.model import diff
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.rules import contracts
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course

YEAR = "public, max-age=31536000, immutable"
SHORT = "public, max-age=300"


def walk(value: Any) -> Iterator[dict[str, Any]]:
	"""Every object in a document."""
	if isinstance(value, dict):
		yield value
		for below in value.values():
			yield from walk(below)
	elif isinstance(value, list):
		for below in value:
			yield from walk(below)


class ContentTestCase(PublishingTestCase):
	"""`plan` lists the subject of a course of 2 units with 2 lessons each; nothing is published yet."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.subject, self.track = self.course["subject"], self.course["track"]
		self.units, self.topics, self.lessons = (self.course[key] for key in ("units", "topics", "lessons"))
		self.plan = factories.make_plan([self.subject], is_published=1)

	def folder(self) -> str:
		return f"plans/{self.plan.name}/"

	def documents(self) -> dict[str, dict[str, Any]]:
		return {path: self.read(path) for path in self.paths() if path.endswith(".json")}

	def mentions(self, *words: str) -> set[str]:
		"""The files that contain any of these words."""
		return {
			path for path, body in self.contents().items() if any(word.encode() in body for word in words)
		}

	def levels(self) -> dict[str, str]:
		"""Access level of every node of the plan, as each entry and file says it."""
		found: dict[str, set[str]] = {}
		for document in self.documents().values():
			for each in walk(document):
				if "access" in each:
					found.setdefault(each["id"], set()).add(each["access"]["access_level"])
		for name, levels in found.items():
			self.assertEqual(len(levels), 1, f"{name} has several levels: {levels}")
		return {name: levels.pop() for name, levels in found.items()}


class TestWhatIsLeftOut(ContentTestCase):
	@pytest.mark.earlier_defect(
		"unpublished content exported in full; lessons below a hidden track or topic still "
		"uploaded, as `authenticated`"
	)
	def test_nothing_of_what_is_unpublished_stands_in_any_file(self) -> None:
		below = {
			"Memora Subject": [self.track, *self.units, *self.topics, *self.lessons],
			"Memora Track": [*self.units, *self.topics, *self.lessons],
			"Memora Unit": [self.topics[0], *self.lessons[:2]],
			"Memora Topic": self.lessons[:2],
			"Memora Lesson": [],
		}
		for doc in (self.subject, self.track, self.units[0], self.topics[0], self.lessons[0]):
			with self.subTest(doc.doctype):
				doc.db_set("is_published", 0)
				self.publish()
				gone = [doc, *below[doc.doctype]]
				self.assertEqual(self.mentions(*(each.name for each in gone)), set())
				self.assertEqual(self.mentions(*(each.title for each in gone)), set())
				self.check()
				doc.db_set("is_published", 1)

	@pytest.mark.earlier_defect("lessons below a hidden track or topic still uploaded, as `authenticated`")
	def test_nothing_of_what_a_plan_hides_stands_in_its_files(self) -> None:
		for hidden, gone in (
			(self.topics[1], [self.topics[1], *self.lessons[2:]]),
			(self.track, [self.track, *self.units, *self.topics, *self.lessons]),
		):
			with self.subTest(hidden.doctype):
				self.change(self.plan, overrides=[factories.override(hidden, "Hide")])
				self.publish()
				self.assertEqual(self.mentions(*(each.name for each in gone)), set())
				self.assertEqual(self.mentions(*(each.title for each in gone)), set())
				self.check()

	def test_a_draft_is_published_when_it_is_ready(self) -> None:
		draft = factories.make_lesson(parent_topic=self.topics[0].name, sort_order=9)
		self.publish()
		self.assertEqual(self.mentions(draft.name), set())
		self.change(draft, is_published=1)
		self.publish()
		self.check()
		self.assertIn(f"lessons/{draft.name}.json", self.paths())

	def test_a_node_with_nothing_below_it_stays_with_empty_lists(self) -> None:
		for lesson in self.lessons[:2]:
			lesson.db_set("is_published", 0)
		self.topics[1].db_set("is_published", 0)
		empty = factories.make_track(parent_subject=self.subject.name, is_published=1, sort_order=5)
		self.publish()
		self.check()
		tracks = self.learner(self.plan).subjects[self.subject.name]["tracks"]
		self.assertEqual([track["id"] for track in tracks], [self.track.name, empty.name])
		self.assertEqual(tracks[1]["units"], [])
		first, second = (self.read(f"units/{unit.name}.json") for unit in self.units)
		self.assertEqual([topic["lessons"] for topic in first["topics"]], [[]])
		self.assertEqual(second["topics"], [])
		self.assertEqual(second["stats"], {"total_topics": 0, "total_lessons": 0})


class TestOrder(ContentTestCase):
	@pytest.mark.earlier_defect("no order on siblings: the output came reversed")
	def test_siblings_stand_by_sort_order_then_creation_then_name_at_every_level(self) -> None:
		makers = (
			("Memora Track", "parent_subject", self.subject),
			("Memora Unit", "parent_track", self.track),
			("Memora Topic", "parent_unit", self.units[0]),
			("Memora Lesson", "parent_topic", self.topics[0]),
		)
		#: Place in the output, sort_order, creation, name.
		siblings = (
			(2, 10, "2020-01-02", "b"),
			(1, 10, "2020-01-01", "z"),
			(4, 10, "2020-01-03", "c"),
			(3, 10, "2020-01-03", "X"),
			(5, 11, "2019-01-01", "0"),
			(0, -5, "2021-01-01", "y"),
		)
		wanted: dict[str, list[str]] = {}
		for doctype, field, parent in makers:
			for _, sort_order, creation, name in siblings:
				doc = factories.make(doctype, **{field: parent.name}, is_published=1, sort_order=sort_order)
				frappe.db.sql(
					f"update `tab{doctype}` set name = %s, creation = %s where name = %s",
					(f"{name}-{doctype}", creation, doc.name),
				)
			wanted[doctype] = [f"{name}-{doctype}" for *_, name in sorted(siblings)]
		relay.touch([self.plan.name], [self.subject.name])
		self.publish()
		self.check()
		subject = self.learner(self.plan).subjects[self.subject.name]
		unit = self.read(f"units/{self.units[0].name}.json")
		shown = {
			"Memora Track": subject["tracks"],
			"Memora Unit": next(each for each in subject["tracks"] if each["id"] == self.track.name)["units"],
			"Memora Topic": unit["topics"],
			"Memora Lesson": next(each for each in unit["topics"] if each["id"] == self.topics[0].name)[
				"lessons"
			],
		}
		for doctype, entries in shown.items():
			found = [entry["id"] for entry in entries if entry["id"] in wanted[doctype]]
			self.assertEqual(found, wanted[doctype])
			orders = [entry["sort_order"] for entry in entries]
			self.assertEqual(orders, sorted(orders))

	def test_subjects_stand_by_the_plans_own_order_then_by_row(self) -> None:
		subjects = [factories.make_subject(is_published=1, sort_order=-place) for place in range(4)]
		self.change(
			self.plan,
			subjects=[
				{"subject": subject.name, "sort_order": order}
				for subject, order in zip(subjects, (2, 1, 1, 0), strict=True)
			],
		)
		self.publish()
		shown = self.read(f"{self.folder()}manifest.json")["subjects"]
		self.assertEqual([entry["id"] for entry in shown], [subjects[place].name for place in (3, 1, 2, 0)])
		self.assertEqual([entry["sort_order"] for entry in shown], [0, 1, 1, 2])

	def test_plans_stand_by_title_then_id(self) -> None:
		titles = ("ب", "Zulu", "alpha", "Ångström", "A")
		for title in titles:
			factories.make_plan(title=title, is_published=1)
		self.publish()
		shown = [plan["title"] for plan in self.read("plans/index.json")["plans"]]
		self.assertEqual(shown, sorted([*titles, self.plan.title]))

	def test_rows_added_one_by_one_stand_as_their_form_shows_them(self) -> None:
		"""They have no place of their own: Frappe gives all of them 0."""
		lesson = frappe.get_doc("Memora Lesson", self.lessons[0].name)
		for parent, field, rows in (
			(
				lesson,
				"stages",
				[
					{"title": f"row {number}", "type": "Text", "config": '{"text": "x"}'}
					for number in range(6)
				],
			),
			(
				self.plan,
				"subjects",
				[{"subject": factories.make_subject(is_published=1).name} for _ in range(6)],
			),
		):
			for row in rows:
				parent.append(field, row).insert()
				frappe.db.set_value(parent.get(field)[-1].doctype, parent.get(field)[-1].name, "idx", 0)
			parent.reload()
		self.publish()
		self.assertEqual(
			[stage["title"] for stage in self.read(f"lessons/{lesson.name}.json")["stages"]],
			[row.title for row in lesson.stages],
		)
		self.assertEqual(
			[subject["id"] for subject in self.learner(self.plan).manifest["subjects"]],
			[row.subject for row in self.plan.subjects],
		)

	def test_stages_are_numbered_in_their_order(self) -> None:
		lesson = frappe.get_doc("Memora Lesson", self.lessons[0].name)
		lesson.stages = lesson.stages[::-1]
		for place, row in enumerate(lesson.stages, start=1):
			row.idx = place
		lesson.append(
			"stages",
			{"title": "Ask", "type": "Question", "config": '{"question": "?", "answer": ["أ", "b"]}'},
		)
		lesson.save()
		self.publish()
		self.assertEqual(
			self.read(f"lessons/{lesson.name}.json")["stages"],
			[
				{"idx": 1, "title": "Read", "type": "Text", "config": {"text": "نص الدرس"}},
				{
					"idx": 2,
					"title": "Watch",
					"type": "Video",
					"config": {"video_url": "https://v.example/1.mp4"},
				},
				{
					"idx": 3,
					"title": "Ask",
					"type": "Question",
					"config": {"question": "?", "answer": ["أ", "b"]},
				},
			],
		)

	def test_navigation_runs_across_topics_units_and_tracks(self) -> None:
		second = factories.make_topic(parent_unit=self.units[1].name, is_published=1, sort_order=5)
		after = factories.make_lesson(parent_topic=second.name, is_published=1)
		track = factories.make_track(parent_subject=self.subject.name, is_published=1, sort_order=5)
		unit = factories.make_unit(parent_track=track.name, is_published=1)
		topic = factories.make_topic(parent_unit=unit.name, is_published=1)
		last = factories.make_lesson(parent_topic=topic.name, is_published=1)
		factories.make_unit(parent_track=track.name, is_published=1, sort_order=-1)  # without a lesson
		self.lessons[2].db_set("is_published", 0)
		self.publish()
		self.check()
		chain = [self.lessons[0], self.lessons[1], self.lessons[3], after, last]
		for place, lesson in enumerate(chain):
			expected = {}
			if place:
				previous = chain[place - 1]
				expected["previous_lesson"] = {
					"id": previous.name,
					"title": previous.title,
					"url": f"lessons/{previous.name}.json",
				}
			if place + 1 < len(chain):
				following = chain[place + 1]
				expected["next_lesson"] = {
					"id": following.name,
					"title": following.title,
					"url": f"lessons/{following.name}.json",
				}
			self.assertEqual(self.read(f"lessons/{lesson.name}.json")["navigation"], expected)


class TestAccess(ContentTestCase):
	@pytest.mark.earlier_defect("a paid subject's units and lessons said `authenticated`")
	def test_all_below_a_paid_subject_is_paid(self) -> None:
		self.change(self.subject, required_item="ITEM-1")
		self.publish()
		self.check()
		self.assertEqual(set(self.levels().values()), {"paid"})
		handed_down = {
			"is_published": True,
			"access_level": "paid",
			"required_item": "ITEM-1",
			"is_sold_separately": False,
			"parent_item_required": True,
		}
		reading = self.learner(self.plan)
		self.assertEqual(
			reading.manifest["subjects"][0]["access"], {**handed_down, "parent_item_required": False}
		)
		for document in (*reading.units.values(), *reading.lessons.values()):
			self.assertEqual(document["access"], handed_down)

	def test_each_level_is_published_as_the_table_says(self) -> None:
		self.change(self.subject, is_public=1)
		self.change(self.units[0], is_free_preview=1)
		sold = factories.make_track(
			parent_subject=self.subject.name,
			is_published=1,
			is_sold_separately=1,
			parent_item_required=1,
			required_item="TRACK",
			sort_order=3,
		)
		unit = factories.make_unit(parent_track=sold.name, is_published=1)
		self.publish()
		levels = self.levels()
		self.assertEqual(levels[self.subject.name], "public")
		self.assertEqual(levels[self.lessons[0].name], "free_preview")
		self.assertEqual(levels[self.lessons[2].name], "public")
		self.assertEqual(
			self.read(f"units/{unit.name}.json")["access"],
			{
				"is_published": True,
				"access_level": "paid",
				"required_item": "TRACK",
				"is_sold_separately": True,
				"parent_item_required": True,
			},
		)

	@pytest.mark.earlier_defect("Check fields are 0/1: written as they are, every manifest failed its schema")
	def test_access_stands_in_every_file_and_entry_with_booleans(self) -> None:
		self.change(self.track, is_sold_separately=1, required_item="ITEM")
		self.publish()
		seen = 0
		for path, document in self.documents().items():
			for each in walk(document):
				if "id" in each and "navigation" not in path and "access" not in each:
					self.assertEqual(set(each), {"id", "title", "url"}, f"{path}: no access in {each}")
				for key, value in each.items():
					if key.startswith("is_") or key == "parent_item_required":
						self.assertIs(type(value), bool, f"{path}: {key}")
						seen += 1
		self.assertGreater(seen, 20)
		for path in (
			self.folder() + f"subjects/{self.subject.name}.json",
			f"units/{self.units[0].name}.json",
		):
			self.assertIn("access", self.read(path))
		self.check()

	def test_access_stands_beside_every_object_that_has_one(self) -> None:
		self.change(self.track, is_sold_separately=1, required_item="ITEM")
		self.publish()
		with self.storage() as storage:
			for path, document in self.documents().items():
				stored = storage.head(path)
				self.assertEqual(stored.content_type, "application/json; charset=utf-8")
				self.assertEqual(stored.metadata["version"], str(document["version"]))
				self.assertRegex(stored.metadata["content-hash"], "^[0-9a-f]{64}$")
				access = document.get("access", {})
				self.assertEqual(stored.metadata.get("access-level"), access.get("access_level"))
				self.assertEqual(stored.metadata.get("required-item"), access.get("required_item"))
				kept_for_good = path.startswith("units/") or "/subjects/" in path or "/search/" in path
				self.assertEqual(stored.cache_control, YEAR if kept_for_good else SHORT, path)


class TestWhatEachFileHolds(ContentTestCase):
	@pytest.mark.earlier_defect("subject files embedded every stage, raw video URLs and answers included")
	def test_stages_stand_in_the_lesson_only(self) -> None:
		self.publish()
		for path in self.mentions("stages", "video_url", "v.example", "نص الدرس", "Watch"):
			self.assertRegex(path, "^lessons/")
		subject = self.read(f"{self.folder()}subjects/{self.subject.name}.json")
		self.assertEqual(
			set(subject["tracks"][0]["units"][0]),
			{"id", "title", "sort_order", "url", "access", "topic_count", "lesson_count"},
		)

	@pytest.mark.earlier_defect("fields read that no DocType had")
	def test_all_that_an_editor_fills_in_is_published(self) -> None:
		image = "https://elsewhere.example/{}.png"
		for doc in (self.subject, self.track, self.units[0], self.topics[0], self.lessons[0]):
			kind = doc.doctype.split()[-1]
			fields = {"description": f"About the {kind}", "image": image.format(kind), "sort_order": 3}
			if kind == "Subject":
				fields["color_code"] = "#123456"
			if kind == "Unit":
				fields["badge_image"] = image.format("Badge")
			self.change(doc, **fields)
		self.publish()
		self.check()
		reading = self.learner(self.plan)
		entry = reading.manifest["subjects"][0]
		subject, unit = reading.subjects[self.subject.name], reading.units[self.units[0].name]
		lesson = reading.lessons[self.lessons[0].name]
		track, topic = subject["tracks"][0], unit["topics"][0]
		for kind, shown in (
			("Subject", (entry, subject)),
			("Track", (track,)),
			("Unit", (next(each for each in track["units"] if each["id"] == unit["id"]), unit)),
			("Topic", (topic,)),
			("Lesson", (next(each for each in topic["lessons"] if each["id"] == lesson["id"]), lesson)),
		):
			for each in shown:
				self.assertEqual(each["description"], f"About the {kind}")
				self.assertEqual(each["image"], image.format(kind))
				if kind == "Subject":
					self.assertEqual(each["color_code"], "#123456")
				else:
					self.assertEqual(each["sort_order"], 3)
				if kind == "Unit":
					self.assertEqual(each["badge_image"], image.format("Badge"))
		titles = {
			field: frappe.db.get_value(f"Memora {field.title()}", self.plan.get(field), "title")
			for field in ("season", "grade", "stream")
		}
		for shown in (reading.manifest, self.read("plans/index.json")["plans"][0]):
			self.assertLessEqual({"title": self.plan.title, **titles}.items(), shown.items())

	def test_text_is_not_escaped(self) -> None:
		self.change(self.subject, title='الفيزياء “1” \\ / " 🚀', description="سطر\nآخر")
		self.publish()
		self.check()
		self.assertNotIn(b"\\u", b"".join(self.contents().values()))
		self.assertIn('الفيزياء “1” \\\\ / \\" 🚀'.encode(), self.read_bytes(f"{self.folder()}manifest.json"))

	@pytest.mark.earlier_defect("2 of 32 files were validated")
	def test_no_kind_of_document_gets_out_unless_its_schema_holds(self) -> None:
		factories.make_many("Memora Lesson", self.topics[0], [f"Lesson {n}" for n in range(501)])
		relay.touch([self.plan.name], [self.subject.name])
		self.publish()
		self.check()
		before, stamped = self.contents(), diff.stamped
		for number, kind in enumerate(
			("lesson", "unit", "subject", "search_shard", "search_index", "manifest", "plans_index")
		):
			with self.subTest(kind):
				self.change(self.lessons[0], title=f"Edit {number}")
				self.change(self.plan, title=f"Edit {number}")

				def spoilt(of: str, document: Any, version: int, kind: str = kind) -> Any:
					return {**stamped(of, document, version), **({"is_odd": 1} if of == kind else {})}

				with patch.object(diff, "stamped", spoilt):
					self.publish()
				self.assertRegex(
					" ".join(self.failures().values()), "json breaks its contract at the top: .*is_odd"
				)
				written = {path for path, body in self.contents().items() if before.get(path) != body}
				self.assertFalse({path for path in written if self.kind(path) == kind})
				for table in ("CDN Publish State",):
					frappe.db.sql(f"update `tab{table}` set next_retry_at = null")
				self.publish()
				self.assertEqual(self.failures(), {})
				self.check()
				before = self.contents()

	def kind(self, path: str) -> str:
		if path == "plans/index.json":
			return "plans_index"
		for part, kind in (
			("manifest.json", "manifest"),
			("search_index.json", "search_index"),
			("/search/", "search_shard"),
			("/subjects/", "subject"),
			("units/", "unit"),
			("lessons/", "lesson"),
		):
			if part in path:
				return kind
		raise AssertionError(path)

	@pytest.mark.earlier_defect("2 of 32 files were validated")
	def test_every_file_keeps_its_schema(self) -> None:
		self.publish()
		for path, document in self.documents().items():
			contracts.validate(self.kind(path), document, path)
			self.assertEqual(
				int(datetime.fromisoformat(document["generated_at"]).timestamp()), document["version"]
			)

	def test_titles_of_season_grade_and_stream_stand_in_manifest_and_list(self) -> None:
		self.publish()
		before = self.contents()
		season = frappe.get_doc("Memora Season", self.plan.season)
		self.change(season, title="موسم ٢٠٢٦")
		self.publish()
		manifest = f"{self.folder()}manifest.json"
		self.assertWritten(before, {manifest, "plans/index.json"})
		self.assertEqual(self.read(manifest)["season"], "موسم ٢٠٢٦")
		self.assertEqual(self.read("plans/index.json")["plans"][0]["season"], "موسم ٢٠٢٦")
		self.check()


class TestVersions(ContentTestCase):
	def test_versions_rise_with_every_change_and_never_come_again(self) -> None:
		self.publish()
		path = f"lessons/{self.lessons[0].name}.json"
		versions = [self.read(path)["version"]]
		lesson = self.lessons[0]
		for step in range(3):  # quicker than a second each
			self.change(lesson, description=f"step {step}")
			self.publish()
			versions.append(self.read(path)["version"])
			self.change(lesson, is_published=0)
			self.publish()
			self.assertNotIn(path, self.paths())
			self.change(lesson, is_published=1)
			self.publish()
			versions.append(self.read(path)["version"])
			frappe.delete_doc("Memora Lesson", lesson.name)
			self.publish()
			frappe.get_doc(lesson.as_dict()).insert(set_name=lesson.name)
			self.publish()
			self.check()
			versions.append(self.read(path)["version"])
		self.assertEqual(versions, sorted(set(versions)))

	def test_a_plan_that_comes_back_goes_on_counting(self) -> None:
		self.publish()
		before = {path: document["version"] for path, document in self.documents().items()}
		self.change(self.plan, is_published=0)
		self.publish()
		self.change(self.plan, is_published=1)
		self.publish()
		self.check()
		after = {path: document["version"] for path, document in self.documents().items()}
		self.assertEqual(set(after), set(before))
		for path, version in before.items():
			self.assertGreater(after[path], version, path)


class TestSearch(ContentTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.second = make_course(units=1, lessons=1)
		self.change(
			self.plan, subjects=[{"subject": self.second["subject"].name}, {"subject": self.subject.name}]
		)

	def add(self, count: int, title: str = "Lesson") -> list[str]:
		names = factories.make_many(
			"Memora Lesson", self.topics[1], [f"{title} {number}" for number in range(count)]
		)
		relay.touch([self.plan.name], [self.subject.name])
		self.publish()
		return names

	def found(self) -> list[str]:
		return [entry["lesson_id"] for entry in self.learner(self.plan).entries]

	def in_order(self) -> list[str]:
		return [lesson.name for lesson in (*self.second["lessons"], *self.lessons)]

	def test_a_small_plan_has_every_lesson_in_one_file(self) -> None:
		self.publish()
		self.check()
		index = self.read(f"{self.folder()}search_index.json")
		self.assertEqual((index["is_sharded"], index["total_lessons"]), (False, 5))
		self.assertEqual(self.found(), self.in_order())
		self.assertEqual(
			index["entries"][1],
			{
				"lesson_id": self.lessons[0].name,
				"lesson_name": self.lessons[0].title,
				"subject_id": self.subject.name,
				"subject_name": self.subject.title,
				"unit_id": self.units[0].name,
				"unit_name": self.units[0].title,
				"topic_id": self.topics[0].name,
				"topic_name": self.topics[0].title,
			},
		)

	def test_501_lessons_are_sharded_500_are_not(self) -> None:
		for doc in (self.subject, self.units[1], self.topics[1]):
			self.change(doc, title="T")  # so that the file is below 100 KB
		added = self.add(495)
		self.check()
		self.assertFalse(self.read(f"{self.folder()}search_index.json")["is_sharded"])
		added += self.add(1, title="One more")
		self.check()
		index = self.read(f"{self.folder()}search_index.json")
		self.assertEqual((index["is_sharded"], index["total_lessons"]), (True, 501))
		self.assertEqual(
			[(shard["subject_id"], shard["lesson_count"]) for shard in index["shards"]],
			[(self.second["subject"].name, 1), (self.subject.name, 500)],
		)
		self.assertEqual(sorted(self.found()), sorted([*self.in_order(), *added]))

		shards = {path for path in self.paths() if "/search/" in path}
		frappe.db.delete("Memora Lesson", {"name": added[-1]})
		relay.touch([self.plan.name], [self.subject.name])
		self.publish()
		self.assertFalse(self.read(f"{self.folder()}search_index.json")["is_sharded"])
		self.assertNotIn(added[-1], self.found())
		self.assertEqual(self.mentions(added[-1]), set())
		self.check(leaving=shards & self.paths())
		self.minutes_pass(16)
		self.tick()
		self.check()

	def test_what_changed_while_the_plan_was_sharded_is_found_when_it_is_not_any_more(self) -> None:
		self.publish()
		with patch.object(search_indexer, "MOST_LESSONS_UNSHARDED", 4):
			self.change(self.second["lessons"][0], title="In a shard")
			self.publish()
			self.assertTrue(self.read(f"{self.folder()}search_index.json")["is_sharded"])
		self.change(self.lessons[0], title="In one file again")
		self.publish()
		self.assertFalse(self.read(f"{self.folder()}search_index.json")["is_sharded"])
		titles = {entry["lesson_name"] for entry in self.learner(self.plan).entries}
		self.assertLessEqual({"In a shard", "In one file again"}, titles)
		self.assertEqual(len(titles), 5)

	def test_what_another_subject_has_is_found_though_this_ones_body_or_title_changes(self) -> None:
		"""Entries that the plan subject has already are neither read nor written again."""
		self.publish()
		lesson = self.second["lessons"][0]
		for changed in ({"description": "body"}, {"title": "Another"}, {"description": "once more"}):
			self.change(lesson, **changed)
			self.publish()
			self.assertEqual(self.found(), self.in_order())
			self.check()
		self.change(self.plan, title="Listed as it was")
		self.publish()
		self.assertEqual(self.found(), self.in_order())
		self.assertIn("Another", {entry["lesson_name"] for entry in self.learner(self.plan).entries})

	def test_a_subject_that_cannot_be_built_is_found_as_it_was(self) -> None:
		self.publish()
		self.change(self.lessons[0], title="Never published")
		frappe.db.set_value("Memora Lesson Stage", {"parent": self.lessons[0].name}, "config", "[1]")
		self.change(self.second["lessons"][0], title="Published meanwhile")
		for _ in range(2):
			self.publish()
			self.assertEqual(self.found(), self.in_order())
			titles = {entry["lesson_name"] for entry in self.learner(self.plan).entries}
			self.assertIn("Published meanwhile", titles)
			self.assertNotIn("Never published", titles)
			self.change(self.plan, title="Once more")

	def test_a_plan_stays_in_its_form_while_a_subject_in_it_cannot_be_built(self) -> None:
		for was_sharded, most_before, most_after in ((False, 500, 4), (True, 4, 500)):
			with self.subTest(was_sharded=was_sharded):
				with patch.object(search_indexer, "MOST_LESSONS_UNSHARDED", most_before):
					self.change(self.plan, title=f"As it was, {was_sharded}")
					self.publish()
				live = self.subject_file()
				title, stage = self.lessons[0].title, self.lessons[0].stages[0]
				self.change(self.lessons[0], title="Never published")
				frappe.db.set_value(stage.doctype, stage.name, "config", "[1]")
				self.change(self.second["lessons"][0], title=f"Published meanwhile, {was_sharded}")
				with patch.object(search_indexer, "MOST_LESSONS_UNSHARDED", most_after):
					self.publish()
					self.assertIs(self.read(f"{self.folder()}search_index.json")["is_sharded"], was_sharded)
					titles = {entry["lesson_name"] for entry in self.learner(self.plan).entries}
					self.assertIn(f"Published meanwhile, {was_sharded}", titles)
					self.assertNotIn("Never published", titles)
					self.assertEqual(self.subject_file(), live)
					frappe.db.set_value(stage.doctype, stage.name, "config", stage.config)
					self.change(self.lessons[0], title=title)
					self.minutes_pass(10)
					self.publish()
					index = self.read(f"{self.folder()}search_index.json")
					self.assertIs(index["is_sharded"], not was_sharded)
					self.assertEqual(self.found(), self.in_order())

	def subject_file(self) -> bytes:
		return self.read_bytes(f"{self.folder()}subjects/{self.subject.name}.json")

	def test_a_shard_too_large_is_split_and_lists_each_lesson_once(self) -> None:
		added = self.add(300, title="ع" * 130)
		self.check()
		index = self.read(f"{self.folder()}search_index.json")
		self.assertTrue(index["is_sharded"])
		parts = [shard for shard in index["shards"] if shard["subject_id"] == self.subject.name]
		self.assertGreater(len(parts), 1)
		self.assertEqual(
			[shard["url"].partition("?")[0] for shard in parts],
			[f"{self.folder()}search/{self.subject.name}/{n}.json" for n in range(1, len(parts) + 1)],
		)
		for path in self.paths():
			if "search" in path:
				self.assertLessEqual(len(self.read_bytes(path)), search_indexer.MOST_BYTES, path)
		self.assertEqual(self.found(), [*self.in_order(), *added])

		self.change(self.plan, overrides=[factories.override(self.subject, "Rename", "Renamed")])
		self.publish()
		self.assertEqual(
			{shard["subject_name"] for shard in self.read(f"{self.folder()}search_index.json")["shards"]},
			{self.second["subject"].title, "Renamed"},
		)
		self.assertEqual(
			{entry["subject_name"] for entry in self.learner(self.plan).entries},
			{self.second["subject"].title, "Renamed"},
		)

	@pytest.mark.earlier_defect("no removal of files after a delete or a hide")
	def test_a_lesson_deleted_from_a_sharded_plan_is_found_no_more(self) -> None:
		self.add(501)
		frappe.delete_doc("Memora Lesson", self.lessons[0].name)
		self.publish()
		self.check()
		self.assertEqual(self.mentions(self.lessons[0].name), set())
		self.assertEqual(len(self.found()), 505)


class TestPictures(ContentTestCase):
	def setUp(self) -> None:
		super().setUp()
		# Frappe keeps equal files once: this one is like no other.
		self.png = b"\x89PNG\r\n\x1a\n" + frappe.generate_hash(length=20).encode()

	def attach(self, name: str, content: bytes, *, private: bool = False) -> str:
		file = frappe.get_doc(
			{"doctype": "File", "file_name": name, "content": content, "is_private": int(private)}
		).insert()
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "File", file.name, force=True)
		return file.file_url

	def media(self) -> set[str]:
		return {path for path in self.paths() if path.startswith("media/")}

	def test_a_public_picture_is_published_once_under_its_hash(self) -> None:
		url = self.attach("cover.png", self.png)
		twin = self.attach("twin.PNG", self.png)
		self.change(self.subject, image=url)
		self.change(self.units[0], image=twin, badge_image=url)
		self.change(self.lessons[0], image=url)
		self.publish()
		self.check()
		path = f"media/{hashlib.sha256(self.png).hexdigest()}.png"
		self.assertEqual(self.media(), {path})
		self.assertEqual(self.read_bytes(path), self.png)
		reading = self.learner(self.plan)
		self.assertEqual(reading.manifest["subjects"][0]["image"], path)
		self.assertEqual(reading.subjects[self.subject.name]["image"], path)
		unit = reading.units[self.units[0].name]
		self.assertEqual((unit["image"], unit["badge_image"]), (path, path))
		self.assertEqual(unit["topics"][0]["lessons"][0]["image"], path)
		self.assertEqual(reading.lessons[self.lessons[0].name]["image"], path)
		with self.storage() as storage:
			stored = storage.head(path)
		self.assertEqual((stored.content_type, stored.cache_control), ("image/png", YEAR))

	def test_another_picture_in_the_same_place_is_published_beside_the_old(self) -> None:
		url = self.attach("cover.png", self.png)
		self.change(self.units[0], image=url)
		self.publish()
		Path(frappe.get_site_path("public", url.lstrip("/"))).write_bytes(self.png + b", but another one")
		self.change(self.units[0], description="has another picture")
		self.publish()
		path = f"media/{hashlib.sha256(self.png + b', but another one').hexdigest()}.png"
		self.assertEqual(self.read(f"units/{self.units[0].name}.json")["image"], path)
		self.assertIn(path, self.media())

	def test_an_address_elsewhere_stays_as_it_is(self) -> None:
		self.change(self.subject, image="https://elsewhere.example/a b.png?x=1")
		self.publish()
		self.check()
		self.assertEqual(
			self.learner(self.plan).manifest["subjects"][0]["image"], "https://elsewhere.example/a b.png?x=1"
		)
		self.assertEqual(self.media(), set())

	def test_private_and_missing_pictures_are_left_out(self) -> None:
		secret = self.attach("secret.png", b"private" + self.png, private=True)
		self.change(self.subject, image=secret)
		self.change(
			self.units[0], image="/files/no-such.png", badge_image="/files/../private/files/secret.png"
		)
		self.change(self.lessons[0], image="/files/%2e%2e/%2e%2e/site_config.json")
		self.publish()
		self.check()
		self.assertEqual(self.media(), set())
		self.assertEqual(self.mentions('"image"', '"badge_image"', "secret", "no-such", "site_config"), set())

	def test_a_picture_that_comes_later_is_shown_from_then_on(self) -> None:
		name = f"{frappe.generate_hash(length=10)}.png"
		self.change(self.units[0], image=f"/files/{name}")
		self.publish()
		self.assertEqual(self.media(), set())
		file = Path(frappe.get_site_path("public", "files", name))
		file.write_bytes(self.png)
		self.addCleanup(file.unlink)
		self.change(self.units[0], description="now it is there")
		self.publish()
		self.check()
		self.assertEqual(len(self.media()), 1)

	def test_a_plan_with_its_own_rendition_shares_the_picture(self) -> None:
		self.change(self.units[0], image=self.attach("cover.png", self.png))
		other = factories.make_plan(
			[self.subject], is_published=1, overrides=[factories.override(self.lessons[0], "Hide")]
		)
		self.publish()
		self.check()
		self.assertEqual(len(self.media()), 1)
		self.assertEqual(
			self.learner(other).units[self.units[0].name]["image"],
			self.learner(self.plan).units[self.units[0].name]["image"],
		)
