import re

import frappe
from frappe import _
from frappe.utils import cstr

from memora.memora import overrides
from memora.memora.content import ContentNode
from memora.memora.texts import called
from memora.services.cdn_export.model.doctypes import PLAN
from memora.services.course_outline.refusing import refuse_delete

_COLOR = re.compile(r"[\w#%.,/() -]+", re.ASCII)
"""Whatever CSS takes for a colour, and nothing that ends an attribute or a declaration: the Desk puts it into HTML."""


class MemoraSubject(ContentNode):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		color_code: DF.Color | None
		description: DF.SmallText | None
		image: DF.AttachImage | None
		is_free_preview: DF.Check
		is_public: DF.Check
		is_published: DF.Check
		required_item: DF.Data | None
		sort_order: DF.Int
		title: DF.Data
	# end: auto-generated types

	def validate(self):
		super().validate()
		if self._is_changed("color_code") and not _COLOR.fullmatch(cstr(self.color_code)):
			frappe.throw(
				_("{0} of {1} is no colour. Enter one like {2}.").format(
					_(self.meta.get_label("color_code")), called(self), "#1B6EC2"
				)
			)

	def on_trash(self):
		super().on_trash()
		refuse_delete(
			called(self),
			_("{0} is in the plan {1}."),
			PLAN,
			overrides.plans_listing(self.name),
			_("Remove it there first."),
		)
