"""Purging Cloudflare's cache: within its limits, and whatever it answers, without an exception."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memora.exceptions import PurgeError
from memora.services.cdn_export import cache_purge
from memora.services.cdn_export.cache_purge import (
	CachePurge,
	NoPurge,
	PurgeSettings,
	Stale,
	cloudflare,
	keyed,
	web_api,
)
from memora.services.cdn_export.cache_purge.cloudflare import CloudflarePurge
from memora.tests.helpers.faulty_server import Answer, Cut, FaultyServer, Hang
from tests.contract.cache_purge.cloudflare_server import HOST, TOKEN, ZONE, Cloudflare

Open = Callable[..., CachePurge]


def urls(count: int, start: int = 0) -> list[str]:
	return [f"https://{HOST}/lessons/{number}.json?v={number}" for number in range(start, start + count)]


@pytest.fixture
def server() -> Iterator[FaultyServer]:
	with FaultyServer() as running:
		yield running


@pytest.fixture
def account(server: FaultyServer) -> Cloudflare:
	account = Cloudflare()
	account.serve(server)
	return account


@pytest.fixture
def purge_with(server: FaultyServer, account: Cloudflare) -> Open:
	def open(zone: str = ZONE, token: str = TOKEN, batch_size: int = 0) -> CachePurge:
		return CloudflarePurge(zone, token, batch_size, server.url)

	return open


@pytest.fixture
def purge(purge_with: Open) -> CachePurge:
	return purge_with()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
	"""Waits are noted instead of made, and move the clock."""
	waits: list[float] = []
	now = cloudflare.monotonic()
	monkeypatch.setattr(cloudflare, "sleep", waits.append)
	monkeypatch.setattr(keyed, "sleep", waits.append)
	monkeypatch.setattr(cloudflare, "monotonic", lambda: now + sum(waits))
	return waits


def test_every_url_is_purged_just_as_it_is(purge: CachePurge, account: Cloudflare) -> None:
	wanted = [f"https://{HOST}/plans/x/manifest.json", f"https://{HOST}/units/a.json?v=1769300000"]
	result = purge.purge(wanted)
	assert account.purged == wanted
	assert result.purged == tuple(wanted) and result.failed == () and result.error == ""


def test_nothing_to_purge_asks_nothing(purge: CachePurge, server: FaultyServer) -> None:
	assert purge.purge([]).purged == ()
	assert server.requests == []


def test_a_hundred_a_call(purge: CachePurge, account: Cloudflare, slept: list[float]) -> None:
	result = purge.purge(urls(250))
	assert account.batches == [100, 100, 50]
	assert len(result.purged) == 250


@pytest.mark.parametrize(
	("batch_size", "batches"), [(30, [30, 30, 10]), (500, [70]), (9999, [70]), (-1, [70])]
)
def test_the_batch_size_is_configurable(
	purge_with: Open, account: Cloudflare, batch_size: int, batches: list[int]
) -> None:
	purge_with(batch_size=batch_size).purge(urls(70))
	assert account.batches == batches


def test_a_url_is_purged_once(purge: CachePurge, account: Cloudflare) -> None:
	result = purge.purge(urls(3) + urls(3))
	assert account.purged == urls(3) and result.purged == tuple(urls(3))


def test_a_url_of_another_script_is_encoded_as_browsers_do(purge: CachePurge, account: Cloudflare) -> None:
	wanted = f"https://{HOST}/دروس/a.json"
	assert purge.purge([wanted]).purged == (wanted,)
	assert account.purged == [f"https://{HOST}/%D8%AF%D8%B1%D9%88%D8%B3/a.json"]


def test_a_netrc_does_not_replace_the_token(
	purge: CachePurge, account: Cloudflare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	netrc = tmp_path / "netrc"
	netrc.write_text("machine 127.0.0.1 login someone password else\n")
	monkeypatch.setenv("NETRC", str(netrc))
	assert purge.purge(urls(1)).error == ""


class TestLimits:
	def test_urls_a_second_are_paced(
		self, purge: CachePurge, account: Cloudflare, slept: list[float]
	) -> None:
		"""2,000 URLs take the two and a half seconds that the Free plan asks for, in steps."""
		account.per_second = 10**6  # the clock here is the test's
		assert len(purge.purge(urls(2000)).purged) == 2000
		assert 2.3 <= sum(slept) <= 2.5
		assert max(slept) <= 0.2

	def test_a_real_second_is_kept(self, purge: CachePurge, account: Cloudflare) -> None:
		account.per_second = 800
		result = purge.purge(urls(1000))
		assert len(result.purged) == 1000 and account.refused == 0

	def test_calls_in_five_minutes_are_counted(
		self, purge: CachePurge, server: FaultyServer, slept: list[float], monkeypatch: pytest.MonkeyPatch
	) -> None:
		monkeypatch.setattr(cloudflare, "CALLS", 3)
		result = purge.purge(urls(450))
		assert len(server.requests) == 3
		assert len(result.purged) == 300 and result.failed == tuple(urls(150, start=300))
		assert result.retry_after and 250 < result.retry_after <= 300 and not result.final
		assert "purged later" in result.error
		slept.append(result.retry_after)
		assert len(purge.purge(result.failed).purged) == 150

	def test_a_short_wait_is_waited_out(
		self, purge: CachePurge, server: FaultyServer, slept: list[float]
	) -> None:
		server.next(Answer(429, b"{}", {"Retry-After": "2"}))
		assert len(purge.purge(urls(5)).purged) == 5
		assert 2.0 in slept

	def test_a_long_wait_is_left_to_the_caller(
		self, purge: CachePurge, server: FaultyServer, account: Cloudflare, slept: list[float]
	) -> None:
		account.calls = 2
		result = purge.purge(urls(350))
		assert len(result.purged) == 200 and result.failed == tuple(urls(150, start=200))
		assert result.retry_after and 290 <= result.retry_after <= 300
		assert not result.final and sum(slept) < 1

	def test_urls_do_not_wait_for_tags(
		self, server: FaultyServer, account: Cloudflare, slept: list[float]
	) -> None:
		"""The Free plan's five calls a minute are of tags alone."""
		account.tag_calls = 0
		purge = CloudflarePurge(ZONE, TOKEN, api=server.url, by_tag=True)
		tagged, plain = urls(2)
		result = purge.forget([Stale(tagged, "a-file", "a-scope"), Stale(plain)])
		assert (result.purged, result.failed) == ((plain,), (tagged,))
		assert result.retry_after and not result.final

	def test_a_429_that_does_not_say_how_long(
		self, purge: CachePurge, server: FaultyServer, slept: list[float]
	) -> None:
		server.always(Answer(429, b"slow down"))
		assert purge.purge(urls(5)).retry_after == keyed.PAUSE_AFTER_429


