"""Test connection: what it finds in set-ups that work, and in those that do not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

import pytest

from memora.services.cdn_export import cache_purge
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.admin import connection_test
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.cache_purge import NoPurge, PurgeSettings
from memora.services.cdn_export.cache_purge.cloudflare import CloudflarePurge
from memora.services.cdn_export.storage import Storage, StorageSettings, r2
from memora.tests.helpers.faulty_server import Answer, FaultyServer, Request, private, s3_error
from tests.contract.cache_purge.cloudflare_server import HOST, TOKEN, ZONE, Cloudflare
from tests.contract.storage.conftest import ACCESS_KEY, SECRET_KEY, upload

CHECKS = [
	"write",
	"conditional write",
	"read",
	"list",
	"sign",
	"base url",
	"cors",
	"cache time",
	"versions",
	"paid content",
	"listing",
	"purge",
	"delete",
]


@dataclass
class Cdn:
	"""A CDN in front of a storage."""

	storage: Storage
	cors: bool = True
	gate: bool = False
	lists: bool = False
	content_type: str = "application/json; charset=utf-8"
	cache_control: str | None = None
	asked: list[str] = field(default_factory=list)

	def __call__(self, request: Request) -> Answer:
		assert "authorization" not in request.headers and "cookie" not in request.headers
		path = unquote(urlsplit(request.path).path).lstrip("/")
		self.asked.append(path)
		if not path or path.endswith("/"):
			names = "".join(f"<a>{found.path}</a>" for found in self.storage.list(path)) if self.lists else ""
			return Answer(200 if self.lists else 403, names.encode())
		body = self.storage.get(path)
		found = self.storage.head(path)
		if body is None or found is None:
			return Answer(404)
		if self.gate and found.metadata.get("access-level") == "paid":
			return Answer(403)
		said = found.cache_control if self.cache_control is None else self.cache_control
		headers = {"Content-Type": self.content_type, "Cache-Control": said}
		if self.cors:
			headers["Access-Control-Allow-Origin"] = "*"
		return Answer(200, body, headers)


@pytest.fixture
def front() -> Iterator[FaultyServer]:
	with FaultyServer() as running:
		yield running


@pytest.fixture
def cdn(local: Storage, front: FaultyServer) -> Cdn:
	cdn = Cdn(local)
	front.by_rule(cdn)
	return cdn


@pytest.fixture
def cdn_of_s3(s3: Storage, front: FaultyServer) -> Cdn:
	cdn = Cdn(s3)
	front.by_rule(cdn)
	return cdn


def run(storage: Storage, base_url: str, **options) -> dict[str, Finding]:
	findings = connection_test.run(storage, options.pop("purge", NoPurge()), base_url, **options)
	for finding in findings:
		text = finding.message + finding.fix
		assert finding.message.endswith(".") and SECRET_KEY not in text and ACCESS_KEY not in text
		assert finding.as_dict()["ok"] == (finding.level != "error")
	return {finding.check: finding for finding in findings}


@pytest.mark.parametrize("provider", ["local", "s3", "on_r2"])
def test_a_set_up_that_works(
	request: pytest.FixtureRequest,
	provider: str,
	front: FaultyServer,
	server: FaultyServer,
	monkeypatch: pytest.MonkeyPatch,
) -> None:
	monkeypatch.setattr(r2, "SPACING", 0.0)
	storage: Storage = request.getfixturevalue(provider)
	server.by_rule(private)
	front.by_rule(Cdn(storage))
	storage.put(upload("lessons/mine.json", b"mine"))
	findings = run(storage, f"{front.url}/")
	assert list(findings) == CHECKS
	assert all(finding.ok for finding in findings.values())
	assert {check for check, finding in findings.items() if finding.level == "warning"} == {
		"base url",  # http
		"paid content",
	}
	assert [found.path for found in storage.list()] == ["lessons/mine.json"], "nothing is left behind"


class TestPaidContent:
	def test_it_is_said_plainly(self, local: Storage, cdn: Cdn, front: FaultyServer) -> None:
		finding = run(local, front.url)["paid content"]
		assert finding.level == "warning"
		assert "Paid content is readable by anyone with the address" in finding.message
		assert "set up the gate" in finding.fix

	def test_a_gate_is_noticed(self, local: Storage, cdn: Cdn, front: FaultyServer) -> None:
		cdn.gate = True
		assert run(local, front.url)["paid content"].level == "ok"

	def test_a_published_paid_lesson_is_what_is_read(
		self, local: Storage, cdn: Cdn, front: FaultyServer
	) -> None:
		local.put(upload("lessons/paid.json", metadata={"access-level": "paid"}))
		finding = run(local, front.url, paid_path="lessons/paid.json")["paid content"]
		assert finding.level == "warning" and "lessons/paid.json" in finding.message
		assert "lessons/paid.json" in cdn.asked
		assert local.get("lessons/paid.json"), "it is only read"

	def test_a_bucket_open_beside_the_gate(
		self, s3: Storage, cdn_of_s3: Cdn, front: FaultyServer, server: FaultyServer
	) -> None:
		"""The CDN guards paid files, and the bucket's own address hands them out."""
		cdn_of_s3.gate = True

		def open_to_all(request: Request) -> Answer | None:
			return (
				None if "authorization" in request.headers or "X-Amz" in request.path else Answer(200, b"{}")
			)

		server.by_rule(open_to_all)
		finding = run(s3, front.url)["paid content"]
		assert finding.level == "warning" and server.url in finding.message


