"""What editors do to a small school, at random: any document, any change that a form or an import can make."""

from __future__ import annotations

import random
from collections.abc import Callable

import frappe
import redis
from frappe.core.doctype.deleted_document.deleted_document import restore as restore_document
from frappe.model.document import Document

from memora.tests.helpers import factories

_LEVELS = ("Memora Subject", "Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson")
_PARENT = dict(
	zip(_LEVELS[1:], ("parent_subject", "parent_track", "parent_unit", "parent_topic"), strict=True)
)

Action = Callable[[random.Random], None]


def found(dice: random.Random) -> None:
	"""Two subjects with two tracks, two units and two lessons each; a plan of both and one of the first."""
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
	subjects = frappe.get_all("Memora Subject", pluck="name", order_by="creation")
	factories.make_plan(subjects, is_published=1)
	factories.make_plan(subjects[:1], is_published=1)


def attempt(action: Action, dice: random.Random) -> bool:
	"""Do what an editor does, and commit; False when it was refused, as an editor's save would be."""
	frappe.db.savepoint("attempt")
	try:
		action(dice)
	except (frappe.ValidationError, frappe.LinkExistsError):
		frappe.db.rollback(save_point="attempt")
		return False
	finally:
		frappe.db.commit()
	return True


def pick(dice: random.Random, doctype: str) -> Document | None:
	names = frappe.get_all(doctype, pluck="name", order_by="creation, name")
	return frappe.get_doc(doctype, dice.choice(names)) if names else None


def edit_title(dice: random.Random) -> None:
	doc = pick(dice, dice.choice([*_LEVELS, "Memora Academic Plan", "Memora Season"]))
	if doc:
		doc.title = f"عنوان {dice.random()}"
		doc.save()


def edit_body(dice: random.Random) -> None:
	if lesson := pick(dice, "Memora Lesson"):
		lesson.append("stages", {"title": "s", "type": "Text", "config": f'{{"html": "{dice.random()}"}}'})
		lesson.save()


def toggle(dice: random.Random) -> None:
	doc = pick(dice, dice.choice(_LEVELS))
	if doc:
		flag = dice.choice(["is_published", "is_published", "is_free_preview"])
		doc.set(flag, not doc.get(flag))
		doc.save()


def db_set(dice: random.Random) -> None:
	if doc := pick(dice, dice.choice(_LEVELS)):
		doc.db_set("sort_order", dice.randint(0, 5))


def move(dice: random.Random) -> None:
	doctype = dice.choice(list(_PARENT))
	doc = pick(dice, doctype)
	parent = pick(dice, _LEVELS[_LEVELS.index(doctype) - 1])
	if doc and parent:
		doc.set(_PARENT[doctype], parent.name)
		doc.save()


def insert(dice: random.Random) -> None:
	if topic := pick(dice, "Memora Topic"):
		factories.make_lesson(parent_topic=topic.name, is_published=dice.choice([0, 1, 1]))


def delete(dice: random.Random) -> None:
	if doc := pick(dice, dice.choice(_LEVELS[1:])):
		frappe.delete_doc(doc.doctype, doc.name)


def restore(dice: random.Random) -> None:
	gone = frappe.get_all(
		"Deleted Document",
		filters={"restored": 0, "deleted_doctype": ("in", _LEVELS)},
		pluck="name",
		order_by="creation, name",
	)
	if gone:
		restore_document(dice.choice(gone), alert=False)


def rename(dice: random.Random) -> None:
	if doc := pick(dice, dice.choice([*_LEVELS, "Memora Academic Plan"])):
		try:
			frappe.rename_doc(doc.doctype, doc.name, f"n a/me {dice.randint(0, 10**6)}", force=True)
		except redis.RedisError as error:  # Frappe enqueues a job of its own with it
			raise frappe.ValidationError("nothing is renamed while Redis is down") from error


def publish_plan(dice: random.Random) -> None:
	if plan := pick(dice, "Memora Academic Plan"):
		plan.is_published = not plan.is_published
		plan.save()


def override(dice: random.Random) -> None:
	plan = pick(dice, "Memora Academic Plan")
	target = pick(dice, dice.choice(_LEVELS))
	if plan and target:
		action = dice.choice(["Hide", "Rename", "Set Free", "Set Sold Separately"])
		value = {"Rename": f"renamed {dice.random()}", "Set Sold Separately": "ITEM-O"}.get(action, "")
		plan.append("overrides", factories.override(target, action, value))
		plan.save()


def drop_overrides(dice: random.Random) -> None:
	if plan := pick(dice, "Memora Academic Plan"):
		plan.set("overrides", [])
		plan.save()


def relist(dice: random.Random) -> None:
	plan = pick(dice, "Memora Academic Plan")
	subject = pick(dice, "Memora Subject")
	if plan and subject:
		listed = [row.subject for row in plan.subjects]
		if subject.name in listed:
			plan.set("subjects", [row for row in plan.subjects if row.subject != subject.name])
			plan.set("overrides", [])
		else:
			plan.append("subjects", {"subject": subject.name, "sort_order": dice.randint(0, 3)})
		plan.save()


ACTIONS: tuple[Action, ...] = (
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
