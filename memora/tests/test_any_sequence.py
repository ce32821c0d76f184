"""Whatever editors do, in whatever order: what is published is what a full build would publish, and no link
is ever dead. Random but repeatable: a failure names its seed."""

from __future__ import annotations

import os
import random
import re
import tempfile
from pathlib import Path

import frappe

from memora.services.cdn_export import fold
from memora.tests import factories
from memora.tests.publishing import PublishingTestCase

_STAMPS = re.compile(rb'"version":\d+,"generated_at":"[^"]+",|\?v=\d+')
_LEVELS = ("Memora Subject", "Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson")
_PARENT = dict(
	zip(_LEVELS[1:], ("parent_subject", "parent_track", "parent_unit", "parent_topic"), strict=True)
)
SEEDS = int(os.environ.get("MEMORA_SEQUENCES", 4))
STEPS = int(os.environ.get("MEMORA_SEQUENCE_STEPS", 25))


class TestAnySequence(PublishingTestCase):
	def test_incremental_builds_end_in_the_bytes_of_a_full_build(self) -> None:
		for seed in range(SEEDS):
			with self.subTest(seed=seed):
				self.run_sequence(random.Random(seed))

	def run_sequence(self, dice: random.Random) -> None:
		self.doCleanups_between()
		self.start(dice)
		for step in range(STEPS):
			action = dice.choice(self.ACTIONS)
			frappe.db.savepoint("step")
			try:
				action(self, dice)
			except frappe.ValidationError:
				frappe.db.rollback(save_point="step")  # refused, as an editor's save would be
			except frappe.LinkExistsError:
				frappe.db.rollback(save_point="step")
			if dice.random() < 0.5:
				self.publish_and_check(f"step {step}: {action.__name__}")
		self.publish_and_check("the end")
		self.end_of_grace()
		incremental = self.normalised()
		self.assertEqual(set(self.check().unlinked), set())
		self.assertEqual(incremental, self.full_build())

	def doCleanups_between(self) -> None:
		from memora.tests.utils import wipe

		wipe()
		self.local_path = Path(tempfile.mkdtemp(prefix="memora-", dir=self.local_path))
		self.configure()

	def start(self, dice: random.Random) -> None:
		for _ in range(2):
			subject = factories.make_subject(is_published=1, required_item=dice.choice(["", "", "ITEM-S"]))
			for _ in range(2):
				track = factories.make_track(
					parent_subject=subject.name, is_published=1, required_item=dice.choice(["", "ITEM-T"])
				)
				for _ in range(2):
					unit = factories.make_unit(parent_track=track.name, is_published=1)
					topic = factories.make_topic(parent_unit=unit.name, is_published=1)
					for order in range(2):
						factories.make_lesson(parent_topic=topic.name, is_published=1, sort_order=order)
		subjects = frappe.get_all("Memora Subject", pluck="name")
		factories.make_plan(subjects, is_published=1)
		factories.make_plan(subjects[:1], is_published=1)

	def pick(self, dice: random.Random, doctype: str):
		names = frappe.get_all(doctype, pluck="name", order_by="creation, name")
		return frappe.get_doc(doctype, dice.choice(names)) if names else None

	# what editors do

	def edit_title(self, dice: random.Random) -> None:
		doc = self.pick(dice, dice.choice([*_LEVELS, "Memora Academic Plan", "Memora Season"]))
		if doc:
			doc.title = f"عنوان {dice.random()}"
			doc.save()

	def edit_body(self, dice: random.Random) -> None:
		if lesson := self.pick(dice, "Memora Lesson"):
			lesson.append("stages", {"title": "s", "type": "Text", "config": f'{{"body": {dice.random()}}}'})
			lesson.save()

	def toggle(self, dice: random.Random) -> None:
		doc = self.pick(dice, dice.choice(_LEVELS))
		if doc:
			flag = dice.choice(["is_published", "is_published", "is_free_preview"])
			doc.set(flag, not doc.get(flag))
			doc.save()

	def db_set(self, dice: random.Random) -> None:
		if doc := self.pick(dice, dice.choice(_LEVELS)):
			doc.db_set("sort_order", dice.randint(0, 5))

	def move(self, dice: random.Random) -> None:
		doctype = dice.choice(list(_PARENT))
		doc = self.pick(dice, doctype)
		parent = self.pick(dice, _LEVELS[_LEVELS.index(doctype) - 1])
		if doc and parent:
			doc.set(_PARENT[doctype], parent.name)
			doc.save()

	def insert(self, dice: random.Random) -> None:
		if topic := self.pick(dice, "Memora Topic"):
			factories.make_lesson(parent_topic=topic.name, is_published=dice.choice([0, 1, 1]))

	def delete(self, dice: random.Random) -> None:
		if doc := self.pick(dice, dice.choice(_LEVELS[1:])):
			frappe.delete_doc(doc.doctype, doc.name)

	def restore(self, dice: random.Random) -> None:
		gone = frappe.get_all(
			"Deleted Document",
			filters={"restored": 0, "deleted_doctype": ("in", _LEVELS)},
			pluck="name",
			order_by="creation, name",
		)
		if gone:
			from frappe.core.doctype.deleted_document.deleted_document import restore

			restore(dice.choice(gone), alert=False)

	def rename(self, dice: random.Random) -> None:
		if doc := self.pick(dice, dice.choice([*_LEVELS, "Memora Academic Plan"])):
			frappe.rename_doc(doc.doctype, doc.name, f"n a/me {dice.randint(0, 10**6)}", force=True)

	def publish_plan(self, dice: random.Random) -> None:
		if plan := self.pick(dice, "Memora Academic Plan"):
			plan.is_published = not plan.is_published
			plan.save()

	def override(self, dice: random.Random) -> None:
		plan = self.pick(dice, "Memora Academic Plan")
		target = self.pick(dice, dice.choice(_LEVELS))
		if plan and target:
			action = dice.choice(["Hide", "Rename", "Set Free", "Set Sold Separately"])
			value = {"Rename": f"renamed {dice.random()}", "Set Sold Separately": "ITEM-O"}.get(action, "")
			plan.append("overrides", factories.override(target, action, value))
			plan.save()

	def drop_overrides(self, dice: random.Random) -> None:
		if plan := self.pick(dice, "Memora Academic Plan"):
			plan.set("overrides", [])
			plan.save()

	def relist(self, dice: random.Random) -> None:
		plan = self.pick(dice, "Memora Academic Plan")
		subject = self.pick(dice, "Memora Subject")
		if plan and subject:
			listed = [row.subject for row in plan.subjects]
			if subject.name in listed:
				plan.set("subjects", [row for row in plan.subjects if row.subject != subject.name])
				plan.set("overrides", [])
			else:
				plan.append("subjects", {"subject": subject.name, "sort_order": dice.randint(0, 3)})
			plan.save()

	ACTIONS = (
		edit_title,
		edit_body,
		edit_body,
		toggle,
		toggle,
		db_set,
		move,
		insert,
		delete,
		restore,
		rename,
		publish_plan,
		override,
		override,
		drop_overrides,
		relist,
	)

	# what is published

	def publish_and_check(self, when: str) -> None:
		drained = self.publish()
		errors = frappe.get_all("CDN Publish State", {"retry_count": (">", 0)}, pluck="last_error")
		self.assertEqual((drained.failed, drained.left), (0, 0), f"{when}: {errors}")
		from memora.services.cdn_export import published_check

		report = published_check.check(self.read_bytes, self.paths)
		self.assertEqual([str(problem) for problem in report.problems], [], when)
		leaving = set(frappe.get_all("CDN File", {"state": "removing"}, pluck="path"))
		self.assertEqual(set(report.unlinked) - leaving, set(), when)

	def end_of_grace(self) -> None:
		frappe.db.sql("update `tabCDN File` set remove_at = '2020-01-01' where state = 'removing'")
		self.publish()

	def normalised(self) -> dict[str, bytes]:
		return {path: _STAMPS.sub(b"", body) for path, body in self.contents().items()}

	def full_build(self) -> dict[str, bytes]:
		"""What a site that never published anything would publish now."""
		for table in ("CDN File", "CDN Rendition", "CDN Node Change", "CDN Publish State", "CDN Change"):
			frappe.db.delete(table)
		self.local_path = Path(tempfile.mkdtemp(prefix="memora-full-", dir=self.local_path.parent))
		self.configure()
		fold.touch(
			frappe.get_all("Memora Academic Plan", pluck="name"),
			frappe.get_all("Memora Subject", pluck="name"),
		)
		self.publish()
		return self.normalised()
