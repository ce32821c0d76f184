"""Refused removals: publishing goes on, the removal is tried again, and no status says that all is well."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from memora.api import cdn_admin, publishing
from memora.commands import actions
from memora.commands.running import Progress
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.admin import (
	dashboard,
	metrics,
	operations,
	pipeline_status,
	verification,
)
from memora.services.cdn_export.admin.doctor import publishing as publishing_checks
from memora.services.cdn_export.builds.commit import GRACE
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, daily, public_check
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import redis_mirror
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.faulty_server import Answer, Cut, Fault, FaultyServer, Request, Reset, s3_error
from memora.tests.helpers.publishing import PublishingTestCase, make_course


def is_delete(request: Request) -> bool:
	return request.method == "DELETE" or (request.method == "POST" and "delete" in request.path)


def each_refused(request: Request) -> Answer:
	"""The answer to DeleteObjects that refuses every object, as Object Lock and a legal hold do."""
	keys = [part.partition(b"</Key>")[0].decode() for part in request.body.split(b"<Key>")[1:]]
	errors = "".join(
		f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>object is WORM protected</Message></Error>"
		for key in keys
	)
	return Answer(200, f"<DeleteResult>{errors}</DeleteResult>".encode(), {"Content-Type": "application/xml"})


REFUSALS: dict[str, Any] = {
	"403 AccessDenied": s3_error(403, "AccessDenied"),
	"400 NotImplemented": s3_error(400, "NotImplemented"),
	"400 InvalidRequest": s3_error(400, "InvalidRequest"),
	"405 MethodNotAllowed": s3_error(405, "MethodNotAllowed"),
	"409 OperationAborted": s3_error(409, "OperationAborted"),
	"429 TooManyRequests": s3_error(429, "TooManyRequests"),
	"500 InternalError": s3_error(500, "InternalError"),
	"501 NotImplemented": s3_error(501, "NotImplemented"),
	"503 SlowDown": s3_error(503, "SlowDown"),
	"no answer": Cut(),
	"connection reset": Reset(),
	"a legal hold": each_refused,
}


class RefusingBucketTestCase(BucketTestCase):
	"""A school that publishes to a bucket which refuses removals when a test says so."""

	def setUp(self) -> None:
		super().setUp()
		for place, value in (
			("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0),
			("memora.services.cdn_export.storage.s3.pause", lambda _seconds: None),
		):
			quick = patch(place, value)
			quick.start()
			self.addCleanup(quick.stop)
		front = FaultyServer(self.endpoint)
		self.front = front.__enter__()
		self.addCleanup(front.__exit__, None, None, None)
		self.course = make_course()
		self.lesson = self.course["lessons"][0]
		self.path = f"lessons/{self.lesson.name}.json"
		self.of_subject = f"removal:subject:{self.course['subject'].name}"
		self.plan = factories.make_plan([self.course["subject"]], is_published=1, title="Grade 7")
		self.configure(endpoint_url=self.front.url)
		self.publish()

	@contextmanager
	def refusing(self, fault: Any, *paths: str) -> Iterator[None]:
		"""Deletes are refused meanwhile; with `paths` only requests that name one of these."""

		def rule(request: Request) -> Fault | None:
			if not is_delete(request):
				return None
			if paths and not any(path in f"{request.path} {request.body.decode()}" for path in paths):
				return None
			return (
				fault(request)
				if callable(fault) and request.method == "POST"
				else (s3_error(403, "AccessDenied") if callable(fault) else fault)
			)

		with self.front.broken(rule):
			yield

	def hours_pass(self) -> None:
		"""The scheduler's looks of some hours, as often as a removal is tried."""
		for _ in range(6):
			self.minutes_pass(9)
			self.tick()
		for _ in range(2):
			self.minutes_pass(61)
			self.tick()

	def labels(self) -> list[str]:
		frappe.db.commit()
		return [letter["label"] for letter in pipeline_status.dead_letters()]

	def status_of(self, doc: Any) -> dict[str, Any]:
		frappe.db.commit()
		return publishing.document_status(doc.doctype, doc.name)

	def assertToldOf(self, *paths: str, label: str) -> None:
		"""Everybody who asks is told that these files are still there."""
		frappe.db.commit()
		self.assertLessEqual(set(paths), self.paths())
		(letter,) = (found for found in cdn_admin.get_recent_failures() if found["name"] == label)
		status, verified = pipeline_status.status(), verification.verify()
		self.assertEqual(status["still_on_cdn"], len(paths))
		self.assertEqual(sorted(status["still_on_cdn_paths"]), sorted(paths))
		self.assertFalse(verified["ok"])
		for path in paths:
			self.assertIn(path, letter["error_message"])
			self.assertIn(path, {problem["path"] for problem in verified["problems"]})
		told = [finding.message for finding in publishing_checks.leftovers()]
		self.assertTrue(any("Still on the CDN" in text and paths[0] in text for text in told), told)
		with closing(PublishTarget.open()) as target:
			found = {finding.path for finding in audit.verify(target).findings if finding.fault == "remains"}
			exposed = {exposure.path for exposure in public_check.check(target).exposures}
		self.assertEqual(found, set(paths))
		self.assertLessEqual(set(paths), exposed)
		self.assertIn(f"memora_files_still_on_cdn {len(paths)}.0", metrics.render().decode())
		(row,) = (row for row in dashboard.read()["rows"] if row["label"] == label)
		self.assertIn("Still on the CDN", row["reason"])

	def assertAllGone(self, *paths: str) -> None:
		frappe.db.commit()
		self.assertFalse(set(paths) & self.paths())
		self.assertEqual((self.labels(), pipeline_status.status()["failing"]), ([], []))
		self.assertEqual(pipeline_status.status()["still_on_cdn"], 0)
		self.assertTrue(verification.verify()["ok"])
		self.assertEqual(frappe.db.count("CDN Publish State", {"scope_type": "removal"}), 0)
		self.assertEqual(redis_mirror._client().hlen(redis_mirror.key(redis_mirror.DEAD_LETTER)), 0)


