"""What every CDN's back end promises: what was asked for is forgotten, within the CDN's limits, whatever it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from memora.exceptions import PurgeError
from memora.services.cdn_export.cache_purge import CachePurge, Stale, cloudflare, keyed, web_api
from memora.services.cdn_export.cache_purge.bunny import BunnyPurge
from memora.services.cdn_export.cache_purge.cloudflare import CloudflarePurge
from memora.services.cdn_export.cache_purge.cloudfront import CloudFrontPurge
from memora.services.cdn_export.cache_purge.fastly import FastlyPurge
from memora.tests.helpers.faulty_server import Answer, Cut, FaultyServer
from tests.contract.cache_purge import bunny_server, cloudflare_server, cloudfront_server, fastly_server

BASE = "https://cdn.example.com"


@dataclass(frozen=True)
class Cdn:
	"""A CDN as its documentation has it, its back end, and what a test may turn."""

	server: FaultyServer
	account: Any
	open: Callable[..., CachePurge]
	secret: str
	exhaust: Callable[[], None]


def _cloudflare(server: FaultyServer) -> Cdn:
	account = cloudflare_server.Cloudflare(per_second=10**6)

	def open(by_tag: bool = False, secret: str = cloudflare_server.TOKEN) -> CachePurge:
		return CloudflarePurge(cloudflare_server.ZONE, secret, api=server.url, by_tag=by_tag, base_url=BASE)

	def exhaust() -> None:
		account.calls = account.tag_calls = 0
		account._called.append(cloudflare.monotonic())

	return Cdn(server, account, open, cloudflare_server.TOKEN, exhaust)


def _cloudfront(server: FaultyServer) -> Cdn:
	account = cloudfront_server.CloudFront()

	def open(by_tag: bool = False, secret: str = cloudfront_server.SECRET_KEY) -> CachePurge:
		key = "AKIAOTHER" if secret != cloudfront_server.SECRET_KEY else cloudfront_server.ACCESS_KEY
		return CloudFrontPurge(
			cloudfront_server.DISTRIBUTION, key if secret else "", secret, by_tag, server.url
		)

	def exhaust() -> None:
		account.calls = 0

	return Cdn(server, account, open, cloudfront_server.SECRET_KEY, exhaust)


def _fastly(server: FaultyServer) -> Cdn:
	account = fastly_server.Fastly()

	def open(by_tag: bool = False, secret: str = fastly_server.TOKEN) -> CachePurge:
		return FastlyPurge(fastly_server.SERVICE, secret, by_tag, server.url)

	def exhaust() -> None:
		account.left = 0

	return Cdn(server, account, open, fastly_server.TOKEN, exhaust)


def _bunny(server: FaultyServer) -> Cdn:
	account = bunny_server.Bunny()

	def open(by_tag: bool = False, secret: str = bunny_server.KEY) -> CachePurge:
		return BunnyPurge(bunny_server.PULL_ZONE, secret, by_tag, server.url)

	def exhaust() -> None:
		account.left = 0

	return Cdn(server, account, open, bunny_server.KEY, exhaust)


@pytest.fixture(params=[_cloudflare, _cloudfront, _fastly, _bunny], ids=lambda make: make.__name__[1:])
def cdn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cdn]:
	monkeypatch.setattr(keyed, "sleep", lambda _seconds: None)
	monkeypatch.setattr(cloudflare, "sleep", lambda _seconds: None)
	with FaultyServer() as server:
		cdn = request.param(server)
		cdn.account.serve(server)
		yield cdn


def stale(number: int, scope: str = "scope-a") -> list[Stale]:
	"""A file under both of its addresses."""
	url = f"{BASE}/lessons/{scope}-{number}.json"
	return [Stale(each, f"file-{scope}-{number}", scope) for each in (url, f"{url}?v=7")]


def fill(cdn: Cdn, files: list[Stale], tagged: bool = True) -> None:
	for each in files:
		cdn.account.edge.fetch(each.url, (each.file_tag, each.scope_tag) if tagged else ())


def files(count: int, scope: str = "scope-a") -> list[Stale]:
	return [each for number in range(count) for each in stale(number, scope)]


@pytest.mark.parametrize("by_tag", [False, True])
def test_what_changed_is_forgotten_and_nothing_else(cdn: Cdn, by_tag: bool) -> None:
	changed, others = files(3), files(2, "scope-b")
	fill(cdn, changed + others)
	result = cdn.open(by_tag).forget(changed)
	assert set(result.purged) == {each.url for each in changed} and result.failed == () and result.error == ""
	assert set(cdn.account.edge.held) == {each.url for each in others}
	assert result.spent == (3 if by_tag else 6)


def test_nothing_asks_nothing(cdn: Cdn) -> None:
	assert cdn.open(True).forget([]).error == ""
	assert cdn.server.requests == []


def test_much_of_a_scope_is_one_tag(cdn: Cdn) -> None:
	changed, others = files(21), files(20, "scope-b")
	fill(cdn, [*changed, *others, *stale(999)])
	result = cdn.open(True).forget(changed + others)
	assert result.spent == 1 + 20 and len(result.purged) == 82
	assert cdn.account.edge.held == {}


def test_what_carries_no_tag_is_purged_by_url(cdn: Cdn) -> None:
	old = [Stale(each.url) for each in files(2)]
	fill(cdn, files(2), tagged=False)
	assert len(cdn.open(True).forget(old).purged) == 4
	assert cdn.account.edge.held == {}


def test_a_thousand_files_stay_within_the_limits(cdn: Cdn) -> None:
	changed = [each for scope in range(60) for each in files(17, f"scope-{scope}")]
	fill(cdn, changed)
	purge = cdn.open(True)
	result = purge.forget(changed)
	for _ in range(3):
		if not result.failed:
			break
		assert result.retry_after
		cdn.account.left = 10**6  # the time has passed
		left = set(result.failed)
		result = purge.forget([each for each in changed if each.url in left])
	assert result.error == "" and cdn.account.edge.held == {}


def test_everything(cdn: Cdn) -> None:
	fill(cdn, files(3), tagged=False)
	result = cdn.open(True).everything()
	assert result.error == "" and result.spent == 1
	assert cdn.account.edge.held == {}


@pytest.mark.parametrize("by_tag", [False, True])
def test_a_cdn_that_asks_for_patience_is_given_it(cdn: Cdn, by_tag: bool) -> None:
	fill(cdn, files(3))
	cdn.exhaust()
	result = cdn.open(by_tag).forget(files(3))
	assert len(result.failed) == 6 and result.purged == () and result.spent == 0
	assert result.retry_after and result.retry_after > 5 and not result.final
	assert "later" in result.error
	assert len(cdn.account.edge.held) == 6
	assert len(cdn.server.requests) <= 4, "it was not asked again and again"


def test_a_passing_fault_is_not_noticed(cdn: Cdn) -> None:
	cdn.server.next(Answer(503), Cut())
	assert len(cdn.open(True).forget(files(2)).purged) == 4


def test_a_lasting_fault_fails_the_rest_and_says_so(cdn: Cdn) -> None:
	cdn.server.always(Answer(502, b"<html>"))
	result = cdn.open(True).forget(files(15))
	assert len(result.failed) == 30 and result.error and not result.final
	assert len(cdn.server.requests) <= 6, "the other calls were not tried"


def test_no_network(cdn: Cdn) -> None:
	cdn.server.always(Cut())
	with pytest.raises(PurgeError, match="could not be reached"):
		cdn.open().verify(f"{BASE}/a.json")


@pytest.mark.parametrize("secret", ["another-secret", "", "two words", "ключ"])
def test_a_wrong_secret_is_final_and_never_said(cdn: Cdn, secret: str) -> None:
	result = cdn.open(True, secret).forget(files(2))
	assert len(result.failed) == 4 and result.final and result.spent == 0
	assert "CDN Settings" in result.error
	assert not secret or secret not in result.error
	assert len(cdn.server.requests) <= 2
	assert secret not in repr(cdn.open(True, secret)) or not secret


@pytest.mark.parametrize("before", ["bad ", *("x" * length for length in range(165, 200, 5))])
def test_what_a_cdn_says_of_the_secret_is_not_repeated(cdn: Cdn, before: str) -> None:
	"""Nor a part of it, where a long answer is cut."""
	words = before + cdn.secret
	said = f'{{"msg": "{words}", "Message": "{words}", "errors": [{{"code": 1, "message": "{words}"}}]}}'
	xml = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{words}</Message></Error></ErrorResponse>"
	body = xml if isinstance(cdn.account, cloudfront_server.CloudFront) else said
	cdn.server.always(Answer(403, body.encode(), {"Content-Type": "application/json"}))
	result = cdn.open().forget(files(1))
	assert result.error and result.final and cdn.secret[:5] not in result.error


@pytest.mark.parametrize("by_tag", [False, True])
def test_what_works_is_verified(cdn: Cdn, by_tag: bool) -> None:
	cdn.open(by_tag).verify(f"{BASE}/connection-test/a.json")


class TestWebApis:
	def test_a_server_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
		from memora.tests.helpers.faulty_server import Hang

		monkeypatch.setattr(web_api, "TIMEOUTS", (1, 0.05))
		monkeypatch.setattr(keyed, "sleep", lambda _seconds: None)
		with FaultyServer() as server:
			cdn = _fastly(server)
			server.always(Hang())
			assert "could not be reached" in cdn.open().forget(files(1)).error

	def test_fastly_takes_256_keys_a_call_and_purges_softly(self) -> None:
		with FaultyServer() as server:
			cdn = _fastly(server)
			cdn.account.serve(server)
			changed = [each for scope in range(30) for each in files(10, f"s{scope}")]
			assert cdn.open(True).forget(changed).spent == 300
			assert cdn.account.batches == [256, 44] and all(cdn.account.soft)

	def test_very_much_is_everything(self) -> None:
		with FaultyServer() as server:
			cdn = _bunny(server)
			cdn.account.serve(server)
			fill(cdn, files(200))
			result = cdn.open().forget(files(200))
			assert len(result.purged) == 400 and result.spent == 1 and cdn.account.edge.held == {}


class TestCloudFront:
	@pytest.fixture
	def front(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cdn]:
		monkeypatch.setattr(keyed, "sleep", lambda _seconds: None)
		with FaultyServer() as server:
			cdn = _cloudfront(server)
			cdn.account.serve(server)
			yield cdn

	def test_a_purge_is_over_when_the_invalidation_is_completed(self, front: Cdn) -> None:
		front.account.at_once = False
		purge = front.open(True)
		result = purge.forget(files(2))
		(receipt,) = set(result.receipts.values())
		assert set(result.receipts) == set(result.purged)
		assert purge.outcome(receipt).state == "waiting"
		front.account.complete()
		assert purge.outcome(receipt).state == "done"
		assert purge.outcome("I-of-another-account").state == "unknown"

	def test_what_cannot_be_asked_after_waits(self, front: Cdn) -> None:
		purge = front.open(True)
		front.server.always(Answer(500))
		outcome = purge.outcome("I0000000000000")
		assert outcome.state == "waiting" and outcome.error

	def test_what_is_in_progress_is_counted(self, front: Cdn) -> None:
		front.account.at_once = False
		purge = front.open(True)
		for part in range(3):
			changed = [each for scope in range(50) for each in files(20, f"p{part}-{scope}")]
			assert purge.forget(changed).failed == ()
		assert front.account.batches == [1000, 1000, 1000]
		result = purge.forget(files(1))
		assert len(result.failed) == 2 and result.retry_after and "in progress" in result.error
		front.account.complete()
		assert purge.forget(files(1)).failed == ()

	def test_above_a_thousand_paths_everything_is_one(self, front: Cdn) -> None:
		assert front.open().forget(files(501)).spent == 1
		assert front.account.items == ["/*"]

	def test_the_query_is_part_of_the_path(self, front: Cdn) -> None:
		front.open().purge([f"{BASE}/units/a.json?v=7", f"{BASE}/دروس/a.json"])
		assert front.account.items == ["/units/a.json?v=7", "/%D8%AF%D8%B1%D9%88%D8%B3/a.json"]

	@pytest.mark.parametrize("header", ["", "cache-tag"])
	def test_a_distribution_that_reads_no_tags(self, front: Cdn, header: str) -> None:
		front.account.tag_header = header
		front.open().verify(f"{BASE}/a.json")
		with pytest.raises(PurgeError, match="CacheTagConfig"):
			front.open(True).verify(f"{BASE}/a.json")

	def test_a_distribution_that_is_not_there(self, front: Cdn) -> None:
		purge = CloudFrontPurge(
			"E0OTHEREXAMPLE", cloudfront_server.ACCESS_KEY, cloudfront_server.SECRET_KEY, api=front.server.url
		)
		assert "no distribution" in purge.purge([f"{BASE}/a.json"]).error
