"""A CDN's cache: what it holds, under which address, with which tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Edge:
	"""Each address that the edge would answer from its cache, with the tags that came with it, and what it would send."""

	held: dict[str, tuple[frozenset[str], Any]] = field(default_factory=dict)

	def fetch(self, url: str, tags: tuple[str, ...] = (), content: Any = None) -> None:
		"""Somebody reads an address that is not cached yet."""
		self.held.setdefault(url, (frozenset(tags), content))

	def forget_url(self, url: str) -> None:
		self.held.pop(url, None)

	def forget_tag(self, tag: str) -> None:
		self.held = {url: (tags, content) for url, (tags, content) in self.held.items() if tag not in tags}

	def forget_all(self) -> None:
		self.held.clear()
