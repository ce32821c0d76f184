"""Mends what an audit found, through the builders themselves, and rebuilds a lost ledger from the storage.

Nothing is published here but pictures: a damaged file is marked, an orphan is entered into the ledger, and the
scope they belong to is queued. Its next build then uploads again what is damaged, under the same version where
the content is the same, and keeps or removes what was an orphan, as the content wants it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import frappe
import orjson

from memora.services.cdn_export.builds import media
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit
from memora.services.cdn_export.maintenance.audit import Difference
from memora.services.cdn_export.model import causes, doctypes, paths, scopes
from memora.services.cdn_export.model.document_bytes import MEDIA, Document, pictures_in
from memora.services.cdn_export.model.published_file import AnyKind, FileKind, LedgerEntry
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.outbox import reconciliation, relay
from memora.services.cdn_export.state import database, ledger, publish_state, refused_removals, retries
from memora.services.cdn_export.state.ledger import Adopted
from memora.services.cdn_export.storage import StoredObject

_FOLDERS: dict[str, FileKind] = {"lessons": "lesson", "units": "unit"}


@dataclass(slots=True)
class Repair:
	"""What became of findings: fixed at once, queued for the next batch, or left to people."""

	fixed: list[Difference] = field(default_factory=list)
	queued: list[Difference] = field(default_factory=list)
	left: list[Difference] = field(default_factory=list)


def repair(target: PublishTarget, findings: Iterable[Difference]) -> Repair:
	"""Fix what `audit.verify` found. The next batch (or `batch_processor.process`) does what is queued.

	Raises StorageError.
	"""
	done = Repair()
	by_fault: dict[str, list[Difference]] = defaultdict(list)
	for finding in findings:
		by_fault[finding.fault].append(finding)
	done.left += by_fault.pop("foreign", [])
	orphans = by_fault.pop("orphan", [])
	stale = by_fault.pop("stale", [])
	remaining = by_fault.pop("remains", [])
	damaged = [finding for found in by_fault.values() for finding in found]

	pictures = {finding.path for finding in damaged if finding.scope == scopes.MEDIA.id}
	restored = media.restore(target, pictures)
	for finding in damaged:
		if finding.path in pictures:
			(done.fixed if finding.path in restored else done.left).append(finding)
		else:
			done.queued.append(finding)
	documents = {finding.path for finding in done.queued}
	altered = {finding.path for finding in done.queued if finding.fault in ("altered", "metadata")}
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		_follow_newer(target, pool, altered)
		adopted, unknown = _adopt(target, pool, {finding.path for finding in orphans})
	for finding in orphans:
		(done.left if finding.path in unknown else done.queued).append(finding)
	done.queued += [*stale, *remaining]

	def queue() -> None:
		retries.try_at_once(refused_removals.of_scopes({finding.scope for finding in remaining}))
		ledger.damage(documents)
		wanted = {finding.scope for finding in stale} | adopted
		_touch(wanted, ledger.of_paths({*documents, *(finding.path for finding in stale)}).values())

	database.transaction(queue)
	return done


def rewrite(paths: Collection[str]) -> None:
	"""Have live files uploaded anew by their scopes' next builds. In the caller's transaction."""
	ledger.damage(paths)
	_touch((), ledger.of_paths(paths).values())


def rebuild_ledger(target: PublishTarget) -> int:
	"""Enter every file of memora's that the ledger does not know, or knows an older version of, from the storage,
	and queue everything to be read anew: what is unchanged is kept as it is. Returns how many were entered that
	were not known at all. Raises StorageError."""
	after, entered = "", 0
	touched: set[str] = set()
	is_known = not ledger.has_any()
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		while page := list(islice(audit.listed(target.storage, "", after), audit.PAGE)):
			after = page[-1].path
			database.fresh()
			known = ledger.of_paths(found.path for found in page)
			fresh = {found.path for found in page} - known.keys()
			_follow_newer(
				target,
				pool,
				{
					found.path
					for found in page
					if (entry := known.get(found.path)) and entry.state == "live" and entry.etag != found.etag
				},
			)
			touched |= _adopt(target, pool, fresh, is_known=is_known)[0]
			entered += len(ledger.of_paths(fresh))
	database.transaction(lambda: _touch(touched, ()))
	cause = causes.action(frappe.session.user, causes.REPAIR)
	reconciliation.queue_everything(triggered_by="Manual", cause=cause)
	return entered


def _follow_newer(target: PublishTarget, pool: ThreadPoolExecutor, altered: Collection[str]) -> None:
	"""Where an altered object is memora's own and newer than the ledger, which is from a backup, believe it."""
	known = ledger.of_paths(altered)
	heads = pool.map(target.storage.head, sorted(altered))
	newer = [
		found
		for found in heads
		if found
		and audit.recognised(found)
		and target.ownership.owns(found.metadata.get("site", ""), is_known=True)
		and int(found.metadata["version"]) > known[found.path].version
	]
	rows, _ = _described(target, pool, newer)
	database.transaction(lambda: ledger.adopt(rows))


