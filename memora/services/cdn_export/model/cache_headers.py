"""How long caches may keep each kind of file (spec, "Publishing": `Cache-Control` fits).

What is only reached by a URL that carries its version never changes under that URL. Everything else is read
again within five minutes, so that a change is seen soon and links from a cached manifest stay good for less
than the grace that moved files are kept for.

Behind a gate no shared cache may keep what is not open: it would give the first owner's copy to everybody.
"""

from __future__ import annotations

import re

from memora.services.cdn_export.model.published_file import AnyKind

SHORT = 300
HOUR = 60 * 60
YEAR = 365 * 24 * 60 * 60

OPEN = ("public", "free_preview")
"""The access levels that anybody may read."""

GUARDED: tuple[AnyKind, ...] = ("lesson", "lesson_file")
"""The kinds that a gate guards (docs/gate.md)."""

_AGE = re.compile(r"max-age=(\d+)")

_FOR_GOOD: tuple[AnyKind, ...] = ("subject", "unit", "search_shard", "media", "lesson_file")


def is_closed(kind: AnyKind, access_level: str) -> bool:
	"""Whether a gate wants a token for a file: a lesson, or a lesson's file, that is not open."""
	return kind in GUARDED and access_level not in OPEN


def cache_control(kind: AnyKind, signature_life: float | None = None, *, private: bool = False) -> str:
	"""The `Cache-Control` of a kind of file; `private`, where no shared cache may keep it.

	`signature_life` is how many seconds the signatures in a lesson still hold when it is uploaded: a cached
	lesson is never older than a quarter of that.
	"""
	if private:
		return f"private, max-age={HOUR if kind in _FOR_GOOD else _short(kind, signature_life)}"
	if kind in _FOR_GOOD:
		return f"public, max-age={YEAR}, immutable"
	return f"public, max-age={_short(kind, signature_life)}"


def turned(kind: AnyKind, found: str, *, private: bool) -> str:
	"""The `Cache-Control` of a file that has this one so far, once it is, or is no longer, `private`. A lesson keeps its
	seconds: its signatures are as old as they were."""
	age = _AGE.search(found)
	return cache_control(kind, 4 * int(age[1]) if age and kind == "lesson" else None, private=private)


def _short(kind: AnyKind, signature_life: float | None) -> int:
	if kind == "lesson" and signature_life is not None:
		return max(0, min(SHORT, int(signature_life // 4)))
	return SHORT
