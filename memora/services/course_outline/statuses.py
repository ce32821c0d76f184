"""What a row shows of its publication status, and which states a filter means."""

from __future__ import annotations

from typing import Any

from memora.services.cdn_export.admin import publication_status
from memora.services.cdn_export.admin.publication_status import PublicationStatus

FAILING = ("dead", "failed", "remains")
WAITING = ("held", "waiting", "building", "leaving")


def brief(status: PublicationStatus) -> dict[str, Any]:
	"""A status as a row shows it."""
	return {
		"state": status.state,
		"label": publication_status.short(status.state),
		"color": publication_status.COLORS[status.state],
		"text": status.text,
	}
