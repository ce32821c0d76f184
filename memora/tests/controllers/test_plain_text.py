"""What was typed into a title, a description or a value is what learners read, whichever way it came in; and what is
stored holds no markup."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import frappe
from frappe.client import bulk_update, save, set_value
from frappe.core.doctype.deleted_document.deleted_document import restore
from frappe.desk.doctype.bulk_update.bulk_update import submit_cancel_or_update_docs
from frappe.desk.form.save import savedocs
from frappe.model.document import Document
from frappe.model.rename_doc import update_document_title
from frappe.www.printview import get_html_and_style

from memora.api import cdn_admin, gate_keys, history, publishing, trash
from memora.memora import content_search
from memora.memora.texts import PlainTexts
from memora.services.cdn_export.admin import publish_requests
from memora.services.cdn_export.model import plain_text
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.faulty_server import Answer, FaultyServer, s3_error
from memora.tests.helpers.payloads import TEXTS
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course

_ANSWER_OTHERWISE = {
	"view_json",  # files as they are, where a lesson's own text may hold the stand-ins themselves
	"download_json",
	"search_targets",  # Frappe's picker shows it as HTML
	"search_plans",  # the same
	"search_content",  # the same
	"remove",  # nothing
	"search_desk",  # the same, where Frappe shows what its own search has found
}

Way = Callable[[Document, str, str], None]


def _form(doc: Document, fieldname: str, text: str) -> None:
	whole = _whole(doc)
	row = next(row for row in (whole, *whole.get_all_children()) if row.name == doc.name)
	row.set(fieldname, text)
	savedocs(json.dumps(whole.as_dict(), default=str), "Save")
	frappe.response.docs.clear()


def _api(doc: Document, fieldname: str, text: str) -> None:
	whole = _whole(doc)
	row = next(row for row in (whole, *whole.get_all_children()) if row.name == doc.name)
	row.set(fieldname, text)
	save(whole.as_dict())


def _set_value(doc: Document, fieldname: str, text: str) -> None:
	set_value(doc.doctype, doc.name, fieldname, text)


def _bulk(doc: Document, fieldname: str, text: str) -> None:
	whole = {"doctype": doc.doctype, "docname": doc.name, fieldname: text}
	if doc.meta.istable:
		return _set_value(doc, fieldname, text)
	assert not bulk_update(json.dumps([whole]))["failed_docs"]


def _bulk_edit(doc: Document, fieldname: str, text: str) -> None:
	if doc.meta.istable:
		return _set_value(doc, fieldname, text)
	failed = submit_cancel_or_update_docs(
		doc.doctype, json.dumps([doc.name]), "update", json.dumps({fieldname: text})
	)
	assert not failed


def _db_set(doc: Document, fieldname: str, text: str) -> None:
	frappe.get_doc(doc.doctype, doc.name).db_set(fieldname, text)


def _db_set_many(doc: Document, fieldname: str, text: str) -> None:
	frappe.get_doc(doc.doctype, doc.name).db_set({fieldname: text})


def _by_itself(doc: Document, fieldname: str, text: str) -> None:
	row = frappe.get_doc(doc.doctype, doc.name)
	row.set(fieldname, text)
	row.save()


def _twice(doc: Document, fieldname: str, text: str) -> None:
	_by_itself(doc, fieldname, text)
	_whole(doc).save()
	_whole(doc).save()


def _rename(doc: Document, fieldname: str, text: str) -> None:
	if doc.meta.istable or fieldname != "title":
		return _set_value(doc, fieldname, text)
	update_document_title(doctype=doc.doctype, docname=doc.name, title=text)


WAYS: tuple[Way, ...] = (
	_form,
	_api,
	_set_value,
	_bulk,
	_bulk_edit,
	_db_set,
	_db_set_many,
	_by_itself,
	_twice,
	_rename,
)


def _whole(doc: Document) -> Document:
	"""The document as the database has it, or that of a row."""
	if doc.meta.istable:
		return frappe.get_doc(doc.parenttype, doc.parent)
	return frappe.get_doc(doc.doctype, doc.name)


def assert_holds_no_markup(case: PublishingTestCase) -> None:
	"""No text or JSON that memora keeps, in any of its tables, holds `<` or `>`. A stage's `config` may: a lesson's text is
	HTML by design."""
	for doctype in frappe.get_all("DocType", {"module": "Memora", "issingle": 0}, pluck="name"):
		for df in frappe.get_meta(doctype).fields:
			if df.fieldtype in (*plain_text.KINDS, "Code", "Color", "Select"):
				found = frappe.db.sql(
					f"select `{df.fieldname}` from `tab{doctype}` where binary `{df.fieldname}` regexp '[<>]'"
				)
				case.assertEqual(found, (), f"{doctype}, {df.fieldname}")


class PlainTextTestCase(PublishingTestCase):
	"""A course in a plan which renames its second unit; the documents by what holds a text in them."""

	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(required_item="ITEM")
		self.change(self.course["track"], required_item="ITEM")
		renamed = factories.override(self.course["units"][1], "Rename", "Renamed")
		self.plan = factories.make_plan([self.course["subject"]], overrides=[renamed], is_published=1)
		self.lesson = self.course["lessons"][0]
		frappe.db.commit()

	def texts(self) -> list[tuple[Document, str]]:
		"""Every document that holds plain text with each field of it, from the DocTypes."""
		titled = [
			frappe.get_doc(f"Memora {kind}", self.plan.get(kind.lower()))
			for kind in ("Season", "Grade", "Stream")
		]
		docs = [*chain(self.course), self.plan, *titled, self.lesson.stages[0], self.plan.overrides[0]]
		return [(doc, df.fieldname) for doc in docs for df in plain_text.fields(doc.meta)]

	def published(self, doc: Document, fieldname: str) -> Any:
		"""What learners read of a field."""
		reading = self.learner(self.plan)
		kind = doc.doctype.removeprefix("Memora ").lower()
		if kind in ("season", "grade", "stream"):
			return reading.manifest[kind]
		if kind == "academic plan":
			return reading.manifest[fieldname]
		if kind == "plan override":
			return reading.units[doc.target_name]["title"]
		if kind == "lesson stage":
			return reading.lessons[doc.parent]["stages"][doc.idx - 1][fieldname]
		subject = reading.subjects[self.course["subject"].name]
		shown = {
			"subject": subject,
			"track": subject["tracks"][0],
			"unit": reading.units.get(doc.name),
			"topic": reading.units[self.course["units"][0].name]["topics"][0],
			"lesson": reading.lessons.get(doc.name),
		}[kind]
		return shown["access"][fieldname] if fieldname == "required_item" else shown.get(fieldname)


class TestPublished(PlainTextTestCase):
	def test_every_text_is_published_as_typed_whichever_way_it_came(self) -> None:
		texts = self.texts()
		for number, text in enumerate(TEXTS):
			for place, (doc, fieldname) in enumerate(texts):
				WAYS[(number + place) % len(WAYS)](doc, fieldname, text)
			frappe.clear_messages()
			self.publish()
			self.assertEqual(self.failures(), {})
			for doc, fieldname in texts:
				with self.subTest(f"{doc.doctype}, {fieldname}", text=text):
					self.assertEqual(self.published(doc, fieldname), text)
			assert_holds_no_markup(self)

	def test_every_way_keeps_every_field(self) -> None:
		for way in WAYS:
			for number, (doc, fieldname) in enumerate(self.texts()):
				text = f'["<img src=x onerror={number}>"] & &lt;p&gt; <b>'
				with self.subTest(f"{doc.doctype}, {fieldname}", way=way.__name__):
					way(doc, fieldname, text)
					stored = frappe.db.get_value(doc.doctype, doc.name, fieldname)
					self.assertEqual(stored, text.replace("<", "﹤").replace(">", "﹥"))
			frappe.clear_messages()

	def test_a_new_document_keeps_its_texts(self) -> None:
		for number, text in enumerate(TEXTS):
			topic, title = self.course["topics"][0].name, f"{number} {text}"
			lesson = factories.make_lesson(
				parent_topic=topic,
				title=title,
				description=text,
				is_published=1,
				stages=[{"title": text, "type": "Text", "config": '{"text": "x"}'}],
			)
			copy = frappe.copy_doc(lesson)
			copy.update({"is_published": 1, "sort_order": 5})
			copy.insert()
			self.publish()
			for name in (lesson.name, copy.name):
				shown = self.learner(self.plan).lessons[name]
				with self.subTest(text):
					self.assertEqual([shown["title"], shown["description"]], [title, text])
					self.assertEqual(shown["stages"][0]["title"], text)
			frappe.delete_doc("Memora Lesson", copy.name)
			frappe.delete_doc("Memora Lesson", lesson.name)
		restore(frappe.get_last_doc("Deleted Document", {"deleted_name": lesson.name}).name)
		self.publish()
		self.assertEqual(self.learner(self.plan).lessons[lesson.name]["title"], title)
		assert_holds_no_markup(self)

	def test_an_import_keeps_its_texts(self) -> None:
		# Not at the top: with it Frappe opens a log beside the folder that the tests are collected in.
		from frappe.core.doctype.data_import.importer import Importer

		lessons = [
			factories.make_lesson(parent_topic=self.course["topics"][0].name, is_published=1) for _ in TEXTS
		]
		written = io.StringIO()
		rows = csv.writer(written)
		rows.writerow(["ID", "Title", "Description"])
		rows.writerows((lesson.name, f"a {text}", text) for lesson, text in zip(lessons, TEXTS, strict=True))
		file = frappe.get_doc(
			{"doctype": "File", "file_name": "lessons.csv", "content": written.getvalue(), "is_private": 1}
		).insert()
		asked = frappe.get_doc(
			{
				"doctype": "Data Import",
				"reference_doctype": "Memora Lesson",
				"import_type": "Update Existing Records",
				"import_file": file.file_url,
			}
		).insert()
		for doc in (file, asked):
			self.addCleanup(frappe.delete_doc, doc.doctype, doc.name, force=True)
		Importer("Memora Lesson", data_import=asked).import_data()
		self.publish()
		reading = self.learner(self.plan)
		for lesson, text in zip(lessons, TEXTS, strict=True):
			with self.subTest(text):
				shown = reading.lessons[lesson.name]
				self.assertEqual([shown["title"], shown["description"]], [f"a {text}", text])
		assert_holds_no_markup(self)

	def test_what_sql_wrote_is_published_as_text_too(self) -> None:
		for doc, fieldname in self.texts():
			frappe.db.set_value(doc.doctype, doc.name, fieldname, "<b> & &lt;", update_modified=False)
		publish_requests.rebuild_everything()
		self.publish()
		for doc, fieldname in self.texts():
			with self.subTest(f"{doc.doctype}, {fieldname}"):
				self.assertEqual(self.published(doc, fieldname), "<b> & &lt;")

	def test_an_entity_of_before_stays_when_something_else_is_saved(self) -> None:
		frappe.db.set_value("Memora Lesson", self.lesson.name, "title", "a &lt; b &amp; c")
		self.publish()
		publish_requests.rebuild_everything()
		self.publish()
		path = f"plans/{self.plan.name}/lessons/{self.lesson.name}.json"
		before = self.read(path)
		self.change(self.lesson, sort_order=7)
		self.publish()
		after = self.read(path)
		self.assertEqual(before["title"], "a &lt; b &amp; c")
		self.assertEqual(after["title"], before["title"])

	def test_a_number_is_a_text_as_it_is_written(self) -> None:
		"""As a spreadsheet or an API brings it."""
		for number, (doc, fieldname) in enumerate(self.texts()):
			for value in (7000 + number, 7000.5 + number):
				with self.subTest(f"{doc.doctype}, {fieldname}", value=value):
					_api(doc, fieldname, value)
					self.assertEqual(frappe.db.get_value(doc.doctype, doc.name, fieldname), str(value))

	def test_what_is_no_text_is_refused_in_a_sentence(self) -> None:
		wrong = [["<b>"], {"a": "<b>"}, "half \ud83d", "\udc80", "<" * 22_000]
		for doc, fieldname in self.texts():
			label = doc.meta.get_label(fieldname)
			before = frappe.db.get_value(doc.doctype, doc.name, fieldname)
			for value in wrong:
				with (
					self.subTest(f"{doc.doctype}, {fieldname}", value=str(value)[:10]),
					self.assertRaisesRegex(frappe.ValidationError, f"{label}|cannot be a|140|too big"),
				):
					_api(doc, fieldname, value)
			frappe.clear_messages()
			self.assertEqual(frappe.db.get_value(doc.doctype, doc.name, fieldname), before)
		for value in (["Text"], {"a": 1}):
			with self.subTest(type=value), self.assertRaises(frappe.ValidationError):
				_api(self.lesson.stages[0], "type", value)
		for value in ("/files/\ud83d.png", "https://e.test/\udc80"):
			with self.subTest(image=ascii(value)), self.assertRaises(frappe.ValidationError):
				_api(self.lesson, "image", value)

	def test_nothing_that_is_printed_is_markup(self) -> None:
		"""Frappe prints a Code field, as a stage's `config` is, as HTML."""
		for text in TEXTS:
			for doc, fieldname in self.texts():
				frappe.db.set_value(doc.doctype, doc.name, fieldname, plain_text.store(text)[:140])
			config = json.dumps({"html": text, text: [text, "</pre>" + text]})
			frappe.db.set_value("Memora Lesson Stage", self.lesson.stages[0].name, "config", config)
			for doc in (*chain(self.course), self.plan, self.lesson):
				with self.subTest(doc.doctype, text=text):
					printed = get_html_and_style(doc.doctype, doc.name)["html"]
					self.assertNotRegex(printed, r"<[^>]*ran\(\)|<script|<img src=x")
		frappe.clear_messages()

	def test_two_plans_of_one_title_are_refused_however_it_is_written(self) -> None:
		self.change(self.plan, title="Grade <7>")
		with self.assertRaises(frappe.UniqueValidationError):
			factories.make_plan(title="Grade <7>")

	def test_content_is_found_by_what_was_typed(self) -> None:
		self.change(self.lesson, title="C++ vector<int>")
		self.change(self.plan, title="The <main> plan")
		found = content_search.find(
			"Memora Lesson", "vector<int", 0, 10, subjects=[self.course["subject"].name]
		)
		self.assertEqual([row[0] for row in found], [self.lesson.name])
		self.assertEqual(publish_requests.find_plan("The <main> plan"), self.plan.name)
		# Frappe's own search compares by the collation, to which a stand-in equals its sign.
		listed = frappe.get_list("Memora Lesson", {"title": ("like", "%vector<int>%")}, pluck="name")
		self.assertEqual(listed, [self.lesson.name])


