"""How content stands on the CDN, for the Desk: what editors and admins see on forms, in lists and on the dashboard.

Each endpoint checks its caller's role first, then the right to read each document it is asked about. What changes
something is POST only.
"""

from __future__ import annotations

from typing import Any

import frappe

from memora.install import ADMIN, EDITOR
from memora.services.cdn_export import holding, operations

ADMINS = ("System Manager", ADMIN)
READERS = (*ADMINS, EDITOR)


@frappe.whitelist(methods=["POST"])
def approve_held(plan_id: str) -> dict[str, Any]:
	"""Let through what the brake holds of a plan, or of `subject:{name}`; starts now."""
	frappe.only_for(ADMINS)
	holding.approve(str(plan_id))
	return operations.start_batch()
