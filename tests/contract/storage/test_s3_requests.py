"""What goes over the wire to S3 and R2: headers, checksums, connections, addressing."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from memora.exceptions import StorageConfigurationError
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, Upload, s3_obstore, s3_settings
from memora.tests.helpers.faulty_server import Answer, FaultyServer, Request, s3_error
from tests.contract.storage.conftest import upload
from tests.contract.storage.test_s3_settings import R2, S3


@pytest.fixture(params=["s3", "on_r2"])
def remote(request: pytest.FixtureRequest) -> Storage:
	return request.getfixturevalue(request.param)


def test_a_put_is_one_request_signed_with_version_4(remote: Storage, server: FaultyServer) -> None:
	remote.put(upload("a.json", b"{}"))
	[request] = server.requests
	headers = request.headers
	assert headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
	assert headers["x-amz-content-sha256"] == hashlib.sha256(b"{}").hexdigest()
	assert headers["content-type"] == "application/json; charset=utf-8"
	assert headers["cache-control"] == "public, max-age=300"
	assert headers["content-length"] == "2"
	assert "expect" not in headers
	odd = [name for name in headers if "md5" in name or "checksum" in name or "trailer" in name]
	assert not odd, "R2 and others refuse some; the signature covers the body"
	assert "content-encoding" not in headers and "transfer-encoding" not in headers


def test_a_bucket_with_object_lock_is_written(remote: Storage, server: FaultyServer) -> None:
	"""S3 refuses a PutObject without a checksum there (S3 User Guide, "Object Lock considerations")."""

	def locked(request: Request) -> Answer | None:
		if request.method != "PUT" or "content-md5" in request.headers:
			return None
		return s3_error(400, "InvalidRequest")

	server.by_rule(locked)
	remote.put(upload("a.json", b"{}"))
	assert remote.get("a.json") == b"{}"


def test_conditions_are_headers_of_that_put_only(remote: Storage, server: FaultyServer) -> None:
	etag = remote.put(upload("a.json"), if_absent=True)
	remote.put(upload("a.json", b"again"), if_match=etag)
	remote.put(upload("c.json"))
	absent, match, plain = (request.headers for request in server.requests)
	assert absent["if-none-match"] == "*" and "if-match" not in absent
	assert match["if-match"] == f'"{etag}"' and "if-none-match" not in match
	assert "if-match" not in plain and "if-none-match" not in plain
	assert "if-match" in match["authorization"], "the condition is covered by the signature"


def test_metadata_is_percent_encoded(s3: Storage, server: FaultyServer) -> None:
	s3.put(upload("a.json", metadata={"required-item": "مادة 50%", "version": "17"}))
	headers = server.requests[0].headers
	assert headers["x-amz-meta-required-item"] == "%D9%85%D8%A7%D8%AF%D8%A9%2050%25"
	assert headers["x-amz-meta-version"] == "17"


def test_a_delete_carries_the_checksum_that_every_server_knows(remote: Storage, server: FaultyServer) -> None:
	remote.put(upload("a.json"))
	remote.delete(["a.json"])
	request = server.requests[-1]
	assert request.method == "POST" and "delete" in request.path
	assert request.headers["content-md5"] == base64.b64encode(hashlib.md5(request.body).digest()).decode()
	assert not [name for name in request.headers if "checksum" in name]


def test_there_are_no_more_connections_than_writers(remote: Storage, server: FaultyServer) -> None:
	server.always(Answer(200, headers={"ETag": '"x"'}))
	with ThreadPoolExecutor(remote.writers) as pool:
		for _ in range(2):
			list(pool.map(lambda number: remote.put(upload(f"{number}.json")), range(2 * remote.writers)))
	assert len({request.connection for request in server.requests}) <= remote.writers


def test_nothing_is_asked_before_it_is_needed(s3_settings: StorageSettings, server: FaultyServer) -> None:
	with storages.open(s3_settings):
		pass
	assert server.requests == []


ADDRESSES = [
	(S3, "https://lessons.s3.eu-central-1.amazonaws.com/plans/a%20b.json"),
	(replace(S3, region="us-east-1"), "https://lessons.s3.amazonaws.com/plans/a%20b.json"),
	(replace(S3, bucket_name="les.sons"), "https://s3.eu-central-1.amazonaws.com/les.sons/plans/a%20b.json"),
	(R2, f"{R2.endpoint_url}/lessons/plans/a%20b.json"),
	(replace(S3, endpoint_url="https://s3.example.com"), "https://s3.example.com/lessons/plans/a%20b.json"),
]
"""Each as settings, and where `plans/a b.json` is by them."""
each_address = pytest.mark.parametrize(
	("settings", "url"), ADDRESSES, ids=["AWS", "us-east-1", "dotted", "R2", "other"]
)


@each_address
def test_the_address_that_requests_go_to(settings: StorageSettings, url: str) -> None:
	asked: list[str] = []

	def answer(request, **_):
		asked.append(request.url)
		return AWSResponse(request.url, 200, {"ETag": '"x"'}, _Empty())

	with storages.open(settings) as storage:
		storage._api._client.meta.events.register("before-send.s3", answer)
		storage.put(Upload("plans/a b.json", b"x" * (s3_obstore.LARGEST + 1), ""))
		signed = storage.address
	assert asked == [url]
	assert url == f"{signed}/plans/a%20b.json", "links are signed for the address that is written to"


@each_address
def test_obstore_writes_to_the_same_address(
	settings: StorageSettings, url: str, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
	"""Asked of a proxy, which is told the whole address of what is not encrypted."""
	plain = "http://" + url.removeprefix("https://")
	monkeypatch.setenv("http_proxy", server.url)
	monkeypatch.setenv("no_proxy", "")
	monkeypatch.setattr(s3_obstore, "_HINDERING", ())
	monkeypatch.setattr(
		s3_settings, "address", lambda place, of=s3_settings.address: of(place).replace("https", "http")
	)
	server.always(Answer(200, headers={"ETag": hashlib.md5(b"{}").hexdigest()}))
	with storages.open(settings) as storage:
		storage.put(upload("plans/a b.json"))
	request = server.requests[0]
	assert request.path == plain and request.method == "PUT"


def test_each_region_of_aws_is_where_botocore_has_it() -> None:
	session = boto3.session.Session()
	for partition in session.get_available_partitions():
		for region in session.get_available_regions("s3", partition):
			client = session.client(
				"s3", region_name=region, aws_access_key_id="a", aws_secret_access_key="b"
			)
			settings = replace(S3, region=region)
			assert s3_settings.address(s3_settings.aws(settings)) == client.meta.endpoint_url


class _Empty:
	def stream(self, **_):
		return iter(())


@pytest.mark.parametrize(
	"answer",
	[
		s3_error(301, "PermanentRedirect", {"x-amz-bucket-region": "eu-west-1"}),
		s3_error(400, "AuthorizationHeaderMalformed", extra="<Region>eu-west-1</Region>"),
		s3_error(400, "IllegalLocationConstraintException", {"x-amz-bucket-region": "eu-west-1"}),
	],
	ids=lambda answer: str(answer.status),
)
def test_a_wrong_region_is_told_not_followed(s3: Storage, server: FaultyServer, answer: Answer) -> None:
	"""Silently followed, each signed link would carry the wrong region."""
	server.always(answer)
	for use in (lambda: s3.put(upload("a.json")), lambda: list(s3.list()), lambda: s3.delete(["a.json"])):
		with pytest.raises(StorageConfigurationError, match="region eu-west-1, not in us-east-1"):
			use()
	assert len(server.requests) == 4, "one by obstore, then each by botocore once"


def test_a_wrong_region_is_told_where_answers_have_no_body(s3: Storage, server: FaultyServer) -> None:
	server.always(Answer(400, headers={"x-amz-bucket-region": "eu-west-1"}))
	with pytest.raises(StorageConfigurationError, match="region eu-west-1, not in us-east-1"):
		s3.head("a.json")
