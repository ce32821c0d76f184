"""What a build changes: the documents it offers against what the ledger says is live (spec, "Versions").

A build makes one `Diff` from its scope's ledger, offers or keeps every file it wants, and reads back which to
upload (`changed`) and which are no longer produced (`dropped`). Targets come before what links to them: a
link carries its target's version, so `link` only knows what was offered or kept before.

Same content, same bytes: a file's version and `generated_at` say when its content last changed, and come from
the ledger for as long as the content's hash stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from typing import Literal

from memora.exceptions import BuildError
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.document_bytes import (
	STAMP_BYTES,
	Document,
	check_size,
	pictures_of,
	serialise,
	stamped,
)
from memora.services.cdn_export.model.published_file import FileKind, LedgerEntry, Planned, as_live
from memora.services.cdn_export.model.stage_files import PublicFile
from memora.services.cdn_export.model.tree import Access


class Diff:
	"""The files one build wants, against what its scope's ledger says.

	`ledger` holds what the scope has and had, and what is known of other paths that it may write: one that another
	scope still owns, because its node has moved here, is given as in flight. `now` is in Unix seconds.
	`elsewhere` gives the live versions of files that another scope publishes and this one links to, such as the
	shared units under a plan's subject.
	"""

	def __init__(
		self, ledger: Mapping[str, LedgerEntry], now: int, elsewhere: Mapping[str, int] | None = None
	) -> None:
		self.planned: dict[str, Planned] = {}
		self._ledger = ledger
		self._now = now
		self._elsewhere = elsewhere or {}

	def keeps_shape(self, path: str, shape_hash: str, required_items: str = "") -> bool:
		"""Whether the file that is live was made from this shape, so that an untouched body makes it unchanged, asks for
		these items, and the files that it names are whole too."""
		entry = self._ledger.get(path)
		return (
			entry is not None
			and entry.state == "live"
			and entry.shape_hash == shape_hash
			and not entry.damaged
			and all(file.state == "live" and not file.damaged for file in self._files.get(path, ()))
			and _asks_for(entry, required_items)
		)

	def keep(self, path: str) -> Planned:
		"""Take a live file over from the ledger, unread and unchanged."""
		entry = self._ledger.get(path)
		if entry is None or entry.state != "live":
			raise KeyError(f"{path} is not live, so it cannot be kept")
		for file in self._files.get(path, ()) if entry.kind == "lesson" else ():
			self.keep(file.path)
		return self._plan(as_live(entry))

	def offer(
		self,
		path: str,
		kind: FileKind | Literal["access"],
		node: str,
		document: Document,
		*,
		subject: str = "",
		shape_hash: str = "",
		access: Access | None = None,
		lesson_count: int = 0,
		required_items: str = "",
	) -> Planned:
		"""Plan a file with this content, given without its stamp; unchanged when just that is live already. It is uploaded
		again under its version when it asks for other `required_items`.

		A file that waits for its removal and still has this content is taken back as it is. A path that was left in flight
		never counts as unchanged: its bytes are not known, so it is uploaded again under a higher version.
		"""
		content = serialise(document, path)
		check_size(path, len(content) + STAMP_BYTES)
		content_hash = sha256(content).hexdigest()
		entry = self._ledger.get(path)
		if entry and entry.can_stay(subject) and entry.content_hash == content_hash:
			changed = bool(entry.damaged) or not _asks_for(entry, required_items)
			version = entry.live_version
		else:
			changed, version = True, max(self._now, 1 + entry.version if entry else 1)
		return self._plan(
			Planned(
				path=path,
				kind=kind,
				node=node,
				subject=subject,
				version=version,
				changed=changed,
				content_hash=content_hash,
				shape_hash=shape_hash,
				document=stamped(kind, document, version) if changed else None,
				access_level=access.level if access else "",
				required_item=access.required_item if access else "",
				lesson_count=lesson_count,
				pictures=pictures_of(document, content) if changed else frozenset(),
				required_items=required_items,
			)
		)

	def offer_file(
		self,
		path: str,
		lesson: str,
		source: PublicFile,
		*,
		subject: str,
		access: Access,
		required_items: str = "",
	) -> None:
		"""Plan a file that a lesson's stages name, once however often they do. Its path says what is in it, so it goes up
		only where it is not there yet, or where other people may read it than before."""
		if path in self.planned:
			return
		entry = self._ledger.get(path)
		is_there = (
			entry is not None
			and entry.can_stay(subject)
			and (entry.access_level, entry.required_item) == (access.level, access.required_item)
		)
		if entry and is_there:
			version = entry.live_version
		else:
			version = max(self._now, 1 + entry.version if entry else 1)
		self._plan(
			Planned(
				path=path,
				kind="lesson_file",
				node=lesson,
				subject=subject,
				version=version,
				changed=not (entry and is_there) or entry.damaged or not _asks_for(entry, required_items),
				content_hash=source.digest,
				shape_hash="",
				document=None,
				access_level=access.level,
				required_item=access.required_item,
				lesson_count=0,
				source=source,
				required_items=required_items,
			)
		)

	@cached_property
	def _files(self) -> dict[str, list[LedgerEntry]]:
		"""The files that are, or may be, beside each lesson, by the lesson's path."""
		found: dict[str, list[LedgerEntry]] = defaultdict(list)
		for path, entry in self._ledger.items():
			if entry.kind == "lesson_file" and entry.state in ("live", "in_flight"):
				found[paths.lesson_of_file(path)].append(entry)
		return found

	def link(self, path: str) -> str:
		"""The URL of a file with its version; the file was offered or kept before, or another scope publishes it."""
		if path in self.planned:
			return self.planned[path].url
		if path in self._elsewhere:
			return paths.versioned(path, self._elsewhere[path])
		raise KeyError(f"{path} is linked to before it was offered or kept: targets come first")

	def changed(self) -> list[Planned]:
		"""What has to be uploaded, in the order it was offered: every target before what links to it."""
		return [planned for planned in self.planned.values() if planned.changed]

	def taken_back(self) -> list[str]:
		"""The paths of files that waited for their removal and are published again as they are."""
		return [
			path
			for path, planned in self.planned.items()
			if not planned.changed and path in self._ledger and self._ledger[path].state == "removing"
		]

	def dropped(self) -> list[LedgerEntry]:
		"""Files that are, or may be, in the storage and are no longer wanted."""
		return [
			entry
			for path, entry in self._ledger.items()
			if entry.state in ("live", "in_flight") and path not in self.planned
		]

	def in_grace(self) -> list[LedgerEntry]:
		"""Files that an earlier build dropped and that are in their grace, which may end sooner now."""
		return [entry for path, entry in self._ledger.items() if entry.in_grace and path not in self.planned]

	def _plan(self, planned: Planned) -> Planned:
		if planned.path in self.planned:
			raise BuildError(f"{planned.path} is produced twice in one build; two documents share its name")
		self.planned[planned.path] = planned
		return planned


def _asks_for(entry: LedgerEntry, required_items: str) -> bool:
	return entry.outdated or entry.required_items == required_items


def reissue(entry: LedgerEntry, document: Document) -> Planned | None:
	"""Plan a live file to be uploaded again under the version it has, for the sake of its signatures.

	None when `document`, given without its stamp, is no longer the content that is live.
	"""
	if entry.state != "live" or sha256(serialise(document, entry.path)).hexdigest() != entry.content_hash:
		return None
	return as_live(entry, stamped(entry.kind, document, entry.live_version))
