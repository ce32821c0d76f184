"""CloudFront's cache, purged by invalidations: of paths, or of tags (`#tag`, since April 2026), each priced as one path.

A distribution may have 3,000 paths and tags in progress, and refuses calls long before ("Rate exceeded"): what is left
then is handed to the caller. An invalidation takes seconds to minutes; its id is the receipt by which it is asked after.
Tags are items of the same list as paths, so every botocore can send them. A distribution without `CacheTagConfig` accepts
and ignores them, which `verify` finds.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from requests.utils import requote_uri

from memora.exceptions import PurgeError
from memora.services.cdn_export.cache_purge.base import Outcome
from memora.services.cdn_export.cache_purge.keyed import KeyedPurge, Refusal
from memora.services.cdn_export.cache_purge.orders import Kind
from memora.services.cdn_export.cache_purge.web_api import LONGEST, unfit

ITEMS = 1_000
"""In one invalidation; 3,000 may be in progress, and others may purge the same distribution."""

WHOLE_ABOVE = 1_000
"""The free paths of a month: beyond, `/*`, which counts as one, is much cheaper."""

CONNECT_SECONDS = 5
READ_SECONDS = 30
ATTEMPTS = 2  # of one call by botocore itself
PAUSE = 60.0  # seconds, where too much is in progress
TAG_HEADER = "x-amz-meta-cache-tag"
_DISTRIBUTION = re.compile(r"[A-Z0-9]{8,30}")
_THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
_WRONG_KEY = {
	"InvalidClientTokenId",
	"SignatureDoesNotMatch",
	"IncompleteSignature",
	"UnrecognizedClientException",
	"ExpiredToken",
	"MissingAuthenticationToken",
}


class CloudFrontPurge(KeyedPurge):
	"""One distribution's cache."""

	name = "CloudFront"
	per_call: Mapping[Kind, int] = {"tag": ITEMS, "url": ITEMS, "all": 1}
	whole_above = WHOLE_ABOVE

	def __init__(
		self, distribution: str, access_key: str, secret_key: str, by_tag: bool = False, api: str = ""
	) -> None:
		super().__init__(by_tag)
		self.place = distribution.strip()
		self._access_key = access_key.strip()
		self._secret_key = secret_key.strip()
		self._api = api
		self._opened: Any = None

	def outcome(self, receipt: str) -> Outcome:
		for invalidation in receipt.split():
			try:
				found = self._client().get_invalidation(DistributionId=self.place, Id=invalidation)
			except ClientError as error:
				if _code(error) == "NoSuchInvalidation":
					return Outcome("unknown")
				return Outcome("waiting", self._explained(error).error)
			except (BotoCoreError, ValueError) as error:
				return Outcome("waiting", _unreachable(error).error)
			if found["Invalidation"]["Status"].lower() != "completed":
				return Outcome(
					"waiting", f"CloudFront has not completed the invalidation {invalidation} yet."
				)
		return Outcome("done")

	def verify(self, url: str) -> None:
		super().verify(url)
		if self.by_tag and (problem := self._without_tags()):
			raise PurgeError(problem)

	def _unusable(self) -> str:
		if not _DISTRIBUTION.fullmatch(self.place):
			return (
				f"The CloudFront distribution is {self.place!r}, but has only capital letters and digits, as in"
				" E2EXAMPLE1234 (not the domain). Copy it into CDN Settings, Distribution ID."
			)
		if not self._access_key or not self._secret_key:
			return (
				"The keys for CloudFront are missing. Enter them in CDN Settings, or leave both empty where the bucket is"
				" AWS S3, whose keys are used then."
			)
		if unfit(self._access_key) or unfit(self._secret_key):
			return "The keys for CloudFront hold what no key has. Paste them again in CDN Settings."
		return ""

	def _client(self) -> Any:
		if self._opened is None:
			self._opened = boto3.session.Session().client(
				"cloudfront",
				region_name="us-east-1",  # where AWS signs for CloudFront, which has no region
				endpoint_url=self._api or None,
				aws_access_key_id=self._access_key,
				aws_secret_access_key=self._secret_key,
				config=Config(
					connect_timeout=CONNECT_SECONDS,
					read_timeout=READ_SECONDS,
					retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
					ignore_configured_endpoint_urls=True,
				),
			)
		return self._opened

	def _send(self, kind: Kind, keys: Sequence[str]) -> Refusal | str:
		items = [_item(kind, key) for key in keys]
		batch = {
			"Paths": {"Quantity": len(items), "Items": items},
			"CallerReference": secrets.token_hex(16),  # the same where botocore tries again
		}
		try:
			made = self._client().create_invalidation(DistributionId=self.place, InvalidationBatch=batch)
		except ClientError as error:
			return self._explained(error)
		except (BotoCoreError, ValueError) as error:
			return _unreachable(error)
		return made["Invalidation"]["Id"]

	def _explained(self, error: ClientError) -> Refusal:
		code, said = _code(error), self._said(error)
		status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
		if code == "TooManyInvalidationsInProgress":
			return Refusal(
				f"CloudFront has too many invalidations in progress ({said}). The rest is purged later.",
				PAUSE,
			)
		if code in _THROTTLED or status == 429:
			return Refusal(f"CloudFront asks for fewer purges ({said}). The rest is purged later.", PAUSE)
		if code in ("NoSuchDistribution", "NoSuchResource"):
			return Refusal(
				f"CloudFront knows no distribution {self.place} ({said}). Fix Distribution ID in CDN Settings.",
				final=True,
			)
		if code in _WRONG_KEY:
			return Refusal(
				f"AWS does not accept the keys for CloudFront ({said}). Enter them again in CDN Settings.",
				final=True,
			)
		if status in (401, 403):
			return Refusal(
				f"AWS does not let these keys purge the distribution {self.place} ({said}). Allow their user"
				" cloudfront:CreateInvalidation, cloudfront:GetInvalidation and cloudfront:GetDistributionConfig on it.",
				final=True,
			)
		if status >= 500:
			return Refusal(f"CloudFront's API has a fault ({said}). The purge is tried again.")
		return Refusal(
			f"CloudFront does not accept what is to be purged ({said}). Check that CDN Base URL in CDN Settings is an"
			f" address of the distribution {self.place}.",
			splits=True,
		)

	def _said(self, error: ClientError) -> str:
		text = f"{_code(error)} {error.response.get('Error', {}).get('Message', '')}".strip()
		return text.replace(self._secret_key, "…").replace(self._access_key, "…")[:LONGEST]

	def _without_tags(self) -> str:
		"""Why the distribution would ignore tags; "" if it reads them."""
		try:
			found = self._client().get_distribution_config(Id=self.place)["DistributionConfig"]
		except ClientError as error:
			return self._explained(error).error
		except (BotoCoreError, ValueError) as error:
			return _unreachable(error).error
		if "CacheTagConfig" not in self._client().meta.service_model.shape_for("DistributionConfig").members:
			return (
				"Whether the distribution reads tags cannot be seen: boto3 on this machine is older than CloudFront's tags."
				" Upgrade boto3 and botocore, or switch Purge by Tags off in CDN Settings."
			)
		header = (found.get("CacheTagConfig") or {}).get("HeaderName", "")
		if header.lower() != TAG_HEADER:
			return (
				f"The distribution {self.place} does not read tags from {TAG_HEADER}, so a purge by tag would do nothing."
				f" Set CacheTagConfig's HeaderName to it, or switch Purge by Tags off in CDN Settings."
			)
		return ""


def _item(kind: Kind, key: str) -> str:
	"""A tag or a path as CloudFront lists them. The query is part of the path."""
	if kind == "all":
		return "/*"
	if kind == "tag":
		return f"#{key}"
	parts = urlsplit(requote_uri(key))
	return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _code(error: ClientError) -> str:
	return str(error.response.get("Error", {}).get("Code", ""))


def _unreachable(error: Exception) -> Refusal:
	return Refusal(
		f"CloudFront's API could not be reached ({type(error).__name__}). Check this machine's network; the purge is"
		" tried again."
	)
