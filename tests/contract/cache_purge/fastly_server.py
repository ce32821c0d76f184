"""Fastly's API as documented, as far as purging goes, with its limits enforced.

POST /service/{id}/purge {"surrogate_keys": [...]}: at most 256 keys. POST /purge/{host}/{path}?{query}: one URL.
POST /service/{id}/purge_all. All behind `Fastly-Key`; `Fastly-Soft-Purge: 1` marks stale what the others throw away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from memora.tests.helpers.faulty_server import Answer, FaultyServer, Request
from tests.contract.cache_purge.edge import Edge

SERVICE = "SU1Z0isxPaozGVKXdv0eY"
TOKEN = "a-fastly-token_that-must-never-show"


@dataclass
class Fastly:
	edge: Edge = field(default_factory=Edge)
	left: int = 10**6  # purges that the account may make yet
	batches: list[int] = field(default_factory=list)
	soft: list[bool] = field(default_factory=list)

	def serve(self, server: FaultyServer) -> None:
		"""Answer what comes to the server."""
		server.by_rule(self._answer)

	def _answer(self, request: Request) -> Answer:
		if request.headers.get("fastly-key") != TOKEN:
			return _said(401, "Provided credentials are missing or invalid")
		path, _, query = request.path.partition("?")
		keys = self._keys(request, path, query)
		if isinstance(keys, Answer):
			return keys
		if len(keys) > self.left:
			return Answer(429, b'{"msg": "Rate limit exceeded"}', {"Content-Type": "application/json"})
		self.left -= len(keys)
		self.batches.append(len(keys))
		self.soft.append(request.headers.get("fastly-soft-purge") == "1")
		for kind, key in keys:
			if kind == "all":
				self.edge.forget_all()
			elif kind == "tag":
				self.edge.forget_tag(key)
			else:
				self.edge.forget_url(key)
		return _said(200, "ok")

	def _keys(self, request: Request, path: str, query: str) -> list[tuple[str, str]] | Answer:
		if request.method != "POST":
			return _said(405, "Method not allowed")
		if path.startswith("/purge/"):
			url = f"https://{path.removeprefix('/purge/')}" + (f"?{query}" if query else "")
			if urlsplit(url).hostname != "cdn.example.com":
				return _said(400, "Not a domain of this service")
			return [("url", url)]
		if not path.startswith(f"/service/{SERVICE}/"):
			return _said(404, "Record not found")
		if path == f"/service/{SERVICE}/purge_all":
			return [("all", "")]
		tags = json.loads(request.body)["surrogate_keys"]
		if not 0 < len(tags) <= 256 or any(" " in tag or "," in tag for tag in tags):
			return _said(400, "Surrogate-Keys exceed the maximum of 256 keys")
		return [("tag", tag) for tag in tags]


def _said(status: int, msg: str) -> Answer:
	body = json.dumps({"status": "ok"} if status == 200 else {"msg": msg}).encode()
	return Answer(status, body, {"Content-Type": "application/json"})
