"""Files that should be gone: they are removed, and what the storage refuses to remove is work of its own.

A refused removal never fails a build, since what there was to publish is published. Its files stay in the ledger as
`removing` and `refused`, and the scope gets a state row of its own, `removal:{scope}`: tried again after 2, 4 and
8 minutes, then a dead letter that names the files, tried again every hour. The row goes when the last file is gone,
also when somebody else has removed it.

The caller holds the scope's lease, or the pictures' lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import frappe
from frappe import _
from frappe.utils import now_datetime

from memora.exceptions import StorageError, StorageUnavailableError
from memora.services.cdn_export.builds import event_log, failures
from memora.services.cdn_export.delivery import admin_notices
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database, ledger, redis_mirror, refused_removals
from memora.services.cdn_export.state.refused_removals import RemovalRefused
from memora.services.cdn_export.storage import Storage

_NAMED_AT_MOST = 5
_LOOKED_AT_MOST = 1_000
"""Up to so many files are looked at before they are removed; more have gone with a plan or subject, and would take long."""

_REST_SECONDS = 300
"""A storage that does not answer takes two minutes to say so: no other removal of this run waits for that again."""


def remove(
	target: PublishTarget,
	scope: Scope,
	paths: Sequence[str],
	*,
	again: bool = False,
	guarded: Iterable[str] | None = None,
	closing: Callable[[list[str]], None],
) -> int:
	"""Remove these files of a scope, which the ledger has as `removing`; `again` says that they were refused before.
	`guarded` are the same paths, if a lease must be asked before each. Returns how many went.

	`closing` runs with those that went, in the transaction that says so. Never raises for what the storage does.
	"""
	remaining, why = _delete(target, paths, paths if guarded is None else guarded)
	gone = [path for path in paths if path not in remaining]

	def close() -> RemovalRefused | None:
		closing(gone)
		ledger.removed(gone)
		if remaining:
			refused_removals.mark_files(remaining)
			message = _said(refused_removals.paths(scope), why)
			return refused_removals.record(scope, message, again=again)
		refused_removals.settle(scope)
		return None

	refusal = database.transaction(close)
	if refusal:
		_tell(target, scope, refusal)
	elif again:
		redis_mirror.remove_dead_letter(scopes.removal(scope).label)
	return len(gone)


def settle(scope: Scope) -> None:
	"""Forget a refused removal that has no file left to remove."""
	if database.transaction(lambda: refused_removals.settle(scope)):
		redis_mirror.remove_dead_letter(scopes.removal(scope).label)


def _delete(target: PublishTarget, paths: Sequence[str], guarded: Iterable[str]) -> tuple[set[str], str]:
	"""Delete files, but what another site has put in their place. Returns those that are still there, and why."""
	if target.deletes_rest and time.monotonic() < target.deletes_rest[0]:
		return set(paths), target.deletes_rest[1]
	try:
		foreign = _foreign(target, paths)
		target.storage.delete(path for path in guarded if path not in foreign)
	except StorageError as error:
		why = failures.describe(error)
		if isinstance(error, StorageUnavailableError):
			target.deletes_rest = (time.monotonic() + _REST_SECONDS, why)
		return _still_there(target.storage, list(error.remaining or paths)), why
	return set(), ""


def _foreign(target: PublishTarget, paths: Sequence[str]) -> set[str]:
	"""Those of a few files in whose place another site's are, by their metadata: ours are gone already.

	A key that may not look removes all: what was withdrawn must go. Raises StorageUnavailableError.
	"""
	if not target.ownership.needs_mark or len(paths) > _LOOKED_AT_MOST:
		return set()
	foreign = set()
	try:
		# The first is asked for alone: a storage that does not answer holds up one thread, not all.
		with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
			heads = (
				[target.storage.head(paths[0]), *pool.map(target.storage.head, paths[1:])] if paths else []
			)
	except StorageUnavailableError:
		raise
	except StorageError as error:
		frappe.logger("memora").warning(f"files are removed without looking whose they are: {error}")
		return set()
	for path, head in zip(paths, heads, strict=True):
		if head and not target.ownership.owns(head.metadata.get("site", ""), is_known=True):
			frappe.logger("memora").error(
				f"{path} holds another site's file now, by its metadata, and is left"
			)
			foreign.add(path)
	return foreign


def _still_there(storage: Storage, paths: list[str]) -> set[str]:
	"""Those of these files that are in the storage; all of them where it does not say."""
	with suppress(StorageError):
		# One first: a storage that does not answer is not asked a thousand times.
		found = {paths[0]} if storage.head(paths[0]) else set()
		with ThreadPoolExecutor(max_workers=storage.threads) as pool:
			heads = pool.map(storage.head, paths[1:])
			return found.union(path for path, head in zip(paths[1:], heads, strict=True) if head)
	return set(paths)


def _said(paths: Sequence[str], why: str) -> str:
	"""What remains and why, as an admin reads it."""
	named = ", ".join(paths[:_NAMED_AT_MOST])
	if len(paths) > _NAMED_AT_MOST:
		named = _("{0} and {1} more").format(named, len(paths) - _NAMED_AT_MOST)
	return _("Still on the CDN: {0}. {1}").format(named, why)


def _tell(target: PublishTarget, scope: Scope, refusal: RemovalRefused) -> None:
	target.refusals.append(refusal.message)
	removal = scopes.removal(scope)
	frappe.logger("memora").error(f"{removal.label}: {refusal.message}")
	event_log.record("removal_refused", scope=scope.label, error=refusal.message, dead=refusal.is_dead)
	if refusal.is_dead:
		redis_mirror.add_dead_letter(removal.label, refusal.message, refusal.retries, now_datetime())
	if refusal.is_newly_dead:
		title = admin_notices.title_of(scope)
		admin_notices.tell_admins(
			lambda lang: _("Files of {0} cannot be removed from the CDN", lang).format(title), refusal.message
		)
