"""What memora keeps obstore from: variables of the machine, forked processes, and tries that lead nowhere."""

from __future__ import annotations

import importlib.resources
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from memora.exceptions import PreconditionFailedError, StorageError, StorageUnavailableError
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, s3_obstore
from memora.services.cdn_export.storage.s3_errors import Explainer
from memora.services.cdn_export.storage.s3_settings import aws as s3_settings_of
from memora.tests.helpers.faulty_server import Answer, Cut, FaultyServer, Request, s3_error
from tests.contract.storage.conftest import ACCESS_KEY, SECRET_KEY, upload

MEANT = {
	"AWS_CHECKSUM_ALGORITHM": "sha256",
	"AWS_SERVER_SIDE_ENCRYPTION": "AES256",
	"AWS_CONDITIONAL_PUT": "etag",
}
"""Values that obstore knows for those variables where any other is an error."""
FLAGS = re.compile("SKIP|UNSIGNED|DISABLE|PAYER|EXPRESS|VIRTUAL|FALLBACK|ENABLED|ALLOW_HTTP|ACCELERATE")


def _variables() -> list[str]:
	"""Every variable that obstore's own page of settings names, and some that it knows without naming them."""
	page = importlib.resources.files("obstore").joinpath("_store/_aws.pyi").read_text()
	named = re.findall(r"`(AWS_[A-Z0-9_]+)`", page)
	assert len(named) > 25, "obstore names its variables elsewhere now"
	return sorted(
		{*named, "AWS_ALLOW_HTTP", "AWS_USE_ACCELERATE_ENDPOINT", "AWS_TOKEN", "AWS_PROXY_URL", "AWS_TIMEOUT"}
	)


@pytest.fixture
def other() -> FaultyServer:
	with FaultyServer() as running:
		running.always(Answer(200, headers={"ETag": '"diverted"'}))
		yield running


@pytest.mark.parametrize("name", _variables())
def test_no_variable_of_the_machine_changes_what_is_sent(
	s3_settings: StorageSettings,
	server: FaultyServer,
	other: FaultyServer,
	monkeypatch: pytest.MonkeyPatch,
	name: str,
) -> None:
	def asked() -> list[Request]:
		server.requests.clear()
		with storages.open(s3_settings) as storage:
			storage.put(upload("a.json", b"{}", metadata={"version": "1"}))
			assert storage.get("a.json") == b"{}"
		return list(server.requests)

	usual = asked()
	value = MEANT.get(name) or ("true" if FLAGS.search(name) else other.url)
	monkeypatch.setenv(name, value)
	monkeypatch.setenv(name.lower(), value)
	told = asked()
	assert [(request.method, request.path) for request in told] == [
		(request.method, request.path) for request in usual
	]
	for before, after in zip(usual, told, strict=True):
		assert _meaning(after) == _meaning(before)
	assert other.requests == []


def _meaning(request: Request) -> tuple[object, ...]:
	"""What of a request the server acts upon, whichever client has written it."""
	headers = {
		name: value
		for name, value in request.headers.items()
		if name.startswith(("x-amz-", "if-", "cache-", "content-type")) and name not in ("x-amz-date",)
	}
	credential = re.search(r"Credential=(\S+?),", request.headers["authorization"])
	if request.method == "GET":
		headers.pop("content-type", None)
	return headers, credential and credential[1], request.body


FORKED = """
import multiprocessing, os, signal, sys
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import StorageSettings, Upload

storage = storages.open(StorageSettings("AWS S3", {url!r}, "us-east-1", {bucket!r}, {access!r}, {secret!r}))
put = lambda path: storage.put(Upload(path, b"body", ""))

"""


