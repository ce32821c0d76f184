"""Files that texts name: made of what is pasted, and there for as long as a text or the trash names them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from unittest.mock import patch

import frappe

from memora.patches import attach_named_files
from memora.services.course_outline import attachments, inline_pictures, trash_restoring
from memora.tests.helpers.files import PLACE, PNG, RUNNING_SVG, photo
from memora.tests.helpers.files_of_content import TextsTestCase
from memora.tests.helpers.statements import statements
from memora.tests.helpers.users import make_user
from memora.tests.helpers.utils import messages

TRASH = "Deleted Document"


class TestLife(TextsTestCase):
	def test_a_file_outlives_its_document_while_another_text_names_it(self) -> None:
		other = self.course["lessons"][1]
		first = self.new_lesson()
		url = self.picture_in(first, b"life")
		self.stage(other, {"html": f'<p><img src="{url}" alt=""></p>'})  # as pasted, by hand
		self.publish()
		path = self.at(other, PNG + b"life")
		frappe.delete_doc("Memora Lesson", first.name)
		frappe.db.delete(TRASH, {"deleted_name": first.name})
		frappe.db.commit()
		attachments.daily()
		self.assertTrue(self.there(url))
		self.assertEqual(self.rows(url), [("Memora Lesson", other.name)])
		self.publish()
		self.assertEqual(self.files_of(first), set())
		self.assertEqual(self.files_of(other), {path})
		self.assertEqual(self.configs(other), [{"html": f'<p><img src="{path}" alt=""></p>'}])
		self.check()

	def test_a_photo_is_the_same_file_for_every_document_that_names_it(self) -> None:
		first, second = self.new_lesson(), self.course["lessons"][1]
		file = {"doctype": "File", "file_name": "photo.jpg", "content": photo((40, 30)), "is_private": 0}
		to = {"attached_to_doctype": "Memora Lesson", "attached_to_name": first.name}
		url = frappe.get_doc({**file, **to}).insert().file_url
		self.addCleanup(self.drop_files_of, second)
		for lesson in (first, second, second):
			self.stage(lesson, {"html": f'<p><img src="{url}" alt=""></p>'})
		expected = sorted([("Memora Lesson", first.name), ("Memora Lesson", second.name)])
		self.assertEqual(self.rows(url), expected)
		self.assertEqual(frappe.db.count("File", {"attached_to_name": second.name}), 1)

	def test_a_file_that_frappe_would_not_attach_again_fails_no_save(self) -> None:
		url = self.picture_in(self.new_lesson(), b"folder")
		frappe.db.set_value("File", {"file_url": url}, "folder", "Home/Gone")  # by somebody's script
		other = self.course["lessons"][1]
		frappe.clear_messages()
		self.stage(other, {"html": f'<p><img src="{url}" alt=""></p>'})
		self.assertNotIn("Gone", messages())
		self.assertIn(url, self.config(other)["html"])
		self.assertEqual(len(self.rows(url)), 2)

	def test_it_outlives_its_document_while_the_trash_names_it_and_comes_back_with_it(self) -> None:
		lesson = self.new_lesson()
		url = self.picture_in(lesson, b"trash")
		unit = self.course["units"][0]
		self.publish()
		path = self.at(lesson, PNG + b"trash")
		self.assertEqual(self.files_of(lesson), {path})
		frappe.delete_doc("Memora Lesson", lesson.name)
		frappe.db.commit()
		attachments.daily()
		self.publish()
		self.assertTrue(self.there(url))
		self.assertEqual(self.files_of(lesson), set())
		entry = frappe.db.get_value(TRASH, {"deleted_name": lesson.name})
		trash_restoring.restore(entry)
		self.change(lesson, is_published=1)
		self.assertEqual(self.rows(url), [("Memora Lesson", lesson.name)])
		self.publish()
		self.assertEqual(self.files_of(lesson), {path})
		self.assertEqual(self.read_bytes(path), PNG + b"trash")
		self.check()
		self.assertTrue(unit)

	def test_it_goes_when_nothing_names_it_any_more(self) -> None:
		lesson = self.new_lesson()
		url = self.picture_in(lesson, b"gone")
		unnamed = self.attached(
			PNG + b"unnamed", attached_to_doctype="Memora Lesson", attached_to_name=lesson.name
		).file_url
		frappe.delete_doc("Memora Lesson", lesson.name)
		frappe.db.commit()
		attachments.daily()
		self.assertEqual((self.there(url), self.there(unnamed)), (True, True), "in the trash")
		frappe.db.delete(TRASH, {"deleted_name": lesson.name})
		frappe.db.commit()
		attachments.daily()
		self.assertEqual((self.there(url), self.there(unnamed)), (False, False))
		self.assertEqual(self.rows(url), [])

	def test_an_address_that_is_written_with_characters_by_number_is_one(self) -> None:
		first, other = self.new_lesson(), self.course["lessons"][1]
		url = self.picture_in(first, b"entity")
		self.addCleanup(self.drop_files_of, other)
		for written in (url.replace("f", "&#102;", 1), url.replace("f", "\\u0066", 1)):
			with self.subTest(written):
				self.drop_files_of(other)
				self.change(other, stages=[])
				config = json.dumps({"html": f"<img src='{written}' alt=''>"}).replace("\\\\u", "\\u")
				self.change(other, stages=[{"title": "s", "type": "Text", "config": config}])
				self.assertIn(("Memora Lesson", other.name), self.rows(url))

	def test_a_picture_of_what_is_deleted_is_withdrawn_at_once_though_the_trash_keeps_its_file(self) -> None:
		lesson = self.new_lesson()
		to = {
			"attached_to_doctype": "Memora Lesson",
			"attached_to_name": lesson.name,
			"attached_to_field": "image",
		}
		url = self.attached(PNG + b"cover", **to).file_url
		self.change(lesson, image=url)
		self.publish()
		picture = self.read(f"lessons/{lesson.name}.json")["image"]
		frappe.delete_doc("Memora Lesson", lesson.name)
		self.publish()
		self.assertNotIn(picture, self.paths())
		self.assertTrue(self.there(url))
		trash_restoring.restore(frappe.db.get_value(TRASH, {"deleted_name": lesson.name}))
		self.change(lesson, is_published=1)
		self.publish()
		self.assertEqual(self.read_bytes(self.read(f"lessons/{lesson.name}.json")["image"]), PNG + b"cover")

	def test_an_attachment_that_is_removed_from_one_stays_with_the_other_that_names_it(self) -> None:
		other = self.course["lessons"][1]
		url = self.picture_in(self.lesson, b"side")
		self.stage(other, {"html": f'<img src="{url}">'})
		self.publish()
		frappe.delete_doc("File", frappe.db.get_value("File", {"attached_to_name": self.lesson.name}))
		frappe.db.commit()
		self.publish()
		self.assertTrue(self.there(url))
		self.assertEqual(self.files_of(other), {self.at(other, PNG + b"side")})
		self.addCleanup(self.drop_files_of, other)

	def test_made_private_it_is_withdrawn_from_every_lesson_that_names_it(self) -> None:
		other = self.course["lessons"][1]
		url = self.picture_in(self.lesson, b"private")
		self.stage(other, {"html": f'<img src="{url}">'})
		self.publish()
		self.assertEqual(len(self.files_of(self.lesson) | self.files_of(other)), 2)
		file = frappe.get_doc("File", {"attached_to_name": other.name})
		file.is_private = 1
		file.save()
		self.publish()
		self.assertEqual(self.files_of(self.lesson) | self.files_of(other), set())
		self.assertEqual(self.failures(), {})
		self.addCleanup(self.drop_files_of, other)

	def test_a_stage_that_is_removed_takes_its_file_along_after_the_grace(self) -> None:
		self.picture_in(self.lesson, b"stage")
		self.publish()
		self.change(self.lesson, stages=[])
		self.publish()
		self.check(leaving=[self.at(self.lesson, PNG + b"stage")])
		self.minutes_pass(20)
		self.tick()
		self.assertEqual(self.files_of(self.lesson), set())
		self.check()

	def test_texts_from_before_get_what_they_name(self) -> None:
		other = self.course["lessons"][1]
		url = self.picture_in(self.lesson, b"before")
		config = json.dumps({"html": f'<img src="{url}">'})
		self.stage(other, {"text": "x"})
		frappe.db.set_value("Memora Lesson Stage", {"parent": other.name}, "config", config)
		for _ in range(2):
			attach_named_files.execute()
		self.assertEqual(
			self.rows(url), sorted([("Memora Lesson", self.lesson.name), ("Memora Lesson", other.name)])
		)
		self.addCleanup(self.drop_files_of, other)

	def test_a_private_file_that_the_editor_may_not_read_is_not_given_to_their_lesson(self) -> None:
		secret = self.attached(
			PNG + b"secret", is_private=1, attached_to_doctype="User", attached_to_name="Administrator"
		)
		editor = make_user(self, "editor@texts.test", "Memora Editor")
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.set_user(editor)
		self.stage(self.lesson, {"html": f'<img src="{secret.file_url}">'})
		self.assertEqual(self.rows(secret.file_url), [("User", "Administrator")])

	def test_what_was_uploaded_into_a_form_that_nobody_saved_goes_after_a_month(self) -> None:
		to = {"attached_to_doctype": "Memora Lesson", "attached_to_name": "new-memora-lesson-abc"}
		young, old = self.attached(PNG + b"young", **to), self.attached(PNG + b"old", **to)
		frappe.db.set_value("File", old.name, "creation", "2020-01-01")
		frappe.db.commit()
		attachments.daily()
		self.assertEqual((self.there(young.file_url), self.there(old.file_url)), (True, False))

	def test_a_save_whose_stages_name_no_file_costs_nothing_for_it(self) -> None:
		self.lesson.reload()
		self.lesson.append(
			"stages",
			{"title": "s", "type": "Text", "config": '{"html": "<p><img src=\\"https://e/a.png\\"></p>"}'},
		)
		with patch.object(attachments.orjson, "loads") as loads, statements() as seen:
			self.lesson.save()
			loads.assert_not_called()
		self.assertEqual([each for each in seen if "tabFile" in each], [])


class TestPasted(TextsTestCase):
	def data(self, content: bytes, kind: str = "jpeg") -> str:
		return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(self.drop_files_of, self.lesson)

	def test_pictures_in_a_text_become_files_when_it_is_saved(self) -> None:
		content = photo((2400, 1200), 1)
		html = f"""<p>a<img alt="One & 'two'" src='{self.data(content)}'> <img src="{self.data(content)}" alt="b"></p>"""
		self.stage(self.lesson, {"html": html, "x": 1.50})
		(row,) = frappe.get_all("File", {"attached_to_name": self.lesson.name}, ["file_url", "is_private"])
		self.assertEqual(
			self.config(self.lesson),
			{
				"html": f"""<p>a<img alt="One & 'two'" src='{row.file_url}'> <img src="{row.file_url}" alt="b"></p>""",
				"x": 1.5,
			},
		)
		self.assertEqual(row.is_private, 0)
		kept = Path(frappe.get_site_path("public", *row.file_url.split("/"))).read_bytes()
		self.assertNotIn(PLACE, kept)
		self.assertLess(len(kept), len(content))
		self.publish()
		self.assertEqual(len(self.files_of(self.lesson)), 1)
		self.assertNotIn("data:image", json.dumps(self.configs(self.lesson)))

	def test_in_a_new_lesson_and_in_a_row_of_its_own_too(self) -> None:
		new = self.new_lesson({"html": f'<img src="{self.data(photo((30, 20)))}">'})
		self.addCleanup(self.drop_files_of, new)
		row = frappe.get_doc("Memora Lesson Stage", {"parent": new.name})
		self.assertNotIn("data:", row.config)
		row.config = json.dumps({"html": f'<img src="{self.data(photo((50, 20)))}">'})
		row.save()
		self.assertNotIn("data:", self.config(new)["html"])
		self.assertEqual(frappe.db.count("File", {"attached_to_name": new.name}), 2)

	def test_every_field_of_markup_and_the_poster_but_no_code(self) -> None:
		data = self.data(photo((30, 20)))
		html = f'<img src="{data}">'
		question = {
			"instructions": html,
			"choices": ["a", "b"],
			"answer": "a",
			"hint": html,
			"explanation": html,
		}
		interactive = {
			"instructions": "<p>x</p>",
			"files": [{"name": "a.html", "content": html}],
			"tests": [{"text": html}],
		}
		video = {"video_url": "https://e/a.mp4", "poster": data}
		self.change(
			self.lesson,
			stages=[
				{"title": "s", "type": type_, "config": json.dumps(config)}
				for type_, config in (("Question", question), ("Interactive", interactive), ("Video", video))
			],
		)
		saved = [json.loads(row.config) for row in frappe.get_doc("Memora Lesson", self.lesson.name).stages]
		self.assertEqual(saved[1]["files"][0]["content"], html)
		saved[1]["files"][0]["content"] = ""
		self.assertNotIn("data:", json.dumps(saved))
		self.assertTrue(saved[2]["poster"].startswith("/files/picture-"))

	def test_what_no_file_can_be_made_of_stays_and_is_said(self) -> None:
		svg = self.data(RUNNING_SVG, "svg+xml")
		for url, why in (
			(svg, "more than shapes and text"),
			("data:image/png;base64,iVBO", "no PNG file inside"),
			("data:image/bmp;base64,Qk0=", "of a type that is not published"),
		):
			with self.subTest(why):
				frappe.clear_messages()
				self.stage(self.lesson, {"html": f'<p><img src="{url}"></p>'})
				self.assertIn(why, messages())
				self.assertIn(self.lesson.title, messages())
				self.assertEqual(self.config(self.lesson), {"html": f'<p><img src="{url}"></p>'})

	def test_a_picture_that_the_sites_own_rules_refuse_fails_no_save(self) -> None:
		html = f'<p><img src="{self.data(photo((30, 20)))}"></p>'
		with patch.dict(frappe.conf, max_file_size=10):
			self.stage(self.lesson, {"html": html})
		self.assertEqual(self.config(self.lesson), {"html": html})
		self.assertIn("is not taken by this site", messages())

	def test_of_very_many_the_first_become_files_and_the_next_save_goes_on(self) -> None:
		with patch.object(inline_pictures, "_MOST", 2):
			pictures = "".join(f'<img src="{self.data(photo((30, 20 + n)))}">' for n in range(3))
			self.stage(self.lesson, {"html": pictures})
			self.assertIn("more than 2", messages())
			self.assertEqual(self.config(self.lesson)["html"].count("data:"), 1)
			self.stage(self.lesson, self.config(self.lesson))
			self.assertEqual(self.config(self.lesson)["html"].count("data:"), 0)

	def test_the_number_of_new_files_is_one_for_all_stages_of_a_save(self) -> None:
		with patch.object(inline_pictures, "_MOST", 2):
			htmls = [f'<img src="{self.data(photo((30, 30 + n)))}">' for n in range(3)]
			stages = [{"title": "s", "type": "Text", "config": json.dumps({"html": html})} for html in htmls]
			self.change(self.lesson, stages=stages)
		saved = frappe.get_doc("Memora Lesson", self.lesson.name).stages
		self.assertEqual(["data:" in stage.config for stage in saved], [False, False, True])

	def test_nothing_is_left_of_a_save_that_is_refused(self) -> None:
		files = {path.name for path in Path(frappe.get_site_path("public", "files")).iterdir()}
		before = frappe.db.count("File")
		with self.assertRaises(frappe.ValidationError):
			self.stage(self.lesson, {"html": f'<img src="{self.data(photo((30, 20)))}">'}, [])
		frappe.db.rollback()
		self.assertEqual(frappe.db.count("File"), before)
		self.assertEqual(
			{path.name for path in Path(frappe.get_site_path("public", "files")).iterdir()}, files
		)

	def test_a_text_without_any_is_not_parsed_for_it(self) -> None:
		config = '{"html":   "<p>x</p>"}'
		with patch.object(inline_pictures.exact_json, "loads") as loads:
			self.assertEqual(
				inline_pictures.to_files("Memora Lesson", self.lesson.name, "Text", config), (config, {})
			)
			loads.assert_not_called()
