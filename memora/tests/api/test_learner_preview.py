"""*Preview as Learner*: what the reader is answered is, byte for byte, what is published then; nothing is written; for whom."""

from __future__ import annotations

import re
from typing import Any

import frappe
import orjson

from memora.api import learner_preview
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules.drafted_file import NO_PLAN
from memora.tests.helpers import factories
from memora.tests.helpers.files import PNG
from memora.tests.helpers.previews import BUCKET, FILM, WebTestCase, permit
from memora.tests.helpers.publishing import make_course
from memora.tests.helpers.statements import checksums, statements

Answers = dict[str, dict[str, Any]]


class PreviewTestCase(WebTestCase):
	def drafted(
		self, path: str, doc: Any, plan: str = "", subject: str = "", *, drafts: int = 1
	) -> dict[str, Any]:
		"""What the reader is answered when it asks for a file in the preview of a document."""
		answer = learner_preview.file(path, doc.doctype, doc.name, plan, subject, drafts)
		self.assertEqual(answer.headers["Cache-Control"], "no-store")
		return orjson.loads(answer.get_data())

	def reading(self, doc: Any, plan: str, *, drafts: int = 1) -> Answers:
		"""Every file that the reader can reach in a plan of the preview, by path."""
		found = {paths.PLAN_INDEX: self.drafted(paths.PLAN_INDEX, doc, drafts=drafts)}
		manifest = found[paths.manifest(plan)] = self.drafted(paths.manifest(plan), doc, plan, drafts=drafts)

		def follow(url: str, subject: str) -> dict[str, Any]:
			path = url.partition("?")[0]
			answer = found[path] = self.drafted(path, doc, plan, subject, drafts=drafts)
			return answer["document"]

		for entry in manifest["document"]["subjects"]:
			for track in follow(entry["url"], entry["id"])["tracks"]:
				for unit in track["units"]:
					for topic in follow(unit["url"], entry["id"])["topics"]:
						for lesson in topic["lessons"]:
							follow(lesson["url"], entry["id"])
		return found

	def place(self, doc: Any, plan: str = "") -> dict[str, Any]:
		return orjson.loads(learner_preview.place(doc.doctype, doc.name, plan).get_data())

	def school(self) -> dict[str, Any]:
		"""A subject that its plan alters, one with drafts that it reads as it is, pictures and files, drafts at each level."""
		sold, shared = make_course(required_item="PHYSICS"), make_course()
		other = factories.make_track(parent_subject=shared["subject"].name)
		unit = factories.make_unit(parent_track=other.name, is_published=1)
		draft = factories.make_lesson(
			parent_topic=shared["topics"][0].name,
			stages=[
				{
					"title": "Read",
					"type": "Text",
					"config": '{"text": "<b>&</b>", "sheet": "/files/sheet.png#page=2", "html": "<img src=\\"/files/sheet.png\\">"}',
				}
			],
		)
		for name, body in (("sheet.png", PNG), ("cover.png", PNG + b"cover")):
			self.file(name, body)
		self.file("secret.png", PNG + b"secret", is_private=1)
		self.change(shared["units"][0], image="/files/cover.png", badge_image="/files/none.png")
		self.change(shared["subject"], description="A <b> & “b”", image="/private/files/secret.png")
		self.change(shared["lessons"][1], is_published=0)
		plan = factories.make_plan(
			[sold["subject"], shared["subject"]],
			is_published=1,
			overrides=[
				factories.override(sold["units"][0], "Hide"),
				factories.override(sold["units"][1], "Rename", "Named <otherwise>"),
				factories.override(sold["lessons"][2], "Set Free"),
				factories.override(sold["lessons"][3], "Set Sold Separately", "LAB"),
			],
		)
		return {
			"sold": sold,
			"shared": shared,
			"draft": draft,
			"drafts": [draft, other, shared["lessons"][1]],
			"unit": unit,
			"plan": plan,
		}

	def file(self, name: str, content: bytes, **fields: Any) -> None:
		doc = frappe.get_doc({"doctype": "File", "file_name": name, "content": content, **fields}).insert()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "File", doc.name, force=True)


