"""Each endpoint of the Desk and the admin as each role calls it, with names and DocTypes that are forged."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from typing import Any

import frappe
from frappe.model import no_value_fields

import memora
from memora.api import cdn_admin, publishing
from memora.install import ADMIN, EDITOR
from memora.tests.helpers import factories
from memora.tests.helpers.frappe_versions import set_in_test
from memora.tests.helpers.publishing import PublishingTestCase, chain, make_course
from memora.tests.helpers.users import drop_user, make_user
from memora.tests.helpers.web import Web

NOBODY = "Desk User"
REFUSED = (frappe.PermissionError,)


class TestEndpoints(PublishingTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		roles = (EDITOR, ADMIN, "System Manager", NOBODY)
		cls.users = {role: make_user(cls, f"{frappe.scrub(role)}@endpoints.test", role) for role in roles}

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(set_in_test, True)
		self.course = make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		lesson = self.course["lessons"][0].name
		self.for_readers: dict[str, Callable[[], Any]] = {
			"document_status": lambda: publishing.document_status("Memora Lesson", lesson),
			"list_states": lambda: publishing.list_states("Memora Lesson", [lesson]),
			"view_json": lambda: publishing.view_json("Memora Lesson", lesson, self.plan.name),
			"preview_changes": lambda: publishing.preview_changes(self.plan.name),
			"download_json": lambda: (
				publishing.download_json("Memora Lesson", lesson, self.plan.name) or True
			),
			"publish_now": lambda: publishing.publish_now("Memora Lesson", lesson),
			"search_targets": lambda: publishing.search_targets(
				"Memora Lesson", "", "name", 0, 10, {"subjects": [self.course["subject"].name]}
			),
			"search_plans": lambda: publishing.search_plans(
				"Memora Academic Plan", "", "name", 0, 10, {"doctype": "Memora Lesson", "name": lesson}
			),
		}
		self.for_admins: dict[str, Callable[[], Any]] = {
			"get_dashboard": cdn_admin.get_dashboard,
			"get_health": cdn_admin.get_health,
			"test_connection": cdn_admin.test_connection,
			"retry_all": cdn_admin.retry_all,
			"take_over": cdn_admin.take_over,
			"approve_held": lambda: cdn_admin.approve_held(self.plan.name),
			"get_queue_status": cdn_admin.get_queue_status,
			"get_recent_failures": cdn_admin.get_recent_failures,
			"get_sync_history": cdn_admin.get_sync_history,
			"retry_dead_letter": lambda: cdn_admin.retry_dead_letter(self.plan.name),
			"clear_dead_letter": lambda: cdn_admin.clear_dead_letter(self.plan.name),
			"rebuild_plan": lambda: cdn_admin.rebuild_plan(self.plan.name),
		}

	def become(self, user: str) -> None:
		"""Be this user as outside of tests, where `frappe.only_for` really asks."""
		frappe.set_user(user)
		set_in_test(False)

	def test_every_endpoint_is_tried_here(self) -> None:
		offered = {
			name
			for module in (publishing, cdn_admin)
			for name, function in vars(module).items()
			if callable(function) and function in frappe.whitelisted
		}
		self.assertEqual(offered, self.for_readers.keys() | self.for_admins.keys())

	def test_what_changes_something_is_post_only(self) -> None:
		for module, name in (
			(publishing, "publish_now"),
			(cdn_admin, "approve_held"),
			(cdn_admin, "retry_all"),
			(cdn_admin, "take_over"),
			(cdn_admin, "test_connection"),
			(cdn_admin, "retry_dead_letter"),
			(cdn_admin, "clear_dead_letter"),
			(cdn_admin, "rebuild_plan"),
		):
			methods = frappe.allowed_http_methods_for_whitelisted_func[getattr(module, name)]
			self.assertEqual(methods, ["POST"], name)

	def test_strangers_are_refused_everything(self) -> None:
		for user in ("Guest", self.users[NOBODY]):
			self.become(user)
			for name, call in (self.for_readers | self.for_admins).items():
				with self.assertRaises(REFUSED, msg=f"{user}: {name}"):
					call()

	def test_an_editor_reads_and_publishes_and_is_refused_the_rest(self) -> None:
		self.become(self.users[EDITOR])
		for call in self.for_readers.values():
			self.assertIsNotNone(call())
		for name, call in self.for_admins.items():
			with self.assertRaises(REFUSED, msg=name):
				call()

	def test_an_admin_may_all_of_it(self) -> None:
		for role in (ADMIN, "System Manager"):
			self.become(self.users[role])
			for name, call in (self.for_readers | self.for_admins).items():
				try:
					call()
				except frappe.PermissionError:
					self.fail(f"{role}: {name}")
				except frappe.ValidationError:
					pass  # nothing is held or dead

	def test_forged_names_and_doctypes_get_nothing(self) -> None:
		subject = self.course["subject"].name
		self.become(self.users[EDITOR])
		for call in (
			lambda: publishing.document_status("User", "Administrator"),
			lambda: publishing.document_status("CDN Settings", "CDN Settings"),
			lambda: publishing.document_status("Memora Lesson", "nothing"),
			lambda: publishing.document_status("Memora Lesson", "' or 1=1 -- "),
			lambda: publishing.document_status("Memora Lesson` where 1=1 -- ", "x"),
			lambda: publishing.list_states("User", ["Administrator"]),
			lambda: publishing.view_json("Memora Lesson", self.course["lessons"][0].name, "nothing"),
			lambda: publishing.view_json("User", "Administrator", self.plan.name),
			lambda: publishing.view_json("Memora Academic Plan", self.plan.name, self.foreign_plan()),
			lambda: publishing.view_json("Memora Subject", subject, self.foreign_plan()),
			lambda: publishing.preview_changes("../../etc"),
			lambda: publishing.publish_now("Memora Lesson", "nothing"),
			lambda: publishing.search_targets("User", "", "name", 0, 10, {"subjects": [subject]}),
		):
			with self.assertRaises(
				(frappe.ValidationError, frappe.PermissionError, frappe.DoesNotExistError)
			):
				call()
		self.assertEqual(publishing.list_states("Memora Lesson", ["nothing", "' or 1=1"]), {})

	def test_what_is_said_of_a_forged_name_holds_no_markup(self) -> None:
		"""The Desk shows such messages as HTML."""
		forged = "<img src=x onerror=alert(1)>"
		self.become(self.users[ADMIN])
		for call in (
			cdn_admin.approve_held,
			cdn_admin.retry_dead_letter,
			cdn_admin.clear_dead_letter,
			cdn_admin.rebuild_plan,
		):
			with self.assertRaises(frappe.ValidationError) as said:
				call(forged)
			self.assertIn("onerror", str(said.exception))
			self.assertNotIn("<img", str(said.exception))

	def test_a_name_in_another_case_is_the_same_document(self) -> None:
		lesson = frappe.rename_doc("Memora Lesson", self.course["lessons"][0].name, "Lenses", force=True)
		plan = frappe.rename_doc(self.plan.doctype, self.plan.name, "Grade 7", force=True)
		self.publish()
		self.become(self.users[EDITOR])
		for name in (lesson, lesson.upper()):
			self.assertEqual(publishing.document_status("Memora Lesson", name)["state"], "live")
			self.assertEqual(publishing.list_states("Memora Lesson", [name])[lesson]["state"], "live")
			for in_plan in (plan, plan.upper()):
				view = publishing.view_json("Memora Lesson", name, in_plan)
				self.assertEqual(view["live"], view["planned"])
				self.assertIsNotNone(view["live"])
		self.assertTrue(publishing.view_json(self.plan.doctype, plan.upper(), plan)["live"])
		self.assertEqual(publishing.preview_changes(plan.upper())["removed"], [])

	def test_what_user_permissions_keep_from_someone_is_not_told(self) -> None:
		secret, lesson = make_course(title="Secret subject"), self.course["lessons"][0]
		hiding = factories.make_plan(
			[self.course["subject"], secret["subject"]],
			title="Secret plan",
			is_published=1,
			overrides=[factories.override(lesson, "Hide")],
		)
		alone = make_course()
		drafted = factories.make_plan([alone["subject"]], title="Secret draft")
		self.publish()
		for doc in (self.course["subject"], alone["subject"], self.plan):
			self.permit(doc)
		self.become(self.users[EDITOR])

		def found(doctype: str, subjects: list[Any]) -> list[str]:
			filters = {"subjects": [doc.name for doc in subjects]}
			return [row[0] for row in publishing.search_targets(doctype, "", "name", 0, 20, filters)]

		listed = [self.course["subject"], secret["subject"]]
		self.assertEqual(found("Memora Subject", listed), [self.course["subject"].name])
		self.assertEqual(set(found("Memora Lesson", listed)), {doc.name for doc in self.course["lessons"]})
		told = publishing.document_status("Memora Lesson", lesson.name)
		self.assertEqual([plan["plan"] for plan in told["plans"]], [self.plan.name])
		self.assertEqual(told["state"], "live")
		told = publishing.document_status("Memora Lesson", alone["lessons"][0].name)
		self.assertEqual((told["state"], told["plans"]), ("draft", []))
		listed = publishing.list_states("Memora Lesson", [alone["lessons"][0].name])
		self.assertNotIn("Secret", frappe.as_json([told, listed]))
		for plan in (hiding, drafted):
			with self.assertRaises(REFUSED):
				publishing.document_status(plan.doctype, plan.name)

	def test_why_a_plan_fails_is_not_told_to_those_who_may_not_read_it(self) -> None:
		lesson = self.course["lessons"][0]
		secret = factories.make_plan(
			[self.course["subject"]],
			is_published=1,
			overrides=[factories.override(lesson, "Rename", "Secret title")],
		)
		(self.local_path / f"plans/{secret.name}/lessons/{lesson.name}.json/stray").mkdir(parents=True)
		self.publish()
		self.permit(self.plan)
		self.become(self.users[EDITOR])
		told = publishing.document_status(lesson.doctype, lesson.name)
		listed = publishing.list_states(lesson.doctype, [lesson.name])
		self.assertEqual([told["state"], listed[lesson.name]["state"]], ["failed", "failed"])
		self.assertNotIn(secret.name, frappe.as_json([told, listed]))

	def permit(self, doc: Any) -> None:
		"""Let the editor read this document, and no other of its kind that is not permitted too."""
		permission = {
			"doctype": "User Permission",
			"user": self.users[EDITOR],
			"allow": doc.doctype,
			"for_value": doc.name,
			"apply_to_all_doctypes": 0,
			"applicable_for": doc.doctype,
		}
		name = frappe.get_doc(permission).insert().name
		frappe.db.commit()
		self.addCleanup(frappe.db.commit)
		self.addCleanup(frappe.delete_doc, "User Permission", name)
		self.addCleanup(frappe.set_user, "Administrator")

	def foreign_plan(self) -> str:
		return factories.make_plan([make_course(units=1)["subject"]]).name

	def test_the_picker_finds_by_title_within_the_plans_subjects(self) -> None:
		foreign = make_course(units=1)
		frappe.db.set_value("Memora Lesson", self.course["lessons"][0].name, "title", "100% Light_and Shade")
		frappe.db.set_value("Memora Lesson", foreign["lessons"][0].name, "title", "100% Light elsewhere")
		self.become(self.users[EDITOR])

		def found(text: str, subjects: list[str]) -> list[str]:
			filters = {"subjects": subjects}
			return [
				row[1] for row in publishing.search_targets("Memora Lesson", text, "name", 0, 20, filters)
			]

		subjects = [self.course["subject"].name]
		self.assertEqual(found("100% L", subjects), ["100% Light_and Shade"])
		self.assertEqual(found("Light_a", subjects), ["100% Light_and Shade"])
		self.assertEqual(found("Light%and", subjects), [])
		self.assertEqual(len(found("", subjects)), 4)
		self.assertEqual(found("", []), [])


BAD = {
	"nothing": None,
	"a list": ["x"],
	"an object": {"x": 1},
	"a yes": True,
	"a number": 10**30,
	"a fraction": 1.5,
	"less than nothing": -(10**12),
	"no number": "1e999",
	"empty": "",
	"a space": " ",
	"no such name": "nothing",
	"SQL": "' or 1=1 -- `\\",
	"SQL like": "%_%",
	"another DocType": "User",
	"a label": "subject:x",
	"very long": "x" * 100_000,
	"longer than a name": "x" * 200,
	"another script": "درس 🚀 \u202e",
	"half a character": "\ud83d",
	"no character": "a\x00b",
	"JSON": '{"subjects": [1, null, {"a": []}]}',
	"a deep JSON": "[" * 5_000,
	"markup": "<img src=x onerror=alert(1)>",
}


class TestArguments(PublishingTestCase):
	"""Every endpoint that memora offers, with every bad argument: an answer, or a refusal in a sentence."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.web = Web()
		cls.user = cls.web.make_user("arguments@endpoints.test", "System Manager", EDITOR)
		cls.addClassCleanup(frappe.db.commit)
		cls.addClassCleanup(frappe.delete_doc, "User", cls.user, force=True, ignore_permissions=True)

	def setUp(self) -> None:
		super().setUp()
		course = make_course(units=1, lessons=1)
		plan = factories.make_plan([course["subject"]], is_published=1)
		self.publish()
		self.good: dict[str, Any] = {
			"doctype": "Memora Lesson",
			"name": course["lessons"][0].name,
			"plan": plan.name,
			"plan_id": plan.name,
			"names": [course["lessons"][0].name],
			"filters": {"subjects": [course["subject"].name]},
			"limit": 5,
		}

	def endpoints(self) -> dict[str, tuple[Callable[..., Any], str, list[str]]]:
		"""Each by its path, with the method it takes and the names of its arguments."""
		found = {}
		for module in pkgutil.walk_packages(memora.__path__, "memora."):
			if ".tests" in module.name or module.name.endswith(".setup"):
				continue
			for name, function in vars(importlib.import_module(module.name)).items():
				if callable(function) and getattr(function, "__module__", "") == module.name:
					try:
						methods = frappe.allowed_http_methods_for_whitelisted_func.get(function)
					except TypeError:
						continue  # no function
					if methods:
						http = "GET" if "GET" in methods else "POST"
						found[f"{module.name}.{name}"] = function, http, arguments_of(function)
		return found

	def test_every_endpoint_is_found(self) -> None:
		found = self.endpoints()
		self.assertIn("memora.api.publishing.view_json", found)
		self.assertIn("memora.api.metrics.prometheus", found)
		self.assertEqual(found["memora.api.publishing.view_json"][2], ["doctype", "name", "plan"])

	def test_every_argument_has_a_type_which_frappe_leaves_to_the_endpoint(self) -> None:
		"""Later versions ask that there is one (`require_type_annotated_api_methods`), and only read those that are no text."""
		self.assertEqual(frappe.get_hooks("require_type_annotated_api_methods", app_name="memora"), [True])
		for path, (function, _http, arguments) in self.endpoints().items():
			for name in arguments:
				kind = inspect.unwrap(function).__annotations__.get(name)
				self.assertIsInstance(kind, str, f"{path}: {name}")

	def test_a_bad_argument_is_refused_in_a_sentence(self) -> None:
		for path, (_function, http, arguments) in self.endpoints().items():
			tried: list[tuple[str, dict[str, Any]]] = [("none at all", {}), ("one that is unknown", {"x": 1})]
			good = {name: self.good[name] for name in arguments if name in self.good}
			for name in arguments:
				tried += [(f"{name}: {what}", {**good, name: value}) for what, value in BAD.items()]
				tried.append((f"without {name}", {key: value for key, value in good.items() if key != name}))
			if "test_connection" in path:
				tried = tried[:1]  # it takes none, and takes long
			for what, given in tried:
				with self.subTest(path, given=what):
					answer = self.web.call(self.user, path, **given)
					if http == "GET" and answer.status_code == 403:  # it takes nothing else
						answer = self.web.call(self.user, path, http="GET", **as_query(given))
					text = answer.get_data(as_text=True)
					self.assertLess(answer.status_code, 500, text[-900:])
					if answer.status_code == 410:  # without a preview link nothing is told
						self.assertTrue(path.startswith("memora.api.preview_links."))
						self.assertEqual(text, "{}")
					elif answer.status_code >= 400:
						said = json.loads(text)
						self.assertTrue(said.get("_server_messages") or said.get("exception"), text[:500])
						self.assertNotIn("<img", str(said.get("_server_messages")))


