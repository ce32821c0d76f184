"""Copies and deletions: drafts with pictures of their own, counted and named before they go, and back with undo."""

from __future__ import annotations

import json
import os

import frappe
from frappe.model.document import Document

from memora.api import course
from memora.install import EDITOR
from memora.services.course_outline import attachments, trash_list, trash_restoring
from memora.tests.helpers import factories
from memora.tests.helpers.outline import OutlineTestCase, published, row, run
from memora.tests.helpers.publishing import chain, make_course
from memora.tests.helpers.users import make_user

STAGE = "Memora Lesson Stage"


def recent() -> set[str]:
	"""The Deleted Documents that are not back."""
	return set(frappe.get_all("Deleted Document", {"restored": 0}, pluck="name", limit=0))


class TestCopies(OutlineTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "File", {"file_name": ("like", "memora-course-%")})
		self.course = make_course()
		self.subject, self.track, self.unit, self.topic, self.lesson = chain(self.course)
		self.second = self.course["lessons"][1]

	def attach(self, doc: Document, name: str) -> str:
		"""A picture of its own content, attached to a document. Returns its address."""
		content = f"<svg xmlns='http://www.w3.org/2000/svg'><!--{name}--></svg>"
		file = frappe.get_doc(
			{
				"doctype": "File",
				"file_name": f"memora-course-{name}.svg",
				"content": content,
				"attached_to_doctype": doc.doctype,
				"attached_to_name": doc.name,
			}
		).insert()
		self.addCleanup(lambda: os.path.exists(file.get_full_path()) and os.remove(file.get_full_path()))
		return file.file_url

	def exists(self, url: str) -> bool:
		return os.path.exists(frappe.get_site_path("public", url.lstrip("/")))

	def test_a_duplicate_is_a_draft_behind_its_original_without_what_is_below(self) -> None:
		for doc in (self.topic, self.unit, self.track):
			answer = course.duplicate([row(doc)])
			(copy,) = answer["rows"]
			self.assertEqual((copy["is_published"], copy["children"]), (False, 0))
			self.assertEqual(copy["title"], f"{doc.title} (copy)")
			self.assertEqual(self.order(copy["parent"])[:2], [doc.title, copy["title"]])
			self.assertTrue(run(answer["undo"])["done"])
			self.assertNotIn(copy["title"], self.order(copy["parent"]))

	def test_with_all_below_everything_is_copied_as_drafts_in_the_same_order(self) -> None:
		(copy,) = course.duplicate([row(self.unit)], 1)["rows"]
		(topic,) = self.branch(copy["name"])
		self.assertEqual((topic["title"], topic["is_published"]), (self.topic.title, False))
		lessons = self.branch(topic["name"])
		self.assertEqual([each["title"] for each in lessons], [self.lesson.title, self.second.title])
		self.assertEqual([each["is_published"] for each in lessons], [False, False])
		stages = frappe.get_doc("Memora Lesson", lessons[0]["name"]).stages
		self.assertEqual(
			[(stage.title, stage.type, stage.config) for stage in stages],
			[(stage.title, stage.type, stage.config) for stage in self.lesson.stages],
		)

	def test_a_whole_subject_is_duplicated(self) -> None:
		(copy,) = course.duplicate([row(self.subject)], 1)["rows"]
		self.assertEqual(copy["children"], 1)
		self.assertEqual(frappe.db.count("Memora Lesson"), 8)
		self.assertEqual(frappe.db.count("Memora Lesson", {"is_published": 1}), 4)

	def test_nothing_that_is_live_changes(self) -> None:
		factories.make_plan([self.subject], is_published=1)
		for doc in (self.course["units"][1], self.second):
			self.change(doc, sort_order=9)
		self.publish()
		before = self.contents()
		course.duplicate([row(self.unit), row(self.lesson)], 1)
		self.publish()
		self.assertWritten(before, set())

	def test_copies_have_pictures_of_their_own(self) -> None:
		picture, badge, worksheet = (
			self.attach(self.lesson, "picture"),
			self.attach(self.unit, "badge"),
			self.attach(self.lesson, "worksheet"),
		)
		self.change(self.unit, badge_image=badge)
		body = f'{{"body": "<img src=\\"{worksheet}\\">"}}'
		self.change(self.lesson, image=picture, stages=[{"title": "s", "type": "Text", "config": body}])
		(unit,) = course.duplicate([row(self.unit)], 1)["rows"]
		(pasted,) = course.paste([row(self.lesson)], self.course["topics"][1].name)["rows"]
		stage = frappe.get_doc("Memora Lesson", self.lesson.name).stages[0]
		with_stage = self.course["lessons"][3]
		course.paste([f"{STAGE}:{stage.name}"], with_stage.name)
		ask = course.delete([row(self.unit)], 1)["ask"]
		course.delete([row(self.unit)], 1, ask["agreed"])
		self.assertEqual([self.exists(url) for url in (picture, badge, worksheet)], [True] * 3)
		self.assertEqual(frappe.db.get_value("Memora Lesson", pasted["name"], "image"), picture)
		for name in (pasted["name"], with_stage.name):
			frappe.delete_doc("Memora Lesson", name)
		self.assertTrue(self.exists(worksheet))
		ask = course.delete([row(frappe.get_doc("Memora Unit", unit["name"]))], 1)["ask"]
		course.delete([row(frappe.get_doc("Memora Unit", unit["name"]))], 1, ask["agreed"])
		self.assertEqual(
			[self.exists(url) for url in (picture, badge, worksheet)], [True] * 3, "in the trash"
		)
		frappe.db.delete("Deleted Document")
		attachments.daily()
		self.assertEqual([self.exists(url) for url in (picture, badge, worksheet)], [False] * 3)

	def test_whoever_copies_gets_no_private_file_that_they_may_not_read(self) -> None:
		secret = frappe.get_doc(
			{
				"doctype": "File",
				"file_name": "memora-course-secret.txt",
				"content": "secret",
				"is_private": 1,
				"attached_to_doctype": "User",
				"attached_to_name": "Administrator",
			}
		).insert()
		self.change(
			self.lesson,
			stages=[
				{
					"title": "Read",
					"type": "Text",
					"config": json.dumps({"html": f'<a href="{secret.file_url}">x</a>'}),
				}
			],
		)
		editor = make_user(self, "copying@course.test", EDITOR)
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.set_user(editor)
		self.assertFalse(frappe.has_permission("File", "read", secret.name))
		course.duplicate([row(self.lesson)])
		course.duplicate([row(self.topic)], 1)
		stage = self.branch(self.lesson.name)[0]["name"]
		course.paste([f"{STAGE}:{stage}"], self.second.name)
		frappe.set_user("Administrator")
		rows = frappe.get_all("File", {"file_url": secret.file_url}, ["attached_to_doctype"])
		self.assertEqual([each.attached_to_doctype for each in rows], ["User"])

	def test_a_picture_that_is_lost_keeps_no_copy_from_being_made(self) -> None:
		url = self.attach(self.lesson, "lost")
		self.change(self.lesson, image=url)
		os.remove(frappe.get_site_path("public", url.lstrip("/")))
		(copy,) = course.duplicate([row(self.lesson)])["rows"]
		self.assertEqual(frappe.db.get_value("Memora Lesson", copy["name"], "image"), url)

	def test_rows_are_pasted_where_they_fit_and_refused_elsewhere(self) -> None:
		other = make_course()
		topic = other["topics"][0]
		rows = course.paste([row(self.lesson), row(self.second)], topic.name, other["lessons"][0].name)[
			"rows"
		]
		self.assertEqual([each["title"] for each in rows], [self.lesson.title, self.second.title])
		titles = self.order(topic, other["subject"].name)
		self.assertEqual(titles[1:3], [self.lesson.title, self.second.title])
		course.paste([row(self.topic)], other["units"][0].name)
		self.assertEqual(self.order(other["units"][0], other["subject"].name)[-1], self.topic.title)
		for call in (
			lambda: course.paste([row(self.lesson)], self.unit.name),
			lambda: course.paste([row(self.unit)], self.unit.name),
			lambda: course.paste([row(self.subject)], ""),
			lambda: course.paste([row(self.lesson), row(self.unit)], self.track.name),
			lambda: course.paste([f"{STAGE}:{self.lesson.stages[0].name}", row(self.unit)], self.lesson.name),
			lambda: course.paste([f"{STAGE}:{self.lesson.stages[0].name}"], self.topic.name),
			lambda: course.paste(["User:Administrator"], ""),
			lambda: course.paste([], self.topic.name),
			lambda: course.paste(["Memora Lesson:gone"], self.topic.name),
		):
			with self.assertRaises((frappe.ValidationError, frappe.DoesNotExistError)):
				call()

	def test_stages_are_copied_moved_deleted_and_back(self) -> None:
		first, second = self.branch(self.lesson.name)
		names = [f"{STAGE}:{each['name']}" for each in (first, second)]
		answer = course.paste(names, self.second.name, self.branch(self.second.name)[0]["name"])
		self.assertEqual(self.order(self.second), ["Watch", "Watch", "Read", "Read"])
		run(answer["undo"])
		self.assertEqual(self.order(self.second), ["Watch", "Read"])
		course.duplicate([names[0]])
		self.assertEqual(self.order(self.lesson), ["Watch", "Watch", "Read"])
		rows = self.branch(self.lesson.name)
		answer = course.move(STAGE, rows[2]["name"], self.lesson.name, "", rows[0]["name"])
		self.assertEqual(self.order(self.lesson), ["Read", "Watch", "Watch"])
		self.assertEqual(answer["row"]["idx"], 1)
		run(answer["undo"])
		self.assertEqual(self.order(self.lesson), ["Watch", "Watch", "Read"])
		target = self.branch(self.second.name)
		args = (STAGE, rows[0]["name"], self.second.name, target[0]["name"], target[1]["name"])
		answer = course.move(*args)
		self.assertEqual(self.order(self.second), ["Watch", "Watch", "Read"])
		self.assertEqual(self.order(self.lesson), ["Watch", "Read"])
		self.assertEqual([each["idx"] for each in self.branch(self.lesson.name)], [1, 2])
		with self.assertRaises(frappe.DoesNotExistError):
			course.move(*args)
		run(answer["undo"])
		self.assertEqual(self.order(self.lesson), ["Watch", "Watch", "Read"])
		with self.assertRaisesRegex(frappe.ValidationError, "has changed meanwhile"):
			course.move(
				STAGE, self.branch(self.lesson.name)[0]["name"], self.second.name, target[1]["name"], "gone"
			)

		going = [f"{STAGE}:{each['name']}" for each in self.branch(self.lesson.name)[1:]]
		ask = course.delete(going)["ask"]
		self.assertEqual(ask["deletes"], ["Watch", "Read"])
		answer = course.delete(going, 0, ask["agreed"])
		self.assertEqual(self.order(self.lesson), ["Watch"])
		run(answer["undo"])
		self.assertEqual(self.order(self.lesson), ["Watch", "Watch", "Read"])
		self.assertIn("video_url", frappe.get_doc(*self.ref(self.lesson)).stages[1].config)

	def ref(self, doc: Document) -> tuple[str, str]:
		return doc.doctype, doc.name


