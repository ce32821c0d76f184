"""From what an admin has typed to where a bucket is: endpoint, region, bucket and keys, checked without network.

Forgiving where the meaning is plain (white space and line ends around keys, a trailing slash, the bucket's
name in the endpoint), strict where it is not: each error names the field and how to fix it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from memora.exceptions import PreconditionFailedError, StorageConfigurationError
from memora.services.cdn_export.storage.base import StorageSettings
from memora.services.cdn_export.storage.s3_links import Links

CONNECT_SECONDS = 5
READ_SECONDS = 30  # between two bytes, not for the whole answer
ATTEMPTS = 4  # of a call on 5xx, throttling and broken connections, with pauses of 0 to 1, 2 and 4 s

# Of AWS's regions that are apart from the others, by how their names begin; botocore's endpoints.json has them.
_DOMAINS = {
	"cn-": "amazonaws.com.cn",
	"eusc-": "amazonaws.eu",
	"us-iso-": "c2s.ic.gov",
	"us-isob-": "sc2s.sgov.gov",
	"us-isof-": "csp.hci.ic.gov",
	"eu-isoe-": "cloud.adc-e.uk",
}

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_AWS_HOST = re.compile(
	r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(?:\.cn)?"
)
_R2_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?[0-9a-f]{32}(?:\.[a-z]+)?\.r2\.cloudflarestorage\.com")


@dataclass(frozen=True, slots=True)
class Place:
	"""A bucket and the way to it. `url` is "" where the region alone says it (AWS)."""

	provider: str
	url: str
	region: str
	bucket: str
	access_key: str = field(repr=False)
	secret_key: str = field(repr=False)
	virtual: bool = False  # https://bucket.host/key rather than https://host/bucket/key
	is_aws: bool = False


def aws(settings: StorageSettings) -> Place:
	"""A bucket on AWS when no endpoint is given or it is one of Amazon's, else on another S3 server."""
	bucket = _bucket(settings)
	url = _endpoint(settings, bucket)
	host = urlsplit(url).hostname or ""
	amazon = _AWS_HOST.fullmatch(host)
	region = settings.region.strip()
	if url and not amazon:
		return _place(settings, url, region or "us-east-1", bucket)
	if amazon:
		_demand_https(url)
		region = region or amazon["region"] or ""
	if not region:
		raise _wrong("Region", "is missing", f"enter the region of the bucket {bucket}, such as eu-central-1")
	# A certificate for *.s3.amazonaws.com does not cover a bucket's name with a dot in it.
	return _place(settings, "", region, bucket, virtual="." not in bucket, is_aws=True)


def r2(settings: StorageSettings) -> Place:
	"""A bucket on Cloudflare R2. Its region is always "auto"."""
	bucket = _bucket(settings)
	url = _endpoint(settings, bucket)
	example = (
		"https://<account id>.r2.cloudflarestorage.com, as R2's page in the Cloudflare dashboard shows it"
	)
	if not url:
		raise _wrong("Endpoint URL", "is missing", f"for Cloudflare R2 it is {example}")
	host = urlsplit(url).hostname or ""
	if host.endswith((".r2.dev", ".cloudflare.com")):
		raise _wrong("Endpoint URL", f"is {url}, where files are read, not written", f"enter {example}")
	if host.endswith("cloudflarestorage.com"):
		if not _R2_HOST.fullmatch(host):
			raise _wrong(
				"Endpoint URL", f"is {url}, which has no account id of 32 characters", f"enter {example}"
			)
		_demand_https(url)
	return _place(settings, url, "auto", bucket)


def lost(place: Place, path: str) -> PreconditionFailedError:
	"""The error of a conditional write that has lost."""
	return PreconditionFailedError(
		f"{path} in the bucket {place.bucket} was not written: somebody else has written it meanwhile, or it is gone."
	)


def address(place: Place) -> str:
	"""Where the place's server answers, as scheme://host[:port], without the bucket's name."""
	if place.url:
		return place.url
	domain = next(
		(name for begin, name in _DOMAINS.items() if place.region.startswith(begin)), "amazonaws.com"
	)
	# The oldest region has kept the address that named none.
	return f"https://s3.{domain}" if place.region == "us-east-1" else f"https://s3.{place.region}.{domain}"