class TestWhatServersAnswer(BucketTestCase):
	def test_markup_in_an_answer_is_kept_and_shown_as_text(self) -> None:
		"""What a build records goes past Frappe's sanitizer, by SQL."""
		course = make_course(title='["<img src=x onerror=ran()>"]')
		plan = factories.make_plan([course["subject"]], title="<b>plan</b>", is_published=1)
		told = '["<img src=x onerror=ran()>"] &lt;b&gt;'
		etag = {"ETag": '"<img src=x onerror=ran()>"'}
		with FaultyServer(self.endpoint) as front:
			self.configure(endpoint_url=front.url)
			front.by_rule(lambda request: Answer(200, b"", etag) if request.method == "PUT" else None)
			self.publish()
			assert_holds_no_markup(self)
		with FaultyServer(self.endpoint) as front:
			self.configure(endpoint_url=front.url)
			front.by_rule(
				lambda request: (
					s3_error(400, "InvalidRequest", message=told) if request.method == "PUT" else None
				)
			)
			self.change(course["lessons"][0], title="<i>changed</i>")
			self.publish()
			for _ in range(3):
				self.minutes_pass(10)
				self.publish()
			assert_holds_no_markup(self)
			self.assertIn(told, cdn_admin.get_recent_failures()[0]["error_message"])
			self.assertIn(told, str(publishing.document_status("Memora Academic Plan", plan.name)["text"]))
			self.assertIn("<b>plan</b>", str(cdn_admin.get_dashboard()["rows"]))
		(subject, content), *_ = frappe.get_all(
			"Notification Log",
			["subject", "email_content"],
			{"document_type": "CDN Settings"},
			as_list=True,
			order_by="creation desc",
		)
		self.assertNotRegex(subject + content, "[<>]")
		self.assertIn("&amp;lt;b&amp;gt;", content)


class TestNothingIsForgotten(PlainTextTestCase):
	def test_every_doctype_with_texts_of_editors_keeps_them_by_the_one_mechanism(self) -> None:
		for doctype in frappe.get_all("DocType", {"module": "Memora"}, pluck="name"):
			meta = frappe.get_meta(doctype)
			typed = [df for df in plain_text.fields(meta) if not df.read_only]
			if typed:
				self.assertTrue(
					issubclass(frappe.get_doc({"doctype": doctype}).__class__, PlainTexts), doctype
				)

	def test_every_endpoint_answers_with_what_was_typed(self) -> None:
		for module in (cdn_admin, gate_keys, history, publishing, trash):
			for name, endpoint in vars(module).items():
				if not callable(endpoint) or endpoint.__module__ != module.__name__:
					continue
				if endpoint in frappe.whitelisted:
					with self.subTest(name):
						self.assertTrue(endpoint.answers_as_typed or name in _ANSWER_OTHERWISE)
