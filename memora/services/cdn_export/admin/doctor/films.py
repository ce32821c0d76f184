"""Whether what the gate follows, to tell who may see a film, is memora's."""

from __future__ import annotations

from collections.abc import Iterator

from memora.exceptions import StorageConfigurationError
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin.doctor import places
from memora.services.cdn_export.admin.finding import Finding, some
from memora.services.cdn_export.maintenance import audit
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.state import ledger, named_films


def access_objects() -> Iterator[Finding]:
	"""What says who may see a film and is not memora's: the gate believes it all the same."""
	doc = settings.saved()
	if not settings.is_gated(doc):
		return
	known = {path: entry.etag for path, entry in ledger.of_scope(scopes.FILMS).items()}
	try:
		storage = settings.open_storage(doc)
	except StorageConfigurationError:
		return  # said by `places.storage`

	def look() -> list[str]:
		with storage:
			others = [one.path for one in storage.list(paths.ACCESS) if known.get(one.path) != one.etag]
			found = map(storage.head, others)
			return [stored.path for stored in found if stored and not audit.recognised(stored)]

	try:
		strange = places.in_time(look)
	except TimeoutError:
		return  # said by `places.storage`
	if strange:
		films = {paths.access(film): film for film in named_films.of_films()}
		named = [f"{path} ({films[path]})" if path in films else path for path in strange]
		yield Finding(
			"access objects",
			"error",
			f"{len(strange):,} objects say who may see a film and were not written by memora: {some(named)}. The gate follows"
			" them, so films may be open that no lesson opens. Lessons that name these films wait.",
			"Remove them from the storage, and let nobody else write there: memora writes those that are needed.",
		)
