"""Links for colleagues over HTTP: what one shows, to whom, and how it ends. Everything that is asked comes without an account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe
from frappe.model.document import Document
from frappe.utils import now_datetime
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from memora.api import preview_links, trash
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.doctypes import CONTENT, PLAN
from memora.services.cdn_export.rules.drafted_file import NO_PLAN
from memora.services.cdn_export.state import database
from memora.services.preview_links import links
from memora.tests.helpers import factories
from memora.tests.helpers.files import PNG
from memora.tests.helpers.previews import BUCKET, FILM, WebTestCase, permit
from memora.tests.helpers.publishing import chain, make_course
from memora.tests.helpers.statements import checksums, statements

API = "memora.api.preview_links"
LINK = links.DOCTYPE
OVER = preview_links._OVER
Made = tuple[str, str]
"""A link's name and secret."""


class LinksTestCase(WebTestCase):
	counts_are_forgotten = True
	"""How often this address has asked, before it asks again."""

	def setUp(self) -> None:
		super().setUp()
		forget_counts()
		frappe.db.delete(LINK)
		self.addCleanup(database.fresh)
		self.addCleanup(frappe.db.delete, LINK)
		self.editor = self.user("maker", "Memora Editor")
		self.course, self.other = make_course(required_item="BOOK"), make_course(units=1, lessons=1)
		for doc in every_document(self.course):
			said = {"description": f"said of {doc.title}"} if doc.meta.has_field("description") else {}
			self.change(doc, **said)
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.both = factories.make_plan([self.course["subject"], self.other["subject"]], is_published=1)
		frappe.db.commit()

	def link(self, doc: Document, plan: str = "", user: str = "", **given: Any) -> Made:
		"""A link to a document that a user has made."""
		frappe.db.commit()
		given = {"doctype": doc.doctype, "name": doc.name, "plan": plan, **given}
		answer = self.web.call(user or self.editor, f"{API}.make", **given)
		self.assertEqual(answer.status_code, 200, answer.get_data(as_text=True)[-900:])
		frappe.db.commit()  # what it has written is seen from here on
		made = answer.get_json()["message"]
		address, _, secret = made["path"].partition("?shared#")
		self.assertEqual(address, "/assets/memora/reader/index.html")
		return made["name"], secret

	def ask(
		self, secret: str, /, method: str = "place", user: str = "Guest", headers: Any = (), **given: Any
	) -> TestResponse:
		"""The reader's question."""
		if self.counts_are_forgotten:
			forget_counts()
		answer = self.web.ask(
			user,
			"GET",
			f"/api/method/{API}.{method}",
			query_string=given,
			headers={preview_links.HEADER: secret, **dict(headers)},
		)
		self.assertLess(answer.status_code, 500, answer.get_data(as_text=True)[-900:])
		return answer

	def ask_here(self, secret: str, path: str, subject: str) -> Response:
		"""The same for a file, without a web server: for very many questions."""
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.set_user("Guest")
		with patch.object(frappe, "get_request_header", return_value=secret):
			answer = preview_links.file(path, subject)
		frappe.set_user("Administrator")
		return answer

	def place(self, made: Made) -> dict[str, Any]:
		answer = self.ask(made[1])
		self.assertEqual(answer.status_code, 200)
		return answer.get_json()

	def reading(self, made: Made, user: str = "Guest") -> dict[str, Any]:
		"""Every file that the reader can reach by a link, by path."""
		found: dict[str, Any] = {}

		def follow(url: str, subject: str = "") -> dict[str, Any]:
			path = url.partition("?")[0]
			answer = self.ask(made[1], "file", user, path=path, subject=subject)
			self.assertEqual(answer.status_code, 200, path)
			found[path] = answer.get_json()
			return found[path]["document"]

		for plan in follow(paths.PLAN_INDEX)["plans"]:
			for entry in follow(plan["url"])["subjects"]:
				for track in follow(entry["url"], entry["id"])["tracks"]:
					for unit in track["units"]:
						for topic in follow(unit["url"], entry["id"])["topics"]:
							for lesson in topic["lessons"]:
								follow(lesson["url"], entry["id"])
		return found

	def assertOver(self, secret: str, user: str = "Guest") -> None:
		"""That nothing is answered but that there is no such link, by each endpoint, to the letter."""
		lesson = self.course["lessons"][0]
		unknown = self.ask("no such secret")
		self.assertEqual((unknown.status_code, unknown.get_data()), (OVER, b"{}"))
		for method, given in (
			("place", {}),
			("file", {"path": paths.PLAN_INDEX}),
			("file", {"path": paths.lesson(lesson.name), "subject": self.course["subject"].name}),
			("film", {"lesson": lesson.name, "stage": 1}),
		):
			answer = self.ask(secret, method, user, **given)
			self.assertEqual(answer.status_code, OVER, method)
			self.assertEqual(answer.get_data(), b"{}")
			self.assertEqual(said(answer), said(unknown))