class TestListing:
	def test_a_directory_listing(self, local: Storage, cdn: Cdn, front: FaultyServer) -> None:
		cdn.lists = True
		finding = run(local, front.url)["listing"]
		assert finding.level == "warning" and "Anyone can list" in finding.message

	def test_a_listable_bucket(self, s3: Storage, cdn_of_s3: Cdn, front: FaultyServer) -> None:
		"""moto's buckets are."""
		finding = run(s3, front.url)["listing"]
		assert finding.level == "warning" and "s3:ListBucket" in finding.fix
		assert s3.address in finding.message


class TestBaseUrl:
	def test_it_is_empty(self, local: Storage) -> None:
		finding = run(local, "")["base url"]
		assert not finding.ok and "CDN Base URL is empty" in finding.message

	def test_it_leads_elsewhere(self, local: Storage, front: FaultyServer) -> None:
		front.always(Answer(200, b"<html>It works!"))
		finding = run(local, front.url)["base url"]
		assert not finding.ok and "not found at" in finding.message

	def test_it_has_a_path_too_many(self, local: Storage, cdn: Cdn, front: FaultyServer) -> None:
		assert not run(local, f"{front.url}/app")["base url"].ok

	@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://nothing.invalid", "no url", "https://["])
	def test_it_cannot_be_reached(self, local: Storage, url: str) -> None:
		finding = run(local, url)["base url"]
		assert not finding.ok and "cannot be reached" in finding.message

	@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1", "{front}/app"])
	def test_nothing_is_called_refused_where_it_does_not_lead_to_the_files(
		self, local: Storage, cdn: Cdn, front: FaultyServer, url: str
	) -> None:
		"""No one was there to refuse anything, and an admin would take it for a gate."""
		assert not {"paid content", "listing"} & set(run(local, url.format(front=front.url)))

	def test_a_listable_bucket_is_told_wherever_it_leads(self, s3: Storage) -> None:
		"""moto's buckets are."""
		assert run(s3, "http://127.0.0.1:1")["listing"].level == "warning"

	def test_files_arrive_as_something_else(self, local: Storage, cdn: Cdn, front: FaultyServer) -> None:
		cdn.content_type = "application/octet-stream"
		finding = run(local, front.url)["base url"]
		assert finding.level == "warning" and "application/octet-stream" in finding.message

	def test_browsers_are_not_let_in(self, local: Storage, cdn: Cdn, front: FaultyServer) -> None:
		cdn.cors = False
		finding = run(local, front.url)["cors"]
		assert finding.level == "warning" and "CORS" in finding.fix


@dataclass
class Cache:
	"""A shared cache between a CDN and its readers: keeps what it got as `keeps` says, under a key of path and query."""

	origin: Callable[[Request], Answer]
	keeps: Callable[[str], bool] = lambda said: "no-store" not in said
	key: Callable[[Request], str] = lambda request: request.path
	kept: dict[str, Answer] = field(default_factory=dict)

	def __call__(self, request: Request) -> Answer:
		key = self.key(request)
		if key not in self.kept:
			answer = self.origin(request)
			if answer.status != 200 or not self.keeps(answer.headers.get("Cache-Control", "")):
				return answer
			self.kept[key] = answer
		return self.kept[key]


