"""What admins type into CDN Settings: what is understood, and what is refused with which words. No network."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memora.exceptions import StorageConfigurationError
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import StorageSettings, s3_settings

S3 = StorageSettings(
	"AWS S3", region="eu-central-1", bucket_name="lessons", access_key="AKIATESTKEY", secret_key="a-secret"
)
R2_HOST = "0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com"
R2 = replace(S3, provider="Cloudflare R2", endpoint_url=f"https://{R2_HOST}", region="")


@pytest.mark.parametrize(
	("endpoint", "understood"),
	[
		("https://s3.example.com", "https://s3.example.com"),
		("https://s3.example.com/", "https://s3.example.com"),
		("  https://s3.example.com\n", "https://s3.example.com"),
		("https://S3.Example.com", "https://s3.example.com"),
		("https://s3.example.com/lessons", "https://s3.example.com"),
		("https://s3.example.com/lessons/", "https://s3.example.com"),
		("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
		("http://minio:9000/", "http://minio:9000"),
		("http://[::1]:9000", "http://[::1]:9000"),
		("https://192.0.2.7", "https://192.0.2.7"),
		("", ""),
		("https://s3.eu-central-1.amazonaws.com", ""),
		("https://lessons.s3.eu-central-1.amazonaws.com/", ""),
	],
)
def test_endpoints_understood(endpoint: str, understood: str) -> None:
	place = s3_settings.aws(replace(S3, endpoint_url=endpoint))
	assert place.url == understood
	assert place.virtual is place.is_aws is (understood == "")


@pytest.mark.parametrize(
	("endpoint", "words"),
	[
		("s3.example.com", "no URL"),
		("htps://s3.example.com", "no URL"),
		("https//s3.example.com", "no URL"),
		("https:/s3.example.com", "no URL"),
		("https://", "no URL"),
		("ftp://s3.example.com", "no URL"),
		("https://s3.example.com:port", "no URL"),
		("https://s3..example.com", "host"),
		("https://s3 example.com", "host"),
		("https://s3.example.com/some/path", "after the host"),
		("https://s3.example.com?x=1", "after the host"),
		("https://user:a-secret@s3.example.com", "user"),
		("https://other.s3.eu-central-1.amazonaws.com", "another bucket"),
		("http://s3.eu-central-1.amazonaws.com", "encrypt"),
	],
)
def test_endpoints_refused(endpoint: str, words: str) -> None:
	with pytest.raises(StorageConfigurationError, match=words) as refused:
		storages.open(replace(S3, endpoint_url=endpoint))
	assert "Endpoint URL" in str(refused.value) and "CDN Settings" in str(refused.value)
	assert "a-secret" not in str(refused.value)


@pytest.mark.parametrize(
	("endpoint", "understood"),
	[
		(f"https://{R2_HOST}", f"https://{R2_HOST}"),
		(f"https://{R2_HOST}/lessons/", f"https://{R2_HOST}"),
		(f"https://lessons.{R2_HOST}", f"https://{R2_HOST}"),
		(
			R2.endpoint_url.replace(".r2.", ".eu.r2."),
			"https://0123456789abcdef0123456789abcdef.eu.r2.cloudflarestorage.com",
		),
	],
)
def test_endpoints_of_r2_understood(endpoint: str, understood: str) -> None:
	place = s3_settings.r2(replace(R2, endpoint_url=endpoint))
	assert (place.url, place.region, place.virtual) == (understood, "auto", False)


@pytest.mark.parametrize(
	("endpoint", "words"),
	[
		("", "is missing"),
		("https://pub-0123.r2.dev", "read, not written"),
		("https://dash.cloudflare.com", "read, not written"),
		("https://r2.cloudflarestorage.com", "account id"),
		("https://myaccount.r2.cloudflarestorage.com", "account id"),
		(f"http://{R2_HOST}", "encrypt"),
		(f"https://{R2_HOST}/other", "after the host"),
	],
)
def test_endpoints_of_r2_refused(endpoint: str, words: str) -> None:
	with pytest.raises(StorageConfigurationError, match=words):
		storages.open(replace(R2, endpoint_url=endpoint))


def test_the_region_of_r2_is_auto_whatever_is_typed() -> None:
	assert s3_settings.r2(replace(R2, region="eu-west-1")).region == "auto"


@pytest.mark.parametrize(
	("change", "field", "words"),
	[
		({"bucket_name": ""}, "Bucket Name", "missing"),
		({"bucket_name": "Lessons"}, "Bucket Name", "lower-case"),
		({"bucket_name": "lessons/folder"}, "Bucket Name", "no path"),
		({"bucket_name": "https://lessons"}, "Bucket Name", "no path"),
		({"bucket_name": "a..b"}, "Bucket Name", "called"),
		({"region": ""}, "Region", "missing"),
		({"region": "Frankfurt am Main"}, "Region", "looks like"),
		({"access_key": ""}, "Access Key", "missing"),
		({"secret_key": " \n"}, "Secret Key", "missing"),
		({"secret_key": "two words"}, "Secret Key", "paste it again"),
		({"secret_key": "line\nline"}, "Secret Key", "paste it again"),
		({"access_key": "ключ"}, "Access Key", "paste it again"),
		({"provider": "Azure"}, "Storage Provider", "Local Directory"),
	],
)
def test_what_cannot_be_right_names_its_field(change: dict[str, str], field: str, words: str) -> None:
	with pytest.raises(StorageConfigurationError, match=words) as refused:
		storages.open(replace(S3, **change))
	assert field in str(refused.value) and "CDN Settings" in str(refused.value)
	for secret in ("two words", "line\nline", "a-secret"):
		assert secret not in str(refused.value)


def test_line_ends_around_keys_are_not_part_of_them() -> None:
	place = s3_settings.aws(replace(S3, access_key=" AKIATESTKEY\n", secret_key="a-secret\r\n"))
	assert (place.access_key, place.secret_key) == ("AKIATESTKEY", "a-secret")


def test_the_region_is_taken_from_amazons_endpoint() -> None:
	place = s3_settings.aws(
		replace(S3, region="", endpoint_url="https://s3.ap-southeast-2.amazonaws.com/lessons")
	)
	assert place.region == "ap-southeast-2"


def test_a_bucket_with_a_dot_is_reached_by_path() -> None:
	"""The certificate of *.s3.amazonaws.com covers one label only."""
	with storages.open(replace(S3, bucket_name="lessons.example.org")) as storage:
		assert storage.address == "https://s3.eu-central-1.amazonaws.com/lessons.example.org"
	with storages.open(S3) as storage:
		assert storage.address == "https://lessons.s3.eu-central-1.amazonaws.com"


def test_secrets_stay_out_of_reprs() -> None:
	assert "a-secret" not in repr(S3) and "a-secret" not in repr(s3_settings.aws(S3))
	with storages.open(S3) as storage:
		assert "a-secret" not in repr(storage) and "a-secret" not in storage.target


def test_variables_of_the_machine_do_not_divert_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("AWS_ENDPOINT_URL", "https://elsewhere.example")
	monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
	with storages.open(S3) as storage:
		assert storage.address == "https://lessons.s3.eu-central-1.amazonaws.com"
