"""How a publication status is said to people: its words, its colour, its short label."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from frappe import _
from frappe.utils import convert_utc_to_system_timezone

from memora.services.cdn_export.model.doctypes import LESSON, SUBJECT
from memora.services.cdn_export.rules.publication_status import Reason, Verdict
from memora.services.cdn_export.rules.publication_status import State as State  # who says one needs it

COLORS: dict[State, str] = {
	"live": "green",
	"waiting": "orange",
	"building": "blue",
	"leaving": "orange",
	"remains": "red",
	"failed": "red",
	"dead": "red",
	"held": "purple",
	"draft": "gray",
	"above": "gray",
	"hidden": "gray",
	"no_plan": "gray",
}

_TEXTS: dict[Reason, Callable[..., str]] = {
	"live": lambda: _("Live"),
	"changed": lambda: _("Changed, and waiting for the next run"),
	"not_live_yet": lambda: _("Not live yet: waiting for the next run"),
	"leaving": lambda: _("Still on the CDN; removed with the next run"),
	"building": lambda: _("Being published now"),
	"failed": lambda cause: _("Publishing failed and is tried again: {0}").format(sentence(cause)),
	"dead": lambda cause: _(
		"Publishing has failed permanently: {0} An admin can retry it on the dashboard."
	).format(sentence(cause)),
	"held": lambda cause: _("Waits for an admin's approval: {0}").format(sentence(cause)),
	"draft": lambda: _("Not published: it is a draft"),
	"draft_above": lambda doctype, title: _("Not published: its {0} “{1}” is a draft").format(
		_kind(doctype), title
	),
	"draft_season": lambda: _("Not published: its season is not published"),
	"draft_plan": lambda plan: _("Not published: the plan “{0}” is a draft").format(plan),
	"draft_plan_season": lambda plan: _(
		"Not published: the season of the plan “{0}” is not published"
	).format(plan),
	"hidden": lambda plan: _("Hidden in the plan “{0}”").format(plan),
	"hidden_above": lambda plan, doctype, title: _(
		"Hidden in the plan “{0}”, which hides its {1} “{2}”"
	).format(plan, _kind(doctype), title),
	"hidden_by_all": lambda: _("Hidden by each of its plans"),
	"shown_by_none": lambda: _("Not published: none of its plans shows it"),
	"no_subject": lambda: _("Not published: it belongs to no subject. Give it a parent that exists."),
	"no_plan": lambda: _("In no plan, so no learner sees it"),
}


_OBSTACLES: dict[Reason, Callable[..., str]] = {
	"draft": lambda: _("It is a draft"),
	"draft_above": lambda doctype, title: _("Its {0} “{1}” is a draft").format(_kind(doctype), title),
	"draft_season": lambda season: _("Its season “{0}” is not published").format(season),
	"draft_plan": lambda plan: _("The plan “{0}” is a draft").format(plan),
	"draft_plan_season": lambda plan, season: _("The season “{1}” of the plan “{0}” is not published").format(
		plan, season
	),
	"hidden": lambda plan: _("The plan “{0}” hides it").format(plan),
	"hidden_above": lambda plan, doctype, title: _("The plan “{0}” hides its {1} “{2}”").format(
		plan, _kind(doctype), title
	),
	"no_subject": lambda: _("It belongs to no subject. Give it a parent that exists."),
	"no_plan": lambda subject="": (
		_("No plan lists its Subject “{0}”").format(subject) if subject else _("No plan lists it")
	),
	"no_item": lambda doctype, title: _(
		"The {0} “{1}” is paid, but no item is named there or above it"
	).format(_kind(doctype), title),
}


_SHORT: dict[State, Callable[[], str]] = {
	"live": lambda: _("Live"),
	"waiting": lambda: _("Waiting"),
	"building": lambda: _("Being Published"),
	"leaving": lambda: _("Being Unpublished"),
	"remains": lambda: _("Still on the CDN"),
	"failed": lambda: _("Failed"),
	"dead": lambda: _("Failed Permanently"),
	"held": lambda: _("Waiting for Approval"),
	"draft": lambda: _("Draft"),
	"above": lambda: _("Parent Not Published"),
	"hidden": lambda: _("Hidden"),
	"no_plan": lambda: _("In No Plan"),
}


def obstacle(verdict: Verdict) -> str:
	"""One of several things that keep a document from being live, as a row of a list."""
	return _OBSTACLES.get(verdict.reason, _TEXTS.get(verdict.reason, str))(*verdict.about)


def text(verdict: Verdict) -> str:
	"""What holds of a document and why, in plain words."""
	return _TEXTS[verdict.reason](*verdict.about)


def short(state: State) -> str:
	"""A state as a list's indicator says it."""
	return _SHORT[state]()


def sentence(cause: str | None) -> str:
	"""A cause as part of a text in another language: isolated, so that each keeps its direction."""
	cause = (cause or "").strip() or _("no cause was noted")
	return f"\u2068{cause if cause.endswith(('.', '!', '?')) else f'{cause}.'}\u2069"


def _kind(doctype: str) -> str:
	"""A DocType as a sentence calls it."""
	return {
		SUBJECT: _("Subject"),
		"Memora Track": _("Track"),
		"Memora Unit": _("Unit"),
		"Memora Topic": _("Topic"),
		LESSON: _("Lesson"),
	}[doctype]


def moment(version: int) -> datetime | None:
	"""A version is the moment its content last changed; here in the site's time."""
	if not version:
		return None
	return convert_utc_to_system_timezone(
		datetime.fromtimestamp(version, timezone.utc).replace(tzinfo=None)
	).replace(tzinfo=None)
