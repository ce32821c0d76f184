"""Files of a release before `site`, `cache-tag` and `required-items` are written again with them, in the background."""

import frappe

from memora.services.cdn_export.state import database, ledger


def execute() -> None:
	"""Mark what is live. Again, it marks what another run has written since, which is written once more."""
	if frappe.db.has_column(ledger.TABLE, "outdated"):
		database.transaction(ledger.outdate)
