"""Signed links in live lessons are renewed before half their life is gone, and nothing else is.

The published lesson is read back, signed again, and uploaded under the same version. So it does not matter whether its
scope fails, or waits for an admin. No lesson holds up another's renewal.

There is one more way, for two cases, since it costs more: the lesson is rendered from content.
- CDN Settings name other links to sign than before. Which links those are is known from the links as the editors wrote
  them, and a signed link does not tell how it was written.
- The object in the storage is missing, or has another ETag than the ledger. Who writes to the bucket past memora
  must not get links signed that no editor has written.
A lesson whose content is no longer the live one keeps the links that it has, signed again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

import frappe
import orjson

from memora.exceptions import (
	LeaseLostError,
	PlaceRefusedError,
	ScopeBusyError,
	StorageConfigurationError,
	StorageUnavailableError,
)
from memora.services.cdn_export.delivery.signing import Signer, renew_below
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import lesson_rendering, link_upload
from memora.services.cdn_export.model import published_file
from memora.services.cdn_export.model.document_bytes import Document
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned
from memora.services.cdn_export.state import database, ledger, publish_state
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease


def due_before(hours: int) -> datetime:
	"""Signatures of `hours` that end before this are due now."""
	return renew_below(hours, time.time())


def run(target: PublishTarget) -> int:
	"""Renew what is due, scope by scope. Returns how many lessons were uploaded.

	Scopes that another worker is building are left to it and to the next check. What cannot be renewed is logged,
	with why, and tried again by the next check.
	"""
	signer = target.signer()
	due: dict[str, dict[str, dict[str, bool]]] = defaultdict(lambda: defaultdict(dict))
	database.fresh()
	for lesson in ledger.signatures_due(renew_below(signer.hours, signer.now)):
		due[lesson.scope][lesson.subject][lesson.path] = lesson.other_links
	renewed = 0
	for state in publish_state.by_id(sorted(due)).values():
		lease = leases.acquire(state.scope)
		if lease is None:
			continue
		try:
			with lease:
				# A scope that waited for films may have found other settings, too.
				if target.follow_settings() or signer.storage is not target.storage:
					break  # the next check signs as they say now
				for subject, paths in due[state.name].items():
					renewed += _renew_or_log(target, signer, lease, subject, paths)
		except LeaseLostError as error:
			frappe.logger("memora").info(str(error))
			# Whoever has it now may have signed these already, and what was signed here may have replaced that since.
			ledger.sign_other_links([path for paths in due[state.name].values() for path in paths])
		except ScopeBusyError as error:
			database.rollback()
			frappe.logger("memora").info(f"{lease.label}: {error}")
		except (PlaceRefusedError, StorageConfigurationError, StorageUnavailableError) as error:
			frappe.logger("memora").error(f"signed links are not renewed until the storage answers: {error}")
			break  # it is the same for all scopes
	return renewed


def _renew_or_log(
	target: PublishTarget, signer: Signer, lease: Lease, subject: str, paths: Mapping[str, bool]
) -> int:
	"""`_renew`; what is wrong with one subject must not keep the next from being renewed."""
	try:
		return _renew(target, signer, lease, subject, paths)
	except (
		LeaseLostError,
		PlaceRefusedError,
		ScopeBusyError,
		StorageConfigurationError,
		StorageUnavailableError,
	):
		raise
	except Exception as error:
		database.rollback()
		if database.errno(error) in database.OTHER_SCHEMA:
			raise  # no fault of this subject: all of them wait until the site is migrated
		frappe.logger("memora").exception(
			f"signed links of {lease.label}, subject {subject}, are not renewed"
		)
		return 0


def _renew(
	target: PublishTarget, signer: Signer, lease: Lease, subject: str, paths: Mapping[str, bool]
) -> int:
	"""Renew these lessons of a subject; those that are True are to have other links signed."""
	database.fresh()
	entries = {
		path: entry
		for path, entry in ledger.of_paths(paths).items()
		if entry.state == "live" and entry.scope == lease.scope.id
	}
	published = _read_back(target, [entry for path, entry in entries.items() if not paths[path]])
	files = lesson_rendering.unsigned(
		lease,
		subject,
		{path: entry for path, entry in entries.items() if paths[path] or not published[path].is_known},
	)
	renewed = link_upload.upload(target, signer, lease, files, entries)
	left = [entries[path] for path in sorted(entries.keys() - {file.path for file in files})]
	published |= _read_back(target, [entry for entry in left if entry.path not in published])
	return renewed + _sign_published(target, signer, lease, left, published)


class _Published(NamedTuple):
	"""A lesson as the storage has it. `is_known` says that it has the ETag that the ledger has; `document` is None
	where another document is there, or none."""

	document: Document | None
	is_known: bool


def _sign_published(
	target: PublishTarget,
	signer: Signer,
	lease: Lease,
	left: Sequence[LedgerEntry],
	published: Mapping[str, _Published],
) -> int:
	"""Sign the published files again: a signed link leads to its video as the editor's does.

	A lesson with signed links keeps them signed, whatever *Sign* says by now.
	"""
	signed: list[Planned] = []
	others: list[Planned] = []
	for entry in left:
		document = published[entry.path].document
		if document is None:
			frappe.logger("memora").error(
				f"the signed links in {entry.path} are not renewed, since the file there is not the one that was"
				" published: `bench memora repair` has it uploaded again"
			)
			continue
		was_signed = document.pop("signed_url_expiry", None)
		(signed if was_signed else others).append(published_file.as_live(entry, document))
	entries = {entry.path: entry for entry in left}
	renewed = link_upload.upload(target, replace(signer, mode="All"), lease, signed, entries)
	renewed += link_upload.upload(target, signer, lease, others, entries)
	if doubtful := [file.path for file in (*signed, *others) if not published[file.path].is_known]:
		# Not the object that the ledger knows; an upload may have been broken off. The next build writes it again.
		database.transaction(lambda: ledger.damage(doubtful))
	return renewed


def _read_back(target: PublishTarget, entries: Sequence[LedgerEntry]) -> dict[str, _Published]:
	"""The published lessons, by path."""
	if not entries:
		return {}
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		found = pool.map(partial(_read_one, target), entries)
		return {entry.path: one for entry, one in zip(entries, found, strict=True)}


def _read_one(target: PublishTarget, entry: LedgerEntry) -> _Published:
	read, stored = target.storage.read(entry.path), target.storage.head(entry.path)
	if read is None or stored is None or entry.differs(stored.metadata, target.ownership.site):
		return _Published(None, False)
	body, etag = read
	# Somebody has written in between: what was read has other metadata, or none that is known.
	if etag != stored.etag:
		return _Published(None, False)
	try:
		document = orjson.loads(body)
	except orjson.JSONDecodeError:
		return _Published(None, False)
	expected = (entry.node, entry.live_version)
	if not isinstance(document, dict) or (document.get("id"), document.get("version")) != expected:
		return _Published(None, False)
	return _Published(document, etag == entry.etag and not entry.damaged)