def _adopt(
	target: PublishTarget, pool: ThreadPoolExecutor, orphans: Collection[str], *, is_known: bool = True
) -> tuple[set[str], set[str]]:
	"""Enter orphans into the ledger: to be removed where they were removed before, else as live, for the next
	build of their scope to decide. Another site's are left, and unless they are known so are those that do not say
	whose they are. Returns these scopes, and the paths of which nobody can say whose they are."""
	if not orphans:
		return set(), set()
	database.fresh()
	removed = {path for path, entry in ledger.of_paths(orphans).items() if entry.state == "removed"}
	heads = list(pool.map(target.storage.head, sorted(set(orphans) - removed)))
	ours = [
		head
		for head in heads
		if head
		and audit.recognised(head)
		and target.ownership.owns(head.metadata.get("site", ""), is_known=is_known)
	]
	rows, unknown = _described(target, pool, ours)
	by_id = _scopes_by_id(rows)
	unknown |= {row.path for row in rows if row.scope not in by_id}
	rows = [row for row in rows if row.scope in by_id]
	used = {row.scope for row in rows} - {scopes.MEDIA.id}

	def enter() -> None:
		ledger.adopt(rows)
		ledger.remove_again(removed)
		publish_state.raise_generations(by_id[name] for name in used)
		publish_state.reopen(name for name in used if by_id[name].type == "subject")

	database.transaction(enter)
	return used, unknown


def _described(
	target: PublishTarget, pool: ThreadPoolExecutor, found: Collection[StoredObject]
) -> tuple[list[Adopted], set[str]]:
	"""Ledger rows for objects of memora's, by their metadata, paths and bodies; and those that cannot be read."""
	rows, unknown = [], set()
	bodies = pool.map(lambda stored: _telling(target, stored.path), found)
	for stored, body in zip(found, bodies, strict=True):
		try:
			rows.append(_describe(target, stored, body or b""))
		except (ValueError, LookupError, TypeError, AttributeError):
			unknown.add(stored.path)
	return rows, unknown


def _telling(target: PublishTarget, path: str) -> bytes | None:
	"""The document that tells whose a file is: its own body, or of a lesson's file the lesson; None where none does."""
	if path.startswith(MEDIA):
		return None
	return target.storage.get(paths.lesson_of_file(path) or path)


def _describe(target: PublishTarget, stored: StoredObject, body: bytes) -> Adopted:
	path, metadata = stored.path, stored.metadata
	is_lesson_file = bool(paths.lesson_of_file(path))
	document: Document = orjson.loads(body) if body or not (is_lesson_file or path.startswith(MEDIA)) else {}
	kind, scope, node, subject = _identify(path, document)
	entry = LedgerEntry(
		path=path,
		scope=scope,
		kind=kind,
		node=node,
		subject=subject,
		content_hash=metadata["content-hash"],
		shape_hash=metadata.get("shape-hash", ""),
		version=int(metadata["version"]),
		live_version=int(metadata["version"]),
		state="live",
		etag=stored.etag,
		size=stored.size,
		access_level=metadata.get("access-level", ""),
		required_item=metadata.get("required-item", ""),
		lesson_count=len(document["entries"]) if kind == "search_shard" else 0,
		pictures="" if is_lesson_file else " ".join(sorted(set(pictures_in(document)))),
		required_items=metadata.get("required-items", ""),
	)
	entry = entry._replace(outdated=bool(entry.differs(metadata, target.ownership.site)))
	signed = document.get("signed_url_expiry") if kind == "lesson" else None
	return Adopted(entry, datetime.fromisoformat(signed) if signed else None)


