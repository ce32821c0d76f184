"""What S3 and R2 answer when something is wrong, as one sentence that says what to fix."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
	ClientError,
	ConnectTimeoutError,
	EndpointConnectionError,
	HTTPClientError,
	IncompleteReadError,
	ReadTimeoutError,
	SSLError,
)
from botocore.parsers import ResponseParserError

from memora.exceptions import StorageConfigurationError, StorageError, StorageUnavailableError
from memora.services.cdn_export.storage.s3_settings import Place

_WRONG_ACCESS_KEY = {"InvalidAccessKeyId", "InvalidClientTokenId", "Unauthorized", "InvalidToken", "401"}
_SKEWED = {"RequestTimeTooSkewed", "RequestExpired", "ExpiredRequest"}
_WRONG_REGION = {
	"AuthorizationHeaderMalformed",
	"PermanentRedirect",
	"TemporaryRedirect",
	"IllegalLocationConstraintException",
	"InvalidRegionName",
	"301",
	"307",
}
_FORBIDDEN = {
	"AccessDenied",
	"AllAccessDisabled",
	"AccountProblem",
	"NotSignedUp",
	"NotEntitled",
	"ObjectLockedByBucketPolicy",
	"403",
}
_FULL = {
	"QuotaExceeded",
	"ServiceQuotaExceeded",
	"InsufficientStorage",
	"XMinioAdminBucketQuotaExceeded",
	"507",
}
_SLOW_DOWN = {
	"SlowDown",
	"TooManyRequests",
	"TooManyRequestsException",
	"RequestLimitExceeded",
	"Throttling",
	"429",
}
_TOO_LARGE = {"EntityTooLarge", "KeyTooLongError", "MetadataTooLarge", "InvalidObjectName", "413"}
_NOT_S3 = {"404", "405", "MethodNotAllowed", "NotImplemented", "501"}
_CONFLICT = {"ConditionalRequestConflict", "OperationAborted", "409"}
_NO_S3 = "what answers there is no S3 server, or one that lacks this operation. Check Endpoint URL in CDN Settings."
_LARGEST_SKEW = 300  # seconds; S3 refuses at 900

# What a key must be allowed, by what it was used for.
_PERMISSION = {
	"write": "s3:PutObject",
	"read": "s3:GetObject, and s3:ListBucket, without which a file that is not there is refused too",
	"look up": "s3:GetObject, and s3:ListBucket, without which a file that is not there is refused too",
	"delete": "s3:DeleteObject",
	"list": "s3:ListBucket",
}


class Explainer:
	"""Turns the errors of calls on one bucket into our own."""

	def __init__(self, place: Place, secrets: tuple[str, ...]) -> None:
		self._place = place
		self._secrets = [secret for secret in secrets if secret]

	def explain(self, error: Exception, doing: str, path: str) -> StorageError:
		"""The error to raise: what could not be done with which file in which bucket, why, and the fix."""
		kind, why = self._why(error, doing)
		return kind(self._hide(f"{self._what(doing, path)}: {why}"))

	def no_s3(self, doing: str, path: str) -> StorageError:
		"""The error to raise when an answer looks fine but is not one of S3's."""
		return StorageConfigurationError(f"{self._what(doing, path)}: {_NO_S3}")

	def _what(self, doing: str, path: str) -> str:
		place = self._place
		where = f"the bucket {place.bucket} ({place.provider}, {place.url or place.region})"
		return f"Could not {doing} {path!r} in {where}" if path else f"Could not {doing} {where}"

	def _why(self, error: Exception, doing: str) -> tuple[type[StorageError], str]:
		if isinstance(error, ClientError):
			return self._answered(error.response, doing)
		if isinstance(error, SSLError):
			return StorageConfigurationError, (
				f"no secure connection ({error}). Check Endpoint URL in CDN Settings, and the certificates of "
				"the server and of this machine."
			)
		if isinstance(error, EndpointConnectionError):
			return StorageUnavailableError, (
				"the server cannot be found or refuses the connection. Check Endpoint URL and Region in CDN "
				"Settings for a typing error, and this machine's network and DNS."
			)
		if isinstance(error, (ConnectTimeoutError, ReadTimeoutError)):
			return StorageUnavailableError, (
				"no answer in time. Check the network, and the provider's status page; it is tried again."
			)
		if isinstance(error, (HTTPClientError, IncompleteReadError)):
			return StorageUnavailableError, (
				"the connection broke. Check the network, and the provider's status page; it is tried again."
			)
		if isinstance(error, ResponseParserError):
			return StorageConfigurationError, _NO_S3
		return StorageConfigurationError, (
			f"{str(error).rstrip('.')}. Check Endpoint URL and Region in CDN Settings."
		)

	def _answered(self, response: dict[str, Any], doing: str) -> tuple[type[StorageError], str]:
		error = response.get("Error", {})
		code, message = str(error.get("Code", "")), str(error.get("Message", ""))
		meta = response.get("ResponseMetadata", {})
		status = meta.get("HTTPStatusCode", 0)
		headers = meta.get("HTTPHeaders", {})
		place = self._place

		if code in _SKEWED or (code == "403" and _skew(headers) > _LARGEST_SKEW):
			return StorageConfigurationError, (
				f"this machine's clock is wrong ({_clocks(headers)}). Set it, and keep it right with NTP."
			)
		region = error.get("Region") or headers.get("x-amz-bucket-region", "")
		if code in _WRONG_REGION or (status in (301, 307, 400) and region and region != place.region):
			found = f"it is in the region {region}" if region else "it is in another region"
			return StorageConfigurationError, (
				f"{found}, not in {place.region}. Fix Region{' and Endpoint URL' * bool(place.url)} in CDN Settings."
			)
		if code in _WRONG_ACCESS_KEY:
			return StorageConfigurationError, (
				"the access key is not known there. Check Access Key in CDN Settings, and that the key is active "
				"and of this account."
			)
		if code == "SignatureDoesNotMatch":
			return StorageConfigurationError, (
				"the secret key does not belong to the access key. Enter both again in CDN Settings."
			)
		if code == "NoSuchBucket":
			return StorageConfigurationError, (
				"there is no such bucket. Create it, or fix Bucket Name or Endpoint URL in CDN Settings."
			)
		if code == "InvalidBucketName":
			return (
				StorageConfigurationError,
				"no bucket can be called that. Fix Bucket Name in CDN Settings.",
			)
		if code in _FULL:
			return StorageUnavailableError, (
				f"the storage is full or over its quota ({code}). Free some space, or have the quota raised."
			)
		if code in _SLOW_DOWN or status == 429:
			return StorageUnavailableError, (
				f"the storage asks for fewer requests ({code}). It is tried again later; if this goes on, see "
				"whether something else works on the same bucket."
			)
		if code in _FORBIDDEN or status in (401, 403):
			needs = _PERMISSION.get(doing.split(" ")[0], _PERMISSION.get(doing, "that"))
			return StorageConfigurationError, (
				f"the key is not permitted to ({code}). Allow it {needs} on this bucket (R2: a token with Object "
				"Read & Write), and look for a bucket policy that forbids it."
			)
		if code in _TOO_LARGE:
			return StorageError, f"it is larger than allowed there ({code}: {message})."
		if code in _NOT_S3 or (not code and status < 500):
			return StorageConfigurationError, _NO_S3
		if status >= 500 or code in (
			"InternalError",
			"ServiceUnavailable",
			"RequestTimeout",
			"ClientDisconnect",
		):
			return StorageUnavailableError, (
				f"the storage has a fault ({code or status}). See the provider's status page, and whether Endpoint URL "
				"in CDN Settings leads there; it is tried again."
			)
		if code in _CONFLICT or status == 409:
			return (
				StorageUnavailableError,
				f"another writer was at it at the same time ({code}). It is tried again.",
			)
		return StorageConfigurationError, f"{code or status}: {message.rstrip('.')}. Check CDN Settings."

	def _hide(self, text: str) -> str:
		for secret in self._secrets:
			text = text.replace(secret, "…")
		return text


def _skew(headers: dict[str, str]) -> float:
	there = _server_time(headers)
	return abs((datetime.now(timezone.utc) - there).total_seconds()) if there else 0


def _clocks(headers: dict[str, str]) -> str:
	here = f"it says {datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
	there = _server_time(headers)
	return f"{here}, the server {there:%Y-%m-%d %H:%M:%S}" if there else here


def _server_time(headers: dict[str, str]) -> datetime | None:
	try:
		return parsedate_to_datetime(headers["date"]).astimezone(timezone.utc)
	except (KeyError, ValueError):
		return None
