"""Cloudflare's API as documented, as far as purging goes, with its limits enforced.

POST /zones/{zone}/purge_cache {"files": [...]}: at most `per_call` URLs a call, `per_second` URLs a second
(a token bucket, whose capacity is one second's), `calls` calls of any kind in five minutes; 429 with
Retry-After beyond that. URLs must be of the zone's host. {"tags": [...]} and {"hosts": [...]}: 100 a call, 25 calls at
once on the Free plan. GET /user/tokens/verify tells a token's state.
"""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from memora.tests.helpers.faulty_server import Answer, FaultyServer, Request
from tests.contract.cache_purge.edge import Edge

ZONE = "0123456789abcdef0123456789abcdef"
TOKEN = "a-token_that-must-never-show"
HOST = "cdn.example.com"


@dataclass
class Cloudflare:
	"""What the account allows, and what has been purged."""

	per_call: int = 100
	per_second: float = 800
	calls: int = 1200
	tokens: dict[str, str] = field(default_factory=lambda: {TOKEN: "active"})
	may_purge: set[str] = field(default_factory=lambda: {TOKEN})
	account_owned: bool = False
	purged: list[str] = field(default_factory=list)
	batches: list[int] = field(default_factory=list)
	refused: int = 0
	edge: Edge = field(default_factory=Edge)
	tag_calls: int = 25
	_called: deque[float] = field(default_factory=deque)
	_left: float = math.nan
	_left_at: float = 0.0

	def serve(self, server: FaultyServer) -> None:
		"""Answer what comes to the server."""
		server.by_rule(self._answer)

	def _answer(self, request: Request) -> Answer:
		now = monotonic()
		while self._called and self._called[0] <= now - 300:
			self._called.popleft()
		if len(self._called) >= self.calls:
			return self._too_many(self._called[0] + 300 - now)
		self._called.append(now)
		token = request.headers.get("authorization", "").removeprefix("Bearer ")
		if request.path == "/user/tokens/verify" and request.method == "GET":
			return self._verify(token)
		if request.method != "POST" or not request.path.endswith("/purge_cache"):
			return _error(404, 7003, "Could not route to that, perhaps your object identifier is invalid?")
		if request.path != f"/zones/{ZONE}/purge_cache":
			return _error(
				404, 7003, "Could not route to that zone, perhaps your object identifier is invalid?"
			)
		if token not in self.may_purge or self.tokens.get(token) != "active":
			return _error(403, 10000, "Authentication error")
		return self._purge(json.loads(request.body), now)

	def _verify(self, token: str) -> Answer:
		if token not in self.tokens or self.account_owned:
			return _error(401, 1000, "Invalid API Token")
		return _answer(200, {"success": True, "result": {"id": "x", "status": self.tokens[token]}})

	def _purge(self, body: dict, now: float) -> Answer:
		if "files" not in body:
			return self._purge_otherwise(body)
		urls = body["files"]
		if not urls or len(urls) > self.per_call:
			return _error(400, 1016, f"You may purge at most {self.per_call} URLs in one call.")
		if any(urlsplit(url).hostname != HOST or not url.isascii() for url in urls):
			return _error(400, 1012, "You may only purge URLs of this zone.")
		if math.isnan(self._left):
			self._left = self.per_second
		else:
			self._left = min(self.per_second, self._left + (now - self._left_at) * self.per_second)
		self._left_at = now
		if len(urls) > self._left:
			return self._too_many((len(urls) - self._left) / self.per_second)
		self._left -= len(urls)
		self.purged += urls
		for url in urls:
			self.edge.forget_url(url)
		self.batches.append(len(urls))
		return _answer(200, {"success": True, "errors": [], "messages": [], "result": {"id": ZONE}})

	def _purge_otherwise(self, body: dict) -> Answer:
		((kind, keys),) = body.items()
		if kind not in ("tags", "hosts") or not 0 < len(keys) <= 100:
			return _error(400, 1094, "You may purge at most 100 tags or hosts in one call.")
		if kind == "hosts" and keys != [HOST]:
			return _error(400, 1012, "You may only purge hosts of this zone.")
		if self.tag_calls < 1:  # the Free plan's: five a minute
			return self._too_many(12)
		self.tag_calls -= 1
		self.batches.append(len(keys))
		for key in keys:
			if kind == "tags":
				self.edge.forget_tag(key)
			else:
				self.edge.forget_all()
		return _answer(200, {"success": True, "errors": [], "messages": [], "result": {"id": ZONE}})

	def _too_many(self, wait: float) -> Answer:
		self.refused += 1
		answer = _error(429, 10429, "More than the allowed number of requests.")
		return Answer(answer.status, answer.body, {**answer.headers, "Retry-After": str(math.ceil(wait))})


def _error(status: int, code: int, message: str) -> Answer:
	return _answer(status, {"success": False, "errors": [{"code": code, "message": message}], "result": None})


def _answer(status: int, body: dict) -> Answer:
	return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
