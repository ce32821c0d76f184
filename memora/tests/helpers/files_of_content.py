"""Tests of files that content names: how they get there, and where they are published."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import frappe
from frappe.model.document import Document

from memora.services.cdn_export.model import paths
from memora.tests.helpers import factories
from memora.tests.helpers.files import PNG
from memora.tests.helpers.publishing import PublishingTestCase, make_course


class FilesTestCase(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.subject, self.lesson = self.course["subject"], self.course["lessons"][0]
		self.plan = factories.make_plan([self.subject], is_published=1)

	def file(self, name: str, content: bytes = PNG) -> str:
		"""A public file on disk; returns its address as Frappe writes it."""
		path = Path(frappe.get_site_path("public", "files", name))
		path.write_bytes(content)
		self.addCleanup(path.unlink, missing_ok=True)
		return f"/files/{name}"

	def attached(self, content: bytes, name: str = "", **fields: Any) -> Document:
		"""A public file, uploaded as an editor does."""
		name = name or f"memora-{frappe.generate_hash(length=8)}.png"
		doc = frappe.get_doc(
			{"doctype": "File", "file_name": name, "content": content, "is_private": 0, **fields}
		)
		doc.insert()
		frappe.db.commit()

		def gone() -> None:
			if frappe.db.exists("File", doc.name):
				frappe.delete_doc("File", doc.name)
			frappe.db.commit()

		self.addCleanup(gone)
		return doc

	def stage(self, lesson: Document, *configs: Any) -> None:
		self.change(
			lesson,
			stages=[{"title": "s", "type": "Text", "config": json.dumps(config)} for config in configs],
		)

	def configs(self, lesson: Document, plan: Document | None = None) -> list[Any]:
		document = self.read(paths.lesson(lesson.name, plan.name if plan else None))
		return [stage["config"] for stage in document["stages"]]

	def picture_of(self, lesson: Document) -> bytes | None:
		image = self.read(f"lessons/{lesson.name}.json").get("image")
		return self.read_bytes(image) if image else None

	def files_of(self, lesson: Document, plan: Document | None = None) -> set[str]:
		folder = paths.lesson(lesson.name, plan.name if plan else None).removesuffix(".json") + "/"
		return {path for path in self.paths() if path.startswith(folder)}

	def at(
		self, lesson: Document, content: bytes, extension: str = "png", plan: Document | None = None
	) -> str:
		name = f"{hashlib.sha256(content).hexdigest()}.{extension}"
		return paths.lesson_file(lesson.name, name, plan.name if plan else None)


class TextsTestCase(FilesTestCase):
	def there(self, url: str) -> bool:
		return Path(frappe.get_site_path("public", *url.split("/"))).exists()

	def rows(self, url: str) -> list[tuple[str, str]]:
		return sorted(
			(row.attached_to_doctype, row.attached_to_name)
			for row in frappe.get_all("File", {"file_url": url}, ["attached_to_doctype", "attached_to_name"])
		)

	def config(self, lesson: Document) -> Any:
		return json.loads(frappe.db.get_value("Memora Lesson Stage", {"parent": lesson.name}, "config"))

	def new_lesson(self, *configs: Any) -> Document:
		return factories.make_lesson(
			parent_topic=self.course["topics"][0].name,
			is_published=1,
			stages=[{"title": "s", "type": "Text", "config": json.dumps(config)} for config in configs],
		)

	def picture_in(self, lesson: Document, content: bytes) -> str:
		"""A file that is attached to a lesson, and named by its text."""
		to = {"attached_to_doctype": "Memora Lesson", "attached_to_name": lesson.name}
		url = self.attached(PNG + content, **to).file_url
		self.stage(lesson, {"html": f'<p><img src="{url}" alt=""></p>'})
		return url

	def drop_files_of(self, lesson: Document) -> None:
		for file in frappe.get_all("File", {"attached_to_name": lesson.name}, pluck="name"):
			frappe.delete_doc("File", file)
		frappe.db.commit()
