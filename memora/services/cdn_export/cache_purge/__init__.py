"""The CDN's cache, behind one small interface: `open(settings)` gives a `CachePurge`."""

from __future__ import annotations

from memora.services.cdn_export.cache_purge.base import CachePurge, NoPurge, PurgeResult

__all__ = ["CachePurge", "NoPurge", "PurgeResult"]
