"""AWS S3, and servers that speak its protocol.

Small objects go by obstore (`s3_obstore`), which is quick and tries once. All else, and whatever obstore does not bring to
a good end, is botocore's (`s3_api`), which is loaded only then.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from time import monotonic
from time import sleep as pause
from typing import TYPE_CHECKING
from urllib.parse import quote

from memora.exceptions import PreconditionFailedError, StorageError
from memora.services.cdn_export.storage import s3_settings
from memora.services.cdn_export.storage.base import (
	ENCODED,
	Film,
	Storage,
	StorageSettings,
	StoredObject,
	Upload,
	check_path,
)
from memora.services.cdn_export.storage.s3_flow import Flow
from memora.services.cdn_export.storage.s3_links import Links, Presigner
from memora.services.cdn_export.storage.s3_obstore import Busy, Lost, Obstore

if TYPE_CHECKING:
	from memora.services.cdn_export.storage.s3_api import S3Api

BUSY_PAUSE = (0.5, 1.0)
"""Seconds, between which a pause is drawn before botocore tries again at a server that is busy."""

# These may be in a metadata value as they are. Everything else, "%" included, is percent-encoded UTF-8,
# since a header holds ASCII only and HTTP trims and joins white space.
_PLAIN = "!#$&'()*+,/:;=?@[]~"


class S3Storage(Storage):
	"""A bucket reached through the S3 protocol."""

	name = "AWS S3"
	threads = 32
	writers = 128

	def __init__(self, settings: StorageSettings) -> None:
		place = self._place = self._place_of(settings)
		self._secrets = (settings.access_key.strip(), settings.secret_key.strip())
		self._lock = threading.Lock()
		self._loaded: S3Api | None = None
		self._obstore = Obstore(place, self.writers, self._etag_of)
		self._flow = Flow(self.writers)
		url = s3_settings.address(place)
		self.target = f"{self.name}|{url}|{place.bucket}"
		self._links = Links(
			place.bucket, url, settings.cdn_base_url, place.is_aws, settings.video_folders, settings.gate_url
		)
		self._presigner = Presigner(
			url,
			place.bucket,
			place.region,
			place.access_key,
			place.secret_key,
			virtual=place.virtual,
		)
		self.address = self._presigner.root
		self._seen: dict[str, bool] = {}

	def _place_of(self, settings: StorageSettings) -> s3_settings.Place:
		return s3_settings.aws(settings)

	@property
	def _api(self) -> S3Api:
		"""botocore's way, loaded when it is first needed."""
		if self._loaded is None:
			from memora.services.cdn_export.storage.s3_api import S3Api

			with self._lock:
				self._loaded = self._loaded or S3Api(self._place, self._secrets, self.writers)
		return self._loaded

	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		check_path(upload.path)
		metadata = {
			name: value if name in ENCODED else quote(value, safe=_PLAIN)
			for name, value in upload.metadata.items()
		}
		began, since = self._flow.begin(), monotonic()
		is_well = False
		try:
			etag = self._put(upload, metadata, if_match, if_absent)
			is_well = True
			return etag
		except PreconditionFailedError:
			is_well = True
			raise
		finally:
			self._flow.end(began, seconds=monotonic() - since, is_well=is_well)

	def _put(self, upload: Upload, metadata: dict[str, str], if_match: str | None, if_absent: bool) -> str:
		tried = self._obstore.takes(upload)
		if tried:
			headers = {"Content-Type": upload.content_type, "Cache-Control": upload.cache_control, **metadata}
			try:
				if etag := self._obstore.put(upload, headers, if_match=if_match, if_absent=if_absent):
					return etag
			except Lost:
				raise s3_settings.lost(self._place, upload.path) from None
			except Busy:
				pause(random.uniform(*BUSY_PAUSE))
		return self._api.put(upload, metadata, if_match=if_match, if_absent=if_absent, again=tried)

	@property
	def at_once(self) -> int:
		return self._flow.allowed if self._obstore.is_usable() else min(self._flow.allowed, self.threads)

	def read(self, path: str) -> tuple[bytes, str] | None:
		check_path(path)
		if self._obstore.is_usable():
			try:
				if found := self._obstore.read(path):
					return found
			except Busy:
				pause(random.uniform(*BUSY_PAUSE))
		return self._api.read(path)

	def _etag_of(self, path: str) -> str | None:
		found = self._api.head(path)
		return found.etag if found else None

	def head(self, path: str) -> StoredObject | None:
		return self._api.head(check_path(path))

	def delete(self, paths: Iterable[str]) -> None:
		self._api.delete(paths)

	def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
		yield from self._api.list(prefix, after)

	def film(self, link: str) -> Film | None:
		found = self._links.film(link)
		if found is None:
			return None
		key = found.literal if found.literal and self._is_there(found.literal) else found.key
		return Film(key, found.fragment)

	def sign(self, link: str, until: datetime, *, since: datetime | None = None) -> str | None:
		found = self.film(link)
		return self._presigner.url(found.key, until, since) + found.fragment if found else None

	def sign_path(self, path: str, until: datetime, *, since: datetime | None = None) -> str | None:
		return self._presigner.url(check_path(path), until, since)

	def _is_there(self, key: str) -> bool:
		"""Whether an object is called so, asked once; not where the bucket does not answer."""
		if key not in self._seen:
			try:
				self._seen[key] = self.head(key) is not None
			except StorageError:
				return False
		return self._seen[key]

	def close(self) -> None:
		self._obstore.close()
		if self._loaded:
			self._loaded.close()
