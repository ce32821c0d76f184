"""Commands of bench on the tests' site, and what of the site they may change."""

from __future__ import annotations

import os
import subprocess
import sys

import frappe

from memora.install import ROLES


def bench(*arguments: str) -> str:
	"""Run a bench command on the tests' site; returns what it printed."""
	frappe.db.commit()  # a command that changes tables would wait for this transaction
	frappe.db.close()  # Frappe v16 ends connections that idle while it migrates; the next statement makes a new one
	done = subprocess.run(
		[
			sys.executable,
			"-m",
			"frappe.utils.bench_helper",
			"frappe",
			"--site",
			frappe.local.site,
			*arguments,
		],
		cwd=os.path.abspath(frappe.local.sites_path),
		capture_output=True,
		text=True,
		timeout=300,
	)
	frappe.clear_cache()
	if done.returncode:
		raise AssertionError(f"bench {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
	return done.stdout + done.stderr


def structure() -> dict:
	"""What migrating may not change the second time: columns, indexes, roles, permissions, jobs, settings."""
	doctypes = frappe.get_all("DocType", {"module": "Memora"}, ["name", "issingle"], order_by="name")
	tables = [doctype.name for doctype in doctypes if not doctype.issingle]
	return {
		"doctypes": [doctype.name for doctype in doctypes],
		"columns": {table: frappe.db.sql(f"show columns from `tab{table}`") for table in tables},
		"indexes": {table: _indexes(table) for table in tables},
		"roles": frappe.get_all("Role", {"name": ("in", ROLES)}, pluck="name", order_by="name"),
		"permissions": frappe.get_all(
			"DocPerm", {"role": ("in", ROLES)}, ["parent", "role"], order_by="parent, role"
		),
		"jobs": frappe.get_all(
			"Scheduled Job Type",
			{"method": ("like", "memora.%")},
			["method", "cron_format"],
			order_by="method",
		),
		"settings": frappe.db.get_singles_dict("CDN Settings"),
		"workspaces": frappe.get_all("Workspace", {"module": "Memora"}, pluck="name"),
	}


def _indexes(table: str) -> list:
	return sorted(
		(row.Key_name, row.Seq_in_index, row.Column_name)
		for row in frappe.db.sql(f"show index from `tab{table}`", as_dict=True)
	)
