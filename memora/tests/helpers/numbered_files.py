"""A ledger of as many files as a test asks for, loaded by SQL, and a storage that lists them without holding any."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import frappe

from memora.services.cdn_export.model.cache_headers import cache_control
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.storage import JSON, Storage, StoredObject, Upload

SIZE = 2860
_PAGE = 1000


def path_of(number: int) -> str:
	return f"lessons/{number:07}.json"


def load(count: int) -> None:
	"""Enter so many live lessons into an empty ledger; commits."""
	frappe.db.sql(
		f"""insert into `tabCDN File` (name, creation, modified, path, scope, kind, node, subject, content_hash,
			version, live_version, state, etag, size, access_level)
		select sha1(path), now(), now(), path, 'subject:s', 'lesson', 'n', 's', 'h', 1, 1, 'live', md5(path), {SIZE}, 'free'
		from (select concat('lessons/', lpad(seq - 1, 7, '0'), '.json') as path from seq_1_to_{int(count)}) numbered
		order by sha1(path)"""
	)
	frappe.db.commit()


class NumberedStorage(Storage):
	"""Lists the files that were loaded, a thousand a request, but the `missing`, and describes them. `altered` ones have another
	ETag, `untyped` ones another type. With `folded` numbers below a hundred come last, as in an order of the server's own."""

	name = "AWS S3"
	threads = 32
	writers = 32
	target = "numbered"

	def __init__(self, count: int, site: str) -> None:
		self.count = count
		self.site = site
		self.missing: set[str] = set()
		self.altered: dict[str, str] = {}
		self.untyped: set[str] = set()
		self.folded = False
		self.lists = 0
		self.heads = 0

	def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
		self.lists += 1
		if not prefix.startswith("lessons/"):
			return
		numbers = [range(100, self.count), range(100)] if self.folded else [range(self.count)]
		if after:
			last = _number(after)
			is_fold = self.folded and last < 100
			numbers = [range(last + 1, 100)] if is_fold else [range(last + 1, self.count), *numbers[1:]]
		yielded = 0
		for number in (number for part in numbers for number in part):
			path = path_of(number)
			if path in self.missing:
				continue
			if yielded and yielded % _PAGE == 0:
				self.lists += 1
			yielded += 1
			yield StoredObject(path, self.altered.get(path, _etag(path)), SIZE)

	def head(self, path: str) -> StoredObject | None:
		self.heads += 1
		if path in self.missing:
			return None
		entry = LedgerEntry(path, "subject:s", "lesson", path, "s", "h", live_version=1, access_level="free")
		return StoredObject(
			path,
			self.altered.get(path, _etag(path)),
			SIZE,
			"text/plain" if path in self.untyped else JSON,
			cache_control("lesson"),
			entry.metadata(self.site),
		)

	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		raise NotImplementedError

	def read(self, path: str) -> tuple[bytes, str] | None:
		raise NotImplementedError

	def delete(self, paths: Iterable[str]) -> None:
		raise NotImplementedError


def _number(path: str) -> int:
	return int(path.removeprefix("lessons/").removesuffix(".json"))


def _etag(path: str) -> str:
	return hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()