class TestFaults:
	@pytest.mark.parametrize("fault", [Answer(500), Answer(502, b"<html>"), Cut()])
	def test_a_passing_fault_is_not_noticed(
		self, purge: CachePurge, server: FaultyServer, slept: list[float], fault
	) -> None:
		server.next(fault, fault)
		assert len(purge.purge(urls(5)).purged) == 5

	@pytest.mark.parametrize(
		"fault",
		[
			Answer(500),
			Answer(503, b"{}"),
			Answer(502, b'"down"'),
			Answer(502, b'{"errors": ["down"]}'),
			Cut(),
		],
	)
	def test_a_lasting_fault_fails_the_rest_and_says_so(
		self, purge: CachePurge, server: FaultyServer, slept: list[float], fault
	) -> None:
		purge.purge(urls(1))
		server.always(fault)
		result = purge.purge(urls(250))
		assert result.purged == () and result.failed == tuple(urls(250))
		assert result.error and not result.final and TOKEN not in result.error
		assert len(server.requests) == 1 + keyed.ATTEMPTS, "the other batches were not tried"

	def test_a_server_that_does_not_answer(
		self, purge: CachePurge, server: FaultyServer, slept: list[float], monkeypatch: pytest.MonkeyPatch
	) -> None:
		monkeypatch.setattr(web_api, "TIMEOUTS", (1, 0.05))
		server.always(Hang())
		result = purge.purge(urls(1))
		assert result.failed == tuple(urls(1)) and "could not be reached" in result.error

	def test_one_bad_url_fails_alone(
		self, purge: CachePurge, account: Cloudflare, slept: list[float]
	) -> None:
		wanted = urls(300)
		wanted[137] = "https://elsewhere.example/a.json"
		result = purge.purge(wanted)
		assert result.failed == ("https://elsewhere.example/a.json",)
		assert len(result.purged) == 299 and set(account.purged) == set(wanted) - set(result.failed)
		assert "zone" in result.error and not result.final

	def test_a_base_url_of_another_zone_does_not_use_up_the_calls(
		self, purge: CachePurge, server: FaultyServer, slept: list[float]
	) -> None:
		result = purge.purge([f"https://elsewhere.example/{number}.json" for number in range(1000)])
		assert len(result.failed) == 1000 and result.purged == ()
		assert len(server.requests) <= 10 + 2 * keyed.HALVINGS

	def test_a_plan_that_allows_fewer_urls_a_call(
		self, purge: CachePurge, account: Cloudflare, slept: list[float]
	) -> None:
		account.per_call = 30
		assert len(purge.purge(urls(200)).purged) == 200


