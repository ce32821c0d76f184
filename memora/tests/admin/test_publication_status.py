"""What the Desk is told of a document: its publication status, why, and what the next run would change."""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest.mock import patch

import frappe
import orjson
import redis

from memora.api import cdn_admin, publishing
from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.admin import dead_letters, preview, status_words
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import redis_mirror
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.helpers import factories
from memora.tests.helpers.many_rows import copy_row
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course
from memora.tests.helpers.statements import rows_read


class StandingTestCase(PublishingTestCase):
	def state(self, doc: Any) -> dict[str, Any]:
		frappe.db.commit()
		return publishing.document_status(doc.doctype, doc.name)

	def assertState(self, doc: Any, state: str, *words: str) -> dict[str, Any]:
		status = self.state(doc)
		self.assertEqual(status["state"], state, status)
		for word in words:
			self.assertIn(word, status["text"])
		listed = publishing.list_states(doc.doctype, frappe.as_json([doc.name]))
		self.assertEqual(listed[doc.name]["state"], state)
		return status

	def edit(self, doc: Any, **fields: Any) -> None:
		frappe.get_doc(doc.doctype, doc.name).update(fields).save()
		frappe.db.commit()

	def published(self, **options: Any) -> tuple[dict[str, Any], Any]:
		course = make_course(**options)
		plan = factories.make_plan([course["subject"]], is_published=1, title="Grade 7")
		self.publish()
		return course, plan


