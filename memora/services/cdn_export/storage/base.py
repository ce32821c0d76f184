"""The interface every storage provider fulfils, and the plain data that goes through it.

A storage keeps whole objects under a path. Promised by all of them, and tested by one shared suite
(tests/contract/storage):

- A reader sees the old object or the new one, never a part of either.
- When `put` returns, the object survives a power failure, and the next `get`, `head` and `list` show it.
- A conditional `put` that loses raises PreconditionFailedError and has changed nothing. Of several at once,
  one wins.
- Text comes back as it went in: paths, metadata and content types of any language.
- A removal that is refused for some objects removes the others, and says which remain.
- Whatever fails is a StorageError: StorageConfigurationError when retrying is useless,
  StorageUnavailableError when it may help. No message holds a secret.

Not promised: an order between writes to different paths, or a history of what was overwritten.
All methods may be called from several threads.
"""

from __future__ import annotations

import io
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, NamedTuple

from memora.exceptions import StorageError, StorageUnavailableError
from memora.services.cdn_export.model import paths

JSON = "application/json; charset=utf-8"
MAX_PATH_BYTES = 1024  # S3's own limit, kept by all so that a site can change its provider
MOST_ON_THEIR_WAY = 4_000_000
"""Bytes written at once: within a time-out of 30 s for each file, a line of 135 kB a second takes that."""

ENCODED = frozenset({"required-items"})
"""Metadata that is percent-encoded by whoever makes it, since it is a list: providers keep it as it is."""

_BAD_SEGMENTS = frozenset({"", ".", ".."})
# Neither XML, in which S3 is told what to delete, nor a header, nor a log can hold these.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class StorageSettings:
	"""What CDN Settings say of the storage, secrets included; they stay out of its repr."""

	provider: str
	endpoint_url: str = ""
	region: str = ""
	bucket_name: str = ""
	access_key: str = field(default="", repr=False)
	secret_key: str = field(default="", repr=False)
	cdn_base_url: str = ""
	local_path: str = ""
	video_folders: tuple[str, ...] = paths.FILMS
	local_meta: str = ""
	gate_url: str = ""


class FileBody(NamedTuple):
	"""A file on disk whose content is uploaded piece by piece. `stamp` is what `stamp_of` said when its digest was
	made: a file that was written to since must not be uploaded under that digest."""

	location: str
	size: int
	stamp: str


class Film(NamedTuple):
	"""An object in the video folders, and the fragment (such as #t=30) of the link that leads to it."""

	key: str
	fragment: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
	"""One object to write. `metadata` is plain text with lower-case ASCII names; the provider encodes it."""

	path: str
	body: bytes | FileBody
	cache_control: str
	metadata: Mapping[str, str] = field(default_factory=dict)
	content_type: str = JSON

	@property
	def size(self) -> int:
		return self.body.size if isinstance(self.body, FileBody) else len(self.body)

	@contextmanager
	def opened(self) -> Iterator[BinaryIO]:
		"""The body, to be read. Raises StorageUnavailableError if a file has changed since the upload was planned: the
		next try plans again."""
		if not isinstance(self.body, FileBody):
			yield io.BytesIO(self.body)
			return
		try:
			file = open(self.body.location, "rb")
		except OSError as error:
			raise self._changed() from error
		with file:
			if stamp_of(os.fstat(file.fileno())) != self.body.stamp:
				raise self._changed()
			yield file
			if stamp_of(os.fstat(file.fileno())) != self.body.stamp:
				raise self._changed()

	def _changed(self) -> StorageUnavailableError:
		name = os.path.basename(self.body.location) if isinstance(self.body, FileBody) else ""
		return StorageUnavailableError(
			f"{name!r}, the file for {self.path}, was changed or deleted while it was published; it is tried again"
		)


def stamp_of(status: os.stat_result) -> str:
	"""What changes whenever a file is written to."""
	return f"{status.st_mtime_ns}-{status.st_size}"


