"""A Desk to drive: the test site with content on it, its web server and a worker, and a browser logged in."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route

from memora.exceptions import StorageUnavailableError
from memora.install import ADMIN, EDITOR
from memora.services.cdn_export import batch_processor, publish_state, scopes
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests import factories
from memora.tests.utils import wipe

REPO = Path(__file__).parents[2]
SITES = os.environ.get("MEMORA_SITES_PATH", "")
SITE = os.environ.get("MEMORA_SITE", "")
SCREENSHOTS = os.environ.get("MEMORA_SCREENSHOTS", "")
PASSWORD = "Sea-Salt-And-Paper-7"
FOLDER = "public/files/e2e"

# A missing socket server, and nothing else, may show in the console.
_HARMLESS = ("socket.io", "ERR_CONNECTION_REFUSED", "WebSocket")


@dataclass(slots=True)
class Desk:
	"""A running site. `lessons` and the others are documents by title."""

	address: str
	browser: Browser
	docs: dict[str, Any] = field(default_factory=dict)
	_contexts: dict[str, BrowserContext] = field(default_factory=dict)

	@contextmanager
	def login(self, user: str, *, width: int = 1280, height: int = 860) -> Iterator[Page]:
		"""A page of this user's Desk. At the end its console must hold no error."""
		context = self._context(user)
		errors: list[str] = []

		def heard(message: ConsoleMessage) -> None:
			where = message.location.get("url", "")
			if message.type == "error" and not any(word in message.text + where for word in _HARMLESS):
				errors.append(f"{message.text} ({where})")

		page = context.new_page()
		try:
			page.set_viewport_size({"width": width, "height": height})
			page.set_default_timeout(20_000)
			page.on("console", heard)
			page.on("pageerror", lambda error: errors.append(str(error)))
			yield page
			assert not errors, errors
		finally:
			page.close()

	def _context(self, user: str) -> BrowserContext:
		"""The user's own, with its cookies and cache."""
		if user not in self._contexts:
			context = self.browser.new_context(locale="en-GB", reduced_motion="reduce")
			answer = context.request.post(
				f"{self.address}/api/method/login", form={"usr": user, "pwd": PASSWORD}
			)
			assert answer.ok, answer.text()
			self._contexts[user] = context
		return self._contexts[user]

	def open(self, page: Page, route: str) -> None:
		page.goto(f"{self.address}/app/{route}", wait_until="domcontentloaded")

	def form(self, page: Page, title: str) -> None:
		"""Open the form of a document and wait for its line."""
		doc = self.docs[title]
		self.open(page, f"{frappe.scrub(doc.doctype).replace('_', '-')}/{doc.name}")
		page.locator(".memora-status .indicator-pill").first.wait_for()

	def publish(self) -> None:
		frappe.db.commit()
		batch_processor.process("Scheduler")
		frappe.db.commit()

	def edit(self, title: str, /, **fields: Any) -> None:
		frappe.db.rollback()
		doc = frappe.get_doc(self.docs[title].doctype, self.docs[title].name)
		doc.update(fields).save()
		frappe.db.commit()

	def configure(self, **fields: Any) -> None:
		doc = frappe.get_doc("CDN Settings")
		doc.update(
			{
				"enabled": 1,
				"storage_provider": "Local Directory",
				"local_path": FOLDER,
				"cdn_base_url": f"{self.address}/files/e2e",
				**fields,
			}
		)
		doc.save()
		frappe.db.commit()

	def read(self, path: str) -> str:
		"""A published file, over HTTP as an app reads it; "" when there is none."""
		try:
			with urllib.request.urlopen(f"{self.address}/files/e2e/{path}", timeout=10) as answer:
				return answer.read().decode()
		except urllib.error.HTTPError:
			return ""


def shoot(page: Page, name: str) -> None:
	"""Keep a screenshot, where dev/screenshots asks for them."""
	if SCREENSHOTS:
		page.wait_for_timeout(1500)  # charts and dialogs come up slowly
		page.mouse.move(2, 2)
		page.screenshot(path=str(Path(SCREENSHOTS) / f"desk-{name}.png"))


@contextmanager
def broken(desk: Desk) -> Iterator[None]:
	"""Meanwhile nothing can be written to the storage of this process."""
	error = StorageUnavailableError("The disk is full: make room in the site's public/files")
	with patch.object(LocalStorage, "put", side_effect=error):
		yield


def let_die(plan: str) -> None:
	"""Let a plan that has failed use up its retries."""
	for _ in range(len(publish_state.RETRY_MINUTES)):
		frappe.db.sql(
			"update `tabCDN Publish State` set next_retry_at = null where next_retry_at is not null"
		)
		frappe.db.commit()
		batch_processor.process("Scheduler")
	assert frappe.db.get_value("CDN Publish State", scopes.plan(plan).id, "dead_since")
	frappe.db.commit()


def empty_dashboard(route: Route) -> None:
	"""What the server says of a site that has never published."""
	answer = route.fetch()
	message = answer.json()["message"]
	message.update(rows=[], runs=[], oldest_waiting_since=None, counts=dict.fromkeys(message["counts"], 0))
	for day in message["days"]:
		day.update(uploaded=0, deleted=0, succeeded=0, failed=0, seconds=0)
	route.fulfill(response=answer, json={"message": message})


