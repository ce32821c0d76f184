"""Tests of `bench memora`: a published plan, and what each command says."""

from __future__ import annotations

import json
from typing import Any

import frappe
from click.testing import Result

from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import publish_state
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course, run_command


class CommandsTestCase(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(units=1)
		self.plan = factories.make_plan(title="Grade 10", is_published=1, subjects=[self.course["subject"]])
		frappe.db.commit()

	def bench(self, *arguments: str, answer: str = "") -> Result:
		"""Run `bench memora …` in this process, on this connection."""
		return run_command(*arguments, answer=answer)

	def says(self, exit_code: int, *arguments: str) -> str:
		"""Run it, expect that code, and return what it said."""
		result = self.bench(*arguments)
		self.assertEqual(result.exit_code, exit_code, result.output)
		return result.output

	def asked(self, exit_code: int, *arguments: str) -> Any:
		"""The same with --json."""
		result = self.bench(*arguments, "--json")
		self.assertEqual(result.exit_code, exit_code, result.output)
		return json.loads(result.output)

	def kill(self, label: str, cause: str = "no space left") -> None:
		"""Make a dead letter of it."""
		frappe.db.set_value(
			publish_state.TABLE,
			scopes.of_label(label).id,
			{
				"dead_since": frappe.utils.now_datetime(),
				"last_error": cause,
				"retry_count": 3,
				"failed_generation": 999,
				"published_generation": 0,
			},
		)
		frappe.db.commit()
