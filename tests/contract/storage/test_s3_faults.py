"""S3 and R2 on bad days: what is tried again, what is given up, and what an admin is told."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import boto3
import pytest
import requests

from memora.exceptions import (
	PreconditionFailedError,
	StorageConfigurationError,
	StorageError,
	StorageUnavailableError,
)
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, r2, s3_api
from memora.services.cdn_export.storage import s3_settings as limits
from memora.tests.helpers.faulty_server import (
	Answer,
	Cut,
	Fault,
	FaultyServer,
	Hang,
	Request,
	Truncate,
	s3_error,
)
from tests.contract.storage.conftest import ACCESS_KEY, SECRET_KEY, upload

AN_HOUR_AGO = format_datetime(datetime.now(timezone.utc) - timedelta(hours=1), usegmt=True)
PASSING = {
	"500": s3_error(500, "InternalError"),
	"503": s3_error(503, "SlowDown"),
	"502 without a body": Answer(502),
	"cut before": Cut(),
	"cut after": Cut(after=True),
}


@pytest.fixture(autouse=True)
def waited(no_waiting: list[float]) -> list[float]:
	return no_waiting


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_fault_is_not_noticed(s3: Storage, server: FaultyServer, fault) -> None:
	server.next(fault, fault)
	etag = s3.put(upload("a.json", b"body"))
	server.next(fault)
	assert s3.get("a.json") == b"body"
	server.next(fault)
	found = s3.head("a.json")
	assert found and found.etag == etag
	server.next(fault)
	assert [found.path for found in s3.list()] == ["a.json"]
	server.next(fault)
	s3.delete(["a.json"])
	assert s3.get("a.json") is None


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_lasting_fault_is_unavailability(s3: Storage, server: FaultyServer, fault) -> None:
	server.always(fault)
	for by_obstore, use in (
		(1, lambda: s3.put(upload("a.json"))),
		(1, lambda: s3.put(upload("a.json"), if_match="x")),
		(1, lambda: s3.get("a.json")),
		(0, lambda: s3.head("a.json")),
		(0, lambda: list(s3.list())),
		(0, lambda: s3.delete(["a.json"])),
	):
		server.requests.clear()
		with pytest.raises(StorageUnavailableError):
			use()
		assert len(server.requests) == by_obstore + limits.ATTEMPTS


def test_a_body_that_breaks_off_is_read_again(s3: Storage, server: FaultyServer) -> None:
	s3.put(upload("a.json", b"x" * 100_000))
	server.next(Truncate(), Truncate())
	assert s3.get("a.json") == b"x" * 100_000
	server.next(*[Truncate()] * (1 + s3_api.READ_ATTEMPTS))
	with pytest.raises(StorageUnavailableError, match=r"read 'a\.json'.*broke"):
		s3.get("a.json")


def test_a_server_that_does_not_answer(
	s3_settings: StorageSettings, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(limits, "READ_SECONDS", 0.05)
	server.always(Hang())
	with (
		storages.open(s3_settings) as storage,
		pytest.raises(StorageUnavailableError, match="no answer in time"),
	):
		storage.put(upload("a.json"))


def test_a_server_that_is_not_there(s3_settings: StorageSettings) -> None:
	with socket.socket() as taken:
		taken.bind(("127.0.0.1", 0))
		url = f"http://127.0.0.1:{taken.getsockname()[1]}"
		with storages.open(replace(s3_settings, endpoint_url=url)) as storage:
			with pytest.raises(StorageUnavailableError, match="Check Endpoint URL"):
				storage.put(upload("a.json"))


def test_a_host_that_is_not_there(s3_settings: StorageSettings) -> None:
	with storages.open(replace(s3_settings, endpoint_url="https://s3.nothing.invalid")) as storage:
		with pytest.raises(StorageUnavailableError, match="cannot be found"):
			storage.put(upload("a.json"))


def test_https_where_only_http_is_spoken(s3_settings: StorageSettings, server: FaultyServer) -> None:
	url = server.url.replace("http:", "https:")
	with storages.open(replace(s3_settings, endpoint_url=url)) as storage:
		with pytest.raises(StorageConfigurationError, match="no secure connection"):
			storage.put(upload("a.json"))


class TestConditionsOnBadDays:
	def test_a_lost_answer_does_not_make_a_won_write_lost(self, s3: Storage, server: FaultyServer) -> None:
		"""The first try goes through, its answer is lost, and the second meets what the first has written."""
		server.next(Cut(after=True))
		etag = s3.put(upload("a.json", b"mine"), if_absent=True)
		server.next(Cut(after=True))
		etag = s3.put(upload("a.json", b"mine again"), if_match=etag)
		found = s3.head("a.json")
		assert found and found.etag == etag and s3.get("a.json") == b"mine again"

	def test_a_lost_answer_does_not_make_a_lost_write_won(self, s3: Storage, server: FaultyServer) -> None:
		s3.put(upload("a.json", b"theirs"))
		server.next(Cut())
		with pytest.raises(PreconditionFailedError):
			s3.put(upload("a.json", b"mine"), if_absent=True)
		assert s3.get("a.json") == b"theirs"

	def test_a_write_that_another_crossed_is_tried_again(
		self, s3: Storage, server: FaultyServer, waited: list[float]
	) -> None:
		server.next(*[s3_error(409, "ConditionalRequestConflict")] * 4)
		s3.put(upload("a.json"), if_absent=True)
		assert len(waited) == 3 and waited == sorted(waited)
		server.always(s3_error(409, "ConditionalRequestConflict"))
		with pytest.raises(StorageUnavailableError, match="same time"):
			s3.put(upload("a.json"), if_absent=True)

	def test_404_to_a_condition_is_a_lost_one(self, s3: Storage, server: FaultyServer) -> None:
		"""So AWS answers If-Match where there is no object; moto says 412."""
		server.next(s3_error(404, "NoSuchKey"))
		with pytest.raises(PreconditionFailedError):
			s3.put(upload("a.json"), if_match="x")


REFUSALS = [
	(403, "InvalidAccessKeyId", StorageConfigurationError, "access key is not known"),
	(401, "Unauthorized", StorageConfigurationError, "access key is not known"),
	(403, "SignatureDoesNotMatch", StorageConfigurationError, "secret key does not belong"),
	(403, "AccessDenied", StorageConfigurationError, "s3:PutObject"),
	(403, "AllAccessDisabled", StorageConfigurationError, "not permitted"),
	(403, "NotEntitled", StorageConfigurationError, "not permitted"),
	(403, "RequestTimeTooSkewed", StorageConfigurationError, "clock is wrong"),
	(400, "ExpiredRequest", StorageConfigurationError, "clock is wrong"),
	(404, "NoSuchBucket", StorageConfigurationError, "no such bucket"),
	(400, "InvalidBucketName", StorageConfigurationError, "Bucket Name"),
	(301, "PermanentRedirect", StorageConfigurationError, "another region, not in us-east-1"),
	(403, "QuotaExceeded", StorageUnavailableError, "quota"),
	(507, "InsufficientStorage", StorageUnavailableError, "quota"),
	(503, "SlowDown", StorageUnavailableError, "fewer requests"),
	(429, "TooManyRequests", StorageUnavailableError, "fewer requests"),
	(500, "InternalError", StorageUnavailableError, "has a fault"),
	(400, "RequestTimeout", StorageUnavailableError, "has a fault"),
	(409, "OperationAborted", StorageUnavailableError, "same time"),
	(400, "EntityTooLarge", StorageError, "larger than allowed"),
	(400, "MetadataTooLarge", StorageError, "larger than allowed"),
	(501, "NotImplemented", StorageConfigurationError, "no S3 server"),
	(405, "MethodNotAllowed", StorageConfigurationError, "no S3 server"),
	(400, "SomethingNew", StorageConfigurationError, "SomethingNew"),
]


@pytest.mark.parametrize(("status", "code", "kind", "words"), REFUSALS, ids=[row[1] for row in REFUSALS])
def test_each_refusal_is_a_sentence_with_its_fix(
	s3: Storage, server: FaultyServer, bucket: str, status: int, code: str, kind: type, words: str
) -> None:
	server.always(s3_error(status, code))
	with pytest.raises(StorageError, match=words) as refused:
		s3.put(upload("lessons/a.json"))
	message = str(refused.value)
	assert type(refused.value) is kind
	assert bucket in message and "lessons/a.json" in message and message.endswith(".")
	assert SECRET_KEY not in message and ACCESS_KEY not in message


def test_what_the_server_says_does_not_leak_a_key(s3: Storage, server: FaultyServer) -> None:
	body = f"<Error><Code>Odd</Code><Message>{ACCESS_KEY} with {SECRET_KEY}</Message></Error>"
	server.always(Answer(400, body.encode()))
	with pytest.raises(StorageError) as refused:
		s3.put(upload("a.json"))
	assert SECRET_KEY not in str(refused.value) and ACCESS_KEY not in str(refused.value)


def test_the_two_clocks_are_named(s3: Storage, server: FaultyServer) -> None:
	server.always(s3_error(403, "RequestTimeTooSkewed", {"Date": AN_HOUR_AGO}))
	with pytest.raises(StorageConfigurationError, match=r"the server .* NTP"):
		s3.put(upload("a.json"))
	server.always(Answer(403, headers={"Date": AN_HOUR_AGO}))
	with pytest.raises(StorageConfigurationError, match="clock is wrong"):
		s3.head("a.json")


@pytest.mark.parametrize("page", [b"", b"<html>It works!", b"<html><body>It works!</body></html>"])
@pytest.mark.parametrize("status", [200, 404, 405])
def test_another_web_server_at_the_endpoint(
	s3: Storage, server: FaultyServer, status: int, page: bytes
) -> None:
	server.always(Answer(status, page, {"Content-Type": "text/html"}))
	for use in (lambda: s3.put(upload("a.json")), lambda: list(s3.list())):
		with pytest.raises(StorageError, match=r"(no S3 server|has a fault).*Endpoint URL"):
			use()


def test_a_key_that_may_only_read(s3_settings: StorageSettings, server: FaultyServer) -> None:
	def read_only(request: Request) -> Answer | None:
		return None if request.method in ("GET", "HEAD") else s3_error(403, "AccessDenied")

	server.by_rule(read_only)
	with storages.open(s3_settings) as storage:
		assert list(storage.list()) == []
		with pytest.raises(StorageConfigurationError, match="s3:PutObject"):
			storage.put(upload("a.json"))
		with pytest.raises(StorageConfigurationError, match="s3:DeleteObject"):
			storage.delete(["a.json"])


def test_some_files_of_a_delete_are_refused(s3: Storage, server: FaultyServer) -> None:
	body = "<DeleteResult><Error><Key>b.json</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>"
	server.next(Answer(200, body.encode()))
	with pytest.raises(
		StorageConfigurationError, match=r"1 of 2 files, .*'b\.json'.*s3:DeleteObject"
	) as caught:
		s3.delete(["a.json", "b.json"])
	assert caught.value.remaining == ("b.json",)


@pytest.mark.parametrize(
	("status", "code"),
	[(501, "NotImplemented"), (400, "NotImplemented"), (400, "InvalidRequest"), (405, "MethodNotAllowed")],
)
def test_where_files_cannot_be_deleted_together_they_are_one_by_one(
	s3: Storage, server: FaultyServer, status: int, code: str
) -> None:
	for name in ("a.json", "b.json", "c.json"):
		s3.put(upload(name))
	server.by_rule(lambda request: s3_error(status, code) if request.method == "POST" else None)
	s3.delete(["a.json", "b.json", "missing.json"])
	assert [found.path for found in s3.list()] == ["c.json"]
	asked = sum(request.method == "POST" for request in server.requests)
	s3.delete(["c.json"])
	assert list(s3.list()) == []
	assert sum(request.method == "POST" for request in server.requests) == asked  # it is known by now


def test_one_by_one_what_is_refused_stops_no_other(s3: Storage, server: FaultyServer) -> None:
	for name in ("a.json", "b.json", "c.json"):
		s3.put(upload(name))

	def rule(request: Request) -> Fault | None:
		if request.method == "POST":
			return s3_error(501, "NotImplemented")
		return (
			s3_error(403, "AccessDenied")
			if (request.method, "b.json" in request.path) == ("DELETE", True)
			else None
		)

	server.by_rule(rule)
	with pytest.raises(StorageConfigurationError, match=r"1 of 3 files, .*'b\.json'") as caught:
		s3.delete(["a.json", "b.json", "c.json"])
	assert caught.value.remaining == ("b.json",)
	assert [found.path for found in s3.list()] == ["b.json"]


def test_what_no_batch_is_asked_for_remains_too(
	s3: Storage, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(s3_api, "DELETE_BATCH", 2)
	server.by_rule(lambda request: s3_error(403, "AccessDenied") if request.method == "POST" else None)
	paths = [f"{number}.json" for number in range(5)]
	with pytest.raises(StorageConfigurationError, match="5 of 5 files") as caught:
		s3.delete(paths)
	assert caught.value.remaining == tuple(paths)
	assert sum(request.method == "POST" for request in server.requests) == 1


def test_a_bucket_that_is_missing(s3_settings: StorageSettings) -> None:
	with storages.open(replace(s3_settings, bucket_name="never-made")) as storage:
		for use in (
			lambda: storage.put(upload("a.json")),
			lambda: storage.put(upload("a.json"), if_match="x"),
			lambda: storage.get("a.json"),
			lambda: list(storage.list()),
			lambda: storage.delete(["a.json"]),
		):
			with pytest.raises(StorageConfigurationError, match="no such bucket"):
				use()


class TestWrongKeys:
	"""moto checks signatures and rights itself when told to."""

	@pytest.fixture
	def reader(self, moto_url: str, admin, bucket: str):
		"""The keys of a user who may only read."""
		iam = boto3.client(
			"iam",
			endpoint_url=moto_url,
			region_name="us-east-1",
			aws_access_key_id=ACCESS_KEY,
			aws_secret_access_key=SECRET_KEY,
		)
		name = f"reader-{bucket}"
		iam.create_user(UserName=name)
		key = iam.create_access_key(UserName=name)["AccessKey"]
		iam.put_user_policy(
			UserName=name,
			PolicyName="read",
			PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":'
			'["s3:GetObject","s3:ListBucket"],"Resource":"*"}]}',
		)
		requests.post(f"{moto_url}/moto-api/reset-auth", data=b"0", timeout=5)
		yield key
		requests.post(f"{moto_url}/moto-api/reset-auth", data=b"Infinity", timeout=5)

	def open(self, settings: StorageSettings, moto_url: str, access_key: str, secret_key: str) -> Storage:
		return storages.open(
			replace(settings, endpoint_url=moto_url, access_key=access_key, secret_key=secret_key)
		)

	def test_they_are_told_apart(self, s3_settings: StorageSettings, moto_url: str, reader) -> None:
		known, secret = reader["AccessKeyId"], reader["SecretAccessKey"]
		with self.open(s3_settings, moto_url, known, secret) as storage:
			assert list(storage.list()) == []
			with pytest.raises(StorageConfigurationError, match="s3:PutObject"):
				storage.put(upload("a.json"))
		with self.open(s3_settings, moto_url, known, "wrong") as storage:
			with pytest.raises(StorageConfigurationError, match="secret key does not belong"):
				list(storage.list())
		with self.open(s3_settings, moto_url, "AKIAUNKNOWN", secret) as storage:
			with pytest.raises(StorageConfigurationError, match="access key is not known"):
				list(storage.list())

	def test_line_ends_after_keys_do_no_harm(
		self, s3_settings: StorageSettings, moto_url: str, reader
	) -> None:
		with self.open(
			s3_settings, moto_url, f"{reader['AccessKeyId']}\n", f"{reader['SecretAccessKey']}\n"
		) as storage:
			assert list(storage.list()) == []


class TestR2:
	def test_writes_to_one_key_are_spaced(
		self, on_r2: Storage, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
	) -> None:
		clock = _Clock(monkeypatch)
		server.always(Answer(200, headers={"ETag": '"x"'}))
		for path in ("a.json", "a.json", "b.json", "a.json"):
			on_r2.put(upload(path))
		assert clock.slept == [1.0, 1.0], "b.json did not wait"

	def test_writes_to_other_keys_do_not_wait_nor_pile_up(
		self, on_r2: Storage, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
	) -> None:
		clock = _Clock(monkeypatch)
		server.always(Answer(200, headers={"ETag": '"x"'}))
		for number in range(50):
			on_r2.put(upload(f"{number}.json"))
			clock.now += 0.1
		assert clock.slept == []
		assert len(on_r2._spacing._free_at) <= 12, "what is free again is forgotten"

	def test_threads_at_one_key_queue_up(
		self, on_r2: Storage, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
	) -> None:
		monkeypatch.setattr(r2, "monotonic", lambda: 1000.0)
		slept: list[float] = []
		monkeypatch.setattr(r2, "sleep", slept.append)
		server.always(Answer(200, headers={"ETag": '"x"'}))
		with ThreadPoolExecutor(4) as pool:
			list(pool.map(lambda _: on_r2.put(upload("a.json")), range(4)))
		assert sorted(slept) == [1.0, 2.0, 3.0]


class TestThrottling:
	"""botocore itself waits for 429 only in newer versions, and never for Retry-After."""

	@pytest.fixture(autouse=True)
	def botocore_tries_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
		monkeypatch.setattr(limits, "ATTEMPTS", 1)

	def test_429_is_waited_out_as_long_as_asked(
		self, on_r2: Storage, server: FaultyServer, waited: list[float]
	) -> None:
		busy = s3_error(429, "TooManyRequests")
		server.next(busy, s3_error(429, "TooManyRequests", {"Retry-After": "3"}), busy)
		on_r2.put(upload("a.json", b"body"))
		assert 0.5 <= waited[0] <= 1 and 3 <= waited[1] < 3.3 and 2 <= waited[2] < 2.3
		for use in (
			lambda: on_r2.get("a.json"),
			lambda: list(on_r2.list()),
			lambda: on_r2.delete(["a.json"]),
		):
			server.next(s3_error(429, "TooManyRequests"))
			use()
		assert len(waited) == 6

	def test_429_without_end_is_given_up(
		self, on_r2: Storage, server: FaultyServer, waited: list[float]
	) -> None:
		server.always(s3_error(429, "TooManyRequests", {"Retry-After": "3600"}))
		with pytest.raises(StorageUnavailableError, match="fewer requests"):
			on_r2.put(upload("a.json"))
		assert len(waited) == s3_api.THROTTLED_ATTEMPTS
		assert max(waited) <= s3_api.LONGEST_WAIT + 0.3


class _Clock:
	"""A clock for writes to R2 that only sleeping moves."""

	def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
		self.now = 1000.0
		self.slept: list[float] = []
		monkeypatch.setattr(r2, "monotonic", lambda: self.now)
		monkeypatch.setattr(r2, "sleep", self._sleep)

	def _sleep(self, seconds: float) -> None:
		self.slept.append(round(seconds, 6))
		self.now += seconds