class TestWhatIsShown(LinksTestCase):
	def test_a_lesson_is_read_with_the_titles_above_it_and_nothing_else(self) -> None:
		subject, track, unit, topic, lesson = chain(self.course)
		self.change(lesson, is_published=0)
		made = self.link(lesson, self.plan.name)
		place = self.place(made)
		self.assertEqual(place["address"], [self.plan.name, subject.name, unit.name, lesson.name])
		self.assertEqual((place["title"], place["items"]), (lesson.title, ["BOOK"]))
		self.assertEqual(place["made_by"], frappe.db.get_value("User", self.editor, "full_name"))
		ends = frappe.utils.get_datetime(place["ends"])
		self.assertAlmostEqual((ends.replace(tzinfo=None) - now_datetime()).days, 6, delta=1)
		found = self.reading(made)
		self.assertEqual(
			set(found),
			{
				paths.PLAN_INDEX,
				paths.manifest(self.plan.name),
				paths.plan_subject(self.plan.name, subject.name),
				paths.unit(unit.name),
				paths.lesson(lesson.name),
			},
		)
		document = found[paths.lesson(lesson.name)]["document"]
		self.assertEqual([stage["title"] for stage in document["stages"]], ["Watch", "Read"])
		self.assertEqual(found[paths.lesson(lesson.name)]["marks"], {f"lesson:{lesson.name}": ["draft"]})
		text = str(found)
		for shown in (subject, track, unit, topic, lesson, self.plan):
			self.assertIn(shown.title, text)
		for shown in (subject, track, unit, topic):
			self.assertNotIn(f"said of {shown.title}", text)
		self.assertIn(f"said of {lesson.title}", text)

	def test_without_drafts_only_what_the_next_run_publishes_is_shown(self) -> None:
		lesson = self.course["lessons"][0]
		self.change(lesson, is_published=0)
		made = self.link(self.course["units"][0], self.plan.name, drafts=False)
		self.assertNotIn(paths.lesson(lesson.name), self.reading(made))
		asked = {"path": paths.lesson(lesson.name), "subject": self.course["subject"].name}
		self.assertEqual(self.ask(made[1], "file", **asked).status_code, 404)
		self.assertEqual(self.ask(made[1], "film", lesson=lesson.name, stage=1).status_code, 404)

	def test_no_link_reaches_what_is_beside_it_by_other_names(self) -> None:
		"""Each kind of link, asked for each file of the site, in each subject: it answers those of its own part alone."""
		subject, track, unit, topic, lesson = chain(self.course)
		mine = {doc.name for doc in every_document(self.course)}
		below = {
			lesson.doctype: {lesson.name},
			topic.doctype: {topic.name, *[doc.name for doc in self.course["lessons"][:2]]},
		}
		below[unit.doctype] = {unit.name, *below[topic.doctype]}
		below[track.doctype] = mine - {subject.name}
		below[subject.doctype] = mine
		above = [subject.name, track.name, unit.name, topic.name, lesson.name]
		files = every_file((self.course, self.other), (self.plan.name, self.both.name, NO_PLAN))
		titles = {
			doc.name: doc.title for doc in (*every_document(self.course), *every_document(self.other))
		} | {doc.name: doc.title for doc in (self.plan, self.both)}
		for doc in (subject, track, unit, topic, lesson):
			for plan in (self.plan.name, NO_PLAN):
				made = self.link(doc, plan)
				seen = below[doc.doctype] | set(above[: CONTENT.index(doc.doctype)]) | {plan}
				for path, (name, of_plan) in files.items():
					for of in (subject.name, self.other["subject"].name, ""):
						answer = self.ask_here(made[1], path, of)
						is_listed = name in (plan, "") or (name == subject.name and of_plan == plan)
						is_right = is_listed and (name != subject.name or of == subject.name)
						is_right |= (name in seen) and of == subject.name and name not in (subject.name, plan)
						self.assertEqual(
							answer.status_code, 200 if is_right else 404, (doc.doctype, plan, path, of)
						)
						text = answer.get_data(as_text=True)
						for other in titles.keys() - seen:
							self.assertNotIn(titles[other], text, (doc.doctype, path))
							self.assertNotIn(other, text, (doc.doctype, path))

	def test_a_plan_is_read_with_its_subjects_and_no_other_plan(self) -> None:
		made = self.link(self.plan)
		self.assertEqual(self.place(made)["address"], [self.plan.name])
		found = self.reading(made)
		self.assertEqual(len([path for path in found if path.startswith("lessons/")]), 4)
		self.assertNotIn(self.both.title, str(found))
		self.assertNotIn(self.other["subject"].title, str(found))
		for plan in (self.both.name, NO_PLAN):
			self.assertEqual(self.ask(made[1], "file", path=paths.manifest(plan)).status_code, 404)
		path = paths.plan_subject(self.both.name, self.other["subject"].name)
		answer = self.ask(made[1], "file", path=path, subject=self.other["subject"].name)
		self.assertEqual(answer.status_code, 404)

	def test_forged_paths_get_nothing(self) -> None:
		_name, secret = self.link(self.course["subject"])
		for path in ("", "..", "media/x.png", "videos/a.mp4", "site_config.json", "' or 1=1 -- ", "\u202e"):
			for subject in (self.course["subject"].name, "' or 1=1 -- ", ""):
				self.assertEqual(self.ask(secret, "file", path=path, subject=subject).status_code, 404)
		self.assertEqual(self.ask(secret, "file").status_code, 417)

	def test_no_private_picture_is_shown(self) -> None:
		for name, content, private in (("open.png", PNG, 0), ("secret.png", PNG + b"secret", 1)):
			file = {"doctype": "File", "file_name": name, "content": content, "is_private": private}
			doc = frappe.get_doc(file).insert()
			self.addCleanup(frappe.db.commit)
			self.addCleanup(frappe.delete_doc, "File", doc.name, force=True)
		unit, lesson = self.course["units"][0], self.course["lessons"][0]
		self.change(unit, image="/files/open.png", badge_image="/private/files/secret.png")
		html = '{"html": "<img src=\\"/private/files/secret.png\\">"}'
		self.change(lesson, stages=[{"title": "Read", "type": "Text", "config": html}])
		frappe.db.commit()
		found = self.reading(self.link(unit, self.plan.name))
		answer = found[paths.unit(unit.name)]
		self.assertEqual(list(answer["files"].values()), ["/files/open.png"])
		self.assertNotIn("badge_image", answer["document"])
		self.assertEqual(found[paths.lesson(lesson.name)]["files"], {})

	def test_what_its_build_would_say_is_for_editors(self) -> None:
		lesson = self.course["lessons"][0]
		made = self.link(lesson)
		frappe.db.sql("update `tabMemora Lesson Stage` set config = '[1]' where parent = %s", lesson.name)
		frappe.db.commit()
		given = {"path": paths.lesson(lesson.name), "subject": self.course["subject"].name}
		answer = self.ask(made[1], "file", **given)
		self.assertEqual((answer.status_code, answer.get_data()), (417, b"{}"))

	def test_a_renamed_document_is_the_same(self) -> None:
		lesson = self.course["lessons"][0]
		made = self.link(lesson, self.plan.name)
		frappe.rename_doc(lesson.doctype, lesson.name, "Licht & Schatten", force=True)
		frappe.rename_doc(PLAN, self.plan.name, "Plan & B", force=True)
		frappe.db.commit()
		self.assertEqual(self.place(made)["address"][::3], ["Plan & B", "Licht & Schatten"])
		self.assertIn(paths.lesson("Licht & Schatten"), self.reading(made))

	def test_films_are_those_of_what_is_shown(self) -> None:
		self.configure(**BUCKET)
		film = {"title": "Watch", "type": "Video", "config": f'{{"video_url": "{FILM}"}}'}
		lessons = [self.course["lessons"][0], self.course["lessons"][1], self.other["lessons"][0]]
		for lesson in lessons:
			self.change(lesson, stages=[film])
		frappe.db.commit()
		answered = {}
		for doc in (lessons[0], self.course["subject"], self.both):
			_name, secret = self.link(doc, "" if doc is self.both else self.plan.name)
			answered[doc.name] = [
				self.ask(secret, "film", lesson=lesson.name, stage=1).status_code for lesson in lessons
			]
			for lesson, stage in ((lessons[0].name, 2), (lessons[0].name, -1), ("gone", 1), (secret, 1)):
				self.assertEqual(self.ask(secret, "film", lesson=lesson, stage=stage).status_code, 404)
		self.assertEqual(list(answered.values()), [[200, 404, 404], [200, 200, 404], [200, 200, 200]])
		url = self.ask(secret, "film", lesson=lessons[0].name, stage=1).get_json()["url"]
		self.assertIn(f"/{FILM}?X-Amz-Algorithm=", url)