class TestStanding(StandingTestCase):
	def test_what_is_published_is_live_since_then_at_an_address(self) -> None:
		course, plan = self.published()
		for doc in (*chain(course), plan):
			status = self.assertState(doc, "live")
			self.assertEqual([found["title"] for found in status["plans"]], ["Grade 7"])
			self.assertTrue(status["since"], doc.doctype)

	def test_what_is_live_is_linked_on_the_cdn_and_in_the_reader(self) -> None:
		self.configure(cdn_base_url="https://cdn.example.com")
		course, plan = self.published(required_item="PHYSICS LAB")
		reader = (
			"/assets/memora/reader/index.html"
			"?base=https%3A%2F%2Fcdn.example.com%2F&as=owner&items=PHYSICS+LAB#/"
		)
		names = {"plan": plan.name, **{key: course[key].name for key in ("subject", "track")}}
		unit, topic, lesson = (course[key][0] for key in ("units", "topics", "lessons"))
		for doc, file, place in (
			(course["subject"], f"plans/{plan.name}/subjects/{names['subject']}.json", ()),
			(course["track"], f"plans/{plan.name}/subjects/{names['subject']}.json", ()),
			(unit, f"units/{unit.name}.json", (unit.name,)),
			(topic, f"units/{unit.name}.json", (unit.name,)),
			(lesson, f"lessons/{lesson.name}.json", (unit.name, lesson.name)),
		):
			found = self.state(doc)["plans"][0]
			self.assertEqual(found["url"], f"https://cdn.example.com/{file}")
			self.assertEqual(found["reader"], reader + "/".join((plan.name, names["subject"], *place)))
		self.assertTrue(self.state(plan)["plans"][0]["reader"].endswith(f"&as=owner#/{plan.name}"))
		self.edit(plan, is_published=0)
		self.publish()
		found = self.state(lesson)["plans"][0]
		self.assertEqual((found["url"], found["reader"]), ("", ""))

	def test_behind_a_gate_the_reader_reads_through_it(self) -> None:
		self.configure(cdn_base_url="https://cdn.example.com", gate_url="https://gate.example.com")
		course, _plan = self.published(required_item="PHYSICS LAB")
		past, through = "base=https%3A%2F%2Fcdn.example.com%2F&", "base=https%3A%2F%2Fgate.example.com%2F&"
		self.assertIn(past, self.state(course["lessons"][0])["plans"][0]["reader"])
		self.configure(gate_enabled=1)
		self.assertIn(through, self.state(course["lessons"][0])["plans"][0]["reader"])

	def test_a_change_waits_for_the_next_run_before_and_after_the_fold(self) -> None:
		course, plan = self.published()
		lesson = course["lessons"][0]
		with patch("memora.services.cdn_export.admin.schedule._is_off", return_value=False):
			self.edit(lesson, title="Newer")
			status = self.assertState(lesson, "waiting", "next run")
			self.assertTrue(status["next_run"])
			self.assertState(plan, "waiting")
			relay.run()
			self.assertState(lesson, "waiting")
			self.assertState(plan, "waiting")
		self.publish()
		self.assertState(lesson, "live")

	def test_what_was_never_live_says_so(self) -> None:
		course = make_course()
		plan = factories.make_plan([course["subject"]], is_published=1)
		self.assertState(course["lessons"][0], "waiting", "Not live yet")
		self.assertState(plan, "waiting", "Not live yet")

	def test_while_export_or_the_scheduler_is_off_it_says_so(self) -> None:
		course, _ = self.published()
		self.edit(course["lessons"][0], title="Newer")
		with patch("memora.services.cdn_export.admin.schedule._is_off", return_value=True):
			self.assertIn("scheduler is off", self.state(course["lessons"][0])["obstacle"])
		self.configure(enabled=0)
		status = self.state(course["lessons"][0])
		self.assertIn("switched off", status["obstacle"])
		self.assertIsNone(status["next_run"])

	def test_a_draft_and_what_hangs_below_it_say_why(self) -> None:
		course, _ = self.published()
		self.edit(course["units"][0], is_published=0)
		self.assertState(course["units"][0], "leaving", "it is a draft", "Still on the CDN")
		self.assertState(course["lessons"][0], "leaving", "its Unit", course["units"][0].title)
		self.publish()
		self.assertState(course["units"][0], "draft", "it is a draft")
		status = self.assertState(course["lessons"][0], "above", course["units"][0].title)
		unit = course["units"][0]
		self.assertEqual(
			status["draft_above"], {"doctype": unit.doctype, "name": unit.name, "title": unit.title}
		)
		self.assertState(course["lessons"][3], "live")

	def test_a_track_or_topic_that_was_never_live_is_no_more_than_a_draft(self) -> None:
		course, _ = self.published()
		topic = factories.make_topic(parent_unit=course["units"][0].name)
		track = factories.make_track(parent_subject=course["subject"].name)
		for doc in (topic, track):
			self.edit(doc, is_published=0, title="Later")
			self.assertState(doc, "draft", "it is a draft")
		for doc in (course["topics"][0], course["track"]):
			self.edit(doc, is_published=0)
			self.assertState(doc, "leaving", "it is a draft", "Still on the CDN")

	def test_a_topic_that_a_plan_hides_stays_hidden_while_the_plan_changes(self) -> None:
		course, plan = self.published()
		topic = course["topics"][0]
		self.change(plan, overrides=[factories.override(topic, "Hide")])
		self.assertState(topic, "leaving", "Still on the CDN")
		self.publish()
		self.assertState(topic, "hidden")
		self.edit(plan, title="Newer")
		self.assertState(topic, "hidden")

	def test_what_no_plan_lists_says_so(self) -> None:
		course = make_course()
		self.assertState(course["lessons"][0], "no_plan", "In no plan")

	def test_an_orphan_says_so(self) -> None:
		course, _ = self.published()
		frappe.db.set_value("Memora Unit", course["units"][0].name, "parent_track", "nowhere")
		self.assertState(course["lessons"][0], "no_plan", "belongs to no subject")

	def test_a_draft_plan_is_named(self) -> None:
		course = make_course()
		plan = factories.make_plan([course["subject"]], title="Next Year")
		self.assertState(course["lessons"][0], "draft", "Next Year")
		self.assertState(plan, "draft")

	def test_a_plan_that_only_its_season_keeps_back_says_so(self) -> None:
		course, plan = self.published()
		frappe.db.set_value("Memora Season", plan.season, "is_published", 0)
		self.assertState(plan, "leaving", "next run")
		relay.touch([plan.name])
		self.publish()
		self.assertState(plan, "draft", "its season is not published")
		self.assertState(course["lessons"][0], "draft", "season of the plan “Grade 7”")

	def test_a_hiding_plan_is_named_beside_one_that_shows_it(self) -> None:
		course, _ = self.published()
		hiding = factories.make_plan(
			[course["subject"]],
			is_published=1,
			title="Short Course",
			overrides=[factories.override(course["units"][0], "Hide")],
		)
		self.publish()
		status = self.assertState(course["lessons"][0], "live")
		self.assertEqual(
			{found["title"]: found["state"] for found in status["plans"]},
			{"Grade 7": "live", "Short Course": "hidden"},
		)
		self.assertIn("hides its Unit", status["plans"][1]["text"])
		own = self.state(course["lessons"][3])["plans"][1]
		self.assertEqual(own["state"], "live")
		self.edit(hiding, is_published=0)
		self.assertState(hiding, "leaving")
		self.publish()
		self.assertState(hiding, "draft")

	def test_what_has_the_name_of_something_else_is_not_taken_for_it(self) -> None:
		course = make_course()
		for doctype, name in (
			("Memora Subject", course["subject"].name),
			("Memora Topic", course["topics"][0].name),
			("Memora Lesson", course["lessons"][3].name),
		):
			frappe.rename_doc(doctype, name, "Algebra", force=True)
		subject, topic, lesson = (
			frappe.get_doc(doctype, "Algebra")
			for doctype in ("Memora Subject", "Memora Topic", "Memora Lesson")
		)
		factories.make_plan([subject], is_published=1, overrides=[factories.override(topic, "Hide")])
		self.publish()
		self.assertState(topic, "hidden")
		self.assertState(course["lessons"][0], "hidden", "hides its Topic")
		self.assertState(subject, "live")
		self.assertState(lesson, "live")
		self.edit(lesson, description="Newer")
		self.assertState(lesson, "waiting")
		self.assertState(subject, "live")

	def test_a_failure_is_told_in_plain_words_and_at_last_for_good(self) -> None:
		course, _ = self.published()
		self.edit(course["lessons"][0], title="Newer")
		with patch.object(LocalStorage, "put", side_effect=StorageUnavailableError("The disk is full")):
			self.publish()
			self.assertState(course["lessons"][0], "failed", "The disk is full.")
			self.assertTrue(self.state(course["lessons"][0])["next_try"])
			for _ in range(3):
				self.minutes_pass(10)
				self.publish()
		self.assertState(course["lessons"][0], "dead", "permanently", "The disk is full.")

	def test_publish_now_does_not_wait_for_the_next_try_but_leaves_dead_letters_to_admins(self) -> None:
		course, _plan = self.published()
		lesson, subject = course["lessons"][0], f"subject:{course['subject'].name}"
		self.edit(lesson, title="Newer")
		with patch.object(LocalStorage, "put", side_effect=StorageUnavailableError("The disk is full")):
			self.publish()
			publishing.publish_now("Memora Lesson", lesson.name)
			self.publish()
			state = frappe.db.get_value("CDN Publish State", subject, ["retry_count", "dead_since"])
			self.assertEqual(state, (2, None))
		publishing.publish_now("Memora Lesson", lesson.name)
		self.publish()
		self.assertState(lesson, "live")
		frappe.db.set_value("CDN Publish State", subject, "dead_since", frappe.utils.now_datetime())
		publishing.publish_now("Memora Lesson", lesson.name)
		self.assertTrue(frappe.db.get_value("CDN Publish State", subject, "dead_since"))

	def test_publish_now_says_what_really_keeps_it_waiting(self) -> None:
		course, _plan = self.published()
		lesson = course["lessons"][0].name

		def said() -> str:
			return publishing.publish_now("Memora Lesson", lesson)["message"]

		with patch("memora.services.cdn_export.admin.schedule.count_workers", return_value=0):
			self.assertIn("no worker listens", said())
			self.configure(enabled=0)
			self.assertIn("Export is disabled", said())
		self.configure()
		redis_mirror.release("batch")  # the one that waits for a worker
		with (
			patch("memora.services.cdn_export.admin.schedule.count_workers", return_value=None),
			patch("frappe.enqueue", side_effect=redis.ConnectionError),
		):
			self.assertIn("job queue takes no job", said())

	def test_admins_hear_of_a_dead_letter_by_its_title_in_their_language(self) -> None:
		_course, plan = self.published()
		self.addCleanup(self.speak, frappe.db.get_value("User", "Administrator", "language"))
		self.speak("ar")
		frappe.db.delete("Notification Log")
		self.edit(plan, title="Grade <7>")
		with patch.object(LocalStorage, "put", side_effect=StorageUnavailableError("The disk is full")):
			for _ in range(4):
				self.publish()
				self.minutes_pass(10)
		told = frappe.get_last_doc("Notification Log", {"for_user": "Administrator"})
		self.assertEqual(told.subject, "فشل نشر Grade ﹤7﹥ نهائيًا")
		self.assertEqual(told.email_content, "The disk is full")
		self.assertEqual(frappe.db.count("Notification Log", {"for_user": "Administrator"}), 1)

	def speak(self, language: str | None) -> None:
		frappe.db.set_value("User", "Administrator", "language", language)
		frappe.db.commit()

	def test_what_is_held_says_for_what(self) -> None:
		self.configure(hold_large_changes=1)
		course, _ = self.published(required_item="PHYSICS")
		self.edit(course["lessons"][0], is_free_preview=1)
		self.publish()
		status = self.assertState(course["lessons"][0], "live")
		self.assertIn("stay paid until approved", status["plans"][0]["held"])

	def test_a_long_list_costs_as_much_as_a_short_one(self) -> None:
		course, _ = self.published(units=3, lessons=5)
		names = [lesson.name for lesson in course["lessons"]]
		publishing.list_states("Memora Lesson", names[:1])
		with self.assertQueryCount(15):
			found = publishing.list_states("Memora Lesson", names)
		self.assertEqual(len(found), 15)

	def test_the_more_plans_the_fewer_rows_one_answer_tells_of(self) -> None:
		course, _plan = self.published(units=1, lessons=5)
		for _ in range(3):
			factories.make_plan([course["subject"]])
		names = [lesson.name for lesson in course["lessons"]]
		with patch.object(publishing, "_MOST_PAIRS", 8):
			told = publishing.list_states("Memora Lesson", names)
			self.assertEqual(told.keys(), {*names[:2]})
			rest = [name for name in names if name not in told]
			self.assertEqual(publishing.list_states("Memora Lesson", rest).keys(), {*names[2:4]})

	def test_a_list_of_plans_reads_no_row_more_for_plans_with_many_files(self) -> None:
		_course, plan = self.published()
		ask = partial(publishing.list_states, plan.doctype, frappe.as_json([plan.name]))
		ask()
		read = []
		for shards in (0, 500):
			copy_row("CDN File", {"kind": "manifest"}, shards, "path")
			with rows_read() as found:
				self.assertEqual(ask()[plan.name]["state"], "live")
			read.append(found.rows)
		self.assertLessEqual(read[1], read[0] + 10)


