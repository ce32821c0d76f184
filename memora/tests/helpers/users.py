"""Users of a test, each with roles, gone with the tests of their class."""

from __future__ import annotations

import unittest

import frappe


def make_user(case: unittest.TestCase | type[unittest.TestCase], email: str, *roles: str) -> str:
	"""A user with these roles, as far as this site has them, until the tests of the case's class are over; commits.
	Returns the name."""
	if not frappe.db.exists("User", email):
		user = {"doctype": "User", "email": email, "first_name": email, "send_welcome_email": 0}
		frappe.get_doc(user).insert(ignore_permissions=True)
	if known := [role for role in roles if frappe.db.exists("Role", role)]:
		frappe.get_doc("User", email).add_roles(*known)
	frappe.db.commit()
	case.addClassCleanup(drop_user, email)
	return email


def drop_user(email: str) -> None:
	"""Remove a user if there is one; commits."""
	frappe.delete_doc("User", email, force=True, ignore_permissions=True, ignore_missing=True)
	frappe.db.commit()


def drop_user_permissions(user: str) -> None:
	"""Take all User Permissions of a user away, those that Frappe remembers too; commits."""
	frappe.db.delete("User Permission", {"user": user})
	frappe.db.commit()
	frappe.cache.hdel("user_permissions", user)
