"""Storages to test: a local directory, S3 and R2 on moto's server over HTTP, R2 with its limit on writes, and S3 on
SeaweedFS.

With MEMORA_TRY_PROVIDER set, the shared suite also runs against a real account's bucket, which must be empty:
docs/storage.md, "With an account", has the command.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, Upload, r2
from memora.tests.helpers import seaweedfs
from memora.tests.helpers.faulty_server import FaultyServer, Request, s3_error
from memora.tests.helpers.moto import moto
from memora.tests.helpers.seaweedfs import ACCESS_KEY, SECRET_KEY

SEAWEEDFS = "AWS S3 on SeaweedFS"
PROVIDERS = {
	"Local Directory": "local_settings",
	"AWS S3": "moto_settings",
	"Cloudflare R2": "r2_settings",
	SEAWEEDFS: "seaweedfs_settings",
}
"""Whom the shared suite runs against, each with the fixture that gives its settings."""

if os.environ.get("MEMORA_TRY_PROVIDER"):
	PROVIDERS["account"] = "account_settings"

Open = Callable[..., Storage]


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
	"""The address of an S3 server, on a free port, for the whole session."""
	with moto() as url:
		yield url


@pytest.fixture(scope="session")
def admin(moto_url: str):
	"""A client of boto3's own, to make buckets and look behind memora's back."""
	return seaweedfs.client(moto_url)


@pytest.fixture
def bucket(admin) -> str:
	name = f"memora-{secrets.token_hex(6)}"
	admin.create_bucket(Bucket=name)
	return name


@pytest.fixture
def server(moto_url: str) -> Iterator[FaultyServer]:
	"""What S3's clients talk to in tests of faults; moto stands behind it."""
	with FaultyServer(moto_url) as running:
		yield running


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
	"""Retries without their pauses; the pauses that memora itself would have made are noted."""
	waited: list[float] = []
	monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
	monkeypatch.setattr("memora.services.cdn_export.storage.s3_api.pause", waited.append)
	monkeypatch.setattr("memora.services.cdn_export.storage.s3.pause", waited.append)
	return waited


@pytest.fixture
def s3_settings(server: FaultyServer, bucket: str) -> StorageSettings:
	return StorageSettings(
		"AWS S3",
		endpoint_url=server.url,
		region="us-east-1",
		bucket_name=bucket,
		access_key=ACCESS_KEY,
		secret_key=SECRET_KEY,
	)


@pytest.fixture
def s3(s3_settings: StorageSettings) -> Iterator[Storage]:
	with storages.open(s3_settings) as opened:
		yield opened


@pytest.fixture
def on_r2(s3_settings: StorageSettings) -> Iterator[Storage]:
	with storages.open(replace(s3_settings, provider="Cloudflare R2", region="")) as opened:
		yield opened


@pytest.fixture
def local_settings(tmp_path: Path) -> StorageSettings:
	return StorageSettings("Local Directory", local_path=str(tmp_path / "public"))


@pytest.fixture
def local(local_settings: StorageSettings) -> Storage:
	return storages.open(local_settings)


@pytest.fixture
def account_settings() -> Iterator[StorageSettings]:
	"""A real account's bucket, empty before and after."""
	names = ("PROVIDER", "ENDPOINT_URL", "REGION", "BUCKET_NAME", "ACCESS_KEY", "SECRET_KEY", "CDN_BASE_URL")
	if not os.environ.get("MEMORA_TRY_PROVIDER"):
		pytest.skip("no account to try: see docs/storage.md")
	settings = StorageSettings(**{name.lower(): os.environ.get(f"MEMORA_TRY_{name}", "") for name in names})
	with storages.open(settings) as storage:
		if any(True for _ in storage.list()):
			pytest.exit(f"The bucket {settings.bucket_name} is not empty, and its files are left alone.")
		yield settings
		storage.delete([found.path for found in storage.list()])


@pytest.fixture
def moto_settings(s3_settings: StorageSettings, moto_url: str) -> StorageSettings:
	"""Without the faulty server between."""
	return replace(s3_settings, endpoint_url=moto_url)


@pytest.fixture
def r2_settings(
	s3_settings: StorageSettings, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> StorageSettings:
	"""With R2's limit on writes, its second a short one."""
	server.by_rule(_OneWritePerKey(0.02))
	monkeypatch.setattr(r2, "SPACING", 0.03)
	return replace(s3_settings, provider="Cloudflare R2")


@pytest.fixture
def seaweedfs_settings(request: pytest.FixtureRequest) -> StorageSettings:
	"""A bucket on SeaweedFS. What it is known to do otherwise must fail: docs/storage.md says what follows of it."""
	if why := _differs(request.node):
		request.applymarker(pytest.mark.xfail(reason=why, raises=AssertionError, strict=True))
	address = seaweedfs.url()
	name = f"memora-{secrets.token_hex(6)}"
	seaweedfs.client(address).create_bucket(Bucket=name)
	return StorageSettings("AWS S3", address, seaweedfs.REGION, name, ACCESS_KEY, SECRET_KEY)


def _differs(test: pytest.Function) -> str:
	if test.originalname == "test_metadata_without_a_value_comes_back":
		return "an empty value is dropped"
	if test.originalname == "test_list_is_in_the_order_of_bytes":
		return "files of a folder come before files whose name only begins as the folder's does"
	if "\\" in test.callspec.params.get("path", ""):
		return "a backslash becomes a slash"
	return ""


@pytest.fixture(params=PROVIDERS)
def open_another(request: pytest.FixtureRequest) -> Open:
	"""Opens storages that all lead to one place, as several workers do."""
	settings = request.getfixturevalue(PROVIDERS[request.param])
	return lambda **changes: storages.open(replace(settings, **changes))


@pytest.fixture
def storage(open_another: Open) -> Iterator[Storage]:
	with open_another() as opened:
		yield opened


class _OneWritePerKey:
	"""R2's limit, with a second that is shorter."""

	def __init__(self, second: float) -> None:
		self._second = second
		self._last: dict[str, float] = {}
		self._lock = threading.Lock()

	def __call__(self, request: Request):
		if request.method != "PUT":
			return None
		now = time.monotonic()
		with self._lock:
			too_soon = now - self._last.get(request.path, 0.0) < self._second
			if not too_soon:
				self._last[request.path] = now
		return s3_error(429, "TooManyRequests") if too_soon else None


def upload(path: str, body: bytes = b"{}", **options) -> Upload:
	"""An upload where only what matters is named."""
	return Upload(path, body, **{"cache_control": "public, max-age=300", **options})
