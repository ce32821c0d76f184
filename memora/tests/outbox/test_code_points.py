"""Names that MariaDB takes for one, where links were written past Frappe's checks: what is edited is published all the same."""

from __future__ import annotations

import frappe

from memora.services.cdn_export.admin import publication_status, publish_requests, status_answer
from memora.services.cdn_export.model.doctypes import PARENT_FIELDS
from memora.services.cdn_export.outbox import reconciliation
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course


class TestSpelledOtherwise(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.own = factories.make_plan(
			[self.course["subject"]],
			is_published=1,
			overrides=[factories.override(self.course["lessons"][1], "Hide")],
		)

	def spell(self, how: str) -> None:
		"""Write all links in another spelling that MariaDB takes for the same."""
		for doctype, field in PARENT_FIELDS.items():
			if field:
				frappe.db.sql(f"update `tab{doctype}` set {field} = {how.format(field)}")
		for table, field in (("Plan Subject", "subject"), ("Plan Override", "target_name")):
			frappe.db.sql(f"update `tabMemora {table}` set {field} = {how.format(field)}")
		frappe.db.commit()

	def test_every_edit_is_published(self) -> None:
		for number, how in enumerate(("upper({0})", "concat({0}, '  ')", "lower({0})")):
			with self.subTest(how):
				self.spell(how)
				for doc in chain(self.course):
					frappe.db.set_value(doc.doctype, doc.name, "description", "")
					doc.reload()
					doc.db_set("title", f"Title {number}")
				self.publish()
				self.assertEqual(self.failures(), {})
				for plan in (self.plan, self.own):
					seen = self.learner(plan)
					documents = [*seen.subjects.values(), *seen.units.values(), *seen.lessons.values()]
					titles = [document["title"] for document in documents]
					self.assertEqual(titles.count(f"Title {number}"), 3)
					hidden = self.course["lessons"][1].name
					self.assertEqual(hidden in seen.lessons, plan is self.plan)
				self.check()
				for doc in (*chain(self.course), self.plan):
					saved = frappe.get_doc(doc.doctype, doc.name)
					saved.flags.ignore_links = True  # Frappe 17 refuses a link that is spelled otherwise
					saved.save()
				found = publication_status.of_documents("Memora Lesson", [self.course["lessons"][0].name])
				shown = status_answer.as_dict(found[self.course["lessons"][0].name])
				self.assertIn(self.plan.title, str(shown))
				publish_requests.rebuild([self.plan.name])
				reconciliation.hourly()
				self.publish()
				self.assertEqual(self.failures(), {})
				self.check()
