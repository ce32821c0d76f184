"""Numbers for Prometheus: GET /api/method/memora.api.metrics.prometheus."""

from __future__ import annotations

import hmac

import frappe
from werkzeug.wrappers import Response

from memora.services.cdn_export.admin import metrics
from memora.services.cdn_export.model.roles import ADMINS

TOKEN = "memora_metrics_token"
"""In site_config.json; without it only a user with one of the roles gets an answer."""

HEADER = "X-Memora-Metrics-Token"
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@frappe.whitelist(allow_guest=True, methods=["GET"])
def prometheus() -> Response:
	"""The state of publishing in Prometheus's text format, for the token of site_config.json or an admin's key.

	The token comes in a header of its own, since Frappe takes every Authorization header for its own.
	"""
	if not _has_token():
		frappe.only_for(ADMINS)
	return Response(metrics.render(), content_type=_TYPE, headers={"Cache-Control": "no-store"})


def _has_token() -> bool:
	token = str(frappe.conf.get(TOKEN) or "")
	given = frappe.get_request_header(HEADER) or ""
	return bool(token) and hmac.compare_digest(token.encode(), given.encode())
