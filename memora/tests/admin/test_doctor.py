"""`bench memora doctor`: what it finds when each thing is broken in turn, and that nothing makes it fail itself."""

from __future__ import annotations

import shlex
import threading
import time
from datetime import datetime, timedelta, timezone
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

import frappe
import redis
from frappe.utils import now_datetime

from memora.commands.running import FINE
from memora.services.cdn_export.admin import connection_test, doctor, schedule
from memora.services.cdn_export.admin.doctor import content, jobs, places, publishing, servers
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import publish_state, redis_mirror
from memora.tests.helpers import factories
from memora.tests.helpers.commands import CommandsTestCase
from memora.tests.helpers.publishing import make_course

TICK = "memora.services.cdn_export.batch_processor.check_due"


class TestDoctor(CommandsTestCase):
	def found(self, check, level: str = "error") -> str:
		"""What one check says at a level, fixes included."""
		return "\n".join(
			f"{finding.message} {finding.fix}" for finding in doctor._made(check) if finding.level == level
		)

	def fine(self, check) -> None:
		self.assertEqual([finding for finding in doctor._made(check) if finding.level != "ok"], [])

	def test_a_site_in_order_has_no_errors_but_what_the_machine_lacks(self) -> None:
		self.publish()
		for check in (
			servers.versions,
			servers.schema,
			servers.cache_redis,
			servers.queue_redis,
			jobs.cron_rows,
			places.settings_page,
			servers.clock,
			servers.disk,
			publishing.waiting,
			publishing.leftovers,
		):
			with self.subTest(check=check.__name__):
				self.fine(check)

	def test_stages_that_learners_do_not_get_as_meant(self) -> None:
		self.fine(content.stages)
		lesson = factories.make_lesson(
			title="Sums",
			stages=[
				{"title": "Ask", "type": "Question", "config": '{"question": "?", "options": ["a"]}'},
				{"title": "Try", "type": "Interactive", "config": '{"x": 1}'},
			],
		)
		frappe.db.set_value(
			"Memora Lesson Stage", lesson.stages[1].name, "config", '{"x": 0.1000000000000000055}'
		)
		said = self.found(content.stages, "warning")
		self.assertIn("Learners cannot use 2 stages", said)
		self.assertIn("Sums, row 1 (Ask)", said)
		self.assertIn("published as 0.1", said)

	def test_every_finding_that_is_not_fine_says_what_to_do(self) -> None:
		self.kill(self.plan.name)
		for finding in doctor.run():
			if finding.level != "ok" and finding.check != "workers":
				self.assertTrue(finding.fix or "in" in finding.message, finding)

	def test_exit_codes(self) -> None:
		warning = Finding("x", "warning", "odd", "fix it")
		error = Finding("x", "error", "broken", "fix it")
		for findings, arguments, code in (
			([], (), 0),
			([warning], (), 0),
			([warning], ("--strict",), 1),
			([error], (), 1),
		):
			with patch.object(doctor, "run", return_value=findings):
				self.says(code, "doctor", *arguments)
		with patch.object(doctor, "run", return_value=[error]):
			self.assertEqual(self.asked(1, "doctor")[0]["fix"], "fix it")

	def test_it_is_done_within_a_minute_when_the_storage_hangs(self) -> None:
		ended = threading.Event()
		self.addCleanup(ended.set)
		with (
			patch.object(places, "BUCKET_SECONDS", 0.2),
			patch.object(connection_test, "run", lambda *arguments, **options: ended.wait(60) and []),
		):
			started = time.monotonic()
			self.assertIn("has not answered everything", self.found(places.storage))
		self.assertLess(time.monotonic() - started, 10)

	def test_a_connection_test_that_fails_itself_is_told(self) -> None:
		with patch.object(connection_test, "run", side_effect=RuntimeError("odd")):
			self.assertIn("could not be looked at: RuntimeError: odd", self.found(places.storage))

	def test_a_check_that_fails_hides_no_other(self) -> None:
		with patch.object(frappe.db, "table_exists", side_effect=RuntimeError("odd")):
			findings = doctor.run(bucket=False)
		self.assertIn("could not be looked at: RuntimeError: odd", [finding.message for finding in findings])
		self.assertIn("disk", [finding.check for finding in findings])

	def test_schema(self) -> None:
		with patch.object(frappe.db, "get_db_table_columns", return_value=["name"]):
			found = self.found(servers.schema)
		self.assertIn("The database lacks CDN Change.", found)
		self.assertIn(f"bench --site {frappe.local.site} migrate", found)
		with patch.object(servers, "get_patches_from_app", return_value=["memora.patches.later"]):
			self.assertIn("memora.patches.later", self.found(servers.schema))

	def test_versions(self) -> None:
		with patch.object(frappe, "__version__", "18.0.0"):
			self.assertIn("not for 18.0.0", self.found(servers.versions, "warning"))
		with patch.object(frappe.db, "sql", return_value=(("10.5.4-MariaDB",),)):
			self.assertIn("older than 10.6", self.found(servers.versions))

	def test_redis_down(self) -> None:
		for key, check in (("redis_cache", servers.cache_redis), ("redis_queue", servers.queue_redis)):
			with self.subTest(key), patch.dict(frappe.conf, {key: "redis://:s3cret@127.0.0.1:1"}):
				found = self.found(check)
				self.assertIn("127.0.0.1:1 does not answer", found)
				self.assertNotIn("s3cret", found)

	def test_redis_policy(self) -> None:
		evicting = {"maxmemory_policy": "allkeys-lru", "maxmemory": 1000, "used_memory": 10}
		full = {"maxmemory_policy": "noeviction", "maxmemory": 1000, "used_memory": 999}
		with patch.object(redis.Redis, "info", return_value=evicting):
			self.assertIn("maxmemory-policy allkeys-lru", self.found(servers.queue_redis, "warning"))
			self.fine(servers.cache_redis)
		with patch.object(redis.Redis, "info", return_value=full):
			self.assertIn("nearly full", self.found(servers.queue_redis))
		with patch.dict(frappe.conf, {"redis_cache": frappe.conf.redis_queue}):
			self.assertIn("one Redis", self.found(servers.queue_redis, "warning"))

	def test_an_acl_that_refuses_memoras_keys(self) -> None:
		"""Frappe's own rules for a bench's user name the keys of its jobs alone."""
		admin = redis.Redis.from_url(frappe.conf.redis_queue)
		self.addCleanup(admin.close)
		self.addCleanup(admin.acl_deluser, "memora-test")
		admin.acl_setuser(
			"memora-test",
			reset=True,
			enabled=True,
			passwords="+pw",
			keys=["rq:*"],
			commands=["+@all", "-@admin"],
		)
		as_bench = {"use_rq_auth": 1, "rq_username": "memora-test", "rq_password": "pw"}
		forget = partial(setattr, redis_mirror, "_broken_until", 0.0)
		for clean_up in (redis_mirror._clients.clear, forget):
			clean_up()
			self.addCleanup(clean_up)
		with patch.dict(frappe.local.conf, as_bench):
			found = self.found(servers.queue_redis)
			rule = redis_mirror.acl_rule()
			self.assertIn("ACL SETUSER memora-test", doctor._made(servers.queue_redis)[0].fix)
			self.assertIn(rule, doctor._made(servers.queue_redis)[0].fix)
			self.assertIn("An ACL refuses memora's keys", found)
			admin.execute_command("ACL", "SETUSER", "memora-test", rule)
			self.fine(servers.queue_redis)
			redis_mirror.notify(["a"])
			self.assertIn("a", redis_mirror.waiting())
			admin.acl_setuser(
				"memora-test",
				reset=True,
				enabled=True,
				passwords="+pw",
				keys=["rq:*"],
				commands=["+@all", "-info"],
			)
			self.assertIn("An ACL refuses memora's keys", self.found(servers.queue_redis))

	def test_two_redis_that_listen_on_sockets_are_two(self) -> None:
		sockets = {
			"redis_cache": "unix:///run/redis/cache.sock",
			"redis_queue": "unix:///run/redis/queue.sock",
		}
		with (
			patch.dict(frappe.conf, sockets),
			patch.object(
				redis.Redis, "info", return_value={"maxmemory_policy": "noeviction", "used_memory": 10}
			),
			patch.object(redis_mirror, "try_keys"),
		):
			self.fine(servers.queue_redis)
			(found,) = doctor._made(servers.queue_redis)
			self.assertIn("/run/redis/queue.sock answers", found.message)
			with patch.dict(frappe.conf, {"redis_cache": sockets["redis_queue"]}):
				self.assertIn("one Redis", self.found(servers.queue_redis, "warning"))

	def test_workers_and_queues(self) -> None:
		with patch.object(schedule, "count_workers", return_value=None):
			self.assertIn("does not answer", self.found(jobs.workers))
		with patch.object(schedule, "count_workers", return_value=0):
			self.assertIn("No worker takes", self.found(jobs.workers, "warning"))
		old = SimpleNamespace(enqueued_at=jobs.datetime.now(jobs.timezone.utc) - timedelta(minutes=20))
		queue = SimpleNamespace(
			get_jobs=lambda *_: [old], count=3, connection=jobs.get_queue("long").connection
		)
		with (
			patch.object(schedule, "count_workers", return_value=1),
			patch.object(jobs, "get_queue", return_value=queue),
		):
			self.assertIn("has waited for 20 minutes", self.found(jobs.workers))

	def test_scheduler(self) -> None:
		with patch.object(jobs, "is_scheduler_inactive", return_value=True):
			self.assertIn("enable-scheduler", self.found(jobs.scheduler))
		with patch.dict(frappe.conf, {"maintenance_mode": 1}):
			self.assertIn("set-maintenance-mode off", self.found(jobs.scheduler))
		job = frappe.db.get_value("Scheduled Job Type", {"method": TICK})
		with (
			patch.object(jobs, "is_scheduler_inactive", return_value=False),
			patch.object(jobs, "is_dormant", return_value=False),
		):
			frappe.db.set_value("Scheduled Job Type", job, "last_execution", None)
			self.assertIn("has not been run yet", self.found(jobs.scheduler))
			frappe.db.set_value("Scheduled Job Type", job, "last_execution", now_datetime())
			self.fine(jobs.scheduler)
			with patch.object(jobs, "is_dormant", return_value=True):
				self.assertIn("Log in once", self.found(jobs.scheduler, "warning"))
				for hours, said in ((20, ""), (30, "has not been run since")):
					last = now_datetime() - timedelta(hours=hours)
					frappe.db.set_value("Scheduled Job Type", job, "last_execution", last)
					self.assertIn(said, self.found(jobs.scheduler))
					self.assertEqual(bool(self.found(jobs.scheduler)), bool(said))

	def test_cron_rows(self) -> None:
		job = frappe.db.get_value("Scheduled Job Type", {"method": TICK})
		for change, expected in (
			({"stopped": 1}, "is stopped"),
			({"cron_format": "*/7 * * * *"}, "not scheduled"),
		):
			with self.subTest(expected):
				frappe.db.set_value("Scheduled Job Type", job, change)
				self.assertIn(expected, self.found(jobs.cron_rows))
				frappe.db.rollback()

	def test_settings(self) -> None:
		frappe.db.set_single_value("CDN Settings", "storage_provider", "AWS S3")
		self.assertIn("Bucket Name: AWS S3 needs it.", self.found(places.settings_page))
		self.configure(enabled=0)
		self.assertIn("Export is disabled", self.found(places.settings_page, "warning"))
		self.configure(secret_key="s3cret")
		with patch(
			"frappe.utils.password.decrypt", side_effect=frappe.ValidationError("Encryption key is invalid")
		):
			found = self.found(places.settings_page)
		self.assertIn("Secret Key cannot be decrypted", found)
		self.assertNotIn("s3cret", found)

	def test_storage(self) -> None:
		self.configure(cdn_base_url="http://127.0.0.1:1")
		self.assertIn("cannot be reached", self.found(places.storage))
		self.assertEqual([path for path in self.all_paths() if "connection-test" in path], [])

	def test_clock(self) -> None:
		with patch.object(servers.time, "time", return_value=time.time() + 100):
			self.assertIn("seconds apart", self.found(servers.clock))
		self.publish()
		frappe.db.sql("update `tabCDN File` set version = version + 100000 limit 1")
		self.assertIn("in the future", self.found(servers.clock, "warning"))

	def test_disk(self) -> None:
		for free, level in ((50_000_000, "error"), (500_000_000, "warning")):
			usage = SimpleNamespace(total=10**12, used=0, free=free)
			with patch.object(servers.shutil, "disk_usage", return_value=usage):
				self.assertIn(f"{free / 1e6:,.0f} MB are free", self.found(servers.disk, level))

	def test_what_is_stuck(self) -> None:
		self.publish()
		self.kill(self.plan.name, "the bucket is full")
		found = self.found(publishing.waiting)
		self.assertIn(f"{self.plan.name} Grade 10: the bucket is full", found)
		self.assertIn(f"memora dead-letters retry {self.plan.name}", found)

		course = make_course(units=1, lessons=1)
		other = factories.make_plan(title="Held", is_published=1, subjects=[course["subject"]])
		self.publish()
		frappe.db.set_value(publish_state.TABLE, scopes.plan(other.name).id, "held", 1)
		self.assertIn(other.name, self.found(publishing.waiting, "warning"))

		factories.make_subject()
		frappe.db.sql("update `tabCDN Change` set creation = creation - interval 20 minute")
		self.assertIn("Changes wait since", self.found(publishing.waiting))

	def test_the_command_that_retries_works_for_a_name_with_spaces(self) -> None:
		name = frappe.rename_doc("Memora Academic Plan", self.plan.name, "Grade 10; evening", force=True)
		self.publish()
		self.kill(name)
		command = self.found(publishing.waiting).rpartition(" memora ")[2]
		self.assertEqual(shlex.split(command), ["dead-letters", "retry", name])
		self.says(FINE, *shlex.split(command))

	def test_leftovers(self) -> None:
		self.publish()
		frappe.db.sql(
			"update `tabCDN File` set state = 'removing', remove_at = %s limit 2",
			(now_datetime() - timedelta(hours=1),),
		)
		self.assertIn("2 files should have been removed", self.found(publishing.leftovers, "warning"))
		(lesson, *_) = frappe.get_all("CDN File", {"state": "live"}, pluck="name")
		for zone in ("America/New_York", "Asia/Riyadh"):
			for hours, said in ((-1, "of 1 lessons have expired"), (1, "")):
				with self.subTest(zone=zone, hours=hours):
					ends = datetime.now(timezone.utc) + timedelta(hours=hours)
					frappe.db.set_value("CDN File", lesson, "signed_until", ends.replace(tzinfo=None))
					with patch("frappe.utils.data.get_system_timezone", return_value=zone):
						found = self.found(publishing.leftovers)
					self.assertIn(said, found)
					self.assertEqual(bool(found), bool(said))
