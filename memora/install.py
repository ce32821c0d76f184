"""What a site needs beside the DocTypes: roles, and settings that can be read before anyone has saved them."""

from __future__ import annotations

import frappe

from memora.services.cdn_export.builds import index_build
from memora.services.cdn_export.model.roles import ADMIN, EDITOR
from memora.services.cdn_export.state import database, site_key
from memora.services.course_outline import desk_search

ROLES = (EDITOR, ADMIN)


def before_install() -> None:
	"""Refuse a site on another database in one sentence, before anything of memora is on it."""
	if frappe.db.db_type != "mariadb":
		raise SystemExit(
			f"memora needs MariaDB, and {frappe.local.site} runs on {frappe.db.db_type}: nothing was installed."
		)
	# A site that ran before memora was on the bench keeps a list of modules without ours, and this process has read it:
	# Frappe would find no DocType of ours to install.
	frappe.setup_module_map()


def after_install() -> None:
	"""Run by `bench install-app`."""
	_prepare()
	database.transaction(desk_search.offer)


def after_migrate() -> None:
	"""Run by every `bench migrate`; changes only what is missing."""
	_prepare()
	database.transaction(index_build.touch)  # a release may bring other schemas


def _prepare() -> None:
	# In transactions of their own: the migration's began long before, so rows that a batch or an admin has written
	# since would be a conflict.
	database.transaction(make_roles)
	database.transaction(fill_settings)
	desk_search.index_last_changed()
	site_key.hash_if_possible()


def make_roles() -> None:
	"""Create the roles that do not exist yet."""
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc({"doctype": "Role", "role_name": role, "desk_access": 1}).insert(
				ignore_permissions=True
			)


def fill_settings() -> None:
	"""Give CDN Settings the default of each field that was never saved.

	Frappe reads a single's unset number as 0, and a release may add a field to settings that exist.
	"""
	saved = frappe.db.get_singles_dict("CDN Settings")
	for df in frappe.get_meta("CDN Settings").fields:
		if df.default and df.fieldname not in saved:
			frappe.db.set_single_value("CDN Settings", df.fieldname, df.default, update_modified=False)
	if "name" not in saved:  # from v17 on Frappe would insert what has none, at the first save
		frappe.db.set_single_value("CDN Settings", "name", "CDN Settings", update_modified=False)


def may_see_app() -> bool:
	"""Whether the apps screen shows memora's tile to this user."""
	return bool({*ROLES, "System Manager"}.intersection(frappe.get_roles()))