@pytest.mark.parametrize(
	"fork",
	[
		"""
		child = os.fork()
		if not child:
			signal.alarm(20)
			put("child.json")
			os._exit(0)
		assert os.waitpid(child, 0)[1] == 0
		""",
		"""
		def work(path):
			signal.alarm(20)
			return put(path)

		with multiprocessing.get_context("fork").Pool(2) as pool:
			assert all(pool.map(work, ["child.json", "b.json", "c.json"]))
		""",
		"""
		child = os.fork()
		if not child:
			signal.alarm(20)
			put("between.json")
			grandchild = os.fork()
			if not grandchild:
				signal.alarm(20)
				put("child.json")
				os._exit(0)
			assert os.waitpid(grandchild, 0)[1] == 0
			sys.exit(0)
		assert os.waitpid(child, 0)[1] == 0
		""",
	],
	ids=["fork", "pool", "grandchild"],
)
def test_a_process_forked_after_a_write_writes_too(
	moto_settings: StorageSettings, bucket: str, admin, fork: str
) -> None:
	"""obstore's threads are not in the child, where each call would wait for ever."""
	begin = FORKED.format(url=moto_settings.endpoint_url, bucket=bucket, access=ACCESS_KEY, secret=SECRET_KEY)
	script = f'{begin}\nput("parent.json")\n{textwrap.dedent(fork)}\nput("after.json")\n'
	done = subprocess.run(
		[sys.executable, "-c", script], timeout=60, capture_output=True, text=True, env={**os.environ}
	)
	assert done.returncode == 0, done.stderr
	found = {entry["Key"] for entry in admin.list_objects_v2(Bucket=bucket)["Contents"]}
	assert {"parent.json", "child.json", "after.json"} <= found


def test_an_ordinary_run_never_loads_botocore(moto_settings: StorageSettings, bucket: str) -> None:
	begin = FORKED.format(url=moto_settings.endpoint_url, bucket=bucket, access=ACCESS_KEY, secret=SECRET_KEY)
	script = (
		f'{begin}\netag = put("a.json")\nassert storage.get("a.json") == b"body"\n'
		'storage.put(Upload("a.json", b"2", ""), if_match=etag)\n'
		'storage.put(Upload("b.json", b"2", ""), if_absent=True)\n'
		'assert not {"boto3", "botocore"} & set(sys.modules), "loaded"\n'
	)
	done = subprocess.run([sys.executable, "-c", script], timeout=60, capture_output=True, text=True)
	assert done.returncode == 0, done.stderr


class TestRest:
	"""A server that obstore cannot talk to is not asked twice for each file."""

	def test_after_some_failures_all_is_botocores(
		self, s3: Storage, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
	) -> None:
		now = [1000.0]
		monkeypatch.setattr(s3_obstore, "monotonic", lambda: now[0])

		def no_md5(request: Request) -> Answer | None:
			return None if "content-md5" in request.headers else s3_error(400, "InvalidRequest")

		server.by_rule(no_md5)
		for number in range(s3_obstore.PATIENCE + 2):
			s3.put(upload(f"{number}.json"))
		assert len(server.requests) == 2 * s3_obstore.PATIENCE + 2
		server.requests.clear()
		now[0] += s3_obstore.REST_SECONDS
		s3.put(upload("later.json"))
		assert len(server.requests) == 2, "it may be over"

	def test_a_success_in_between_forgives(self, s3: Storage, server: FaultyServer, no_waiting) -> None:
		for number in range(2 * s3_obstore.PATIENCE):
			server.next(Cut())
			s3.put(upload(f"{number}-a.json"))
			s3.put(upload(f"{number}-b.json"))
		assert len(server.requests) == 6 * s3_obstore.PATIENCE

	def test_a_lost_condition_is_no_failure_and_one_request(self, s3: Storage, server: FaultyServer) -> None:
		s3.put(upload("a.json"))
		server.requests.clear()
		for _ in range(2 * s3_obstore.PATIENCE):
			with pytest.raises(StorageError):
				s3.put(upload("a.json"), if_absent=True)
			with pytest.raises(StorageError):
				s3.put(upload("a.json"), if_match="x")
		assert len(server.requests) == 4 * s3_obstore.PATIENCE