class TestHowItEnds(LinksTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.lesson = self.course["lessons"][0]
		self.name, self.secret = self.link(self.lesson, self.plan.name)
		self.assertEqual(self.ask(self.secret).status_code, 200)

	@contextmanager
	def meanwhile(self) -> Iterator[None]:
		"""What is done meanwhile ends the link at once; it is live again after."""
		yield
		frappe.db.commit()
		self.assertOver(self.secret)

	def assertLive(self) -> None:
		frappe.db.commit()
		self.assertEqual(self.ask(self.secret).status_code, 200)

	def test_it_ends_with_its_time(self) -> None:
		with self.meanwhile():
			frappe.db.set_value(LINK, self.name, "ends", now_datetime() - timedelta(seconds=1))
		frappe.db.set_value(LINK, self.name, "ends", now_datetime() + timedelta(minutes=1))
		self.assertLive()

	def test_it_ends_when_it_is_revoked(self) -> None:
		with self.meanwhile():
			self.assertEqual(self.web.call(self.editor, f"{API}.revoke", name=self.name).status_code, 200)

	def test_it_ends_when_such_links_are_switched_off(self) -> None:
		with self.meanwhile():
			self.configure(preview_links=0)
		answer = self.web.call(self.editor, f"{API}.make", doctype=self.lesson.doctype, name=self.lesson.name)
		self.assertEqual(answer.status_code, 417)
		self.configure(preview_links=1)
		self.assertLive()

	def test_it_ends_with_its_makers_account_and_role(self) -> None:
		user = frappe.get_doc("User", self.editor)
		with self.meanwhile():
			user.update({"enabled": 0}).save()
		user.reload()
		user.update({"enabled": 1}).save()
		self.assertLive()
		with self.meanwhile():
			user.remove_roles("Memora Editor")
		user.add_roles("Memora Editor")
		self.assertLive()
		with self.meanwhile():
			frappe.delete_doc("User", self.editor, ignore_permissions=True)

	def test_it_ends_with_what_its_maker_may_read(self) -> None:
		for doc in (self.other["subject"], self.both, self.course["units"][1]):
			permission = {"doctype": "User Permission", "user": self.editor, "allow": doc.doctype}
			doc = frappe.get_doc({**permission, "for_value": doc.name, "apply_to_all_doctypes": 1})
			with self.meanwhile():
				doc.insert()
			doc.delete()
			self.assertLive()

	def test_it_ends_with_the_right_to_read_and_to_share_of_its_makers_role(self) -> None:
		"""A User Permission for the DocType alone is no right to read it, as Frappe's lists have it."""
		permit(self, self.editor, self.course["subject"])
		self.assertLive()
		for right in ("share", "read"):
			for doctype in {"share": (self.lesson.doctype,), "read": (self.lesson.doctype, "Memora Subject")}[
				right
			]:
				frappe.permissions.setup_custom_perms(doctype)
				self.addCleanup(frappe.clear_cache, doctype=doctype)
				self.addCleanup(frappe.db.delete, "Custom DocPerm", {"parent": doctype})
				with self.meanwhile():
					frappe.permissions.update_permission_property(doctype, "Memora Editor", 0, right, 0)
				frappe.permissions.update_permission_property(doctype, "Memora Editor", 0, right, 1)
				self.assertLive()

	def test_it_ends_while_the_site_lets_nobody_share(self) -> None:
		if not frappe.get_meta("System Settings").has_field("disable_document_sharing"):
			self.skipTest("This Frappe has no such setting.")
		self.addCleanup(frappe.clear_cache)
		self.addCleanup(frappe.db.set_single_value, "System Settings", "disable_document_sharing", 0)
		with self.meanwhile():
			frappe.db.set_single_value("System Settings", "disable_document_sharing", 1)
			frappe.clear_cache()
		frappe.db.set_single_value("System Settings", "disable_document_sharing", 0)
		frappe.clear_cache()
		self.assertLive()

	def test_it_ends_with_its_document_for_good(self) -> None:
		with self.meanwhile():
			frappe.delete_doc(self.lesson.doctype, self.lesson.name)
		# Another takes its name.
		again = factories.make_lesson(parent_topic=self.course["topics"][0].name, title="Another")
		frappe.rename_doc(again.doctype, again.name, self.lesson.name, force=True)
		frappe.db.commit()
		self.assertOver(self.secret)

	def test_it_works_again_when_its_document_is_back_from_the_trash(self) -> None:
		with self.meanwhile():
			frappe.delete_doc(self.lesson.doctype, self.lesson.name)
		trash.restore(frappe.db.get_value("Memora Trash", {"deleted_name": self.lesson.name}))
		self.assertLive()

	def test_it_ends_where_its_plan_does_not_list_it_any_more(self) -> None:
		with self.meanwhile():
			self.change(self.lesson, parent_topic=self.other["topics"][0].name)
		self.change(self.lesson, parent_topic=self.course["topics"][0].name)
		self.assertLive()
		with self.meanwhile():
			frappe.delete_doc(PLAN, self.plan.name)

	def test_whatever_ends_it_is_asked_in_one_statement(self) -> None:
		"""So that no answer comes later than another."""
		counts = {}
		for why, values in (
			("unknown", None),
			("ended", {"ends": now_datetime() - timedelta(days=1)}),
			("revoked", {"ends": now_datetime() + timedelta(days=1), "revoked": now_datetime()}),
		):
			if values:
				frappe.db.set_value(LINK, self.name, values)
			with statements() as seen:
				self.assertIsNone(links.find(self.secret if values else "unknown"))
			counts[why] = len(seen)
		self.assertEqual(counts, dict.fromkeys(counts, 1))


class TestWhoAsks(LinksTestCase):
	def test_the_callers_own_session_adds_nothing(self) -> None:
		"""Who may read everything sees by a link what its restricted maker may read, and nothing without it."""
		admin, stranger = self.user("admin", "System Manager"), self.user("stranger", "Report Manager")
		permit(self, self.editor, self.course["units"][0])
		made = self.link(self.course["subject"], NO_PLAN)
		as_guest = self.reading(made)
		self.assertNotIn(self.course["units"][1].title, str(as_guest))
		for user in (admin, stranger, self.editor):
			self.assertEqual(unstamped(self.reading(made, user)), unstamped(as_guest))
			self.assertOver("", user)
		answer = self.ask(made[1], "place", "Guest", {"Cookie": "sid=forged; user_id=Administrator"})
		self.assertEqual(answer.get_json(), self.place(made))

	def test_the_secret_counts_in_its_header_alone(self) -> None:
		_name, secret = self.link(self.course["subject"])
		for given in (
			{"secret": secret},
			{preview_links.HEADER: secret},
			{"shared": secret},
			{"token": secret},
		):
			self.assertEqual(self.ask("", **given).status_code, OVER)
		answer = self.ask("", headers={"Cookie": f"{preview_links.HEADER}={secret}; secret={secret}"})
		self.assertEqual(answer.status_code, OVER)
		for near in (secret[:-1], f"{secret}x", secret.swapcase(), f" {secret[1:]}", links._hash(secret)):
			self.assertEqual(self.ask(near).status_code, OVER)

	def test_nothing_keeps_the_secret(self) -> None:
		name, secret = self.link(self.course["subject"])
		self.assertGreaterEqual(len(secret) * 6, 128)
		self.assertNotIn(secret, str(frappe.get_doc(LINK, name).as_dict()))
		with patch.object(preview_links.shown, "place", side_effect=ZeroDivisionError), quiet():
			answer = self.web.ask(
				"Guest", "GET", f"/api/method/{API}.place", headers={preview_links.HEADER: secret}
			)
		self.assertEqual(answer.status_code, 500)
		self.assertNotIn(secret, answer.get_data(as_text=True))
		frappe.db.commit()
		for table in ("Error Log", "Version", "Activity Log", "Access Log", LINK):
			self.assertNotIn(secret, str(frappe.db.sql(f"select * from `tab{table}`")))

	def test_no_answer_is_kept_or_found_by_others(self) -> None:
		_name, secret = self.link(self.course["subject"])
		for asked in (secret, "unknown"):
			answer = self.ask(asked)
			self.assertEqual(answer.headers["Cache-Control"], "no-store")
			self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
			self.assertEqual(answer.headers["X-Robots-Tag"], "noindex, nofollow")
			self.assertEqual(answer.content_type, "application/json; charset=utf-8")

	def test_nothing_is_written_but_that_it_was_used_once_an_hour(self) -> None:
		made = self.link(self.course["lessons"][0], self.plan.name)
		name = made[0]
		self.reading(made)
		frappe.db.commit()
		used = frappe.db.get_value(LINK, name, "last_used")
		self.assertLess(now_datetime() - used, timedelta(minutes=1))
		before = checksums()
		self.reading(made)
		frappe.db.commit()
		self.assertEqual(checksums(), before)
		frappe.db.set_value(LINK, name, "last_used", used - timedelta(hours=2), update_modified=False)
		frappe.db.commit()
		self.place(made)
		frappe.db.commit()
		self.assertGreaterEqual(frappe.db.get_value(LINK, name, "last_used"), used)

	def test_a_link_that_cannot_be_noted_is_read_all_the_same(self) -> None:
		made = self.link(self.course["lessons"][0])
		with patch.object(links.database, "transaction", side_effect=frappe.QueryTimeoutError):
			self.place(made)

	def test_strangers_make_see_and_revoke_none_and_nobody_writes_by_one(self) -> None:
		name, secret = self.link(self.course["subject"])
		doc = {"doctype": "Memora Subject", "name": self.course["subject"].name}
		for user in ("Guest", self.user("stranger", "Report Manager"), self.user("nobody")):
			for method, http, given in (
				("make", "POST", doc),
				("of_document", "GET", doc),
				("revoke", "POST", {"name": name}),
			):
				answer = self.web.ask(
					user,
					http,
					f"/api/method/{API}.{method}",
					headers={preview_links.HEADER: secret},
					**({"json": given} if http == "POST" else {"query_string": given}),
				)
				self.assertEqual(answer.status_code, 403, (user, method))
			for method in ("place", "file", "film"):
				answer = self.web.ask(
					user,
					"POST",
					f"/api/method/{API}.{method}",
					headers={preview_links.HEADER: secret},
					json={"path": paths.PLAN_INDEX, "lesson": "x", "stage": 1},
				)
				self.assertEqual(answer.status_code, 403, (user, method))
			path = f"/api/resource/{LINK}"
			self.assertEqual(self.web.ask(user, "GET", path).status_code, 403)
		for user in ("Guest", self.editor):
			self.assertEqual(self.web.ask(user, "GET", f"/api/resource/{LINK}/{name}").status_code, 403)
		self.assertIsNone(frappe.db.get_value(LINK, name, "revoked"))

	def test_one_address_asks_so_often_and_no_path_asks_more(self) -> None:
		_name, secret = self.link(self.course["subject"])
		forget_counts()
		self.counts_are_forgotten = False
		asked = [self.ask(secret, "film", lesson="x", stage=1).status_code for _time in range(61)]
		self.assertEqual((set(asked[:60]), asked[60]), ({404}, 429))
		for asked_by in (secret, "unknown"):
			answer = self.ask(asked_by, "film", lesson="x", stage=1, cmd=frappe.generate_hash())
			self.assertNotEqual(answer.get_data(), b"{}")  # early v15 takes it for another method
			answer = self.web.ask(
				"Guest",
				"GET",
				f"/api/v2/method/{API}.film",
				query_string={"lesson": "x", "stage": 1, "cmd": frappe.generate_hash()},
				headers={preview_links.HEADER: asked_by},
			)
			self.assertNotEqual(answer.get_data(), b"{}")  # early v15 has no such path
		self.assertEqual(self.ask(self.link(self.course["subject"])[1]).status_code, 200)


class TestWhoMakesThem(LinksTestCase):
	def make(self, user: str, doc: Document, **given: Any) -> int:
		given = {"doctype": doc.doctype, "name": doc.name, **given}
		return self.web.call(user, f"{API}.make", **given).status_code

	def listed(self, user: str, doc: Document) -> dict[str, Any]:
		answer = self.web.call(user, f"{API}.of_document", http="GET", doctype=doc.doctype, name=doc.name)
		self.assertEqual(answer.status_code, 200)
		return answer.get_json()["message"]

	def test_who_may_read_and_share_a_document_makes_links_to_it(self) -> None:
		admin, manager = self.user("admin", "Memora CDN Admin"), self.user("manager", "System Manager")
		for doc in (*chain(self.course), self.plan):
			self.assertEqual(
				[self.make(user, doc) for user in (self.editor, manager, admin)], [200, 200, 403]
			)
			self.assertEqual(
				[self.listed(user, doc)["may_make"] for user in (self.editor, manager, admin)],
				[True, True, False],
			)
		permit(self, self.editor, self.course["subject"])
		for doc in (*chain(self.other), self.both):
			self.assertEqual(self.make(self.editor, doc), 403)
		self.assertEqual(self.make(self.editor, self.course["subject"], plan=self.both.name), 403)
		foreign = frappe._dict(doctype="User", name="Administrator")
		self.assertEqual(self.make(self.editor, foreign), 417)
		self.assertEqual(self.make(self.editor, frappe._dict(doctype=PLAN, name="gone")), 404)

	def test_a_link_lasts_seven_days_or_as_long_as_is_said_and_thirty_at_most(self) -> None:
		subject = self.course["subject"]
		for given, days in (({}, 7), ({"days": 1}, 1), ({"days": 30}, 30)):
			name, _secret = self.link(subject, **given)
			ends = frappe.db.get_value(LINK, name, "ends")
			self.assertAlmostEqual(
				(ends - now_datetime()).total_seconds(), days * 86400, delta=60, msg=str(given)
			)
			frappe.db.commit()
		for days in (0, -1, 31, 10**9, "x"):
			self.assertEqual(self.make(self.editor, subject, days=days), 417)

	def test_one_has_a_hundred_links_at_most(self) -> None:
		with patch.object(links, "MOST_LIVE", 2):
			for _time in range(2):
				name, _secret = self.link(self.course["subject"])
			self.assertEqual(self.make(self.editor, self.course["subject"]), 417)
			self.assertEqual(self.web.call(self.editor, f"{API}.revoke", name=name).status_code, 200)
			self.link(self.course["subject"])

	def test_a_maker_sees_and_revokes_the_own_and_an_admin_all(self) -> None:
		subject, other = self.course["subject"], self.user("other", "Memora Editor")
		admin = self.user("admin", "Memora CDN Admin")
		mine, theirs = self.link(subject)[0], self.link(subject, user=other)[0]

		def seen(user: str) -> set[str]:
			return {link["name"] for link in self.listed(user, subject)["links"]}

		self.assertEqual(
			[seen(user) for user in (self.editor, other, admin)], [{mine}, {theirs}, {mine, theirs}]
		)
		revoke = lambda user, name: self.web.call(user, f"{API}.revoke", name=name).status_code  # noqa: E731
		self.assertEqual(
			[revoke(self.editor, theirs), revoke(self.editor, "gone"), revoke(admin, "gone")], [404] * 3
		)
		frappe.db.commit()
		self.assertIsNone(frappe.db.get_value(LINK, theirs, "revoked"))
		self.assertEqual([revoke(admin, theirs), revoke(self.editor, mine)], [200, 200])
		frappe.db.commit()
		self.assertEqual(
			frappe.get_all(LINK, {"revoked": ("is", "set")}, ["name", "revoked_by"], order_by="creation"),
			[{"name": mine, "revoked_by": self.editor}, {"name": theirs, "revoked_by": admin}],
		)
		self.assertEqual(seen(admin), set())
		rows = self.web.ask(admin, "GET", f"/api/resource/{LINK}").get_json()["data"]
		self.assertEqual({row["name"] for row in rows}, {mine, theirs})
		for http, path in (("PUT", f"{LINK}/{mine}"), ("DELETE", f"{LINK}/{mine}"), ("POST", LINK)):
			answer = self.web.ask(admin, http, f"/api/resource/{path}", json={"revoked": None})
			self.assertEqual(answer.status_code, 403)

	def test_links_keep_nothing_from_being_deleted_and_go_with_the_logs(self) -> None:
		doc = self.link(self.course["lessons"][0], self.plan.name)[0]
		frappe.delete_doc("Memora Lesson", self.course["lessons"][0].name)
		frappe.delete_doc(PLAN, self.plan.name)
		name = self.link(self.course["subject"], NO_PLAN)[0]
		frappe.db.commit()
		before = now_datetime() - timedelta(days=91)
		frappe.db.set_value(LINK, doc, {"revoked": before, "creation": before})
		frappe.db.set_value(LINK, name, "creation", before)
		frappe.get_doc({"doctype": LINK}).clear_old_logs(90)
		self.assertEqual(frappe.get_all(LINK, pluck="name"), [name])
		hooks = frappe.get_hooks("default_log_clearing_doctypes")
		self.assertEqual(hooks[LINK], [90])

	def test_personal_data_holds_them_and_a_forgotten_maker_is_renamed(self) -> None:
		from frappe.website.doctype.personal_data_download_request.personal_data_download_request import (
			get_user_data,
		)

		name, secret = self.link(self.course["subject"])
		data = get_user_data(self.editor)
		self.assertIn(name, data)
		self.assertNotIn(secret, data)
		renamed = frappe.rename_doc("User", self.editor, "nobody-any-more@links.test", force=True)
		self.addCleanup(frappe.delete_doc, "User", renamed, force=True, ignore_permissions=True)
		self.assertEqual(frappe.db.get_value(LINK, name, "maker"), renamed)
		self.assertNotIn(self.editor, str(frappe.get_doc(LINK, name).as_dict()))


def every_document(course: dict[str, Any]) -> list[Document]:
	return [course["subject"], course["track"], *course["units"], *course["topics"], *course["lessons"]]


def every_file(courses: Any, plans: Any) -> dict[str, tuple[str, str]]:
	"""Each path of these courses, with the name of what it is of and the plan that it is in."""
	found = {paths.PLAN_INDEX: ("", "")}
	for plan in plans:
		found[paths.manifest(plan)] = (plan, plan)
		for course in courses:
			subject = course["subject"].name
			found[paths.plan_subject(plan, subject)] = (subject, plan)
			for own in (None, plan):
				for unit in course["units"]:
					found.setdefault(
						paths.unit(unit.name, own), (f"own {unit.name}" if own else unit.name, "")
					)
				for lesson in course["lessons"]:
					found.setdefault(
						paths.lesson(lesson.name, own), (f"own {lesson.name}" if own else lesson.name, "")
					)
	return found


def forget_counts() -> None:
	"""Forget how often this address has asked."""
	for key in frappe.cache.scan_iter(match=f"*rl:{API}.*"):
		frappe.cache.delete(key)


def said(answer: TestResponse) -> dict[str, str]:
	"""An answer's headers without what differs from one to the next."""
	return {name: value for name, value in answer.headers if name not in ("Date", "X-Frappe-Request-Id")}


def unstamped(found: dict[str, Any]) -> dict[str, Any]:
	return {
		path: {**answer, "document": {**answer["document"], "generated_at": ""}}
		for path, answer in found.items()
	}


@contextmanager
def quiet() -> Iterator[None]:
	"""What fails meanwhile is answered as on a live site."""
	with patch.dict(frappe.local.conf, {"developer_mode": 0, "allow_tests": 0}):
		yield
