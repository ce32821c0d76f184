"""What a site would publish that has never failed, to compare with what is published."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from unittest.mock import patch

import frappe

from memora.services.cdn_export import batch_processor, settings
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.outbox import relay
from memora.services.cdn_export.state import redis_mirror
from memora.tests.helpers.processes import fork

_STAMP = re.compile(rb'"version":\d+,"generated_at":"[^"]+",')
_STAMPS = re.compile(rb'"version":\d+,"generated_at":"[^"]+",|\?v=\d+')
_OURS = (
	"CDN File",
	"CDN Rendition",
	"CDN Node Change",
	"CDN Publish State",
	"CDN Change",
	"CDN Media",
	"CDN Film",
	"CDN Purge",
	"CDN Sync Log",
)


def normalised(files: dict[str, bytes]) -> dict[str, bytes]:
	"""Files without what differs from build to build: versions and their moments."""
	return {path: _STAMPS.sub(b"", body) for path, body in files.items()}


def is_only_stamped_anew(before: bytes, after: bytes) -> bool:
	"""Whether two bodies of a file differ, but by nothing else than when they say that they last changed."""
	return before != after and _STAMP.sub(b"", before, count=1) == _STAMP.sub(b"", after, count=1)


def differences(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
	"""What differs between two sets of files, in a few words each."""
	told = [f"{path} is missing" for path in sorted(wanted.keys() - found.keys())]
	told += [f"{path} should not be there" for path in sorted(found.keys() - wanted.keys())]
	for path in sorted(found.keys() & wanted.keys()):
		if found[path] != wanted[path]:
			pairs = zip(found[path], wanted[path], strict=False)
			place = next((n for n, (a, b) in enumerate(pairs) if a != b), 0)
			there, right = found[path][max(0, place - 40) : place + 60], wanted[path][place : place + 60]
			told.append(
				f"{path}: …{there.decode(errors='replace')}… should be …{right.decode(errors='replace')}…"
			)
	return told


def built_anew() -> dict[str, bytes]:
	"""What a site that has never published would publish now, normalised.

	A process of its own builds it, with tables of its own in front of ours and without Redis, so that nothing here
	changes.
	"""
	with tempfile.TemporaryDirectory(prefix="memora-anew-") as folder:
		frappe.db.commit()
		fork(lambda _stops: _build_into(Path(folder) / "files")).wait()
		return normalised(files_below(Path(folder) / "files"))


def _build_into(folder: Path) -> None:
	for doctype in _OURS:
		frappe.db.sql_ddl(f"create temporary table `memora anew` like `tab{doctype}`")
		frappe.db.sql_ddl(f"alter table `memora anew` rename `tab{doctype}`")
	doc = settings.saved()
	place = settings.place(doc)
	doc.update({"storage_provider": "Local Directory", "local_path": str(folder)})
	with (
		patch.object(settings, "saved", lambda: doc),
		patch.object(redis_mirror, "_guarded", lambda _call: None),
		patch.object(settings, "place", lambda _doc: place),  # as if files went where ours do
	):
		relay.touch(
			frappe.get_all("Memora Academic Plan", pluck="name"),
			frappe.get_all("Memora Subject", pluck="name"),
		)
		drained = batch_processor.process()
	if drained.failed or drained.left:
		raise AssertionError(f"a build from nothing fails: {drained}")


def files_below(folder: Path) -> dict[str, bytes]:
	"""All published files of a Local Directory, without the mark of the place, and without what a killed writer left half
	done: no link leads there."""
	return {
		path: file.read_bytes()
		for file in folder.rglob("*")
		if file.is_file()
		and not file.name.endswith(".memora-tmp")
		and (path := str(file.relative_to(folder))) != paths.MARK
	}
