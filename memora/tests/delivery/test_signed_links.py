"""Videos in the bucket, as lessons link to them: signed, renewed in time, and nothing else touched by that."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

import frappe
import orjson
import pytest
import requests
from pymysql import OperationalError

from memora.api import publishing
from memora.exceptions import ScopeBusyError, StorageError
from memora.memora.doctype.cdn_settings import after_save
from memora.patches import fill_video_folders
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import doctor
from memora.services.cdn_export.curriculum import films
from memora.services.cdn_export.delivery import signing
from memora.services.cdn_export.delivery.ownership import Ownership
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import adoption, audit, link_upload
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import database, ledger
from memora.services.cdn_export.storage import Storage, Upload
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.processes import Stops, connected, fork
from memora.tests.helpers.publishing import make_course

CDN = "https://cdn.example"
FILM = "videos/فيديو 1.mp4"
ELSEWHERE = "https://www.youtube.com/watch?v=x"


class TestSignedLinks(BucketTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.configure(cdn_base_url=CDN)
		self.put(FILM, b"film")
		self.course = make_course()
		sold = make_course(units=1, lessons=1, required_item="GOLD")
		self.plan = factories.make_plan([self.course["subject"], sold["subject"]], is_published=1)
		self.video, self.plain, *others = self.course["lessons"]
		(self.paid,) = sold["lessons"]
		self.lessons = [*self.course["lessons"], self.paid]
		self.show(self.video, FILM)
		self.show(self.plain, ELSEWHERE)
		for lesson in others:
			self.show(lesson, ELSEWHERE)
		self.show(self.paid, f"s3://{self.bucket}/{FILM}")
		self.publish()

	def show(self, lesson: Any, *links: str) -> None:
		stages = [
			{"title": "Watch", "type": "Video", "config": orjson.dumps({"video_url": link}).decode()}
			for link in links
		]
		self.change(lesson, stages=stages)

	def lesson(self, lesson: Any) -> dict[str, Any]:
		return self.read(f"lessons/{lesson.name}.json")

	def links(self, lesson: Any) -> list[str]:
		return [stage["config"]["video_url"] for stage in self.lesson(lesson)["stages"]]

	@contextmanager
	def later(self, **time_passed: float) -> Iterator[None]:
		clock, passed = time.time, timedelta(**time_passed).total_seconds()
		with patch("time.time", lambda: clock() + passed):
			yield

	def signed_for(self, lesson: Any) -> float:
		"""Hours from now on that the file says."""
		until = datetime.fromisoformat(self.lesson(lesson)["signed_url_expiry"])
		return (until - datetime.now(timezone.utc)).total_seconds() / 3600

	def test_links_of_every_form_are_signed_and_can_be_opened(self) -> None:
		host = self.endpoint.removeprefix("http://")
		key = "videos/%D9%81%D9%8A%D8%AF%D9%8A%D9%88%201.mp4"
		forms = [
			FILM,
			f"{self.endpoint}/{self.bucket}/{key}",
			f"http://{self.bucket}.{host}/{key}",
			f"{CDN}/{key}#t=30",
			f"s3://{self.bucket}/{FILM}",
		]
		self.show(self.video, *forms, ELSEWHERE, f"{self.endpoint}/another-bucket/{key}")
		self.publish()
		*signed, elsewhere, another = self.links(self.video)
		for form, link in zip(forms, signed, strict=True):
			with self.subTest(form=form):
				self.assertIn("X-Amz-Signature=", link)
				self.assertIn("X-Amz-Expires=14400", link)
				self.assertEqual(requests.get(link, timeout=5).content, b"film")
		self.assertTrue(signed[3].endswith("#t=30"))
		self.assertEqual(elsewhere, ELSEWHERE)
		self.assertNotIn("X-Amz", another)
		self.assertGreater(self.signed_for(self.video), 3.7)
		self.assertLessEqual(self.signed_for(self.video), 4)
		self.check(leaving=[FILM])

	@pytest.mark.earlier_defect(
		"signed URLs were never renewed, and were of the old signature version, which R2 refuses"
	)
	def test_they_are_renewed_before_half_their_life_is_gone_and_nothing_else_is(self) -> None:
		self.assertNotIn("signed_url_expiry", self.lesson(self.plain))
		before, link = self.objects(), self.links(self.video)[0]
		life = self.signed_for(self.video)
		with self.later(hours=life - 2.2), self.recorded() as steps:
			self.assertEqual(self.tick(), {"due": ""})
		self.assertEqual(steps, [])
		with self.later(hours=life - 2.1), self.recorded() as steps:
			self.assertEqual(self.tick(), {"due": "signature"})
			self.assertEqual(self.tick(), {"due": ""})
		renewed = {f"lessons/{self.video.name}.json", f"lessons/{self.paid.name}.json"}
		self.assertEqual(sorted(steps), sorted(("put", path) for path in renewed))
		after = self.objects()
		self.assertEqual({path for path in after if after[path] != before[path]}, renewed)
		self.assertNotEqual(self.links(self.video)[0], link)
		self.assertGreater(self.signed_for(self.video), life + 1.5)
		for path in renewed:
			(old, *headers), (new, *headers_now) = before[path], after[path]
			self.assertEqual(headers, headers_now)
			old, new = orjson.loads(old), orjson.loads(new)
			for document in (old, new):
				del document["signed_url_expiry"], document["stages"]
			self.assertEqual(old, new)
		with self.site() as target:
			self.assertEqual(audit.verify(target).findings, [])
		self.check(leaving=[FILM])

	def test_a_removal_that_fails_holds_up_no_renewal(self) -> None:
		life, kind = self.signed_for(self.video), type(self.storage())
		with patch.object(kind, "delete", side_effect=StorageError("refused by the test")):
			self.change(self.course["lessons"][2], is_published=0)
			self.publish()
			with self.later(hours=2.2):
				self.tick()
		self.assertGreater(self.signed_for(self.video), life + 1.5)
		self.minutes_pass(2)
		self.publish()
		self.assertNotIn(f"lessons/{self.course['lessons'][2].name}.json", self.paths())

	def break_content(self) -> None:
		"""From now on the first subject has another shape, and cannot be built."""
		self.change(self.course["subject"], title="Retitled")
		stage = frappe.db.get_value("Memora Lesson Stage", {"parent": self.plain.name})
		frappe.db.set_value("Memora Lesson Stage", stage, "config", "[1]")
		self.publish()
		self.assertIn(self.course["subject"].name, self.failures())

	def fix_content(self) -> None:
		self.show(self.plain, ELSEWHERE)
		frappe.db.commit()
		self.minutes_pass(10)
		self.publish()
		self.assertEqual(self.failures(), {})

	def test_what_cannot_be_built_keeps_no_other_from_being_renewed(self) -> None:
		"""An earlier build ended the minute's check there, each minute, until all links had expired."""
		broken = make_course(units=1, lessons=1, required_item="SILVER")
		(lesson,) = broken["lessons"]
		self.show(lesson, FILM)
		overrides = [factories.override(lesson, "Set Sold Separately")]
		plan = factories.make_plan([broken["subject"]], is_published=1, overrides=overrides)
		self.publish()
		self.change(broken["subject"], required_item=None)
		self.publish()
		self.assertEqual(set(self.failures()), {plan.name})
		with self.later(hours=2.2), self.recorded() as steps:
			self.assertEqual(self.tick(), {"due": "signature"})
			self.assertEqual(self.tick(), {"due": ""})
		files = {
			f"lessons/{self.video.name}.json",
			f"lessons/{self.paid.name}.json",
			f"plans/{plan.name}/lessons/{lesson.name}.json",
		}
		self.assertEqual(sorted(steps), sorted(("put", path) for path in files))

	def test_what_is_live_is_renewed_though_its_content_cannot_be_built(self) -> None:
		"""An earlier build let the links of live lessons expire where the content was not theirs any more."""
		self.show(self.video, FILM, f"{CDN}/videos/a.mp4#t=30", ELSEWHERE)
		self.publish()
		self.break_content()
		before, life = self.lesson(self.video), self.signed_for(self.video)
		with self.later(hours=2.2):
			self.assertEqual(self.tick(), {"due": "signature"})
			self.assertEqual(self.tick(), {"due": ""})
		after = self.lesson(self.video)
		self.assertGreater(self.signed_for(self.video), life + 1.5)
		for old, new in zip(before["stages"], after["stages"], strict=True):
			old, new = old["config"].pop("video_url"), new["config"].pop("video_url")
			self.assertEqual(old.partition("?")[0], new.partition("?")[0])
			self.assertEqual(old.partition("#")[2], new.partition("#")[2])
			self.assertEqual(old == new, old == ELSEWHERE)
			self.assertEqual(new.count("X-Amz-Signature="), int(new != ELSEWHERE))
		del before["signed_url_expiry"], after["signed_url_expiry"]
		self.assertEqual(before, after)
		with self.site() as target:
			self.assertEqual(audit.verify(target).findings, [])
		self.fix_content()
		self.assertEqual(self.lesson(self.video)["parent"]["subject_title"], "Retitled")
		self.check(leaving=[FILM])

	def test_a_lesson_that_cannot_be_renewed_holds_up_no_other(self) -> None:
		other = self.course["lessons"][2]
		self.show(other, FILM)
		self.publish()
		life, path = self.signed_for(other), f"lessons/{self.video.name}.json"
		with self.later(hours=2.2), self.refusing(path):
			self.tick()
		self.assertGreater(self.signed_for(other), life + 1.5)
		self.assertLess(self.signed_for(self.video), life)
		self.break_content()
		self.drop(path)
		life = self.signed_for(other)
		with self.later(hours=4.4):
			self.tick()
		self.assertGreater(self.signed_for(other), life + 1.5)
		self.assertNotIn(path, self.paths())

	@contextmanager
	def refusing(self, path: str) -> Iterator[None]:
		"""The storage refuses to have this written, and nothing else."""
		kind = type(self.storage())
		put = kind.put

		def put_or_refuse(storage: Storage, upload: Upload, **condition: Any) -> str:
			if upload.path == path:
				raise StorageError(f"{path} is refused")
			return put(storage, upload, **condition)

		with patch.object(kind, "put", put_or_refuse):
			yield

	def test_a_renewal_that_was_broken_off_is_made_again(self) -> None:
		self.break_content()
		life, path = self.signed_for(self.video), f"lessons/{self.video.name}.json"
		with self.later(hours=2.2):
			with patch.object(ledger, "uploaded_again", side_effect=RuntimeError("the worker ends")):
				self.tick()
			with self.recorded() as steps:
				self.tick()
			self.assertIn(("put", path), steps)
			self.assertEqual(self.tick(), {"due": ""})
		self.assertGreater(self.signed_for(self.video), life + 1.5)
		with self.site() as target:
			self.assertEqual(audit.verify(target).findings, [])
		self.fix_content()
		self.check(leaving=[FILM])

	def steal(self, path: str) -> None:
		"""What somebody does who may write to the bucket, but not read it: have a link to any film there signed."""
		stored = self.client.get_object(Bucket=self.bucket, Key=path)
		document = orjson.loads(stored["Body"].read())
		config = document["stages"][0]["config"]
		config["video_url"] = f"{self.endpoint}/{self.bucket}/videos/stolen.mp4"
		self.put(path, orjson.dumps(document), Metadata=stored["Metadata"], ContentType=stored["ContentType"])

	def test_a_link_that_somebody_wrote_into_the_bucket_is_never_signed(self) -> None:
		path = f"lessons/{self.video.name}.json"
		self.steal(path)
		with self.later(hours=2.2):
			self.assertEqual(self.tick(), {"due": "signature"})
		self.assertNotIn(b"stolen.mp4", self.read_bytes(path) or b"")
		self.assertIn("X-Amz-Signature", self.links(self.video)[0])
		self.check(leaving=[FILM])

	def test_nor_is_one_that_somebody_writes_there_while_the_lesson_is_read_back(self) -> None:
		path, kind = f"lessons/{self.video.name}.json", type(self.storage())
		for method in ("head", "get", "read"):
			answer, stolen = getattr(kind, method), []

			def stealing(storage: Storage, wanted: str, answer: Any = answer, stolen: list = stolen) -> Any:
				found = answer(storage, wanted)
				if wanted == path and not stolen:
					stolen.append(1)
					self.steal(path)
				return found

			frappe.db.sql("update `tabCDN File` set signed_until = '2000-01-02' where path = %s", path)
			with self.subTest(after=method), patch.object(kind, method, stealing):
				self.assertEqual(self.tick(), {"due": "signature"})
				self.assertNotIn(b"stolen.mp4", self.read_bytes(path) or b"")
				self.assertIn("X-Amz-Signature", self.links(self.video)[0])

	def test_what_another_worker_keeps_is_left_to_the_next_check(self) -> None:
		busy = ScopeBusyError("another worker looks whose the place is")
		with self.later(hours=2.2):
			with (
				patch.object(Ownership, "claim", side_effect=busy),
				patch.object(frappe.logger("memora"), "exception") as logged,
				patch.object(frappe.logger("memora"), "error") as said,
			):
				self.assertEqual(self.tick(), {"due": "signature"})
			self.assertEqual((logged.call_args_list, said.call_args_list), ([], []))
			self.assertEqual(self.tick(), {"due": "signature"})
		self.assertGreater(self.signed_for(self.video), 5)
		self.check(leaving=[FILM])

	def test_a_ledger_that_was_lost_knows_again_when_signatures_end(self) -> None:
		def ends() -> dict[str, datetime]:
			found = frappe.db.sql(
				"select path, signed_until from `tabCDN File` where signed_until is not null"
			)
			return dict(found)

		before = ends()
		self.assertEqual(set(before), {f"lessons/{lesson.name}.json" for lesson in (self.video, self.paid)})
		frappe.db.delete("CDN File")
		frappe.db.commit()
		with closing(PublishTarget.open()) as target:
			adoption.rebuild_ledger(target)
		self.assertEqual(ends(), before)

	def test_only_paid_lessons_or_none_are_signed_when_settings_say_so(self) -> None:
		for sign, signed in (
			("Paid", {self.paid.name}),
			("None", set()),
			("All", {self.paid.name, self.video.name}),
		):
			with self.subTest(sign=sign):
				self.configure(cdn_base_url=CDN, sign=sign)
				self.tick()
				found = {
					lesson.name
					for lesson in self.lessons
					if "X-Amz-Signature" in " ".join(self.links(lesson))
				}
				self.assertEqual(found, signed)
				self.assertEqual(
					{x.name for x in self.lessons if "signed_url_expiry" in self.lesson(x)}, signed
				)
				self.check(leaving=[FILM])

	def test_new_keys_and_another_life_sign_anew(self) -> None:
		versions = {lesson.name: self.lesson(lesson)["version"] for lesson in self.lessons}
		self.configure(cdn_base_url=CDN, access_key="AKIAROTATED", secret_key="another")
		self.tick()
		self.assertIn("AKIAROTATED", self.links(self.video)[0])
		link = self.links(self.video)[0]
		self.configure(cdn_base_url=CDN, access_key="AKIAROTATED", secret_key="yet another")
		self.tick()
		self.assertEqual(
			self.links(self.video)[0].partition("&X-Amz-Sig")[0], link.partition("&X-Amz-Sig")[0]
		)
		self.assertNotEqual(self.links(self.video)[0], link)
		with self.recorded() as steps:
			self.configure(cdn_base_url=CDN, access_key="AKIAROTATED", secret_key="yet another")
			self.assertEqual(self.tick(), {"due": ""})
		self.assertEqual(steps, [])
		self.configure(cdn_base_url=CDN, signed_url_expiry_hours=24)
		self.tick()
		self.assertGreater(self.signed_for(self.video), 20)
		self.assertEqual({lesson.name: self.lesson(lesson)["version"] for lesson in self.lessons}, versions)

	def test_links_that_another_base_url_leads_into_the_bucket_are_signed(self) -> None:
		"""An earlier build left them unsigned for ever, whatever was rebuilt."""
		self.show(self.plain, f"https://films.example/{FILM}")
		self.publish()
		self.assertNotIn("X-Amz", self.links(self.plain)[0])
		self.configure(cdn_base_url="https://films.example")
		self.tick()
		self.assertIn("X-Amz-Signature=", self.links(self.plain)[0])
		self.configure(cdn_base_url=CDN)
		self.tick()
		self.assertEqual(self.links(self.plain), [f"https://films.example/{FILM}"])

	def test_a_save_that_is_still_to_be_followed_is_not_forgotten_over_the_next(self) -> None:
		self.show(self.plain, f"https://films.example/{FILM}")
		self.publish()
		with patch.object(after_save, "_take_steps"):  # as if both processes had died
			self.configure(cdn_base_url="https://films.example")
			self.configure(cdn_base_url="https://films.example", signed_url_expiry_hours=7)
		self.assertNotIn("X-Amz", self.links(self.plain)[0])
		self.tick()
		self.assertIn("X-Amz-Signature=", self.links(self.plain)[0])

	def test_what_a_builder_signs_while_settings_are_saved_is_signed_as_they_say(self) -> None:
		"""An earlier build left it unsigned for ever, whatever was rebuilt."""
		self.configure(cdn_base_url=CDN, sign="None")
		self.tick()
		self.show(self.video, FILM, FILM)
		new = factories.make_lesson(parent_topic=self.course["topics"][0].name, is_published=1)
		self.show(new, FILM)
		frappe.db.commit()
		child = fork(self._build_and_stop)
		self.addCleanup(child.end)
		self.assertEqual(child.arrived(), "lessons")
		self.configure(cdn_base_url=CDN, sign="All")
		child.go_on()
		self.assertEqual(child.wait(), (0, 0))
		self.tick()
		for lesson in (self.video, new, self.paid):
			for link in self.links(lesson):
				self.assertIn("X-Amz-Signature=", link)
		self.check(leaving=[FILM])

	def _build_and_stop(self, stops: Stops) -> tuple[int, int]:
		kind = type(self.storage())
		put, stopped = kind.put, []

		def stopping(storage: Storage, upload: Upload, **condition: Any) -> str:
			if upload.path.startswith("lessons") and not stopped:
				stopped.append(1)
				stops.stop("lessons")
			return put(storage, upload, **condition)

		with patch.object(kind, "put", stopping):
			drained = batch_processor.process("Scheduler")
		return drained.failed, drained.left

	def test_what_is_renewed_while_settings_are_saved_is_signed_as_they_say(self) -> None:
		upload, saved = link_upload.upload, []

		def once_they_have_changed(*arguments: Any) -> Any:
			if not saved:
				saved.append(1)
				with ThreadPoolExecutor(1) as web:
					web.submit(connected, frappe.local.site, self.configure_otherwise).result()
			return upload(*arguments)

		with self.later(hours=2.2), patch.object(link_upload, "upload", once_they_have_changed):
			self.tick()
			self.tick()
		for lesson in (self.video, self.paid):
			self.assertIn("AKIAROTATED", self.links(lesson)[0])

	def test_older_signatures_do_not_stay_over_those_of_the_next_worker(self) -> None:
		frappe.db.sql("update `tabCDN File` set signed_until = '2000-01-01' where signed_until is not null")
		frappe.db.commit()
		child = fork(self._build_and_stop)
		self.addCleanup(child.end)
		self.assertEqual(child.arrived(), "lessons")
		self.configure_otherwise()
		self.assertEqual(self.tick(), {"due": "signature"})
		child.go_on()
		self.assertEqual(child.wait(), (0, 0))
		self.tick()
		for lesson in (self.video, self.paid):
			self.assertIn("AKIAROTATED", self.links(lesson)[0])

	def configure_otherwise(self) -> None:
		self.configure(cdn_base_url=CDN, access_key="AKIAROTATED")

	def test_what_a_day_of_signatures_costs(self) -> None:
		"""The numbers in docs/storage.md."""
		self.assertEqual(
			{hours: signing.uploads_a_day(20_000, hours) for hours in (1, 2, 4, 8, 12, 24)},
			{1: 1_536_000, 2: 640_000, 4: 274_667, 8: 137_333, 12: 92_000, 24: 46_000},
		)

	def site(self):
		return closing(PublishTarget.open())

	def test_a_conflict_with_another_worker_loses_no_mark(self) -> None:
		path = paths.lesson(self.video.name)
		update, tries = database.update_names, []

		def conflicts_once(doctype: str, names: Iterable[str], *rest: Any) -> int:
			tries.append(update(doctype, names, *rest))
			if len(tries) == 1:
				raise frappe.QueryDeadlockError(OperationalError(1213, "Deadlock found"))
			return tries[-1]

		with patch.object(database, "update_names", conflicts_once):
			ledger.sign_other_links([path])
		self.assertEqual(tries, [1, 1])
		database.fresh()
		self.assertEqual([due.other_links for due in ledger.signatures_due(datetime(2001, 1, 1))], [True])