class TestDrafts(PreviewTestCase):
	def assertPublishedAs(self, answers: Answers) -> None:
		"""That each document is published in these bytes, but for its stamp, versions in URLs and the names of pictures."""
		for path, answer in answers.items():
			with self.subTest(path):
				self.assertEqual(plain(answer["document"]), plain(self.read(path)))

	def test_without_drafts_it_is_what_the_next_run_publishes(self) -> None:
		school = self.school()
		answers = self.reading(school["draft"], school["plan"].name, drafts=0)
		self.publish()
		self.assertPublishedAs(answers)
		self.assertEqual({answer["live"] for answer in answers.values()}, {"new"})
		unread = {path for path in self.paths() if path.endswith(".json")} - answers.keys()
		self.assertEqual(unread, {paths.search_index(school["plan"].name)})

	def test_with_drafts_it_is_what_is_published_once_nothing_is_a_draft_or_hidden(self) -> None:
		school = self.school()
		self.publish()
		answers = self.reading(school["draft"], school["plan"].name)
		hidden = school["sold"]["units"][0]
		marks = {key: mark for answer in answers.values() for key, mark in answer["marks"].items()}
		kinds = {"Memora Lesson": "lesson", "Memora Track": "track"}
		self.assertEqual(
			marks,
			{f"unit:{hidden.name}": ["hidden"]}
			| {f"{kinds[doc.doctype]}:{doc.name}": ["draft"] for doc in school["drafts"]},
		)
		for doc in school["drafts"]:
			self.change(doc, is_published=1)
		plan = frappe.get_doc(school["plan"].doctype, school["plan"].name)
		plan.overrides = [row for row in plan.overrides if row.action != "Hide"]
		plan.save()
		self.publish()
		self.assertPublishedAs(answers)
		again = self.reading(school["draft"], plan.name)
		self.assertEqual(
			{path: answer["live"] for path, answer in again.items()}, dict.fromkeys(again, "same")
		)
		for path, answer in again.items():
			self.assertEqual(
				orjson.dumps(unstamped(answer["document"])), orjson.dumps(unstamped(self.read(path)))
			)

	def test_it_says_what_differs_from_what_is_live(self) -> None:
		course = make_course()
		plan = factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		self.change(course["lessons"][0], stages=[])
		answers = self.reading(course["subject"], plan.name)
		changed = [path for path, answer in answers.items() if answer["live"] != "same"]
		self.assertEqual(
			changed, [paths.unit(course["units"][0].name), paths.lesson(course["lessons"][0].name)]
		)

	def test_pictures_and_files_are_where_the_site_has_them(self) -> None:
		school = self.school()
		shared, plan = school["shared"], school["plan"].name
		answers = self.reading(school["draft"], plan)
		unit = answers[paths.unit(shared["units"][0].name)]
		self.assertEqual(unit["files"], {unit["document"]["image"]: "/files/cover.png"})
		self.assertNotIn("badge_image", unit["document"])
		lesson = answers[paths.lesson(school["draft"].name)]
		((path, url),) = lesson["files"].items()
		self.assertEqual(url, "/files/sheet.png")
		config = lesson["document"]["stages"][0]["config"]
		self.assertEqual((config["sheet"], config["html"]), (f"{path}#page=2", f'<img src="{path}">'))
		self.assertNotIn("secret.png", str(answers))

	def test_what_no_plan_lists_is_shown_in_a_plan_of_its_own(self) -> None:
		course = make_course()
		other = factories.make_plan([make_course()["subject"]], is_published=1)
		lesson = course["lessons"][0]
		place = self.place(lesson)
		self.assertEqual(
			place["address"], [NO_PLAN, course["subject"].name, course["units"][0].name, lesson.name]
		)
		answers = self.reading(lesson, NO_PLAN)
		listed = [plan["plan_id"] for plan in answers[paths.PLAN_INDEX]["document"]["plans"]]
		self.assertEqual(sorted(listed), sorted([NO_PLAN, other.name]))
		self.assertIn(paths.lesson(lesson.name), answers)
		factories.make_plan([course["subject"]])
		index = self.drafted(paths.PLAN_INDEX, lesson)["document"]
		self.assertNotIn(NO_PLAN, [plan["plan_id"] for plan in index["plans"]])

	def test_where_it_begins(self) -> None:
		course = make_course(required_item="BOOK")
		subject, unit, topic, lesson = (
			course["subject"],
			course["units"][1],
			course["topics"][1],
			course["lessons"][2],
		)
		draft = factories.make_plan([subject], title="A")
		self.assertEqual(self.place(subject)["address"], [draft.name, subject.name])
		plan = factories.make_plan([subject], title="B", is_published=1)
		line = [plan.name, subject.name, unit.name]
		for doc, address, focus in (
			(plan, line[:1], ""),
			(subject, line[:2], ""),
			(course["track"], line[:2], f"track:{course['track'].name}"),
			(unit, line, ""),
			(topic, line, f"topic:{topic.name}"),
			(lesson, [*line, lesson.name], ""),
		):
			found = self.place(doc)
			self.assertEqual((found["address"], found["focus"]), (address, focus))
			self.assertEqual(
				(found["title"], found["doctype"], found["name"]), (doc.title, doc.doctype, doc.name)
			)
			self.assertEqual(found["items"], [] if doc is plan else ["BOOK"])
		self.assertEqual(self.place(lesson, draft.name)["address"][0], draft.name)
		foreign = factories.make_plan([make_course()["subject"]])
		self.assertIn("does not list", self.place(lesson, foreign.name)["problem"])
		frappe.db.set_value("Memora Topic", topic.name, "parent_unit", "gone")
		self.assertIn("no subject", self.place(lesson)["problem"])

	def test_a_plan_that_is_a_draft_is_shown_with_drafts_only(self) -> None:
		course = make_course()
		plan = factories.make_plan([course["subject"]])
		index, path = paths.PLAN_INDEX, paths.manifest(plan.name)
		self.assertEqual(self.drafted(index, plan)["marks"], {f"plan:{plan.name}": ["draft"]})
		self.assertEqual(self.drafted(path, plan, plan.name)["marks"], {f"plan:{plan.name}": ["draft"]})
		self.assertEqual(self.drafted(index, plan, drafts=0)["document"]["plans"], [])
		for asked in (path, paths.plan_subject(plan.name, course["subject"].name)):
			with self.assertRaises(frappe.DoesNotExistError):
				self.drafted(asked, plan, plan.name, course["subject"].name, drafts=0)

	def test_what_a_build_would_say_is_said(self) -> None:
		course = make_course()
		frappe.db.sql(
			"update `tabMemora Lesson Stage` set config = '[1]' where parent = %s", course["lessons"][0].name
		)
		found = self.drafted(
			paths.lesson(course["lessons"][0].name), course["subject"], NO_PLAN, course["subject"].name
		)
		self.assertIn("must be a JSON object", found["problem"])

	def test_names_that_are_no_paths_are_found(self) -> None:
		course = make_course()
		lesson = frappe.rename_doc(
			"Memora Lesson", course["lessons"][0].name, "Licht & Schatten / 1", force=True
		)
		subject = frappe.rename_doc("Memora Subject", course["subject"].name, "Physik?", force=True)
		doc = frappe.get_doc("Memora Lesson", lesson)
		answers = self.reading(doc, NO_PLAN)
		self.assertEqual(answers[paths.lesson(lesson)]["document"]["id"], lesson)
		self.assertEqual(self.place(doc)["address"][1], subject)


