from frappe.model.document import Document


class CDNPublishState(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		approved_generation: DF.Int
		causes: DF.Text | None
		dead_since: DF.Datetime | None
		failed_generation: DF.Int
		generation: DF.Int
		held: DF.Check
		held_generation: DF.Int
		held_reason: DF.Text | None
		index_entry: DF.Text | None
		is_live: DF.Check
		last_attempt_at: DF.Datetime | None
		last_error: DF.Text | None
		last_success_at: DF.Datetime | None
		lease_expires: DF.Datetime | None
		lease_token: DF.Data | None
		live_version: DF.Int
		next_retry_at: DF.Datetime | None
		published_generation: DF.Int
		ref: DF.Data | None
		retry_count: DF.Int
		scope_type: DF.Literal["plan", "subject", "index", "films", "removal"]
		shown_digest: DF.Data | None
		shown_generation: DF.Int
		triggered_by: DF.Data | None
		waiting_since: DF.Datetime | None
	# end: auto-generated types

	pass