class TestCaches:
	"""What stands between the storage and learners may undo what publishing promises."""

	def test_one_that_keeps_to_the_rules_is_fine(self, local: Storage, front: FaultyServer) -> None:
		front.by_rule(Cache(Cdn(local)))
		findings = run(local, front.url)
		assert [findings[check].level for check in ("cors", "cache time", "versions")] == ["ok"] * 3

	def test_one_whose_key_has_no_query(self, local: Storage, front: FaultyServer) -> None:
		front.by_rule(Cache(Cdn(local), key=lambda request: request.path.partition("?")[0]))
		finding = run(local, front.url)["versions"]
		assert not finding.ok and "?v=" in finding.message and "CloudFront" in finding.fix

	def test_one_that_begins_to_keep_at_the_second_request(self, local: Storage, front: FaultyServer) -> None:
		seen: set[str] = set()

		def key(request: Request) -> str:
			path = request.path.partition("?")[0]
			first, _ = path not in seen, seen.add(path)
			return request.path if first else path

		front.by_rule(Cache(Cdn(local), key=key))
		assert not run(local, front.url)["versions"].ok

	def test_one_that_keeps_what_it_may_not(self, local: Storage, front: FaultyServer) -> None:
		front.by_rule(Cache(Cdn(local), keeps=lambda said: True))
		finding = run(local, front.url)["cache time"]
		assert not finding.ok and "no-store" in finding.message

	@pytest.mark.parametrize("said", ["public, max-age=43200", "", "public", "public, s-maxage=1"])
	def test_files_that_browsers_would_keep_too_long(
		self, local: Storage, cdn: Cdn, front: FaultyServer, said: str
	) -> None:
		cdn.cache_control = said
		finding = run(local, front.url)["cache time"]
		assert (
			finding.level == "warning" and "out of date" in finding.message and f"“{said}”" in finding.message
		)

	@pytest.mark.parametrize("said", ["public, max-age=60", "no-cache", "no-store, max-age=300", "Max-Age=0"])
	def test_files_that_apps_read_too_often(
		self, local: Storage, cdn: Cdn, front: FaultyServer, said: str
	) -> None:
		cdn.cache_control = said
		finding = run(local, front.url)["cache time"]
		assert finding.level == "warning" and "more often" in finding.message

	@pytest.mark.parametrize("answer_to_all", [False, True])
	def test_one_that_keeps_the_answer_for_another_origin(
		self, local: Storage, front: FaultyServer, answer_to_all: bool
	) -> None:
		"""S3 says Access-Control-Allow-Origin only to who sends an Origin, or echoes the one that was sent."""

		def as_s3(request: Request) -> Answer:
			answer = Cdn(local)(request)
			answer.headers.pop("Access-Control-Allow-Origin", None)
			if origin := request.headers.get("origin", "https://first.example" if answer_to_all else ""):
				answer.headers["Access-Control-Allow-Origin"] = origin
			return answer

		cache = Cache(as_s3, keeps=lambda said: False)
		front.by_rule(cache)
		assert run(local, front.url)["cors"].level == "ok"
		cache.keeps = lambda said: True
		finding = run(local, front.url)["cors"]
		assert finding.level == "warning" and "cache keeps" in finding.message

	def test_a_name_that_browsers_find_on_this_machine(
		self, local: Storage, cdn: Cdn, front: FaultyServer
	) -> None:
		port = urlsplit(front.url).port
		findings = run(local, f"http://school.localhost:{port}")
		assert findings["base url"].ok and findings["versions"].level == "ok"


class TestPurge:
	@pytest.fixture
	def account(self) -> Iterator[tuple[Cloudflare, str]]:
		with FaultyServer() as server:
			account = Cloudflare()
			account.serve(server)
			yield account, server.url

	def test_it_works(self, local: Storage, account: tuple[Cloudflare, str]) -> None:
		cloudflare, url = account
		finding = run(local, f"https://{HOST}", purge=CloudflarePurge(ZONE, TOKEN, api=url))["purge"]
		assert finding.level == "ok" and "Cloudflare" in finding.message
		assert len(cloudflare.purged) == 1

	def test_it_does_not(self, local: Storage, account: tuple[Cloudflare, str]) -> None:
		cloudflare, url = account
		cloudflare.may_purge.clear()
		finding = run(local, f"https://{HOST}", purge=CloudflarePurge(ZONE, TOKEN, api=url))["purge"]
		assert not finding.ok and "permission" in finding.message and TOKEN not in finding.message


