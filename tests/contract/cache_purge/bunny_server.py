"""Bunny's API as documented, as far as purging goes, with its limits enforced.

POST /purge?url=…: one URL; POST /pullzone/{id}/purgeCache {"CacheTag": …}: one tag, or all without one. All behind `AccessKey`.
A token bucket of 120 purges, refilled by five a second; 429 beyond that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from memora.tests.helpers.faulty_server import Answer, FaultyServer, Request
from tests.contract.cache_purge.edge import Edge

PULL_ZONE = "123456"
KEY = "a-bunny-key_that-must-never-show"


@dataclass
class Bunny:
	edge: Edge = field(default_factory=Edge)
	left: int = 120  # tokens in the bucket; a test is over before the next ones come
	batches: list[int] = field(default_factory=list)

	def serve(self, server: FaultyServer) -> None:
		"""Answer what comes to the server."""
		server.by_rule(self._answer)

	def _answer(self, request: Request) -> Answer:
		if request.headers.get("accesskey") != KEY:
			return _said(401, "Authorization has been denied for this request.")
		parts = urlsplit(request.path)
		if request.method != "POST" or parts.path not in ("/purge", f"/pullzone/{PULL_ZONE}/purgeCache"):
			return _said(404, "The requested resource was not found.")
		if self.left < 1:
			return Answer(429, b"{}", {"Retry-After": "24"})
		self.left -= 1
		self.batches.append(1)
		if parts.path == "/purge":
			(url,) = parse_qs(parts.query)["url"]
			if urlsplit(url).hostname != "cdn.example.com":
				return _said(400, "The URL is not of any pull zone.")
			self.edge.forget_url(url)
		elif request.body:
			self.edge.forget_tag(json.loads(request.body)["CacheTag"])
		else:
			self.edge.forget_all()
		return Answer(204)


def _said(status: int, message: str) -> Answer:
	return Answer(status, json.dumps({"Message": message}).encode(), {"Content-Type": "application/json"})
