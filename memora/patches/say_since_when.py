"""What waits says since when, and is found by that: earlier releases did not say it of refused removals, nor of what fails
again after its dead letter was dismissed."""

from frappe.utils import now_datetime

from memora.services.cdn_export.state import database, publish_state


def execute() -> None:
	database.transaction(
		lambda: database.execute(
			f"update `tab{publish_state.TABLE}` set waiting_since = %s"
			" where waiting_since is null and published_generation < generation",
			(now_datetime(),),
		)
	)
