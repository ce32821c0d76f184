"""What the editor of stages asks the server while someone types."""

from __future__ import annotations

import json
from typing import Any

import frappe

from memora.api import stages
from memora.tests.helpers.factories import make_lesson
from memora.tests.helpers.frappe_versions import set_in_test
from memora.tests.helpers.payloads import HOSTILE, TEXTS
from memora.tests.helpers.utils import MemoraTestCase, messages


def _said(type_: str, config: Any) -> list[tuple[list[Any], str, str]]:
	text = config if config is None or isinstance(config, str) else json.dumps(config)
	return [
		(finding["path"], finding["severity"], finding["text"].format(*finding["about"]))
		for finding in stages.check(json.dumps({"type": type_, "config": text}))
	]


class TestCheck(MemoraTestCase):
	def test_each_finding_names_its_field(self):
		config = {"question": "?", "choices": ["a", ""], "answer": "a", "own": 1}
		found = _said("Question", config)
		self.assertEqual(
			[(path, severity) for path, severity, _text in found],
			[(["choices", 1], "broken"), (["own"], "warning")],
		)
		self.assertEqual(_said("Text", {"html": "<p>a</p>"}), [])

	def test_json_with_a_mistake_is_said_with_line_and_column(self):
		[(path, severity, text)] = _said("Text", '{\n "html": oh\n}')
		self.assertEqual((path, severity), ([], "broken"))
		self.assertIn("line 2, column 10", text)

	def test_nothing_is_what_a_new_stage_holds(self):
		for type_ in ("Video", "Question", "Text"):
			self.assertTrue(_said(type_, None))
			self.assertEqual(_said(type_, None), _said(type_, "{}"))

	def test_it_is_in_the_callers_language(self):
		frappe.local.lang = "ar"
		try:
			[(_path, _severity, text), *_more] = _said("Video", None)
		finally:
			frappe.local.lang = "en"
		self.assertRegex(text, "[\u0600-\u06ff]")

	def test_whatever_is_typed_comes_back_as_text(self):
		for payload in HOSTILE:
			found = _said("Question", {"question": "?", "choices": ["a", "b"], "answer": payload})
			self.assertTrue(found, payload)

	def test_files_that_learners_would_not_get_are_said_at_their_field(self):
		config = {
			"video_url": "https://e.example/a.mp4",
			"poster": "/files/none.png",
			"captions": [
				{"src": "https://e.example/a.vtt", "lang": "ar", "label": "a"},
				{"src": "/private/files/a.vtt", "lang": "en", "label": "b"},
			],
		}
		self.assertEqual(
			[(path, severity, text.partition(".")[0]) for path, severity, text in _said("Video", config)],
			[
				(["poster"], "warning", "“/files/none"),
				(["captions", 1, "src"], "warning", "“/private/files/a"),
			],
		)
		html = '<img src="/files/none.png" alt=""><a href="sheet.pdf">a</a><a href="https://e.example">b</a>'
		found = _said("Text", {"html": html})
		self.assertEqual([path for path, _severity, _text in found], [["html"]] * 2)
		self.assertIn("is no public file of this site", found[0][2])
		self.assertIn("leads to nothing that learners can reach", found[1][2])

	def test_what_is_no_text_is_refused(self):
		for config in ({}, [], 7, True):
			with self.assertRaises(frappe.ValidationError):
				stages.check(json.dumps({"type": "Text", "config": config}))

	def test_only_editors_may_ask(self):
		frappe.set_user("Guest")
		set_in_test(False)  # else Frappe lets everyone in
		try:
			with self.assertRaises(frappe.PermissionError):
				stages.check("{}")
		finally:
			set_in_test(True)
			frappe.set_user("Administrator")


ODD = '{ "text" : "\\u0661 ﹤ ﹥ <b>", "own": 1.50 }'


