"""What the learner's reader asks its own site (docs/reader.md). It runs without a login, as the files it reads are public."""

from __future__ import annotations

import frappe
from werkzeug.wrappers import Response

from memora.api.endpoint import json_answer
from memora.services.cdn_export import settings


@frappe.whitelist(allow_guest=True, methods=["GET"])
def bases() -> list[str]:  # frapast:ignore FR-PERM-001 (for everybody, as the files are)
	"""The addresses that the site's published files are read from, past the gate and through it. The reader opens files of
	another host only from here."""
	options = settings.load()
	return [f"{base}/" for base in dict.fromkeys((options.base_url, options.gate_url)) if base]


@frappe.whitelist(methods=["GET"])
def csrf_token() -> Response:  # frapast:ignore FR-PERM-001 (the caller's own, as in each page of the Desk)
	"""What the caller's session must send with a POST, "" where it need not: the reader is a static page, and asks by POST for a
	token of the gate (`memora.api.gate.token`). Guests are refused."""
	return json_answer({"csrf_token": (frappe.session.data or {}).get("csrf_token") or ""})
