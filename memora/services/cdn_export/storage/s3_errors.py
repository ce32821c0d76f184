"""What S3 and R2 answer when something is wrong, as one sentence that says how to fix it."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
	ClientError,
	ConnectTimeoutError,
	EndpointConnectionError,
	HTTPClientError,
	IncompleteReadError,
	ProxyConnectionError,
	ReadTimeoutError,
	SSLError,
)
from botocore.parsers import ResponseParserError

from memora.exceptions import StorageConfigurationError, StorageError, StorageUnavailableError
from memora.services.cdn_export.storage.s3_settings import Place

_NO_S3 = "what answers there is no S3 server, or one that lacks this operation. Check Endpoint URL in CDN Settings."
_LARGEST_SKEW = 300  # seconds; S3 refuses at 900

_USER = re.compile(r"//[^/@\s]*@")  # before the host of an address, as a proxy's may be

# What a key must be allowed, by what it was used for.
_PERMISSION = {
	"write": "s3:PutObject",
	"read": "s3:GetObject, and s3:ListBucket, without which a file that is not there is refused too",
	"look up": "s3:GetObject, and s3:ListBucket, without which a file that is not there is refused too",
	"delete": "s3:DeleteObject",
	"list": "s3:ListBucket",
}


# What the client raises when no answer comes, or none that it understands: the first that fits.
_UNANSWERED: tuple[tuple[tuple[type[Exception], ...], type[StorageError], str], ...] = (
	(
		(SSLError,),
		StorageConfigurationError,
		"no secure connection ({error}). Check Endpoint URL in CDN Settings, and the certificates of the server and of "
		"this machine.",
	),
	(
		(ProxyConnectionError,),
		StorageUnavailableError,
		"the proxy that this machine's variables name (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) does not answer. Check the "
		"proxy, or except the storage by NO_PROXY; it is tried again.",
	),
	(
		(EndpointConnectionError,),
		StorageUnavailableError,
		"the server cannot be found or refuses the connection. Check Endpoint URL and Region in CDN Settings for a "
		"typing error, and this machine's network and DNS.",
	),
	(
		(ConnectTimeoutError, ReadTimeoutError),
		StorageUnavailableError,
		"no answer in time. Check the network, and the provider's status page; it is tried again.",
	),
	(
		(HTTPClientError, IncompleteReadError),
		StorageUnavailableError,
		"the connection broke. Check the network, and the provider's status page; it is tried again.",
	),
	((ResponseParserError,), StorageConfigurationError, _NO_S3),
	((Exception,), StorageConfigurationError, "{error}. Check Endpoint URL and Region in CDN Settings."),
)


class Explainer:
	"""Turns the errors of calls on one bucket into our own."""

	def __init__(self, place: Place, secrets: tuple[str, ...]) -> None:
		self._place = place
		self._secrets = [secret for secret in secrets if secret]

	def explain(self, error: Exception, doing: str, path: str) -> StorageError:
		"""The error to raise: what could not be done with which file in which bucket, why, and how to fix it."""
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
		for kinds, kind, why in _UNANSWERED:
			if isinstance(error, kinds):
				return kind, why.format(error=str(error).rstrip("."))
		raise AssertionError("the last takes any error")

	def _answered(self, response: dict[str, Any], doing: str) -> tuple[type[StorageError], str]:
		answer = _Answer.of(response, self._place)
		case = next(case for case in _CASES if case.fits(answer))
		needs = _PERMISSION.get(doing.split(" ")[0], _PERMISSION.get(doing, "that"))
		return case.error, case.says.format(answer=answer, place=self._place, needs=needs)

	def _hide(self, text: str) -> str:
		for secret in self._secrets:
			text = text.replace(secret, "…")
		return _USER.sub("//…@", text)


@dataclass(frozen=True, slots=True)
class _Answer:
	"""What a server says when it refuses a call."""

	code: str
	message: str
	status: int
	region: str
	"""The bucket's region, where the answer names it."""
	headers: dict[str, str]
	place: Place

	@classmethod
	def of(cls, response: dict[str, Any], place: Place) -> _Answer:
		error, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
		headers = meta.get("HTTPHeaders", {})
		region = error.get("Region") or headers.get("x-amz-bucket-region", "")
		code, message = str(error.get("Code", "")), str(error.get("Message", ""))
		return cls(code, message.rstrip("."), meta.get("HTTPStatusCode", 0), region, headers, place)

	@property
	def cause(self) -> str | int:
		return self.code or self.status

	@property
	def is_skewed(self) -> bool:
		there = self._server_time
		skew = abs((datetime.now(timezone.utc) - there).total_seconds()) if there else 0
		return self.code == "403" and skew > _LARGEST_SKEW

	@property
	def clocks(self) -> str:
		here = f"it says {datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
		there = self._server_time
		return f"{here}, the server {there:%Y-%m-%d %H:%M:%S}" if there else here

	@property
	def is_of_other_region(self) -> bool:
		return self.status in (301, 307, 400) and self.region not in ("", self.place.region)

	@property
	def where(self) -> str:
		return f"the region {self.region}" if self.region else "another region"

	@property
	def fields(self) -> str:
		return "Region and Endpoint URL" if self.place.url else "Region"

	@property
	def _server_time(self) -> datetime | None:
		try:
			return parsedate_to_datetime(self.headers["date"]).astimezone(timezone.utc)
		except (KeyError, ValueError):
			return None


