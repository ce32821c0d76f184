"""CDN Settings name the CDN that is purged: Cloudflare, where they have a zone already."""

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.state import database


def execute() -> None:
	database.transaction(_name)


def _name() -> None:
	doc = frappe.get_doc(settings.DOCTYPE)
	if not doc.get("cdn"):
		cdn = "Cloudflare" if doc.cloudflare_zone_id else "None"
		frappe.db.set_single_value(settings.DOCTYPE, "cdn", cdn, update_modified=False)
