"""Configs of stages nested more than 32 levels deep can be saved: MariaDB's JSON_VALID, the check of a JSON column, takes
no more. `config` is Code now; for MariaDB both are longtext, so Frappe changes nothing by itself."""

import frappe


def execute() -> None:
	"""Make the column once more without a check; without one it stays as it is."""
	(made,) = frappe.db.sql("show create table `tabMemora Lesson Stage`")
	if "json_valid(`config`)" in made[1].lower():
		frappe.db.sql_ddl("alter table `tabMemora Lesson Stage` modify `config` longtext")
