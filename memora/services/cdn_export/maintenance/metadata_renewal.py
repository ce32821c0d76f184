"""What was published by an earlier release, or with another key of the site, gets the metadata of now: in the background,
a part with each batch, the bytes and versions as they are.

A file's row says that it is outdated. The object is read back and written again; what a lesson asks for is worked out
from its subject. What is not the object that the ledger knows, or no longer fits its content, is left to its scope's
next build.
"""

from __future__ import annotations

from collections.abc import Iterable

from memora.services.cdn_export.builds import film_notes
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import background, required_items
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import ledger, publish_state
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.storage import StoredObject, Upload

PAGE = 200
"""Files between two looks at the clock, and whether there is news."""

SECONDS = 30
"""So long a batch goes on with this: what is edited meanwhile waits no longer."""

DUE = f"""`tab{ledger.TABLE}` file left join `tab{publish_state.TABLE}` state on state.name = file.scope
	where file.outdated = 1 and file.state = 'live' and file.damaged = 0
		and coalesce(state.published_generation >= state.generation, 1)"""
"""SQL: what can be written again as it is; a scope with news is built first."""


def run(target: PublishTarget) -> int:
	"""Write files again that are due, until none is left, something waits to be published, or `SECONDS` are over.
	Returns how many. Raises what the storage raises, and `Ownership.claim`."""
	return background.run(target, DUE, _renew, page=PAGE, seconds=SECONDS)


def _renew(target: PublishTarget, lease: Lease | None, found: Iterable[LedgerEntry]) -> int:
	entries = background.still_due(lease, found, lambda entry: entry.outdated)
	items = required_items.of_files(lease, entries)
	target.ownership.claim()
	known = [entry._replace(required_items=items[path]) for path, entry in entries.items() if path in items]

	def with_metadata(entry: LedgerEntry, stored: StoredObject, body: bytes) -> Upload:
		metadata = entry.metadata(target.ownership.site)
		return Upload(entry.path, body, stored.cache_control, metadata, stored.content_type)

	written = background.write(target, lease, known, with_metadata)

	def note() -> None:
		ledger.renewed(written, items)
		film_notes.let_in_others(target, written)

	return background.close(target, lease, entries, written, note)
