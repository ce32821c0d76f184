"""What the CDNs have in common that are asked call by call, each for a few tags or URLs, or for everything."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import sleep

from memora.exceptions import PurgeError
from memora.services.cdn_export.cache_purge import orders
from memora.services.cdn_export.cache_purge.base import CachePurge, PurgeResult, Stale
from memora.services.cdn_export.cache_purge.orders import Kind, Order

PATIENCE = 5.0  # seconds; the longest single wait that is worth blocking a worker for
ATTEMPTS = 3  # of one call
PAUSE_AFTER_429 = 60.0  # seconds, where the CDN does not say
HALVINGS = 40  # calls spent in one purge on finding tags and URLs that are not accepted
TEST_TAG = "memora-connection-test"


@dataclass(frozen=True, slots=True)
class Refusal:
	"""Why a call failed. `splits`: the fault may lie with a single tag or URL of it; other calls may work."""

	error: str
	retry_after: float | None = None
	final: bool = False
	splits: bool = False


class KeyedPurge(CachePurge):
	"""A CDN's cache. A subclass says how one call is made, and for how many tags or URLs.

	A call is all or nothing: one URL that the CDN does not accept fails the others. The call is then halved until the culprit
	is alone.
	"""

	per_call: Mapping[Kind, int]
	whole_above = 0  # more tags and URLs than these in one purge, and everything is purged instead; 0: never

	def __init__(self, by_tag: bool) -> None:
		self.by_tag = by_tag

	def purge(self, urls: Sequence[str]) -> PurgeResult:
		return self.forget([Stale(url) for url in urls])

	def forget(self, stale: Sequence[Stale]) -> PurgeResult:
		return self._run(orders.choose(stale, by_tag=self.by_tag, whole_above=self.whole_above))

	def everything(self) -> PurgeResult:
		return self._run([Order("all", "", ("",))])

	def verify(self, url: str) -> None:
		asked = [Order("url", url, (url,))]
		if self.by_tag:
			asked.append(Order("tag", TEST_TAG, (TEST_TAG,)))
		result = self._run(asked)
		if result.error:
			raise PurgeError(result.error)

	@abstractmethod
	def _unusable(self) -> str:
		"""Why the settings cannot work, "" if they may."""

	@abstractmethod
	def _send(self, kind: Kind, keys: Sequence[str]) -> Refusal | str:
		"""Make one call. Returns its receipt, "" where the CDN forgets at once, or why it was refused."""

	def _run(self, wanted: Sequence[Order]) -> PurgeResult:
		waiting = deque(_batches(wanted, self.per_call))
		halvings = HALVINGS
		done: list[Order] = []
		failed: list[Order] = []
		receipts: dict[str, str] = {}
		why = self._unusable() if waiting else ""
		stop = Refusal(why, final=True) if why else None
		while waiting and not (stop and stop.retry_after is None):
			batch = waiting.popleft()
			answer = self._call(batch)
			if isinstance(answer, str):
				done += batch
				for url in (url for order in batch for url in order.urls):
					# An address may be covered by several purges, and is forgotten once all of them are over.
					receipts[url] = f"{receipts.get(url, '')} {answer}".strip()
			elif answer.splits and len(batch) > 1 and halvings:
				halvings -= 1
				middle = len(batch) // 2
				waiting.extendleft([batch[middle:], batch[:middle]])
			else:
				failed += batch
				why = why or answer.error
				if not answer.splits:
					stop = answer
					# There may be a limit of tags, or of URLs: the others do not wait for it.
					failed += [order for each in waiting if each[0].kind == batch[0].kind for order in each]
					waiting = deque(each for each in waiting if each[0].kind != batch[0].kind)
		failed += [order for batch in waiting for order in batch]
		purged, left = orders.settled(done, failed)
		return PurgeResult(
			purged,
			left,
			stop.retry_after if stop else None,
			stop.error if stop else why,
			bool(stop and stop.final),
			spent=len(done),
			receipts={url: receipt for url in purged if (receipt := receipts[url])},
		)

	def _call(self, batch: Sequence[Order]) -> Refusal | str:
		"""One call, tried again where that helps."""
		keys = [order.key for order in batch]
		for attempt in range(1, ATTEMPTS + 1):
			answer = self._send(batch[0].kind, keys)
			if isinstance(answer, str) or answer.final or answer.splits or attempt == ATTEMPTS:
				return answer
			pause = answer.retry_after if answer.retry_after is not None else 0.5 * 2 ** (attempt - 1)
			if pause > PATIENCE:
				return answer
			sleep(pause)
		raise AssertionError("unreachable: the last attempt returns")


def _batches(wanted: Sequence[Order], per_call: Mapping[Kind, int]) -> Iterator[list[Order]]:
	kinds: tuple[Kind, ...] = ("all", "tag", "url")
	for kind in kinds:
		of_kind = [order for order in wanted if order.kind == kind]
		for start in range(0, len(of_kind), per_call[kind]):
			yield of_kind[start : start + per_call[kind]]