class TestSaving(MemoraTestCase):
	def setUp(self):
		super().setUp()
		stage = {"title": "Read", "type": "Text", "config": ODD}
		self.lesson = make_lesson(stages=[stage, {**stage, "title": "Again"}])

	def row(self, place: int = 0) -> Any:
		return frappe.get_doc("Memora Lesson", self.lesson.name).stages[place]

	def test_a_stage_is_opened_to_the_byte(self):
		found = stages.read(self.row().name)
		self.assertEqual(found["stage"]["config"], ODD)
		self.assertEqual((found["lesson"], found["is_published"]), (self.lesson.name, False))

	def test_it_is_saved_whole_and_alone(self):
		seen = stages.read(self.row().name)["stage"]["seen"]
		config = ODD.replace("1.50", "2.50")
		frappe.clear_messages()
		stage = {"name": self.row().name, "title": "Read on", "type": "Text", "config": config}
		answer = stages.save(self.lesson.name, stage, seen)
		self.assertEqual((self.row().title, self.row().config), ("Read on", config))
		self.assertEqual(answer["row"]["title"], "Read on")
		self.assertEqual(answer["stage"], stages.read(self.row().name)["stage"])
		self.assertEqual((self.row(1).title, self.row(1).config), ("Again", ODD))
		self.assertEqual(messages(), "")  # the editor has said what of it learners do not see

	def test_what_someone_else_has_changed_is_left_alone(self):
		seen = stages.read(self.row().name)["stage"]["seen"]
		doc = frappe.get_doc("Memora Lesson", self.lesson.name)
		doc.stages[0].config = '{"text": "theirs"}'
		doc.save()
		stage = {"name": self.row().name, "title": "Read", "type": "Text", "config": '{"text": "mine"}'}
		answer = stages.save(self.lesson.name, stage, seen)
		self.assertEqual(answer["changed"]["config"], '{"text": "theirs"}')
		self.assertEqual(self.row().config, '{"text": "theirs"}')
		stages.save(self.lesson.name, stage, answer["changed"]["seen"])
		self.assertEqual(self.row().config, '{"text": "mine"}')

	def test_what_a_saved_draft_lacks_is_listed(self):
		frappe.clear_messages()
		stages.save(self.lesson.name, {"title": "Ask", "type": "Question", "config": '{"question": "?"}'})
		self.assertIn("“Ask”", messages())

	def test_what_is_not_given_stays(self):
		found = stages.read(self.row().name)["stage"]
		stages.save(self.lesson.name, {"name": found["name"], "title": "Read on"}, found["seen"])
		self.assertEqual((self.row().title, self.row().type, self.row().config), ("Read on", "Text", ODD))
		seen = stages.read(found["name"])["stage"]["seen"]
		stages.save(self.lesson.name, {"name": found["name"], "config": '{"text": "a"}'}, seen)
		self.assertEqual((self.row().title, self.row().config), ("Read on", '{"text": "a"}'))

	def test_a_new_one_goes_behind_another(self):
		stage = {"title": "Between", "type": "Text", "config": ODD}
		answer = stages.save(self.lesson.name, stage, after=self.row().name)
		titles = [row.title for row in frappe.get_doc("Memora Lesson", self.lesson.name).stages]
		self.assertEqual(titles, ["Read", "Between", "Again"])
		self.assertEqual(answer["row"]["idx"], 2)

	def test_a_published_lesson_takes_none_that_learners_cannot_use(self):
		frappe.get_doc("Memora Lesson", self.lesson.name).update({"is_published": 1}).save()
		stage = {"title": "Ask", "type": "Question", "config": '{"question": "?"}'}
		with self.assertRaises(frappe.ValidationError):
			stages.save(self.lesson.name, stage)
		stages.save(self.lesson.name, {**stage, "config": '{"question": "?", "answer": "a"}'})
		self.assertEqual(self.row(2).title, "Ask")

	def test_titles_are_as_they_were_typed(self):
		for text in TEXTS[:40]:
			title = text.strip()[:100]
			if not title:
				continue
			answer = stages.save(self.lesson.name, {"title": title, "type": "Text", "config": ODD})
			self.assertEqual(stages.read(answer["stage"]["name"])["stage"]["title"], title)

	def test_what_is_gone_is_said(self):
		for call in (
			lambda: stages.read("no such stage"),
			lambda: stages.save(self.lesson.name, {"name": "no such stage", "title": "a", "type": "Text"}),
			lambda: stages.save("no such lesson", {"title": "a", "type": "Text"}),
		):
			with self.assertRaises(frappe.DoesNotExistError):
				call()

	def test_a_config_that_is_no_text_is_refused(self):
		with self.assertRaises(frappe.ValidationError):
			stages.save(self.lesson.name, {"title": "a", "type": "Text", "config": {"text": "a"}})