@dataclass(frozen=True, slots=True)
class _Case:
	"""Which answers mean the same, by code or status: our error, and what is wrong and how to fix it."""

	error: type[StorageError]
	says: str
	codes: str = ""
	statuses: Container[int] = ()
	also: Callable[[_Answer], bool] | None = None

	def fits(self, answer: _Answer) -> bool:
		return (
			answer.code in self.codes.split()
			or answer.status in self.statuses
			or bool(self.also and self.also(answer))
		)


# The first that fits.
_CASES = (
	_Case(
		StorageConfigurationError,
		"this machine's clock is wrong ({answer.clocks}). Set it, and keep it right with NTP.",
		codes="RequestTimeTooSkewed RequestExpired ExpiredRequest",
		also=lambda answer: answer.is_skewed,
	),
	_Case(
		StorageConfigurationError,
		"it is in {answer.where}, not in {place.region}. Fix {answer.fields} in CDN Settings.",
		codes="AuthorizationHeaderMalformed PermanentRedirect TemporaryRedirect IllegalLocationConstraintException"
		" InvalidRegionName 301 307",
		also=lambda answer: answer.is_of_other_region,
	),
	_Case(
		StorageConfigurationError,
		"the access key is not known there. Check Access Key in CDN Settings, and that the key is active and of this "
		"account.",
		codes="InvalidAccessKeyId InvalidClientTokenId Unauthorized InvalidToken 401",
	),
	_Case(
		StorageConfigurationError,
		"the secret key does not belong to the access key. Enter both again in CDN Settings.",
		codes="SignatureDoesNotMatch",
	),
	_Case(
		StorageConfigurationError,
		"there is no such bucket. Create it, or fix Bucket Name or Endpoint URL in CDN Settings.",
		codes="NoSuchBucket",
	),
	_Case(
		StorageConfigurationError,
		"no bucket can be called that. Fix Bucket Name in CDN Settings.",
		codes="InvalidBucketName",
	),
	_Case(
		StorageUnavailableError,
		"the storage is full or over its quota ({answer.code}). Free some space, or have the quota raised.",
		codes="QuotaExceeded ServiceQuotaExceeded InsufficientStorage XMinioAdminBucketQuotaExceeded 507",
	),
	_Case(
		StorageUnavailableError,
		"the storage asks for fewer requests ({answer.code}). It is tried again later; if this goes on, see whether "
		"something else works on the same bucket.",
		codes="SlowDown TooManyRequests TooManyRequestsException RequestLimitExceeded Throttling 429",
		statuses=(429,),
	),
	_Case(
		StorageConfigurationError,
		"the key is not permitted to ({answer.code}). Allow it {needs} on this bucket (R2: a token with Object Read & "
		"Write), and look for a bucket policy that forbids it.",
		codes="AccessDenied AllAccessDisabled AccountProblem NotSignedUp NotEntitled ObjectLockedByBucketPolicy 403",
		statuses=(401, 403),
	),
	_Case(
		StorageError,
		"it is larger than allowed there ({answer.code}: {answer.message}).",
		codes="EntityTooLarge KeyTooLongError MetadataTooLarge InvalidObjectName 413",
	),
	_Case(
		StorageConfigurationError,
		_NO_S3,
		codes="404 405 MethodNotAllowed NotImplemented 501",
		also=lambda answer: not answer.code and answer.status < 500,
	),
	_Case(
		StorageUnavailableError,
		"the storage has a fault ({answer.cause}). See the provider's status page, and whether Endpoint URL in CDN "
		"Settings leads there; it is tried again.",
		codes="InternalError ServiceUnavailable RequestTimeout ClientDisconnect",
		statuses=range(500, 1000),
	),
	_Case(
		StorageUnavailableError,
		"another writer was at it at the same time ({answer.code}). It is tried again.",
		codes="ConditionalRequestConflict OperationAborted 409",
		statuses=(409,),
	),
	_Case(
		StorageConfigurationError,
		"{answer.cause}: {answer.message}. Check CDN Settings.",
		also=lambda answer: True,
	),
)
