"""A document's history for people: what it says, to whom, and the way back by an ordinary save."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document

from memora.api import history
from memora.install import ADMIN, EDITOR
from memora.services.cdn_export.model import exact_json
from memora.services.cdn_export.state import sync_log
from memora.services.history import entries
from memora.services.history.rules import state
from memora.tests.helpers import factories
from memora.tests.helpers.fields import field_of_level
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course
from memora.tests.helpers.statements import statements
from memora.tests.helpers.users import drop_user_permissions, make_user
from memora.tests.helpers.utils import messages

LESSON = "Memora Lesson"
STAGE = "Memora Lesson Stage"
USER, ADMINS, STRANGER = (
	"history.reading@memora.test",
	"history.admins@memora.test",
	"history.none@memora.test",
)


def stage(title: str, text: str = "Read", kind: str = "Text") -> dict[str, str]:
	key = "html" if "<" in text else "text"
	return {"title": title, "type": kind, "config": json.dumps({key: text}, ensure_ascii=False)}


class GoingBackTestCase(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(cls, USER, EDITOR)
		make_user(cls, ADMINS, ADMIN)
		make_user(cls, STRANGER)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(drop_user_permissions, USER)

	def rows(self, doc: Document, before: str = "") -> list[dict[str, Any]]:
		return history.entries(doc.doctype, doc.name, before)["rows"]

	def said(self, doc: Document) -> list[list[str]]:
		"""What is said of each change, the newest first."""
		return [row["words"] for row in self.rows(doc) if "words" in row]

	def back(self, doc: Document, place: int, rows: list[str] | None = None) -> dict[str, Any]:
		"""Go back to the state of the row at this place, after agreeing; answers what was asked."""
		entry = self.rows(doc)[place]["state"]
		ask = history.go_back(doc.doctype, doc.name, entry, "", rows)["ask"]
		answer = history.go_back(doc.doctype, doc.name, entry, ask["agreed"], rows)
		self.assertEqual(answer, {"done": True, "changed": 1})
		doc.reload()
		return ask

	def stages(self, doc: Document) -> list[tuple[str, str]]:
		doc.reload()
		return [(row.title, json.loads(row.config or "{}").get("text", "")) for row in doc.stages]


class TestWords(GoingBackTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=1)
		self.subject, self.track, self.unit, self.topic, _lesson = chain(self.course)
		self.lesson = factories.make_lesson(
			title="Light", parent_topic=self.topic.name, stages=[stage("One"), stage("Two"), stage("Three")]
		)

	def test_each_change_is_said_in_words_with_who_and_when(self) -> None:
		frappe.set_user(USER)
		self.change(self.lesson, title="The <b> light")
		self.lesson.reload()
		for row in self.lesson.stages[:2]:
			row.config = json.dumps({"text": "Other"})
		self.lesson.stages[2].title = "Third"
		self.lesson.save()
		self.change(self.lesson, is_published=1, is_free_preview=1, description="About light")
		answer = history.entries(LESSON, self.lesson.name)
		self.assertEqual(
			[row.get("words") for row in answer["rows"]],
			[
				["Published", "Free Preview: on", "Description added"],
				["Stages changed: 3"],
				["Title was “Light”"],
				None,
			],
		)
		self.assertEqual({row["by"] for row in answer["rows"][:3]}, {USER})
		self.assertEqual((answer["can_write"], answer["title"], answer["more"]), (True, "The <b> light", ""))
		self.assertEqual([row.get("is_first", False) for row in answer["rows"]], [False, False, False, True])

	def test_stages_that_are_added_removed_or_in_another_order_are_counted_and_named(self) -> None:
		one, two, three = ({"name": row.name, **stage(row.title)} for row in self.lesson.stages)
		self.change(self.lesson, stages=[three, one, two])
		self.change(self.lesson, stages=[three, one])
		self.change(self.lesson, stages=[three, one, stage("New"), stage("Newer")])
		self.assertEqual(
			self.said(self.lesson),
			[["Stages added: 2"], ["Stage “Two” removed"], ["Stages in another order"]],
		)

	def test_a_move_says_from_where_if_its_reader_may_know(self) -> None:
		other = make_course(units=1, lessons=0, title="Secret")
		frappe.db.set_value("Memora Topic", other["topics"][0].name, "title", "Hidden topic")
		self.change(self.lesson, parent_topic=other["topics"][0].name)
		self.change(self.lesson, parent_topic=self.topic.name)
		self.assertEqual(self.said(self.lesson)[0], ["Moved, from “Hidden topic”"])
		permission = {"doctype": "User Permission", "user": USER, "allow": "Memora Subject"}
		frappe.get_doc({**permission, "for_value": self.subject.name}).insert(ignore_permissions=True)
		frappe.set_user(USER)
		self.assertEqual(self.said(self.lesson)[0], ["Moved"])
		self.assertNotIn("Hidden topic", json.dumps(self.rows(self.lesson)))

	def test_a_plan_names_what_it_lists_and_overrides(self) -> None:
		plan = factories.make_plan([self.subject])
		self.change(plan, overrides=[factories.override(self.unit, "Rename", "Another unit")])
		self.change(plan, overrides=[])
		self.assertEqual(
			self.said(plan),
			[[f"Override of “{self.unit.title}” removed"], [f"Override of “{self.unit.title}” added"]],
		)
		parts = history.changes(plan.doctype, plan.name, self.rows(plan)[0]["entry"])
		lines = [line["live"] for line in parts[0]["rows"]]
		self.assertIn("Value: Another unit", lines)

	def test_of_a_row_that_was_about_something_else_nothing_is_told_unless_its_reader_may_read_both(
		self,
	) -> None:
		gone = factories.make_lesson(title="Gone", parent_topic=self.topic.name)
		plan = factories.make_plan([self.subject], overrides=[factories.override(gone, "Rename", "Secret")])
		row = {"name": plan.overrides[0].name, **factories.override(self.lesson, "Rename", "Open")}
		self.change(plan, overrides=[row])
		gone.delete()
		entry = entries.of_document(plan.doctype, plan.name)[0].name
		told = json.dumps(history.changes(plan.doctype, plan.name, entry))
		self.assertIn("Override", str(self.said(plan)))
		self.assertNotIn("Secret", told)

	def test_a_season_that_its_reader_may_not_read_has_no_title(self) -> None:
		plan = factories.make_plan([self.subject])
		season = frappe.get_doc({"doctype": "Memora Season", "title": frappe.generate_hash()}).insert()
		self.change(plan, season=season.name)
		permission = {"doctype": "User Permission", "user": USER, "allow": "Memora Season"}
		frappe.get_doc({**permission, "for_value": season.name}).insert(ignore_permissions=True)
		frappe.set_user(USER)
		self.assertEqual(self.said(plan), [["Season was “…”"]])

	def test_of_a_row_only_the_fields_are_told_that_its_reader_may_read(self) -> None:
		self.lesson.stages[0].update(stage("First", "Another secret"))
		self.lesson.save()
		with field_of_level(STAGE, "config", 1):
			frappe.set_user(USER)
			(change,) = history.changes(LESSON, self.lesson.name, self.rows(self.lesson)[0]["entry"])
		self.assertEqual(
			[(row["live"], row["planned"]) for row in change["rows"]], [("Title: One", "Title: First")]
		)

	def test_what_changed_is_side_by_side_as_plain_text(self) -> None:
		row = self.lesson.stages[0]
		self.change(
			self.lesson,
			stages=[{"name": row.name, **stage("One", "<p>Hot &amp; <b>cold</b></p><p>Same</p>")}],
		)
		self.change(
			self.lesson, stages=[{"name": row.name, **stage("One", "<p>Warm &lt;i&gt;</p><p>Same</p>")}]
		)
		(part,) = history.changes(LESSON, self.lesson.name, self.rows(self.lesson)[0]["entry"])
		self.assertEqual((part["title"], part["what"], part["row"]), ("One", "Changed", row.name))
		self.assertIn({"kind": "changed", "live": "Hot & cold", "planned": "Warm <i>"}, part["rows"])
		self.assertIn({"kind": "same", "live": "Same", "planned": "Same"}, part["rows"])

	def test_where_only_markup_differs_the_markup_is_shown(self) -> None:
		row = self.lesson.stages[0]
		for text in ("<p>Hot</p>", '<p class="x">Hot</p>'):
			self.change(self.lesson, stages=[{"name": row.name, **stage("One", text)}])
		(part,) = history.changes(LESSON, self.lesson.name, self.rows(self.lesson)[0]["entry"])
		self.assertEqual([line["kind"] for line in part["rows"]].count("changed"), 1)

	def test_what_is_too_large_to_be_compared_says_so_and_comes_back_all_the_same(self) -> None:
		text = "<p>word</p>" * 200_000
		self.change(self.lesson, stages=[{"name": self.lesson.stages[0].name, **stage("One", text)}])
		self.change(self.lesson, stages=[stage("New")])
		parts = history.changes(LESSON, self.lesson.name, self.rows(self.lesson)[0]["entry"])
		self.assertEqual(
			[(part["title"], part["is_too_large"]) for part in parts], [("One", True), ("New", False)]
		)
		self.back(self.lesson, 1)
		self.assertEqual(json.loads(self.lesson.stages[0].config), {"html": text})

	def test_it_says_which_state_learners_have(self) -> None:
		plan = factories.make_plan([self.subject], is_published=1)
		self.change(self.lesson, is_published=1)
		self.publish()
		row = self.rows(self.lesson)[0]
		self.assertTrue(row["live"]["version"])
		self.change(self.lesson, title="Not out yet")
		answer = history.entries(LESSON, self.lesson.name)
		self.assertEqual(answer["status"]["state"], "waiting")
		self.assertNotIn("live", answer["rows"][0])
		self.minutes_pass(5)
		self.publish()
		newest, former, *_others = self.rows(self.lesson)
		self.assertGreater(newest["live"]["version"], row["live"]["version"])
		self.assertNotIn("run", newest)
		first, second = frappe.get_all(
			"CDN Sync Log", {"plan_id": plan.name}, pluck="completed_at", order_by="completed_at"
		)
		self.assertEqual(former["run"], str(first))
		self.assertLess(former["run"], str(second))

	def test_what_was_changed_again_before_a_run_or_was_a_draft_never_went_out(self) -> None:
		factories.make_plan([self.subject], is_published=1)
		self.change(self.lesson, title="A draft")
		self.publish()
		self.change(self.lesson, is_published=1)
		self.change(self.lesson, title="Once")
		self.publish()
		self.change(self.lesson, title="Twice")
		went_out = [row["words"][0] for row in self.rows(self.lesson) if "run" in row]
		self.assertEqual(went_out, ["Title was “A draft”"])  # since then it was called “Once”

	def test_a_long_history_comes_in_pages_and_in_few_statements(self) -> None:
		for number in range(25):
			self.change(self.lesson, title=str(number))
		history.entries(LESSON, self.lesson.name)
		with statements() as seen:
			first = history.entries(LESSON, self.lesson.name)
		self.assertLessEqual(len(seen), 20, "\n".join(seen))
		second = history.entries(LESSON, self.lesson.name, first["more"])
		said = [row["words"][0] for row in (*first["rows"], *second["rows"]) if "words" in row]
		self.assertEqual(
			said, [f"Title was “{number}”" for number in range(23, -1, -1)] + ["Title was “Light”"]
		)
		self.assertEqual((len(first["rows"]), second["more"]), (20, ""))
		self.assertTrue(second["rows"][-1]["is_first"])

	def test_a_page_reads_the_runs_since_its_own_oldest_change(self) -> None:
		factories.make_plan([self.subject], is_published=1)
		for number in range(25):
			self.change(self.lesson, title=f"T{number}")
		with patch.object(sync_log, "successes", wraps=sync_log.successes) as read:
			self.rows(self.lesson)
		oldest = entries.of_document(LESSON, self.lesson.name)[19].at
		self.assertEqual([call.args[1] for call in read.call_args_list], [oldest])

	def test_a_document_without_changes_has_none(self) -> None:
		self.assertEqual(self.rows(self.lesson), [])

	def test_deleted_and_brought_back_is_said(self) -> None:
		self.change(self.lesson, title="Other")
		frappe.delete_doc(LESSON, self.lesson.name)
		factories.bring_back(self.lesson)
		self.assertEqual(self.said(self.lesson)[0][0], "Deleted, and brought back since")


class TestGoingBack(GoingBackTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=1, required_item="MATHS")
		self.subject, self.track, self.unit, self.topic, _lesson = chain(self.course)
		self.lesson = factories.make_lesson(
			title="Light",
			parent_topic=self.topic.name,
			stages=[stage("One", "first"), stage("Two", "second")],
			is_published=1,
		)

	def test_a_stage_that_was_rewritten_is_back_and_the_way_back_is_a_change_itself(self) -> None:
		names = [row.name for row in self.lesson.stages]
		self.lesson.reload()
		self.lesson.stages[0].config = json.dumps({"text": "spoilt"})
		self.lesson.save()
		frappe.set_user(USER)
		ask = self.back(self.lesson, 1)
		self.assertEqual((ask["changes"], ask["is_published"]), (["Stage “One” changed"], True))
		self.assertEqual(self.stages(self.lesson), [("One", "first"), ("Two", "second")])
		self.assertEqual([row.name for row in self.lesson.stages], names)
		self.back(self.lesson, 1)
		self.assertEqual(self.stages(self.lesson)[0], ("One", "spoilt"))
		self.assertEqual(len(self.rows(self.lesson)), 4)

	def test_a_stage_that_was_removed_comes_back_alone_with_its_name_and_the_rest_stays(self) -> None:
		gone = self.lesson.stages[0].name
		self.change(self.lesson, stages=[{"name": self.lesson.stages[1].name, **stage("Two", "second")}])
		self.change(self.lesson, title="Changed since")
		entry = self.rows(self.lesson)[1]["entry"]
		ask = history.go_back(LESSON, self.lesson.name, entry, "", [gone])["ask"]
		self.assertEqual(ask["changes"], ["Stage “One” added"])
		history.go_back(LESSON, self.lesson.name, entry, ask["agreed"], [gone])
		self.assertEqual(self.stages(self.lesson), [("One", "first"), ("Two", "second")])
		self.assertEqual((self.lesson.title, self.lesson.stages[0].name), ("Changed since", gone))

	def test_a_name_that_another_lesson_has_by_now_is_left_to_it(self) -> None:
		gone = self.lesson.stages[0].name
		other = factories.make_lesson(parent_topic=self.topic.name)
		self.change(self.lesson, stages=[{"name": self.lesson.stages[1].name, **stage("Two", "second")}])
		self.change(other, stages=[stage("One", "elsewhere")])
		frappe.db.set_value(STAGE, other.stages[0].name, "name", gone)
		self.back(self.lesson, -1)
		self.assertEqual([title for title, _text in self.stages(self.lesson)], ["One", "Two"])
		self.assertEqual(frappe.db.get_value(STAGE, gone, "parent"), other.name)

	def test_place_and_publication_stay_as_they_are_now(self) -> None:
		other = factories.make_topic(parent_unit=self.unit.name)
		self.change(self.lesson, title="Later")
		self.change(self.lesson, is_published=0)
		self.change(self.lesson, parent_topic=other.name, sort_order=77)
		self.back(self.lesson, -1)
		self.assertEqual(
			(self.lesson.title, self.lesson.is_published, self.lesson.parent_topic, self.lesson.sort_order),
			("Light", 0, other.name, 77),
		)

	def test_what_becomes_free_is_asked(self) -> None:
		factories.make_plan([self.subject], is_published=1)
		self.change(self.lesson, is_free_preview=1)
		self.change(self.lesson, is_free_preview=0)
		ask = self.back(self.lesson, 1)
		self.assertEqual((ask["changes"], ask["free"]), (["Free Preview: on"], ["Light"]))

	def test_what_a_plan_makes_live_is_asked(self) -> None:
		plan = factories.make_plan([self.subject], is_published=1)
		self.change(plan, overrides=[factories.override(self.lesson, "Hide")])
		ask = self.back(plan, -1)
		self.assertEqual(ask["live"], ["Light"])
		self.assertEqual(plan.overrides, [])

	def test_who_agreed_to_less_is_asked_again(self) -> None:
		self.change(self.lesson, title="Later")
		entry = self.rows(self.lesson)[1]["state"]
		ask = history.go_back(LESSON, self.lesson.name, entry)["ask"]
		self.change(self.lesson, description="Meanwhile")
		again = history.go_back(LESSON, self.lesson.name, entry, ask["agreed"])["ask"]
		self.assertEqual(again["changes"], ["Title becomes “Light”", "Description removed"])
		self.assertEqual(frappe.db.get_value(LESSON, self.lesson.name, "title"), "Later")

	def test_what_a_save_refuses_is_refused(self) -> None:
		self.change(self.lesson, is_published=0)
		self.change(self.lesson, stages=[stage("Broken", kind="Video")])
		self.change(self.lesson, stages=[stage("Fine")])
		self.change(self.lesson, is_published=1)
		with self.assertRaises(frappe.ValidationError):
			self.back(self.lesson, 2)
		self.assertIn("Learners could not use this", messages())
		self.assertEqual([title for title, _text in self.stages(self.lesson)], ["Fine"])

	def test_a_picture_that_is_gone_is_named(self) -> None:
		url = self.picture(b"x")
		self.change(self.lesson, image=url, stages=[stage("One", f'<p><img src="{url}"></p>')])
		self.change(self.lesson, image="", stages=[])
		entry = self.rows(self.lesson)[1]["state"]
		self.assertEqual(history.go_back(LESSON, self.lesson.name, entry)["ask"]["missing"], [])
		Path(frappe.get_site_path("public", url.strip("/"))).unlink()
		self.assertEqual(history.go_back(LESSON, self.lesson.name, entry)["ask"]["missing"], [url])

	def test_a_file_that_is_there_is_not_called_gone_however_its_name_is_written(self) -> None:
		url = self.picture(b"y")
		name = url.rpartition("/")[2]
		as_code = f"/files/%{ord(name[0]):x}{name[1:]}"
		texts = "".join(f'<img src="{each}">' for each in (as_code, f"{url}#x", f"{url}?v=1"))
		climbing = '<img src="/files/../nowhere.png"><img src="/files/%2e%2e/nowhere.png">'
		self.change(self.lesson, stages=[stage("One", f"<p>{texts}{climbing}</p>")])
		self.change(self.lesson, stages=[])
		entry = self.rows(self.lesson)[1]["state"]
		self.assertEqual(history.go_back(LESSON, self.lesson.name, entry)["ask"]["missing"], [])

	def test_a_field_that_rows_had_once_is_not_gone_back_to(self) -> None:
		self.change(self.lesson, title="Later")
		entry = self.rows(self.lesson)[1]["state"]
		then = entries.states(LESSON, self.lesson.name, [entry])[entry]
		packed = state.pack({**then, "stages": [{**row, "once": "x"} for row in then["stages"]]})
		frappe.db.sql(f"update `tab{entries.TABLE}` set state = %s where name = %s", (packed, entry))
		self.assertEqual(self.back(self.lesson, 1)["changes"], ["Title becomes “Light”"])
		answer = history.go_back(LESSON, self.lesson.name, entry)
		self.assertEqual(answer, {"done": True, "changed": 0})

	def test_to_what_it_is_already_nothing_is_saved(self) -> None:
		self.change(self.lesson, title="Later")
		self.change(self.lesson, title="Light")
		entry = self.rows(self.lesson)[-1]["state"]
		answer = history.go_back(LESSON, self.lesson.name, entry)
		self.assertEqual(answer, {"done": True, "changed": 0})

	def test_any_sequence_of_saves_deletions_and_goings_back_ends_in_what_a_learner_may_have(self) -> None:
		chance = random.Random(22)
		factories.make_plan([self.subject], is_published=1)
		for _step in range(30):
			self.lesson.reload()
			rows = self.rows(self.lesson)
			if rows and chance.random() < 0.4:
				entry = chance.choice(rows)["state"]
				if not entry:
					continue
				expected = entries.states(LESSON, self.lesson.name, [entry])[entry]
				ask = history.go_back(LESSON, self.lesson.name, entry).get("ask")
				if ask:
					history.go_back(LESSON, self.lesson.name, entry, ask["agreed"])
				self.lesson.reload()
				self.assertEqual(self.lesson.title, expected["title"])
				self.assertEqual(
					[(row.title, row.config) for row in self.lesson.stages],
					[(row["title"], row["config"]) for row in expected["stages"]],
				)
				continue
			kept = [
				{"name": row.name, **stage(row.title, str(chance.random()))} for row in self.lesson.stages
			]
			chance.shuffle(kept)
			new = [stage(f"S{chance.random()}")] if chance.random() < 0.5 else []
			self.change(self.lesson, title=f"T{chance.random()}", stages=[*kept[:3], *new])
		self.publish()
		self.check()
		for row in self.lesson.stages:
			exact_json.loads(row.config)


class TestWhoMay(GoingBackTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.mine, self.theirs = make_course(units=1, lessons=1), make_course(units=1, lessons=1)
		self.plan = factories.make_plan([self.mine["subject"], self.theirs["subject"]])
		for made in (self.mine, self.theirs):
			for doc in chain(made):
				self.change(doc, title=f"Later {doc.title}")
		self.change(self.plan, title="Later plan")
		frappe.db.commit()

	def entry(self, doc: Document) -> str:
		return entries.of_document(doc.doctype, doc.name)[0].name

	def calls(self, doc: Document) -> list[Any]:
		entry = self.entry(doc)
		return [
			lambda: history.entries(doc.doctype, doc.name),
			lambda: history.changes(doc.doctype, doc.name, entry),
			lambda: history.go_back(doc.doctype, doc.name, entry),
		]

	def test_only_who_may_read_a_document_sees_its_history_and_only_who_may_write_it_goes_back(self) -> None:
		permission = {"doctype": "User Permission", "user": USER, "allow": "Memora Subject"}
		frappe.get_doc({**permission, "for_value": self.mine["subject"].name}).insert(ignore_permissions=True)
		frappe.db.commit()
		theirs = [*chain(self.theirs), self.plan]
		for user, docs, allowed in (
			("Guest", [*chain(self.mine), *theirs], 0),
			(STRANGER, [*chain(self.mine), *theirs], 0),
			(USER, theirs, 0),
			(USER, chain(self.mine), 3),
			(ADMINS, [*chain(self.mine), *theirs], 2),
		):
			for doc in docs:
				calls = self.calls(doc)
				frappe.set_user(user)
				for number, call in enumerate(calls):
					with self.subTest(user=user, doctype=doc.doctype, call=number):
						if number < allowed:
							self.assertTrue(call())
						else:
							self.assertRaises((frappe.PermissionError, frappe.DoesNotExistError), call)
				frappe.set_user("Administrator")

	def test_an_entry_of_another_document_is_none_of_this_one(self) -> None:
		mine, theirs = self.mine["lessons"][0], self.theirs["lessons"][0]
		frappe.set_user(USER)
		for call in (
			lambda: history.changes(LESSON, mine.name, self.entry(theirs)),
			lambda: history.go_back(LESSON, mine.name, self.entry(theirs)),
			lambda: history.go_back(LESSON, mine.name, "' or 1=1 -- "),
			lambda: history.changes(LESSON, mine.name, ""),
			lambda: history.changes("User", "Administrator", self.entry(theirs)),
		):
			self.assertRaises((frappe.ValidationError, frappe.DoesNotExistError), call)

	def test_what_changes_something_is_post_only(self) -> None:
		allowed = frappe.allowed_http_methods_for_whitelisted_func
		self.assertEqual(allowed[history.go_back], ["POST"])
		self.assertEqual((allowed[history.entries], allowed[history.changes]), (["GET"], ["GET"]))
