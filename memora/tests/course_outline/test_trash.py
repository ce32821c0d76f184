"""The trash: what is in it for whom, what comes back and how, and when it is emptied."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from frappe.core.doctype.deleted_document.deleted_document import restore as frappes_restore
from frappe.model.document import Document
from frappe.utils import add_days, now_datetime

from memora.api import course, history
from memora.api import trash as api
from memora.install import ADMIN, EDITOR
from memora.services.cdn_export.model.doctypes import CONTENT, LESSON, PARENT_FIELDS, PLAN
from memora.services.course_outline import targets, trash, trash_list
from memora.tests.helpers import factories
from memora.tests.helpers.files import PNG
from memora.tests.helpers.files_of_content import TextsTestCase
from memora.tests.helpers.outline import NO_ROLE, RolesTestCase, row
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import chain, make_course
from memora.tests.helpers.statements import statements

DELETED = "Deleted Document"
TRASH = "Memora Trash"


def delete(doc: Document) -> str:
	"""Delete a document with all below it, as the course page does; returns its entry."""
	ask = course.delete([row(doc)], 1)["ask"]
	course.delete([row(doc)], 1, ask["agreed"])
	return entry_of(doc)


def entry_of(doc: Document) -> str:
	return frappe.db.get_value(TRASH, {"deleted_name": doc.name})


def listed(**args: Any) -> list[str]:
	return [each["title"] for each in trash_list.entries(**args)["rows"]]


class TestTrash(TextsTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.subject, self.track, self.unit, self.topic, self.lesson = chain(self.course)

	def test_a_unit_is_back_as_it_was_as_drafts_with_its_pictures_and_other_files(self) -> None:
		lessons = [
			factories.make_lesson(title=f"L{n}", parent_topic=self.topic.name, is_published=n % 2)
			for n in range(8)
		]
		urls = [self.picture_in(lesson, f"back{n}".encode()) for n, lesson in enumerate(lessons)]
		to = {"attached_to_doctype": LESSON, "attached_to_name": lessons[0].name}
		urls.append(self.attached(PNG + b"beside", **to).file_url)
		docs = [self.unit, self.topic, *lessons]
		before = {doc.name: frappe.get_doc(doc.doctype, doc.name).as_dict() for doc in docs}
		files = {url: self.rows(url) for url in urls}
		entry = delete(self.unit)
		trash.daily()
		self.assertEqual([self.there(url) for url in urls], [True] * len(urls))
		frappe.clear_messages()
		answer = api.restore(entry)
		self.assertEqual((answer["name"], answer["subject"]), (self.unit.name, self.subject.name))
		self.assertEqual(frappe.local.message_log, [])
		for doc in docs:
			after = frappe.get_doc(doc.doctype, doc.name).as_dict()
			self.assertEqual(after.is_published, 0, doc.title)
			for field in ("title", "sort_order", "creation", "owner", PARENT_FIELDS[doc.doctype]):
				self.assertEqual(after[field], before[doc.name][field], (doc.title, field))
			stages = [(stage.title, stage.config) for stage in before[doc.name].get("stages", ())]
			self.assertEqual([(stage.title, stage.config) for stage in after.get("stages", ())], stages)
		self.assertEqual({url: self.rows(url) for url in urls}, files)
		self.assertEqual([self.there(url) for url in urls], [True] * len(urls))
		self.assertEqual(listed(), [])
		self.assertEqual(frappe.db.count(TRASH), 0)
		self.publish()
		self.assertFalse({doc.name for doc in lessons} & set(self.read_all_lessons()))
		self.addCleanup(lambda: [self.drop_files_of(lesson) for lesson in lessons])

	def read_all_lessons(self) -> list[str]:
		return [Path(path).stem for path in self.paths() if path.startswith("lessons/")]

	def test_a_deletion_goes_on_without_the_table_and_is_in_the_trash_later(self) -> None:
		frappe.db.commit()
		frappe.db.sql_ddl(f"alter table `tab{TRASH}` rename to `tabMemora Trash Away`")
		try:
			frappe.delete_doc(LESSON, self.lesson.name)
			frappe.db.commit()
		finally:
			frappe.db.sql_ddl(f"alter table `tabMemora Trash Away` rename to `tab{TRASH}`")
		self.assertFalse(frappe.db.exists(LESSON, self.lesson.name))
		trash.catch_up()
		self.assertEqual(listed(), [self.lesson.title])

	def test_a_deletion_on_the_course_page_goes_on_without_the_table_too(self) -> None:
		ask = course.delete([row(self.unit)], 1)["ask"]
		frappe.db.commit()
		frappe.db.sql_ddl(f"alter table `tab{TRASH}` rename to `tabMemora Trash Away`")
		try:
			answer = course.delete([row(self.unit)], 1, ask["agreed"])
		finally:
			frappe.db.sql_ddl(f"alter table `tabMemora Trash Away` rename to `tab{TRASH}`")
		self.assertEqual((answer["done"], answer["undo"]), (True, None))
		self.assertFalse(frappe.db.exists(self.unit.doctype, self.unit.name))
		trash.catch_up()
		self.assertIn(self.unit.title, listed())

	def test_a_deletion_goes_on_though_its_row_was_not_written(self) -> None:
		ask = course.delete([row(self.unit)], 1)["ask"]
		with patch.object(trash, "note"):
			answer = course.delete([row(self.unit)], 1, ask["agreed"])
		self.assertEqual((answer["done"], answer["undo"]), (True, None))

	def test_deleted_stages_are_offered_back_only_by_the_version_that_their_deletion_has_written(
		self,
	) -> None:
		self.lesson.update({"title": "Changed", "is_published": 0}).save(ignore_version=False)
		stage = f"Memora Lesson Stage:{self.lesson.stages[0].name}"
		with patch.object(Document, "save_version"):
			answer = course.delete([stage])
		self.assertEqual((answer["done"], answer["undo"]), (True, None))

	def test_stages_have_their_names_again_where_those_are_free(self) -> None:
		stages = [{"title": title, "type": "Text", "config": '{"text": "x"}'} for title in ("One", "Two")]
		lesson = factories.make_lesson(parent_topic=self.topic.name, stages=stages)
		first, second = (stage.name for stage in lesson.stages)
		frappe.delete_doc(LESSON, lesson.name)
		other = self.lesson.stages[0].name
		frappe.db.sql("update `tabMemora Lesson Stage` set name = %s where name = %s", (second, other))
		api.restore(entry_of(lesson))
		lesson.reload()
		self.assertEqual([stage.title for stage in lesson.stages], ["One", "Two"])
		self.assertEqual(lesson.stages[0].name, first)
		self.assertNotIn(lesson.stages[1].name, (first, second, None))

	def test_each_entry_says_from_where_by_whom_until_when_and_how_much_comes_back(self) -> None:
		delete(self.unit)
		frappe.delete_doc(LESSON, self.course["lessons"][2].name)  # as a form does
		first, second = trash_list.entries()["rows"]
		self.assertEqual((second["title"], second["below"]), (self.unit.title, 3))
		self.assertEqual(second["titles_above"], [self.subject.title, self.track.title])
		self.assertEqual(second["deleted_by"], "Administrator")
		self.assertEqual(second["kept_until"][:10], str(add_days(now_datetime(), 180))[:10])
		self.assertEqual((first["doctype"], first["below"], first["gone"]), (LESSON, 0, ""))
		self.assertEqual(len(first["titles_above"]), 4)

	def test_it_is_searched_by_title_kind_and_course_and_paged(self) -> None:
		other = make_course(title="Other")
		for n in range(23):
			frappe.delete_doc(
				LESSON, factories.make_lesson(title=f"<{n}%", parent_topic=self.topic.name).name
			)
		frappe.delete_doc(LESSON, other["lessons"][0].name)
		self.assertEqual(api.entries(text="<2%")["rows"][0]["title"], "<2%")
		self.assertEqual(listed(subject=other["subject"].name), [other["lessons"][0].title])
		self.assertEqual(listed(doctype="Memora Unit"), [])
		first = trash_list.entries(subject=self.subject.name)
		second = trash_list.entries(subject=self.subject.name, start=first["next"])
		self.assertEqual((len(first["rows"]), first["next"]), (20, 20))
		self.assertEqual((len(second["rows"]), second["next"]), (3, 0))
		self.assertFalse({each["name"] for each in first["rows"]} & {each["name"] for each in second["rows"]})

	def test_what_it_was_in_is_offered_as_well_where_that_is_in_the_trash(self) -> None:
		frappe.delete_doc(LESSON, self.lesson.name)
		unit = delete(self.unit)
		track = delete(self.track)
		entry = entry_of(self.lesson)
		row_ = next(each for each in trash_list.entries()["rows"] if each["name"] == entry)
		self.assertEqual(row_["gone"], self.topic.title)
		also = api.restore(entry)["also"]
		self.assertEqual(
			[(each["title"], each["below"]) for each in also],
			[
				(self.track.title, len(trash.members(track)) - 1),
				(self.unit.title, len(trash.members(unit)) - 1),
			],
		)
		self.assertFalse(frappe.db.exists(LESSON, self.lesson.name))
		self.assertTrue(api.restore(entry, 1)["done"])
		for doc in chain(self.course)[1:]:
			self.assertTrue(frappe.db.exists(doc.doctype, doc.name))
		self.assertEqual(listed(), [])

	def test_where_it_is_gone_for_good_that_is_said_and_nothing_comes_back(self) -> None:
		frappe.delete_doc(LESSON, self.lesson.name)
		entry = entry_of(self.lesson)
		api.remove(delete(self.unit))
		with self.assertRaisesRegex(frappe.LinkValidationError, "does not exist any more"):
			api.restore(entry, 1)
		self.assertFalse(frappe.db.exists(LESSON, self.lesson.name))
		self.assertEqual(listed(doctype=LESSON), [self.lesson.title])

	def test_where_one_of_them_cannot_come_back_none_does(self) -> None:
		entry = delete(self.unit)
		frappe.db.set_value(DELETED, entry_of(self.lesson), "data", '{"title": ""}')
		frappe.db.commit()
		with self.assertRaises(frappe.ValidationError):
			api.restore(entry)
		self.assertFalse(frappe.db.exists("Memora Unit", self.unit.name))
		self.assertEqual(listed(), [self.unit.title])

	def test_a_plan_whose_title_is_taken_meanwhile_says_so(self) -> None:
		plan = factories.make_plan([self.subject], title="Plan <5>")
		frappe.delete_doc(PLAN, plan.name)
		factories.make_plan([self.subject], title="Plan <5>")
		with self.assertRaisesRegex(frappe.UniqueValidationError, "another one of that title"):
			api.restore(entry_of(plan))

	def test_more_than_one_transaction_should_change_is_refused(self) -> None:
		frappe.delete_doc(LESSON, self.lesson.name)
		delete(self.unit)
		with (
			patch.object(targets, "MOST", 3),
			self.assertRaisesRegex(frappe.ValidationError, "3 can be changed at once"),
		):
			api.restore(entry_of(self.lesson), 1)
		self.assertFalse(frappe.db.exists("Memora Unit", self.unit.name))

	def test_frappes_own_restore_takes_it_out_of_the_trash(self) -> None:
		entry = delete(self.topic)
		frappes_restore(entry, alert=False)
		frappe.db.commit()
		below = frappe.get_all(LESSON, {"parent_topic": self.topic.name})
		self.assertEqual(below, [])
		self.assertIn(self.lesson.title, listed())
		api.restore(entry_of(self.lesson))
		self.assertTrue(frappe.db.exists(LESSON, self.lesson.name))

	def test_groups_that_were_deleted_by_earlier_releases_are_entries(self) -> None:
		entry = delete(self.unit)
		for name, _doctype in trash.members(entry)[1:]:  # as they were kept before there was Memora Trash
			frappe.db.sql(
				f"update `tab{DELETED}` set data = json_set(data, '$.memora_deleted_with', %s) where name = %s",
				(entry, name),
			)
		frappe.delete_doc(LESSON, self.course["lessons"][2].name)
		before = trash_list.entries()["rows"]
		frappe.db.delete(TRASH)
		for _ in range(2):
			trash.catch_up()
		self.assertEqual(trash_list.entries()["rows"], before)
		self.assertTrue(api.restore(entry)["done"])
		self.assertTrue(frappe.db.exists(LESSON, self.lesson.name))

	def test_it_is_emptied_after_its_days_with_the_files_and_without_what_is_others(self) -> None:
		lesson = self.new_lesson()
		url = self.picture_in(lesson, b"emptied")
		note = frappe.get_doc({"doctype": "ToDo", "description": "x"}).insert()
		frappe.delete_doc("ToDo", note.name)
		frappe.delete_doc(LESSON, lesson.name)
		entry = delete(self.unit)
		frappe.db.sql(f"update `tab{DELETED}` set creation = %s", (add_days(now_datetime(), -181),))
		for days, there in ((0, True), (182, True), (180, False)):
			frappe.db.sql(f"update `tab{TRASH}` set creation = %s", (add_days(now_datetime(), -181),))
			frappe.db.set_single_value("CDN Settings", "trash_days", days)
			frappe.clear_document_cache("CDN Settings", "CDN Settings")
			frappe.db.commit()
			trash.daily()
			self.assertEqual(self.there(url), there, days)
			self.assertEqual(bool(frappe.db.exists(DELETED, entry)), there, days)
			self.assertEqual(bool(listed()), there, days)
		self.assertTrue(frappe.db.exists(DELETED, {"deleted_name": note.name}))
		self.assertEqual(frappe.db.count(TRASH), 0)
		frappe.db.delete(DELETED, {"deleted_name": note.name})

	def test_an_entry_is_deleted_for_good_with_its_files(self) -> None:
		url = self.picture_in(self.lesson, b"forgood")
		entry = delete(self.unit)
		names = [name for name, _doctype in trash.members(entry)]
		api.remove(entry)
		self.assertFalse(self.there(url))
		self.assertEqual(frappe.get_all(DELETED, {"name": ("in", names)}), [])
		self.assertEqual(listed(), [])

	def test_where_a_file_of_it_cannot_be_deleted_the_entry_stays_gone(self) -> None:
		urls = [self.picture_in(self.lesson, f"stuck{n}".encode()) for n in range(2)]
		entry = delete(self.unit)
		files = frappe.get_all("File", {"file_url": ("in", urls)}, pluck="name")
		delete_doc = frappe.delete_doc

		def stuck(doctype: str, name: str, **kwargs: Any) -> None:
			if name in files:
				files.clear()  # the first alone
				raise OSError("no space left")
			delete_doc(doctype, name, **kwargs)

		with patch.object(frappe, "delete_doc", stuck):
			api.remove(entry)
		frappe.db.rollback()
		self.assertEqual(files, [])
		self.assertEqual((listed(), frappe.db.exists(DELETED, entry)), ([], None))
		self.assertEqual(sorted(map(self.there, urls)), [False, True])
		trash.daily()
		self.assertEqual(list(map(self.there, urls)), [False, False])

	def test_a_deletion_and_a_look_after_the_trash_keep_nobody_waiting(self) -> None:
		lessons = [make_course(units=1, lessons=1)["lessons"][0] for _ in range(3)]
		frappe.db.delete(DELETED, {"name": delete(self.unit)})  # so that there is something to forget
		frappe.db.commit()

		def delete_another(name: str) -> None:
			frappe.db.sql("set innodb_lock_wait_timeout = 1")
			frappe.delete_doc(LESSON, name)

		# A job of Frappe's, which tests run at once, and which looks through whole tables.
		with patch("frappe.model.delete_doc.delete_dynamic_links"):
			frappe.delete_doc(LESSON, lessons[0].name)  # and not yet committed
			at_once(lambda: delete_another(lessons[1].name))
			frappe.db.commit()
			trash._forget_lost()
			at_once(lambda: delete_another(lessons[2].name))
			frappe.db.commit()
		self.assertEqual(frappe.get_all(LESSON, {"name": ("in", [doc.name for doc in lessons])}), [])
		self.assertTrue({doc.title for doc in lessons} <= set(listed()))

	def test_the_statements_of_a_list_do_not_grow_with_what_is_in_it(self) -> None:
		counts = []
		for _ in range(2):
			for n in range(8):
				frappe.delete_doc(
					LESSON, factories.make_lesson(title=f"N{n}", parent_topic=self.topic.name).name
				)
			trash_list.entries()
			with statements() as seen:
				trash_list.entries()
			counts.append(len(seen))
		self.assertEqual(counts[0], counts[1])
		self.assertLessEqual(counts[0], 10)

	def test_any_sequence_of_deletions_and_restorations_leaves_content_in_its_place_and_files_that_exist(
		self,
	) -> None:
		dice = random.Random(22)
		urls = {
			lesson.name: self.picture_in(lesson, lesson.name.encode()) for lesson in self.course["lessons"]
		}
		for step in range(40):
			level = dice.choice(CONTENT[1:])
			there = frappe.get_all(level, pluck="name", order_by="name")
			kept = [each["name"] for each in trash_list.entries()["rows"]]
			if there and dice.random() < 0.5:
				doc = frappe.get_doc(level, dice.choice(there))
				answer = course.delete([row(doc)], 1)
				if "ask" in answer:
					answer = course.delete([row(doc)], 1, answer["ask"]["agreed"])
				if dice.random() < 0.3:
					course.restore(answer["deleted"], answer["undo"]["args"]["agreed"])
			elif kept:
				api.restore(dice.choice(sorted(kept)), 1)
			if dice.random() < 0.2:
				trash.daily()
			with self.subTest(step):
				self.assertEqual(self.orphans(), [])
				live = set(frappe.get_all(LESSON, pluck="name"))
				waiting = set(frappe.get_all(TRASH, {"deleted_doctype": LESSON}, pluck="deleted_name"))
				self.assertEqual(live | waiting, urls.keys())
				self.assertFalse(live & waiting)
				for name, url in urls.items():
					self.assertTrue(self.there(url))
					self.assertEqual(self.rows(url), [(LESSON if name in live else DELETED, name)])
		self.addCleanup(lambda: [self.drop_files_of(lesson) for lesson in self.course["lessons"]])

	def orphans(self) -> list[Any]:
		found: list[Any] = []
		for above, doctype in itertools.pairwise(CONTENT):
			names = frappe.get_all(above, pluck="name") or [""]
			found += frappe.get_all(doctype, {PARENT_FIELDS[doctype]: ("not in", names)}, pluck="name")
		return found


class TestWhoSeesWhat(RolesTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.db.commit)
		self.user = self.users[EDITOR]
		self.addCleanup(frappe.db.delete, "User Permission", {"user": self.user})
		self.addCleanup(frappe.cache.hdel, "user_permissions", self.user)

	def permit(self, *docs: Document) -> None:
		for doc in docs:
			values = {"allow": doc.doctype, "for_value": doc.name, "apply_to_all_doctypes": 1}
			frappe.get_doc({"doctype": "User Permission", "user": self.user, **values}).insert(
				ignore_permissions=True, ignore_links=True
			)
		frappe.cache.hdel("user_permissions", self.user)
		frappe.db.commit()

	def refused(self, *calls: Any) -> None:
		for call in calls:
			with self.assertRaises((frappe.PermissionError, frappe.DoesNotExistError)):
				call()
			frappe.db.rollback()

	def test_only_who_may_delete_sees_it_and_only_admins_remove_for_good(self) -> None:
		entry = delete(self.course["units"][0])
		for user in ("Guest", self.users[NO_ROLE], self.users[ADMIN]):
			self.become(user)
			self.refused(api.entries, lambda: api.restore(entry), lambda: api.remove(entry))
			self.assertEqual(frappe.get_list(TRASH) if user == self.users[ADMIN] else [], [])
		self.become(self.user)
		self.assertFalse(api.entries()["can_remove"])
		self.refused(lambda: api.remove(entry))
		self.assertEqual(listed(), [self.course["units"][0].title])
		self.become(self.users["System Manager"])
		self.assertTrue(api.entries()["can_remove"])
		self.assertEqual(len(frappe.get_list(TRASH)), 4)
		api.remove(entry)
		self.assertEqual(listed(), [])

	def test_user_permissions_hold_by_the_old_parents_also_where_those_are_gone(self) -> None:
		mine, theirs = self.course, self.others
		entries = {
			"mine": delete(mine["units"][0]),
			"theirs": delete(theirs["units"][0]),
		}
		for made in (mine, theirs):
			delete(made["track"])
			delete(made["subject"])
		self.permit(mine["subject"])
		self.become(self.user)
		self.assertEqual(listed(), [mine["subject"].title, mine["track"].title, mine["units"][0].title])
		text = json.dumps(api.entries())
		self.assertNotIn("Secret", text)
		for kind in CONTENT:
			self.assertNotIn("Secret", json.dumps(api.entries(kind, "Secret")))
		self.refused(
			lambda: api.restore(entries["theirs"]),
			lambda: api.restore(entries["theirs"], 1),
			lambda: course.restore([entries["theirs"]]),
		)
		# As Frappe's own lists ask for a user who has a role for them, too.
		seen = frappe.db.sql_list(
			f"select distinct subject from `tab{TRASH}` where {trash_list.condition(self.user)}"
		)
		self.assertEqual(seen, [mine["subject"].name])
		doc = frappe.get_doc(TRASH, entries["theirs"])
		self.assertFalse(trash_list.has_permission(doc, user=self.user))
		self.assertTrue(api.restore(entries["mine"], 1)["done"])
		self.assertTrue(frappe.db.exists("Memora Unit", mine["units"][0].name))

	def test_of_an_entry_all_must_be_allowed(self) -> None:
		first, second = self.course["units"][:2]
		entry = delete(self.course["track"])
		alone = delete(self.others["units"][0])
		self.permit(first)
		self.become(self.user)
		self.assertEqual(listed(), [])
		self.refused(lambda: api.restore(entry), lambda: api.restore(alone))
		self.permit(second)
		self.become(self.user)
		self.assertEqual(listed(), [self.course["track"].title])

	def test_a_plan_of_others_subjects_is_not_seen(self) -> None:
		mine = factories.make_plan([self.course["subject"]], title="My plan")
		both = factories.make_plan([self.course["subject"], self.others["subject"]], title="Secret plan")
		for plan in (mine, both):
			frappe.delete_doc(PLAN, plan.name)
		self.permit(self.course["subject"])
		self.become(self.user)
		self.assertEqual(listed(), ["My plan"])
		self.refused(lambda: api.restore(entry_of(both)))
		self.assertTrue(api.restore(entry_of(mine))["done"])
		self.assertEqual(frappe.db.get_value(PLAN, mine.name, "is_published"), 0)

	def test_what_was_moved_since_goes_where_the_caller_may_write_or_not_at_all(self) -> None:
		topic, lesson = self.course["topics"][0], self.course["lessons"][0]
		frappe.delete_doc(LESSON, lesson.name)
		entry = entry_of(lesson)
		topic.reload()
		topic.update({"parent_unit": self.others["units"][0].name}).save()
		self.permit(self.course["subject"])
		self.become(self.user)
		self.refused(lambda: api.restore(entry))
		frappe.set_user("Administrator")
		self.assertFalse(frappe.db.exists(LESSON, lesson.name))

	def test_who_asks_for_the_name_of_a_deleted_document_of_others_gets_another_and_nothing_of_it(
		self,
	) -> None:
		topic, secret = self.course["topics"][0], self.others["lessons"][0]
		secret.update({"title": "Secret later"}).save()
		to = {"attached_to_doctype": LESSON, "attached_to_name": secret.name}
		file = frappe.get_doc(
			{"doctype": "File", "file_name": "secret.txt", "content": "Secret", "is_private": 1, **to}
		).insert()
		self.addCleanup(frappe.delete_doc, "File", file.name, force=True)
		frappe.delete_doc(LESSON, secret.name)
		self.permit(self.course["subject"])
		self.become(self.user)
		values = {"doctype": LESSON, "title": "Mine", "parent_topic": topic.name}
		for given in (
			{"name": secret.name},
			{"__newname": secret.name},
			{"name": secret.name, "in_import": 1},
		):
			with self.subTest(given):
				frappe.flags.in_import = bool(given.pop("in_import", 0))
				self.addCleanup(frappe.flags.pop, "in_import", None)
				made = frappe.client.insert({**values, **given})
				frappe.flags.in_import = False
				self.assertNotEqual(made["name"], secret.name)
				self.assertEqual(history.entries(LESSON, made["name"])["rows"], [])
				self.assertFalse(frappe.db.exists("File", {"attached_to_name": made["name"]}))
				self.refused(lambda: frappe.client.get("File", file.name))
		frappe.set_user("Administrator")
		self.assertEqual(listed(), ["Secret later"])
		self.assertTrue(api.restore(entry_of(secret))["done"])
		self.assertEqual(frappe.db.get_value("File", file.name, "attached_to_name"), secret.name)
		self.assertEqual(len(history.entries(LESSON, secret.name)["rows"]), 3)

	def test_of_two_that_had_a_name_each_comes_back_to_who_may_see_both_or_without_what_both_left(
		self,
	) -> None:
		topic, secret = self.course["topics"][0], self.others["lessons"][0]
		to = {"attached_to_doctype": LESSON, "attached_to_name": secret.name}
		file = frappe.get_doc({"doctype": "File", "file_name": "two.txt", "content": "Two", **to}).insert()
		self.addCleanup(frappe.delete_doc, "File", file.name, force=True)
		frappe.delete_doc(LESSON, secret.name)
		taker = frappe.get_doc({"doctype": LESSON, "title": "Mine", "parent_topic": topic.name})
		taker.insert(set_name=secret.name)  # as code may
		taker.delete()
		entry = frappe.db.get_value(TRASH, {"deleted_name": secret.name, "title": "Mine"})
		self.permit(self.course["subject"])
		self.become(self.user)
		back = api.restore(entry)["name"]
		self.assertNotEqual(back, secret.name)
		self.assertFalse(frappe.db.exists("File", {"attached_to_name": back}))
		frappe.set_user("Administrator")
		self.assertTrue(api.restore(entry_of(secret))["done"])
		self.assertEqual(frappe.db.get_value("File", file.name, "attached_to_name"), secret.name)

	def test_forged_names_get_nothing(self) -> None:
		note = frappe.get_doc({"doctype": "ToDo", "description": "A secret"}).insert()
		frappe.delete_doc("ToDo", note.name)
		name = frappe.db.get_value(DELETED, {"deleted_name": note.name})
		self.become(self.users["System Manager"])
		for given in (name, "", "' or 1=1 -- ", "%", "nothing"):
			self.refused(lambda given=given: api.restore(given), lambda given=given: api.remove(given))
		self.refused(
			lambda: api.entries("ToDo"), lambda: api.entries("User"), lambda: api.entries("' or 1=1 -- ")
		)
		self.assertEqual(api.entries(subject="' or 1=1 -- ")["rows"], [])
		self.assertEqual(api.entries(text="%")["rows"], [])
		self.assertTrue(frappe.db.exists(DELETED, name))
		frappe.db.delete(DELETED, {"name": name})
