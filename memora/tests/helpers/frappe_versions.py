"""What tests use of Frappe and its versions call otherwise; what memora itself uses is in `memora.frappe_versions`."""

from __future__ import annotations

from importlib import import_module

import frappe


def set_in_test(value: bool) -> None:
	"""Let Frappe behave as in tests, where for instance `frappe.only_for` checks no role: a flag in v15, a variable
	later. With v15 gone it is `frappe.in_test = value`."""
	frappe.flags.in_test = value
	if hasattr(frappe, "in_test"):
		frappe.in_test = value


def class_for_tests() -> type:
	"""Frappe's class for tests on a site, which is called otherwise after v15. With v15 gone it is `IntegrationTestCase`."""
	try:
		return import_module("frappe.tests").IntegrationTestCase
	except AttributeError:
		return import_module("frappe.tests.utils").FrappeTestCase
