"""The CDN's cache, behind one small interface: `open(…)` gives a `CachePurge`.

A new CDN is a subclass of `CachePurge`, most easily of `keyed.KeyedPurge`, and a case in `open`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from memora.services.cdn_export.cache_purge.base import (
	CachePurge,
	NoPurge,
	Outcome,
	PurgeResult,
	Stale,
	cache_name,
)

__all__ = [
	"CDNS",
	"CachePurge",
	"NoPurge",
	"Outcome",
	"PurgeResult",
	"PurgeSettings",
	"Stale",
	"name",
	"open",
]

CDNS = ("None", "Cloudflare", "CloudFront", "Fastly", "Bunny")
"""As CDN Settings list them."""


@dataclass(frozen=True, slots=True)
class PurgeSettings:
	"""What CDN Settings say of a CDN's cache. `place` is its zone, distribution, service or pull zone; a CDN that has no
	key beside its secret ignores `access_key`."""

	cdn: str = "None"
	place: str = ""
	secret: str = field(default="", repr=False)
	access_key: str = field(default="", repr=False)
	by_tag: bool = False
	base_url: str = ""
	batch_size: int = 0


def open(wanted: PurgeSettings) -> CachePurge:
	"""The cache to purge. Touches no network and never raises: settings that cannot work show when something is purged,
	and must not stop a build. Each case loads what its CDN alone needs."""
	place, secret, by_tag = wanted.place, wanted.secret, wanted.by_tag
	if wanted.cdn == "Cloudflare":
		from memora.services.cdn_export.cache_purge.cloudflare import CloudflarePurge

		return CloudflarePurge(place, secret, wanted.batch_size, by_tag=by_tag, base_url=wanted.base_url)
	if wanted.cdn == "CloudFront":
		from memora.services.cdn_export.cache_purge.cloudfront import CloudFrontPurge

		return CloudFrontPurge(place, wanted.access_key, secret, by_tag)
	if wanted.cdn == "Fastly":
		from memora.services.cdn_export.cache_purge.fastly import FastlyPurge

		return FastlyPurge(place, secret, by_tag)
	if wanted.cdn == "Bunny":
		from memora.services.cdn_export.cache_purge.bunny import BunnyPurge

		return BunnyPurge(place, secret, by_tag)
	return NoPurge()


def name(cdn: str, place: str, base_url: str) -> str:
	"""Which cache it is, as `CachePurge.behind` says of the one that these settings open; for who only compares."""
	place = place.strip()
	return cache_name(cdn, place.lower() if cdn == "Cloudflare" else place, base_url)
