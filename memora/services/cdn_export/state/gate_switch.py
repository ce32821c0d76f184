"""Whether the published files are as *Paid Content Is Private* in CDN Settings says, or on the way there.

The state is one note. It is compared with CDN Settings when they have been saved and whenever a run begins, so a process
that dies in between, and a change past the form, cost nothing. The files themselves say in the ledger whether they still
have the headers from before (`ledger.outdate_headers`).

- `closing`: switched on; files are written again.
- `purging` and since when: all are; caches are told to forget what was public.
- `private`: that is done, too; or, without a moment, no cache was there to be told.
- `opening`: switched off; files are written again.
- nothing: public, as without a gate.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple

from frappe.model.document import Document
from frappe.utils import get_datetime

from memora.services.cdn_export import settings
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import database, ledger, named_films, publish_state, site_values

State = Literal["", "closing", "purging", "private", "opening"]

NOTE = "memora_gate"
NOTED = f"(select defvalue from `tabDefaultValue` where name = '{NOTE}')"
"""SQL: what is noted."""

MOVES = f"coalesce({NOTED}, '') regexp '^(closing|purging|opening)'"
"""SQL: whether files are on the way to what CDN Settings say."""


class Noted(NamedTuple):
	"""What is noted; `since` is when all files had been written again, if caches were to forget what was public."""

	state: State
	since: datetime | None = None

	@property
	def is_on(self) -> bool:
		"""Whether this is, or leads to, private files."""
		return self.state in ("closing", "purging", "private")

	@property
	def moves(self) -> bool:
		"""Whether files are on the way to what CDN Settings say."""
		return self.state not in ("", "private")


OFF = Noted("")
"""Public, as without a gate."""


def parse(noted: str | None) -> Noted:
	"""What a note says."""
	state, _, since = (noted or "").partition(" ")
	return Noted(state, get_datetime(since) if since else None)  # type: ignore[arg-type]


def settings_saved(doc: Document) -> Callable[[], None] | None:
	"""What is to follow once CDN Settings are committed. Should this process die in between, the next run does it."""
	before = doc.get_doc_before_save()
	return _follow_saved if settings.is_gated(doc) != bool(before and settings.is_gated(before)) else None


def follow(doc: Document, noted: Noted) -> None:
	"""Have all files that this concerns written again if CDN Settings say otherwise than what is noted. Commits then.

	Who may be writing files as CDN Settings said before loses the right to call that live.
	"""
	if settings.is_gated(doc) != noted.is_on:
		publish_state.end_leases()
		database.transaction(_begin)


def reached(before: Noted, after: Noted) -> Noted:
	"""Note that files have come from one state to the next, unless CDN Settings have been saved meanwhile. Returns what is
	noted then. Commits."""

	def step() -> Noted:
		if _locked() != before:
			return parse(site_values.read(NOTE))
		site_values.write(NOTE, f"{after.state} {after.since or ''}".strip())
		return after

	return database.transaction(step)


def find_films_again() -> None:
	"""Have lessons with films written again, by which it is found out which they name: what is noted of that is not kept up
	without a gate. In the caller's transaction."""
	named_films.forget_all()
	ledger.link_again()
	publish_state.raise_generations([scopes.FILMS])
	publish_state.not_live(scopes.FILMS)


def films_wait() -> bool:
	"""Whether links to films, or who may see them, are still to be written."""
	return ledger.is_linking_again() or not publish_state.of(scopes.FILMS).is_current


def _follow_saved() -> None:
	database.fresh()
	follow(settings.saved(), parse(site_values.read(NOTE)))


def _begin() -> None:
	wanted = settings.is_gated(settings.saved())
	if _locked().is_on == wanted:
		return
	ledger.outdate_headers()
	find_films_again()
	site_values.write(NOTE, "closing" if wanted else "opening")


def _locked() -> Noted:
	"""What is noted, kept from others until the transaction ends."""
	return parse(site_values.locked(NOTE))
