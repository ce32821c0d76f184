"""A file that is uploaded into a stage: looked at as a build will, a picture small and without notes, and for whom."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import frappe
from PIL import Image

from memora.install import ADMIN, EDITOR
from memora.tests.helpers import factories
from memora.tests.helpers.files import PDF, PLACE, RUNNING_SVG, SVG, pdf, photo
from memora.tests.helpers.files_of_content import FilesTestCase
from memora.tests.helpers.web import Web

NOBODY = "Desk User"


class UploadTestCase(FilesTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.web = Web()
		cls.users = {
			role: cls.web.make_user(f"{frappe.scrub(role)}@files.test", *([] if role == NOBODY else [role]))
			for role in (EDITOR, ADMIN, "System Manager", NOBODY)
		}
		cls.addClassCleanup(frappe.db.commit)
		for user in cls.users.values():
			cls.addClassCleanup(frappe.delete_doc, "User", user, force=True, ignore_permissions=True)

	def upload(
		self, file_name: str, content: bytes, role: str = EDITOR, doctype: str = "", name: str = ""
	) -> Any:
		"""The answer; what was made goes with the test."""
		frappe.db.commit()
		answer = self.web.ask(
			self.users.get(role, role),
			"POST",
			"/api/method/memora.api.stage_files.upload",
			data={
				"doctype": doctype or "Memora Lesson",
				"name": name or self.lesson.name,
				"file": (io.BytesIO(content), file_name),
			},
		)
		frappe.db.rollback()
		if answer.status_code == 200:
			self.addCleanup(self.drop, answer.json["message"]["file_url"])
		return answer

	def drop(self, url: str) -> None:
		for file in frappe.get_all("File", {"file_url": url}, pluck="name"):
			frappe.delete_doc("File", file, ignore_permissions=True)
		frappe.db.commit()

	def uploaded(self, file_name: str, content: bytes, **options: Any) -> str:
		"""The address of a file that was taken."""
		answer = self.upload(file_name, content, **options)
		self.assertEqual(answer.status_code, 200, answer.get_data(as_text=True))
		return answer.json["message"]["file_url"]

	def content(self, url: str) -> bytes:
		return Path(frappe.get_site_path("public", *url.split("/"))).read_bytes()


class TestUpload(UploadTestCase):
	def test_a_photo_is_small_upright_and_says_nothing_of_its_place(self) -> None:
		content = photo()
		url = self.uploaded("IMG 0001.JPG", content)
		kept = self.content(url)
		self.assertLess(len(kept), len(content))
		self.assertNotIn(PLACE, kept)
		image = Image.open(io.BytesIO(kept))
		self.assertEqual(dict(image.getexif()), {})
		width, height = image.size
		self.assertLess(width, height)
		self.assertEqual(height, 1920)
		red, _, blue = image.getpixel((width - 50, height // 2))
		self.assertGreater(red, 180)
		self.assertLess(blue, 90)
		self.stage(self.lesson, {"html": f'<p><img src="{url}" alt=""></p>'})
		self.publish()
		path = self.at(self.lesson, kept, "jpg")
		self.assertEqual(self.configs(self.lesson), [{"html": f'<p><img src="{path}" alt=""></p>'}])
		self.assertEqual(self.read_bytes(path), kept)

	def test_sound_captions_documents_and_drawings_are_kept_as_they_are(self) -> None:
		for name, content in (
			("a.pdf", pdf()),
			("b.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\n\xd9\x85\n"),
			("c.mp3", b"ID3\x04\x00\x00\x00"),
			("d.svg", SVG),
		):
			with self.subTest(name):
				url = self.uploaded(name, content)
				self.assertEqual(self.content(url), content)
				file = frappe.get_doc("File", {"file_url": url})
				self.assertEqual(
					(file.is_private, file.attached_to_doctype, file.attached_to_name),
					(0, "Memora Lesson", self.lesson.name),
				)

	def test_nobody_guesses_its_address_and_nothing_in_it_means_something_else(self) -> None:
		for name, stem in (
			("Work sheet #1 & <b>.pdf", "Work-sheet-1-b-"),
			("ورقة عمل.pdf", "ورقة-عمل-"),
			("../../site_config.pdf", "site-config-"),
			("'><img src=x onerror=alert(1)>.pdf", "img-src-x-onerror-alert-1-"),
			(f"{'x' * 400}.pdf", f"{'x' * 60}-"),
			("….pdf", "file-"),
		):
			with self.subTest(name):
				url = self.uploaded(name, pdf(name))
				self.assertRegex(url, rf"^/files/{stem}[0-9a-z]{{16}}\.pdf$")

	def test_what_a_build_would_not_publish_is_refused_and_said(self) -> None:
		self.configure(largest_file_mb=1)
		for name, content, why in (
			("a.html", b"<p>", "of a type that is not published"),
			("a", b"x", "of a type that is not published"),
			("a.svg", RUNNING_SVG, "more than shapes and text"),
			("a.png", b"<script>", "no PNG file inside"),
			("a.png", b"\x89PNG\r\n\x1a\n", "no PNG file inside"),
			("a.pdf", PDF + b"x" * 1_000_001, "more than 1 MB"),
		):
			with self.subTest(name, why=why):
				before = frappe.db.count("File")
				answer = self.upload(name, content)
				self.assertEqual(answer.status_code, 417)
				self.assertIn(why, answer.get_data(as_text=True))
				self.assertEqual(frappe.db.count("File"), before)
		kept = self.content(self.uploaded("large.jpg", photo()))  # what is kept of it counts
		self.assertLess(len(kept), 1_000_000)

	def test_a_damaged_pdf_is_taken_or_refused_in_a_sentence(self) -> None:
		"""Frappe reads them from v17 on."""
		answer = self.upload("a.pdf", PDF)
		if answer.status_code != 200:
			self.assertEqual(answer.status_code, 417)
			self.assertIn("no PDF file inside", answer.get_data(as_text=True))

	def test_only_who_may_write_the_document(self) -> None:
		for role, status in (
			(EDITOR, 200),
			("System Manager", 200),
			(ADMIN, 403),
			(NOBODY, 403),
			("Guest", 403),
		):
			with self.subTest(role):
				self.assertEqual(self.upload("a.pdf", pdf(role), role).status_code, status)
		for doctype, name, status in (
			("Memora Lesson", "none", 404),
			("User", "Administrator", 417),
			("CDN Settings", "CDN Settings", 417),
			("Memora Unit", self.course["units"][0].name, 200),
			("Memora Lesson", "new-memora-lesson-1", 200),
			("User", "new-user-1", 417),
		):
			with self.subTest(doctype, name=name):
				answer = self.upload("a.pdf", pdf(name), EDITOR, doctype, name)
				self.assertEqual(answer.status_code, status, answer.get_data(as_text=True))
		got = self.web.ask(self.users[EDITOR], "GET", "/api/method/memora.api.stage_files.upload")
		self.assertEqual(got.status_code, 403)
		frappe.db.commit()
		url = "/api/method/memora.api.stage_files.upload"
		data = {"doctype": "Memora Lesson", "name": self.lesson.name}
		self.assertEqual(self.web.ask(self.users[EDITOR], "POST", url, data=data).status_code, 417)

	def test_what_was_uploaded_before_its_lesson_was_saved_belongs_to_it_then(self) -> None:
		new = "new-memora-lesson-1"
		url = self.uploaded("a.pdf", pdf("new"), name=new)
		frappe.set_user(self.users[EDITOR])
		self.addCleanup(frappe.set_user, "Administrator")
		lesson = factories.make_lesson(
			parent_topic=self.course["topics"][0].name,
			stages=[{"title": "s", "type": "Text", "config": f'{{"html": "<a href=\\"{url}\\">x</a>"}}'}],
		)
		rows = frappe.get_all("File", {"file_url": url}, pluck="attached_to_name")
		self.assertEqual(rows, [lesson.name])
