"""Fastly's cache, purged by surrogate key (POST /service/{id}/purge) or by URL (POST /purge/{host}/{path}).

A call takes up to 256 keys, or one URL. Purges are soft: what was cached is stale, and is asked for again before it is sent.
Objects carry their tags as `x-amz-meta-cache-tag`; the service must copy them to `Surrogate-Key` (docs/cdn.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from requests.utils import requote_uri

from memora.services.cdn_export.cache_purge.keyed import KeyedPurge, Refusal
from memora.services.cdn_export.cache_purge.orders import Kind
from memora.services.cdn_export.cache_purge.web_api import WebApi, unfit

API = "https://api.fastly.com"
KEYS = 256
WHOLE_ABOVE = 1_000
_SERVICE = re.compile(r"[A-Za-z0-9]{10,40}")
_SOFT = {"Fastly-Soft-Purge": "1"}
_FIX = (
	"Check Service ID and Fastly API Token in CDN Settings: the token must be for this service, with the scope purge_select, and"
	" purge_all for all of it."
)


class FastlyPurge(KeyedPurge):
	"""One service's cache."""

	name = "Fastly"
	per_call: Mapping[Kind, int] = {"tag": KEYS, "url": 1, "all": 1}
	whole_above = WHOLE_ABOVE

	def __init__(self, service: str, token: str, by_tag: bool = False, api: str = API) -> None:
		super().__init__(by_tag)
		self.place = service.strip()
		self._token = token.strip()
		self._api = WebApi(api, self.name, "Fastly-Key", self._token, _FIX)

	def _unusable(self) -> str:
		if not _SERVICE.fullmatch(self.place):
			return (
				f"The Fastly service id is {self.place!r}, but has only letters and digits. Copy it from the service's"
				" page into CDN Settings, Service ID."
			)
		if not self._token or unfit(self._token):
			return "The Fastly API token is missing, or holds what no token has. Enter it in CDN Settings, Fastly API Token."
		return ""

	def _send(self, kind: Kind, keys: Sequence[str]) -> Refusal | str:
		if kind == "all":  # Fastly knows no soft purge of a whole service
			return self._api.post(f"/service/{self.place}/purge_all")
		if kind == "tag":
			return self._api.post(
				f"/service/{self.place}/purge", body={"surrogate_keys": list(keys)}, headers=_SOFT
			)
		(url,) = keys
		parts = urlsplit(requote_uri(url))
		query = f"?{parts.query}" if parts.query else ""
		return self._api.post(f"/purge/{parts.netloc}{parts.path}{query}", headers=_SOFT)
