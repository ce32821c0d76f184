"""When *Paid Content Is Private* is switched on or off: lessons that are not open, and their files, are written again with the
other cache headers, in the background. Bytes, versions and metadata stay as they are, so it does not matter whether a
file's scope fails, or waits for an admin.

What was public may be in caches, which are told to forget it. Only when they have is paid content called private.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from frappe.utils import now_datetime

from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import background
from memora.services.cdn_export.model import cache_headers
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, gate_switch, ledger
from memora.services.cdn_export.state.gate_switch import Noted
from memora.services.cdn_export.state.lease import Lease
from memora.services.cdn_export.storage import StoredObject, Upload

PAGE = 200
"""Files between two looks at the clock, and whether there is news."""

SECONDS = 30
"""So long a batch goes on with this: what is edited meanwhile waits no longer."""

DUE = f"`tab{ledger.TABLE}` file where file.old_headers = 1 and file.state = 'live' and file.damaged = 0"
"""SQL: what can be written again as it is."""


def run(target: PublishTarget) -> int:
	"""Write files again that are due. Returns how many. Raises what the storage raises, and `Ownership.claim`."""
	if not target.gate.moves:
		return 0
	return background.run(target, DUE, _renew, page=PAGE, seconds=SECONDS)


def advance(target: PublishTarget) -> None:
	"""Note how far it has come: all files are written, and caches have forgotten what was public. Commits."""
	if not target.gate.moves:
		return
	database.fresh()
	if (
		target.gate.state != "purging"
		and not ledger.count_old_headers().left
		and not gate_switch.films_wait()
	):
		target.gate = gate_switch.reached(target.gate, _written(target))
	since = target.gate.since
	if target.gate.state == "purging" and since and not purge_queue.waits(since):
		target.gate = gate_switch.reached(
			target.gate, Noted("private", since if target.purge.active else None)
		)


def _written(target: PublishTarget) -> Noted:
	"""What follows once all files are written."""
	if target.gate.state == "opening":
		return Noted("")
	return Noted("purging", now_datetime()) if target.purge.active else Noted("private")


def _renew(target: PublishTarget, lease: Lease | None, found: Iterable[LedgerEntry]) -> int:
	entries = background.still_due(lease, found, lambda entry: entry.old_headers)
	target.ownership.claim()
	written = background.write(target, lease, entries.values(), partial(_with_headers, target))

	def note() -> None:
		ledger.headers_renewed(written)
		if target.options.is_gated:
			purge_queue.add(
				target, [stale for path in written for stale in purge_queue.by_url(entries[path])]
			)

	return background.close(target, lease, entries, written, note)


def _with_headers(
	target: PublishTarget, entry: LedgerEntry, stored: StoredObject, body: bytes
) -> Upload | None:
	"""An object as it is, with the headers of now; None where it has them."""
	private = target.options.is_gated and cache_headers.is_closed(entry.kind, entry.access_level)
	wanted = cache_headers.turned(entry.kind, stored.cache_control, private=private)
	if stored.cache_control == wanted:
		return None
	return Upload(entry.path, body, wanted, stored.metadata, stored.content_type)