class TestStorage:
	def test_one_that_cannot_be_written(self, s3_settings: StorageSettings) -> None:
		with storages.open(replace(s3_settings, bucket_name="never-made")) as storage:
			findings = run(storage, "https://cdn.example.com")
		assert list(findings) == ["write"], "nothing else can be tried"
		assert not findings["write"].ok and "no such bucket" in findings["write"].message

	def test_one_that_is_reached_over_http(self, local: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
		monkeypatch.setattr(local, "address", "http://minio.invalid:9000/lessons")
		finding = run(local, "")["write"]
		assert finding.level == "warning" and "minio.invalid:9000 over http" in finding.message

	def test_one_that_ignores_conditions(
		self, s3: Storage, cdn_of_s3: Cdn, front: FaultyServer, server: FaultyServer
	) -> None:
		def forget(request: Request) -> Answer | None:
			for name in ("if-match", "if-none-match"):
				request.headers.pop(name, None)
			return None

		server.by_rule(forget)
		finding = run(s3, front.url)["conditional write"]
		assert not finding.ok and "overwrite newer files" in finding.message

	def test_one_that_may_not_delete(
		self, s3: Storage, cdn_of_s3: Cdn, front: FaultyServer, server: FaultyServer
	) -> None:
		server.by_rule(lambda request: s3_error(403, "AccessDenied") if request.method == "POST" else None)
		finding = run(s3, front.url)["delete"]
		assert not finding.ok and "s3:DeleteObject" in finding.message

	def test_one_that_may_not_list(
		self, s3: Storage, cdn_of_s3: Cdn, front: FaultyServer, server: FaultyServer
	) -> None:
		server.by_rule(lambda request: s3_error(403, "AccessDenied") if "list-type" in request.path else None)
		finding = run(s3, front.url)["list"]
		assert not finding.ok and "s3:ListBucket" in finding.message

	def test_one_that_refuses_signed_links(
		self, s3: Storage, cdn_of_s3: Cdn, front: FaultyServer, server: FaultyServer
	) -> None:
		server.by_rule(lambda request: Answer(403) if "X-Amz-Signature" in request.path else None)
		finding = run(s3, front.url)["sign"]
		assert not finding.ok and "HTTP 403" in finding.message

	def test_one_that_loses_metadata(
		self, s3: Storage, cdn_of_s3: Cdn, front: FaultyServer, server: FaultyServer
	) -> None:
		def strip(request: Request) -> Answer | None:
			for name in [name for name in request.headers if name.startswith("x-amz-meta-")]:
				del request.headers[name]
			return None

		server.by_rule(strip)
		finding = run(s3, front.url)["read"]
		assert not finding.ok and "metadata" in finding.message

	def test_files_go_even_when_a_check_breaks(self, local: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
		def broken(*_, **__):
			raise RuntimeError("a bug")

		monkeypatch.setattr(local, "sign_path", broken)
		with pytest.raises(RuntimeError):
			connection_test.run(local, NoPurge(), "")
		assert list(local.list()) == []


def test_writes_keep_to_the_limit_of_r2(
	on_r2: Storage, front: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
	waits: list[float] = []
	monkeypatch.setattr(r2, "sleep", waits.append)
	front.by_rule(Cdn(on_r2))
	assert run(on_r2, front.url)["conditional write"].ok
	assert sum(waits) < 8, "a person waits for the answer"


def test_with_an_account(account_settings: StorageSettings) -> None:
	"""With MEMORA_TRY_PROVIDER and the rest set (docs/storage.md): what it finds is printed, errors fail."""
	zone = os.environ.get("MEMORA_TRY_ZONE_ID", "")
	purge = cache_purge.open(
		PurgeSettings("Cloudflare" if zone else "None", zone, os.environ.get("MEMORA_TRY_API_TOKEN", ""))
	)
	with storages.open(account_settings) as storage:
		findings = connection_test.run(storage, purge, account_settings.cdn_base_url)
	shown = [f"{finding.level:<8} {finding.check}: {finding.message} {finding.fix}" for finding in findings]
	sys.stdout.write("\n".join(shown))
	assert [finding for finding in findings if not finding.ok] == []