class TestDeletions(OutlineTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.subject, self.track, self.unit, self.topic, self.lesson = chain(self.course)

	def test_a_single_draft_goes_at_once_and_is_back_with_its_undo(self) -> None:
		self.change(self.lesson, is_published=0)
		answer = course.delete([row(self.lesson)])
		self.assertFalse(frappe.db.exists("Memora Lesson", self.lesson.name))
		self.assertEqual(len(answer["deleted"]), 1)
		back = run(answer["undo"])
		self.assertEqual([each["name"] for each in back["rows"]], [self.lesson.name])
		self.assertFalse(back["rows"][0]["is_published"])
		self.assertEqual(self.order(self.topic)[0], self.lesson.title)

	def test_what_is_published_is_not_deleted_by_accident(self) -> None:
		ask = course.delete([row(self.lesson)])["ask"]
		self.assertEqual((ask["deletes"], ask["counts"]["deletes"]), ([self.lesson.title], 1))
		self.assertEqual(published(self.lesson), [True])

	def test_all_below_is_counted_and_named_first_and_back_with_one_undo(self) -> None:
		before = {doc.name: frappe.get_doc(doc.doctype, doc.name).as_dict() for doc in chain(self.course)[1:]}
		ask = course.delete([row(self.track)], 1)["ask"]
		self.assertEqual(ask["counts"]["deletes"], 9)
		self.assertEqual(ask["deletes"][:2], [self.track.title, self.unit.title])
		course.add("Memora Lesson", self.topic.name, "New")  # by another editor meanwhile
		again = course.delete([row(self.track)], 1, ask["agreed"])["ask"]
		self.assertEqual(again["counts"]["deletes"], 10)
		answer = course.delete([row(self.track)], 1, again["agreed"])
		self.assertEqual(frappe.db.count("Memora Lesson"), 0)
		run(answer["undo"])
		self.assertEqual(frappe.db.count("Memora Lesson"), 5)
		for doc in chain(self.course)[1:]:
			after = frappe.get_doc(doc.doctype, doc.name)
			for field in ("title", "sort_order", "is_published", "creation"):
				self.assertEqual(after.get(field), before[doc.name][field])

	def test_what_goes_with_all_below_is_one_entry_in_the_trash_and_comes_back_as_a_whole(self) -> None:
		before = {doc.name: frappe.get_doc(doc.doctype, doc.name).as_dict() for doc in chain(self.course)[1:]}
		agreed = course.delete([row(self.track)], 1)["ask"]["agreed"]
		course.delete([row(self.track)], 1, agreed)
		listed = {
			doctype: [
				(each["title"], each["below"])
				for each in trash_list.entries(doctype)["rows"]
				if each["name"] in recent()
			]
			for doctype in ("Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson")
		}
		self.assertEqual(listed.pop("Memora Track"), [(self.track.title, 8)])
		self.assertEqual(set(map(len, listed.values())), {0}, listed)
		(entry,) = (each["name"] for each in trash_list.entries("Memora Track", self.track.title)["rows"])
		back = trash_restoring.restore(entry)
		self.assertEqual((back["name"], back["subject"]), (self.track.name, self.subject.name))
		for doc in chain(self.course)[1:]:
			after = frappe.get_doc(doc.doctype, doc.name)
			for field in ("title", "sort_order", "creation"):
				self.assertEqual(after.get(field), before[doc.name][field])
		self.assertEqual(trash_list.entries("Memora Track", self.track.title)["rows"], [])

	def test_what_went_below_an_entry_that_is_back_by_itself_is_listed(self) -> None:
		agreed = course.delete([row(self.topic)], 1)["ask"]["agreed"]
		course.delete([row(self.topic)], 1, agreed)
		(entry,) = (each["name"] for each in trash_list.entries("Memora Topic", self.topic.title)["rows"])
		trash_restoring.restore_one(entry)  # as Frappe's own Restore does
		titles = {each["title"] for each in trash_list.entries("Memora Lesson")["rows"]}
		self.assertIn(self.lesson.title, titles)

	def test_its_undo_asks_where_more_would_become_live_than_was(self) -> None:
		self.change(self.track, is_published=0)
		agreed = course.delete([row(self.unit)], 1)["ask"]["agreed"]
		answer = course.delete([row(self.unit)], 1, agreed)
		self.change(self.track, is_published=1)  # by another editor meanwhile
		ask = run(answer["undo"])["ask"]
		self.assertEqual(ask["live"], [doc.title for doc in self.course["lessons"][:2]])
		self.assertFalse(frappe.db.exists(self.unit.doctype, self.unit.name))
		self.assertEqual(
			frappe.db.count("Deleted Document", {"restored": 1, "deleted_name": self.unit.name}), 0
		)
		self.assertTrue(course.restore(answer["deleted"], ask["agreed"])["done"])
		self.assertEqual(published(self.unit, self.lesson), [True, True])

	def test_it_is_refused_as_a_whole_where_a_plan_names_one(self) -> None:
		plan = factories.make_plan(
			[self.subject], title="Plan <7>", overrides=[factories.override(self.lesson, "Hide")]
		)
		agreed = course.delete([row(self.course["units"][1])], 1)["ask"]["agreed"]
		for call in (
			lambda: course.delete([row(self.track)], 1),
			lambda: course.delete([row(self.course["units"][1]), row(self.unit)], 1, agreed),
		):
			with self.assertRaisesRegex(frappe.LinkExistsError, "override of the plan .*Plan"):
				call()
		self.change(plan, overrides=[])
		with self.assertRaisesRegex(frappe.LinkExistsError, "is in the plan"):
			course.delete([row(self.subject)], 1)
		with self.assertRaisesRegex(frappe.LinkExistsError, "still has content below"):
			course.delete([row(self.unit)])
		self.assertEqual(frappe.db.count("Memora Lesson"), 4)

	def test_more_than_one_action_can_do_is_refused(self) -> None:
		factories.make_many("Memora Lesson", self.topic, ["L"] * 1_001)
		for call in (
			lambda: course.delete([row(self.topic)], 1),
			lambda: course.duplicate([row(self.topic)], 1),
			lambda: course.set_published([row(self.topic)], 0, 1),
		):
			with self.assertRaisesRegex(frappe.ValidationError, "Choose fewer"):
				call()
