"""When the signed links in lessons end, and which lessons must be signed again. Unlike other moments these are in UTC."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timezone
from typing import NamedTuple

import frappe

from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.ledger.reading import TABLE, row_name

OTHER_LINKS, _SIGN_AGAIN = datetime(2000, 1, 1), datetime(2000, 1, 2)
"""Noted as the end of a lesson's signatures: sign other links; sign the same ones, with another key or life."""

ENDS_BEFORE = f"`tab{TABLE}` where state = 'live' and signed_until < %s"
"""SQL: the live lessons whose signatures end before a moment."""


_IS_THERE = "state != 'removed'"
"""SQL: what may be live again with the links that it has: also a lesson that is taken back from its grace."""


class SignatureDue(NamedTuple):
	"""A live lesson that must be signed again, with `other_links` by what CDN Settings say now."""

	scope: str
	subject: str
	path: str
	other_links: bool


def signatures_due(before: datetime) -> Iterator[SignatureDue]:
	"""The live lessons whose signatures end before a moment."""
	for scope, subject, path, until in frappe.db.sql(
		f"select scope, subject, path, signed_until from {ENDS_BEFORE}", (before,)
	):
		yield SignatureDue(scope, subject, path, until == OTHER_LINKS)


def count_expired() -> int:
	"""How many live lessons have signed links that hold no more."""
	((count,),) = frappe.db.sql(f"select count(*) from {ENDS_BEFORE}", (datetime.now(timezone.utc),))
	return count


def sign_again(*, other_links: bool) -> None:
	"""Have all that is signed signed again or, with other links than so far, all lessons. In transactions of its own."""
	condition = "kind = 'lesson'" if other_links else "signed_until is not null"
	names = frappe.db.sql(f"select name from `tab{TABLE}` where {_IS_THERE} and {condition}", pluck=True)
	_mark(names, OTHER_LINKS if other_links else _SIGN_AGAIN)


def link_again() -> None:
	"""Have the lessons with films published with the links that CDN Settings say now, in the caller's transaction.

	What an editor has taken out of a lesson by now goes with its next build.
	"""
	database.execute(
		f"""update `tab{TABLE}` file set signed_until = %s where kind = 'lesson' and {_IS_THERE} and (
			signed_until is not null or exists (
				select 1 from `tabMemora Lesson Stage` stage where stage.parent = file.node and stage.type = 'Video'))""",
		(OTHER_LINKS,),
	)


def is_linking_again() -> bool:
	"""Whether live lessons are still to be published with other links."""
	return bool(
		frappe.db.sql(
			f"select 1 from `tab{TABLE}` where state = 'live' and signed_until = %s limit 1", (OTHER_LINKS,)
		)
	)


def sign_other_links(paths: Iterable[str]) -> None:
	"""Have lessons signed as CDN Settings say now, in a transaction of its own."""
	_mark([row_name(path) for path in paths], OTHER_LINKS)


def write_other_links(names: Iterable[str]) -> None:
	"""Have the lessons of these rows published with the links that CDN Settings say now, in the caller's transaction."""
	database.update_names(TABLE, names, "signed_until = %s", (OTHER_LINKS,), _IS_THERE)


def _mark(names: Collection[str], why: datetime) -> None:
	"""Where other links must be signed, that stays so."""
	database.transaction(
		lambda: database.update_names(
			TABLE,
			names,
			"signed_until = if(signed_until = %s, signed_until, %s)",
			(OTHER_LINKS, why),
			_IS_THERE,
		)
	)
