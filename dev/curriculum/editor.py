"""The demo's editor, and a way through the Desk for whoever looks at it: edit, preview, publish, see it as a learner."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import frappe
from frappe.utils.password import update_password

from memora.frappe_versions import desk_route
from memora.services.cdn_export.admin import publication_status, reader_links
from memora.services.cdn_export.model.doctypes import LESSON, SUBJECT

USER = "editor@example.com"
PASSWORD = "editor"
"""As public as the administrator's: the demo's server listens on loopback only."""

ROLE = "Memora Editor"


def user() -> str:
	"""The demo's editor, made or set right. Returns how to log in. Commits."""
	if not frappe.db.exists("User", USER):
		frappe.get_doc(
			{
				"doctype": "User",
				"email": USER,
				"first_name": "Editor",
				"send_welcome_email": 0,
				"roles": [{"role": ROLE}],
			}
		).insert()
	update_password(USER, PASSWORD)
	frappe.db.commit()
	return f"{USER}, password {PASSWORD}"


def path(web: str, base: str, lesson: str, plan: str) -> Iterator[tuple[str, str]]:
	"""What to do one after another, each with its address on the server `web`; `base` is where the files are read from."""
	line = publication_status.line_of(LESSON, lesson)
	subject = next(name for doctype, name in line if doctype == SUBJECT)
	title = frappe.db.get_value(LESSON, lesson, "title")
	yield (
		"1  the course, logged in as an editor",
		f"{web}/login?redirect-to={_desk('memora-course', subject)}",
	)
	yield f"2  edit “{title}”, and save", f"{web}{_desk('memora-lesson', lesson)}"
	yield "3  Preview as Learner", "in the line at the top of its form: nothing is live yet"
	yield "4  Publish Now", "in the same line; it turns to Live"
	yield "5  see it as a learner", f"{web}{reader_links.address(base, plan, line)}"


def _desk(page: str, name: str) -> str:
	return f"{desk_route(page)}/{quote(name)}"
