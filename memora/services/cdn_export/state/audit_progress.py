"""How far the daily audit is: a row of the site's values, so that a run which was stopped, or died, goes on there."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass, replace

from memora.services.cdn_export.state import database, ledger, site_values
from memora.services.cdn_export.state.ledger import SLICES, Share

NOTE = "memora_audit"
_FILES_A_DAY = 4000
_AT_WORK_SECONDS = 1800
"""Longer than a part of a run takes, and than its next job usually waits in the queue."""


@dataclass(frozen=True, slots=True)
class AuditProgress:
	"""A run of the daily audit: of this `place`, `after` what it goes on, and the slices of files that it looks at closely.

	`taken_over` is where it was when it was last taken over from a run that had stopped. `files`, `objects`, `asked` and `found` are
	sums so far (`audit.Audit`). `ended_at` is 0 while it is not through.
	"""

	token: str
	place: str
	first: int
	count: int
	after: str = ""
	taken_over: str = ""
	files: int = 0
	objects: int = 0
	asked: int = 0
	found: int = 0
	noted_at: float = 0
	ended_at: float = 0

	@property
	def share(self) -> Share:
		"""The files that it looks at closely: 4,000, or one in 256 where that is more."""
		return Share(self.first, self.count)


def read() -> AuditProgress | None:
	"""The run that is under way or, where none is, the last one; None before the first."""
	try:
		return AuditProgress(**json.loads(site_values.read(NOTE)))
	except (ValueError, TypeError):  # none, or of another release
		return None


def is_at_work() -> bool:
	"""Whether a run is under way, and was so of late."""
	run = read()
	return bool(run and not run.ended_at and abs(time.time() - run.noted_at) < _AT_WORK_SECONDS)


def begin(place: str, *, anew: bool) -> AuditProgress:
	"""The run that begins now, or takes over from one that was stopped in this place, unless all must be looked at
	`anew`. Whoever was at work ends with its next `note`. In a transaction of its own."""
	last = read()
	token, now = secrets.token_hex(8), time.time()
	has_stopped = last and not last.ended_at and last.place == place and not anew
	# Where it was taken over before and stopped again, it would never look at what comes first any more.
	if last and has_stopped and last.after != last.taken_over:
		run = replace(last, token=token, taken_over=last.after, noted_at=now)
	else:
		first = (last.first + last.count if last.ended_at else last.first) if last else 0
		count = SLICES * _FILES_A_DAY // max(1, ledger.count_live())
		run = AuditProgress(token, place, first % SLICES, min(max(count, 1), SLICES), noted_at=now)
	_write(run)
	return run


def resume(token: str) -> AuditProgress | None:
	"""The run with this token; None where another has taken over, or it is through."""
	run = read()
	return run if run and run.token == token and not run.ended_at else None


def note(run: AuditProgress) -> bool:
	"""Note how far a run is, in a transaction of its own. False where another has taken over."""
	database.fresh()
	if not resume(run.token):
		return False
	_write(run)
	return True


def _write(run: AuditProgress) -> None:
	database.transaction(lambda: site_values.write(NOTE, json.dumps(asdict(run))))
