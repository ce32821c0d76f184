"""What keeps its name and its links: restored, renamed and merged documents."""

from unittest.mock import patch

import frappe
import pytest
from frappe.core.doctype.deleted_document.deleted_document import bulk_restore, restore
from frappe.model.rename_doc import update_document_title

from memora.tests.helpers.factories import (
	make,
	make_lesson,
	make_plan,
	make_subject,
	make_topic,
	make_track,
	make_unit,
	override,
)
from memora.tests.helpers.utils import MemoraTestCase, messages

#: The rocket comes last: Frappe cannot rename away from it, since its table of user settings holds no emoji.
ODD_NAMES = ("Linear Algebra", "a/b/c", "100% ?x=1#y", "الجبر", "x" * 140, "🚀")


def deleted(name: str) -> str:
	return frappe.get_value("Deleted Document", {"deleted_name": name, "restored": 0})


class TestRestore(MemoraTestCase):
	def test_every_kind_takes_its_old_name_back(self) -> None:
		lesson = make_lesson(stages=[{"title": "Read", "type": "Text"}])
		for doc in (
			make_subject(),
			make_track(),
			make_unit(),
			make_topic(),
			lesson,
			make_plan(),
			make("Memora Season"),
			make("Memora Grade"),
			make("Memora Stream"),
		):
			frappe.delete_doc(doc.doctype, doc.name)
			restore(deleted(doc.name))
			self.assertEqual(frappe.db.get_value(doc.doctype, doc.name, "title"), doc.title)
		self.assertEqual(len(frappe.get_doc("Memora Lesson", lesson.name).stages), 1)

	def test_a_name_given_by_hand_comes_back_too(self) -> None:
		lesson = make_lesson()
		frappe.rename_doc("Memora Lesson", lesson.name, "Linear Algebra", force=True)
		frappe.delete_doc("Memora Lesson", "Linear Algebra")
		restore(deleted("Linear Algebra"))
		self.assertTrue(frappe.db.exists("Memora Lesson", "Linear Algebra"))

	def test_siblings_keep_their_order(self) -> None:
		first = make_lesson()
		make_lesson(parent_topic=first.parent_topic)
		frappe.delete_doc("Memora Lesson", first.name)
		restore(deleted(first.name))

		names = frappe.get_all(
			"Memora Lesson",
			{"parent_topic": first.parent_topic},
			pluck="name",
			order_by="sort_order, creation",
		)
		self.assertEqual(names[0], first.name)

	def test_a_restore_is_tracked_as_an_insert_is(self) -> None:
		lesson = make_lesson()
		frappe.delete_doc("Memora Lesson", lesson.name)
		frappe.db.delete("CDN Change")
		restore(deleted(lesson.name))
		self.assertEqual(
			frappe.get_all("CDN Change", fields=["ref_doctype", "ref_name", "event"]),
			[{"ref_doctype": "Memora Lesson", "ref_name": lesson.name, "event": "change"}],
		)

	def test_a_name_taken_meanwhile_stays_with_its_owner(self) -> None:
		lesson = make_lesson(title="Old")
		frappe.delete_doc("Memora Lesson", lesson.name)
		other = make_lesson(title="New", parent_topic=lesson.parent_topic)
		frappe.rename_doc("Memora Lesson", other.name, lesson.name, force=True)

		restore(deleted(lesson.name))

		self.assertEqual(frappe.db.get_value("Memora Lesson", lesson.name, "title"), "New")
		self.assertEqual(frappe.db.count("Memora Lesson", {"title": "Old"}), 1)

	def test_a_missing_parent_is_named_by_its_title(self) -> None:
		lesson = make_lesson(title="Lenses", parent_topic=make_topic(title="Light").name)
		frappe.delete_doc("Memora Lesson", lesson.name)
		frappe.delete_doc("Memora Topic", lesson.parent_topic)

		with self.assertRaises(frappe.LinkValidationError) as refused:
			restore(deleted(lesson.name))
		for expected in ("Lenses", "Memora Topic “Light”", "Restore that first"):
			self.assertIn(expected, str(refused.exception))

		restore(deleted(lesson.parent_topic))
		restore(deleted(lesson.name))
		self.assertEqual(
			frappe.db.get_value("Memora Lesson", lesson.name, "parent_topic"), lesson.parent_topic
		)

	def test_many_are_restored_at_once_parents_first(self) -> None:
		lesson = make_lesson()
		frappe.delete_doc("Memora Lesson", lesson.name)
		frappe.delete_doc("Memora Topic", lesson.parent_topic)
		frappe.db.commit()

		bulk_restore([deleted(lesson.parent_topic), deleted(lesson.name)])

		self.assertTrue(frappe.db.exists("Memora Lesson", lesson.name))

	def test_a_parent_gone_for_good_is_said_to_be(self) -> None:
		lesson = make_lesson()
		frappe.delete_doc("Memora Lesson", lesson.name)
		frappe.delete_doc("Memora Topic", lesson.parent_topic, delete_permanently=True)
		with self.assertRaises(frappe.LinkValidationError) as refused:
			restore(deleted(lesson.name))
		self.assertIn("does not exist any more", str(refused.exception))
		self.assertIn(lesson.parent_topic, str(refused.exception))

	def test_a_plan_names_what_it_misses(self) -> None:
		subject = make_subject(title="Physics")
		lesson_of = make_track(title="Basics", parent_subject=subject.name)
		plan = make_plan([subject], title="Grade 9", overrides=[override(lesson_of, "Hide")])
		frappe.delete_doc("Memora Academic Plan", plan.name)
		frappe.delete_doc("Memora Track", lesson_of.name)

		with self.assertRaises(frappe.LinkValidationError) as refused:
			restore(deleted(plan.name))
		self.assertIn("Grade 9", str(refused.exception))
		self.assertIn("Memora Track “Basics”", str(refused.exception))

	def test_a_plan_comes_back_without_the_overrides_that_a_move_has_stranded_and_says_so(self) -> None:
		subject = make_subject()
		track = make_track(title="Basics", parent_subject=subject.name)
		plan = make_plan([subject], overrides=[override(track, "Hide"), override(subject, "Set Free")])
		frappe.delete_doc("Memora Academic Plan", plan.name)
		track.update({"parent_subject": make_subject().name}).save()
		frappe.clear_messages()

		restore(deleted(plan.name))

		restored = frappe.get_doc(plan.doctype, plan.name)
		self.assertEqual([(row.idx, row.target_name) for row in restored.overrides], [(1, subject.name)])
		self.assertIn("Overrides of “Basics” were removed", messages())
		restored.append("overrides", override(track, "Hide"))
		with self.assertRaisesRegex(frappe.ValidationError, "in none of this plan's subjects"):
			restored.save()

	def test_ordinary_inserts_are_left_alone(self) -> None:
		subject = make_subject()
		copied = frappe.copy_doc(subject)
		copied.insert()
		self.assertNotEqual(copied.name, subject.name)

		frappe.delete_doc("Memora Subject", subject.name)
		self.assertNotEqual(frappe.copy_doc(subject).insert().name, subject.name)
		self.assertNotEqual(make_subject(name="wanted").name, "wanted")
		named = frappe.get_doc({"doctype": "Memora Subject", "title": "Named"}).insert(set_name="by-hand")
		self.assertEqual(named.name, "by-hand")

	def test_an_import_keeps_the_names_it_brings(self) -> None:
		frappe.flags.in_import = True
		self.addCleanup(frappe.flags.pop, "in_import", None)
		self.assertEqual(make_subject(name="brought along").name, "brought along")

	def test_an_insert_without_a_name_looks_nothing_up(self) -> None:
		doc = frappe.get_doc({"doctype": "Memora Subject", "title": "Plain"})
		with self.assertQueryCount(0):
			self.assertFalse(doc._is_restored())


