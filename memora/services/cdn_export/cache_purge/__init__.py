"""The CDN's cache, behind one small interface: `open(…)` gives a `CachePurge`.

A new CDN is a subclass of `CachePurge` and a case in `open`.
"""

from __future__ import annotations

from memora.services.cdn_export.cache_purge.base import CachePurge, NoPurge, PurgeResult

__all__ = ["CachePurge", "NoPurge", "PurgeResult", "open"]


def open(zone_id: str, api_token: str, batch_size: int = 0) -> CachePurge:
	"""The cache to purge: Cloudflare's when a zone is named, else none. Touches no network and never raises:
	settings that cannot work show when something is purged, and must not stop a build."""
	if not zone_id.strip():
		return NoPurge()
	from memora.services.cdn_export.cache_purge.cloudflare import CloudflarePurge  # loads requests

	return CloudflarePurge(zone_id, api_token, batch_size)
