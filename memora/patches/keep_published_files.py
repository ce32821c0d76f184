"""Files that were published before there was a list of types stay. Pictures of refused types or sizes are marked; files
that are not published are judged again when content names them. Local Directory's notes of its files leave the folders
that the site serves."""

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.state import database


def execute() -> None:
	database.transaction(_store_names)
	database.transaction(public_files.keep_refused)
	if settings.load().provider == settings.LOCAL:
		settings.open_storage().close()


def _store_names() -> None:
	# The Desk shows what files are called.
	frappe.db.sql(
		"update `tabCDN Media` set file_url = replace(replace(file_url, '<', %s), '>', %s)"
		" where file_url like '%%<%%' or file_url like '%%>%%'",
		(plain_text.LESS, plain_text.GREATER),
	)
