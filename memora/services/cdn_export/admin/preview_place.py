"""Where *Preview as Learner* begins: a document's page in the reader, and the plan in which it is shown there."""

from __future__ import annotations

from typing import Any

from frappe import _

from memora.exceptions import BuildError
from memora.services.cdn_export import dependency_resolver, settings
from memora.services.cdn_export.access_calculator import required_items
from memora.services.cdn_export.admin import learner_preview, status_facts
from memora.services.cdn_export.admin.learner_preview import Preview
from memora.services.cdn_export.curriculum import content_tree
from memora.services.cdn_export.model.doctypes import KIND_OF, LESSON, PLAN, SUBJECT, UNIT, WITHOUT_FILES, Ref
from memora.services.cdn_export.model.tree import walk
from memora.services.cdn_export.rules.drafted_file import NO_PLAN

_PAGES = (SUBJECT, UNIT, LESSON)
"""What has a page of its own; a track is shown on its subject's, a topic on its unit's."""


def place(preview: Preview, plan: str) -> dict[str, Any]:
	"""What the reader has to know before it asks for a file: the document's title, its page (`address`, each part a name)
	and its `focus` there, the items that open it, and where films are that are not signed.

	Without a `plan` it is one that lists the document's subject, a published one rather than a draft, else one that is made
	up. Raises BuildError where this plan does not list it, or it belongs to no subject.
	"""
	doctype, name = preview.doctype, preview.name
	base = settings.load().base_url
	found = {"doctype": doctype, "name": name, "base": f"{base}/" if base else "", "focus": "", "items": []}
	if doctype == PLAN:
		listed = content_tree.plans([name])[name]
		return {**found, "title": listed.plan.title, "address": [name]}
	nodes = status_facts.lines(doctype, [name])[name]
	if nodes[0].doctype != SUBJECT:
		raise BuildError(
			_("It belongs to no subject, so no learner can see it. Choose what it belongs to first.")
		)
	shown_in = _plan_for(preview, nodes[0].name, plan)
	return {
		**found,
		"title": nodes[-1].title,
		"address": [shown_in, *(node.name for node in nodes if node.doctype in _PAGES)],
		"focus": f"{KIND_OF[doctype]}:{name}" if doctype in WITHOUT_FILES else "",
		"items": _items(preview, shown_in, [node.ref for node in nodes]),
	}


def _plan_for(preview: Preview, subject: str, plan: str) -> str:
	listing = dependency_resolver.plans_of([subject]).get(subject, set())
	found = content_tree.plans(listing & set(preview.readable({PLAN: sorted(listing)})[PLAN]))
	if plan and plan != NO_PLAN and plan not in found:
		raise BuildError(_("This plan does not list the subject that this belongs to."))
	if plan:
		return plan
	first = min(
		found.values(), key=lambda one: (not one.is_published, one.plan.title, one.plan.name), default=None
	)
	return first.plan.name if first else NO_PLAN


def _items(preview: Preview, plan: str, line: list[Ref]) -> list[str]:
	"""The items that a learner needs to open a document in a plan."""
	listing = learner_preview.listing_of(preview, plan)
	if listing is None:
		return []
	try:
		shown = learner_preview.shown_in(preview, listing, line[0][1])
	except BuildError:  # the file that shows it says so
		return []
	key = (KIND_OF[line[-1][0]], line[-1][1])
	nodes = walk(shown.resolved) if shown else ()
	node = next((node for node in nodes if (node.kind, node.name) == key), None)
	return list(required_items(node.access, shown.resolved.access)) if node and shown else []
