"""Cloudflare R2: S3 with limits of its own. The region is always "auto", the endpoint holds the account.

One write a second for each key is all that R2 takes; faster ones are refused with 429. Writes to one key are
spaced in this process; a 429, which another process can still cause, is waited out as on any S3 server.
"""

from __future__ import annotations

import threading
from time import monotonic, sleep

from memora.services.cdn_export.storage import s3_settings
from memora.services.cdn_export.storage.base import StorageSettings, Upload
from memora.services.cdn_export.storage.s3 import S3Storage

SPACING = 1.0  # seconds between two writes to one key


class R2Storage(S3Storage):
	"""A bucket on Cloudflare R2."""

	name = "Cloudflare R2"

	def __init__(self, settings: StorageSettings) -> None:
		super().__init__(settings)
		self._spacing = _Spacing()

	def _place_of(self, settings: StorageSettings) -> s3_settings.Place:
		return s3_settings.r2(settings)

	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		self._spacing.wait(upload.path)
		return super().put(upload, if_match=if_match, if_absent=if_absent)


class _Spacing:
	"""Lets writes to the same key through one second apart, others at once."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._free_at: dict[str, float] = {}

	def wait(self, key: str) -> None:
		with self._lock:
			now = monotonic()
			start = max(now, self._free_at.get(key, 0.0))
			self._free_at.pop(key, None)
			self._free_at[key] = start + SPACING
			while (oldest := next(iter(self._free_at))) != key and self._free_at[oldest] <= now:
				del self._free_at[oldest]  # free again, so it no longer matters
		if start > now:
			sleep(start - now)
