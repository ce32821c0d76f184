"""Which files go that a build no longer produces, and when: at once, or after a grace period.

Pure. What has merely moved stays for its grace, since caches may still link to it. What may no longer be read goes at
once: its unit or lesson is gone from the subject, or fewer may read it (a withdrawal). A withdrawal ends the grace of
the subject's other files, too, as they may name what was withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from memora.services.cdn_export.access_calculator import narrows
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.model.tree import AccessLevel
from memora.services.cdn_export.rules.subject_files import Levels

GRACE = timedelta(minutes=15)
"""How long a file that merely moved stays: longer than a manifest may be cached (spec, "Publishing")."""

LevelsOf = Callable[[str], Levels | None]


@dataclass(slots=True)
class Removals:
	"""Files a build no longer produces: at once or after a grace. `withdrawn` are the subjects that something was taken
	out of for every owner: none of their files, whoever has them, stays for its grace any longer."""

	at_once: list[str] = field(default_factory=list)
	after_grace: list[str] = field(default_factory=list)
	withdrawn: set[str] = field(default_factory=set)

	def __bool__(self) -> bool:
		return bool(self.at_once or self.after_grace or self.withdrawn)

	def add(self, leaving: Iterable[LedgerEntry], gone: Collection[str]) -> None:
		"""Take these files down: at once the paths in `gone`, the others after the grace that they begin now."""
		for entry in leaving:
			if entry.path in gone:
				self.at_once.append(entry.path)
			elif not entry.in_grace:
				self.after_grace.append(entry.path)


@dataclass(frozen=True, slots=True)
class Facts:
	"""What a plan's removals depend on beside its own files.

	`private` are paths of lessons' files whose file on the site was deleted or made private; `lost_by_shared` the shared
	subjects that have dropped files since the live manifest. `waiting` are files of other owners in their grace period,
	of subjects that are the plan's own; `content` says of those that other plans show, too, who may read what in them,
	None where that is unknown.
	"""

	private: Collection[str] = ()
	lost_by_shared: Collection[str] = ()
	waiting: Collection[LedgerEntry] = ()
	content: Mapping[str, Levels | None] = field(default_factory=dict)


def is_withdrawn(entry: LedgerEntry, levels: Levels) -> bool:
	"""Whether the unit or lesson that a file belongs to is gone from a subject, or fewer may read it, by who may read what
	in it now."""
	level = levels.get(entry.shows)
	return level is None or narrows(cast(AccessLevel, entry.access_level), level)


def of_subject(
	subject: str,
	leaving: Iterable[LedgerEntry],
	entries: Iterable[LedgerEntry],
	levels: Levels,
	private: Collection[str],
) -> Removals:
	"""What a subject's build drops is withdrawn from it, but for files that a lesson only names no longer: caches may have
	the lesson as it was. What has come here is withdrawn from where it was."""
	withdrawn = {
		entry.subject
		for entry in entries
		if entry.is_there and (entry.subject != subject or is_withdrawn(entry, levels))
	}
	leaving = list(leaving)
	found = Removals(withdrawn=withdrawn)
	found.add(leaving, {e.path for e in leaving if is_withdrawn(e, levels) or e.path in private})
	return found


def of_plan(
	leaving: Collection[LedgerEntry],
	entries: Iterable[LedgerEntry],
	levels: LevelsOf,
	hides: Collection[str],
	facts: Facts,
) -> Removals:
	"""What a plan drops has merely moved, or been cut differently, and stays for a grace, unless something in its subject is
	withdrawn. `levels` say who may read what in a rendered subject, None where the plan no longer shows it; in those named
	in `hides` the plan hides something."""
	found = Removals(withdrawn=_withdrawn_for_others(levels, hides, facts))
	if leaving:
		withdrawn = _withdrawn({entry.subject for entry in leaving}, entries, levels, facts)
		found.add(leaving, {e.path for e in leaving if e.subject in withdrawn or e.path in facts.private})
	return found


def _withdrawn(
	subjects: Collection[str],
	entries: Iterable[LedgerEntry],
	levels: LevelsOf,
	facts: Facts,
) -> set[str]:
	"""Those of these subjects that the plan no longer shows, or shows less of to its learners than so far."""
	found = {*facts.lost_by_shared, *(subject for subject in subjects if levels(subject) is None)}
	for entry in entries:
		if entry.subject not in subjects or entry.subject in found or not entry.is_there:
			continue
		if entry.shows[0] in ("unit", "lesson") and is_withdrawn(entry, levels(entry.subject) or {}):
			found.add(entry.subject)
	return found


def _withdrawn_for_others(levels: LevelsOf, hides: Collection[str], facts: Facts) -> set[str]:
	"""The plan's own subjects where others' files are in their grace period and name what is withdrawn: by the content, or
	by this plan where no other shows the subject."""
	found = set()
	for entry in facts.waiting:
		subject = entry.subject
		if subject in facts.content:
			known = facts.content[subject]
		elif subject in hides:
			found.add(subject)
			continue
		else:
			known = levels(subject) or {}
		if known is not None and is_withdrawn(entry, known):
			found.add(subject)
	return found
