"""Links into a bucket: which key one leads to, and a URL that reads it without credentials.

The signature is AWS Signature Version 4 in the query, made here: botocore's own presigning takes 0.25 ms a
URL and the present moment; here it is any moment, so that all builders within a renewal window make the same
bytes. The tests hold it against botocore's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from memora.exceptions import StorageError
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.storage.base import StorageSettings, check_path

LONGEST = timedelta(days=7)  # what Signature Version 4 allows
USUAL = timedelta(hours=24)  # the longest that CDN Settings offer

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WEB_ADDRESS = re.compile(
	r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/", re.IGNORECASE
)  # www.youtube.com/…, untyped scheme
# What browsers take for the beginning of an address: any number of slashes, either way.
_ORIGIN = re.compile(r"(?P<scheme>https?):[/\\]*|[/\\]{2,}", re.IGNORECASE)
_PLACE = re.compile("[^?#]*")
_IGNORED = str.maketrans("", "", "\t\r\n")  # by browsers, anywhere in an address
# In a host: the full stop of Chinese, and what is left out (RFC 3454, table B.1).
_IN_HOSTS = {
	0x3002: ".",
	**dict.fromkeys((0xAD, 0x34F, 0x1806, *range(0x180B, 0x180E), *range(0x200B, 0x200E), 0x2060, 0xFEFF)),
	**dict.fromkeys(range(0xFE00, 0xFE10)),
}
_AWS_HOST = re.compile(
	r"(?:(?P<bucket>.+)\.)?s3(?:-(?:website|accelerate|fips|external-1))?(?:\.dualstack)?"
	r"(?:[.-][a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?"
)
_LONGEST_LINK = 8192  # characters; three times a key of the longest in another script, encoded
_USUAL_PORTS = (0, 80, 443)

Host = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Link:
	"""The key that a link leads to, and its fragment (such as #t=30), which no server ever sees.

	`literal` is the other key it may mean, "" if none: S3 reads "+" in a path as a space, and so its console writes
	a space; other servers that speak S3 leave it alone.
	"""

	key: str
	fragment: str = ""
	literal: str = ""


class Links:
	"""Recognises links into one bucket: path style, virtual style, custom domain, s3:// and bare key.

	`films` are the video folders of CDN Settings (`paths.film_folders`), which alone hold films. A gate before the bucket
	has an address of its own.
	"""

	def __init__(
		self,
		bucket: str,
		endpoint: str,
		base_url: str,
		is_aws: bool,
		films: Sequence[str] = paths.FILMS,
		gate_url: str = "",
	) -> None:
		self._bucket = bucket
		self._is_aws = is_aws
		self.films = films
		self._endpoint = _host_and_port(endpoint)
		bases = [
			(_host_and_port(url), _decoded(urlsplit(url).path).rstrip("/") + "/")
			for url in dict.fromkeys((base_url, gate_url))
			if url
		]
		# One may lie below the other, and what is in it is its own.
		self._bases = sorted(bases, key=lambda base: len(base[1]), reverse=True)

	def find(self, link: str) -> Link | None:
		"""The key that a link leads to, None when it leads elsewhere or to what no object can be called."""
		found = self._inside(link)
		if found is None or not _is_key(found.key):
			return None
		return found if _is_key(found.literal) else Link(found.key, found.fragment)

	def film(self, link: str) -> Link | None:
		"""`find`, for a link into the video folders; None for any other. Only these may be signed."""
		found = self.find(link)
		if found is None or not paths.is_film(found.key, self.films):
			return None
		return found if paths.is_film(found.literal, self.films) else Link(found.key, found.fragment)

	def strays(self, link: str) -> bool:
		"""Whether a link leads into the bucket and to no film: to memora's own files, a backup, or out of a folder by
		".." or an empty part."""
		return self._inside(link) is not None and self.film(link) is None

	def passes_cdn_by(self, address: str) -> bool:
		"""Whether a web or s3:// address leads into the bucket itself, not through CDN Base URL."""
		found = list(self._found(address.strip())) if self._may_name_bucket(address) else []
		return bool(found) and all(is_s3 for _, is_s3 in found)

	def _may_name_bucket(self, address: str) -> bool:
		"""Whether the bucket's name is in an address, however it is written. A cheap look before the whole one, since a text
		may hold a hundred thousand addresses."""
		written = unquote(address.translate(_IGNORED))
		if not written.isascii():
			written = unicodedata.normalize("NFKC", written.translate(_IN_HOSTS)).translate(_IN_HOSTS)
		return self._bucket.lower() in written.lower()

	def _inside(self, link: str) -> Link | None:
		"""Where in the bucket a link leads, whether or not an object can be called so; None when it leads elsewhere."""
		return next((found for found, _ in self._found(link.strip())), None)

	def _found(self, link: str) -> Iterator[tuple[Link, bool]]:
		"""`_inside` by each address that the bucket has, and whether S3 itself answers there."""
		if len(link) > _LONGEST_LINK:
			return
		address = link.translate(_IGNORED)
		if address[:5].lower() == "s3://":
			bucket, _, key = address[5:].partition("/")
			if bucket == self._bucket:
				yield Link(key), True
		elif origin := _ORIGIN.match(address):
			place = _PLACE.sub(lambda found: found[0].replace("\\", "/"), address[origin.end() :], count=1)
			yield from self._of_url(f"{origin['scheme'] or 'https'}://{place}")
		elif link and not (link.startswith("/") or _SCHEME.match(address) or _WEB_ADDRESS.match(address)):
			yield Link(link), False

	def _of_url(self, url: str) -> Iterator[tuple[Link, bool]]:
		try:
			parts = urlsplit(url)
			host = _host_and_port(url)
		except ValueError:
			return
		# A browser removes ".." before it asks, a server may do so after.
		for typed in (parts.path, _folded(parts.path)):
			for root, is_s3 in self._roots(host):
				as_read = _decoded(typed.replace("+", " ") if is_s3 else typed)
				if as_read.startswith(root):
					literal = _decoded(typed).removeprefix(root) if is_s3 and "+" in typed else ""
					fragment = f"#{parts.fragment}" if parts.fragment else ""
					yield Link(as_read.removeprefix(root), fragment, literal), is_s3

	def _roots(self, host: Host) -> Iterator[tuple[str, bool]]:
		"""Where the bucket begins in the paths of a host, and whether S3 itself answers there."""
		in_path = f"/{self._bucket}/"
		name, port = host
		if host == self._endpoint:
			yield in_path, True
		if host == (f"{self._bucket}.{self._endpoint[0]}", self._endpoint[1]):
			yield "/", True
		amazon = _AWS_HOST.fullmatch(name) if self._is_aws and port in _USUAL_PORTS else None
		if amazon and amazon["bucket"] == self._bucket:
			yield "/", True
		elif amazon and not amazon["bucket"]:
			yield in_path, True
		for base, root in self._bases:
			if host == base:
				yield root, False


def of_folder(settings: StorageSettings) -> Links:
	"""Recognises links into a Local Directory: bare keys, and addresses below CDN Base URL or the gate's."""
	return Links("", "", settings.cdn_base_url, False, settings.video_folders, settings.gate_url)


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


def _is_key(key: str) -> bool:
	try:
		check_path(key)
	except StorageError:
		return False
	return "\ufffd" not in key  # bytes that are no text


def _decoded(path: str) -> str:
	"""A URL's path decoded, once."""
	return unquote(path, errors="replace")


def _folded(path: str) -> str:
	"""A URL's path as a browser asks for it: without "." and "..", also where they are encoded."""
	kept: list[str] = []
	for segment in path.split("/"):
		plain = segment.lower().replace("%2e", ".")
		if plain == "..":
			del kept[max(1, len(kept) - 1) :]
		elif plain != ".":
			kept.append(segment)
	return "/".join(kept)


def _host_and_port(url: str) -> Host:
	"""A host as DNS has it, and its port, where http and https count as one: 0."""
	parts = urlsplit(url)
	name = unquote(parts.hostname or "").lower()
	with suppress(UnicodeError):
		name = name.encode("idna").decode()
	name = name.rstrip(".")
	port = parts.port or 0
	return name, 0 if port in _USUAL_PORTS else port


def _window(
	since: datetime, until: datetime, region: str, access_key: str, secret_key: str
) -> tuple[str, str, bytes]:
	"""What all URLs of one window have in common: the query, how the text to sign begins, and the key to sign with."""
	begins = since.astimezone(timezone.utc).replace(microsecond=0)
	life = int((until - begins).total_seconds())
	if not 1 <= life <= LONGEST.total_seconds():
		raise StorageError(
			f"Links cannot be signed for {life} seconds: 1 second to 7 days is what Signature Version 4 allows. "
			"Fix Signed URL Expiry in CDN Settings."
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