class TestDocuments(PublishingTestCase):
	"""What a script sends for a document, field by field: it is saved, or refused in a sentence."""

	SHAPES = ("a list", "an object", "a number", "half a character")

	def setUp(self) -> None:
		super().setUp()
		self.web = Web()
		self.user = self.web.make_user("documents@endpoints.test", "System Manager", EDITOR)
		self.addClassCleanup(drop_user, self.user)
		course = make_course(units=1, lessons=1)
		self.plan = factories.make_plan(
			[course["subject"]], overrides=[factories.override(course["units"][0], "Rename", "Other")]
		)
		terms = [
			frappe.get_doc(f"Memora {kind.title()}", self.plan.get(kind))
			for kind in ("season", "grade", "stream")
		]
		self.docs = [*chain(course), self.plan, *terms]
		frappe.db.commit()

	def assertAnswered(self, method: str, path: str, sent: Any) -> None:
		answer = self.web.ask(self.user, method, path, data=json.dumps(sent), content_type="application/json")
		text = answer.get_data(as_text=True)
		self.assertLess(answer.status_code, 500, text[-900:])
		if answer.status_code >= 400:
			self.assertTrue(json.loads(text).get("_server_messages"), text[:500])

	def test_a_value_of_another_shape_is_refused_in_a_sentence(self) -> None:
		for doc in self.docs:
			path = f"/api/resource/{doc.doctype}"
			whole = doc.as_dict(convert_dates_to_str=True)
			for df in [df for df in doc.meta.fields if df.fieldtype not in no_value_fields or df.options]:
				for what in self.SHAPES:
					with self.subTest(doc.doctype, field=df.fieldname, given=what):
						sent = {df.fieldname: BAD[what]}
						self.assertAnswered("PUT", f"{path}/{doc.name}", sent)
						if what == "a list":
							self.assertAnswered("POST", path, {**whole, "name": None, **sent})
			for fieldname in ("name", "idx", "owner", "creation", "modified"):
				with self.subTest(doc.doctype, field=fieldname):
					self.assertAnswered("PUT", f"{path}/{doc.name}", {fieldname: BAD["a list"]})
			with self.subTest(doc.doctype, given="a list"):
				self.assertAnswered("PUT", f"{path}/{doc.name}", ["x"])

	def test_rows_of_another_shape_are_refused_in_a_sentence(self) -> None:
		for doc in self.docs:
			path = f"/api/resource/{doc.doctype}/{doc.name}"
			for table in doc.meta.get_table_fields():
				for rows in ("x", {"x": 1}, ["x"], [1], [None], [["x"]], 1, True, [{}], [{"x": []}]):
					with self.subTest(doc.doctype, table=table.fieldname, given=rows):
						self.assertAnswered("PUT", path, {table.fieldname: rows})
				row = doc.get(table.fieldname)[0].as_dict(convert_dates_to_str=True)
				for df in frappe.get_meta(table.options).fields:
					for what in self.SHAPES:
						with self.subTest(table.options, field=df.fieldname, given=what):
							self.assertAnswered(
								"PUT", path, {table.fieldname: [{**row, df.fieldname: BAD[what]}]}
							)


def as_query(given: dict[str, Any]) -> dict[str, str]:
	"""Arguments as they can be behind a `?`, where there is neither null nor half a character."""
	texts = {
		name: value if isinstance(value, str) else json.dumps(value)
		for name, value in given.items()
		if value is not None
	}
	return {name: text.encode(errors="replace").decode() for name, text in texts.items()}


def arguments_of(function: Callable[..., Any]) -> list[str]:
	return [
		name
		for name in inspect.signature(function).parameters
		if name not in ("given", "named", "args", "kwargs")
	]