def make_users() -> None:
	"""An editor, an admin, and each of them in Arabic."""
	for email, name, roles, language, theme in (
		("editor@e2e.test", "Editor", [EDITOR], "en", "Light"),
		("admin@e2e.test", "Admin", [ADMIN], "en", "Light"),
		("editor.ar@e2e.test", "محررة", [EDITOR], "ar", "Light"),
		("admin.ar@e2e.test", "مشرف", [ADMIN], "ar", "Light"),
		("night@e2e.test", "Night", [EDITOR, ADMIN], "en", "Dark"),
	):
		if not frappe.db.exists("User", email):
			user = frappe.get_doc(
				{"doctype": "User", "email": email, "first_name": name, "send_welcome_email": 0}
			)
			user.flags.ignore_password_policy = True
			user.new_password = PASSWORD
			user.language, user.desk_theme = language, theme
			user.insert(ignore_permissions=True)
			user.add_roles(*roles)
	frappe.db.set_single_value("System Settings", "enable_onboarding", 0)
	frappe.db.commit()


def make_school() -> dict[str, Any]:
	"""Two plans over three subjects, as a school has them; by title."""
	docs: dict[str, Any] = {}

	def keep(doc: Any) -> Any:
		docs[doc.title] = doc
		return doc

	tree = {
		"Physics": {
			"Mechanics": {
				"Motion": {"Speed": ["What is speed?", "Measuring speed"], "Forces": ["Push and pull"]}
			}
		},
		"Mathematics": {
			"Algebra": {"Equations": {"Unknowns": ["Finding x", "Two unknowns", "Word problems"]}},
			"Geometry": {"Triangles": {"Angles": ["Angles of a triangle"]}},
		},
		"اللغة العربية": {"النحو": {"الجملة": {"أنواع الجملة": ["الجملة الاسمية", "الجملة الفعلية"]}}},
	}
	for subject_title, tracks in tree.items():
		subject = keep(
			factories.make_subject(
				title=subject_title,
				is_published=1,
				required_item="PHYSICS-7" if subject_title == "Physics" else "",
			)
		)
		for track_title, units in tracks.items():
			track = keep(factories.make_track(title=track_title, parent_subject=subject.name, is_published=1))
			for unit_title, topics in units.items():
				unit = keep(factories.make_unit(title=unit_title, parent_track=track.name, is_published=1))
				for topic_title, lessons in topics.items():
					topic = keep(
						factories.make_topic(title=topic_title, parent_unit=unit.name, is_published=1)
					)
					for place, lesson_title in enumerate(lessons):
						keep(
							factories.make_lesson(
								title=lesson_title,
								parent_topic=topic.name,
								is_published=1,
								sort_order=place,
								description="What it is, and how one finds out.",
								stages=[
									{
										"title": "Watch",
										"type": "Video",
										"config": '{"video_url": "https://video.example.com/lesson.mp4"}',
									},
									{"title": "Read", "type": "Text", "config": '{"body": "Read it twice."}'},
								],
							)
						)
	terms = {
		kind: factories.make(f"Memora {kind.title()}", title=title).name
		for kind, title in (("season", "2026/27"), ("grade", "Grade 7"), ("stream", "General"))
	}
	keep(
		factories.make_plan(
			[docs["Physics"], docs["Mathematics"], docs["اللغة العربية"]],
			title="Grade 7, General",
			is_published=1,
			**terms,
		)
	)
	keep(
		factories.make_plan(
			[docs["Mathematics"]],
			title="Mathematics, short course",
			is_published=1,
			overrides=[factories.override(docs["Geometry"], "Hide")],
			**terms,
		)
	)
	frappe.db.commit()
	return docs


@contextmanager
def served() -> Iterator[str]:
	"""The site's web server and a worker beside it; yields the address."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		port = probe.getsockname()[1]
	log = open(Path(SITES) / SITE / "logs" / "e2e.log", "w")
	commands = (
		[sys.executable, str(REPO / "dev" / "lib" / "web.py"), SITE, str(port)],
		[
			sys.executable,
			"-m",
			"frappe.utils.bench_helper",
			"frappe",
			"worker",
			"--queue",
			"short,default,long",
		],
	)
	running = [subprocess.Popen(command, cwd=SITES, stdout=log, stderr=log) for command in commands]
	address = f"http://127.0.0.1:{port}"
	try:
		for _ in range(120):
			try:
				urllib.request.urlopen(f"{address}/api/method/ping", timeout=5).close()
				break
			except OSError:
				time.sleep(0.25)
		yield address
	finally:
		for process in running:
			process.terminate()
		for process in running:
			process.wait(20)
		log.close()


def clean() -> None:
	"""Leave the site as it was."""
	wipe()
	for email in frappe.get_all("User", {"email": ("like", "%@e2e.test")}, pluck="name"):
		frappe.delete_doc("User", email, force=True, ignore_permissions=True)
	frappe.db.commit()
