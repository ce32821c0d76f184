"""By what a purge is asked for: one tag for a file, one for a scope where much has changed, or URLs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from memora.services.cdn_export.cache_purge.base import Stale

Kind = Literal["tag", "url", "all"]

SCOPE_ABOVE = 20
"""Where more files of a scope have changed, the scope's tag is cheaper than theirs, though the CDN fetches the rest again."""


class Order(NamedTuple):
	"""One tag or URL to purge, or everything, and which of the URLs that were asked for it covers."""

	kind: Kind
	key: str
	urls: tuple[str, ...]


def choose(stale: Iterable[Stale], *, by_tag: bool, whole_above: int = 0) -> list[Order]:
	"""What to ask a CDN for, so that it forgets all of `stale`. More than `whole_above` orders become one for everything."""
	wanted = list(dict.fromkeys(stale))
	files: dict[str, set[str]] = defaultdict(set)
	for each in wanted:
		files[each.scope_tag].add(each.file_tag)
	covered: dict[tuple[Kind, str], dict[str, None]] = defaultdict(dict)
	for each in wanted:
		covered[_order(each, by_tag, len(files[each.scope_tag]))][each.url] = None
	if whole_above and len(covered) > whole_above:
		return [Order("all", "", tuple(dict.fromkeys(each.url for each in wanted)))]
	return [Order(kind, key, tuple(urls)) for (kind, key), urls in covered.items()]


def _order(each: Stale, by_tag: bool, changed: int) -> tuple[Kind, str]:
	if not by_tag or not each.file_tag:
		return "url", each.url
	return "tag", each.scope_tag if each.scope_tag and changed > SCOPE_ABOVE else each.file_tag


def settled(done: Sequence[Order], failed: Sequence[Order]) -> tuple[tuple[str, ...], tuple[str, ...]]:
	"""The URLs that are purged, and those that are not: one that only a part of its orders covers is not."""
	left = dict.fromkeys(url for order in failed for url in order.urls)
	return tuple(dict.fromkeys(url for order in done for url in order.urls if url not in left)), tuple(left)