class TestCost(PreviewTestCase):
	def test_a_file_takes_ten_statements_at_most_and_writes_nothing(self) -> None:
		school = self.school()
		self.publish()
		shared = school["shared"]
		names = factories.make_many("Memora Lesson", shared["topics"][0], [f"L{n}" for n in range(2000)])
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
					1,
					"S",
					"Text",
					"{}",
					moment,
				)
				for name in names
			],
		)
		self.file("new.png", PNG + b"new")
		self.change(school["unit"], image="/files/new.png")
		frappe.db.commit()
		user = self.user("editor", "Memora Editor")
		permit(self, user, shared["subject"])
		permit(self, user, school["sold"]["subject"])
		plan, subject = school["plan"].name, shared["subject"].name
		asked = (
			(paths.PLAN_INDEX, ""),
			(paths.manifest(plan), ""),
			(paths.plan_subject(plan, subject), subject),
			(paths.unit(shared["units"][0].name), subject),
			(paths.unit(school["unit"].name), subject),
			(paths.lesson(school["draft"].name), subject),
			(paths.lesson(names[-1]), subject),
			(paths.lesson(school["sold"]["lessons"][3].name, plan), school["sold"]["subject"].name),
		)
		self.addCleanup(frappe.set_user, "Administrator")
		before = checksums()
		for who in ("Administrator", user):
			frappe.set_user(who)
			for _round in range(2):  # what Frappe reads only once is read in the first
				counts = {}
				for path, of in asked:
					with statements() as seen:
						self.drafted(path, school["draft"], plan, of)
					counts[path] = len(seen)
			self.assertLessEqual(max(counts.values()), 10, counts)
			if who == "Administrator":
				self.assertLessEqual(max(counts.values()), 8, counts)
		frappe.set_user("Administrator")
		self.assertEqual(checksums(), before)


