"""The DocTypes are those of the spec, field by field, and Frappe finds their controllers."""

import json

import frappe
import pytest
from frappe.desk.notifications import get_open_count
from frappe.model.base_document import get_controller

from memora.tests.helpers.factories import make_lesson, make_plan
from memora.tests.helpers.utils import MemoraTestCase

CONTENT = ("Memora Subject", "Memora Track", "Memora Unit", "Memora Topic", "Memora Lesson")

#: fieldtype, then what must hold: "*" required, "i" indexed, "u" unique, "=x" the default, ">X" the options.
COMMON = {
	"title": "Data *",
	"description": "Small Text",
	"image": "Attach Image",
	"sort_order": "Int i",
	"is_published": "Check =0",
	"is_free_preview": "Check =0",
}
FIELDS = {
	"Memora Subject": {
		**COMMON,
		"color_code": "Color",
		"is_public": "Check =0",
		"required_item": "Data",
	},
	"Memora Track": {
		**COMMON,
		"parent_subject": "Link * i >Memora Subject",
		"is_sold_separately": "Check =0",
		"parent_item_required": "Check =0",
		"required_item": "Data",
	},
	"Memora Unit": {**COMMON, "parent_track": "Link * i >Memora Track", "badge_image": "Attach Image"},
	"Memora Topic": {**COMMON, "parent_unit": "Link * i >Memora Unit"},
	"Memora Lesson": {
		**COMMON,
		"parent_topic": "Link * i >Memora Topic",
		"stages": "Table >Memora Lesson Stage",
	},
	"Memora Lesson Stage": {
		"title": "Data *",
		"type": "Select * >Video|Question|Text|Interactive",
		"config": "Code >JSON",
	},
	"Memora Academic Plan": {
		"title": "Data * u",
		"season": "Link * i >Memora Season",
		"grade": "Link * i >Memora Grade",
		"stream": "Link * i >Memora Stream",
		"is_published": "Check =0",
		"subjects": "Table >Memora Plan Subject",
		"overrides": "Table >Memora Plan Override",
	},
	"Memora Plan Subject": {"subject": "Link * >Memora Subject", "sort_order": "Int"},
	"Memora Plan Override": {
		"target_doctype": "Select * >" + "|".join(CONTENT),
		"target_name": "Dynamic Link * >target_doctype",
		"action": "Select * >Hide|Rename|Set Free|Set Sold Separately",
		"override_value": "Data",
	},
	"Memora Season": {
		"title": "Data * u",
		"is_published": "Check =1",
		"start_date": "Date",
		"end_date": "Date",
	},
	"Memora Grade": {"title": "Data * u", "sort_order": "Int"},
	"Memora Stream": {"title": "Data * u"},
	"CDN Settings": {
		"enabled": "Check =0",
		"storage_provider": "Select * >AWS S3|Cloudflare R2|Local Directory",
		"endpoint_url": "Data",
		"region": "Data",
		"bucket_name": "Data",
		"access_key": "Data",
		"secret_key": "Password",
		"cdn_base_url": "Data",
		"cdn": "Select =None >None|Cloudflare|CloudFront|Fastly|Bunny",
		"cloudflare_zone_id": "Data",
		"cloudflare_api_token": "Password",
		"batch_interval_minutes": "Int =5",
		"batch_threshold": "Int =50",
		"signed_url_expiry_hours": "Int =4",
		"local_path": "Data",
		"hold_large_changes": "Check =0",
		"sign": "Select >All|Paid|None",
		"purge_batch_size": "Int =100",
	},
	"CDN Sync Log": {
		"plan_id": "Link * i >Memora Academic Plan",
		"plan_title": "Data",
		"status": "Select i >Queued|Processing|Success|Failed|Dead Letter",
		"started_at": "Datetime",
		"completed_at": "Datetime",
		"files_uploaded": "Int",
		"files_deleted": "Int",
		"files_unchanged": "Int",
		"bytes_uploaded": "Int",
		"error_message": "Long Text",
		"retry_count": "Int",
		"next_retry_at": "Datetime",
		"is_fallback": "Check i =0",
		"triggered_by": "Select >Scheduler|Threshold|Manual|Fallback Recovery",
	},
}
COMPOSITE_INDEXES = {
	"CDN Sync Log": [("status", "creation")],
	"CDN Node Change": [("subject", "generation")],
	"CDN File": [("scope", "subject"), ("remove_at",), ("signed_until",)],
}
HASH_NAMED = tuple(
	doctype for doctype in FIELDS if doctype not in ("CDN Settings", "CDN Sync Log") and "Memora" in doctype
)


