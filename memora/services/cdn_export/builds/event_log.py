"""What happened, as one JSON object a line, for log collectors: logs/memora_events.log of the bench and of the site.

`event` says what; the other fields are the same in every line of an event. Written whatever the bench's log level
is; never raises into what it tells of.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_system_timezone, now_datetime

LOG = "memora_events"
_MOST_BYTES = 5_000_000
_FILES = 5


def record(event: str, **fields: Any) -> None:
	"""Write one line."""
	try:
		logger = frappe.logger(LOG, max_size=_MOST_BYTES, file_count=_FILES)
		if logger.level != logging.INFO:  # setting it empties what logging remembers of all loggers
			logger.setLevel(logging.INFO)
		line = {
			"event": event,
			"at": in_zone(now_datetime()).isoformat(),
			"site": frappe.local.site,
			**fields,
		}
		logger.info(json.dumps(line, ensure_ascii=False, default=str))
	except OSError:  # a log that cannot be written holds nothing up
		return


def in_zone(moment: datetime) -> datetime:
	"""A moment as Frappe keeps it, in the site's time, with the zone that this is."""
	return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(get_system_timezone()))