class TestRights(PreviewTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course, self.other = make_course(), make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.both = factories.make_plan([self.course["subject"], self.other["subject"]], is_published=1)
		frappe.db.commit()

	def ask(
		self, user: str, path: str, doc: Any, plan: str = "", subject: str = ""
	) -> tuple[int, dict[str, Any]]:
		answer = self.web.call(
			user,
			"memora.api.learner_preview.file",
			http="GET",
			path=path,
			doctype=doc.doctype,
			name=doc.name,
			plan=plan,
			subject=subject,
		)
		self.assertLess(answer.status_code, 500, answer.get_data(as_text=True)[-900:])
		return answer.status_code, answer.get_json()

	def everything(self, course: dict[str, Any], plan: str) -> list[tuple[str, Any, str, str]]:
		"""Each file of a course, as the reader asks for it."""
		subject, lesson = course["subject"].name, course["lessons"][0]
		found = [
			paths.manifest(plan),
			paths.plan_subject(plan, subject),
			paths.unit(course["units"][0].name),
			paths.lesson(lesson.name),
		]
		return [(path, lesson, plan, subject) for path in found]

	def test_strangers_get_nothing(self) -> None:
		lesson = self.course["lessons"][0]
		for user in ("Guest", self.user("stranger", "Report Manager"), self.user("nobody")):
			self.assertEqual(self.ask(user, paths.PLAN_INDEX, lesson)[0], 403)
			for asked in self.everything(self.course, self.plan.name):
				self.assertEqual(self.ask(user, *asked)[0], 403)
			for method, given in (
				("place", {"doctype": lesson.doctype, "name": lesson.name}),
				("film", {"lesson": lesson.name, "stage": 1}),
			):
				answer = self.web.call(user, f"memora.api.learner_preview.{method}", http="GET", **given)
				self.assertEqual(answer.status_code, 403)
				self.assertNotIn(lesson.title, answer.get_data(as_text=True))

	def test_editors_and_admins_see_all_of_it(self) -> None:
		for role in ("Memora Editor", "Memora CDN Admin", "System Manager"):
			user = self.user(frappe.scrub(role), role)
			for course, plan in ((self.course, self.plan), (self.other, self.both)):
				for asked in self.everything(course, plan.name):
					self.assertEqual(self.ask(user, *asked)[0], 200, (role, asked))

	def test_a_restricted_editor_sees_only_what_he_may_read(self) -> None:
		user = self.user("restricted", "Memora Editor")
		permit(self, user, self.course["subject"])
		for asked in self.everything(self.course, self.plan.name):
			self.assertEqual(self.ask(user, *asked)[0], 200, asked)
		for course, plan in (
			(self.course, self.both.name),
			(self.other, self.both.name),
			(self.other, NO_PLAN),
		):
			for asked in self.everything(course, plan)[plan == NO_PLAN :]:
				status, answer = self.ask(user, *asked)
				self.assertEqual(status, 403, asked)
				self.assertNotIn(course["lessons"][0].title, str(answer))
		_status, index = self.ask(user, paths.PLAN_INDEX, self.course["subject"])
		self.assertEqual([plan["plan_id"] for plan in index["document"]["plans"]], [self.plan.name])
		_status, manifest = self.ask(user, paths.manifest(NO_PLAN), self.other["subject"], NO_PLAN)
		self.assertEqual(manifest["document"]["subjects"], [])

	def test_of_what_is_kept_from_an_editor_no_title_is_told(self) -> None:
		user = self.user("of-one-unit", "Memora Editor")
		permit(self, user, self.course["units"][1])
		subject, lessons = self.course["subject"].name, self.course["lessons"]
		_status, answer = self.ask(
			user, paths.plan_subject(self.plan.name, subject), lessons[2], self.plan.name, subject
		)
		units = [unit["id"] for track in answer["document"]["tracks"] for unit in track["units"]]
		self.assertEqual(units, [self.course["units"][1].name])
		_status, answer = self.ask(user, paths.lesson(lessons[2].name), lessons[2], self.plan.name, subject)
		self.assertEqual(list(answer["document"]["navigation"]), ["next_lesson"])
		status, _answer = self.ask(user, paths.lesson(lessons[1].name), lessons[1], self.plan.name, subject)
		self.assertEqual(status, 404)

	def test_forged_names_and_paths_get_nothing(self) -> None:
		user = self.user("editor", "Memora Editor")
		subject = self.course["subject"]
		for path in (
			"",
			"..",
			"media/x.png",
			"plans/x/manifest.json",
			"units/x.json",
			"videos/a.mp4",
			"' or 1=1 -- ",
		):
			for plan in (self.plan.name, "x", "' or 1=1 -- "):
				self.assertEqual(self.ask(user, path, subject, plan, subject.name)[0], 404, (path, plan))
		forged = frappe._dict(doctype="User", name="Administrator")
		self.assertEqual(self.ask(user, paths.PLAN_INDEX, forged)[0], 417)
		# A subject that the plan does not list is not shown in it.
		path = paths.plan_subject(self.plan.name, self.other["subject"].name)
		self.assertEqual(self.ask(user, path, subject, self.plan.name, self.other["subject"].name)[0], 404)


class TestFilms(PreviewTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.configure(**BUCKET)
		self.course = make_course()
		self.lesson = self.course["lessons"][0]
		self.change(
			self.lesson,
			stages=[
				{"title": "Watch", "type": "Video", "config": f'{{"video_url": "{FILM}"}}'},
				{"title": "Read", "type": "Text", "config": f'{{"video_url": "{FILM}"}}'},
				{"title": "Tube", "type": "Video", "config": '{"video_url": "https://youtu.be/abcdefgh"}'},
			],
		)

	def lesson_file(self) -> dict[str, Any]:
		return self.drafted(paths.lesson(self.lesson.name), self.lesson, NO_PLAN, self.course["subject"].name)

	def test_no_file_holds_a_signature_and_a_film_has_a_short_lived_one(self) -> None:
		answer = self.lesson_file()
		self.assertEqual(answer["films"], [1])
		self.assertNotIn("X-Amz", str(answer))
		self.assertNotIn("signed_url_expiry", answer["document"])
		found = learner_preview.film(self.lesson.name, 1)
		self.assertEqual(found.headers["Cache-Control"], "no-store")
		url = orjson.loads(found.get_data())["url"]
		self.assertIn(f"{FILM}?X-Amz-Algorithm=", url)
		self.assertIn("X-Amz-Expires=660&", url)
		self.assertNotIn("a secret", url)

	def test_only_a_film_that_the_lesson_names_is_signed(self) -> None:
		for stage in (2, 3, 4, 0, -1):
			with self.assertRaises(frappe.DoesNotExistError, msg=stage):
				learner_preview.film(self.lesson.name, stage)
		frappe.db.sql(
			"update `tabMemora Lesson Stage` set config = %s where parent = %s and idx = 1",
			('{"video_url": "backups/site.sql"}', self.lesson.name),
		)
		with self.assertRaises(frappe.DoesNotExistError):
			learner_preview.film(self.lesson.name, 1)

	def test_what_is_not_signed_when_it_is_published_is_not_signed_here(self) -> None:
		self.configure(**BUCKET, sign="None")
		self.assertEqual(self.lesson_file()["films"], [])
		with self.assertRaises(frappe.DoesNotExistError):
			learner_preview.film(self.lesson.name, 1)
		self.configure(**BUCKET, sign="Paid")
		self.assertEqual(self.lesson_file()["films"], [])
		self.change(self.course["subject"], required_item="BOOK")
		self.assertEqual(self.lesson_file()["films"], [1])

	def test_only_who_may_read_the_lesson_gets_a_link(self) -> None:
		user = self.user("film", "Memora Editor")
		frappe.db.commit()

		def ask() -> int:
			given = {"lesson": self.lesson.name, "stage": 1}
			return self.web.call(user, "memora.api.learner_preview.film", http="GET", **given).status_code

		self.assertEqual(ask(), 200)
		permit(self, user, make_course()["subject"])
		self.assertEqual(ask(), 403)


def unstamped(value: Any) -> Any:
	"""A document without its stamp."""
	return {key: one for key, one in value.items() if key not in ("version", "generated_at")}


def plain(value: Any) -> bytes:
	"""A document's bytes without what a preview may have otherwise."""

	def cleaned(one: Any) -> Any:
		if isinstance(one, dict):
			return {key: cleaned(each) for key, each in one.items() if key not in ("version", "generated_at")}
		if isinstance(one, list):
			return [cleaned(each) for each in one]
		if isinstance(one, str):
			return re.sub(r"\?v=\d+$", "", re.sub(r"[0-9a-f]{64}", "", one))
		return one

	return orjson.dumps(cleaned(value))
