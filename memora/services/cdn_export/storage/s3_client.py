"""The client that speaks the S3 protocol. What is set on purpose:

- One client for all threads, its pool as large as they are many: with botocore's default of 10 connections,
  they reconnect all the time.
- The checksum is Content-MD5, which every S3 server knows and a bucket with Object Lock demands. Newer botocore
  adds CRC32 instead, which R2 and others refuse in places.
- `If-Match` and `If-None-Match` go in as headers: botocore has parameters for them only from 1.35 on, and
  Frappe v15 pins 1.34.
- Bodies are sent at once. botocore asks for leave first (`Expect: 100-continue`), which for a small file costs
  as much time again as the upload.
- A wrong region is an error. botocore would follow the redirect silently, at the price of more requests, and
  signed links would still carry the wrong region.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from memora.services.cdn_export.storage import s3_settings
from memora.services.cdn_export.storage.s3_errors import Explainer

_client_lock = threading.Lock()


@cache
def _session() -> boto3.session.Session:
	return boto3.session.Session()


def make_client(place: s3_settings.Place, connections: int, explainer: Explainer) -> Any:
	options: dict[str, Any] = {
		"signature_version": "s3v4",
		"connect_timeout": s3_settings.CONNECT_SECONDS,
		"read_timeout": s3_settings.READ_SECONDS,
		"retries": {"mode": "standard", "total_max_attempts": s3_settings.ATTEMPTS},
		"max_pool_connections": connections,
		"tcp_keepalive": True,
		"parameter_validation": False,  # the parameters are all made here
		"ignore_configured_endpoint_urls": True,  # a variable of the machine's must not divert the files
		"s3": {"addressing_style": "virtual" if place.virtual else "path"},
	}
	for name in ("request_checksum_calculation", "response_checksum_validation"):
		if name in Config.OPTION_DEFAULTS:  # from botocore 1.36 on; before, this is how it behaves
			options[name] = "when_required"
	try:
		with _client_lock:  # sessions may not be shared between threads, clients may
			client = _session().client(
				"s3",
				region_name=place.region,
				endpoint_url=place.url or None,
				aws_access_key_id=place.access_key,
				aws_secret_access_key=place.secret_key,
				config=Config(**options),
			)
	except (BotoCoreError, ValueError) as error:
		raise explainer.explain(error, "reach", "") from error
	events = client.meta.events
	events.register("before-parameter-build.s3.PutObject", _take_condition)
	events.register("before-call.s3.PutObject", _add_condition)
	events.register("before-call.s3", _refuse_redirect)
	events.register("before-sign.s3.PutObject", _send_at_once)
	events.register("before-sign.s3.DeleteObjects", _use_md5)
	return client


def _take_condition(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
	context["memora_condition"] = {
		header: params.pop(name)
		for name, header in (("IfMatch", "If-Match"), ("IfNoneMatch", "If-None-Match"))
		if name in params
	}


def _add_condition(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
	params["headers"].update(context.get("memora_condition", {}))


def _refuse_redirect(context: dict[str, Any], **_: Any) -> None:
	# What botocore's own redirector notes when it has followed one; it follows no second.
	context.get("s3_redirect", {})["redirected"] = True


def _send_at_once(request: Any, **_: Any) -> None:
	del request.headers["Expect"]


def _use_md5(request: Any, **_: Any) -> None:
	"""DeleteObjects must carry a checksum; MD5 is the one that every S3 server knows."""
	for header in list(request.headers):
		if header.lower().startswith("x-amz-checksum-") or header.lower() == "x-amz-sdk-checksum-algorithm":
			del request.headers[header]
	del request.headers["Content-MD5"]
	request.headers["Content-MD5"] = md5([request.body])


def md5(pieces: Iterable[bytes]) -> str:
	digest = hashlib.md5(usedforsecurity=False)
	for piece in pieces:
		digest.update(piece)
	return base64.b64encode(digest.digest()).decode()
