"""A browser, a server, and a page that notices every error."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.e2e.server import READER, Server, serve
from tests.example import curriculum, large

# Without these Chromium looks for its maker's hosts at every start.
QUIET = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
]
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first that is there. Without what draws windows Chromium takes a quarter less of the processor."""
VIDEO = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"


@dataclass
class Reader:
	"""The reader in a tab of its own, and what it said and asked of the world outside."""

	page: Page
	server: Server
	errors: list[str] = field(default_factory=list)
	outside: list[str] = field(default_factory=list)
	expected: list[str] = field(default_factory=list)

	def open(self, hash_: str = "", tree: str = "example", **query: str) -> Page:
		"""Open a place of a published tree, as someone signed in and in English unless told otherwise."""
		asked = {"base": f"/files/{tree}/", "lang": "en", "theme": "light", **query}
		arguments = "&".join(f"{key}={value}" for key, value in asked.items())
		self.page.goto("about:blank")  # a change behind # alone would load nothing
		self.page.goto(f"{self.server.address}{READER}?{arguments}{hash_}")
		self.settle()
		return self.page

	def show(self, *stages: tuple[str, dict[str, object]], lang: str = "en") -> Page:
		"""Open a lesson that consists of these stages: type and config of each."""
		lesson = json.loads(curriculum.published()["lessons/angles-1.json"])
		lesson["stages"] = [
			{"idx": idx, "title": type_, "type": type_, "config": config}
			for idx, (type_, config) in enumerate(stages, 1)
		]
		self.page.unroute("**/lessons/angles-1.json*")
		self.page.route("**/lessons/angles-1.json*", lambda route: route.fulfill(json=lesson))
		return self.open("#/grade-7/mathematics/angles/angles-1", lang=lang)

	def go(self, hash_: str) -> None:
		"""Go to another place of the tree that is open."""
		self.page.evaluate("hash => { location.hash = hash }", hash_)
		self.settle()

	def until(self, condition: str, argument: object = None) -> None:
		"""Wait for a condition in JavaScript. Playwright's own way is an eval, which the page's policy refuses."""
		deadline = time.monotonic() + 10
		while not self.page.evaluate(condition, argument):
			assert time.monotonic() < deadline, f"never true: {condition}"
			self.page.wait_for_timeout(15)

	def settle(self) -> None:
		"""Wait until the page shows what its address stands for."""
		self.until("document.querySelector('main')?.dataset.shown === location.hash")

	def follow(self, selector: str) -> None:
		"""Follow a link, and wait for the page behind it."""
		before = self.page.evaluate("location.hash")
		self.page.click(selector)
		self.until("before => location.hash !== before", before)
		self.settle()

	def texts(self, selector: str) -> list[str]:
		return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

	def heading(self) -> str:
		return self.page.inner_text("h1").strip()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
	chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
	if chromium is None:
		pytest.fail(f"this needs a browser: apt-get install --no-install-recommends {BROWSERS[0]}")
	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
		yield browser
		browser.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
	with serve({"example": curriculum.published(), "large": large.published()}) as server:
		yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
	context = browser.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
	yield context
	context.close()


@pytest.fixture
def reader(context: BrowserContext, server: Server) -> Iterator[Reader]:
	"""Any error that the test has not announced in `expected` fails it, and so does a call to another host."""
	page = context.new_page()
	page.set_default_timeout(10_000)
	reader = Reader(page, server)

	def outside(route: Route) -> None:
		reader.outside.append(route.request.url)
		route.fulfill(status=200, content_type="video/mp4", body=VIDEO)

	page.route(lambda url: not url.startswith(server.address), outside)
	page.on(
		"console", lambda said: reader.errors.append(said.text) if said.type in ("error", "warning") else None
	)
	page.on("pageerror", lambda error: reader.errors.append(str(error)))
	server.answers.clear()
	yield reader
	server.gone.clear()
	server.bases.clear()
	unexpected = [text for text in reader.errors if not any(words in text for words in reader.expected)]
	assert not unexpected