class TestViews(StandingTestCase):
	def test_nothing_changed_is_the_same_bytes_twice(self) -> None:
		course, plan = self.published()
		before = self.contents()
		for doc in (*chain(course), plan):
			view = publishing.view_json(doc.doctype, doc.name, plan.name)
			self.assertEqual(view["live"], view["planned"])
			self.assertEqual({row["kind"] for row in view["rows"]}, {"same"})
			self.assertEqual(view["live"].encode(), self.read_bytes(view["path"]))
		self.assertEqual(self.contents(), before)

	def test_a_change_stands_beside_what_is_live(self) -> None:
		course, plan = self.published()
		lesson = course["lessons"][0]
		self.edit(lesson, title="Newer")
		view = publishing.view_json("Memora Lesson", lesson.name, plan.name)
		self.assertEqual(orjson.loads(view["live"])["title"], lesson.title)
		self.assertEqual(orjson.loads(view["planned"])["title"], "Newer")
		changed = [row for row in view["rows"] if row["kind"] == "changed"]
		self.assertTrue(any("Newer" in row["planned"] for row in changed))

	def test_what_was_seen_is_what_is_written(self) -> None:
		course, plan = self.published()
		self.edit(course["lessons"][0], title="Newer")
		seen = {
			doc.name: publishing.view_json(doc.doctype, doc.name, plan.name) for doc in (*chain(course), plan)
		}
		self.publish()
		for view in seen.values():
			planned, live = orjson.loads(view["planned"]), self.read(view["path"])
			self.assertEqual(_unstamped(planned), _unstamped(live))

	def test_a_plans_own_rendition_and_an_unpublished_node(self) -> None:
		course, plan = self.published()
		self.edit(plan, overrides=[factories.override(course["units"][0], "Hide")])
		view = publishing.view_json("Memora Lesson", course["lessons"][3].name, plan.name)
		self.assertEqual(view["live_path"], paths.lesson(course["lessons"][3].name))
		self.assertEqual(view["path"], paths.lesson(course["lessons"][3].name, plan.name))
		hidden = publishing.view_json("Memora Lesson", course["lessons"][0].name, plan.name)
		self.assertIsNone(hidden["planned"])
		self.assertIsNotNone(hidden["live"])

	def test_what_would_fail_is_said(self) -> None:
		course, plan = self.published()
		frappe.db.set_value("Memora Track", course["track"].name, "is_sold_separately", 1)
		with self.assertRaisesRegex(frappe.ValidationError, "names an"):
			publishing.view_json("Memora Lesson", course["lessons"][0].name, plan.name)


