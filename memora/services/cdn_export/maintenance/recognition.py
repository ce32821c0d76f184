"""What the ledger should say of an object in the storage, by its metadata, its path and its content."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import frappe
import orjson

from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit
from memora.services.cdn_export.model import doctypes, paths, scopes
from memora.services.cdn_export.model.document_bytes import MEDIA, Document, pictures_in
from memora.services.cdn_export.model.published_file import AnyKind, FileKind, LedgerEntry
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import publish_state
from memora.services.cdn_export.state.ledger import OTHER_LINKS, Adopted
from memora.services.cdn_export.storage import StoredObject

_FOLDERS: dict[str, FileKind] = {"lessons": "lesson", "units": "unit"}
_ALONE: dict[str, tuple[AnyKind, Scope]] = {
	paths.PLAN_INDEX: ("plans_index", scopes.INDEX),
	paths.GATE_KEYS: ("gate_keys", scopes.INDEX),
	paths.SCHEMA_INDEX: ("schemas_index", scopes.INDEX),
	"schemas/": ("schema", scopes.INDEX),
	MEDIA: ("media", scopes.MEDIA),
	paths.ACCESS: ("access", scopes.FILMS),
}
"""Files of no plan's or subject's, and folders of such."""


def ours(
	target: PublishTarget, pool: ThreadPoolExecutor, found_at: Collection[str], *, is_known: bool
) -> list[StoredObject]:
	"""Those of these objects that are memora's and this site's."""
	return [
		found
		for found in pool.map(target.storage.head, sorted(found_at))
		if found
		and audit.recognised(found)
		and target.ownership.owns(found.metadata.get("site", ""), is_known=is_known)
	]


def described(
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


def scopes_of(rows: Iterable[Adopted]) -> dict[str, Scope]:
	"""The scopes of these rows by id, as far as the name behind the id is known."""
	found = {scope.id: scope for scope in (scopes.INDEX, scopes.MEDIA, scopes.FILMS)}
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
	if kind == "lesson" and target.options.is_gated:
		return Adopted(entry, OTHER_LINKS)  # which films it names is not known until it is written again
	signed = document.get("signed_url_expiry") if kind == "lesson" else None
	return Adopted(entry, datetime.fromisoformat(signed) if signed else None)


def _identify(path: str, document: Document) -> tuple[AnyKind, str, str, str]:
	"""Kind, scope, node and subject of a file. Raises LookupError or ValueError where it is none of memora's."""
	folder, *rest = path.split("/")
	if alone := _ALONE.get(path) or _ALONE.get(f"{folder}/"):
		kind, owner = alone
		return kind, owner.id, "", ""
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
