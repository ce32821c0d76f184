"""Each endpoint of the course page as each role calls it, and as an editor does who is kept to one subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import frappe
from frappe.model.document import Document

from memora.api import course, outline
from memora.install import ADMIN, EDITOR
from memora.tests.helpers import factories
from memora.tests.helpers.outline import NO_ROLE, REFUSED, RolesTestCase, row
from memora.tests.helpers.publishing import chain
from memora.tests.helpers.statements import statements

STAGE = "Memora Lesson Stage"

Call = Callable[[], Any]


class CallsTestCase(RolesTestCase):
	def reading(self, made: dict[str, Any]) -> dict[str, Call]:
		subject = made["subject"].name
		return {
			"outline": lambda: outline.outline(subject, [made["track"].name]),
			"stamp": lambda: outline.stamp(subject),
			"find": lambda: outline.find(subject, "e"),
			"place": lambda: outline.place(made["lessons"][0].name),
		}

	def writing(self, made: dict[str, Any], plan: Document) -> dict[str, Call]:
		"""Calls that change something of a course, each without a question."""
		_subject, _track, unit, topic, lesson = chain(made)
		second, stage = made["lessons"][1], lesson.stages[0]
		agreed = course.delete([row(made["lessons"][3])])["ask"]["agreed"]
		draft = factories.make_lesson(parent_topic=topic.name)
		gone = course.delete([row(factories.make_lesson(title="Gone", parent_topic=topic.name))])["deleted"]
		return {
			"add": lambda: course.add("Memora Lesson", topic.name, "New"),
			"set_title": lambda: course.set_title(unit.doctype, unit.name, "Other", unit.title),
			"move": lambda: course.move(lesson.doctype, lesson.name, topic.name, second.name, draft.name),
			"set_published": lambda: course.set_published([row(draft)], 1),
			"set_free_preview": lambda: course.set_free_preview([row(unit)], 1),
			"make_live": lambda: course.make_live(draft.doctype, draft.name),
			"set_override": lambda: course.set_override(plan.name, unit.doctype, unit.name, "Rename", "U"),
			"duplicate": lambda: course.duplicate([row(second), row(lesson)], 1),
			"paste": lambda: course.paste([f"{STAGE}:{stage.name}"], second.name),
			"restore": lambda: course.restore(gone),
			"delete": lambda: course.delete([row(made["lessons"][3])], 0, agreed),
		}


class TestRoles(CallsTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.plan = factories.make_plan([self.course["subject"]])
		self.calls = {
			**self.reading(self.course),
			"home": outline.home,
			"search": lambda: outline.search("lesson"),
			**self.writing(self.course, self.plan),
		}
		frappe.db.commit()

	def test_every_endpoint_is_tried_and_what_changes_something_is_post_only(self) -> None:
		offered = {
			name
			for module in (course, outline)
			for name, function in vars(module).items()
			if callable(function) and function in frappe.whitelisted
		}
		self.assertEqual(offered, self.calls.keys())
		for name in offered:
			reads = hasattr(outline, name)
			methods = frappe.allowed_http_methods_for_whitelisted_func[
				getattr(outline if reads else course, name)
			]
			self.assertEqual(methods, ["GET", "POST"] if reads else ["POST"], name)

	def test_strangers_are_refused_everything(self) -> None:
		for user in ("Guest", self.users[NO_ROLE]):
			self.become(user)
			for name, call in self.calls.items():
				with self.assertRaises(frappe.PermissionError, msg=f"{user}: {name}"):
					call()

	def test_an_editor_may_all_of_it(self) -> None:
		for role in (EDITOR,):
			self.become(self.users[role])
			for name, call in self.calls.items():
				answer = call()
				self.assertNotIn("ask", answer, name)

	def test_an_admin_of_publishing_reads_and_is_refused_the_rest(self) -> None:
		self.become(self.users[ADMIN])
		reads = self.reading(self.course)
		for call in reads.values():
			self.assertTrue(call())
		self.assertFalse(outline.home()["can_create"])
		self.assertFalse(outline.outline(self.course["subject"].name)["subject"]["can_write"])
		for name, call in self.calls.items():
			if name not in (*reads, "home", "search"):
				with self.assertRaises(frappe.PermissionError, msg=name):
					call()

	def test_forged_names_and_doctypes_get_nothing(self) -> None:
		subject, *_rest, lesson = chain(self.course)
		self.become(self.users[EDITOR])
		for call in (
			lambda: outline.outline("' or 1=1 -- "),
			lambda: outline.outline(""),
			lambda: outline.outline(subject.name, [], "' or 1=1 -- "),
			lambda: outline.stamp("nothing"),
			lambda: course.add("User", "", "Eve"),
			lambda: course.add("Memora Lesson", "nothing", "t"),
			lambda: course.add("Memora Lesson", subject.name, "t"),
			lambda: course.add("Memora Lesson", lesson.parent_topic, " "),
			lambda: course.set_title("User", "Administrator", "x", "Administrator"),
			lambda: course.set_title(STAGE, "nothing", "x", "x"),
			lambda: course.move(STAGE, "nothing", lesson.name),
			lambda: course.set_published(["User:Administrator"], 1),
			lambda: course.set_published(["Memora Lesson"], 1),
			lambda: course.set_published([], 1),
			lambda: course.make_live("Memora Lesson` where 1=1 -- ", "x"),
			lambda: course.duplicate(["CDN Settings:CDN Settings"]),
			lambda: course.delete(["Memora Academic Plan:" + self.plan.name]),
			lambda: course.restore(["nothing"]),
			lambda: course.restore([f"{lesson.name}/nothing"]),
			lambda: course.restore(["/"]),
		):
			with self.assertRaises((frappe.ValidationError, *REFUSED)):
				call()
		found = outline.outline(subject.name, ["' or 1=1 -- ", "", "User"])
		self.assertEqual(list(found["branches"]), [subject.name])


class TestRestrictedEditor(CallsTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.user = self.users[EDITOR]
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.db.delete, "User Permission", {"user": self.user})
		self.addCleanup(frappe.cache.hdel, "user_permissions", self.user)
		self.plan = factories.make_plan([self.course["subject"]])
		self.mixed = factories.make_plan(
			[self.course["subject"], self.others["subject"]], title="Secret plan"
		)

	def permit(self, doc: Document) -> None:
		values = {"user": self.user, "allow": doc.doctype, "for_value": doc.name, "apply_to_all_doctypes": 1}
		frappe.get_doc({"doctype": "User Permission", **values}).insert(ignore_permissions=True)
		frappe.cache.hdel("user_permissions", self.user)
		frappe.db.commit()

	def test_other_subjects_are_neither_seen_nor_changed(self) -> None:
		mine, theirs = self.writing(self.course, self.plan), self.writing(self.others, self.mixed)
		reads = {**self.reading(self.course), **mine}
		self.permit(self.course["subject"])
		self.become(self.user)
		for name, call in {**self.reading(self.others), **theirs}.items():
			with self.assertRaises(REFUSED, msg=name):
				call()
		home = outline.home()
		self.assertEqual([each["title"] for each in home["subjects"]], ["Mine"])
		for rows in (home["drafts"], home["recent"], home["attention"]):
			self.assertLessEqual({each["subject"] for each in rows} - {""}, {self.course["subject"].name})
		plans = outline.outline(self.course["subject"].name)["plans"]
		self.assertEqual([plan["name"] for plan in plans], [self.plan.name])
		for name, call in reads.items():
			self.assertNotIn("ask", call(), name)

	def test_nothing_goes_there_or_comes_from_there(self) -> None:
		_subject, _track, unit, topic, lesson = chain(self.course)
		their_topic, their_lesson = self.others["topics"][0], self.others["lessons"][0]
		self.permit(self.course["subject"])
		self.become(self.user)
		for call in (
			lambda: course.move(lesson.doctype, lesson.name, their_topic.name, "", their_lesson.name),
			lambda: course.move(their_lesson.doctype, their_lesson.name, topic.name, "", lesson.name),
			lambda: course.paste([row(lesson)], their_topic.name),
			lambda: course.paste([row(their_lesson)], topic.name),
			lambda: course.paste([f"{STAGE}:{their_lesson.stages[0].name}"], lesson.name),
			lambda: course.move(STAGE, lesson.stages[0].name, their_lesson.name),
			lambda: course.set_override(self.mixed.name, unit.doctype, unit.name, "Hide"),
			lambda: outline.outline(self.course["subject"].name, [], self.mixed.name),
		):
			with self.assertRaises(REFUSED):
				call()

	def test_nothing_goes_below_what_is_only_shared_for_reading(self) -> None:
		lesson, topic = self.course["lessons"][0], self.others["topics"][0]
		self.permit(self.course["subject"])
		frappe.share.add(topic.doctype, topic.name, self.user, read=1)
		frappe.db.commit()
		self.become(self.user)
		frappe.get_doc(topic.doctype, topic.name).check_permission("read")
		last = self.others["lessons"][1].name
		with self.assertRaises(frappe.PermissionError):
			course.move(lesson.doctype, lesson.name, topic.name, last, "")
		with self.assertRaises(frappe.PermissionError):
			course.add("Memora Lesson", topic.name, "t")

	def test_below_a_subject_only_what_is_allowed_is_shown_counted_and_named(self) -> None:
		_subject, track, unit, _topic, _lesson = chain(self.course)
		second = self.course["units"][1]
		self.change(unit, is_published=0)
		self.change(track, is_published=0)
		self.permit(second)
		self.become(self.user)
		opened = [track.name, unit.name, second.name]
		outline.outline(self.course["subject"].name, opened)  # Frappe looks up what it then keeps
		with statements() as seen:
			answer = outline.outline(self.course["subject"].name, opened)
		self.assertLessEqual(len(seen), 8, "\n".join(seen))
		self.assertEqual([each["name"] for each in answer["branches"][track.name]], [second.name])
		self.assertEqual(answer["branches"][self.course["subject"].name][0]["children"], 1)
		self.assertNotIn(unit.name, answer["branches"])
		self.assertEqual(
			{each["name"] for each in outline.find(self.course["subject"].name, only="drafts")["rows"]},
			{track.name},
		)
		ask = course.set_published([row(track)], 1, 1)["ask"] if self.may_publish(track) else {"live": []}
		self.assertFalse({doc.title for doc in self.course["lessons"][:2]} & set(ask["live"]))

	def may_publish(self, doc: Document) -> bool:
		return bool(frappe.has_permission(doc.doctype, "write", doc))
