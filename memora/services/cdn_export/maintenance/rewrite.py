"""Has files uploaded again by the next builds of their scopes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import frappe

from memora.services.cdn_export.model import causes, scopes
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import ledger, publish_state


def upload_again(paths: Collection[str]) -> None:
	"""Have live files uploaded again by their scopes' next builds. In the caller's transaction."""
	ledger.damage(paths)
	touch((), ledger.of_paths(paths).values())


def touch(scope_ids: Collection[str], entries: Iterable[LedgerEntry]) -> None:
	"""Queue the scopes of these files and these scopes, so that all of the files concerned are looked at."""
	entries = list(entries)
	ids = {*scope_ids, *(entry.scope for entry in entries)}
	states = publish_state.by_id(sorted(ids))
	subjects = {state.ref for state in states.values() if state.scope_type == "subject"}
	subjects |= {entry.subject for entry in entries if entry.subject}
	plans = {state.ref for state in states.values() if state.scope_type == "plan"}
	cause = causes.action(frappe.session.user, causes.REPAIR)
	relay.touch(plans, subjects, triggered_by="Fallback Recovery", cause=cause)
	publish_state.raise_generations(scope for scope in (scopes.INDEX, scopes.FILMS) if scope.id in ids)
