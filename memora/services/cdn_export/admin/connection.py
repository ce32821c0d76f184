"""The connection test of what CDN Settings name."""

from __future__ import annotations

from collections.abc import Callable

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import connection_test, gate_asking
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.delivery import ownership
from memora.services.cdn_export.state import ledger


def prepare(translate: Callable[[str], str] = str) -> Callable[[], list[Finding]]:
	"""What runs the test: that asks no database, so another thread may. Raises StorageConfigurationError."""
	doc = settings.saved()
	purge, base_url, paid = settings.open_purge(doc), settings.load(doc).base_url, ledger.a_paid_path()
	storage = settings.open_storage(doc)
	refused = ownership.inspector(storage, doc)
	gated = settings.is_gated(doc)
	ask = gate_asking.prepare(doc, storage.address, translate) if gated else list

	def run() -> list[Finding]:
		with storage:
			found = connection_test.run(storage, purge, base_url, paid, translate, refused, gated=gated)
		return [*found, *ask()]

	return run
