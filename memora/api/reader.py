"""What the learner's reader asks its own site (docs/reader.md). It runs without a login, as the files it reads are public."""

from __future__ import annotations

import frappe

from memora.services.cdn_export import settings


@frappe.whitelist(allow_guest=True, methods=["GET"])
def bases() -> list[str]:  # frapast:ignore FR-PERM-001 (for everybody, as the files are)
	"""The addresses that the site's published files are read from. The reader opens files of another host only from here."""
	base = settings.load().base_url
	return [f"{base}/"] if base else []
