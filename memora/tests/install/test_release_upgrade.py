"""A site and its bucket as an earlier release left them, upgraded to this one: `bench migrate`, then batches as ever.

`releases/release_….json` hold the rows and objects; `releases/make_release.py` records them.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import frappe
from frappe.utils import now_datetime
from frappe.utils.password import set_encrypted_password

from memora.services.cdn_export.admin import doctor
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import site_key
from memora.tests.helpers.benches import bench
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.publishing import publish_to
from memora.tests.helpers.seaweedfs import SECRET_KEY
from memora.tests.helpers.utils import wipe

RELEASES = Path(__file__).with_name("releases")
SITE_HASH = "0123456789abcdef" * 2
"""In a recorded release: the hash of the site's key."""
FILMS = ("films/one.mp4", "secret/exam.pdf", "videos/two.mp4")
"""What the editors of that site had put into the bucket themselves."""

_SIGNATURE = re.compile(rb'\?X-Amz-[^"]*|"signed_url_expiry":"[^"]*",?')


class ReleaseTestCase(BucketTestCase):
	"""A site as `release` left it, migrated to this one."""

	release = ""
	leaving = 0
	"""How many files are in their grace when the upgrade comes."""

	def setUp(self) -> None:
		super().setUp()
		text = (
			(RELEASES / self.release)
			.read_text()
			.replace("http://s3.invalid/school", f"{self.endpoint}/{self.bucket}")
		)
		text = text.replace("|school", f"|{self.bucket}").replace("http://s3.invalid", self.endpoint)
		text = text.replace(SITE_HASH, site_key.site_hash())
		release = json.loads(text.replace("school.example", frappe.local.site))
		self.names: dict[str, str] = release["names"]
		self.addCleanup(self._leave)
		for name, body in release["files"].items():
			file = Path(frappe.get_site_path("public", "files", name))
			file.write_bytes(base64.b64decode(body))
			self.addCleanup(file.unlink, missing_ok=True)
		self._load_tables(release["tables"])
		self._load_settings(release)
		for found in release["objects"]:
			self._put_object(found)
		frappe.db.sql(
			"update `tabCDN File` set remove_at = %s where state = 'removing'",
			(now_datetime() + timedelta(minutes=10),),
		)
		self.in_grace = {
			path for (path,) in frappe.db.sql("select path from `tabCDN File` where state = 'removing'")
		}
		self.assertEqual(len(self.in_grace), self.leaving)
		frappe.db.sql("delete from `tabPatch Log` where patch like 'memora.%%'")
		frappe.db.commit()
		self.before = self.documents()
		bench("migrate", "--skip-search-index")

	def _leave(self) -> None:
		"""The tables as this release has them, whatever became of the test."""
		for doctype in frappe.get_all("DocType", {"module": "Memora", "issingle": 0}, pluck="name"):
			frappe.db.sql_ddl(f"drop table if exists `tab{doctype}`")
		frappe.db.set_value("DocType", {"module": "Memora"}, "migration_hash", None, update_modified=False)
		bench("migrate", "--skip-search-index")
		wipe()

	def _load_tables(self, tables: dict[str, Any]) -> None:
		for doctype, table in tables.items():
			frappe.db.sql_ddl(f"drop table if exists `tab{doctype}`")
			frappe.db.sql_ddl(table["create"])
			for row in table["rows"]:
				columns = ", ".join(f"`{column}`" for column in row)
				marks = ", ".join(["%s"] * len(row))
				frappe.db.sql(f"insert into `tab{doctype}` ({columns}) values ({marks})", tuple(row.values()))
		# What makes Frappe see that the DocTypes have changed since.
		frappe.db.set_value("DocType", {"module": "Memora"}, "migration_hash", None, update_modified=False)

	def _load_settings(self, release: dict[str, Any]) -> None:
		frappe.db.delete("Singles", {"doctype": "CDN Settings"})
		for field, value in {**release["settings"], "bucket_name": self.bucket}.items():
			if value is not None:
				frappe.db.sql("insert into tabSingles values ('CDN Settings', %s, %s)", (field, value))
		set_encrypted_password("CDN Settings", "CDN Settings", SECRET_KEY, "secret_key")
		for note, value in {"memora_place": release["place"], **release.get("notes", {})}.items():
			frappe.db.sql(
				"""replace into tabDefaultValue (name, parent, parenttype, parentfield, defkey, defvalue)
				values (%(note)s, %(note)s, '__default', 'system_defaults', %(note)s, %(value)s)""",
				{"note": note, "value": value},
			)
		frappe.clear_cache()

	def _put_object(self, found: dict[str, Any]) -> None:
		body = base64.b64decode(found["body"])
		if found["path"].endswith(".json"):
			body = body.replace(b"http://s3.invalid/school", f"{self.endpoint}/{self.bucket}".encode())
			body = body.replace(SITE_HASH.encode(), site_key.site_hash().encode())
		put = self.client.put_object(
			Bucket=self.bucket,
			Key=found["path"],
			Body=body,
			ContentType=found["type"],
			CacheControl=found["cache_control"],
			Metadata=found["metadata"],
		)
		frappe.db.sql(
			"update `tabCDN File` set etag = %s, size = %s where path = %s",
			(put["ETag"].strip('"'), len(body), found["path"]),
		)

	def documents(self) -> dict[str, bytes]:
		"""What is published, without signatures, which are renewed."""
		return {path: _SIGNATURE.sub(b"", body) for path, body in self.contents().items()}

	def publish_all(self) -> None:
		"""Batches and the scheduler's minutes, until what the upgrade has to do in the background is done."""
		self.publish()
		for _ in range(5):
			self.tick()
			self.publish()

	def is_formers(self, path: str) -> bool:
		"""Whether it is of the plan that was renamed by code and not published since, or names it."""
		return path == paths.PLAN_INDEX or path.startswith(
			(paths.plan_folder(self.names["former"]), paths.plan_folder("renamed-plan"))
		)