@pytest.mark.parametrize(
	("options", "words"),
	[
		({"token": "unknown"}, "permission"),
		({"zone": "f" * 32}, "no zone"),
		({"zone": "example.com"}, "32 hexadecimal digits"),
		({"token": ""}, "token is missing"),
		({"token": "two words"}, "Paste it again"),
		({"token": "line\nline"}, "Paste it again"),
		({"token": "ключ"}, "Paste it again"),
	],
)
def test_settings_that_cannot_work_are_final(
	purge_with: Open, server: FaultyServer, options: dict[str, str], words: str
) -> None:
	purge = purge_with(**options)
	result = purge.purge(urls(250))
	assert result.failed == tuple(urls(250)) and result.final
	assert words in result.error and "CDN Settings" in result.error
	assert len(server.requests) <= 1
	with pytest.raises(PurgeError, match=words):
		purge.verify(urls(1)[0])


class TestVerify:
	def test_what_works(self, purge_with: Open, account: Cloudflare) -> None:
		purge_with(token=f"{TOKEN}\n", zone=f" {ZONE.upper()} ").verify(urls(1)[0])
		assert account.purged == urls(1)

	def test_a_token_that_an_account_owns(self, purge: CachePurge, account: Cloudflare) -> None:
		"""/user/tokens/verify does not know it, and still it may purge."""
		account.account_owned = True
		purge.verify(urls(1)[0])

	@pytest.mark.parametrize("state", ["expired", "disabled"])
	def test_a_token_of_the_past(self, purge: CachePurge, account: Cloudflare, state: str) -> None:
		account.tokens[TOKEN] = state
		with pytest.raises(PurgeError, match=f"is {state}"):
			purge.verify(urls(1)[0])

	def test_a_token_without_the_right_to_purge(self, purge: CachePurge, account: Cloudflare) -> None:
		account.may_purge.clear()
		with pytest.raises(PurgeError, match="permission Zone, Cache Purge, Purge"):
			purge.verify(urls(1)[0])

	def test_a_url_of_another_zone(self, purge: CachePurge) -> None:
		with pytest.raises(PurgeError, match=r"CDN Base URL .* URLs per Purge Call"):
			purge.verify("https://elsewhere.example/a.json")

	def test_no_network(self, server: FaultyServer, purge: CachePurge, slept: list[float]) -> None:
		server.always(Cut())
		with pytest.raises(PurgeError, match="could not be reached"):
			purge.verify(urls(1)[0])


class TestOpen:
	def test_cloudflare_is_opened(self) -> None:
		opened = cache_purge.open(PurgeSettings("Cloudflare", ZONE, TOKEN, batch_size=100))
		assert opened.name == "Cloudflare" and opened.active
		assert TOKEN not in repr(opened)

	def test_no_cdn_opens_none(self) -> None:
		opened = cache_purge.open(PurgeSettings())
		assert isinstance(opened, NoPurge) and not opened.active
		assert opened.purge(urls(2)).purged == tuple(urls(2))
		opened.verify(urls(1)[0])

	def test_settings_that_cannot_work_open_all_the_same(self) -> None:
		"""A build must not fail for them."""
		assert cache_purge.open(PurgeSettings("Cloudflare", "example.com")).purge(urls(1)).final


@pytest.mark.skipif("MEMORA_TRY_ZONE_ID" not in os.environ, reason="no account to try: see docs/storage.md")
def test_with_an_account() -> None:
	"""300 URLs of MEMORA_TRY_CDN_BASE_URL, which need not exist, are purged in a real zone."""
	base = os.environ["MEMORA_TRY_CDN_BASE_URL"].rstrip("/")
	purge = cache_purge.open(
		PurgeSettings("Cloudflare", os.environ["MEMORA_TRY_ZONE_ID"], os.environ["MEMORA_TRY_API_TOKEN"])
	)
	purge.verify(f"{base}/connection-test/a.json")
	result = purge.purge([f"{base}/connection-test/{number}.json?v=1" for number in range(300)])
	assert result.error == "" and len(result.purged) == 300
