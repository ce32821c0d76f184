"""A Desk to drive: the test site's web server with a worker, and a browser logged in."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
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
from frappe.utils.background_jobs import get_redis_conn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect
from rq import Queue, Worker
from rq.worker import WorkerStatus

from memora.exceptions import StorageUnavailableError
from memora.frappe_versions import desk_route
from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.delivery import progress
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import redis_mirror, retries
from memora.services.cdn_export.storage.local import LocalStorage
from memora.tests.helpers.utils import wipe
from tests.e2e import pictures
from tests.e2e.desk.school import PASSWORD, School

REPO = Path(__file__).parents[3]
SITES = os.environ["MEMORA_SITES_PATH"]
SITE = os.environ["MEMORA_SITE"]
FOLDER = "public/files/e2e"

# A missing socket server, and nothing else, may show in the console.
_HARMLESS = (
	"socket.io",
	"ERR_CONNECTION_REFUSED",
	"WebSocket",
	"Block «onboarding» skipped",  # v16.0.0-dev, of every workspace with first steps, on a phone
)
PATIENCE = 60
"""Seconds, for a machine that is busy with much else: who waits sees the thing itself come."""

expect.set_options(timeout=1000 * PATIENCE)


@dataclass(slots=True)
class Desk:
	"""A running site."""

	address: str
	browser: Browser
	_contexts: dict[str, BrowserContext] = field(default_factory=dict)

	@contextmanager
	def login(
		self, user: str, *, width: int = 1280, height: int = 860, expected: tuple[str, ...] = ()
	) -> Iterator[Page]:
		"""A page of this user's Desk. At the end its console must hold no error but those with `expected` words."""
		errors: list[str] = []

		def note(error: str) -> None:
			if not any(word in error for word in (*_HARMLESS, *expected)):
				errors.append(error)

		def heard(message: ConsoleMessage) -> None:
			if message.type == "error":
				note(f"{message.text} ({message.location.get('url', '')})")

		page = self._context(user).new_page()
		try:
			page.set_viewport_size({"width": width, "height": height})
			page.set_default_timeout(1000 * PATIENCE)
			page.on("console", heard)
			page.on("pageerror", lambda error: note(str(error)))
			yield page
			assert not errors, errors
		except Exception:
			look(page)
			raise
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

	def close(self) -> None:
		for context in self._contexts.values():
			context.close()

	def open(self, page: Page, route: str) -> None:
		page.goto(self.address + desk_route(route), wait_until="domcontentloaded")

	def form(self, page: Page, doc: Any) -> Locator:
		"""Open the form of a document and wait for its line, which is returned."""
		self.open(page, f"{frappe.scrub(doc.doctype).replace('_', '-')}/{doc.name}")
		line = page.locator(".memora-status:visible")
		line.locator(".indicator-pill").first.wait_for()
		return line

	def publish(self) -> None:
		"""Run a batch, as the scheduler does."""
		frappe.db.commit()
		batch_processor.process("Scheduler")
		frappe.db.commit()
		_tick()

	def edit(self, doc: Any, /, **fields: Any) -> None:
		frappe.db.rollback()
		_tick()
		frappe.get_doc(doc.doctype, doc.name).update(fields).save()
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


def look(page: Page) -> None:
	"""Keep a picture of what went wrong."""
	page.screenshot(path=str(Path(SITES) / SITE / "logs" / "e2e.png"))


def pill(line: Locator) -> Locator:
	"""What a form's line says first: its state."""
	return line.locator(".indicator-pill").first


def save(page: Page) -> None:
	"""Save the form that is open, and wait until it is."""
	_tick()  # else the save may start a batch by itself, and what the test looks at changes
	with page.expect_response("**/api/method/frappe.desk.form.save.savedocs") as saved:
		page.keyboard.press("Control+s")
	assert saved.value.ok, saved.value.text()


def shoot(page: Page, name: str, school: School | None = None) -> None:
	"""Keep a picture of the Desk, if pictures are asked for."""
	language = "-ar" if school and school.language == "ar" else ""
	pictures.keep(page, f"desk-{name}{language}")


@contextmanager
def broken() -> Iterator[None]:
	"""Meanwhile nothing can be written to the storage of this process."""
	error = StorageUnavailableError("The disk is full: make room in the site's public/files")
	with patch.object(LocalStorage, "put", side_effect=error):
		yield


