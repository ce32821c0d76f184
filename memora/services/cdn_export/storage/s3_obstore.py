"""The quick way to an S3 server: obstore (Rust's `object_store`), at a tenth of the processor time that botocore takes.

It tries once, and answers None unless all went well: whatever else there is, from a wrong key to a busy server, is
`s3_api`'s to try again and to explain. So a caller meets no other error and no other promise than botocore's.

Two things of obstore's that this module holds back:

- It obeys variables of the machine that are called AWS_…. Those that matter are answered by explicit settings. Two
  cannot be (`UNANSWERED`): where one is set, obstore is not used.
- Its threads do not survive a fork: a call in the child would wait for ever. A process whose parent has used obstore
  before the fork never does.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from memora.services.cdn_export.storage import s3_settings
from memora.services.cdn_export.storage.base import Upload

if TYPE_CHECKING:
	from obstore import PutMode

T = TypeVar("T")

LARGEST = 1_000_000  # bytes of a body; what is larger has as long as it takes, which only botocore's time-outs allow
PATIENCE = 3  # failures one after the other, after which it rests, and all is botocore's
REST_SECONDS = 60.0

UNANSWERED = ("AWS_CHECKSUM_ALGORITHM", "AWS_SERVER_SIDE_ENCRYPTION")
"""Variables that obstore obeys and no setting overrides."""

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
"""Variables, in small letters or large, that the two clients understand differently, with `no_proxy`."""

_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_BUSY = (429, 500, 502, 503, 504)
_LOST = (304, 412)

_HINDERING = (*UNANSWERED, *PROXIES, *map(str.upper, PROXIES))

_started_in: list[int] = []  # the process in which obstore's threads run, since its first call


class Lost(Exception):
	"""A conditional write that lost, and has changed nothing."""


class Busy(Exception):
	"""The server wants fewer requests, or has a fault of its own."""


class Obstore:
	"""Small objects of one bucket, each written or read by one request. May be used by several threads.

	`etag_of` asks another client for the ETag of the object at a path, None if there is none.
	"""

	def __init__(
		self, place: s3_settings.Place, connections: int, etag_of: Callable[[str], str | None]
	) -> None:
		import obstore  # before any thread may fork

		self._obstore = obstore
		self._etag_of = etag_of
		self._has_other_etags = False
		self._is_hindered = any(map(os.environ.get, _HINDERING))
		self._place = place
		self._connections = connections
		self._lock = threading.Lock()
		self._store: Any = None
		self._failures = 0
		self._rests_until = 0.0

	def is_usable(self) -> bool:
		"""Whether it is worth a try: not in the child of a process that has used obstore, nor where a variable of the
		machine's would be obeyed, nor after failures one after the other. Asked several times for each file."""
		is_child = bool(_started_in) and _started_in[0] != os.getpid()
		return not (is_child or self._is_hindered) and monotonic() >= self._rests_until

	def takes(self, upload: Upload) -> bool:
		"""Whether `put` is worth a try with this object."""
		return isinstance(upload.body, bytes) and len(upload.body) <= LARGEST and self.is_usable()

	def put(
		self, upload: Upload, headers: dict[str, str], *, if_match: str | None, if_absent: bool
	) -> str | None:
		"""Write an object under these headers; its ETag, or None for a failure, after which it may be written or not.

		Raises Lost for a condition that does not hold, Busy for a server that wants a pause.
		"""
		mode: PutMode = "create" if if_absent else "overwrite"
		if if_match is not None:
			mode = {"e_tag": f'"{if_match}"'}  # it takes no None for a version
		is_conditional = if_absent or if_match is not None
		return self._tried(self._write, upload.path, upload.body, headers, mode, on_condition=is_conditional)

	def read(self, path: str) -> tuple[bytes, str] | None:
		"""An object's body and ETag; None for a failure, and where there is no object. Raises Busy as `put` does."""
		return self._tried(self._read, path)

	def _write(self, path: str, body: bytes, headers: dict[str, str], mode: PutMode) -> str | None:
		answer = self._obstore.put(
			self._open(), path, body, attributes=headers, mode=mode, use_multipart=False
		)
		etag = (answer["e_tag"] or "").strip('"')
		return etag if etag and self._is_of(body, etag, path) else None

	def _read(self, path: str) -> tuple[bytes, str] | None:
		answer = self._obstore.get(self._open(), path)
		body, etag = answer.bytes().to_bytes(), (answer.meta["e_tag"] or "").strip('"')
		return (body, etag) if etag and self._is_of(body, etag, path) else None

	def _is_of(self, body: bytes, etag: str, path: str) -> bool:
		"""Whether the server that keeps the object has given it this ETag. obstore follows some redirects, and another
		server's page has one as well. Most servers say the body's MD5; of others one object is looked up."""
		if self._has_other_etags or etag == hashlib.md5(body, usedforsecurity=False).hexdigest():
			return True
		self._has_other_etags = self._etag_of(path) == etag
		return self._has_other_etags

	def _tried(self, call: Callable[..., T], *arguments: Any, on_condition: bool = False) -> T | None:
		if not _started_in:
			_started_in.append(os.getpid())
		try:
			found = call(*arguments)
		except (self._obstore.exceptions.BaseError, OSError, ValueError) as error:
			said = _STATUS.search(str(error))
			status = int(said[1]) if said else 0
		else:
			if found is not None:
				self._failures = 0
				return found
			status = 0
		if status in _LOST and on_condition:
			raise Lost
		if status != 404:
			self._failures += 1
		if self._failures >= PATIENCE:
			self._failures, self._rests_until = 0, monotonic() + REST_SECONDS
		if status in _BUSY:
			raise Busy
		return None

	def close(self) -> None:
		"""Let go of connections."""
		self._store = None

	def _open(self) -> Any:
		if self._store is None:
			with self._lock:
				self._store = self._store or _store(self._place, self._connections)
		return self._store


def _store(place: s3_settings.Place, connections: int) -> Any:
	from obstore.store import S3Store

	address = s3_settings.address(place)
	scheme, host = address.split("://", 1)
	keys = {
		"access_key_id": place.access_key,
		"secret_access_key": place.secret_key,
		"token": None,
		"expires_at": None,
	}
	return S3Store(
		place.bucket,
		config={
			"aws_endpoint_url_s3": f"{scheme}://{place.bucket}.{host}" if place.virtual else address,
			"virtual_hosted_style_request": place.virtual,
			"region": place.region,
			"conditional_put": "etag",
			"skip_signature": False,
			"unsigned_payload": False,
			"request_payer": False,
			"s3_express": False,
		},
		credential_provider=lambda: keys,  # type: ignore[arg-type]
		client_options={
			"allow_http": scheme == "http",
			"connect_timeout": timedelta(seconds=s3_settings.CONNECT_SECONDS),
			"timeout": timedelta(seconds=s3_settings.READ_SECONDS),
			"pool_max_idle_per_host": str(connections),
		},
		retry_config={"max_retries": 0},
	)
