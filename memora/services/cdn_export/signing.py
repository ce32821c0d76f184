"""Signed links to videos in the bucket: the last touch before a lesson is serialised.

A signature is no content: it changes neither a file's hash nor its version, so that renewing one touches
nothing above the lesson (spec, "Publishing"). Every builder signs until the same rounded moment, and so makes
the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from memora.services.cdn_export.diff import Document, Planned
from memora.services.cdn_export.json_generator import with_signed_videos
from memora.services.cdn_export.storage import Storage

_IN_TIME = timedelta(minutes=10)
"""A tick, a batch and its retries."""


def renew_below(hours: int, now: float) -> datetime:
	"""Signatures of `hours` that end before this are to be renewed: half their life is left, and time to do it."""
	return datetime.fromtimestamp(now, timezone.utc) + timedelta(hours=hours) / 2 + _IN_TIME


@dataclass(frozen=True, slots=True)
class Signer:
	"""Signs for `hours`, renewed before half of them are gone. `mode` is the setting: All, Paid or None."""

	storage: Storage
	mode: str
	hours: int
	now: float

	@property
	def until(self) -> datetime:
		"""The end of the signatures made now: the same for a whole renewal window, never nearer than ¾ life.

		The window is a quarter of the life; what is signed now holds for between 3/4 and all of it.
		"""
		life = self.hours * 3600
		window = life // 4
		return datetime.fromtimestamp(self.now // window * window + life, timezone.utc)

	def sign(self, file: Planned) -> tuple[Document, datetime | None]:
		"""The document as it goes up, and until when its signatures hold; None where nothing was signed."""
		document = file.document or {}
		if (
			file.kind != "lesson"
			or self.mode == "None"
			or (self.mode == "Paid" and file.access_level != "paid")
		):
			return document, None
		until = self.until
		signed = with_signed_videos(
			document,
			lambda link: self.storage.sign(link, until, since=until - timedelta(hours=self.hours)),
			until,
		)
		return signed, until if signed is not document else None