class TestKindsOfRefusal(RefusingBucketTestCase):
	def test_no_kind_of_refusal_is_forgotten_or_holds_news_up(self) -> None:
		for kind, fault in REFUSALS.items():
			with self.subTest(kind):
				self.change(self.lesson, is_published=1)
				self.publish()
				self.change(self.lesson, is_published=0)
				with self.refusing(fault):
					self.assertEqual(self.publish().failed, 0)
					news = factories.make_lesson(
						parent_topic=self.lesson.parent_topic, is_published=1, title=f"News {kind}"
					)
					self.assertEqual(self.publish().failed, 0)
					self.assertIn(
						news.name, {entry["lesson_id"] for entry in self.learner(self.plan).entries}
					)
					self.hours_pass()
					self.assertEqual(self.labels(), [self.of_subject])
					self.assertToldOf(self.path, label=self.of_subject)
				self.minutes_pass(61)
				self.tick()
				self.assertAllGone(self.path)


class TestLastSteps(RefusingBucketTestCase):
	"""Whatever a run has to remove at its end: it is reported, tried again, and gone in the end."""

	def play(self, withdraw: Callable[[], Any], *labels: str) -> set[str]:
		"""Withdraw something while removals are refused for some hours. Returns what should be removed."""
		before = self.paths()
		with self.refusing(REFUSALS["403 AccessDenied"]):
			withdraw()
			self.assertEqual(self.publish().failed, 0)
			self.minutes_pass(GRACE.total_seconds() / 60)
			self.tick()
			self.hours_pass()
			self.assertEqual(sorted(self.labels()), sorted(labels))
			remaining = set(frappe.get_all("CDN File", {"refused": 1}, pluck="path"))
			self.assertTrue(remaining)
			self.assertLessEqual(remaining, before)
			with closing(PublishTarget.open()) as target:
				found = {item.path for item in audit.verify(target).findings if item.fault == "remains"}
			self.assertEqual(found, remaining)
			self.assertFalse(verification.verify()["ok"])
		self.minutes_pass(61)
		self.tick()
		self.assertAllGone(*remaining)
		return remaining

	def test_a_plan_that_is_unpublished_and_what_it_alone_read(self) -> None:
		folder = {path for path in self.paths() if path.startswith(f"plans/{self.plan.name}/")}
		gone = self.play(
			lambda: self.change(self.plan, is_published=0), f"removal:{self.plan.name}", self.of_subject
		)
		self.assertLessEqual({*folder, self.path}, gone)

	def test_a_plan_that_is_deleted(self) -> None:
		self.play(self.plan.delete, f"removal:{self.plan.name}", self.of_subject)

	def test_a_rendition_of_its_own_that_a_plan_gives_up(self) -> None:
		hidden = self.course["units"][1]
		own = factories.make_plan(
			[self.course["subject"]], is_published=1, overrides=[factories.override(self.lesson, "Hide")]
		)
		self.publish()
		rows = [*own.overrides, factories.override(hidden, "Hide")]
		gone = self.play(lambda: self.change(own, overrides=rows), f"removal:{own.name}")
		self.assertIn(f"plans/{own.name}/units/{hidden.name}.json", gone)

	def test_a_subject_that_no_plan_reads_any_more(self) -> None:
		other = make_course(units=1, lessons=1)
		rows = [{"subject": other["subject"].name}]
		gone = self.play(
			lambda: self.change(self.plan, subjects=rows), f"removal:{self.plan.name}", self.of_subject
		)
		self.assertIn(self.path, gone)

	def test_a_picture_of_something_that_is_hidden(self) -> None:
		self.change(self.lesson, image=self.picture(b"hidden"))
		self.publish()
		(picture,) = (path for path in self.paths() if path.startswith("media/"))
		with self.refusing(REFUSALS["503 SlowDown"], picture):
			self.change(self.lesson, is_published=0)
			self.publish()
			self.hours_pass()
			self.assertEqual(self.labels(), ["removal:media"])
			self.assertToldOf(picture, label="removal:media")
		self.minutes_pass(61)
		self.tick()
		self.assertAllGone(picture)

	def test_a_picture_that_was_replaced_waits_for_the_daily_sweep_and_then_until_it_can_go(self) -> None:
		self.change(self.lesson, image=self.picture(b"old"))
		self.publish()
		(old,) = (path for path in self.paths() if path.startswith("media/"))
		self.change(self.lesson, image=self.picture(b"new"))
		self.publish()
		self.assertIn(old, self.paths())
		verified = verification.verify()
		self.assertEqual((verified["ok"], verified["in_their_grace"]), (True, 1), verified)
		with self.refusing(REFUSALS["501 NotImplemented"]):
			daily.run()
			self.assertFalse(verification.verify()["ok"])
			self.hours_pass()
			self.assertToldOf(old, label="removal:media")
		daily.run()  # does not wait for the hour: repairs what the audit finds
		self.publish()
		self.assertAllGone(old)


