"""The site's files that content names: which are published and where, and that they go with what names them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import frappe
from frappe.model.document import Document

from memora.patches import keep_published_files
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin.doctor import content as content_checks
from memora.services.cdn_export.builds import media_removal
from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import adoption, audit, daily, repair
from memora.services.cdn_export.model import paths, stage_files
from memora.services.cdn_export.model.stage_files import Link
from memora.services.cdn_export.outbox import reconciliation
from memora.services.cdn_export.rules import file_types
from memora.services.cdn_export.state import site_key
from memora.tests.helpers import factories
from memora.tests.helpers.files import PDF, PNG, RUNNING_SVG, SVG
from memora.tests.helpers.files_of_content import FilesTestCase
from memora.tests.helpers.publishing import make_course
from memora.tests.helpers.statements import statements
from memora.tests.helpers.utils import messages

ALIKE = [
	("Map", "map"),
	("Café", "Cafe"),
	("Caf\u00e9", "Cafe\u0301"),
	("straße", "strasse"),
	("كتاب", "كِتاب"),
	("أحمد", "احمد"),
	("🙂", "🙃"),
	("x ", "x"),
	("ａ", "a"),
]
"""Names that MariaDB takes for one."""


class TestPictures(FilesTestCase):
	def test_an_attached_picture_is_public_by_default(self) -> None:
		from frappe.modules.utils import get_module_path

		for file in Path(get_module_path("Memora"), "doctype").glob("*/*.json"):
			doctype = json.loads(file.read_text())
			if any(
				field.get("fieldtype") in ("Attach", "Attach Image") for field in doctype.get("fields", ())
			):
				self.assertTrue(frappe.get_meta(doctype["name"]).make_attachments_public, doctype["name"])

	def test_names_that_mariadb_takes_for_one_are_two_pictures(self) -> None:
		other = make_course()
		factories.make_plan([other["subject"]], is_published=1)
		for number, (one, two) in enumerate(ALIKE):
			with self.subTest(one=one, two=two):
				a, b = PNG + b"a%d" % number, PNG + b"b%d" % number
				self.change(self.course["track"], is_published=1, image=self.file(f"{one}.png", a))
				self.change(other["lessons"][0], image=self.file(f"{two}.png", b))
				self.publish()
				self.change(self.course["track"], is_published=0)
				self.publish()
				self.assertEqual(self.failures(), {})
				self.assertNotIn(f"media/{hashlib.sha256(a).hexdigest()}.png", self.paths())
				self.assertIn(f"media/{hashlib.sha256(b).hexdigest()}.png", self.paths())

	def test_a_picture_is_published_whatever_its_name(self) -> None:
		for name in (
			"Chart%201.png",
			"Chart 2.png",
			"Chart%25203.png",
			"100%.png",
			"C# a.png",
			"what?.png",
			"a+b.png",
			'it\'s "quoted".png',
			"مخطط ١.png",
			"Caf\u00e9.png",
			"Cafe\u0301.png",
			"a&amp;b.png",
			"semi;colon,comma.png",
			"back\\slash.png",
			"<img src=x onerror=alert(1)>.png",
			"\ufe64\ufe65.png",
			"🙂.PNG",
			"x" * 251 + ".png",
		):
			with self.subTest(name):
				content = PNG + name.encode()
				url = self.file(name, content)
				if not set(name) & set('<>"'):  # which a form of Frappe's would show as markup
					self.change(self.lesson, image=url)
					self.publish()
					self.assertEqual(self.failures(), {})
					self.assertEqual(self.picture_of(self.lesson), content)
				self.stage(
					self.lesson,
					{
						"image": f"/files/{name}",
						"body": f'<img src="{frappe.utils.get_url()}/files/{quote(name)}">',
					},
				)
				self.publish()
				(config,) = self.configs(self.lesson)
				path = self.at(self.lesson, content)
				self.assertEqual(config, {"image": path, "body": f'<img src="{path}">'})

	def test_what_files_are_called_is_no_markup_in_the_desk(self) -> None:
		name = "<img src=x onerror=alert(1)>.png"
		self.stage(self.lesson, {"image": self.file(name)})
		self.publish()
		self.assertEqual(self.files_of(self.lesson), {self.at(self.lesson, PNG)})
		self.assertNotIn("<", " ".join(frappe.get_all("CDN Media", pluck="file_url")))
		frappe.db.sql(
			"update `tabCDN Media` set file_url = %s", (f"/files/{name}",)
		)  # as earlier releases had it
		keep_published_files.execute()
		self.assertNotIn("<", " ".join(frappe.get_all("CDN Media", pluck="file_url")))
		Path(frappe.get_site_path("public", "files", name)).unlink()  # found by its name, also to go
		reconciliation.hourly()
		self.publish()
		self.assertEqual(self.files_of(self.lesson), set())

	def test_a_save_looks_at_so_many_links_and_no_more(self) -> None:
		url = self.file("memora-many.svg", SVG)
		body = "".join(f'<img src="{url}?{number}">' for number in range(2000)) + "/files/x " * 2000
		with patch.object(file_types, "judge", wraps=file_types.judge) as judge:
			self.stage(self.lesson, {"body": body})
		self.assertLessEqual(judge.call_count, 100)

	def test_an_encoded_address_of_a_plain_name_is_published_too(self) -> None:
		self.change(self.lesson, image=self.file("Chart 1.png").replace(" ", "%20"))
		self.publish()
		self.assertEqual(self.picture_of(self.lesson), PNG)
		self.change(self.lesson, is_published=0)
		self.publish()
		self.assertEqual({path for path in self.paths() if path.startswith("media/")}, set())

	def test_a_name_that_no_file_can_have_fails_nobody(self) -> None:
		for url in (
			"/files/%00.png",
			"/files/\ud800",
			"/files/" + "y" * 5000,
			"/files/",
			"/files/.",
			"/files/../files/",
		):
			with self.subTest(url[:20]):
				try:
					self.change(self.lesson, image=url)
				except (frappe.ValidationError, UnicodeError, *frappe.db.ProgrammingError.__mro__[:1]):
					continue
				self.publish()
				self.assertEqual(self.failures(), {})

	def test_what_is_no_picture_is_left_out_and_said_when_it_is_saved(self) -> None:
		html = b"<script>alert(1)</script>"
		for name, content in (
			("a.html", html),
			("a.xhtml", html),
			("a.js", html),
			("a.php", html),
			("a.png", html),
			("a.svg", RUNNING_SVG),
			("a.pdf", PDF),
			("none", PNG),
		):
			with self.subTest(name):
				frappe.clear_messages()
				self.change(self.lesson, image=self.file(f"memora-{name}", content))
				self.assertIn(f"memora-{name}", messages())
				self.assertIn("Image", messages())
				self.publish()
				self.assertEqual(self.failures(), {})
				self.assertIsNone(self.picture_of(self.lesson))
				self.assertNotIn(content, self.contents().values())
		frappe.clear_messages()
		for name, content in (("b.svg", SVG), ("b.png", PNG)):
			self.change(self.lesson, image=self.file(f"memora-{name}", content))
			self.publish()
			self.assertEqual(self.picture_of(self.lesson), content)
		self.assertNotIn("memora-b", messages())
		frappe.clear_messages()
		self.change(self.lesson, description="again")
		self.assertNotIn("memora-b", messages())

	def test_a_file_above_the_limit_is_left_out_until_the_limit_is_raised(self) -> None:
		url = self.file("memora-large.png", PNG + bytes(2_000_000))
		self.configure(largest_file_mb=1)
		frappe.clear_messages()
		self.change(self.lesson, image=url)
		self.assertIn("1 MB", messages())
		self.publish()
		self.assertIsNone(self.picture_of(self.lesson))
		self.configure(largest_file_mb=3)
		reconciliation.daily()
		self.publish()
		self.assertIsNotNone(self.picture_of(self.lesson))
		self.configure(largest_file_mb=1)  # what was live stays live
		reconciliation.daily()
		self.publish()
		self.assertIsNotNone(self.picture_of(self.lesson))

	def test_a_large_file_is_published_piece_by_piece(self) -> None:
		"""Measured in a process of its own, whose memory nothing else has used."""
		url = self.file("memora-film.mp4", b"")
		with open(frappe.get_site_path("public", "files", "memora-film.mp4"), "r+b") as film:
			film.truncate(300_000_000)
		self.configure(largest_file_mb=400, more_file_types="mp4")
		self.stage(self.lesson, {"film": url})
		frappe.db.commit()
		script = (
			f"import resource, frappe; frappe.init(site={frappe.local.site!r}, sites_path={str(Path(frappe.local.sites_path).resolve())!r}); frappe.connect();"
			" from memora.services.cdn_export import batch_processor;"
			" before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
			" batch_processor.process('Scheduler');"
			" print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
		)
		ran = subprocess.run(
			[sys.executable, "-c", script],
			capture_output=True,
			text=True,
			check=False,
			cwd=frappe.local.sites_path,
		)
		self.assertEqual(ran.returncode, 0, ran.stderr)
		self.assertLess(int(ran.stdout.split()[-1]), 100_000)  # KiB
		(path,) = self.files_of(self.lesson)
		self.assertEqual((self.local_path / path).stat().st_size, 300_000_000)
		self.assertEqual(self.storage().head(path).content_type, "video/mp4")

	def test_what_may_be_added_to_the_types_runs_nowhere(self) -> None:
		for extension in ("html", ".HTM", "svgz", "js", "php", "xml", "a/b"):
			with self.subTest(extension), self.assertRaisesRegex(frappe.ValidationError, "More File Types"):
				self.configure(more_file_types=f"mp4, {extension}")
			frappe.db.rollback()
		for wrong in (0, -1, 5001):
			with self.subTest(wrong), self.assertRaisesRegex(frappe.ValidationError, "Largest File"):
				self.configure(largest_file_mb=wrong)
			frappe.db.rollback()
		self.configure(more_file_types=".MP4;  docx\nzip")
		self.assertEqual(settings.load().more_file_types, ("mp4", "docx", "zip"))

	def test_what_was_published_before_it_was_refused_stays_until_it_is_changed(self) -> None:
		html, large = b"<p>", PNG + bytes(2_000_000)
		kept = {
			self.course["topics"][0].name: ("memora-old.html", html),
			self.course["topics"][1].name: ("memora-old.svg", RUNNING_SVG),
		}
		for topic in self.course["topics"]:
			self.change(topic, image=self.file(*kept[topic.name]))
		self.change(self.course["units"][0], image=self.file("memora-large.png", large))
		self.file("memora-unnamed.html", html + b"2")
		with (
			patch.object(file_types, "judge", lambda extension, *_: extension),
			patch.object(file_types, "is_picture", lambda _extension: True),
		):
			self.publish()
			public_files.public_files([Link("/files/memora-unnamed.html", False)])
			frappe.db.commit()
		before = self.contents()
		self.configure(largest_file_mb=1)
		for _ in range(2):
			keep_published_files.execute()
		reconciliation.daily()
		self.publish()
		self.assertEqual(self.contents().keys(), before.keys())
		Path(frappe.get_site_path("public", "files", "memora-old.html")).touch()  # the same bytes
		reconciliation.daily()
		self.publish()
		self.assertEqual(self.contents().keys(), before.keys())
		named = " ".join(finding.message for finding in content_checks.kept_files())
		for name in ("memora-old.html", "memora-old.svg", "memora-large.png"):
			self.assertIn(name, named)
		self.assertNotIn("unnamed", named)
		page = f"media/{hashlib.sha256(html).hexdigest()}.html"
		self.assertEqual(public_files.content_type(page), "application/octet-stream")
		self.stage(self.lesson, {"file": "/files/memora-old.html"})  # nowhere else
		self.change(self.lesson, image="/files/memora-unnamed.html")
		self.publish()
		self.assertEqual(self.files_of(self.lesson), set())
		self.assertIsNone(self.picture_of(self.lesson))
		self.file("memora-old.html", html + b"changed")
		reconciliation.hourly()
		self.publish()
		self.sweep()
		self.assertNotIn(page, self.paths())
		self.check()

	def sweep(self) -> None:
		target = PublishTarget.open()
		try:
			media_removal.sweep(target)
		finally:
			target.close()

	def test_a_picture_that_is_made_private_or_deleted_goes_with_the_next_batch(self) -> None:
		def private(file: Document) -> None:
			file.reload()
			file.is_private = 1
			file.save()

		def delete(file: Document) -> None:
			for name in frappe.get_all("File", {"file_url": file.file_url}, pluck="name"):
				frappe.delete_doc("File", name)

		def behind_hooks(file: Document) -> None:
			Path(file.get_full_path()).unlink()
			reconciliation.hourly()

		for number, ends in enumerate((private, delete, behind_hooks)):
			for is_attached in (True, False):
				with self.subTest(ends.__name__, is_attached=is_attached):
					content = PNG + b"%d%d" % (number, is_attached)
					to = {
						"attached_to_doctype": "Memora Lesson",
						"attached_to_name": self.lesson.name,
						"attached_to_field": "image",
					}
					file = self.attached(content, **(to if is_attached else {}))
					self.change(self.lesson, image=file.file_url)
					self.stage(self.course["lessons"][1], {"image": file.file_url})
					self.publish()
					picture = f"media/{hashlib.sha256(content).hexdigest()}.png"
					beside = self.at(self.course["lessons"][1], content)
					self.assertLessEqual({picture, beside}, self.paths())
					ends(file)
					self.publish()
					self.assertEqual(self.failures(), {})
					self.assertEqual({picture, beside} & self.paths(), set())
					self.stage(self.course["lessons"][1], {"text": "x"})
					self.change(self.lesson, image="")
					self.publish()

	def test_a_file_that_memora_never_read_costs_a_save_one_look(self) -> None:
		file = self.attached(PNG)
		before = frappe.db.count("CDN Change")
		file.save()
		self.assertEqual(frappe.db.count("CDN Change"), before)

	def test_a_files_save_goes_on_when_memora_fails(self) -> None:
		file = self.attached(PNG + b"f")
		self.change(self.lesson, image=file.file_url)
		self.publish()
		frappe.db.sql_ddl("rename table `tabCDN Media` to `tabCDN Media x`")
		try:
			file.reload()
			file.save()
		finally:
			frappe.db.rollback()
			frappe.db.sql_ddl("rename table `tabCDN Media x` to `tabCDN Media`")


class TestSidecars(FilesTestCase):
	def test_what_local_directory_notes_is_nowhere_that_the_site_serves(self) -> None:
		self.configure(local_path="")
		root = Path(settings.local_path(frappe.get_doc("CDN Settings")))
		moved = Path(settings.local_meta(frappe.get_doc("CDN Settings")))
		for left in (root, moved):  # by a run that was killed
			shutil.rmtree(left, ignore_errors=True)
		try:
			self.publish()
			public = Path(frappe.get_site_path("public")).resolve()
			self.assertEqual(list(public.rglob("*.meta")), [])
			self.assertEqual([path.name for path in public.rglob("locks")], [])
			self.assertTrue(self.storage().head("plans/index.json").metadata["version"])
			beside = Path(f"{root}.meta")
			self.assertIn("private", moved.parts)
			moved.rename(beside)  # as an earlier release left it
			self.assertTrue(self.storage().head("plans/index.json").metadata["version"])
			self.assertFalse(beside.exists())
			target = PublishTarget.open()
			self.assertEqual(audit.verify(target).findings, [])
			target.close()
		finally:
			shutil.rmtree(root, ignore_errors=True)
			shutil.rmtree(moved, ignore_errors=True)

	def test_a_folder_of_its_own_keeps_them_beside_it(self) -> None:
		self.publish()
		self.assertTrue(Path(f"{self.local_path}.meta/objects").is_dir())


class TestStageFiles(FilesTestCase):
	def test_files_that_stages_name_stand_beside_the_lesson(self) -> None:
		image, sheet, captions = PNG + b"1", PDF + b"2", b"WEBVTT\n\n"
		(
			self.file("memora-i.png", image),
			self.file("memora-s.pdf", sheet),
			self.file("memora-c.vtt", captions),
		)
		host = frappe.utils.get_url()
		self.stage(
			self.lesson,
			{
				"body": f'<p>See <img src="/files/memora-i.png"> <a href="{host}/files/memora-s.pdf#page=2">it</a> '
				'<a href="https://e.example/files/x.pdf">x</a> <a href="mailto:a@b">m</a></p>',
				"deep": [{"captions": "/files/memora-c.vtt", "text": "see /files/memora-i.png"}],
			},
		)
		with self.recorded() as steps:
			self.publish()
		i, s, c = (
			self.at(self.lesson, image),
			self.at(self.lesson, sheet, "pdf"),
			self.at(self.lesson, captions, "vtt"),
		)
		self.assertEqual(
			self.configs(self.lesson),
			[
				{
					"body": f'<p>See <img src="{i}"> <a href="{s}#page=2">it</a> '
					'<a href="https://e.example/files/x.pdf">x</a> <a href="mailto:a@b">m</a></p>',
					"deep": [{"captions": c, "text": "see /files/memora-i.png"}],
				}
			],
		)
		self.assertEqual([self.read_bytes(path) for path in (i, s, c)], [image, sheet, captions])
		puts = [path for _, path in steps]
		self.assertLess(max(map(puts.index, (i, s, c))), puts.index(paths.lesson(self.lesson.name)))
		stored = self.storage().head(s)
		self.assertEqual(
			(stored.content_type, stored.cache_control),
			("application/pdf", "public, max-age=31536000, immutable"),
		)
		self.assertEqual(stored.metadata["access-level"], "authenticated")
		self.check()
		with self.recorded() as steps:  # unread, and read again: nothing has changed
			self.change(self.course["lessons"][3], description="x")
			self.publish()
			reconciliation.daily()
			self.publish()
			self.minutes_pass(20)
			self.tick()
		self.assertEqual([step for step in steps if "lessons/" + self.lesson.name in step[1]], [])
		self.check()

	def test_they_have_their_lessons_access_and_follow_it(self) -> None:
		self.stage(self.lesson, {"image": self.file("memora-a.png")})
		self.publish()
		path = self.at(self.lesson, PNG)
		for fields, level, item in (
			({"is_public": 1}, "public", None),
			({"is_public": 0, "required_item": "ITEM-1"}, "paid", "ITEM-1"),
			({"required_item": "ITEM-2"}, "paid", "ITEM-2"),
		):
			self.change(self.subject, **fields)
			self.publish()
			metadata = self.storage().head(path).metadata
			self.assertEqual((metadata["access-level"], metadata.get("required-item")), (level, item))
			lesson = self.storage().head(paths.lesson(self.lesson.name)).metadata
			self.assertEqual(lesson["access-level"], level)
			self.check()

	def test_they_go_with_their_lesson_in_the_same_run(self) -> None:
		shared = self.file("memora-both.png")
		second = self.course["lessons"][1]
		for ends in ("unpublished", "deleted", "hidden by a plan", "narrowed topic"):
			with self.subTest(ends):
				lesson = factories.make_lesson(parent_topic=self.course["topics"][0].name, is_published=1)
				self.stage(lesson, {"image": shared})
				self.stage(second, {"image": shared})
				self.publish()
				self.assertEqual(len(self.files_of(lesson)), 1)
				if ends == "unpublished":
					self.change(lesson, is_published=0)
				elif ends == "deleted":
					frappe.delete_doc("Memora Lesson", lesson.name)
				elif ends == "narrowed topic":
					self.change(self.course["topics"][0], is_published=0)
				else:
					self.change(self.plan, overrides=[factories.override(lesson, "Hide")])
				self.publish()
				self.assertEqual(self.files_of(lesson), set())
				if ends == "hidden by a plan":
					self.assertEqual(len(self.files_of(second, self.plan)), 1)
					self.change(self.plan, overrides=[])
					self.publish()
					frappe.delete_doc("Memora Lesson", lesson.name)
					self.minutes_pass(20)
					self.publish()
					self.tick()
				elif ends != "narrowed topic":
					self.assertEqual(len(self.files_of(second)), 1)
					self.check()

	def test_a_plans_own_rendition_has_files_of_its_own(self) -> None:
		self.stage(self.lesson, {"image": self.file("memora-own.png")})
		other = factories.make_plan(
			[self.subject], is_published=1, overrides=[factories.override(self.lesson, "Set Free")]
		)
		self.publish()
		self.assertEqual(self.configs(self.lesson, other), [{"image": self.at(self.lesson, PNG, plan=other)}])
		self.assertEqual(
			self.storage().head(self.at(self.lesson, PNG, plan=other)).metadata["access-level"],
			"free_preview",
		)
		self.assertEqual(
			self.storage().head(self.at(self.lesson, PNG)).metadata["access-level"], "authenticated"
		)
		self.check()
		self.change(other, is_published=0)
		self.publish()
		self.assertEqual(self.files_of(self.lesson, other), set())
		self.assertEqual(len(self.files_of(self.lesson)), 1)
		self.check()

	def test_what_no_stage_names_any_more_goes_after_a_grace(self) -> None:
		self.stage(self.lesson, {"image": self.file("memora-1.png", PNG + b"1")})
		self.publish()
		old = self.at(self.lesson, PNG + b"1")
		self.stage(self.lesson, {"image": self.file("memora-2.png", PNG + b"2")})
		self.publish()
		self.assertEqual(self.files_of(self.lesson), {old, self.at(self.lesson, PNG + b"2")})
		self.check(leaving=[old])
		self.stage(self.lesson, {"image": "/files/memora-1.png"})  # and is back within it
		self.publish()
		self.minutes_pass(20)
		self.tick()
		self.assertEqual(self.files_of(self.lesson), {old})
		self.check()

	def test_a_lesson_that_moves_to_another_subject_takes_them_along(self) -> None:
		other = make_course()
		factories.make_plan([other["subject"]], is_published=1)
		self.stage(self.lesson, {"image": self.file("memora-m.png")})
		self.publish()
		for topic in (other["topics"][0], self.course["topics"][0]):
			self.change(self.lesson, parent_topic=topic.name)
			self.publish()
			self.minutes_pass(20)
			self.tick()
			self.assertEqual(self.failures(), {})
			self.assertEqual(self.files_of(self.lesson), {self.at(self.lesson, PNG)})
			self.check()

	def test_a_file_with_other_content_under_its_name_is_published_anew(self) -> None:
		self.stage(self.lesson, {"image": self.file("memora-c.png", PNG + b"1")})
		self.publish()
		self.file("memora-c.png", PNG + b"22")
		reconciliation.hourly()
		self.publish()
		self.assertEqual(self.configs(self.lesson), [{"image": self.at(self.lesson, PNG + b"22")}])

	def test_what_is_not_published_is_said_and_left_as_it_is(self) -> None:
		self.file("memora-x.html", b"<p>")
		config = {
			"body": '<img src="/private/files/p.png"><a href="/app/user">u</a><a href="sheet.pdf">s</a>'
			'<a href="file:///c/x">f</a><img src="/files/none.png"><a href="/files/memora-x.html">h</a>'
			'<p style="background:url(/files/memora-bg.png)">',
			"file": "/private/files/q.pdf",
		}
		frappe.clear_messages()
		for url in (
			"/private/files/p.png",
			"/app/user",
			"sheet.pdf",
			"file:///c/x",
			"/files/none.png",
			"/files/memora-x.html",
			"/files/memora-bg.png",
		):
			frappe.clear_messages()
			self.stage(
				self.lesson,
				{"body": f'<a href="{url}">'}
				if "bg" not in url
				else {"body": f'<p style="background:url({url})">'},
			)
			self.assertIn(url, messages())
			self.assertIn(self.lesson.title, messages())
		frappe.clear_messages()
		self.stage(
			self.lesson,
			{
				"html": '<a href="mailto:a@b">a</a><a href="tel:1">b</a><a href="#n">c</a><a href="https://e/x">d</a>'
			},
		)
		self.assertEqual(messages(), "")
		self.stage(self.lesson, config)
		with patch.object(frappe, "logger") as logger:
			self.publish()
		self.assertIn("/files/none.png", str(logger.mock_calls))
		self.assertEqual(self.failures(), {})
		self.assertEqual(self.configs(self.lesson), [config])
		self.assertEqual(self.files_of(self.lesson), set())

	def test_a_stage_that_names_no_file_of_the_site_costs_nothing_for_it(self) -> None:
		"""Neither statements nor uploads, and its markup is not taken apart."""
		html = '<h2>a</h2><p>b <a href="https://e.example/x.png">c</a><img src="https://e.example/y.png"></p>'
		costs = []
		self.stage(self.lesson, {"text": "first"})
		self.publish()
		for config in ({"text": "a"}, {"html": html}, {"html": html, "poster": "https://e.example/p.png"}):
			self.stage(self.lesson, config)
			attributes = patch.object(stage_files, "_attributes", side_effect=AssertionError("taken apart"))
			with attributes, statements() as seen, self.recorded() as steps:
				self.publish()
			self.assertEqual([each for each in seen if "CDN Media" in each], [])
			costs.append((len(seen), [path for _, path in steps]))
			self.assertEqual(self.configs(self.lesson), [config])
		self.assertEqual(costs, [costs[0]] * 3)
		self.assertEqual(
			[path for path in costs[0][1] if path.startswith(("media/", "lessons/"))],
			[paths.lesson(self.lesson.name)],
		)

	def test_what_memora_has_published_itself_is_no_file_to_publish(self) -> None:
		self.configure(local_path="public/files/memora-test-root")
		root = Path(frappe.get_site_path("public", "files", "memora-test-root"))
		root.mkdir(exist_ok=True)
		try:
			(root / "x.png").write_bytes(PNG)
			self.stage(self.lesson, {"image": "/files/memora-test-root/x.png"})
			frappe.db.commit()
			self.assertEqual(public_files.public_files([Link("/files/memora-test-root/x.png", False)])[0], {})
		finally:
			shutil.rmtree(root)

	def test_damage_is_found_and_fixed_and_a_lost_ledger_is_rebuilt(self) -> None:
		self.stage(self.lesson, {"image": self.file("memora-d.png")})
		own = factories.make_plan(
			[self.subject], is_published=1, overrides=[factories.override(self.lesson, "Rename", "x")]
		)
		self.publish()
		paths_ = [self.at(self.lesson, PNG), self.at(self.lesson, PNG, plan=own)]
		(self.local_path / paths_[0]).unlink()
		(self.local_path / paths_[1]).write_bytes(b"other")
		target = PublishTarget.open()
		self.addCleanup(target.close)
		found = audit.verify(target)
		self.assertEqual(
			{(finding.path, finding.fault) for finding in found.findings},
			{(paths_[0], "missing"), (paths_[1], "altered")},
		)
		repair.repair(target, found.findings)
		self.publish()
		self.assertEqual([self.read_bytes(path) for path in paths_], [PNG, PNG])
		self.assertEqual(audit.verify(target).findings, [])
		self.check()
		before = self.contents()
		frappe.db.delete("CDN File")
		frappe.db.commit()
		adoption.rebuild_ledger(target)
		self.publish()
		self.assertEqual(self.contents(), before)
		self.assertEqual(audit.verify(target).findings, [])
		orphan = paths.lesson_file("gone", hashlib.sha256(PNG).hexdigest() + ".png")
		from memora.services.cdn_export.storage import Upload

		ours = {
			"site": site_key.known_hash(),
			"version": "1",
			"content-hash": hashlib.sha256(PNG).hexdigest(),
		}
		self.storage().put(Upload(orphan, PNG, "", ours))
		repair.repair(target, audit.verify(target).findings)
		daily.run()
		self.assertNotIn(orphan, self.paths())

	def test_a_file_that_changes_between_its_reading_and_its_upload_is_tried_again(self) -> None:
		self.stage(self.lesson, {"image": self.file("memora-r.png", PNG + b"1")})
		of_stages = public_files.of_stages

		def then_changed(stages: Any) -> Any:
			found = of_stages(stages)
			self.file("memora-r.png", PNG + b"later")
			return found

		with patch.object(public_files, "of_stages", then_changed):
			self.publish()
		self.assertIn("memora-r.png", str(self.failures()))
		self.minutes_pass(3)
		self.tick()
		self.assertEqual(self.failures(), {})
		self.assertEqual(self.configs(self.lesson), [{"image": self.at(self.lesson, PNG + b"later")}])