class TestRename(MemoraTestCase):
	def test_only_code_that_insists_renames_content_and_plans(self) -> None:
		subject = make_subject()
		lesson = make_lesson()
		docs = [
			subject,
			make_track(parent_subject=subject.name),
			make_unit(),
			make_topic(),
			lesson,
			make_plan(),
		]
		for doc in docs:
			with self.subTest(doc.doctype), self.assertRaises(frappe.ValidationError):
				update_document_title(doctype=doc.doctype, docname=doc.name, name="renamed")
			self.assertTrue(frappe.db.exists(doc.doctype, doc.name))

	def test_children_plans_and_overrides_follow_any_name(self) -> None:
		subject = make_subject()
		track = make_track(parent_subject=subject.name)
		plan = make_plan([subject], overrides=[override(subject, "Rename", "Shown"), override(track, "Hide")])
		for name in ODD_NAMES:
			subject_name = frappe.rename_doc("Memora Subject", subject.name, name, force=True)
			frappe.rename_doc("Memora Track", track.name, name, force=True)
			self.assertEqual(subject_name, name)

			plan = frappe.get_doc(plan.doctype, plan.name)
			self.assertEqual(frappe.db.get_value("Memora Track", name, "parent_subject"), name)
			self.assertEqual([row.subject for row in plan.subjects], [name])
			self.assertEqual([row.target_name for row in plan.overrides], [name, name])
			plan.save()  # and it is still a valid plan
			subject.name = track.name = name

	def test_overrides_follow_where_frappes_map_of_dynamic_links_is_old(self) -> None:
		lesson = make_lesson()
		topic = frappe.get_doc("Memora Topic", lesson.parent_topic)
		subject = frappe.get_value(
			"Memora Track",
			frappe.get_value("Memora Unit", topic.parent_unit, "parent_track"),
			"parent_subject",
		)
		plan = make_plan([subject], overrides=[override(lesson, "Hide"), override(topic, "Set Free")])

		with patch("frappe.model.rename_doc.get_dynamic_link_map", return_value={}):
			frappe.rename_doc("Memora Lesson", lesson.name, "renamed", force=True)

		plan = frappe.get_doc(plan.doctype, plan.name)
		self.assertEqual([row.target_name for row in plan.overrides], ["renamed", topic.name])

	def test_a_plan_with_logs_follows_its_name(self) -> None:
		plan = make_plan()
		log = frappe.get_doc(
			{"doctype": "CDN Sync Log", "plan_id": plan.name, "status": "Success", "docstatus": 1}
		).insert(ignore_permissions=True)
		frappe.rename_doc("Memora Academic Plan", plan.name, "grade 9", force=True)
		self.assertEqual(frappe.db.get_value("CDN Sync Log", log.name, "plan_id"), "grade 9")

	def test_a_merge_moves_children_and_leaves_a_valid_plan(self) -> None:
		kept, merged = make_subject(), make_subject()
		track = make_track(parent_subject=merged.name)
		plan = make_plan(
			[merged, kept],
			overrides=[
				override(merged, "Set Free"),
				override(kept, "Hide"),
				override(merged, "Rename", "A"),
				override(track, "Hide"),
			],
		)

		frappe.rename_doc("Memora Subject", merged.name, kept.name, merge=True, force=True)

		plan = frappe.get_doc(plan.doctype, plan.name)
		self.assertEqual([row.subject for row in plan.subjects], [kept.name])
		self.assertEqual(
			[(row.target_name, row.action) for row in plan.overrides],
			[(kept.name, "Set Free"), (kept.name, "Rename"), (track.name, "Hide")],
		)
		self.assertEqual(frappe.db.get_value("Memora Track", track.name, "parent_subject"), kept.name)
		self.assertFalse(frappe.db.exists("Memora Subject", merged.name))
		plan.save()


class TestDeletePlan(MemoraTestCase):
	@pytest.mark.earlier_defect(
		"deleting a published plan failed on the link from its sync logs, after its CDN folder was "
		"already gone"
	)
	def test_a_published_plan_with_sync_logs_can_be_deleted_and_its_logs_stay(self) -> None:
		plan = make_plan([make_subject()], is_published=1)
		for status, docstatus in (("Success", 1), ("Failed", 0), ("Dead Letter", 1)):
			frappe.get_doc(
				{"doctype": "CDN Sync Log", "plan_id": plan.name, "status": status, "docstatus": docstatus}
			).insert(ignore_permissions=True)

		frappe.delete_doc("Memora Academic Plan", plan.name)

		self.assertFalse(frappe.db.exists("Memora Academic Plan", plan.name))
		self.assertEqual(frappe.db.count("CDN Sync Log", {"plan_id": plan.name}), 3)