class TestVideoFolders(BucketTestCase):
	"""Only films in the video folders are signed: an editor's link opens nothing else of the bucket."""

	FORBIDDEN = ("backups/site.sql.gz", "plans/index.json", "videos/../backups/a", "intro.mp4")

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1, lessons=2)
		self.lesson, self.other = self.course["lessons"]
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)

	def places(self) -> list[str]:
		return [
			"",
			f"s3://{self.bucket}/",
			f"{self.endpoint}/{self.bucket}/",
			f"{self.endpoint.upper()}/{self.bucket}/",
		]

	def stage(self, link: str) -> dict[str, str]:
		return {"title": "Watch", "type": "Video", "config": orjson.dumps({"video_url": link}).decode()}

	def write(self, lesson: Any, link: str) -> None:
		"""Past Frappe."""
		frappe.db.sql(
			"update `tabMemora Lesson Stage` set config = %s where parent = %s and type = 'Video'",
			(self.stage(link)["config"], lesson.name),
		)
		relay.touch([self.plan.name], [self.course["subject"].name])
		frappe.db.commit()

	def test_a_link_to_anything_else_of_the_bucket_is_refused_when_saved(self) -> None:
		for place in self.places():
			for key in self.FORBIDDEN:
				with self.subTest(place + key), self.assertRaises(frappe.ValidationError) as refused:
					self.change(self.lesson, stages=[self.stage(place + key)])
				for word in (self.lesson.title, "Watch", "videos/", "Video Folders"):
					self.assertIn(word, str(refused.exception))
		row = frappe.get_doc("Memora Lesson", self.lesson.name).stages[0]
		row.config = self.stage("plans/index.json")["config"]
		self.assertRaises(frappe.ValidationError, row.save)

	def test_a_stage_that_becomes_a_video_is_checked_too(self) -> None:
		self.change(self.lesson, stages=[self.text({"video_url": "plans/index.json"})])
		row = frappe.get_doc("Memora Lesson", self.lesson.name).stages[0]
		row.type = "Video"
		self.assertRaises(frappe.ValidationError, row.save)

	def test_what_was_there_before_stays_and_is_not_signed(self) -> None:
		for link in self.FORBIDDEN:
			self.write(self.lesson, link)
			self.change(self.lesson, title=f"Edited beside {link}")
			self.publish()
			file = self.read(f"lessons/{self.lesson.name}.json")
			self.assertEqual(file["title"], f"Edited beside {link}")
			self.assertEqual(file["stages"][0]["config"]["video_url"], link)
			self.assertNotIn(b"X-Amz", b"".join(self.contents().values()))
		(finding,) = (found for found in doctor.run(bucket=False) if found.check == "video links")
		self.assertIn(self.lesson.name, finding.message)

	def unsigned(self) -> dict[str, dict[str, Any]]:
		"""Configs with an address of the bucket itself, where nothing signs it, by what they are."""
		film, page = (f"{self.endpoint}/{self.bucket}/{key}" for key in ("videos/a.mp4", "sheets/a.pdf"))
		return {
			"a film in HTML": {"html": f'<p>See <video src="{film}"></video></p>'},
			"a link": {"html": f"<a href='{page}?X-Amz-Signature=abc'>sheet</a>"},
			"a style": {"html": f"<p style='background: url({page})'>x</p>"},
			"entities": {"html": f'<a href="{page.replace("/", "&#47;")}">sheet</a>'},
			"Markdown": {"text": f"![sheet]({page})"},
			"a text": {"solutions": ["none", page]},
			"S3's own": {"html": f"<img src=s3://{self.bucket}/{page[-12:]}>"},
		}

	def text(self, config: dict[str, Any], type_: str = "Text") -> dict[str, str]:
		return {"title": "Watch", "type": type_, "config": orjson.dumps(config).decode()}

	def test_an_address_of_the_bucket_that_nothing_signs_is_refused_when_saved(self) -> None:
		self.configure(cdn_base_url=CDN)
		for what, config in self.unsigned().items():
			for type_ in ("Text", "Question", "Interactive"):
				with self.subTest(what, type=type_), self.assertRaises(frappe.ValidationError) as refused:
					self.change(self.lesson, stages=[self.text(config, type_)])
				for word in (self.lesson.title, "Watch", "not be signed", "video_url"):
					self.assertIn(word, str(refused.exception))
		with self.assertRaises(frappe.ValidationError):
			poster = f"{self.endpoint}/{self.bucket}/videos/a.png"
			self.change(
				self.lesson, stages=[self.text({"video_url": "videos/a.mp4", "poster": poster}, "Video")]
			)
		for config in (
			{"html": f'<a href="{CDN}/sheets/a.pdf">on the CDN</a> {self.bucket}/a'},
			{"html": f'<a href="https://elsewhere.example/{self.bucket}/a">elsewhere</a>'},
			{"html": "videos/a.mp4"},
		):
			self.change(self.lesson, stages=[self.text(config)])

	def test_such_an_address_of_before_stays_and_doctor_names_it(self) -> None:
		self.configure(cdn_base_url=CDN)
		self.change(self.lesson, stages=[self.text({"html": "x"})])
		for config in self.unsigned().values():
			frappe.db.set_value("Memora Lesson Stage", {"parent": self.lesson.name}, self.text(config))
			stages = [stage.as_dict() for stage in frappe.get_doc("Memora Lesson", self.lesson.name).stages]
			stages[0].config = self.text({**config, "body": "Edited beside it"})["config"]
			self.change(self.lesson, stages=stages)
		(finding,) = (found for found in doctor.run(bucket=False) if found.check == "video links")
		self.assertIn(self.lesson.name, finding.message)

	def test_no_settings_make_a_folder_of_memoras_own_a_video_folder(self) -> None:
		for folder in (
			"plans",
			"lessons/",
			"units/x",
			"media",
			"schemas",
			"access",
			"/",
			"..",
			"videos/../plans",
		):
			if folder != "/":
				with self.subTest(folder), self.assertRaises(frappe.ValidationError):
					self.configure(video_folders=f"videos/\n{folder}")
			frappe.db.set_single_value("CDN Settings", "video_folders", folder)
			self.write(self.lesson, "plans/index.json")
			self.publish()
			self.assertNotIn(b"X-Amz", b"".join(self.contents().values()))

	def test_a_folder_that_is_added_is_signed_and_one_that_is_taken_off_is_not(self) -> None:
		self.write(self.lesson, "films/a.mp4")
		self.publish()

		def link() -> str:
			return self.read(f"lessons/{self.lesson.name}.json")["stages"][0]["config"]["video_url"]

		self.assertEqual(link(), "films/a.mp4")
		self.configure(video_folders="films")
		self.assertEqual(frappe.db.get_single_value("CDN Settings", "video_folders"), "films/")
		self.tick()
		self.assertIn("X-Amz-Signature=", link())
		self.change(self.other, stages=[self.stage("films/b.mp4")])
		self.configure(video_folders="videos/")
		self.tick()
		self.assertEqual(link(), "films/a.mp4")

	def test_people_are_shown_no_signature(self) -> None:
		self.change(self.lesson, stages=[self.stage("videos/a.mp4")])
		for _state in ("planned", "live"):
			answers = frappe.as_json(
				[
					publishing.view_json("Memora Lesson", self.lesson.name, self.plan.name),
					publishing.preview_changes(self.plan.name),
					publishing.document_status("Memora Lesson", self.lesson.name),
				]
			)
			self.assertIn("videos/a.mp4", answers)
			self.assertNotIn("X-Amz", answers)
			self.publish()
		self.assertIn(b"X-Amz-Signature=", self.read_bytes(f"lessons/{self.lesson.name}.json"))
		rows = publishing.view_json("Memora Lesson", self.lesson.name, self.plan.name)["rows"]
		self.assertEqual({row["kind"] for row in rows}, {"same"})

	def test_a_plus_means_the_film_that_is_there(self) -> None:
		link = f"{self.endpoint}/{self.bucket}/videos/Intro+to+algebra.mp4"
		for name in ("Intro to algebra.mp4", "Intro+to+algebra.mp4"):
			self.put(f"videos/{name}", name.encode())
			self.change(self.lesson, stages=[self.stage(link), self.stage("https://v.example/" + name)])
			self.publish()
			signed = self.read(f"lessons/{self.lesson.name}.json")["stages"][0]["config"]["video_url"]
			self.assertEqual(requests.get(signed, timeout=5).content, name.encode())

	def test_an_upgrade_names_the_folders_that_films_are_in(self) -> None:
		topic = self.course["topics"][0].name
		for link in (
			"videos/a.mp4",
			"films/2024/a.mp4",
			"films/2024/b/c.mp4",
			f"{self.endpoint}/{self.bucket}/talks/a+b.mp4",
			"intro.mp4",
			"plans/index.json",
			"lessons/films/a.mp4",
			"backups/site.sql.gz",
			"https://youtu.be/x",
		):
			lesson = factories.make_lesson(parent_topic=topic, stages=[self.stage("https://v.example/1.mp4")])
			self.write(lesson, link)
		for _time in range(2):
			frappe.db.delete("Singles", {"doctype": "CDN Settings", "field": "video_folders"})
			fill_video_folders.execute()
			fill_video_folders.execute()
			folders = frappe.db.get_single_value("CDN Settings", "video_folders", cache=False)
			self.assertEqual(folders, "videos/\nfilms/2024/\nintro.mp4\ntalks/")
		self.assertEqual(
			sorted(link for _lesson, link in films.stray_links()),
			["backups/site.sql.gz", "lessons/films/a.mp4", "plans/index.json"],
		)