class TestRefusedRemoval(RefusingBucketTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.label = self.of_subject
		self.refused = s3_error(403, "AccessDenied")

	def withdraw(self) -> None:
		self.change(self.lesson, is_published=0)
		self.publish()

	def test_it_is_tried_after_2_4_and_8_minutes_and_then_every_hour(self) -> None:
		asked: list[str] = []

		def rule(request: Request) -> Fault | None:
			if is_delete(request):
				asked.append(request.path)
				return self.refused
			return None

		with self.front.broken(rule):
			self.withdraw()
			for minutes in (2, 4, 8, 60, 60):
				before = len(asked)
				self.minutes_pass(minutes - 0.5)
				self.tick()
				self.assertEqual(len(asked), before, f"tried before {minutes} minutes")
				self.minutes_pass(0.6)
				self.tick()
				self.assertEqual(len(asked), before + 1, f"not tried after {minutes} minutes")
				self.assertEqual(self.labels(), [self.label] if minutes >= 8 else [])

	def test_an_admin_is_told_once(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
		told = frappe.get_all(
			"Notification Log",
			{"for_user": "Administrator", "email_content": ("like", f"%{self.path}%")},
			pluck="subject",
		)
		self.assertEqual(len(told), 1, told)
		self.assertIn(self.course["subject"].title, told[0])

	def test_the_record_of_the_run_says_what_remains(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
		log = frappe.get_last_doc("CDN Sync Log")
		self.assertEqual(log.status, "Success")
		self.assertIn(f"Still on the CDN: {self.path}", log.error_message)

	def test_form_and_lists_say_it_until_it_is_gone_also_when_it_was_dismissed(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.assertStillThere()
			self.hours_pass()
			self.assertStillThere()
			cdn_admin.clear_dead_letter(self.label)
			self.assertEqual(self.labels(), [])
			for _ in range(3):
				self.assertStillThere()
				self.minutes_pass(61)
				self.tick()
			self.assertEqual(self.labels(), [])
		self.minutes_pass(61)
		self.tick()
		self.assertAllGone(self.path)
		self.assertEqual(self.status_of(self.lesson)["state"], "draft")

	def assertStillThere(self) -> None:
		found = self.status_of(self.lesson)
		listed = publishing.list_states("Memora Lesson", frappe.as_json([self.lesson.name]))[self.lesson.name]
		for state in (found, listed):
			self.assertEqual((state["state"], state["label"]), ("remains", "Still on the CDN"))
			self.assertIn(f"Still on the CDN: {self.path}", state["text"])
		self.assertFalse(verification.verify()["ok"])
		status = actions.status(Progress(shown=False))
		self.assertTrue(status.found)
		self.assertIn(self.path, "\n".join(status.lines))
		self.assertTrue(
			any("Still on the CDN" in finding.message for finding in publishing_checks.leftovers())
		)
		(row,) = (row for row in dashboard.read()["rows"] if row["label"] == self.label)
		self.assertIn(self.path, row["reason"])

	def test_what_joins_a_dismissed_removal_is_a_dead_letter_again(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
			cdn_admin.clear_dead_letter(self.label)
			self.change(self.course["lessons"][1], is_published=0)
			self.publish()
			self.hours_pass()
			self.assertEqual(self.labels(), [self.label])

	def test_retry_removes_it_at_once(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
		cdn_admin.retry_dead_letter(self.label)
		self.publish()
		self.assertAllGone(self.path)

	def test_it_outlives_a_redis_that_was_flushed(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
			redis_mirror.wipe()
			self.tick()
			self.minutes_pass(6)
			self.tick()
			self.assertEqual(self.labels(), [self.label])
			self.assertToldOf(self.path, label=self.label)
		self.minutes_pass(61)
		self.tick()
		self.assertAllGone(self.path)

	def test_a_file_that_somebody_else_has_removed_is_gone(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
			self.drop(self.path)
			self.assertTrue(verification.verify()["ok"])
			self.minutes_pass(61)
			self.tick()
			self.assertAllGone(self.path)

	def test_what_could_be_removed_of_several_is_gone(self) -> None:
		other = f"lessons/{self.course['lessons'][1].name}.json"

		def rule(request: Request) -> Answer | None:
			"""Refuses one object, and removes the other."""
			if not is_delete(request) or self.path.encode() not in request.body:
				return None
			self.drop(other)
			return each_refused(Request("POST", "", {}, f"<Key>{self.path}</Key>".encode(), ("", 0)))

		with self.front.broken(rule):
			self.change(self.course["lessons"][1], is_published=0)
			self.withdraw()
			self.assertNotIn(other, self.paths())
			self.assertEqual(pipeline_status.status()["still_on_cdn_paths"], [self.path])

	def test_a_withdrawal_meanwhile_does_not_wait_for_what_is_refused(self) -> None:
		other = f"lessons/{self.course['lessons'][1].name}.json"
		with self.refusing(self.refused, self.path):
			self.withdraw()
			self.hours_pass()
			self.change(self.course["lessons"][1], is_published=0)
			self.publish()
			self.assertNotIn(other, self.paths())
			self.assertToldOf(self.path, label=self.label)

	def test_what_is_published_again_stays_and_nothing_is_said_of_it(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
			self.change(self.lesson, is_published=1)
			self.publish()
		self.minutes_pass(61)
		self.tick()
		self.assertIn(self.path, self.paths())
		self.assertEqual((self.labels(), pipeline_status.status()["still_on_cdn"]), ([], 0))
		self.assertTrue(verification.verify()["ok"])
		self.assertEqual(self.status_of(self.lesson)["state"], "live")

	def test_a_repair_tries_it_at_once(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
			found = operations.repair()
			self.assertIn(self.path, {finding["path"] for finding in found["queued"]})
			self.assertIn(self.path, found["failures"][0]["error_message"])
		self.assertEqual(operations.repair()["failures"], [])
		self.assertAllGone(self.path)

	def test_another_place_has_nothing_to_remove(self) -> None:
		with self.refusing(self.refused):
			self.withdraw()
			self.hours_pass()
		self.bucket = self.make_bucket()
		self.configure()
		self.publish()
		batch_processor.process_pending_plans()
		self.assertAllGone(self.path)

	def test_storages_that_do_not_answer_are_asked_once_in_a_run(self) -> None:
		plans = [factories.make_plan([self.course["subject"]], is_published=1) for _ in range(3)]
		self.publish()
		for plan in plans:
			self.change(plan, is_published=0)
		asked: list[str] = []

		def rule(request: Request) -> Fault | None:
			if is_delete(request):
				asked.append(request.path)
				return Cut()
			return None

		with self.front.broken(rule):
			self.publish()
		self.assertLessEqual(len(asked), 4)  # botocore's tries of one call
		self.assertEqual(len(pipeline_status.status()["failing"]), 3)


class TestRefusedByAFolder(PublishingTestCase):
	"""A Local Directory with a file that cannot be removed."""

	def test_a_file_that_may_not_be_removed(self) -> None:
		course = make_course()
		factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		lesson = course["lessons"][0]
		path = f"lessons/{lesson.name}.json"
		with self.unremovable(self.local_path / path):
			self.change(lesson, is_published=0)
			self.change(course["lessons"][1], title="News")
			self.assertEqual(self.publish().failed, 0)
			self.assertEqual(self.read(f"lessons/{course['lessons'][1].name}.json")["title"], "News")
			self.assertEqual(pipeline_status.status()["still_on_cdn_paths"], [path])
			(failing,) = pipeline_status.status()["failing"]
			self.assertIn("fix the permissions", failing["error_message"])
		self.minutes_pass(2)
		self.tick()
		self.assertNotIn(path, self.paths())
		self.assertEqual(pipeline_status.status()["still_on_cdn"], 0)
		self.check()

	@contextmanager
	def unremovable(self, file: Path) -> Iterator[None]:
		"""A file that not even the system's administrator may remove."""
		if not shutil.which("chattr") or subprocess.run(["chattr", "+i", str(file)]).returncode:
			self.skipTest("this system has no immutable files")
		try:
			yield
		finally:
			subprocess.run(["chattr", "-i", str(file)], check=True)


class TestLabels(PublishingTestCase):
	def test_a_removal_is_called_by_what_it_removes_of_and_found_by_that(self) -> None:
		for owner in (
			Scope("plan", "p1"),
			Scope("plan", "removal:x"),
			Scope("subject", "Ä b"),
			scopes.INDEX,
			scopes.MEDIA,
		):
			removal = scopes.removal(owner)
			self.assertEqual(removal.label, f"removal:{owner.label}")
			self.assertEqual(scopes.of_label(removal.label), removal)
			self.assertEqual((removal.owner, removal.id), (owner, f"removal:{owner.id}"))
