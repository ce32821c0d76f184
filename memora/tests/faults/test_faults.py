"""Each fault scenario once, at small size: nothing committed is lost, no link ever dangles (docs/reliability.md).

A class a stage, so that its scenarios are played in one school, one after another; a test a scenario, so that each can
be run by its name.
"""

from __future__ import annotations

import re
import unittest
from collections.abc import Callable
from contextlib import ExitStack
from typing import ClassVar

from memora.tests.faults.redis_server import CannotRunError
from memora.tests.faults.scenario import Scenario, Stage, play
from memora.tests.faults.scenarios import SCENARIOS
from memora.tests.faults.school import School


class FaultTestCase(unittest.TestCase):
	stage: ClassVar[Stage]
	school: ClassVar[School]
	opened: ClassVar[ExitStack]

	@classmethod
	def setUpClass(cls) -> None:
		cls.opened = ExitStack()
		cls.addClassCleanup(lambda: cls.opened.close())
		try:
			cls.school = cls.opened.enter_context(cls.stage(False))
		except CannotRunError as error:
			raise unittest.SkipTest(str(error)) from error

	def play(self, scenario: Scenario) -> None:
		try:
			outcome = play(scenario, self.school, 0)
		except CannotRunError as error:
			self.skipTest(str(error))
		self.assertEqual((outcome.lost, outcome.dangling), ([], []))


def _test_of(scenario: Scenario) -> Callable[[FaultTestCase], None]:
	def test(self: FaultTestCase) -> None:
		self.play(scenario)

	test.__doc__ = scenario.play.__doc__
	return test


def _case_of(stage: Stage) -> type[FaultTestCase]:
	tests = {
		"test_" + re.sub(r"\W+", "_", scenario.name.lower()): _test_of(scenario)
		for scenario in SCENARIOS.values()
		if scenario.stage is stage and not scenario.in_real_time
	}
	name = "Test" + stage.__name__.title().replace("_", "")
	return type(name, (FaultTestCase,), {"stage": staticmethod(stage), **tests})


for _stage in dict.fromkeys(scenario.stage for scenario in SCENARIOS.values()):
	_case = _case_of(_stage)
	globals()[_case.__name__] = _case
del _case