class TestPreview(StandingTestCase):
	def test_a_quiet_plan_changes_nothing(self) -> None:
		_, plan = self.published()
		found = publishing.preview_changes(plan.name)
		self.assertEqual(
			[found[key] for key in ("added", "changed", "removed", "widened", "narrowed")], [[]] * 5
		)
		self.assertFalse(found["is_large"])

	def test_the_preview_is_what_the_run_does(self) -> None:
		course, plan = self.published()
		other = make_course(units=1)
		self.edit(course["lessons"][0], title="Newer")
		self.edit(course["lessons"][3], is_published=0)
		self.edit(plan, subjects=[{"subject": course["subject"].name}, {"subject": other["subject"].name}])
		before = self.contents()
		found = publishing.preview_changes(plan.name)
		self.assertEqual(self.contents(), before)
		self.publish()
		after = self.contents()
		self.assertEqual(set(found["added"]), after.keys() - before.keys())
		self.assertEqual(set(found["removed"]), before.keys() - after.keys())
		self.assertEqual(
			set(found["changed"]),
			{path for path in before.keys() & after.keys() if before[path] != after[path]},
		)

	def test_files_are_named_by_the_titles_in_them(self) -> None:
		course, plan = self.published()
		changed, hidden = course["lessons"][0], course["lessons"][3]
		self.edit(changed, title="Newer")
		self.edit(hidden, is_published=0)
		titles = publishing.preview_changes(plan.name)["titles"]
		self.assertEqual(titles[f"lessons/{changed.name}.json"], "Newer")
		self.assertEqual(titles[f"lessons/{hidden.name}.json"], hidden.title)
		self.assertNotIn(f"plans/{plan.name}/search_index.json", titles)

	def test_access_comes_first(self) -> None:
		course, plan = self.published(required_item="PHYSICS")
		self.edit(course["lessons"][0], is_free_preview=1)
		found = publishing.preview_changes(plan.name)
		self.assertEqual(
			[(row["title"], row["before"], row["after"]) for row in found["widened"]],
			[(course["lessons"][0].title, "paid", "free_preview")],
		)
		self.assertEqual((found["is_large"], found["guard_is_on"]), (True, False))
		self.publish()
		self.edit(course["lessons"][0], is_free_preview=0)
		self.assertEqual(len(publishing.preview_changes(plan.name)["narrowed"]), 1)

	def test_of_a_large_run_the_first_of_each_are_named_and_all_are_counted(self) -> None:
		course, plan = self.published(required_item="PHYSICS")
		lessons = factories.make_many(
			"Memora Lesson", course["topics"][0], [f"Lesson {n}" for n in range(300)]
		)
		found = publishing.preview_changes(plan.name)
		self.assertEqual((len(found["added"]), found["counts"]["added"]), (preview.MOST_NAMED, len(lessons)))
		relay.touch(subjects=[course["subject"].name])
		self.publish()
		self.configure(
			cdn="Cloudflare",
			cdn_base_url="https://cdn.example.com",
			cloudflare_zone_id="zone",
			cloudflare_api_token="token",
		)
		for level in ("widened", "lost"):
			if level == "widened":
				self.edit(course["subject"], is_free_preview=1)
			else:
				self.edit(course["track"], is_published=0)
			found, whole = publishing.preview_changes(plan.name), preview.of_plan(plan.name)
			self.assertGreaterEqual(found["counts"][level], len(lessons))
			for name, count in found["counts"].items():
				self.assertEqual(count, len(getattr(whole, name)), name)
				self.assertEqual(len(found[name]), min(count, preview.MOST_NAMED), name)
			self.assertLessEqual(len(found["titles"]), 4 * preview.MOST_NAMED)
			self.assertLess(len(frappe.as_json(found)), 500_000)

	def test_unpublishing_a_plan_removes_its_folder(self) -> None:
		_, plan = self.published()
		self.edit(plan, is_published=0)
		before = self.contents()
		found = publishing.preview_changes(plan.name)
		self.publish()
		self.assertEqual(set(found["removed"]), before.keys() - self.contents().keys())

	def test_purges_are_counted_where_there_is_a_cache(self) -> None:
		self.configure(
			cdn="Cloudflare",
			cdn_base_url="https://cdn.example.com",
			cloudflare_zone_id="zone",
			cloudflare_api_token="token",
		)
		course = make_course()
		plan = factories.make_plan([course["subject"]], is_published=1)
		found = publishing.preview_changes(plan.name)
		self.assertTrue(found["purges"])
		self.assertEqual(found["purge_urls"], [])

	def lost(self, plan: Any) -> list[tuple[str, str]]:
		found = publishing.preview_changes(plan.name)
		self.assertEqual(found["counts"]["lost"], len(found["lost"]))
		return [(row["title"], row["cause"]) for row in found["lost"]]

	def test_what_learners_lose_is_named_with_why(self) -> None:
		course, plan = self.published()
		lessons, units = course["lessons"], course["units"]
		self.assertEqual(self.lost(plan), [])
		self.edit(plan, overrides=[factories.override(lessons[0], "Hide")])
		self.assertEqual(self.lost(plan), [(lessons[0].title, "hidden")])
		self.edit(plan, overrides=[factories.override(units[0], "Hide")])
		self.assertCountEqual(self.lost(plan), [(each.title, "hidden") for each in lessons[:2]])
		self.edit(plan, overrides=[])
		self.edit(units[0], is_published=0)
		self.assertCountEqual(self.lost(plan), [(each.title, "unpublished") for each in lessons[:2]])
		self.edit(units[0], is_published=1)
		frappe.delete_doc("Memora Lesson", lessons[3].name)
		frappe.db.commit()
		self.assertEqual(self.lost(plan), [(lessons[3].title, "deleted")])
		elsewhere = make_course(units=1)
		self.edit(lessons[2], parent_topic=elsewhere["topics"][0].name)
		self.assertCountEqual(self.lost(plan), [(lessons[2].title, "moved"), (lessons[3].title, "deleted")])
		self.edit(plan, is_published=0)
		self.assertEqual({cause for _, cause in self.lost(plan)}, {"unpublished"})

	def test_files_of_the_same_documents_elsewhere_are_moves(self) -> None:
		"""An override lets the plan read files of its own: every unit and lesson has another address."""
		course, plan = self.published()
		hidden = course["lessons"][0]
		self.edit(plan, overrides=[factories.override(hidden, "Hide")])
		for is_read_by_others in (False, True):
			before = self.contents()
			found = publishing.preview_changes(plan.name)
			own = {
				paths.lesson(each.name): paths.lesson(each.name, plan.name) for each in course["lessons"][1:]
			}
			own |= {paths.unit(each.name): paths.unit(each.name, plan.name) for each in course["units"]}
			self.assertEqual(dict(found["moved"]), own)
			self.assertEqual(found["added"], [])
			self.assertEqual(found["removed"], [] if is_read_by_others else [paths.lesson(hidden.name)])
			if not is_read_by_others:
				factories.make_plan([course["subject"]], is_published=1)
				self.edit(plan, overrides=[])
				self.publish()
				self.edit(plan, overrides=[factories.override(hidden, "Hide")])
		self.publish()
		self.assertTrue(set(own.values()) <= self.contents().keys() - before.keys())
		self.edit(plan, overrides=[])
		found = publishing.preview_changes(plan.name)
		self.assertEqual(dict(found["moved"]), {new: old for old, new in own.items()})
		self.assertEqual((found["added"], found["removed"], found["lost"]), ([], [], []))

	def test_a_lesson_that_moves_to_another_subject_is_one_change(self) -> None:
		course, plan = self.published()
		other = make_course(units=1)
		self.edit(plan, subjects=[{"subject": course["subject"].name}, {"subject": other["subject"].name}])
		self.publish()
		lesson = course["lessons"][0]
		self.edit(lesson, parent_topic=other["topics"][0].name)
		found = publishing.preview_changes(plan.name)
		self.assertEqual((found["added"], found["removed"], found["moved"], found["lost"]), ([], [], [], []))
		self.assertEqual(found["changed"].count(paths.lesson(lesson.name)), 1)


