"""Plain texts that hold `<` or `>` get the stand-ins that are stored from this release on. Such texts came past Frappe's
sanitizer as JSON, from a server's answer, or by SQL. Learners read the same as before. Entities that an earlier release
made of `<` stay, since they cannot be told from typed ones; `bench memora doctor` lists them."""

from functools import partial

import frappe

from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.state import database

_JSON = {("CDN Rendition", "summary"), ("CDN Rendition", "search"), ("CDN Publish State", "index_entry")}


def execute() -> None:
	for doctype in frappe.get_all(
		"DocType", {"module": "Memora", "issingle": 0, "is_virtual": 0}, pluck="name"
	):
		for df in plain_text.fields(frappe.get_meta(doctype)):
			column = f"`{df.fieldname}`"
			names = frappe.db.sql_list(f"select name from `tab{doctype}` where binary {column} regexp '[<>]'")
			for name in names:  # one by one: they can be large
				database.transaction(partial(_store, doctype, df.fieldname, name))


def _store(doctype: str, fieldname: str, name: str) -> None:
	for (text,) in frappe.db.sql(f"select `{fieldname}` from `tab{doctype}` where name = %s", name):
		is_json = (doctype, fieldname) in _JSON
		stored = plain_text.store_json(text.encode()) if is_json else plain_text.store(text)
		frappe.db.sql(f"update `tab{doctype}` set `{fieldname}` = %s where name = %s", (stored, name))
