"""That memora is really installed on the site the tests run on."""

from types import SimpleNamespace

import frappe

from memora.frappe_versions import sites_of
from memora.tests.helpers.utils import MemoraTestCase, wipe


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

	def test_the_sites_of_a_command_are_read_as_each_version_gives_them(self) -> None:
		for given in ({"sites": ["a.localhost"]}, SimpleNamespace(sites=["a.localhost"])):
			self.assertEqual(sites_of(given), ["a.localhost"])
		for given in (None, {}, {"sites": None}, SimpleNamespace(sites=None)):
			self.assertEqual(sites_of(given), [])