class TestDashboard(StandingTestCase):
	def rows(self) -> dict[str, dict[str, Any]]:
		return {row["title"]: row for row in cdn_admin.get_dashboard()["rows"]}

	def test_a_new_site_has_nothing_to_show(self) -> None:
		found = cdn_admin.get_dashboard()
		self.assertEqual((found["rows"], found["runs"], found["oldest_waiting_since"]), ([], [], None))
		self.assertEqual(len(found["days"]), 14)

	def test_the_worst_comes_first_with_its_reason(self) -> None:
		_course, plan = self.published()
		other = make_course(units=1)
		factories.make_plan([other["subject"]], is_published=1, title="Grade 8")
		self.publish()
		self.assertEqual({row["state"] for row in self.rows().values()}, {"live"})
		self.edit(plan, title="Grade 7 A")
		with patch.object(LocalStorage, "put", side_effect=StorageUnavailableError("The disk is full")):
			self.publish()
		found = cdn_admin.get_dashboard()
		self.assertEqual(found["rows"][0]["title"], "Grade 7 A")
		self.assertEqual(found["rows"][0]["reason"], "The disk is full")
		self.assertTrue(found["rows"][0]["next_try"])
		self.assertEqual((found["counts"]["failed"], found["counts"]["live"]), (1, 1))
		today = found["days"][-1]
		self.assertEqual((today["succeeded"], today["failed"]), (2, 1))
		self.assertGreater(today["uploaded"], 0)

	def test_what_was_approved_waits_and_is_held_no_more(self) -> None:
		self.configure(hold_large_changes=1)
		course, plan = self.published(required_item="PHYSICS")
		self.edit(course["subject"], required_item="")
		self.publish()
		self.assertEqual(self.rows()[course["subject"].title]["state"], "held")
		cdn_admin.approve_held(plan.name)
		self.assertEqual(self.rows()[course["subject"].title]["state"], "waiting")
		self.publish()
		self.assertNotIn(course["subject"].title, self.rows())

	def die(self, scope: Any, cause: str) -> None:
		frappe.db.sql(
			"""update `tabCDN Publish State` set dead_since = now(6), retry_count = 3, last_error = %s,
				generation = generation + 1, failed_generation = generation where name = %s""",
			(cause, scope.id),
		)
		frappe.db.commit()

	def test_a_subject_and_the_list_of_plans_that_wait_are_shown_and_counted(self) -> None:
		course, _plan = self.published()
		for scope, title in (
			(scopes.subject(course["subject"].name), course["subject"].title),
			(scopes.INDEX, "The list of plans"),
		):
			self.die(scope, "odd")
			self.assertEqual(self.rows()[title]["state"], "dead")
			dead_letters.retry(scope.label)
			frappe.db.commit()
			self.assertEqual(self.rows()[title]["state"], "waiting")
			self.assertEqual(cdn_admin.get_dashboard()["counts"]["waiting"], 1)
			self.publish()
			self.assertNotIn(title, self.rows())

	def test_a_subject_that_no_plan_reads_does_not_wait(self) -> None:
		make_course()
		self.publish()
		self.assertEqual(cdn_admin.get_dashboard()["counts"]["waiting"], 0)

	def make_plans(self, count: int) -> list[Any]:
		course = make_course(units=1, lessons=1)
		titles = [f"Plan {number:03}" for number in range(count)]
		plans = [factories.make_plan([course["subject"]], is_published=1, title=title) for title in titles]
		self.publish()
		return plans

	def test_many_rows_are_counted_searched_filtered_and_paged(self) -> None:
		plans = self.make_plans(60)
		for plan in plans[:13]:
			self.die(scopes.plan(plan.name), f"plans/{plan.name}/manifest.json: no such bucket")
		self.die(scopes.plan(plans[13].name), "another cause")
		with patch.object(status_words, "short", wraps=status_words.short) as said:
			found = cdn_admin.get_dashboard()
		self.assertEqual((len(found["rows"]), found["found"], found["total"]), (50, 60, 60))
		self.assertEqual(
			said.call_count, 50
		)  # Frappe asks Redis for each text: only what the page shows is said
		self.assertEqual(
			{(row["state"], row["state_label"], row["color"]) for row in found["rows"]},
			{("dead", "Failed Permanently", "red"), ("live", "Live", "green")},
		)
		self.assertTrue(all(row["live_since"] for row in found["rows"]))
		self.assertEqual((found["counts"]["dead"], found["counts"]["live"]), (14, 46))
		self.assertEqual(found["causes"], [{"cause": "… no such bucket", "count": 13}])
		second = cdn_admin.get_dashboard(start=50)["rows"]
		self.assertEqual(len({row["name"] for row in (*found["rows"], *second)}), 60)
		self.assertEqual(cdn_admin.get_dashboard(state="dead")["found"], 14)
		self.assertEqual(
			[row["title"] for row in cdn_admin.get_dashboard(text="plan 041")["rows"]], ["Plan 041"]
		)
		self.assertEqual(cdn_admin.get_dashboard(text="NO SUCH", state="dead")["found"], 13)
		self.assertEqual(cdn_admin.get_dashboard(text="no such thing")["rows"], [])

		cdn_admin.retry_all()
		frappe.db.commit()
		self.assertEqual(cdn_admin.get_dashboard()["counts"]["dead"], 0)

	def test_a_form_is_told_of_a_few_of_many_plans(self) -> None:
		self.configure(cdn_base_url="https://cdn.example.com")
		plans = self.make_plans(30)
		self.die(scopes.plan(plans[29].name), "odd")
		self.edit(plans[29], title="Plan Z")
		lesson = frappe.get_last_doc("Memora Lesson")
		status = self.state(lesson)
		self.assertEqual((status["plan_count"], len(status["plans"])), (30, 8))
		self.assertTrue(any(plan["url"] for plan in status["plans"]))
		self.assertLess(len(frappe.as_json(status)), 8_000)
		found = publishing.search_plans(
			"Memora Academic Plan", "012", "name", 0, 10, {"doctype": lesson.doctype, "name": lesson.name}
		)
		self.assertEqual(found, [(plans[12].name, "Plan 012")])
		found = publishing.search_plans(
			"Memora Academic Plan",
			plans[12].name,
			"name",
			0,
			10,
			{"doctype": lesson.doctype, "name": lesson.name},
		)
		self.assertEqual(
			found, [(plans[12].name, "Plan 012")]
		)  # later versions of Frappe ask so whether it is there
		self.edit(plans[12], title="100% of_a\\b <c>")
		for text, titles in {"100% o": 1, "of_a\\b": 1, "b <C>": 1, "lan%1": 0, "Plan_0": 0}.items():
			asked = {"doctype": lesson.doctype, "name": lesson.name}
			found = publishing.search_plans("Memora Academic Plan", text, "name", 0, 10, asked)
			self.assertEqual([row[0] for row in found], [plans[12].name] * titles, text)
		other = factories.make_plan(title="Plan 012 of another subject")
		self.assertNotIn(
			other.name,
			[
				row[0]
				for row in publishing.search_plans(
					"Memora Academic Plan",
					"",
					"name",
					0,
					50,
					{"doctype": lesson.doctype, "name": lesson.name},
				)
			],
		)

	def test_what_keeps_batches_from_running_is_said(self) -> None:
		with patch("memora.services.cdn_export.admin.schedule._is_off", return_value=True):
			texts = " ".join(warning["message"] for warning in cdn_admin.get_health()["warnings"])
		self.assertIn("The scheduler is off.", texts)
		self.assertIn("No worker listens.", texts)
		with patch("memora.services.cdn_export.admin.schedule.count_workers", return_value=None):
			texts = " ".join(warning["message"] for warning in cdn_admin.get_health()["warnings"])
		self.assertIn("does not answer", texts)

	def test_the_connection_is_tested_with_a_paid_lesson_that_is_live(self) -> None:
		self.published(required_item="PHYSICS")
		found = cdn_admin.test_connection()["findings"]
		self.assertIn("write", {finding["check"] for finding in found})
		self.assertEqual(self.paths() & {"connection-test"}, set())


def _unstamped(value: Any) -> Any:
	"""A document without what depends on the second it is written in."""
	if isinstance(value, dict):
		return {
			key: _unstamped(item) for key, item in value.items() if key not in ("version", "generated_at")
		}
	if isinstance(value, list):
		return [_unstamped(item) for item in value]
	return value.partition("?v=")[0] if isinstance(value, str) else value
