"""What a check of the set-up found: the connection test, the doctor and the page of CDN Settings tell it alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
	"""What one check found. `level` "error": publishing or reading will not work; "warning": it will, but
	see the message. `fix` is "" where there is nothing to do, or where the message says it already."""

	check: str
	level: Literal["ok", "warning", "error"]
	message: str
	fix: str = ""

	@property
	def ok(self) -> bool:
		"""Whether publishing can go on as it is."""
		return self.level != "error"

	def as_dict(self) -> dict[str, str | bool]:
		"""Plain data, for an API's answer or --json."""
		return {
			"check": self.check,
			"ok": self.ok,
			"level": self.level,
			"message": self.message,
			"fix": self.fix,
			"mend": self.fix,  # what `fix` was called until 0.1; goes with 0.3
		}


def some(names: Sequence[str]) -> str:
	"""A list for a sentence, cut where it gets long."""
	named = ", ".join(names[:MOST_NAMED])
	return named if len(names) <= MOST_NAMED else f"{named} and {len(names) - MOST_NAMED} more"
