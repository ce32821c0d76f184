"""Files that were published before there was a list of types stay. Pictures of refused types or sizes are marked; files
that are not published are judged again when content names them. Local Directory's notes of its files leave the folders
that the site serves."""

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.curriculum import known_files, public_files
from memora.services.cdn_export.curriculum.known_files import TABLE, row_name
from memora.services.cdn_export.model import plain_text, stage_files
from memora.services.cdn_export.model.stage_files import PUBLIC, Link, PublicFile
from memora.services.cdn_export.rules import file_types
from memora.services.cdn_export.state import database, ledger


def execute() -> None:
	database.transaction(_store_names)
	database.transaction(_keep_refused)
	if settings.load().provider == settings.LOCAL:
		settings.open_storage().close()


def _store_names() -> None:
	# The Desk shows what files are called.
	frappe.db.sql(
		"update `tabCDN Media` set file_url = replace(replace(file_url, '<', %s), '>', %s)"
		" where file_url like '%%<%%' or file_url like '%%>%%'",
		(plain_text.LESS, plain_text.GREATER),
	)


def _keep_refused() -> None:
	"""Mark what is published and would be refused today, so that it stays; forget what is not published."""
	live = set(
		frappe.db.sql(
			f"select path from `tab{ledger.TABLE}` where kind = 'media' and state in ('live', 'in_flight')",
			pluck=True,
		)
	)
	options = settings.load()
	refused, gone = [], []
	for key, url, stamp, path in known_files.rows("true", ()):
		names = stage_files.names(Link(url, False))
		place = next((place for name in names if (place := known_files.location_of(name))), None)
		if place is None:
			continue
		name, location = place
		verdict = public_files.judge(name, location, None, options)
		if isinstance(verdict, PublicFile) and file_types.is_picture(verdict.extension):
			continue
		if path in live:
			refused.append((row_name(name), plain_text.store(f"{PUBLIC}{name}"), stamp, path, 1))
		if path not in live or row_name(name) != key:
			gone.append(key)
	database.delete_names(TABLE, gone)
	database.upsert(TABLE, ("name", "file_url", "stamp", "path", "kept"), refused, "kept = 1")
