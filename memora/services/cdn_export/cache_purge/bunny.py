"""Bunny's cache, purged by tag (POST /pullzone/{id}/purgeCache) or by URL (POST /purge): one a call.

An account may purge 120 URLs at once and then five a second; beyond that the API answers 429. Whatever is left then is
handed to the caller. Bunny knows the tags of the header `CDN-Tag` alone: what serves the objects must send it (docs/cdn.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from requests.utils import requote_uri

from memora.services.cdn_export.cache_purge.keyed import KeyedPurge, Refusal
from memora.services.cdn_export.cache_purge.orders import Kind
from memora.services.cdn_export.cache_purge.web_api import WebApi, unfit

API = "https://api.bunny.net"
WHOLE_ABOVE = 300
"""A minute's worth of the account's purges."""

_ZONE = re.compile(r"[0-9]{1,12}")
_FIX = "Check Pull Zone ID in CDN Settings, and that Account API Key is the account's, not that of a storage zone."


class BunnyPurge(KeyedPurge):
	"""One pull zone's cache."""

	name = "Bunny"
	per_call: Mapping[Kind, int] = {"tag": 1, "url": 1, "all": 1}
	whole_above = WHOLE_ABOVE

	def __init__(self, pull_zone: str, key: str, by_tag: bool = False, api: str = API) -> None:
		super().__init__(by_tag)
		self.place = pull_zone.strip()
		self._key = key.strip()
		self._api = WebApi(api, self.name, "AccessKey", self._key, _FIX)

	def _unusable(self) -> str:
		if not _ZONE.fullmatch(self.place):
			return (
				f"The Bunny pull zone is {self.place!r}, but must be a number (not its name). Copy it from the pull"
				" zone's page into CDN Settings, Pull Zone ID."
			)
		if not self._key or unfit(self._key):
			return "The Bunny API key is missing, or holds what no key has. Enter it in CDN Settings, Account API Key."
		return ""

	def _send(self, kind: Kind, keys: Sequence[str]) -> Refusal | str:
		(key,) = keys
		if kind == "url":
			return self._api.post("/purge", params={"url": requote_uri(key), "async": "false"})
		return self._api.post(
			f"/pullzone/{self.place}/purgeCache", body={"CacheTag": key} if kind == "tag" else None
		)