class TestDocTypes(MemoraTestCase):
	def test_every_field_of_the_spec_is_there(self) -> None:
		for doctype, fields in FIELDS.items():
			meta = frappe.get_meta(doctype)
			for fieldname, expected in fields.items():
				with self.subTest(doctype=doctype, field=fieldname):
					self._check_field(doctype, meta.get_field(fieldname), expected)

	def test_single_and_composite_indexes_exist_in_the_database(self) -> None:
		for doctype, fields in FIELDS.items():
			for fieldname, expected in fields.items():
				if "i" in expected.split():
					self.assertIn((fieldname,), _indexes(doctype), f"{doctype}.{fieldname}")
		for doctype, indexes in COMPOSITE_INDEXES.items():
			for columns in indexes:
				self.assertIn(columns, _indexes(doctype), doctype)

	@pytest.mark.earlier_defect(
		"a controller class whose name didn't match its DocType (CDN Sync Log → `CDNSyncLog`): "
		"inserts failed, and `bench migrate` deleted the DocType as orphaned"
	)
	def test_controllers_are_named_as_frappe_looks_for_them(self) -> None:
		for doctype in frappe.get_all("DocType", {"module": "Memora"}, pluck="name"):
			controller = get_controller(doctype)
			self.assertEqual(controller.__name__, doctype.replace(" ", ""))
			self.assertTrue(controller.__module__.startswith("memora."), doctype)

	def test_a_sync_log_can_be_inserted_as_finished_and_then_not_be_edited(self) -> None:
		log = frappe.get_doc(
			{"doctype": "CDN Sync Log", "plan_id": "gone", "status": "Success", "docstatus": 1}
		)
		log.flags.ignore_links = True
		log.insert(ignore_permissions=True)

		log.reload()
		log.status = "Failed"
		with self.assertRaises(frappe.UpdateAfterSubmitError):
			log.save(ignore_permissions=True)

	def test_content_shows_titles_and_keeps_a_history(self) -> None:
		for doctype in (*CONTENT, "Memora Academic Plan", "Memora Season", "Memora Grade", "Memora Stream"):
			meta = frappe.get_meta(doctype)
			self.assertEqual((meta.title_field, meta.show_title_field_in_link), ("title", 1), doctype)
			self.assertEqual(meta.track_changes, 1, doctype)
		for doctype in CONTENT:
			meta = frappe.get_meta(doctype)
			self.assertEqual((meta.sort_field, meta.sort_order), ("sort_order", "ASC"), doctype)

	def test_content_and_plans_are_named_by_hash(self) -> None:
		for doctype in HASH_NAMED:
			self.assertEqual(frappe.get_meta(doctype).autoname, "hash", doctype)

	@pytest.mark.earlier_defect(
		"a Link to ERPNext's Item without ERPNext made any save with an item code fail, and `bench "
		"run-tests` abort"
	)
	def test_no_field_needs_another_app(self) -> None:
		for doctype in frappe.get_all("DocType", {"module": "Memora"}, pluck="name"):
			for df in frappe.get_meta(doctype).fields:
				if df.fieldtype in ("Link", "Table"):
					self.assertTrue(frappe.db.exists("DocType", df.options), f"{doctype}.{df.fieldname}")

	def test_the_connections_on_each_form_can_be_counted(self) -> None:
		lesson = make_lesson()
		topic = frappe.get_doc("Memora Topic", lesson.parent_topic)
		unit = frappe.get_doc("Memora Unit", topic.parent_unit)
		track = frappe.get_doc("Memora Track", unit.parent_track)
		subject = frappe.get_doc("Memora Subject", track.parent_subject)
		plan = make_plan([subject])
		season = frappe.get_doc("Memora Season", plan.season)
		for doc in (subject, track, unit, topic, lesson, plan, season):
			with self.subTest(doc.doctype):
				get_open_count(doc.doctype, doc.name)

	def test_the_workspace_leads_to_what_exists(self) -> None:
		workspace = frappe.get_doc("Workspace", "Memora")
		links = [(link.type, link.link_to) for link in workspace.shortcuts]
		links += [(link.link_type, link.link_to) for link in workspace.links if link.type == "Link"]
		for kind, name in links:
			self.assertTrue(frappe.db.exists(kind, name), f"{kind} {name}")
		shown = {block["data"].get("shortcut_name") for block in json.loads(workspace.content)}
		self.assertTrue(shown.issuperset(shortcut.label for shortcut in workspace.shortcuts))

	def test_the_form_of_a_season_says_that_its_dates_publish_nothing(self) -> None:
		meta = frappe.get_meta("Memora Season")
		for field in ("start_date", "end_date"):
			self.assertIn("For your information only", meta.get_field(field).description or "", field)

	def test_versions_and_generations_outgrow_an_int(self) -> None:
		for doctype, fieldname in (
			("CDN File", "version"),
			("CDN File", "live_version"),
			("CDN Publish State", "generation"),
			("CDN Publish State", "live_version"),
			("CDN Node Change", "generation"),
			("CDN Rendition", "generation"),
			("CDN Sync Log", "bytes_uploaded"),
		):
			column = frappe.db.sql(f"show columns from `tab{doctype}` where Field = %s", (fieldname,))
			self.assertTrue(column[0][1].startswith("bigint"), f"{doctype}.{fieldname}: {column[0][1]}")

	def _check_field(self, doctype: str, df, expected: str) -> None:
		self.assertIsNotNone(df)
		fieldtype, _, rest = expected.partition(" ")
		if fieldtype in ("Small", "Attach", "Long", "Dynamic"):
			second, _, rest = rest.partition(" ")
			fieldtype = f"{fieldtype} {second}"
		self.assertEqual(df.fieldtype, fieldtype)
		rest, _, options = rest.partition(">")
		marks = rest.split()
		self.assertEqual(bool(df.reqd), "*" in marks, "required")
		self.assertEqual(bool(df.unique), "u" in marks, "unique")
		for mark in marks:
			if mark.startswith("="):
				self.assertEqual(df.default, mark[1:])
		if options and fieldtype == "Select":
			self.assertEqual([option for option in df.options.split("\n") if option], options.split("|"))
		elif options:
			self.assertEqual(df.options, options)


def _indexes(doctype: str) -> set[tuple[str, ...]]:
	columns: dict[str, list[str]] = {}
	for row in frappe.db.sql(f"show index from `tab{doctype}`", as_dict=True):
		columns.setdefault(row.Key_name, []).append(row.Column_name)
	return {tuple(names) for names in columns.values()}
