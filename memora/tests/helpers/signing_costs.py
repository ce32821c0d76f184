"""What signatures cost, for the page that says it (docs/storage.md). Knows no Frappe."""

from __future__ import annotations

from datetime import datetime, timezone

from memora.services.cdn_export.delivery import signing


def uploads_a_day(lessons: int, hours: int) -> int:
	"""How many uploads a day keep the links of so many lessons signed, with signatures of `hours`.

	Found by living through 30 days of them, minute by minute.
	"""
	renewed, until = 0, datetime.fromtimestamp(0, timezone.utc)
	for minute in range(30 * 24 * 60):
		now = minute * 60.0
		if until < signing.renew_below(hours, now):
			until = signing.Signer(None, "All", hours, now).until
			renewed += 1
	return round(lessons * renewed / 30)
