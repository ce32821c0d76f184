"""Cloudflare's cache, purged by URL or by tag through its API (POST /zones/{zone}/purge_cache).

Every plan may purge by tag since April 2025. A call takes 100 tags; the Free plan allows five calls a minute after 25 at
once, and what it refuses is handed to the caller. Cloudflare knows the tags of the header `Cache-Tag` alone (docs/cdn.md).

Its limits by URL, per account: 100 URLs a call (500 on Enterprise), 800 URLs a second on the Free plan, and 1,200
calls of any kind in five minutes, after which all are refused for a while. So calls are paced, a short wait
that Cloudflare asks for is waited out, and a longer one is handed to the caller together with what is left.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import requote_uri

from memora.exceptions import PurgeError
from memora.services.cdn_export.cache_purge import web_api
from memora.services.cdn_export.cache_purge.keyed import PATIENCE, KeyedPurge, Refusal
from memora.services.cdn_export.cache_purge.orders import Kind
from memora.services.cdn_export.cache_purge.web_api import WebApi, answered, unfit

API = "https://api.cloudflare.com/client/v4"
BATCH = 100
LARGEST_BATCH = 500
URLS_PER_SECOND = 800
CALLS = 1200
CALLS_WITHIN = 300.0  # seconds
TAGS = 100  # a call

_ZONE = re.compile(r"[0-9a-f]{32}")
_NO_SUCH_ZONE = {7000, 7003}  # "could not route to …, perhaps your object identifier is invalid"
_NAMES: Mapping[Kind, str] = {"url": "files", "tag": "tags", "all": "hosts"}


class CloudflarePurge(KeyedPurge):
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
		super().__init__(by_tag)
		self.place = zone_id.strip().lower()
		batch = min(batch_size, LARGEST_BATCH) if batch_size > 0 else BATCH
		self.per_call = {"tag": TAGS, "url": batch, "all": 1}
		self._host = urlsplit(base_url).hostname or ""
		self._token = api_token.strip()  # a line end comes along when a token is pasted
		self._api = _Api(api, self.place, self._token)
		self._calls: deque[float] = deque()
		self._free_at = 0.0

	def verify(self, url: str) -> None:
		known = None if self._unusable() else self._api.token_state()
		if known and known != "active":
			raise PurgeError(
				f"The Cloudflare API token is {known}. Make a new one and enter it in CDN Settings, Cloudflare API "
				"Token."
			)
		# Whether the token may purge this zone only a purge can tell: asking for the zone needs more rights.
		super().verify(url)

	def _unusable(self) -> str:
		if not _ZONE.fullmatch(self.place):
			return (
				f"The Cloudflare zone id is {self.place!r}, but must be 32 hexadecimal digits (not the domain). Copy "
				"it from the zone's overview page into CDN Settings, Cloudflare Zone ID."
			)
		if not self._token:
			return "The Cloudflare API token is missing. Enter it in CDN Settings, Cloudflare API Token."
		if unfit(self._token):
			return (
				"The Cloudflare API token holds a space or another character that no token has. Paste it again in "
				"CDN Settings, Cloudflare API Token."
			)
		return ""

	def _send(self, kind: Kind, keys: Sequence[str]) -> Refusal | str:
		wait = self._pace(len(keys))
		if wait > PATIENCE:
			return Refusal(
				f"Cloudflare allows {CALLS} calls in {CALLS_WITHIN / 60:.0f} minutes, and these are used up. The "
				"rest is purged later.",
				retry_after=wait,
			)
		sleep(wait)
		# Of the zone only CDN Base URL's host: it may have others.
		named = [self._host] if kind == "all" else [requote_uri(key) for key in keys]
		return self._api.post(f"/zones/{self.place}/purge_cache", body={_NAMES[kind]: named})

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


class _Api(WebApi):
	"""Cloudflare's API: a token, and answers that say themselves whether they are a success."""

	def __init__(self, url: str, zone: str, token: str) -> None:
		super().__init__(url, CloudflarePurge.name, "Authorization", token, "")
		self._zone = zone

	def token_state(self) -> str | None:
		"""What Cloudflare says of the token; None when it cannot say, as for tokens that an account owns."""
		try:
			response = self._session.get(
				f"{self._url}/user/tokens/verify", timeout=web_api.TIMEOUTS, allow_redirects=False
			)
			return response.json()["result"]["status"]
		except (requests.RequestException, ValueError, KeyError, TypeError):
			return None

	def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
		request.headers[self._header] = f"Bearer {self._key}"
		return request

	def _has_worked(self, response: requests.Response) -> bool:
		return response.status_code == 200 and bool(answered(response).get("success"))

	def _words(self, answer: Mapping[str, Any]) -> str:
		return "; ".join(f"{error.get('code')} {error.get('message')}" for error in _errors(answer))

	def _refusal(self, response: requests.Response) -> Refusal:
		status, said = response.status_code, self._said(response)
		if status == 429 or status >= 500:
			return super()._refusal(response)
		if status == 404 or any(error.get("code") in _NO_SUCH_ZONE for error in _errors(answered(response))):
			return Refusal(
				f"Cloudflare knows no zone {self._zone} ({said}). Fix Cloudflare Zone ID in CDN Settings.",
				final=True,
			)
		if status in (401, 403):
			return Refusal(
				f"Cloudflare does not let this API token purge the zone {self._zone} ({said}). Check Cloudflare API "
				"Token in CDN Settings, and that it has the permission Zone, Cache Purge, Purge for this zone.",
				final=True,
			)
		return Refusal(
			f"Cloudflare does not accept some URLs ({said}). Check that CDN Base URL in CDN Settings is a host of "
			f"the zone {self._zone}, and that URLs per Purge Call is what the plan allows ({BATCH}; Enterprise "
			f"{LARGEST_BATCH}).",
			splits=True,
		)


def _errors(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
	errors = answer.get("errors")
	return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
