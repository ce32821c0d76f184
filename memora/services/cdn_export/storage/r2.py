"""Cloudflare R2: S3 with limits of its own. The region is always "auto", the endpoint holds the account.

One write a second for each key is all that R2 takes; faster ones are refused with 429. Writes to one key are
spaced in this process, and a 429, which another process can still cause, is waited out.
"""

from __future__ import annotations

import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from memora.services.cdn_export.storage import s3_settings
from memora.services.cdn_export.storage.base import StorageSettings, Upload
from memora.services.cdn_export.storage.s3 import S3Storage

SPACING = 1.0  # seconds between two writes to one key
THROTTLED_ATTEMPTS = 6  # waits of about 1, 2, 4, 8 and 8 s
LONGEST_WAIT = 8.0


class R2Storage(S3Storage):
	"""A bucket on Cloudflare R2."""

	name = "Cloudflare R2"

	def __init__(self, settings: StorageSettings) -> None:
		super().__init__(settings)
		self._spacing = _Spacing()

	def _place(self, settings: StorageSettings) -> s3_settings.Place:
		return s3_settings.r2(settings)

	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		self._spacing.wait(upload.path)
		return super().put(upload, if_match=if_match, if_absent=if_absent)

	def _wait(self, error: ClientError | BotoCoreError, attempt: int) -> float | None:
		meta = getattr(error, "response", {}).get("ResponseMetadata", {})
		if meta.get("HTTPStatusCode") == 429 and attempt < THROTTLED_ATTEMPTS:
			asked = meta.get("HTTPHeaders", {}).get("retry-after", "")
			wait = float(asked) if asked.isdigit() else 2.0 ** (attempt - 1)
			return min(wait, LONGEST_WAIT) + random.uniform(0, 0.25)
		return super()._wait(error, attempt)


class _Spacing:
	"""Lets writes to the same key through one second apart, others at once."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._free_at: dict[str, float] = {}

	def wait(self, key: str) -> None:
		with self._lock:
			now = time.monotonic()
			start = max(now, self._free_at.get(key, 0.0))
			self._free_at.pop(key, None)
			self._free_at[key] = start + SPACING
			while (oldest := next(iter(self._free_at))) != key and self._free_at[oldest] <= now:
				del self._free_at[oldest]  # free again, so it no longer matters
		if start > now:
			time.sleep(start - now)
