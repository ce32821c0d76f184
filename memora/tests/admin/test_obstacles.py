"""A form says at once all that keeps its document from being live, with where each is fixed."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe

from memora.api import publishing
from memora.install import ADMIN, EDITOR
from memora.services.cdn_export.admin import status_answer
from memora.tests.helpers import factories
from memora.tests.helpers.frappe_versions import set_in_test
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.statements import statements
from memora.tests.helpers.users import drop_user_permissions, make_user

USER = "obstacles@memora.test"


class TestObstacles(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		make_user(cls, USER, EDITOR)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(drop_user_permissions, USER)
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(set_in_test, True)
		patcher = patch("memora.services.cdn_export.admin.schedule._is_off", return_value=False)
		patcher.start()
		self.addCleanup(patcher.stop)
		self.course = make_course(title="Optics")
		self.lesson, self.topic = self.course["lessons"][0], self.course["topics"][0]
		self.track, self.subject = self.course["track"], self.course["subject"]

	def edit(self, doc: Any, **fields: Any) -> None:
		frappe.get_doc(doc.doctype, doc.name).update(fields).save()
		frappe.db.commit()

	def plan(self, **fields: Any) -> Any:
		return factories.make_plan([self.subject], **{"title": "Grade 7", "is_published": 1, **fields})

	def reasons(self, doc: Any) -> list[dict[str, Any]]:
		frappe.db.commit()
		return publishing.document_status(doc.doctype, doc.name)["reasons"]

	def said(self, doc: Any) -> list[tuple[str, str]]:
		"""What the form says, each with the document that it leads to."""
		return [(reason["text"], reason["name"] or reason["route"]) for reason in self.reasons(doc)]

	def become(self, *permitted: Any) -> None:
		for doc in permitted:
			row = {"doctype": "User Permission", "user": USER, "allow": doc.doctype, "for_value": doc.name}
			frappe.get_doc({**row, "apply_to_all_doctypes": 1}).insert(ignore_permissions=True)
		frappe.db.commit()
		frappe.cache.hdel("user_permissions", USER)
		frappe.set_user(USER)
		set_in_test(False)

	def test_all_of_it_at_once_each_with_where_it_is_fixed(self) -> None:
		season = factories.make("Memora Season", title="2026/27", is_published=0)
		plan = self.plan(
			is_published=0, season=season.name, overrides=[factories.override(self.track, "Hide")]
		)
		for doc in (self.lesson, self.topic, self.subject):
			self.edit(doc, is_published=0)
		self.assertEqual(
			self.said(self.lesson),
			[
				("It is a draft", ""),
				(f"Its Topic “{self.topic.title}” is a draft", self.topic.name),
				("Its Subject “Optics” is a draft", self.subject.name),
				("The plan “Grade 7” is a draft", plan.name),
				("The season “2026/27” of the plan “Grade 7” is not published", season.name),
				(f"The plan “Grade 7” hides its Track “{self.track.title}”", plan.name),
			],
		)
		status = publishing.document_status("Memora Lesson", self.lesson.name)
		self.assertEqual(
			[node["name"] for node in status["drafts"]],
			[self.lesson.name, self.topic.name, self.subject.name],
		)
		self.assertEqual([node["title"] for node in status["line"]][0::4], ["Optics", self.lesson.title])

	def test_in_no_plan_and_in_no_subject(self) -> None:
		self.assertEqual(
			self.said(self.lesson), [("No plan lists its Subject “Optics”", "memora-academic-plan")]
		)
		self.assertEqual(self.said(self.subject), [("No plan lists it", "memora-academic-plan")])
		frappe.db.set_value(self.track.doctype, self.track.name, "parent_subject", "gone")
		self.assertIn("belongs to no subject", self.said(self.lesson)[0][0])

	def test_what_is_live_or_only_waits_has_nothing_to_say(self) -> None:
		self.plan()
		self.assertEqual(self.said(self.lesson), [])
		self.publish()
		hiding = self.plan(title="Grade 8", overrides=[factories.override(self.lesson, "Hide")])
		self.publish()
		self.assertEqual(self.said(self.lesson), [])
		self.assertEqual(self.said(hiding), [])

	def test_what_is_paid_without_an_item(self) -> None:
		plan = self.plan()
		frappe.db.set_value(self.track.doctype, self.track.name, {"is_sold_separately": 1})
		text = f"The Track “{self.track.title}” is paid, but no item is named there or above it"
		self.assertEqual(self.said(self.lesson), [(text, self.track.name)])
		frappe.db.set_value(self.subject.doctype, self.subject.name, {"required_item": "OPTICS"})
		self.assertEqual(self.said(self.lesson), [])
		frappe.db.set_value(self.track.doctype, self.track.name, {"is_sold_separately": 0})
		self.change(plan, overrides=[factories.override(self.topic, "Set Sold Separately")])
		self.assertEqual(self.said(self.lesson), [])
		frappe.db.set_value(self.subject.doctype, self.subject.name, {"required_item": ""})
		text = f"The Topic “{self.topic.title}” is paid, but no item is named there or above it"
		self.assertEqual(self.said(self.lesson), [(text, plan.name)])

	def test_a_failure_and_export_that_is_off_lead_admins_to_where_they_are_fixed(self) -> None:
		plan = self.plan()
		(self.local_path / f"lessons/{self.lesson.name}.json/stray").mkdir(parents=True)
		self.publish()
		self.configure(enabled=0)
		self.edit(self.lesson, is_published=0)
		draft, failed, off = self.said(self.lesson)
		self.assertEqual(draft, ("It is a draft", ""))
		self.assertIn("Publishing failed", failed[0])
		self.assertEqual([failed[1], off[1]], ["cdn-export-dashboard", "cdn-settings"])
		self.assertIn("switched off", off[0])
		self.become()
		self.assertEqual([name for _text, name in self.said(self.lesson)], ["", "", ""])
		self.assertTrue(plan)

	def test_a_plan_says_its_own(self) -> None:
		season = factories.make("Memora Season", title="2026/27", is_published=0)
		plan = self.plan(is_published=0, season=season.name)
		self.assertEqual(
			self.said(plan), [("It is a draft", ""), ("Its season “2026/27” is not published", season.name)]
		)
		self.assertEqual(publishing.document_status(plan.doctype, plan.name)["drafts"], [])

	def test_nobody_hears_of_a_plan_that_he_may_not_read_or_publishes_what_he_may_not_write(self) -> None:
		other = make_course(title="Secret")
		factories.make_plan([self.subject, other["subject"]], title="Secret plan")
		self.edit(self.topic, is_published=0)
		self.become(self.subject)
		self.assertEqual(
			self.said(self.lesson), [(f"Its Topic “{self.topic.title}” is a draft", self.topic.name)]
		)
		status = publishing.document_status("Memora Lesson", self.lesson.name)
		self.assertEqual([node["name"] for node in status["drafts"]], [self.topic.name])
		status = _status(self.lesson)
		with patch("frappe.has_permission", return_value=False):
			self.assertEqual(status_answer.as_dict(status)["drafts"], [])

	def test_what_is_too_much_is_counted_and_that_export_is_off_is_never_left_off(self) -> None:
		for number in range(15):
			factories.make_plan([self.subject], title=f"Draft plan {number:02}")
		with patch("memora.services.cdn_export.admin.schedule.obstacle", return_value="Export is off."):
			reasons = publishing.document_status("Memora Lesson", self.lesson.name)["reasons"]
		self.assertEqual(len(reasons), 14)
		self.assertEqual([reason["text"] for reason in reasons[-2:]], ["… and 3 more.", "Export is off."])

	def test_it_takes_the_same_statements_however_many_plans_there_are(self) -> None:
		self.edit(self.topic, is_published=0)
		counts = []
		for plans in (1, 6):
			for place in range(plans):
				self.plan(title=f"Plan {plans}.{place}", overrides=[factories.override(self.track, "Hide")])
			frappe.db.commit()
			self.reasons(self.lesson)
			with statements() as seen:
				self.reasons(self.lesson)
			counts.append(len(seen))
		self.assertEqual(counts[0], counts[1])
		self.assertLessEqual(counts[0], 32)

	def test_an_admin_of_publishing_may_not_write_content(self) -> None:
		self.edit(self.topic, is_published=0)
		self.addCleanup(lambda: frappe.get_doc("User", USER).add_roles(EDITOR))
		self.addCleanup(lambda: frappe.get_doc("User", USER).remove_roles(ADMIN))
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.get_doc("User", USER).remove_roles(EDITOR)
		frappe.get_doc("User", USER).add_roles(ADMIN)
		self.become()
		status = publishing.document_status("Memora Lesson", self.lesson.name)
		self.assertEqual(status["drafts"], [])
		self.assertEqual(len(status["reasons"]), 2)


def _status(doc: Any) -> Any:
	return status_answer.for_caller(doc.doctype, [doc.name], with_obstacles=True)[doc.name]