def links(settings: StorageSettings) -> Links | None:
	"""What recognises links into the bucket that the settings name, for which no key is needed; None while they name
	none, or none that can be."""
	if settings.provider not in ("AWS S3", "Cloudflare R2"):
		return None
	try:
		bucket = _bucket(settings)
		url = _endpoint(settings, bucket)
	except StorageConfigurationError:
		return None
	is_aws = settings.provider == "AWS S3" and (
		not url or bool(_AWS_HOST.fullmatch(urlsplit(url).hostname or ""))
	)
	return Links(bucket, url, settings.cdn_base_url, is_aws, settings.video_folders, settings.gate_url)


def _place(
	settings: StorageSettings, url: str, region: str, bucket: str, virtual: bool = False, is_aws: bool = False
) -> Place:
	if not _REGION.fullmatch(region):
		raise _wrong(
			"Region", f"is {region!r}", "a region looks like eu-central-1; for Cloudflare R2 it is auto"
		)
	return Place(
		provider=settings.provider,
		url=url,
		region=region,
		bucket=bucket,
		access_key=_key("Access Key", settings.access_key),
		secret_key=_key("Secret Key", settings.secret_key),
		virtual=virtual,
		is_aws=is_aws,
	)


def _bucket(settings: StorageSettings) -> str:
	bucket = settings.bucket_name.strip()
	if not bucket:
		raise _wrong("Bucket Name", "is missing", "enter the name of the bucket to publish to")
	if not _BUCKET.fullmatch(bucket) or ".." in bucket:
		raise _wrong(
			"Bucket Name",
			f"is {bucket!r}, which no bucket can be called",
			"it has 3 to 63 lower-case letters, digits, dots and hyphens, and no path or URL",
		)
	return bucket


def _endpoint(settings: StorageSettings, bucket: str) -> str:
	"""The endpoint as scheme://host[:port], "" for none. The bucket's name, which the providers' own pages
	show as a part of it, is taken off."""
	typed = settings.endpoint_url.strip()
	if not typed:
		return ""
	field_is = f"is {without_secrets(typed)}"
	try:
		parts = urlsplit(typed)
		port = parts.port
	except ValueError:
		raise _wrong("Endpoint URL", f"{field_is}, which is no URL", "enter it as https://host") from None
	host = parts.hostname or ""
	if parts.scheme not in ("http", "https") or not host:
		raise _wrong("Endpoint URL", f"{field_is}, which is no URL", "enter it as https://host")
	if parts.username or parts.password:
		raise _wrong(
			"Endpoint URL", f"{field_is} with a user in it", "leave it out; keys have their own fields"
		)
	if not re.fullmatch(r"[a-z0-9.:_-]+", host) or ".." in host:
		raise _wrong("Endpoint URL", f"{field_is}, whose host {host!r} is none", "enter it as https://host")
	path = parts.path.strip("/")
	if parts.query or parts.fragment or path not in ("", bucket):
		raise _wrong(
			"Endpoint URL",
			f"{field_is}, with something after the host",
			"leave the path off; the bucket goes into Bucket Name, and files always stand at its top",
		)
	known = _AWS_HOST.fullmatch(host) or _R2_HOST.fullmatch(host)
	if known and known["bucket"]:
		if known["bucket"] != bucket:
			raise _wrong(
				"Endpoint URL", f"{field_is}, of another bucket than {bucket}", "leave that name off"
			)
		host = host.removeprefix(f"{bucket}.")
	shown = f"[{host}]" if ":" in host else host
	return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def _demand_https(url: str) -> None:
	if not url.startswith("https:"):
		raise _wrong("Endpoint URL", f"is {url}, which does not encrypt", "begin it with https://")


def _key(field_name: str, typed: str) -> str:
	key = typed.strip()  # a line end comes along when a key is pasted
	if not key:
		raise _wrong(field_name, "is missing", "enter the key that may write to the bucket")
	if not key.isascii() or not key.isprintable() or " " in key:
		raise _wrong(field_name, "holds a space or another character that no key has", "paste it again")
	return key


def without_secrets(url: str) -> str:
	"""What was typed as a URL, as it may be shown and logged: without a user, a password or a query, also where it is no
	URL at all."""
	scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url)
	begin = scheme[0] if scheme else ""
	_user, at, rest = url.removeprefix(begin).rpartition("@")
	place, mark, _secret = re.match(r"([^?#]*)([?#]?)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
	return f"{begin}{'…@' if at else ''}{place}{mark}{'…' if mark else ''}"


def _wrong(field_name: str, what: str, fix: str) -> StorageConfigurationError:
	return StorageConfigurationError(f"{field_name} {what}. In CDN Settings, {fix}.")
