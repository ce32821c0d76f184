"""What `bench uninstall-app` does not remove: the keys in Redis, the roles, the rows that name our DocTypes."""

from __future__ import annotations

import json
from pathlib import Path

import click
import frappe

import memora
from memora.install import ROLES
from memora.services.cdn_export.state import database, redis_mirror


def before_uninstall() -> None:
	"""Clear Redis, and say which files stay: published files are never removed."""
	redis_mirror.wipe()
	settings = frappe.get_doc("CDN Settings")
	place = (
		settings.local_path or "public/files/memora"
		if settings.storage_provider == "Local Directory"
		else f"the bucket {settings.bucket_name}"
	)
	click.secho(
		f"Published files stay in {place}: remove plans/, units/, lessons/, media/, schemas/, gate/ and memora/ there if nobody "
		"reads them.",
		fg="yellow",
	)


def after_uninstall() -> None:
	"""Remove the roles and what else memora has added to Frappe's own tables."""
	if frappe.db.exists("DocType", "CDN Settings"):
		return  # a dry run: Frappe calls this hook then too
	database.transaction(_remove)


def _remove() -> None:
	for role in ROLES:
		frappe.db.delete("Has Role", {"role": role})
		frappe.delete_doc("Role", role, force=True, ignore_permissions=True, ignore_missing=True)
	# Frappe leaves the values of a single behind, and with them the keys to the storage.
	frappe.db.delete("Singles", {"doctype": "CDN Settings"})
	frappe.db.delete("__Auth", {"doctype": "CDN Settings"})
	frappe.db.delete("__Auth", {"doctype": "Memora Gate Key"})
	frappe.db.delete("DefaultValue", {"defkey": ("like", r"memora\_%")})
	frappe.db.delete("Logs To Clear", {"ref_doctype": ("in", _doctypes())})
	frappe.db.delete("Scheduled Job Type", {"method": ("like", "memora.%")})
	# Frappe reads the DocType of each, and would fail with every request of a user if one were missing.
	frappe.db.delete("User Permission", {"allow": ("in", _doctypes())})
	frappe.db.delete("Global Search DocType", {"document_type": ("in", _doctypes())})
	frappe.cache.hdel("global_search", "search_priorities")
	# Frappe finds the workspace's other parts by their module; these name none.
	for step in ("Set Up Publishing", "Create a Subject", "Create an Academic Plan", "Watch It Go Live"):
		frappe.db.delete("Onboarding Step", {"name": f"Memora {step}"})
	# v16 removes these without a commit. Rows, not documents: on a developer's site their files would go along.
	for icon in frappe.get_all("Desktop Icon", {"app": "memora"}, pluck="name"):
		frappe.db.delete("Has Role", {"parenttype": "Desktop Icon", "parent": icon})
		frappe.db.delete("Desktop Icon", {"name": icon})
	if frappe.db.exists("DocType", "Workspace Sidebar"):
		for sidebar in frappe.get_all("Workspace Sidebar", {"module": "Memora"}, pluck="name"):
			frappe.db.delete("Workspace Sidebar Item", {"parent": sidebar})
			frappe.db.delete("Workspace Sidebar", {"name": sidebar})


def _doctypes() -> list[str]:
	"""The names of the DocTypes that memora had."""
	files = Path(memora.__path__[0], "memora", "doctype").glob("*/*.json")
	return [json.loads(file.read_text(encoding="utf-8"))["name"] for file in files]
