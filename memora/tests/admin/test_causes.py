"""A run says who caused it and what changed: in the log, its form, the history, the dashboard and the commands."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import frappe
from click.testing import CliRunner
from frappe.desk.form.load import getdoc

from memora.api import cdn_admin
from memora.commands import memora
from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export.admin import (
	dashboard,
	dead_letters,
	operations,
	pipeline_status,
	publish_requests,
)
from memora.services.cdn_export.builds import plan_build
from memora.services.cdn_export.model import causes, doctypes
from memora.services.cdn_export.outbox import reconciliation, relay
from memora.services.cdn_export.state import publish_state
from memora.tests.helpers import clock, factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.utils import MemoraTestCase

SALMA, OMAR = "salma@causes.test", "omar@causes.test"


class TestCauses(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		for email, name in ((SALMA, "Salma"), (OMAR, "Omar")):
			frappe.delete_doc("User", email, force=True, ignore_missing=True)  # of a run that was killed
			user = {"doctype": "User", "email": email, "first_name": name, "send_welcome_email": 0}
			frappe.get_doc(user).insert(ignore_permissions=True).add_roles("Memora Editor")
			cls.addClassCleanup(frappe.delete_doc, "User", email, force=True, ignore_permissions=True)
		cls.addClassCleanup(frappe.set_user, "Administrator")
		frappe.db.commit()

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")
		self.course = make_course(units=2, lessons=4)
		self.lesson, self.unit = self.course["lessons"][0], self.course["units"][0]
		self.change(self.lesson, title="Angles 1")
		self.change(self.unit, title="Angles")
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()

	def as_user(self, user: str, work: Any) -> None:
		frappe.set_user(user)
		try:
			work()
		finally:
			frappe.set_user("Administrator")

	def last(self, plan: Any = None) -> dict[str, Any]:
		return pipeline_status.sync_history((plan or self.plan).name, 1)[0]

	def said(self, plan: Any = None) -> str:
		self.publish()
		return self.last(plan)["cause"]

	def test_a_save(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, description="new"))
		self.assertEqual(self.said(), "Salma: Lesson “Angles 1”")
		self.assertEqual(self.last()["changed_by"], SALMA)

	def test_db_set(self) -> None:
		self.as_user(SALMA, lambda: self.unit.db_set("title", "Corners"))
		self.assertEqual(self.said(), "Salma: Unit “Corners”")

	def test_what_is_deleted_stands_there_by_its_name(self) -> None:
		gone = self.course["lessons"][-1]
		self.as_user(SALMA, lambda: frappe.delete_doc(gone.doctype, gone.name))
		self.assertEqual(self.said(), f"Salma: Lesson {gone.name}")

	def test_a_rename(self) -> None:
		frappe.rename_doc("Memora Unit", self.unit.name, f"{self.unit.name}-b", show_alert=False, force=True)
		self.assertEqual(self.said(), "Administrator: Unit “Angles”")
		subject = self.course["subject"]
		frappe.rename_doc(subject.doctype, subject.name, f"{subject.name}-b", show_alert=False, force=True)
		self.assertIn(f"Administrator: Subject “{subject.title}”", self.said())

	def test_a_move_is_told_in_both_plans(self) -> None:
		other = make_course(units=1, lessons=1)
		plan = factories.make_plan([other["subject"]], is_published=1)
		self.publish()
		topic = other["topics"][0].name
		self.as_user(SALMA, lambda: self.change(self.lesson, parent_topic=topic))
		self.assertEqual([self.said(), self.said(plan)], ["Salma: Lesson “Angles 1”"] * 2)

	def test_many_at_once_are_counted(self) -> None:
		def work() -> None:
			for lesson in self.course["lessons"]:
				self.change(lesson, description="all of them")
				self.change(lesson, description="twice")

		self.as_user(SALMA, work)
		said = self.said()
		self.assertTrue(said.startswith("Salma: Lesson “"), said)
		self.assertTrue(said.endswith(" and 3 more"), said)
		self.assertEqual(said.count("Lesson “"), causes.MOST_NAMED)

	def test_several_people(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, description="hers"))
		self.as_user(OMAR, lambda: self.change(self.unit, description="his"))
		said = self.said()
		self.assertEqual(set(said.split("; ")), {"Salma: Lesson “Angles 1”", "Omar: Unit “Angles”"})

	def test_each_plan_of_a_shared_subject_says_it_and_no_other(self) -> None:
		sharing = factories.make_plan([self.course["subject"]], is_published=1)
		other = factories.make_plan([make_course(units=1)["subject"]], is_published=1)
		self.publish()
		before = self.last(other)["name"]
		self.as_user(SALMA, lambda: self.change(self.lesson, title="Angles 2"))
		self.assertEqual([self.said(), self.said(sharing)], ["Salma: Lesson “Angles 2”"] * 2)
		self.assertEqual(self.last(other)["name"], before)

	def test_a_plan_and_its_season(self) -> None:
		season = factories.make("Memora Season", title="Winter", is_published=1)
		self.publish()
		self.as_user(SALMA, lambda: self.change(self.plan, season=season.name))
		self.assertEqual(self.said(), f"Salma: Academic Plan “{self.plan.title}”")
		self.as_user(OMAR, lambda: self.change(season, title="Spring"))
		self.assertEqual(self.said(), "Omar: Season “Spring”")

	def test_what_was_told_is_told_once(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, description="new"))
		self.publish()
		self.as_user(OMAR, lambda: self.change(self.unit, title="Corners"))
		self.assertEqual(self.said(), "Omar: Unit “Corners”")

	def test_what_comes_while_it_is_built_is_told_by_the_next(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, description="new"))
		frappe.db.commit()
		relay.run()
		(state,) = (publish_state.by_id([f"plan:{self.plan.name}"])).values()
		self.as_user(OMAR, lambda: self.change(self.unit, title="Corners"))
		frappe.db.commit()
		relay.run()
		frappe.db.set_value(publish_state.TABLE, state.name, "lease_token", "held")
		publish_state.succeeded(state.scope, "held", state.generation, {}, causes=state.causes, release=True)
		self.assertEqual(self.said(), "Omar: Unit “Corners”")

	def test_a_failure_and_its_retry_say_it_too(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, description="new"))
		refused = StorageUnavailableError("refused by the test")
		with patch.object(plan_build, "run", side_effect=refused):
			for _ in range(4):
				self.assertEqual(self.said(), "Salma: Lesson “Angles 1”")
				clock.skip(10 * 60)
		self.assertEqual(self.last()["status"], "Dead Letter")
		self.as_user(
			OMAR, lambda: [dead_letters.retry(row["label"]) for row in pipeline_status.dead_letters()]
		)
		self.assertEqual(self.said(), "Salma: Lesson “Angles 1”; Omar: asked for a retry")

	def test_a_rebuild(self) -> None:
		self.as_user(OMAR, lambda: publish_requests.rebuild([self.plan.name]))
		self.assertEqual(self.said(), "Omar: asked for a rebuild")

	def test_publish_now(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, description="new"))
		frappe.db.commit()
		self.as_user(OMAR, operations.process)
		self.assertEqual(self.last()["cause"], "Salma: Lesson “Angles 1”; Omar: published now")

	def test_what_reconciliation_finds(self) -> None:
		reconciliation.hourly()
		self.publish()
		for doctype in (
			*doctypes.CONTENT,
			*doctypes.PLAN_TITLES,
			doctypes.PLAN,
			"Memora Lesson Stage",
			"Memora Plan Subject",
		):
			frappe.db.sql(f"update `tab{doctype}` set modified = '2020-01-01'")
		frappe.db.sql(
			"update `tabMemora Lesson` set description = 'by SQL', modified = %s where name = %s",
			(frappe.utils.now(), self.lesson.name),
		)
		reconciliation.hourly()
		self.assertEqual(self.said(), "Found by the hourly check: Lesson “Angles 1”")
		reconciliation.daily()
		self.assertEqual(self.said(), "Found by the nightly check")

	def test_it_stays_short_however_much_waits(self) -> None:
		self.configure(enabled=0)
		for number in range(40):
			for lesson in self.course["lessons"]:
				lesson.db_set("description", str(number))
			frappe.db.commit()
			relay.run()
		held = frappe.db.get_value(publish_state.TABLE, f"plan:{self.plan.name}", "causes")
		self.assertLess(len(held), 2 * causes.MOST_CHARACTERS)
		self.configure()
		said = self.said()
		self.assertEqual(said.count("Lesson “"), causes.MOST_NAMED)
		self.assertTrue(said.endswith(" and others"), said)

	def test_a_log_of_an_earlier_release_says_nothing(self) -> None:
		name = self.last()["name"]
		frappe.db.sql("update `tabCDN Sync Log` set changes = null, changed_by = null where name = %s", name)
		frappe.db.sql(f"update `tab{publish_state.TABLE}` set causes = null")
		self.assertEqual(self.last()["cause"], "")
		self.as_user(SALMA, lambda: self.change(self.lesson, description="new"))
		self.assertEqual(self.said(), "Salma: Lesson “Angles 1”")

	def test_titles_are_told_to_those_who_may_read_them(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, title="Secret <angles>"))
		self.publish()
		self.assertEqual(
			cdn_admin.get_sync_history(self.plan.name, 1)[0]["cause"], "Salma: Lesson “Secret <angles>”"
		)
		log = frappe.get_doc("CDN Sync Log", self.last()["name"])
		self.assertNotIn("Secret", frappe.as_json(log))
		permission = {
			"doctype": "User Permission",
			"user": OMAR,
			"allow": "Memora Lesson",
			"for_value": self.course["lessons"][1].name,
		}
		permission = frappe.get_doc(permission).insert()
		self.addCleanup(frappe.delete_doc, "User Permission", permission.name)
		for user, titled in ((SALMA, True), (OMAR, False)):
			frappe.set_user(user)
			getdoc("CDN Sync Log", log.name)
			frappe.set_user("Administrator")
			shown = frappe.response.docs[-1].changes
			self.assertEqual("Secret ﹤angles﹥" in shown, titled)
			self.assertIn("Salma", shown)

	def test_the_dashboard_and_the_command_say_it(self) -> None:
		self.as_user(SALMA, lambda: self.change(self.lesson, description="new"))
		said = self.said()
		self.assertEqual(dashboard.read()["runs"][0]["cause"], said)
		for flags in ([], ["--json"]):
			with patch("memora.commands.running.connected", lambda site: nullcontext()):
				answer = CliRunner().invoke(memora, ["history", *flags], obj={"sites": [frappe.local.site]})
			found = json.loads(answer.output)[0]["cause"] if flags else answer.output
			self.assertIn(said, found)


class TestLines(MemoraTestCase):
	def test_a_name_with_odd_characters_breaks_no_line(self) -> None:
		odd = causes.Cause("a\tb\n", "Memora Lesson", "x\ty\r\nz\u2028")
		found, more, is_cut = causes.read(causes.text([odd], 3))
		self.assertEqual((found, more, is_cut), ([causes.Cause("a b", "Memora Lesson", "x y z")], 3, False))
