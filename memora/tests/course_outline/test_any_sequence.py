"""Whatever two editors do in an outline, each with a view of it that may be old: what a move is told stays so, and what is
published in between is, in the end, what a full build makes.

A Hypothesis state machine against a model that knows nothing of numbers: lists of names. MEMORA_SEQUENCES says how many
histories it tries, new ones then, and MEMORA_SEQUENCE_STEPS how long they are.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import frappe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from memora.api import course, outline
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS
from memora.services.cdn_export.rules import published_check
from memora.tests.faults.anew import built_anew, differences, files_below, normalised
from memora.tests.helpers import clock, factories
from memora.tests.helpers.publishing import make_course, publish_to
from memora.tests.helpers.utils import wipe

HISTORIES = int(os.environ.get("MEMORA_SEQUENCES", 6))
STEPS = int(os.environ.get("MEMORA_SEQUENCE_STEPS", 30))
EDITORS = st.sampled_from(["one", "two"])
KINDS = CONTENT[1:]

View = dict[str, list[dict[str, Any]]]


class AnySequence(RuleBasedStateMachine):
	"""One subject that is published to a folder. `order` is the model: the names below each parent; `views` is what each
	editor saw last."""

	def __init__(self) -> None:
		super().__init__()
		wipe()
		self.folder = Path(tempfile.mkdtemp(prefix="memora-outline-"))
		publish_to(storage_provider="Local Directory", local_path=str(self.folder))
		self.order: dict[str, list[str]] = {}
		self.views: dict[str, View] = {}

	@initialize(dice=st.randoms())
	def begin(self, dice: random.Random) -> None:
		"""Siblings with gaps, without, and among equals."""
		made = make_course(units=2, lessons=3)
		self.subject = made["subject"].name
		for doc in (*made["units"], *made["lessons"]):
			doc.db_set("sort_order", dice.choice([0, 0, 1, 2, 5, 1_024, 2_048]))
		factories.make_plan([self.subject], is_published=1)
		frappe.db.commit()
		self.order = {name: [row["name"] for row in rows] for name, rows in self.seen_now().items()}
		self.views = dict.fromkeys(("one", "two"), self.seen_now())

	def seen_now(self) -> View:
		"""The whole outline, opened level by level as a page does."""
		opened: list[str] = []
		while True:
			branches = outline.outline(self.subject, opened)["branches"]
			below = [
				row["name"] for rows in branches.values() for row in rows if row["doctype"] in CONTENT[:-1]
			]
			if set(below) <= set(opened):
				return branches
			opened = below

	@rule(editor=EDITORS)
	def look(self, editor: str) -> None:
		self.views[editor] = self.seen_now()

	@rule(editor=EDITORS, dice=st.randoms(), kind=st.sampled_from([*KINDS, *["Memora Lesson"] * 4]))
	def move(self, editor: str, dice: random.Random, kind: str) -> None:
		"""To between two rows that are neighbours in the editor's view, of whatever parent there."""
		view = self.views[editor]
		moved = self.pick(view, kind, dice)
		homes = [name for name in view if self.is_home(view, name, kind)]
		if not moved or not homes:
			return
		parent = dice.choice(homes)
		line = ["", *(row["name"] for row in view[parent] if row["name"] != moved), ""]
		place = dice.randrange(len(line) - 1)
		after, before = line[place], line[place + 1]
		there = self.parent_of(moved)
		rest = ["", *(name for name in self.order.get(parent, []) if name != moved), ""]
		fits = there is not None and parent in self.order and (after, before) in itertools.pairwise(rest)
		try:
			answer = course.move(kind, moved, parent, after, before)
			if "ask" in answer:
				answer = course.move(kind, moved, parent, after, before, answer["ask"]["agreed"])
		except (frappe.ValidationError, frappe.DoesNotExistError):
			assert not fits, f"{moved} was refused between {after!r} and {before!r}"
			return
		assert fits, f"{moved} went between {after!r} and {before!r}, which are no neighbours: {rest}"
		self.order[there].remove(moved)
		self.order[parent].insert(rest.index(before, 1) - 1 if before else len(self.order[parent]), moved)
		if dice.random() < 0.3:
			self.look(editor)

	@rule(editor=EDITORS, dice=st.randoms(), kind=st.sampled_from(KINDS))
	def add(self, editor: str, dice: random.Random, kind: str) -> None:
		view = self.views[editor]
		homes = [name for name in view if self.is_home(view, name, kind) and name in self.order]
		if not homes:
			return
		parent = dice.choice(homes)
		after = dice.choice(["", *(row["name"] for row in view[parent])])
		row = course.add(kind, parent, f"New {dice.random()}", after)
		names = self.order[parent]
		names.insert(names.index(after) + 1 if after in names else len(names), row["name"])
		if kind != "Memora Lesson":
			self.order[row["name"]] = []

	@rule(editor=EDITORS, dice=st.randoms(), kind=st.sampled_from(KINDS), value=st.sampled_from([1, 1, 0]))
	def publish_rows(self, editor: str, dice: random.Random, kind: str, value: int) -> None:
		if name := self.pick(self.views[editor], kind, dice, there=True):
			below = dice.choice([0, 1])
			answer = course.set_published([f"{kind}:{name}"], value, below)
			if "ask" in answer:
				answer = course.set_published([f"{kind}:{name}"], value, below, answer["ask"]["agreed"])
			if answer["undo"] and dice.random() < 0.4:
				method = answer["undo"]["method"].rpartition(".")[2]
				assert "ask" not in getattr(course, method)(**answer["undo"]["args"])

	@rule(editor=EDITORS, dice=st.randoms(), kind=st.sampled_from(KINDS[1:]))
	def duplicate(self, editor: str, dice: random.Random, kind: str) -> None:
		if name := self.pick(self.views[editor], kind, dice, there=True):
			answer = course.duplicate([f"{kind}:{name}"], 1)
			names = self.order[self.parent_of(name)]
			names.insert(names.index(name) + 1, answer["rows"][0]["name"])
			for parent, rows in self.seen_now().items():
				if parent not in self.order:
					self.order[parent] = [row["name"] for row in rows]

	@rule(editor=EDITORS, dice=st.randoms(), kind=st.sampled_from(KINDS[1:]))
	def delete(self, editor: str, dice: random.Random, kind: str) -> None:
		"""With all below; often taken back."""
		name = self.pick(self.views[editor], kind, dice, there=True)
		if not name:
			return
		ask = course.delete([f"{kind}:{name}"], 1)["ask"]
		answer = course.delete([f"{kind}:{name}"], 1, ask["agreed"])
		if dice.random() < 0.6:
			assert course.restore(**answer["undo"]["args"])["done"]
			return
		self.order[self.parent_of(name)].remove(name)
		gone = [name]
		while gone:
			gone += self.order.pop(gone.pop(), [])

	@rule(dice=st.randoms(), kind=st.sampled_from(KINDS))
	def save_a_form(self, dice: random.Random, kind: str) -> None:
		"""That was opened before: another title moves nothing."""
		if name := self.pick(self.views["one"], kind, dice, there=True):
			old = next(row for rows in self.views["one"].values() for row in rows if row["name"] == name)
			doc = frappe.get_doc(kind, name)
			doc.set("__memora_place", {"parent": old["parent"], "sort_order": old["sort_order"]})
			doc.update(
				{"title": "Typed", "sort_order": old["sort_order"], PARENT_FIELDS[kind]: old["parent"]}
			)
			doc.save()
			frappe.db.commit()

	@rule()
	def publish(self) -> None:
		frappe.db.commit()
		batch_processor.process("Scheduler")

	@invariant()
	def the_outline_is_as_both_were_told(self) -> None:
		if self.order:
			found = {parent: [row["name"] for row in rows] for parent, rows in self.seen_now().items()}
			assert found == self.order

	def pick(self, view: View, kind: str, dice: random.Random, there: bool = False) -> str:
		names = sorted(row["name"] for rows in view.values() for row in rows if row["doctype"] == kind)
		if there:
			names = [name for name in names if self.parent_of(name) is not None]
		return dice.choice(names) if names else ""

	def parent_of(self, name: str) -> str | None:
		return next((parent for parent, names in self.order.items() if name in names), None)

	def is_home(self, view: View, name: str, kind: str) -> bool:
		above = CONTENT[CONTENT.index(kind) - 1]
		if above == "Memora Subject":
			return name == self.subject
		return any(row["name"] == name and row["doctype"] == above for rows in view.values() for row in rows)

	def teardown(self) -> None:
		try:
			if self.order:
				self.publish()
				clock.skip(3_600)
				clock.look(batch=True)
				found = files_below(self.folder)
				report = published_check.check(lambda path: found.get(path), lambda: set(found))
				assert [str(problem) for problem in report.problems] == []
				assert differences(normalised(found), built_anew()) == []
		finally:
			wipe()
			shutil.rmtree(self.folder, ignore_errors=True)
			shutil.rmtree(f"{self.folder}.meta", ignore_errors=True)


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(
	max_examples=HISTORIES,
	stateful_step_count=STEPS,
	derandomize="MEMORA_SEQUENCES" not in os.environ,
	deadline=None,
	database=None,
	print_blob=True,
	suppress_health_check=list(HealthCheck),
)
