"""Who may see a film, by who may read the lessons that name it (docs/gate.md, "Films").

Pure. What opens any of these lessons opens the film, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.document_bytes import Document, serialise

Grant = tuple[str, str]
"""Who may read a lesson: its access level, and the items that it asks for as `required-items` has them. ("", "") lets no learner in."""

NO_ONE: Grant = ("", "")

_FROM_WIDEST = ("public", "free_preview", "authenticated", "paid")
_LARGEST = 60_000
"""In bytes; the gate reads 65,536."""


def both(one: Grant, other: Grant) -> Grant:
	"""Who is sure to be let in by either of two: by the lesson that is there, and by the one that takes its place."""
	if not (_opens(one) and _opens(other)):
		return NO_ONE
	level, items = max(one, other, key=lambda grant: _FROM_WIDEST.index(grant[0]))
	if one[0] == other[0] == "paid":
		items = ",".join(sorted({*one[1].split(","), *other[1].split(",")}))
	return level, items


def opening(film: str, named: Mapping[str, Sequence[Grant]], folders: Collection[str]) -> list[Grant]:
	"""Whom the lessons let in that name a film, or a folder around it: a piece of another film may be a film itself. `named`
	has what lessons name; `folders` are the video folders. What no lesson opens by its own name has no access of its own."""
	if not any(map(_opens, named.get(film, ()))) or not paths.may_have_access(film, folders):
		return []
	return [grant for path in (film, *paths.folders_around(film, folders)) for grant in named.get(path, ())]


def closed(site: str) -> Document:
	"""The access object of a film that is closed to all."""
	return {"access-level": "closed", "site": site}


def document(grants: Iterable[Grant], site: str) -> Document | None:
	"""The access object of a film that lessons name which let in whom these grants say, for the site whose key has this
	hash; None where no learner is let in."""
	found = [grant for grant in grants if _opens(grant)]
	if not found or not site:
		return None
	level = min((level for level, _ in found), key=_FROM_WIDEST.index)
	if level != "paid":
		return {"access-level": level, "site": site}
	ways = _smallest(frozenset(items.split(",")) for _, items in found)
	if len(ways) == 1:
		return {"access-level": level, "required-items": ways[0], "site": site}
	whole: Document = {"access-level": level, "any-of": ways, "site": site}
	while len(serialise(whole)) > _LARGEST:  # who comes last stays outside
		ways.pop()
	return whole


def _opens(grant: Grant) -> bool:
	level, items = grant
	return level in _FROM_WIDEST and (level != "paid" or bool(items))


def _smallest(ways: Iterable[frozenset[str]]) -> list[list[str]]:
	"""These sets of items, but for those that hold another of them; who has one that is left has met the others, too."""
	found: list[frozenset[str]] = []
	for way in sorted(set(ways), key=lambda way: (len(way), sorted(way))):
		if not any(smaller <= way for smaller in found):
			found.append(way)
	return [sorted(way) for way in found]