@contextmanager
def publishing_stands_still(files: int) -> Iterator[None]:
	"""Meanwhile a batch runs whose storage stops answering after some files; then it goes on to its end."""
	go, stopped, done = threading.Event(), threading.Event(), 0
	put = LocalStorage.put

	def slow(*arguments: Any, **named: Any) -> Any:
		nonlocal done
		if done >= files:
			stopped.set()
			go.wait(4 * PATIENCE)
		done += 1
		return put(*arguments, **named)

	def batch() -> None:
		frappe.init(site=SITE, sites_path=SITES)
		frappe.connect()
		try:
			batch_processor.process("Scheduler")
			frappe.db.commit()
		finally:
			frappe.destroy()

	frappe.db.commit()
	with patch.object(LocalStorage, "put", slow), patch.object(progress, "_SECONDS_BETWEEN", 0):
		thread = threading.Thread(target=batch)
		thread.start()
		try:
			assert stopped.wait(PATIENCE), "nothing was uploaded"
			yield
		finally:
			go.set()
			thread.join()
	frappe.db.rollback()


@contextmanager
def refusing() -> Iterator[None]:
	"""Meanwhile nothing can be removed from the storage of this process."""
	error = StorageUnavailableError("The folder is locked: unlock the site's public/files")
	with patch.object(LocalStorage, "delete", side_effect=error):
		yield


def let_die(label: str) -> None:
	"""Let what has failed (a plan by its name, else its label) use up its retries."""
	for _ in range(len(retries.RETRY_MINUTES)):
		frappe.db.sql(
			"update `tabCDN Publish State` set next_retry_at = null where next_retry_at is not null"
		)
		frappe.db.commit()
		batch_processor.process("Scheduler")
	assert frappe.db.get_value("CDN Publish State", scopes.of_label(label).id, "dead_since")
	frappe.db.commit()


class Bench:
	"""The site's web server and a worker beside it, as processes of their own."""

	def __init__(self) -> None:
		with socket.socket() as probe:
			probe.bind(("127.0.0.1", 0))
			port = probe.getsockname()[1]
		self.address = f"http://127.0.0.1:{port}"
		_forget_jobs()
		self._log = open(Path(SITES) / SITE / "logs" / "e2e.log", "w")
		self._web = self._run(str(REPO / "dev" / "engine" / "web.py"), SITE, str(port))
		self._worker = self._start_worker()
		self._until(self._answers)
		self._until(self._listens)

	@contextmanager
	def without_worker(self) -> Iterator[None]:
		"""Meanwhile no worker takes jobs; then a worker does again, also for the tests after one that failed."""
		self._worker.terminate()
		self._worker.wait(PATIENCE)
		try:
			yield
		finally:
			self._worker = self._start_worker()
			self._until(self._listens)

	def settle(self) -> None:
		"""Wait until the worker has nothing to do: a batch that still runs would publish the next test's edits."""
		self._until(self._rests)

	def stop(self) -> None:
		for process in (self._web, self._worker):
			process.terminate()
		for process in (self._web, self._worker):
			process.wait(PATIENCE)
		self._log.close()

	def _run(self, *command: str) -> subprocess.Popen[bytes]:
		return subprocess.Popen([sys.executable, *command], cwd=SITES, stdout=self._log, stderr=self._log)

	def _start_worker(self) -> subprocess.Popen[bytes]:
		return self._run(
			"-m", "frappe.utils.bench_helper", "frappe", "worker", "--queue", "short,default,long"
		)

	def _answers(self) -> bool:
		try:
			urllib.request.urlopen(f"{self.address}/api/method/ping", timeout=5).close()
		except OSError:
			return False
		return True

	def _listens(self) -> bool:
		return Worker.count(connection=get_redis_conn()) > 0

	def _rests(self) -> bool:
		connection = get_redis_conn()
		return not any(queue.count for queue in Queue.all(connection=connection)) and not any(
			worker.get_state() == WorkerStatus.BUSY for worker in Worker.all(connection=connection)
		)

	def _until(self, is_ready: Any) -> None:
		deadline = time.monotonic() + PATIENCE
		while not is_ready():
			assert time.monotonic() < deadline, f"see {self._log.name}"
			time.sleep(0.1)


def _tick() -> None:
	"""As if the scheduler had just come by: where it is silent, each save starts a batch by itself."""
	redis_mirror.set_clock(redis_mirror.Clock(time.time(), threshold=50, enabled=True))


def _forget_jobs() -> None:
	"""What other tests have left in the site's job queue: jobs that no worker took, what says that these are queued, and
	workers that were killed."""
	connection = get_redis_conn()
	for queue in Queue.all(connection=connection):
		queue.empty()
	redis_mirror.wipe()
	for worker in Worker.all(connection=connection):
		worker.register_death()


def clean() -> None:
	"""Leave the site as it was. What a run that was broken off has published is there under the mark of another key."""
	wipe()
	shutil.rmtree(frappe.get_site_path(*FOLDER.split("/")), ignore_errors=True)
	for email in frappe.get_all("User", {"email": ("like", "%@e2e.test")}, pluck="name"):
		frappe.delete_doc("User", email, force=True, ignore_permissions=True)
	frappe.db.delete("Notification Log", {"for_user": ("like", "%@e2e.test")})
	frappe.db.commit()
