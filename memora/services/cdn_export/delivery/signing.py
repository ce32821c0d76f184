"""Links to films, signed or at the gate: the last touch before a lesson is serialised.

Behind a gate nothing is signed: a film's link is its address there, and the gate asks each player for a token.

A signature is no content: it changes neither a file's hash nor its version, so that renewing one touches
nothing above the lesson (spec, "Publishing"). Every builder signs until the same rounded moment, and so makes
the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from urllib.parse import quote

from memora.services.cdn_export.json_generator import with_signed_videos
from memora.services.cdn_export.model import paths
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
	"""Signs for `hours`, renewed before half of them are gone. `mode` is the setting: All, Paid or None. `gate` is the gate's
	address, None where there is no gate."""

	storage: Storage | None
	mode: str
	hours: int
	now: float
	gate: str | None = None
	folders: tuple[str, ...] = ()

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
		if storage and file.kind == "lesson" and self.gate is not None:
			return with_signed_videos(document, self._at_gate), None
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

	def films(self, lesson: Document) -> frozenset[str]:
		"""What the films of a lesson, as it goes up, have their access objects by; nothing where there is no gate."""
		storage = self.storage
		if storage is None or self.gate is None:
			return frozenset()
		found = (
			storage.film(stage["config"]["video_url"])
			for stage in lesson["stages"]
			if stage["type"] == "Video" and isinstance(stage["config"].get("video_url"), str)
		)
		subjects = (paths.film_subject(film.key, self.folders) for film in found if film)
		return frozenset(filter(None, subjects))

	def _at_gate(self, link: str) -> str | None:
		found = self.storage.film(link) if self.storage else None
		if found is None:
			return None
		return f"{self.gate}/{quote(found.key)}{found.fragment}" if self.gate else found.key + found.fragment