def _identify(path: str, document: Document) -> tuple[AnyKind, str, str, str]:
	"""Kind, scope, node and subject of a file. Raises LookupError or ValueError where it is none of memora's."""
	folder, *rest = path.split("/")
	if path == paths.PLAN_INDEX:
		return "plans_index", scopes.INDEX.id, "", ""
	if folder == "schemas":
		return ("schemas_index" if path == paths.SCHEMA_INDEX else "schema"), scopes.INDEX.id, "", ""
	if folder == "media":
		return "media", scopes.MEDIA.id, "", ""
	if paths.lesson_of_file(path):
		if not document:  # its lesson is gone: with the next sweep it goes too
			return "lesson_file", scopes.MEDIA.id, "", ""
		_, scope, node, subject = _identify(paths.lesson_of_file(path), document)
		return "lesson_file", scope, node, subject
	if folder in _FOLDERS:
		subject = document["parent"]["subject_id"]
		return _FOLDERS[folder], scopes.subject(subject).id, document["id"], subject
	segment, *below = rest
	scope = scopes.plan(segment).id if paths.segment(segment) == segment else f"plan:{segment}"
	if below == ["manifest.json"]:
		return "manifest", scope, document["plan_id"], ""
	if below == ["search_index.json"]:
		return "search_index", scope, "", ""
	if below[0] == "search":
		return "search_shard", scope, document["subject_id"], document["subject_id"]
	if below[0] == "subjects":
		return "subject", scope, document["id"], document["id"]
	return _FOLDERS[below[0]], scope, document["id"], document["parent"]["subject_id"]


def _scopes_by_id(rows: Iterable[Adopted]) -> dict[str, Scope]:
	"""The scopes of these rows by id, as far as the name behind the id is known."""
	found = {scope.id: scope for scope in (scopes.INDEX, scopes.MEDIA)}
	known_plans = {scope.id: scope for scope in map(scopes.plan, frappe.get_all(doctypes.PLAN, pluck="name"))}
	for row in rows:
		if row.scope.startswith("subject:"):
			found[row.scope] = scopes.subject(row.entry.subject)
		elif row.scope.startswith("plan:"):
			segment = row.path.split("/")[1]
			told = scopes.plan(row.entry.node) if row.entry.kind == "manifest" else None
			if told and told.id == row.scope:  # a copy in another folder tells of its original
				found[row.scope] = told
			elif row.scope in known_plans:
				found[row.scope] = known_plans[row.scope]
			elif row.scope not in found and paths.segment(segment) == segment:
				found[row.scope] = scopes.plan(segment)
	states = publish_state.by_id([row.scope for row in rows])
	return found | {name: state.scope for name, state in states.items()}


def _touch(scope_ids: Collection[str], entries: Iterable[LedgerEntry]) -> None:
	"""Queue the scopes of these files and these scopes, so that all of the files concerned are looked at."""
	entries = list(entries)
	ids = {*scope_ids, *(entry.scope for entry in entries)}
	states = publish_state.by_id(sorted(ids))
	subjects = {state.ref for state in states.values() if state.scope_type == "subject"}
	subjects |= {entry.subject for entry in entries if entry.subject}
	plans = {state.ref for state in states.values() if state.scope_type == "plan"}
	cause = causes.action(frappe.session.user, causes.REPAIR)
	relay.touch(plans, subjects, triggered_by="Fallback Recovery", cause=cause)
	if scopes.INDEX.id in ids:
		publish_state.raise_generations([scopes.INDEX])
