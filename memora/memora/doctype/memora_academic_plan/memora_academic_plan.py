import frappe
from frappe import _

from memora.exceptions import AccessError
from memora.memora import overrides
from memora.memora.content import Titled
from memora.memora.texts import called
from memora.services.cdn_export import access_calculator
from memora.services.cdn_export.curriculum import items
from memora.services.cdn_export.model.plain_text import as_html


class MemoraAcademicPlan(Titled):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from memora.memora.doctype.memora_plan_override.memora_plan_override import MemoraPlanOverride
		from memora.memora.doctype.memora_plan_subject.memora_plan_subject import MemoraPlanSubject

		grade: DF.Link
		is_published: DF.Check
		overrides: DF.Table[MemoraPlanOverride]
		season: DF.Link
		stream: DF.Link
		subjects: DF.Table[MemoraPlanSubject]
		title: DF.Data
	# end: auto-generated types

	def validate(self):
		super().validate()
		self.validate_subjects()
		self.validate_overrides()
		self.follow_season()

	def validate_subjects(self):
		"""Refuse a subject that is listed twice."""
		first: dict[str, int] = {}
		for row in self.subjects:
			if row.subject in first:
				frappe.throw(
					_("Subjects, row {0}: row {1} lists the same subject. Remove one of them.").format(
						row.idx, first[row.subject]
					)
				)
			first[row.subject] = row.idx

	def validate_overrides(self):
		"""Refuse overrides that cannot work; drop those that a move has stranded."""
		for row in self.overrides:
			row.validate_value()
		if not self.overrides:
			return
		ancestry = overrides.Ancestry(_target(row) for row in self.overrides)
		self._require_targets_in_plan(ancestry)
		for row, other in overrides.contradictions(self.overrides):
			frappe.throw(
				_(
					"Overrides, row {0}: {1} does not go with {2} in row {3} for “{4}”. Remove one of them."
				).format(
					row.idx,
					_(row.action),
					_(other.action),
					other.idx,
					as_html(ancestry.title(_target(row))),
				)
			)
		self._require_items(ancestry)

	def follow_season(self):
		"""Stay unpublished while the season is: the same as when the season is unpublished later."""
		if self.is_published and not frappe.db.get_value("Memora Season", self.season, "is_published"):
			self.is_published = 0
			frappe.msgprint(
				_(
					"{0} stays unpublished, because its season is not published. Publish the season first."
				).format(called(self)),
				title=_("Not Published"),
				indicator="orange",
			)

	def _require_targets_in_plan(self, ancestry: overrides.Ancestry):
		before = self.get_doc_before_save()
		targets_before = {_target(row) for row in before.overrides} if before else set()
		listed_before = {row.subject for row in before.subjects} if before else set()
		listed = {row.subject for row in self.subjects}
		is_restored = self.is_new() and self.flags.restored  # no user can remove a row of a deleted plan
		stranded = []
		for row in self.overrides:
			subject = ancestry.subject(_target(row))
			if subject in listed:
				continue
			if not is_restored and (_target(row) not in targets_before or subject in listed_before):
				frappe.throw(
					_(
						"Overrides, row {0}: “{1}” is in none of this plan's subjects. Add its subject to the plan, or"
						" remove the row."
					).format(row.idx, as_html(ancestry.title(_target(row))))
				)
			stranded.append(row)
		if stranded:
			self._drop(stranded, ancestry)

	def _drop(self, stranded: list, ancestry: overrides.Ancestry):
		titles = ", ".join(f"“{as_html(ancestry.title(_target(row)))}”" for row in stranded)
		for row in stranded:
			self.remove(row)
		for idx, row in enumerate(self.overrides, start=1):
			row.idx = idx
		frappe.msgprint(
			_("Overrides of {0} were removed: that content has moved out of this plan's subjects.").format(
				titles
			),
			title=_("Overrides Removed"),
			indicator="orange",
		)

	def _require_items(self, ancestry: overrides.Ancestry):
		known = self._sold_while_published()
		sold = [
			row
			for row in self.overrides
			if row.action == "Set Sold Separately" and (_target(row), row.override_value) not in known
		]
		before = self.get_doc_before_save()
		sold_before = {(_target(row), row.override_value) for row in before.overrides} if before else set()
		accesses = [overrides.as_override(row) for row in self.overrides if row.action.startswith("Set ")]
		problems = items.problems(row.override_value for row in sold)
		for row in sold:
			problem = problems.get(row.override_value)
			if problem == items.MISSING and (_target(row), row.override_value) not in sold_before:
				frappe.throw(
					_(
						"Overrides, row {0}: there is no Item “{1}”. Enter the code of an Item, or leave the value"
						" empty if the target has or inherits one."
					).format(row.idx, as_html(row.override_value)),
					frappe.LinkValidationError,
				)
			if problem:
				frappe.msgprint(
					items.warning(
						problem, _("Overrides, row {0}").format(row.idx), as_html(row.override_value)
					),
					title=_("Not for Sale"),
					indicator="orange",
				)
			if row.override_value:
				continue
			try:
				access_calculator.resolve(ancestry.chain(_target(row)), accesses)
			except AccessError:
				frappe.throw(
					_(
						"Overrides, row {0}: Set Sold Separately needs a value here, an Item Code, because neither “{1}”"
						" nor anything above it names an item."
					).format(row.idx, as_html(ancestry.title(_target(row)))),
					frappe.MandatoryError,
				)

	def _sold_while_published(self) -> set[tuple]:
		"""In the save that unpublishes the plan, what it sold before: an item that was lost since does not keep it on
		the CDN."""
		before = self.get_doc_before_save()
		if self.is_published or not before or not before.is_published:
			return set()
		return {
			(_target(row), row.override_value)
			for row in before.overrides
			if row.action == "Set Sold Separately"
		}


def _target(row) -> tuple[str, str]:
	return row.target_doctype, row.target_name
