from frappe.model.document import Document


class MemoraGateKey(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		gone: DF.Datetime | None
		live_since: DF.Datetime | None
		made: DF.Datetime | None
		of_app: DF.Check
		private_key: DF.Password | None
		public_key: DF.Data | None
		retired: DF.Datetime | None
		revoked: DF.Datetime | None
		revoked_by: DF.Link | None
	# end: auto-generated types
