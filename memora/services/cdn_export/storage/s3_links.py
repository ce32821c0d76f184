"""Links into a bucket: which key one leads to, and a URL that reads it without credentials.

The signature is AWS Signature Version 4 in the query, made here: botocore's own presigning takes 0.25 ms a
URL and the present moment; here it is any moment, so that all builders within a renewal window make the same
bytes. The tests hold it against botocore's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes, urlsplit

from memora.exceptions import StorageError
from memora.services.cdn_export.storage.base import check_path

LONGEST = timedelta(days=7)  # what Signature Version 4 allows
USUAL = timedelta(hours=24)  # the longest that CDN Settings offer

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WEB_ADDRESS = re.compile(
	r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/", re.IGNORECASE
)  # www.youtube.com/…, untyped scheme
_AWS_HOST = re.compile(
	r"(?:(?P<bucket>.+)\.)?s3(?:-website)?(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?"
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Link:
	"""The key that a link leads to, and its fragment (such as #t=30), which no server ever sees."""

	key: str
	fragment: str = ""


class Links:
	"""Recognises links into one bucket: path style, virtual style, custom domain, s3:// and bare key."""

	def __init__(self, bucket: str, endpoint: str, base_url: str, is_aws: bool) -> None:
		self._bucket = bucket
		self._is_aws = is_aws
		self._endpoint = _host_and_port(endpoint)
		self._base = _host_and_port(base_url) if base_url else None
		self._base_path = urlsplit(base_url).path.rstrip("/") + "/"

	def find(self, link: str) -> Link | None:
		"""The key that a link leads to, None when it leads elsewhere."""
		link = link.strip()
		if link.startswith("s3://"):
			bucket, _, key = link[5:].partition("/")
			return _checked(key) if bucket == self._bucket else None
		if link.startswith("//"):
			link = f"https:{link}"
		if link.lower().startswith(("http://", "https://")):
			return self._of_url(link)
		if link.startswith("/") or _SCHEME.match(link) or _WEB_ADDRESS.match(link):
			return None
		return _checked(link)

	def _of_url(self, link: str) -> Link | None:
		try:
			parts = urlsplit(link)
			host = _host_and_port(link)
		except ValueError:
			return None
		path = self._path_in_bucket(host, parts.path)
		if path is None:
			return None
		try:
			key = unquote_to_bytes(path).decode()
		except UnicodeDecodeError:
			return None
		return _checked(key, f"#{parts.fragment}" if parts.fragment else "")

	def _path_in_bucket(self, host: tuple[str, int], path: str) -> str | None:
		if host == self._base:
			return path.removeprefix(self._base_path) if path.startswith(self._base_path) else None
		in_path = f"/{self._bucket}/"
		name, port = host
		if host == self._endpoint:
			return path.removeprefix(in_path) if path.startswith(in_path) else None
		if host == (f"{self._bucket}.{self._endpoint[0]}", self._endpoint[1]):
			return path.removeprefix("/")
		amazon = _AWS_HOST.fullmatch(name) if self._is_aws and port in _PORTS.values() else None
		if amazon and amazon["bucket"] == self._bucket:
			return path.removeprefix("/")
		if amazon and not amazon["bucket"] and path.startswith(in_path):
			return path.removeprefix(in_path)
		return None


class Presigner:
	"""Signs reading of a bucket's objects."""

	def __init__(
		self, endpoint: str, bucket: str, region: str, access_key: str, secret_key: str, *, virtual: bool
	) -> None:
		scheme, host = endpoint.split("://", 1)
		self._host = f"{bucket}.{host}" if virtual else host
		self._root = "/" if virtual else f"/{bucket}/"
		self._origin = f"{scheme}://{self._host}"
		self.root = f"{self._origin}{self._root}".rstrip("/")
		# The secret stays in here, where no dump of an object's fields shows it.
		self._window = lru_cache(maxsize=8)(
			lambda since, until: _window(since, until, region, access_key, secret_key)
		)

	def url(self, key: str, until: datetime, since: datetime | None = None) -> str:
		"""A URL that reads the key from `since` (24 h before `until`, if not given) to `until`."""
		query, to_sign, signing_key = self._window(since or until - USUAL, until)
		path = quote(f"{self._root}{key}", safe="/~")
		request = f"GET\n{path}\n{query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
		digest = hashlib.sha256(request.encode()).hexdigest()
		signature = _hmac(signing_key, f"{to_sign}\n{digest}").hex()
		return f"{self._origin}{path}?{query}&X-Amz-Signature={signature}"


def _checked(key: str, fragment: str = "") -> Link | None:
	try:
		return Link(check_path(key), fragment)
	except StorageError:
		return None


def _host_and_port(url: str) -> tuple[str, int]:
	parts = urlsplit(url)
	scheme = parts.scheme.lower()
	return parts.hostname or "", parts.port or _PORTS.get(scheme, 0)


def _window(
	since: datetime, until: datetime, region: str, access_key: str, secret_key: str
) -> tuple[str, str, bytes]:
	"""What all URLs of one window have in common: the query, how the text to sign begins, and the key to sign with."""
	begins = since.astimezone(timezone.utc).replace(microsecond=0)
	life = int((until - begins).total_seconds())
	if not 1 <= life <= LONGEST.total_seconds():
		raise StorageError(
			f"Links cannot be signed for {life} seconds: 1 second to 7 days is what Signature Version 4 allows. "
			"Mend Signed URL Expiry in CDN Settings."
		)
	stamp = f"{begins:%Y%m%dT%H%M%SZ}"
	scope = f"{stamp[:8]}/{region}/s3/aws4_request"
	query = (
		"X-Amz-Algorithm=AWS4-HMAC-SHA256"
		f"&X-Amz-Credential={quote(f'{access_key}/{scope}', safe='')}"
		f"&X-Amz-Date={stamp}&X-Amz-Expires={life}&X-Amz-SignedHeaders=host"
	)
	return query, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}", _signing_key(secret_key, stamp[:8], region)


def _signing_key(secret_key: str, day: str, region: str) -> bytes:
	key = f"AWS4{secret_key}".encode()
	for part in (day, region, "s3", "aws4_request"):
		key = _hmac(key, part)
	return key


def _hmac(key: bytes, text: str) -> bytes:
	return hmac.digest(key, text.encode(), "sha256")
