"""Lessons found by a word of their stages: right after a save, for whoever may read them, in few statements."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document

from memora.api import outline
from memora.install import EDITOR
from memora.services.text_search import finding, lesson_texts
from memora.tests.helpers import factories
from memora.tests.helpers.fields import field_of_level
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.statements import statements
from memora.tests.helpers.users import drop_user_permissions, make_user
from memora.tests.helpers.utils import MemoraTestCase

USER = "reading.texts@memora.test"


def stage(type: str, title: str = "S", /, **config: Any) -> dict[str, str]:
	return {"title": title, "type": type, "config": json.dumps(config, ensure_ascii=False)}


class TestFinding(MemoraTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(cls, USER, EDITOR)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(drop_user_permissions, USER)
		self.topic = factories.make_topic(title="Optics")
		self.subject = frappe.db.get_value(
			"Memora Track",
			frappe.db.get_value("Memora Unit", self.topic.parent_unit, "parent_track"),
			"parent_subject",
		)
		self.lesson = self.make(
			"Light", [stage("Text", "How it goes", html="<p>It travels <b>zigzag</b>wise &amp; quickly</p>")]
		)

	def make(self, title: str, stages: list[dict[str, str]], topic: str = "", **values: Any) -> Document:
		fields = {"title": title, "parent_topic": topic or self.topic.name, "stages": stages, **values}
		doc = factories.make_lesson(**fields)
		frappe.db.commit()  # the index answers for what is committed
		return doc

	def change(self, doc: Document, **values: Any) -> None:
		doc.reload()
		doc.update(values).save()
		frappe.db.commit()

	def found(self, text: str, subject: str = "") -> list[str]:
		return [row["title"] for row in outline.search(text, subject)["rows"]]

	def test_a_word_inside_a_stage_leads_to_its_lesson(self) -> None:
		(row,) = outline.search("zigzag QUICK")["rows"]
		self.assertEqual((row["name"], row["subject"]), (self.lesson.name, self.subject))
		self.assertEqual((row["path_titles"][-1], row["stage"]), ("Optics", "How it goes"))
		self.assertIn(["zigzagwise", True], [list(piece) for piece in row["excerpt"]])
		self.assertEqual(self.found("travels wise"), [])

	def test_answers_keys_and_markup_find_nothing(self) -> None:
		self.make("Asked", [stage("Question", question="Howmuch?", answer="fortytwo", kind="short")])
		self.assertEqual(self.found("howmuch"), ["Asked"])
		for word in ("fortytwo", "question", "strong", "answer"):
			self.assertEqual(self.found(word), [], word)

	def test_titles_and_descriptions_find_too_in_arabic_without_marks(self) -> None:
		self.make("المَدْرَسَة", [], description="عن الطُّلّاب <والكتب>")
		for word in ("مدرسه", "المدرسة", "طلاب", "كتب", "<والكتب>"):
			self.assertEqual(self.found(word), ["المَدْرَسَة"], word)

	def test_what_was_changed_or_is_gone_is_not_found_by_its_old_words(self) -> None:
		self.change(self.lesson, stages=[stage("Text", text="A wobble instead")])
		self.assertEqual((self.found("zigzag"), self.found("wobble")), ([], ["Light"]))
		self.lesson.reload()
		frappe.rename_doc("Memora Lesson", self.lesson.name, "renamed-light", force=True)
		frappe.db.commit()
		self.assertEqual(outline.search("wobble")["rows"][0]["name"], "renamed-light")
		frappe.delete_doc("Memora Lesson", "renamed-light")
		frappe.db.commit()
		self.assertEqual(self.found("wobble"), [])
		self.assertEqual(frappe.db.count(lesson_texts.TEXT, {"name": "renamed-light"}), 0)

	def test_one_subject_and_whoever_may_not_read_one_finds_nothing_of_it(self) -> None:
		other = factories.make_topic()
		self.make("Elsewhere", [stage("Text", text="zigzag too")], other.name)
		self.assertEqual(sorted(self.found("zigzag")), ["Elsewhere", "Light"])
		self.assertEqual(self.found("zigzag", self.subject), ["Light"])
		allowed = {"doctype": "User Permission", "user": USER, "allow": "Memora Subject"}
		frappe.get_doc({**allowed, "for_value": self.subject}).insert(ignore_permissions=True)
		frappe.db.commit()
		frappe.set_user(USER)
		self.assertEqual(self.found("zigzag"), ["Light"])
		frappe.set_user("Guest")
		self.assertRaises(frappe.PermissionError, outline.search, "zigzag")

	def test_who_may_not_read_a_field_whose_words_are_searched_finds_none_of_them(self) -> None:
		for doctype, field in (("Memora Lesson Stage", "config"), ("Memora Lesson", "description")):
			with self.subTest(field), field_of_level(doctype, field, 1):
				self.assertEqual(self.found("zigzag"), ["Light"])  # Administrator
				frappe.set_user(USER)
				self.assertEqual(self.found("zigzag"), [])
			self.assertEqual(self.found("zigzag"), ["Light"])
			frappe.set_user("Administrator")

	def test_what_the_hooks_did_not_see_is_caught_up_with(self) -> None:
		frappe.db.sql(
			"""update `tabMemora Lesson Stage` set config = '{"text": "sideways"}', modified = modified + interval 1 hour
			where parent = %s""",
			self.lesson.name,
		)
		(name,) = factories.make_many("Memora Lesson", self.topic, ["Unseen upsidedown"])
		frappe.db.sql(f"insert into `tab{lesson_texts.TEXT}` (name, words) values ('nobody', 'u0061')")
		frappe.db.commit()
		self.assertEqual(self.found("sideways"), [])
		self.assertEqual(lesson_texts.catch_up(), 2)
		self.assertEqual(
			(self.found("sideways"), self.found("upsidedown")), (["Light"], ["Unseen upsidedown"])
		)
		self.assertFalse(frappe.db.exists(lesson_texts.TEXT, "nobody"))
		self.assertTrue(frappe.db.exists(lesson_texts.TEXT, name))

	def test_nobody_waits_while_words_are_forgotten(self) -> None:
		frappe.db.sql(f"insert into `tab{lesson_texts.TEXT}` (name, words) values ('nobody', 'u0061')")
		frappe.db.commit()

		def edit() -> None:
			frappe.db.sql("set innodb_lock_wait_timeout = 1")
			frappe.get_doc("Memora Lesson", self.lesson.name).update({"title": "Meanwhile"}).save()

		lesson_texts._forget()  # and not yet committed
		at_once(edit)
		frappe.db.commit()
		self.assertEqual(self.found("meanwhile"), ["Meanwhile"])
		self.assertFalse(frappe.db.exists(lesson_texts.TEXT, "nobody"))

	def test_a_save_costs_a_statement_only_where_the_words_are_others(self) -> None:
		def of_texts(**values: Any) -> int:
			self.lesson.reload()
			with statements() as seen:
				self.lesson.update(values).save()
			return sum(lesson_texts.TEXT in statement for statement in seen)

		self.assertEqual(of_texts(is_free_preview=1), 0)
		self.assertEqual(of_texts(title="Other light"), 1)
		self.assertEqual(of_texts(stages=[stage("Text", text="word " * 10)]), 1)

	def test_a_save_goes_on_without_the_table(self) -> None:
		frappe.db.sql_ddl(f"alter table `tab{lesson_texts.TEXT}` rename to `tabMemora Texts Away`")
		try:
			self.change(self.lesson, title="Saved all the same")
			self.assertEqual(
				frappe.db.get_value("Memora Lesson", self.lesson.name, "title"), "Saved all the same"
			)
		finally:
			frappe.db.sql_ddl(f"alter table `tabMemora Texts Away` rename to `tab{lesson_texts.TEXT}`")
		self.assertEqual(lesson_texts.catch_up(), 1)
		self.assertEqual(self.found("saved same"), ["Saved all the same"])

	def test_so_much_is_read_for_an_excerpt_of_a_lesson_and_for_all_of_an_answer(self) -> None:
		def hit(number: int) -> dict[str, str]:
			return stage("Text", f"Stage {number}", text=f"{'x' * 300} needle {number}")

		def excerpts() -> dict[str, tuple[str, bool]]:
			rows = outline.search("needle")["rows"]
			return {row["title"]: (row["stage"], bool(row["excerpt"])) for row in rows}

		filling = [stage("Text", f"Filling {number}", text="x" * 300) for number in range(3)]
		self.make("Late", [*filling, hit(4)])
		self.make("Behind a large one", [stage("Text", text="x" * 2_000), hit(2)])
		self.make("Soon", [filling[0], hit(2)])
		everything = {
			"Soon": ("Stage 2", True),
			"Behind a large one": ("Stage 2", True),
			"Late": ("Stage 4", True),
		}
		self.assertEqual(excerpts(), everything)
		with patch.object(finding, "_OF_A_LESSON", 1_000):
			self.assertEqual(excerpts(), {**everything, "Late": ("", False)})
		with patch.object(finding, "_OF_AN_ANSWER", 1_000):
			self.assertEqual(
				excerpts(),
				{"Soon": ("Stage 2", True), "Behind a large one": ("", False), "Late": ("", False)},
			)

	def test_an_answer_takes_two_statements_and_has_an_end(self) -> None:
		for number in range(22):
			self.make(f"Many {number}", [stage("Text", text="plenty of it")])
		with statements() as seen:
			answer = outline.search("plenty")
		self.assertEqual((len(answer["rows"]), answer["more"]), (20, True))
		self.assertLessEqual(len([one for one in seen if "tabDocShare" not in one]), 2)
		for nothing in ("", "a", "+-*()<>~\"'@", "%%%s", "\\"):
			self.assertEqual(outline.search(nothing), {"rows": [], "more": False})
