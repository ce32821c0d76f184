"""Changes that the large-change guard holds: which they are, and that they wait until an admin approves
(`admin.decisions`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from frappe import _

from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.curriculum import removed_lessons
from memora.services.cdn_export.delivery import admin_notices
from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.tree import ResolvedNode
from memora.services.cdn_export.rules import large_change_guard
from memora.services.cdn_export.rules.large_change_guard import Losses
from memora.services.cdn_export.rules.plan_files import PlanFiles
from memora.services.cdn_export.state import database, ledger, publish_state

_NAMED_AT_MOST = 3


def losses(files: PlanFiles) -> Losses:
	"""What a plan loses when these files are published."""
	snapshot = files.snapshot
	changed = [*files.rendered, *snapshot.gone]
	shown = {lesson.name for lesson in files.lessons}
	lost = ledger.rights_shown(snapshot.state.ref, snapshot.renditions, changed).keys() - shown
	return large_change_guard.losses(
		snapshot.renditions,
		changed,
		shown=len(shown),
		lost=len(lost),
		taken_down=set(removed_lessons.causes(lost, snapshot.all_overrides)),
	)


def hold(build: Build, lost: Losses) -> None:
	"""Let a plan's run wait that would lose many of its lessons; what is live stays live."""
	reason = _("{0} of {1} lessons would be removed, and stay until approved.").format(lost.others, lost.live)
	values = publish_state.held_values(build.state.generation, reason)
	database.transaction(lambda: publish_state.hold(build.scope, build.lease.token, values))
	tell(build, values)


def kept_paid(build: Build, lessons: Sequence[ResolvedNode]) -> dict[str, Any]:
	"""What the state of a scope says when it is published with lessons that would no longer be paid; {} without any."""
	if not lessons:
		return {}
	titles = ", ".join(f"“{lesson.title}”" for lesson in lessons[:_NAMED_AT_MOST])
	if len(lessons) > _NAMED_AT_MOST:
		titles = _("{0} and {1} more").format(titles, len(lessons) - _NAMED_AT_MOST)
	reason = plain_text.store(
		_("Paid lessons would be readable without paying, and stay paid until approved: {0}").format(titles)
	)
	return publish_state.held_values(build.state.generation, reason)


def tell(build: Build, held: dict[str, Any]) -> None:
	"""Tell each admin that a scope waits for their word, once, in a transaction of its own."""
	if held and not build.state.held:
		title = admin_notices.title_of(build.scope)
		admin_notices.tell_admins(
			lambda lang: _("{0} waits for your approval", lang).format(title), held["held_reason"]
		)
