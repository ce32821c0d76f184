"""That memora is really installed on the site the tests run on."""

import frappe

from memora.tests.utils import MemoraTestCase, wipe


class TestSite(MemoraTestCase):
	def test_memora_is_installed_with_its_doctypes(self) -> None:
		self.assertIn("memora", frappe.get_installed_apps())
		for doctype in ("Memora Lesson", "Memora Academic Plan", "CDN Settings"):
			self.assertTrue(frappe.db.exists("DocType", doctype), doctype)

	def test_no_other_app_is_needed(self) -> None:
		self.assertEqual(frappe.get_hooks("required_apps", app_name="memora"), [])

	def test_wiping_takes_what_was_committed(self) -> None:
		frappe.get_doc({"doctype": "Memora Subject", "title": "Left behind"}).insert()
		frappe.db.commit()

		wipe()

		self.assertEqual(frappe.db.count("Memora Subject"), 0)
