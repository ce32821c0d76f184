"""How long caches may keep each kind of file (spec, "Publishing": `Cache-Control` fits).

What is only reached by a URL that carries its version never changes under that URL. Everything else is read
again within five minutes, so that a change is seen soon and links from a cached manifest stay good for less
than the grace that moved files are kept for.
"""

from __future__ import annotations

from memora.services.cdn_export.model.published_file import AnyKind

SHORT = 300
YEAR = 365 * 24 * 60 * 60

_FOR_GOOD: tuple[AnyKind, ...] = ("subject", "unit", "search_shard", "media", "lesson_file")


def cache_control(kind: AnyKind, signature_life: float | None = None) -> str:
	"""The `Cache-Control` of a kind of file.

	`signature_life` is how many seconds the signatures in a lesson still hold when it is uploaded: a cached
	lesson is never older than a quarter of that.
	"""
	if kind in _FOR_GOOD:
		return f"public, max-age={YEAR}, immutable"
	if kind == "lesson" and signature_life is not None:
		return f"public, max-age={max(0, min(SHORT, int(signature_life // 4)))}"
	return f"public, max-age={SHORT}"
