"""CloudFront's API as documented, as far as invalidations go, with its limits enforced.

POST /2020-05-31/distribution/{id}/invalidation: paths, or tags as `#tag`, 3,000 in progress, 15 of them with `*`; "Rate
exceeded" after `calls`. GET …/invalidation/{id}: its state, InProgress until the test completes it; what it names is cached
until then. GET …/distribution/{id}/config: which header tags come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from memora.tests.helpers.faulty_server import Answer, FaultyServer, Request
from tests.contract.cache_purge.edge import Edge

DISTRIBUTION = "E2QWRUHEXAMPLE"
ACCESS_KEY = "AKIAEXAMPLEEXAMPLE"
SECRET_KEY = "a-cloudfront-key_that-must-never-show"
_NS = "{http://cloudfront.amazonaws.com/doc/2020-05-31/}"
_BASE = f"/2020-05-31/distribution/{DISTRIBUTION}"


@dataclass
class CloudFront:
	edge: Edge = field(default_factory=Edge)
	calls: int = 10**6
	at_once: bool = True  # completes each invalidation as soon as it is made
	tag_header: str = "x-amz-meta-cache-tag"
	batches: list[int] = field(default_factory=list)
	items: list[str] = field(default_factory=list)
	in_progress: dict[str, list[str]] = field(default_factory=dict)
	completed: set[str] = field(default_factory=set)

	def serve(self, server: FaultyServer) -> None:
		"""Answer what comes to the server."""
		server.by_rule(self._answer)

	def complete(self) -> None:
		"""Let all that is in progress reach the edge."""
		for invalidation, items in self.in_progress.items():
			for item in items:
				self._forget(item)
			self.completed.add(invalidation)
		self.in_progress = {}

	def _forget(self, item: str) -> None:
		if item == "/*":
			self.edge.forget_all()
		elif item.startswith("#"):
			if self.tag_header == "x-amz-meta-cache-tag":  # else it never saw any
				self.edge.forget_tag(item[1:])
		else:
			self.edge.forget_url(f"https://cdn.example.com{item}")

	def _answer(self, request: Request) -> Answer:
		if f"Credential={ACCESS_KEY}/" not in request.headers.get("authorization", ""):
			return _error(
				403, "InvalidClientTokenId", "The security token included in the request is invalid."
			)
		if not request.path.startswith(f"{_BASE}/"):
			return _error(404, "NoSuchDistribution", "The specified distribution does not exist.")
		if request.method == "GET":
			return self._read(request.path.removeprefix(f"{_BASE}/"))
		if self.calls < 1:
			return _error(400, "Throttling", "Rate exceeded")
		self.calls -= 1
		return self._create(ElementTree.fromstring(request.body))

	def _create(self, batch: ElementTree.Element) -> Answer:
		items = [item.text or "" for item in batch.iter(f"{_NS}Path")]
		if any(not item.startswith(("/", "#")) or not item.isascii() for item in items):
			return _error(
				400, "InvalidArgument", "Your request contains one or more invalid invalidation paths."
			)
		under_way = [item for found in (*self.in_progress.values(), items) for item in found]
		wildcards = sum("*" in item for item in under_way)
		if len(under_way) - wildcards > 3_000 or wildcards > 15:
			return _error(400, "TooManyInvalidationsInProgress", "Your request exceeds the quota.")
		invalidation = f"I{len(self.batches):013}"
		self.batches.append(len(items))
		self.items += items
		self.in_progress[invalidation] = items
		if self.at_once:
			self.complete()
		return _invalidation(201, invalidation, "InProgress")

	def _read(self, path: str) -> Answer:
		if path == "config":
			header = f"<CacheTagConfig><HeaderName>{self.tag_header}</HeaderName></CacheTagConfig>"
			return _xml(200, "DistributionConfig", header if self.tag_header else "")
		invalidation = path.removeprefix("invalidation/")
		if invalidation in self.completed:
			return _invalidation(200, invalidation, "Completed")
		if invalidation in self.in_progress:
			return _invalidation(200, invalidation, "InProgress")
		return _error(404, "NoSuchInvalidation", "The specified invalidation does not exist.")


def _invalidation(status: int, name: str, state: str) -> Answer:
	inside = f"<Id>{name}</Id><Status>{state}</Status><CreateTime>2026-11-01T00:00:00Z</CreateTime>"
	return _xml(status, "Invalidation", inside)


def _xml(status: int, name: str, inside: str) -> Answer:
	body = f"<{name} xmlns='http://cloudfront.amazonaws.com/doc/2020-05-31/'>{inside}</{name}>"
	return Answer(status, body.encode(), {"Content-Type": "text/xml"})


def _error(status: int, code: str, message: str) -> Answer:
	inside = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
	return _xml(status, "ErrorResponse", f"{inside}<RequestId>x</RequestId>")
