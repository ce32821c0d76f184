"""The reader in front of the real gate: in a browser that asks first (CORS), with `edge/server.js` in Node."""

from __future__ import annotations

import base64
import hashlib
import json
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Request

from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.published_file import listed_items
from memora.services.cdn_export.rules import film_access
from memora.services.cdn_export.storage import StorageSettings, Upload
from memora.tests.helpers.node_gate import NodeGate
from tests.contract.gate.school import SITE, minted, public_keys
from tests.e2e.conftest import Reader
from tests.e2e.server import Server
from tests.example import curriculum

PAID = "#/grade-7/physics/light/light-2"
FREE = "#/grade-7/physics/light/light-1"
SIGNED_IN = "#/grade-7/mathematics/angles/angles-1"
CSRF = "/api/method/memora.api.reader.csrf_token"
TOKEN = "/api/method/memora.api.gate.token"
PLAYER = "/api/method/memora.api.gate.player_token"
PNG = base64.b64decode(
	"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"><rect width="9" height="9"/></svg>'
WAV = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x08\0\0\0\x80\x80\x80\x80\x80\x80\x80\x80"
PDF = b"%PDF-1.4\n%%EOF\n"
TYPES = {"png": "image/png", "svg": "image/svg+xml", "wav": "audio/wav", "pdf": "application/pdf"}


def _own_file(body: bytes, extension: str, lesson: str = "light-2") -> str:
	return f"lessons/{lesson}/{hashlib.sha256(body).hexdigest()}.{extension}"


FILES = {
	_own_file(body, extension): body
	for body, extension in ((PNG, "png"), (SVG, "svg"), (WAV, "wav"), (PDF, "pdf"))
}
PICTURE, DRAWING, SOUND, SHEET = FILES
OPEN_PICTURE = _own_file(PNG, "png", "light-1")
FILM = "videos/light/film.wav"


def _published() -> dict[str, bytes]:
	"""The example, with a paid lesson that has files of its own."""
	files = dict(curriculum.published())
	lesson = json.loads(files["lessons/light-2.json"])
	html = (
		f'<p><img src="{PICTURE}" alt="mirror"><img src="{DRAWING}" alt="drawing"></p>'
		f'<p><audio src="{SOUND}"></audio> <a id="sheet" href="{SHEET}">The sheet</a></p>'
		'<p><a href="blob:http://127.0.0.1/typed">typed</a></p>'
	)
	lesson["stages"] = [
		{"idx": 1, "title": "Read", "type": "Text", "config": {"html": html}},
		{"idx": 2, "title": "Watch", "type": "Video", "config": {"video_url": SOUND, "poster": PICTURE}},
		{"idx": 3, "title": "See", "type": "Video", "config": {"video_url": FILM}},
	]
	files["lessons/light-2.json"] = json.dumps(lesson).encode()
	free = json.loads(files["lessons/light-1.json"])
	free["stages"][0]["config"] = {"html": f'<p><img src="{OPEN_PICTURE}" alt="shadow"></p>'}
	files["lessons/light-1.json"] = json.dumps(free).encode()
	return {**files, **FILES, OPEN_PICTURE: PNG, "gate/keys.json": public_keys(one={})}


def _metadata(path: str, files: dict[str, bytes]) -> dict[str, str]:
	if "lessons/" not in path:
		return {"site": SITE}
	document = json.loads(files[path if path.endswith(".json") else f"{path.rpartition('/')[0]}.json"])
	access = document["access"]
	items = {"required-items": listed_items([access["required_item"]])} if "required_item" in access else {}
	return {"site": SITE, "access-level": access["access_level"], **items}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
	"""The example, published to a folder, as a gate is told of it."""
	root: Path = tmp_path_factory.mktemp("gate") / "published"
	files = _published()
	with storages.open(StorageSettings("Local Directory", local_path=str(root))) as storage:
		for path, body in files.items():
			kind = TYPES.get(path.rpartition(".")[2], "application/json; charset=utf-8")
			storage.put(
				Upload(path, body, "public, max-age=300", metadata=_metadata(path, files), content_type=kind)
			)
		access = json.dumps(film_access.document([("paid", "PHYSICS")], SITE)).encode()
		storage.put(Upload(paths.access(FILM), access, "public, max-age=60"))
	(root / FILM).parent.mkdir(parents=True)
	(root / FILM).write_bytes(WAV)
	return {"root": str(root), "meta": f"{root}.meta"}


@contextmanager
def _gate_of(folder: dict[str, str]) -> Iterator[NodeGate]:
	case = unittest.TestCase()
	yield NodeGate(case, {"site": SITE, "folder": folder})
	case.doCleanups()


@pytest.fixture(scope="module")
def gate(folder: dict[str, str]) -> Iterator[NodeGate]:
	with _gate_of(folder) as gate:
		yield gate


@dataclass
class Learner:
	"""A visitor in front of the gate, who may be signed in at the reader's site: `tokens` are what it makes, one after another."""

	reader: Reader
	gate: NodeGate
	requests: list[Request] = field(default_factory=list)
	tokens: list[str] = field(default_factory=list)
	made: int = 0
	players: list[str] = field(default_factory=list)
	"""The tokens for the path that the site makes."""

	@property
	def page(self) -> Page:
		return self.reader.page

	def open(self, place: str, token: str = "", base: str = "", **query: str) -> Page:
		"""Open a place by its address, as who owns PHYSICS; with a token before it, if one was handed."""
		hash_ = f"#token={token}{place[1:]}" if token else place
		self.page.goto("about:blank")
		asked = {
			"base": base or f"{self.gate.url}/",
			"lang": "en",
			"as": "owner",
			"items": "PHYSICS",
			**query,
		}
		arguments = "&".join(f"{key}={value}" for key, value in asked.items())
		self.page.goto(f"{self.reader.server.address}/assets/memora/reader/index.html?{arguments}{hash_}")
		self.reader.settle()
		return self.page

	def sign_in(self, *tokens: str, user: str = "learner%40school.test") -> None:
		self.tokens = list(tokens)
		self.page.context.add_cookies([{"name": "user_id", "value": user, "url": self.reader.server.address}])

	def csrf(self, headers: Message) -> tuple[int, object]:
		return 200, {"csrf_token": "of-this-session"}

	def mint(self, headers: Message) -> tuple[int, object]:
		if headers["X-Frappe-CSRF-Token"] != "of-this-session":
			return 403, {}
		if not self.tokens:
			return 503, {}
		self.made += 1
		return 200, {"token": self.tokens.pop(0), "expires_in": 3600}

	def mint_for_player(self, headers: Message) -> tuple[int, object]:
		if headers["X-Frappe-CSRF-Token"] != "of-this-session" or not self.players:
			return 403, {}
		return 200, {"token": self.players.pop(0), "expires_in": 14_400}

	def try_again(self, shown: str) -> None:
		"""Press the button, and wait for what is drawn then."""
		self.page.evaluate("document.querySelector('[data-gate]').dataset.old = ''")
		self.page.click("[data-gate] button")
		self.page.wait_for_selector(f"{shown}:not([data-old])")

	def with_token(self) -> list[str]:
		"""The addresses that were asked for with a token."""
		return [one.url for one in self.requests if "authorization" in one.all_headers()]

	def sees_the_lesson(self) -> None:
		"""All of it, its pictures and its sound among them."""
		assert self.reader.texts(".stage h2") == ["Read", "Watch", "See"]
		self.reader.until(
			"[...document.querySelectorAll('.prose img')].filter((img) => img.complete && img.naturalWidth > 0).length === 2"
		)
		self.reader.until("document.querySelector('.prose audio').duration > 0")
		assert self.page.locator("[data-gate]").count() == 0

	def plays(self, place: str) -> None:
		"""The film is there to be played, from this place."""
		self.page.wait_for_selector(f'video[src="{place}"]')
		self.reader.until("[...document.querySelectorAll('video')].at(-1).duration > 0")


@pytest.fixture
def learner(context: BrowserContext, server: Server, gate: NodeGate) -> Iterator[Learner]:
	"""Nothing is put between the browser and the gate: it asks first itself. Only what is refused may be said in the console."""
	page = context.new_page()
	page.set_default_timeout(10_000)
	learner = Learner(Reader(page, server), gate)
	said: list[str] = []
	page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
	page.on("pageerror", lambda error: said.append(str(error)))
	page.on("request", lambda request: learner.requests.append(request))
	server.endpoints.update({CSRF: learner.csrf, TOKEN: learner.mint, PLAYER: learner.mint_for_player})
	yield learner
	server.endpoints.clear()
	assert [
		text
		for text in said
		if "status of 401" not in text and "status of 403" not in text and "503" not in text
	] == []


def _right(**given: Any) -> str:
	return minted(["PHYSICS"], **given)


@pytest.mark.parametrize(
	("language", "direction", "words", "button"),
	[
		("en", "ltr", "If you have bought this, sign in to read it:", "Sign in"),
		("ar", "rtl", "إن كنت قد اشتريت هذا فسجّل الدخول لتقرأه:", "تسجيل الدخول"),
	],
)
def test_a_stranger_is_told_what_the_lesson_asks_for(
	learner: Learner, language: str, direction: str, words: str, button: str
) -> None:
	page = learner.open(PAID, lang=language)
	assert page.evaluate("document.documentElement.dir") == direction
	assert page.locator(".stage").count() == 0 and page.locator("[role=alert]").count() == 0
	said = page.locator("[data-gate=token_required]")
	assert said.locator("p").first.inner_text() == words
	assert said.locator(".tags").inner_text() == "PHYSICS"
	assert page.locator(".hero .badge").count() == 0, "nothing is said to be owned"
	link = said.get_by_text(button, exact=True)
	assert (link.get_attribute("href") or "").startswith("/login?redirect-to=%2Fassets%2Fmemora%2Freader")
	assert learner.made == 0 and learner.with_token() == []
	learner.reader.go(FREE)
	assert learner.reader.texts(".stage h2") == ["Read"]


def test_what_is_for_all_who_are_signed_in_asks_for_that(learner: Learner) -> None:
	page = learner.open(SIGNED_IN)
	assert page.inner_text("[data-gate] h2") == "Sign in to read this lesson."
	learner.sign_in(minted([]))
	learner.try_again(".stage")
	assert learner.reader.texts(".prose") == ["A right angle has 90 degrees."]


def test_a_token_in_the_address_opens_the_lesson_with_its_pictures_and_leaves_the_address(
	learner: Learner,
) -> None:
	token = _right()
	page = learner.open(PAID, token)
	learner.sees_the_lesson()
	assert page.evaluate("location.hash") == PAID
	assert token not in page.content()
	assert (page.get_attribute("[id$=sheet], .prose a[href^=blob]", "href") or "").startswith(
		f"blob:{learner.reader.server.address}/"
	)
	assert page.get_by_text("typed").get_attribute("href") is None
	poster = page.locator("video").get_attribute("poster") or ""
	assert poster.startswith("blob:")
	sent = learner.with_token()
	assert {url.partition("?")[0] for url in sent} == {
		f"{learner.gate.url}/{path}" for path in ("lessons/light-2.json", *FILES)
	}
	page.reload()
	learner.reader.settle()
	learner.sees_the_lesson()
	assert learner.made == 0


def test_another_link_with_a_token_in_the_same_tab_is_taken(learner: Learner) -> None:
	page = learner.open(PAID)
	assert page.locator("[data-gate=token_required]").count() == 1
	page.evaluate("hash => { location.hash = hash }", f"token={_right()}{PAID[1:]}")
	page.wait_for_selector(".stage")
	learner.sees_the_lesson()


def test_a_token_goes_to_no_other_place(learner: Learner, folder: dict[str, str]) -> None:
	learner.open(PAID, _right())
	learner.sees_the_lesson()
	learner.requests.clear()
	with _gate_of(folder) as other:
		page = learner.open(PAID, base=f"{other.url}/")
		assert page.locator("[data-gate=token_required]").count() == 1
	assert learner.with_token() == []


def test_what_is_open_is_read_without_a_token_and_waits_for_no_picture(learner: Learner) -> None:
	page = learner.open(PAID, _right())
	learner.sees_the_lesson()
	learner.requests.clear()
	learner.reader.go(FREE)
	assert page.get_attribute("img[alt=shadow]", "src") == f"{learner.gate.url}/{OPEN_PICTURE}"
	assert [url for url in learner.with_token() if OPEN_PICTURE in url] == []


def test_a_token_that_was_handed_stays_where_the_account_owns_no_more(learner: Learner) -> None:
	learner.sign_in(minted([]))
	handed = minted(["OTHER"])
	page = learner.open(PAID, handed)
	assert page.locator("[data-gate=item_required]").count() == 1
	assert learner.made == 1
	assert handed in page.evaluate("JSON.stringify({ ...sessionStorage })")


def test_what_was_made_for_one_who_was_signed_in_is_not_for_the_next(learner: Learner) -> None:
	learner.sign_in(_right())
	learner.players = [_right(player=True)]
	learner.open(PAID)
	learner.sees_the_lesson()
	learner.sign_in(minted([]), user="other%40school.test")
	learner.reader.go(SIGNED_IN)
	assert learner.reader.texts(".prose") == ["A right angle has 90 degrees."]
	assert learner.made == 2
	learner.reader.go(PAID)
	assert learner.page.locator("video[src*='/~']").count() == 0


def test_a_learner_who_is_signed_in_gets_a_token_of_the_site(learner: Learner) -> None:
	learner.sign_in(_right())
	learner.open(PAID)
	learner.sees_the_lesson()
	learner.reader.go(FREE)
	learner.reader.go(SIGNED_IN)
	assert learner.reader.texts(".prose") == ["A right angle has 90 degrees."]
	assert learner.made == 1, "one token is enough"


def test_who_is_signed_in_and_is_given_no_token_may_try_again(learner: Learner) -> None:
	learner.sign_in()
	page = learner.open(PAID)
	assert page.inner_text("[data-gate] h2") == "This lesson cannot be opened just now."
	learner.tokens = [_right()]
	learner.try_again(".stage")
	learner.sees_the_lesson()


def test_a_token_that_has_expired_is_replaced_before_anybody_notices(learner: Learner) -> None:
	learner.sign_in(_right())
	learner.open(PAID, _right(at=-7200))
	learner.sees_the_lesson()
	learner.reader.go(SIGNED_IN)
	assert learner.reader.texts(".prose") == ["A right angle has 90 degrees."]
	assert learner.made == 1


def test_who_has_an_expired_link_and_nothing_else_is_told_that_it_is_over(learner: Learner) -> None:
	page = learner.open(PAID, _right(at=-7200))
	assert page.inner_text("[data-gate=token_expired] h2") == "Your access has ended."
	learner.sign_in(_right(at=-7200), _right())
	learner.try_again("[data-gate=token_expired]")
	assert learner.made == 1
	learner.try_again(".stage")
	learner.sees_the_lesson()
	assert learner.made == 2


def test_who_does_not_own_it_is_told_so_and_reads_it_once_he_does(learner: Learner) -> None:
	learner.sign_in(minted(["OTHER"]), _right())
	page = learner.open(PAID)
	said = page.locator("[data-gate=item_required]")
	assert said.locator("p").first.inner_text() == "Your account does not own what it asks for:"
	assert said.get_by_text("Sign in", exact=True).count() == 0
	learner.try_again("[data-gate=item_required]")
	assert learner.made == 1, "the site is not asked with each click"
	page.evaluate("{ const now = Date.now; Date.now = () => now() + 60_000; }")
	learner.try_again(".stage")
	learner.sees_the_lesson()


def test_a_film_plays_by_a_token_in_the_path_that_is_for_its_lesson(learner: Learner) -> None:
	learner.sign_in(_right())
	learner.players = [_right(player=True)]
	(token,) = learner.players
	learner.open(PAID)
	learner.sees_the_lesson()
	learner.plays(f"{learner.gate.url}/~{token}/{FILM}")
	assert [one.post_data for one in learner.requests if PLAYER in one.url] == [
		"lesson=light-2&seconds=14400"
	]
	assert token not in learner.page.evaluate(
		"location.href + JSON.stringify({ ...sessionStorage, ...localStorage })"
	)
	assert not [url for url in learner.with_token() if FILM in url]
	learner.reader.go(FREE)
	learner.reader.go(PAID)
	learner.plays(f"{learner.gate.url}/~{token}/{FILM}")
	assert learner.players == [], "one is enough for as long as it lasts"


def test_without_a_token_for_the_player_a_film_is_a_link(learner: Learner) -> None:
	page = learner.open(PAID, _right())
	learner.sees_the_lesson()
	page.wait_for_selector("a.outside")
	assert page.get_attribute("a.outside", "href") == f"{learner.gate.url}/{FILM}"
