"""Memora Preview Link: made, found by their secret, listed, taken back.

A link is live until it ends or is taken back, while CDN Settings allow such links and its maker has an account and one of
the roles that see previews. `find` asks all of that in one statement, so it takes as long whatever is in the way.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import now_datetime

from memora.exceptions import MemoraError
from memora.services.cdn_export import settings
from memora.services.cdn_export.model.roles import EDITORS
from memora.services.cdn_export.rules.drafted_file import NO_PLAN
from memora.services.cdn_export.state import database

DOCTYPE = "Memora Preview Link"

LONGEST_DAYS = 30
MOST_LIVE = 100
"""Links of one maker that are live at a time."""

MOST_LISTED = 100
"""Links of one document that are shown beside it; the list in the Desk has all."""

_SECRET_BYTES = 24
_USE_IS_NOTED_EVERY = timedelta(hours=1)

_ALLOWED = (
	f"(select value from tabSingles where doctype = '{settings.DOCTYPE}' and field = 'preview_links') = '1'"
)


@dataclass(frozen=True, slots=True)
class PreviewLink:
	"""A live link. `plan` is the one that it shows its document in, `made_by` its maker's full name."""

	name: str
	doctype: str
	document: str
	document_created: datetime
	plan: str
	drafts: int
	maker: str
	made_by: str
	ends: datetime
	last_used: datetime | None


def are_allowed() -> bool:
	"""Whether CDN Settings allow such links."""
	return bool(frappe.db.sql(f"select {_ALLOWED}")[0][0])


def make(doctype: str, name: str, plan: str, days: int, *, drafts: bool) -> tuple[str, str]:
	"""A link of the session's user to a document in a plan: its secret, which is kept nowhere, and its name.

	The caller has asked for the right to read and share the document. Raises MemoraError where such links are switched
	off, the days are too few or too many, or the user has as many links as one may have.
	"""
	maker = frappe.session.user
	if not are_allowed():
		raise MemoraError(_("Preview links are switched off in CDN Settings."))
	if not 1 <= days <= LONGEST_DAYS:
		raise MemoraError(_("The days of a preview link must be between 1 and {0}.").format(LONGEST_DAYS))
	if frappe.db.count(DOCTYPE, _live({"maker": maker})) >= MOST_LIVE:
		raise MemoraError(_("You have {0} preview links. Revoke one first.").format(MOST_LIVE))
	secret = secrets.token_urlsafe(_SECRET_BYTES)
	link = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"document_type": doctype,
			"document": name,
			"document_created": frappe.db.get_value(doctype, name, "creation"),
			"plan": "" if plan == NO_PLAN else plan,
			"shows_drafts": int(drafts),
			"maker": maker,
			"ends": now_datetime() + timedelta(days=days),
			"secret_hash": _hash(secret),
		}
	)
	return secret, link.insert(ignore_permissions=True).name


def find(secret: str) -> PreviewLink | None:
	"""The live link with this secret; None for any other secret. One statement."""
	rows = frappe.db.sql(
		f"""select link.name, link.document_type, link.document, link.document_created,
			coalesce(nullif(link.plan, ''), %(no_plan)s), link.shows_drafts = 1, link.maker,
			coalesce(nullif(maker.full_name, ''), ''), link.ends, link.last_used
		from `tab{DOCTYPE}` link join tabUser maker on maker.name = link.maker
		where link.secret_hash = %(hash)s and link.revoked is null and link.ends > %(now)s and maker.enabled = 1
		and {_ALLOWED} and (maker.name = 'Administrator' or exists (
			select 1 from `tabHas Role` given
			where given.parenttype = 'User' and given.parent = maker.name and given.role in %(roles)s))""",
		{"hash": _hash(secret), "no_plan": NO_PLAN, "now": now_datetime(), "roles": EDITORS},
	)
	return PreviewLink(*rows[0]) if rows else None


def note_use(link: PreviewLink) -> None:
	"""Note that a link is used, once an hour; commits. Nothing happens where that cannot be written: the link is read all
	the same."""
	now = now_datetime()
	if link.last_used and now - link.last_used < _USE_IS_NOTED_EVERY:
		return
	try:
		database.transaction(
			lambda: frappe.db.sql(
				f"update `tab{DOCTYPE}` set last_used = %s where name = %s", (now, link.name)
			),
			reads=False,
		)
	except database.ERRORS:
		frappe.logger("memora").warning(
			f"The use of preview link {link.name} could not be noted.", exc_info=True
		)


def live_of(doctype: str, name: str, maker: str | None) -> list[dict[str, Any]]:
	"""The live links to a document, the newest first, `MOST_LISTED` at most: those of this maker, or of everybody."""
	filters = {"document_type": doctype, "document": name, **({"maker": maker} if maker else {})}
	return frappe.get_all(
		DOCTYPE,
		_live(filters),
		[
			"name",
			"document_type",
			"document",
			"plan",
			"shows_drafts",
			"maker",
			"creation",
			"ends",
			"last_used",
		],
		order_by="creation desc",
		limit=MOST_LISTED,
	)


def revoke(name: str, maker: str | None) -> None:
	"""Take a link back, at once and permanently: one of this maker, or of anybody. Raises DoesNotExistError where there is
	none."""
	filters = {"name": name, "maker": maker} if maker else {"name": name}
	if not frappe.db.exists(DOCTYPE, filters):
		frappe.throw(_("There is no such preview link."), frappe.DoesNotExistError)
	frappe.db.sql(
		f"update `tab{DOCTYPE}` set revoked = %s, revoked_by = %s where name = %s and revoked is null",
		(now_datetime(), frappe.session.user, name),
	)


def _live(filters: dict[str, Any]) -> dict[str, Any]:
	return {**filters, "revoked": ("is", "not set"), "ends": (">", now_datetime())}


def _hash(secret: str) -> str:
	"""It has as many bits as it could be guessed by, so no salt and no slow hash."""
	return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