@dataclass(frozen=True, slots=True)
class StoredObject:
	"""What a storage says of an object. `list` fills path, etag, size and modified only."""

	path: str
	etag: str
	size: int
	content_type: str = ""
	cache_control: str = ""
	metadata: Mapping[str, str] = field(default_factory=dict)
	modified: datetime | None = None


class Storage(ABC):
	"""Whole objects under paths; see the module's docstring for what is promised."""

	name: str  # the provider, as CDN Settings call it
	threads: int  # how many calls at once make sense
	writers: int  # how many `put` at once do, at most
	target: str  # where files go, as messages name it: without secrets, and no two places alike
	address: str = ""  # where the storage itself would serve files to the public, if it were let; "" nowhere

	@property
	def at_once(self) -> int:
		"""How many `put` at once make sense now."""
		return self.writers

	@abstractmethod
	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		"""Write an object whole and return its ETag (without quotes). With `if_match` only over the object
		that has that ETag, with `if_absent` only where there is none: else PreconditionFailedError."""

	def get(self, path: str) -> bytes | None:
		"""The object's body, None when there is none."""
		found = self.read(path)
		return found[0] if found else None

	@abstractmethod
	def read(self, path: str) -> tuple[bytes, str] | None:
		"""The object's body and its ETag, which belong together; None when there is no object."""

	@abstractmethod
	def head(self, path: str) -> StoredObject | None:
		"""What is known of the object without reading it, None when there is none."""

	@abstractmethod
	def delete(self, paths: Iterable[str]) -> None:
		"""Remove the objects, in as few requests as there can be; one that is missing is fine.

		Where some are refused, the others are removed all the same; the StorageError says by `remaining` which may
		still be there.
		"""

	@abstractmethod
	def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
		"""Every object whose path begins with `prefix` and comes after `after`, in the order of the paths'
		UTF-8 bytes. Reads page by page as it is iterated."""

	def film(self, link: str) -> Film | None:
		"""The object in this storage's video folders that a link leads to; None for any other link, and where the storage
		does not know its own addresses."""
		return None

	def sign(self, link: str, until: datetime, *, since: datetime | None = None) -> str | None:
		"""A URL that reads the film behind `link` without credentials until `until`; None when the link does not
		lead into this storage's video folders, or the storage cannot sign.

		The same link, `until` and `since` always give the same URL, so builders that round `until` down to
		a common window write the same bytes. `since`, when the signature begins, is 24 hours before
		`until` unless given.
		"""
		return None

	def sign_path(self, path: str, until: datetime, *, since: datetime | None = None) -> str | None:
		"""`sign` for any object, by its path: for the connection test, which signs a file of its own. None when the
		storage cannot sign."""
		return None

	def close(self) -> None:  # noqa: B027 (most have nothing to let go of)
		"""Let go of connections; the storage cannot be used afterwards."""

	def __enter__(self) -> Storage:
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.close()


def check_path(path: str) -> str:
	"""The path itself, when every provider can hold it; else StorageError says why not.

	Segments "." and ".." are refused although S3 allows them: HTTP clients and CDNs remove them.
	"""
	if not path:
		raise StorageError("A stored file needs a path; this one is empty.")
	if _UNPRINTABLE.search(path):
		raise StorageError(
			f"The path {path!r} cannot be stored: it holds a control character or half of one."
		)
	if not _BAD_SEGMENTS.isdisjoint(path.split("/")):
		raise StorageError(
			f"The path {path!r} cannot be stored: it must not begin or end with a slash, nor hold an empty "
			"part, '.' or '..' between slashes."
		)
	if len(path.encode()) > MAX_PATH_BYTES:
		raise StorageError(
			f"The path {path[:60]!r}… cannot be stored: it has {len(path.encode())} bytes, "
			f"{MAX_PATH_BYTES} are allowed."
		)
	return path
