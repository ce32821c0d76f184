"""Reads published files by their links, one by one, and notes what is wrong with each and between two of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from memora.exceptions import ContractError
from memora.services.cdn_export.model.document_bytes import LARGEST_FILE
from memora.services.cdn_export.model.published_file import FileKind
from memora.services.cdn_export.rules import contracts

Read = Callable[[str], bytes | None]
ListPaths = Callable[[], Iterable[str]]
Document = Mapping[str, Any]


_PATH = re.compile(r"[A-Za-z0-9_~.-]+(?:/[A-Za-z0-9_~.-]+)*")
_VERSION = re.compile(r"[1-9][0-9]*")

# The access levels that a node may have below a parent of the given level (spec, "Access").
_BELOW = {
	None: {"public", "authenticated", "paid", "free_preview"},
	"public": {"public", "paid", "free_preview"},
	"authenticated": {"authenticated", "paid", "free_preview"},
	"paid": {"paid", "free_preview"},
	"free_preview": {"paid", "free_preview"},
}


@dataclass(frozen=True, slots=True)
class Problem:
	"""One thing that is wrong, and the file it was seen in."""

	path: str
	message: str

	def __str__(self) -> str:
		return f"{self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class PlanSeen:
	"""What a learner of one plan can reach; `levels` says how many lessons have which access level."""

	plan_id: str
	title: str
	subjects: int
	own_subjects: int
	units: int
	lessons: tuple[str, ...]
	levels: Mapping[str, int]
	search_files: int


@dataclass(slots=True)
class Report:
	"""The outcome of a check. `unlinked` are files that are there though no link leads to them."""

	problems: list[Problem] = field(default_factory=list)
	unlinked: list[str] = field(default_factory=list)
	plans: list[PlanSeen] = field(default_factory=list)
	files: int = 0
	bytes: int = 0
	links: int = 0

	@property
	def ok(self) -> bool:
		"""Nothing is wrong and nothing is left over."""
		return not self.problems and not self.unlinked


class Crawl:
	"""What was read so far, and how to go on: `_follow` a link, hold two documents against each other."""

	def __init__(self, read: Read) -> None:
		self.report = Report()
		self.sizes: dict[str, int] = {}
		self._read = read
		self._documents: dict[str, Document | None] = {}

	def _problem(self, path: str, message: str) -> None:
		self.report.problems.append(Problem(path, message))

	def _document(self, path: str, kind: FileKind) -> Document | None:
		"""Return the document at `path`, or None, having said why. A file is looked at once."""
		if path not in self._documents:
			self._documents[path] = self._load(path, kind)
		return self._documents[path]

	def _load(self, path: str, kind: FileKind) -> Document | None:
		body = self._bytes(path)
		if body is None:
			return None
		if len(body) > LARGEST_FILE:
			self._problem(path, f"is larger than a published file may be: {len(body):,} bytes")
		try:
			document: dict[str, Any] = orjson.loads(body)
			contracts.validate(kind, document, path)
		except ValueError as error:
			self._problem(path, f"is no JSON: {error}")
			return None
		except ContractError as error:
			self._problem(path, str(error).removeprefix(f"{path} "))
			return None
		if kind in ("schema", "gate_keys"):
			return document
		if int(datetime.fromisoformat(document["generated_at"]).timestamp()) != document["version"]:
			self._problem(path, f"version {document['version']} is not the moment {document['generated_at']}")
		return document

	def _bytes(self, path: str) -> bytes | None:
		body = self._read(path)
		if body is None:
			self._problem(path, "is linked, but is not there")
			return None
		if path not in self.sizes:
			self.sizes[path] = len(body)
			self.report.files += 1
			self.report.bytes += len(body)
		return body

	# Links

	def _follow(self, source: str, url: str, kind: FileKind, *, versioned: bool = True) -> Document | None:
		"""Return the document that `url`, found in `source`, leads to."""
		self.report.links += 1
		path, _, query = url.partition("?")
		if not _PATH.fullmatch(path) or ".." in path.split("/"):
			self._problem(source, f"{url!r} is no path relative to the CDN's base")
			return None
		name, _, version = query.partition("=")
		if versioned and (name != "v" or not _VERSION.fullmatch(version)):
			self._problem(source, f"the link {url!r} carries no version")
			return None
		if not versioned and query:
			self._problem(source, f"the link {url!r} should carry no version")
		known = len(self.report.problems)
		document = self._document(path, kind)
		if document is None:
			if len(self.report.problems) == known:
				self._problem(source, f"the link {url!r} leads to a file that is missing or broken")
		elif versioned and document.get("version", int(version)) < int(version):
			self._problem(
				source, f"the link {url!r} is newer than its target's version {document['version']}"
			)
		return document

	def _expect_path(self, source: str, url: str, *allowed: str) -> None:
		if path_of(url) not in allowed:
			self._problem(source, f"the link {url!r} should lead to {' or '.join(allowed)}")

	def _media(self, source: str, holder: Document) -> None:
		for name in ("image", "badge_image"):
			value = holder.get(name, "")
			if value.startswith("media/"):
				self.report.links += 1
				if value not in self.sizes:
					self._bytes(value)
			elif value and not value.startswith(("http://", "https://")):
				self._problem(source, f"{name} {value!r} is neither below media/ nor an http(s) URL")

	# Comparisons

	def _same(self, path: str, document: Document, expected: Document, fields: Iterable[str]) -> None:
		for name in fields:
			if document.get(name) != expected.get(name):
				self._problem(
					path,
					f"{name} is {document.get(name)!r}, where the file above it says {expected.get(name)!r}",
				)

	def _count(self, path: str, name: str, said: int, found: int) -> None:
		if said != found:
			self._problem(path, f"{name} says {said}, and there are {found}")

	def _ordered(self, path: str, entries: Sequence[Document], what: str) -> None:
		orders = [entry["sort_order"] for entry in entries]
		if orders != sorted(orders):
			self._problem(path, f"the {what} are not in the order of their sort_order")
		if len({entry["id"] for entry in entries}) != len(entries):
			self._problem(path, f"one of the {what} is listed twice")

	def _access(self, path: str, holder: Document, above: Document | None) -> None:
		"""Check that an access object can be below another one (None: it is a subject's)."""
		level = holder["access"]["access_level"]
		parent = above["access"]["access_level"] if above is not None else None
		if level not in _BELOW[parent]:
			self._problem(path, f"{holder['id']} is {level} below a parent that is {parent}")


def path_of(url: str) -> str:
	return url.partition("?")[0]