class TestWhatIsNoS3Server:
	"""obstore follows some redirects; what answers there is not to be believed."""

	PAGE = Answer(200, b"<html>please sign in</html>", {"ETag": '"of-a-page"', "Content-Type": "text/html"})

	def to_a_page(self, request: Request) -> Answer | None:
		if "sign-in" in request.path:
			return self.PAGE
		return Answer(303, headers={"Location": "/sign-in"})

	def test_a_write_that_is_led_to_a_page_is_none(self, s3: Storage, server: FaultyServer) -> None:
		server.by_rule(self.to_a_page)
		with pytest.raises(StorageError):
			s3.put(upload("a.json"))
		with pytest.raises(StorageError):
			s3.put(upload("a.json"), if_absent=True)

	def test_a_page_is_no_object(self, s3: Storage, server: FaultyServer) -> None:
		server.by_rule(self.to_a_page)
		with pytest.raises(StorageError):
			s3.get("a.json")

	def test_a_server_with_etags_of_its_own_is_asked_once(self, s3: Storage, server: FaultyServer) -> None:
		"""As with KMS: they are no MD5."""
		server.always(Answer(200, headers={"ETag": '"its-own"'}))
		for number in range(5):
			assert s3.put(upload(f"{number}.json")) == "its-own"
		assert [request.method for request in server.requests] == ["PUT", "HEAD", *["PUT"] * 4]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "http_proxy"])
def test_where_there_is_a_proxy_all_is_botocores(
	s3_settings: StorageSettings, server: FaultyServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
	"""The two read `NO_PROXY` differently: one would go by a proxy that the other leaves out."""
	monkeypatch.setenv(name, "http://127.0.0.1:1")
	monkeypatch.setenv("NO_PROXY", "127.0.0.1")
	with storages.open(s3_settings) as storage:
		storage.put(upload("a.json"))
		assert storage.at_once <= storage.threads
	assert "content-md5" in server.requests[-1].headers


@pytest.mark.parametrize("proxy", ["http://user:secretpw@127.0.0.1:1", "socks5://user:secretpw@127.0.0.1:1"])
def test_a_proxy_that_is_down_is_named_without_its_password(
	s3_settings: StorageSettings, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
	monkeypatch.setenv("http_proxy", "http://user:secretpw@127.0.0.1:1")
	monkeypatch.setenv("no_proxy", "")
	with (
		storages.open(s3_settings) as storage,
		pytest.raises(StorageUnavailableError, match="proxy") as caught,
	):
		storage.put(upload("a.json"))
	assert "secretpw" not in str(caught.value)


def test_whatever_botocore_says_names_no_user_of_an_address(s3_settings: StorageSettings) -> None:
	explainer = Explainer(s3_settings_of(s3_settings), (ACCESS_KEY, SECRET_KEY))
	error = explainer.explain(ValueError("no way through http://user:secretpw@host:1/"), "write", "a.json")
	assert "secretpw" not in str(error) and "http://…@host:1/" in str(error)


def test_304_to_a_read_is_no_lost_condition(s3: Storage, server: FaultyServer) -> None:
	server.always(Answer(304))
	with pytest.raises(StorageError):
		s3.get("a.json")


def test_412_without_a_condition_is_the_servers_fault(s3: Storage, server: FaultyServer) -> None:
	server.always(s3_error(412, "PreconditionFailed"))
	with pytest.raises(StorageError) as caught:
		s3.put(upload("a.json"))
	assert not isinstance(caught.value, PreconditionFailedError)


def test_the_same_bytes_of_somebody_else_are_not_ours(
	s3: Storage, server: FaultyServer, admin, bucket: str
) -> None:
	"""The first try's answer was lost, and another site has written the same bytes under its own name."""

	def theirs(request: Request) -> Answer | None:
		if request.method != "PUT" or len(server.requests) > 1:
			return None
		admin.put_object(Bucket=bucket, Key="a.json", Body=request.body, Metadata={"site": "theirs"})
		return s3_error(503, "SlowDown")

	server.by_rule(theirs)
	with pytest.raises(PreconditionFailedError):
		s3.put(upload("a.json", b"same", metadata={"site": "ours"}), if_absent=True)


def test_a_closed_storage_keeps_no_connection(s3_settings: StorageSettings, server: FaultyServer) -> None:
	storage = storages.open(s3_settings)
	storage.put(upload("a.json"))
	storage.close()
	assert storage._obstore._store is None


def test_large_objects_and_files_are_botocores(s3: Storage, server: FaultyServer) -> None:
	s3.put(upload("large.json", b"x" * (s3_obstore.LARGEST + 1)))
	assert "content-md5" in server.requests[-1].headers


def test_a_machine_that_asks_for_encryption_is_not_obeyed_by_halves(
	s3_settings: StorageSettings, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms")
	with storages.open(replace(s3_settings)) as storage:
		storage.put(upload("a.json"))
	assert "x-amz-server-side-encryption" not in server.requests[-1].headers
