"""Rows of memora's own tables by the hundred: copies of one that a build has made, inserted by SQL."""

from __future__ import annotations

import frappe


def copy_row(doctype: str, filters: dict[str, str], count: int, differing: str) -> None:
	"""Insert so many copies of a row, under other names and with another text in the column `differing`. Commits."""
	row = frappe.get_all(doctype, filters, pluck="name", limit=1)[0]
	columns = [column for column in frappe.db.get_table_columns(doctype) if column not in ("name", differing)]
	same = ", ".join(f"`{column}`" for column in columns)
	for number in range(count):
		frappe.db.sql(
			f"""insert into `tab{doctype}` (name, `{differing}`, {same})
			select concat(name, %(end)s), concat(`{differing}`, %(end)s), {same} from `tab{doctype}` where name = %(row)s""",
			{"end": f"-{number}", "row": row},
		)
	frappe.db.commit()
	frappe.db.sql(f"analyze table `tab{doctype}`")
