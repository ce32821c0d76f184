"""Signed links to videos in the bucket: the last touch before a lesson is serialised.

A signature is no content: it changes neither a file's hash nor its version, so that renewing one touches
nothing above the lesson (spec, "Publishing"). Every builder signs until the same rounded moment, and so makes
the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property

from memora.services.cdn_export.json_generator import with_signed_videos
from memora.services.cdn_export.model.document_bytes import Document
from memora.services.cdn_export.model.published_file import Planned
from memora.services.cdn_export.storage import Storage

_IN_TIME = timedelta(minutes=10)
"""A minute's check, a batch and its retries."""


def renew_below(hours: int, now: float) -> datetime:
	"""Signatures of `hours` that end before this are due: half their life is left, and time to do it."""
	return datetime.fromtimestamp(now, timezone.utc) + timedelta(hours=hours) / 2 + _IN_TIME


def uploads_a_day(lessons: int, hours: int) -> int:
	"""How many uploads a day keep the links of so many lessons signed, with signatures of `hours`.

	Found by living through 30 days of them, minute by minute.
	"""
	renewed, until = 0, datetime.fromtimestamp(0, timezone.utc)
	for minute in range(30 * 24 * 60):
		now = minute * 60.0
		if until < renew_below(hours, now):
			until = Signer(None, "All", hours, now).until
			renewed += 1
	return round(lessons * renewed / 30)


_SIGNATURE = re.compile(rb'\?X-Amz-Algorithm=[^"#\\]*')


def without_signatures(body: bytes) -> bytes:
	"""A published file as people may see it: without what its signed links are signed with."""
	return _SIGNATURE.sub(b"", body)


@dataclass(frozen=True)
class Signer:
	"""Signs for `hours`, renewed before half of them are gone. `mode` is the setting: All, Paid or None."""

	storage: Storage | None
	mode: str
	hours: int
	now: float

	@cached_property
	def until(self) -> datetime:
		"""The end of the signatures made now: the same for a whole window, a sixteenth of their life.

		So what is signed now holds for nearly all of it. The larger the window, the more of each signature is
		lost when it is renewed, and the more often that happens (docs/storage.md has the numbers).
		"""
		life = self.hours * 3600
		window = life // 16
		return datetime.fromtimestamp(self.now // window * window + life, timezone.utc)

	@cached_property
	def _until_as_text(self) -> str:
		return self.until.isoformat(timespec="seconds")

	@cached_property
	def _since(self) -> datetime:
		return self.until - timedelta(hours=self.hours)

	def sign(self, file: Planned) -> tuple[Document, datetime | None]:
		"""The document as it goes up, and until when its signatures hold; None where nothing was signed."""
		document = file.document or {}
		storage = self.storage
		if (
			storage is None
			or file.kind != "lesson"
			or self.mode == "None"
			or (self.mode == "Paid" and file.access_level != "paid")
		):
			return document, None
		until, since = self.until, self._since
		signed = with_signed_videos(
			document, lambda link: storage.sign(link, until, since=since), self._until_as_text
		)
		return signed, until if signed is not document else None
