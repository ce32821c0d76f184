"""Cloudflare's cache, purged by URL or by tag through its API (POST /zones/{zone}/purge_cache).

Every plan may purge by tag since April 2025. A call takes 100 tags; the Free plan allows five calls a minute after 25 at
once, and what it refuses is handed to the caller. Cloudflare knows the tags of the header `Cache-Tag` alone (docs/cdn.md).

Its limits by URL, per account: 100 URLs a call (500 on Enterprise), 800 URLs a second on the Free plan, and 1,200
calls of any kind in five minutes, after which all are refused for a while. So calls are paced, a short wait
that Cloudflare asks for is waited out, and a longer one is handed to the caller together with what is left.

A call is all or nothing: one URL that Cloudflare does not accept fails the other 99. The call is then halved
until the culprit is alone.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic, sleep
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from requests.utils import requote_uri

from memora.exceptions import PurgeError
from memora.services.cdn_export.cache_purge import orders
from memora.services.cdn_export.cache_purge.base import CachePurge, PurgeResult, Stale

API = "https://api.cloudflare.com/client/v4"
BATCH = 100
LARGEST_BATCH = 500
URLS_PER_SECOND = 800
CALLS = 1200
CALLS_WITHIN = 300.0  # seconds
PATIENCE = 5.0  # seconds; the longest single wait that is worth blocking a worker for
ATTEMPTS = 4  # of one call
PAUSE_AFTER_429 = 60.0  # seconds, where Cloudflare does not say
TIMEOUTS = (5, 30)  # to connect, to answer
TAGS = 100  # a call
HALVINGS = 40  # calls spent in one purge on finding URLs that are not accepted

_ZONE = re.compile(r"[0-9a-f]{32}")
_What = Literal["files", "tags", "hosts"]
_NO_SUCH_ZONE = {7000, 7003}  # "could not route to …, perhaps your object identifier is invalid"


@dataclass(frozen=True, slots=True)
class _Refusal:
	"""Why a call failed. `splits`: the fault may lie with a single URL of it."""

	error: str
	retry_after: float | None = None
	final: bool = False
	splits: bool = False


class CloudflarePurge(CachePurge):
	"""One zone's cache."""

	name = "Cloudflare"

	def __init__(
		self,
		zone_id: str,
		api_token: str,
		batch_size: int = 0,
		api: str = API,
		*,
		by_tag: bool = False,
		base_url: str = "",
	) -> None:
		self._zone = self.place = zone_id.strip().lower()
		self.by_tag = by_tag
		self._host = urlsplit(base_url).hostname or ""
		self._token = api_token.strip()  # a line end comes along when a token is pasted
		self._batch = min(batch_size, LARGEST_BATCH) if batch_size > 0 else BATCH
		self._api = api
		self._session = requests.Session()
		self._session.auth = self._authorise  # not a header, which a .netrc would replace
		self._calls: deque[float] = deque()
		self._free_at = 0.0

	def purge(self, urls: Sequence[str]) -> PurgeResult:
		return self._purge("files", urls, self._batch)

	def forget(self, stale: Sequence[Stale]) -> PurgeResult:
		if not self.by_tag:
			return super().forget(stale)
		wanted = orders.choose(stale, by_tag=True)
		by_tag = self._purge("tags", [order.key for order in wanted if order.kind == "tag"], TAGS)
		by_url = self._purge("files", [order.key for order in wanted if order.kind == "url"], self._batch)
		accepted = {*by_tag.purged, *by_url.purged}
		purged, failed = orders.settled(
			[order for order in wanted if order.key in accepted],
			[order for order in wanted if order.key not in accepted],
		)
		return PurgeResult(
			purged,
			failed,
			max(by_tag.retry_after or 0, by_url.retry_after or 0) or None,
			by_tag.error or by_url.error,
			by_tag.final or by_url.final,
			spent=len(accepted),
		)

	def everything(self) -> PurgeResult:
		"""All of CDN Base URL's host: the zone may have others."""
		result = self._purge("hosts", [self._host], 1)
		return PurgeResult((), (), result.retry_after, result.error, result.final, spent=len(result.purged))

	def _purge(self, what: _What, keys: Sequence[str], size: int) -> PurgeResult:
		wanted = deque(_batches(dict.fromkeys(keys), size))
		purged: list[str] = []
		failed: list[str] = []
		error = self._unusable() if wanted or what == "files" else ""
		stop = _Refusal(error, final=True) if error else None
		halvings = HALVINGS
		while wanted and not stop:
			batch = wanted.popleft()
			refusal = self._call(what, batch)
			if refusal is None:
				purged += batch
			elif refusal.splits and len(batch) > 1 and halvings > 0:
				halvings -= 1
				middle = len(batch) // 2
				wanted.extendleft([batch[middle:], batch[:middle]])
			elif refusal.splits:
				failed += batch
				error = refusal.error
			else:
				failed += batch
				stop = refusal
		for batch in wanted:
			failed += batch
		if stop:
			return PurgeResult(tuple(purged), tuple(failed), stop.retry_after, stop.error, stop.final)
		return PurgeResult(tuple(purged), tuple(failed), error=error)

	def verify(self, url: str) -> None:
		known = None if self._unusable() else self._token_state()
		if known and known != "active":
			raise PurgeError(
				f"The Cloudflare API token is {known}. Make a new one and enter it in CDN Settings, Cloudflare API "
				"Token."
			)
		# Whether the token may purge this zone only a purge can tell: asking for the zone needs more rights.
		result = self.purge([url])
		if result.error:
			raise PurgeError(result.error)

	def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
		request.headers["Authorization"] = f"Bearer {self._token}"
		return request

	def _unusable(self) -> str:
		if not _ZONE.fullmatch(self._zone):
			return (
				f"The Cloudflare zone id is {self._zone!r}, but must be 32 hexadecimal digits (not the domain). Copy "
				"it from the zone's overview page into CDN Settings, Cloudflare Zone ID."
			)
		if not self._token:
			return "The Cloudflare API token is missing. Enter it in CDN Settings, Cloudflare API Token."
		if not self._token.isascii() or not self._token.isprintable() or " " in self._token:
			return (
				"The Cloudflare API token holds a space or another character that no token has. Paste it again in "
				"CDN Settings, Cloudflare API Token."
			)
		return ""

	def _token_state(self) -> str | None:
		"""What Cloudflare says of the token; None when it cannot say, as for tokens that an account owns."""
		try:
			response = self._session.get(
				f"{self._api}/user/tokens/verify", timeout=TIMEOUTS, allow_redirects=False
			)
			return response.json()["result"]["status"]
		except (requests.RequestException, ValueError, KeyError, TypeError):
			return None

	def _call(self, what: _What, batch: Sequence[str]) -> _Refusal | None:
		"""One call, tried again where that helps; None when it worked."""
		for attempt in range(1, ATTEMPTS + 1):
			wait = self._pace(len(batch))
			if wait > PATIENCE:
				return _Refusal(
					f"Cloudflare allows {CALLS} calls in {CALLS_WITHIN / 60:.0f} minutes, and these are used up. The "
					"rest is purged later.",
					retry_after=wait,
				)
			sleep(wait)
			refusal = self._post(what, batch)
			again = refusal and not refusal.final and not refusal.splits
			if not refusal or not again or attempt == ATTEMPTS:
				return refusal
			pause = refusal.retry_after if refusal.retry_after is not None else 0.5 * 2 ** (attempt - 1)
			if pause > PATIENCE:
				return refusal
			sleep(pause)
		return None

	def _pace(self, urls: int) -> float:
		"""Take a place among the calls; the seconds to wait before using it."""
		now = monotonic()
		while self._calls and self._calls[0] <= now - CALLS_WITHIN:
			self._calls.popleft()
		if len(self._calls) >= CALLS:
			return self._calls[0] + CALLS_WITHIN - now
		start = max(now, self._free_at)
		self._free_at = start + urls / URLS_PER_SECOND
		self._calls.append(start)
		return start - now

	def _post(self, what: _What, batch: Sequence[str]) -> _Refusal | None:
		try:
			response = self._session.post(
				f"{self._api}/zones/{self._zone}/purge_cache",
				json={what: [requote_uri(key) for key in batch]},
				timeout=TIMEOUTS,
				allow_redirects=False,
			)
		except requests.RequestException as error:
			return _Refusal(
				f"Cloudflare's API could not be reached ({type(error).__name__}). Check this machine's network; the "
				"purge is tried again."
			)
		try:
			answer = response.json()
		except ValueError:
			answer = {}
		if not isinstance(answer, dict):  # a proxy in between may answer in JSON, too
			answer = {}
		if response.status_code == 200 and answer.get("success"):
			return None
		errors = answer.get("errors")
		listed = errors if isinstance(errors, list) else []
		return self._refusal(response, [error for error in listed if isinstance(error, dict)])

	def _refusal(self, response: requests.Response, errors: list[dict[str, Any]]) -> _Refusal:
		status = response.status_code
		said = (
			"; ".join(f"{error.get('code')} {error.get('message')}" for error in errors) or f"HTTP {status}"
		)
		said = said.replace(self._token, "…")
		if status == 429:
			asked = response.headers.get("Retry-After", "")
			wait = float(asked) if asked.isdigit() else PAUSE_AFTER_429
			return _Refusal(f"Cloudflare asks for fewer purges ({said}). The rest is purged later.", wait)
		if status >= 500:
			return _Refusal(f"Cloudflare's API has a fault ({said}). The purge is tried again.")
		if status == 404 or any(error.get("code") in _NO_SUCH_ZONE for error in errors):
			return _Refusal(
				f"Cloudflare knows no zone {self._zone} ({said}). Fix Cloudflare Zone ID in CDN Settings.",
				final=True,
			)
		if status in (401, 403):
			return _Refusal(
				f"Cloudflare does not let this API token purge the zone {self._zone} ({said}). Check Cloudflare API "
				"Token in CDN Settings, and that it has the permission Zone, Cache Purge, Purge for this zone.",
				final=True,
			)
		return _Refusal(
			f"Cloudflare does not accept some URLs ({said}). Check that CDN Base URL in CDN Settings is a host of "
			f"the zone {self._zone}, and that URLs per Purge Call is what the plan allows ({BATCH}; Enterprise "
			f"{LARGEST_BATCH}).",
			splits=True,
		)


def _batches(urls: dict[str, None], size: int) -> Iterator[list[str]]:
	remaining = iter(urls)
	while batch := list(islice(remaining, size)):
		yield batch
