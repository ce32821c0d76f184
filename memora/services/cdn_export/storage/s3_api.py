"""What one bucket is asked through botocore: put, get, head, delete and list, tried again and explained."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from time import sleep as pause
from typing import Any, TypeVar
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from memora.services.cdn_export.storage import s3_settings
from memora.services.cdn_export.storage.base import (
	ENCODED,
	StoredObject,
	Upload,
	check_path,
)
from memora.services.cdn_export.storage.s3_client import make_client, md5
from memora.services.cdn_export.storage.s3_errors import Explainer

T = TypeVar("T")

PAGE = 1000  # the most that one ListObjectsV2 call answers with
DELETE_BATCH = 1000  # the most that one DeleteObjects call may name
DELETERS = 32  # at once, where files are deleted one by one
CONFLICT_ATTEMPTS = 5  # of a conditional write that another writer crossed (409: S3 asks to write again)
THROTTLED_ATTEMPTS = 4  # of a call that is refused with 429, with waits of 1, 2 and 4 s or as asked
LONGEST_WAIT = 8.0
READ_ATTEMPTS = 3  # of a body whose connection breaks while it is read, which botocore does not retry

# What a server answers to DeleteObjects that has no such operation, beside 405 and 501: files are then deleted one by one.
_NO_BATCHES = frozenset(
	{
		"InvalidArgument",
		"InvalidRequest",
		"MethodNotAllowed",
		"NotImplemented",
		"NotSupported",
		"UnsupportedOperation",
	}
)

# All that botocore raises on purpose; the last is of a family of its own.
_FAILURES = (ClientError, BotoCoreError, ResponseParserError)


class S3Api:
	"""The operations of one bucket through botocore: each tried again as often as makes sense, and explained when it
	fails."""

	def __init__(self, place: s3_settings.Place, secrets: tuple[str, str], connections: int) -> None:
		self._place = place
		self._bucket = place.bucket
		self._one_by_one = False
		self._explainer = Explainer(place, secrets)
		self._client = make_client(place, connections, self._explainer)

	def put(
		self, upload: Upload, metadata: dict[str, str], *, if_match: str | None, if_absent: bool, again: bool
	) -> str:
		"""`Storage.put` with metadata as headers hold it. `again` where it may have been written already, by a try whose
		answer was lost."""
		params = {
			"Bucket": self._bucket,
			"Key": upload.path,
			"ContentType": upload.content_type,
			"CacheControl": upload.cache_control,
			"Metadata": metadata,
		}
		if if_absent:
			params["IfNoneMatch"] = "*"
		if if_match is not None:
			params["IfMatch"] = f'"{if_match}"'
		try:
			answer = self._attempt(self._send, upload=upload, **params)
		except _FAILURES as error:
			if if_absent or if_match is not None:
				return self._settle(error, upload, again)
			raise self._explainer.explain(error, "write", upload.path) from error
		if not (etag := _etag(answer)):
			raise self._explainer.no_s3("write", upload.path)
		return etag

	def read(self, path: str) -> tuple[bytes, str] | None:
		"""`Storage.read`."""
		attempt = 1
		while True:
			try:
				answer = self._attempt(self._client.get_object, Bucket=self._bucket, Key=path)
			except _FAILURES as error:
				if _code(error) == "NoSuchKey":
					return None
				raise self._explainer.explain(error, "read", path) from error
			try:
				return answer["Body"].read(), _etag(answer)
			except _FAILURES as error:
				if attempt == READ_ATTEMPTS:
					raise self._explainer.explain(error, "read", path) from error
				attempt += 1

	def head(self, path: str) -> StoredObject | None:
		"""`Storage.head`."""
		try:
			found = self._attempt(self._client.head_object, Bucket=self._bucket, Key=path)
		except _FAILURES as error:
			if _code(error) in ("404", "NoSuchKey"):
				return None
			raise self._explainer.explain(error, "look up", path) from error
		return StoredObject(
			path=path,
			etag=_etag(found),
			size=found["ContentLength"],
			content_type=found.get("ContentType", ""),
			cache_control=found.get("CacheControl", ""),
			metadata={
				name: value if name in ENCODED else unquote(value)
				for name, value in found.get("Metadata", {}).items()
			},
			modified=found.get("LastModified"),
		)

	def delete(self, paths: Iterable[str]) -> None:
		"""`Storage.delete`."""
		rest = iter(paths)
		refused: dict[str, Exception] = {}
		asked = 0
		while batch := [check_path(path) for path in islice(rest, DELETE_BATCH)]:
			asked += len(batch)
			found = self._delete_batch(batch)
			refused |= found
			if len(found) == len(batch):  # whatever the reason is, the next batch would meet it too
				unasked = list(rest)
				asked += len(unasked)
				refused |= dict.fromkeys(unasked, found[batch[0]])
		if refused:
			first, why = next(iter(refused.items()))
			doing = "delete" if asked == 1 else f"delete {len(refused)} of {asked} files, the first of them"
			error = self._explainer.explain(why, doing, first)
			error.remaining = tuple(refused)
			raise error from why

	def _delete_batch(self, batch: Sequence[str]) -> dict[str, Exception]:
		"""Those of the objects that are still there, each with why."""
		if not self._one_by_one:
			wanted = {"Objects": [{"Key": path} for path in batch], "Quiet": True}
			try:
				answer = self._attempt(self._client.delete_objects, Bucket=self._bucket, Delete=wanted)
			except _FAILURES as error:
				if _status(error) not in (405, 501) and _code(error) not in _NO_BATCHES:
					return dict.fromkeys(batch, error)
				self._one_by_one = True
			else:
				return {
					entry.get("Key", batch[0]): ClientError({"Error": entry}, "DeleteObjects")
					for entry in answer.get("Errors", ())
					if entry.get("Code") != "NoSuchKey"
				}
		silent: list[Exception] = []

		def delete(path: str) -> Exception | None:
			if silent:  # a thousand time-outs would take hours
				return silent[0]
			try:
				self._attempt(self._client.delete_object, Bucket=self._bucket, Key=path)
			except _FAILURES as error:
				if _code(error) in ("404", "NoSuchKey"):
					return None
				if not 400 <= _status(error) < 500:
					silent.append(error)
				return error
			return None

		with ThreadPoolExecutor(max_workers=min(DELETERS, len(batch))) as pool:
			answers = zip(batch, pool.map(delete, batch), strict=True)
			return {path: error for path, error in answers if error}

	def list(self, prefix: str, after: str) -> Iterator[StoredObject]:
		"""`Storage.list`."""
		params: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix, "MaxKeys": PAGE}
		if after:
			params["StartAfter"] = after
		while True:
			page = self._call("list", prefix, self._client.list_objects_v2, **params)
			if "IsTruncated" not in page:
				raise self._explainer.no_s3("list", prefix)
			for entry in page.get("Contents", ()):
				yield StoredObject(
					path=entry["Key"],
					etag=_etag(entry),
					size=entry["Size"],
					modified=entry.get("LastModified"),
				)
			if not page["IsTruncated"]:
				return
			params.pop("StartAfter", None)  # the token knows
			params["ContinuationToken"] = page["NextContinuationToken"]

	def close(self) -> None:
		"""Let go of connections."""
		self._client.close()

	def _call(self, doing: str, path: str, call: Callable[..., T], **params: Any) -> T:
		try:
			return self._attempt(call, **params)
		except _FAILURES as error:
			raise self._explainer.explain(error, doing, path) from error

	def _attempt(self, call: Callable[..., T], **params: Any) -> T:
		"""Call, and wait out what botocore does not, or only in newer versions."""
		attempt = 1
		while True:
			try:
				return call(**params)
			except ClientError as error:
				wait = _wait(error.response, attempt)
				if wait is None:
					raise
				pause(wait)
				attempt += 1

	def _send(self, *, upload: Upload, **params: Any) -> Any:
		if isinstance(upload.body, bytes):
			return self._client.put_object(Body=upload.body, ContentMD5=md5([upload.body]), **params)
		with upload.opened() as body:
			digest = md5(iter(lambda: body.read(1 << 20), b""))
			body.seek(0)
			return self._client.put_object(Body=body, ContentMD5=digest, **params)

	def _holds(self, found: StoredObject, upload: Upload) -> bool:
		"""Whether the object there is the one to write, headers included; of a file its metadata has the digest."""
		meant = (upload.content_type, upload.cache_control, dict(upload.metadata))
		if (found.content_type, found.cache_control, dict(found.metadata)) != meant:
			return False
		if not isinstance(upload.body, bytes):
			return True
		there = self.read(upload.path)
		return there is not None and there[0] == upload.body

	def _settle(self, error: Exception, upload: Upload, again: bool) -> str:
		"""What a refused conditional write means: usually that it lost, or else that it had gone through
		before its answer was lost on the way, and then met itself when it was tried again."""
		status = _response(error).get("ResponseMetadata", {})
		# S3 answers 404 when If-Match finds nothing at all.
		if status.get("HTTPStatusCode") != 412 and _code(error) != "NoSuchKey":
			raise self._explainer.explain(error, "write", upload.path) from error
		if again or status.get("RetryAttempts"):
			found = self.head(upload.path)
			if found and found.size == upload.size and self._holds(found, upload):
				return found.etag
		raise s3_settings.lost(self._place, upload.path) from error


def _etag(answer: dict[str, Any]) -> str:
	return answer.get("ETag", "").strip('"')


def _wait(response: dict[str, Any], attempt: int) -> float | None:
	"""Seconds to wait before a call is tried again, None when it should not be."""
	if response.get("Error", {}).get("Code") == "ConditionalRequestConflict":
		return random.uniform(0.05, 0.1) * 2**attempt if attempt < CONFLICT_ATTEMPTS else None
	meta = response.get("ResponseMetadata", {})
	if meta.get("HTTPStatusCode") == 429 and attempt < THROTTLED_ATTEMPTS:
		asked = meta.get("HTTPHeaders", {}).get("retry-after", "")
		wait = float(asked) if asked.isdigit() else 2.0 ** (attempt - 1)
		return min(wait, LONGEST_WAIT) + random.uniform(0, 0.25)
	return None


def _response(error: Exception) -> dict[str, Any]:
	return error.response if isinstance(error, ClientError) else {}


def _status(error: Exception) -> int:
	return _response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _code(error: Exception) -> str:
	return _response(error).get("Error", {}).get("Code", "")
