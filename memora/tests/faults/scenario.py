"""What a scenario is, how one run of it goes, and what came of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import frappe

from memora.services.cdn_export.rules import file_removals
from memora.tests.faults import school as schools
from memora.tests.faults.anew import built_anew, differences, normalised
from memora.tests.faults.links import dead_links, watched
from memora.tests.faults.school import School
from memora.tests.helpers import clock

Stage = Callable[[bool], AbstractContextManager[School]]
Play = Callable[[School], None]


@dataclass(frozen=True)
class Scenario:
	"""Something breaks while editors save and workers build. `play` returns when the fault has ended.

	One `in_real_time` waits for what others skip: it is played once, and not among the tests.
	"""

	name: str
	play: Play
	stage: Stage
	in_real_time: bool = False


@dataclass(frozen=True)
class Outcome:
	"""What came of one run.

	`lost` are committed changes that are not in what is published after recovery, `dangling` are links in live
	documents that led to nothing, to half a file or to something older than they say, at any moment. `recovery_s` is
	from the fault's end until everything is published, with the waits that were skipped counted; None for never.
	"""

	lost: list[str]
	dangling: list[str]
	recovery_s: float | None


SCENARIOS: dict[str, Scenario] = {}
"""All of them by name, in the order of their modules; `memora.tests.faults.scenarios` fills it."""


def scenario(
	name: str, stage: Stage = schools.in_a_folder, *, in_real_time: bool = False
) -> Callable[[Play], Play]:
	"""Name what is decorated as a scenario."""

	def add(play: Play) -> Play:
		SCENARIOS[name] = Scenario(name, play, stage, in_real_time)
		return play

	return add


def play(scenario: Scenario, school: School, number: int) -> Outcome:
	"""Play a scenario for the nth time, in a school where others may have been played before.

	Raises CannotRunError when this machine lacks what it needs.
	"""
	school.run, school.dice = number, random.Random(f"{scenario.name} {number}")
	school.dangling, school.wrong, school.recovered_after = [], [], None
	with school.until_recovered, watched(school.read, school.dangling):
		scenario.play(school)
		school.dangling += dead_links(school.read)
		seconds = school.recovered_after or clock.scheduler(school.dice)
	school.dangling += dead_links(school.read)
	if seconds is None:
		rows = frappe.get_all("CDN Publish State", {"last_error": ("is", "set")}, ["name", "last_error"])
		school.wrong.append(f"not published after two hours: {[(row.name, row.last_error) for row in rows]}")
	# What merely moved may stay for a while, and is not to be compared.
	clock.skip(file_removals.GRACE.total_seconds())
	clock.look(batch=True)
	school.dangling += dead_links(school.read)
	lost = school.wrong + school.forgotten() + differences(normalised(school.files()), built_anew())
	return Outcome(lost, list(dict.fromkeys(school.dangling)), seconds)