class TestFirstRelease(ReleaseTestCase):
	release = "release_0_1_0.json"
	leaving = 6

	def test_what_was_live_stays_live_as_it_was(self) -> None:
		self.assertEqual(self.documents(), self.before, "migrating itself changes nothing there")
		self.publish_all()
		self.assertEqual(self.failures(), {})
		after = self.documents()
		for path, body in self.before.items():
			if not self.is_formers(path):
				self.assertEqual(after.get(path), body, path)
		self.assertLessEqual(self.in_grace, set(after))
		self.assertFalse([path for path in after if path.startswith(paths.plan_folder(self.names["former"]))])
		self.assertIn(paths.manifest("renamed-plan"), after)
		self.minutes_pass(15)
		self.tick()
		self.publish()
		self.assertFalse(self.in_grace & self.all_paths())
		self.check(leaving=FILMS)

	def test_editors_go_on_with_what_is_there(self) -> None:
		"""A new rule refuses only what a save changes."""
		self.publish_all()
		before = self.documents()
		lessons = frappe.get_all("Memora Lesson", pluck="name")
		self.assertEqual(len(lessons), 8)
		for doctype in ("Memora Subject", "Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson"):
			for name in frappe.get_all(doctype, pluck="name"):
				doc = frappe.get_doc(doctype, name)
				doc.sort_order += 100
				doc.save()
		for name in frappe.get_all("Memora Academic Plan", pluck="name"):
			frappe.get_doc("Memora Academic Plan", name).save()
		publish_to(batch_threshold=49)
		self.publish()
		self.assertEqual(self.failures(), {})
		for name in lessons:
			was, now = (json.loads(body[paths.lesson(name)]) for body in (before, self.documents()))
			for kept in ("title", "description", "image", "stages"):
				self.assertEqual(now.get(kept), was.get(kept), (name, kept))

	def test_doctor_lists_what_would_be_refused_today(self) -> None:
		self.publish_all()
		told = "\n".join(f"{finding.message} {finding.fix}" for finding in doctor.run(bucket=False))
		for what in ("&lt;", "/files/page.html", "/files/drawing.svg", self.names["lesson_1"]):
			self.assertIn(what, told)


class TestSecondRelease(ReleaseTestCase):
	release = "release_0_2_0.json"
	leaving = 7

	def test_what_was_live_stays_live_and_is_not_uploaded_again(self) -> None:
		uploads = self.uploads()
		self.assertEqual(self.documents(), self.before, "migrating itself changes nothing there")
		self.publish_all()
		self.assertEqual(self.failures(), {})
		self.assertEqual(self.uploads(), uploads)

	def uploads(self) -> dict[str, Any]:
		"""When each live file was uploaded, but those of the plan that was renamed, the contract's own, which follow its
		version, and lessons with signed links: their signatures have ended since the release was recorded, so they are
		renewed."""
		rows = frappe.db.sql(
			"select path, uploaded_at from `tabCDN File` where state = 'live' and signed_until is null"
		)
		return {
			path: moment
			for path, moment in rows
			if not self.is_formers(path) and not path.startswith("schemas/")
		}
