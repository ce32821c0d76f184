"""Whether every link that a learner's app can follow leads somewhere, looked at from outside and at any moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from memora.services.cdn_export.model import paths
from memora.tests.helpers.processes import Stops, fork

Read = Callable[[str], bytes | None]

_PAUSE_SECONDS = 0.05


def dead_links(read: Read) -> list[str]:
	"""Every link, from the list of plans down, that leads to nothing, to half a file or to an older version.

	True also while somebody publishes: a link only counts if its document, read again after the target, still has it.
	As no version comes twice, the two were then there at the same time.
	"""
	found: list[str] = []
	known = {paths.PLAN_INDEX}
	row = [paths.PLAN_INDEX]
	for path in row:
		body = read(path)
		if body is None:
			continue
		try:
			document = orjson.loads(body)
		except orjson.JSONDecodeError:
			found.append(f"{path} is half a file")
			continue
		for link in _links(document):
			target, _, version = link.partition("?v=")
			if (wrong := _wrong(read(target), target, int(version or 0))) and read(path) == body:
				found.append(f"{path} links to {link}, {wrong}")
			elif target not in known and target.endswith(".json"):
				known.add(target)
				row.append(target)
	return found


def targets(document: Any) -> Iterator[str]:
	"""The paths that a document links to."""
	return (link.partition("?v=")[0] for link in _links(document))


def _links(value: Any) -> Iterator[str]:
	if isinstance(value, list):
		for item in value:
			yield from _links(item)
	elif isinstance(value, dict):
		for key, item in value.items():
			if key in ("url", "search_index_url"):
				yield item
			elif key in ("image", "badge_image"):
				if item.startswith("media/"):
					yield item
			elif key != "stages":
				yield from _links(item)


def _wrong(body: bytes | None, target: str, version: int) -> str:
	"""What is wrong with a link's target, "" for nothing."""
	if body is None:
		return "which is not there"
	if not target.endswith(".json"):
		return ""
	try:
		there = orjson.loads(body)["version"]
	except orjson.JSONDecodeError:
		return "which is half a file"
	return f"and version {there} is there" if there < version else ""


@contextmanager
def watched(read: Read, found: list[str]) -> Iterator[None]:
	"""A process of its own looks at all links the whole time; what it has seen is added to `found`."""

	def watch(stops: Stops) -> list[str]:
		seen: dict[str, None] = {}
		while True:
			began = time.monotonic()
			seen.update(dict.fromkeys(dead_links(read)))
			# Most of the time is left to those who are looked at.
			if stops.told_within(max(_PAUSE_SECONDS, 4 * (time.monotonic() - began))):
				return list(seen)

	watcher = fork(watch)
	try:
		yield
		watcher.go_on()
		found += watcher.wait()
	finally:
		watcher.end()
