"""A film in pieces plays through the gate: hls.js in the browser, as an app has it, with a token in the path and without one."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import BrowserContext, Page, Response

from memora.services.access_gate.rules import guarded, tokens
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import film_access
from memora.services.cdn_export.storage import StorageSettings, Upload
from tests.e2e.server import ASSETS, Server, serve
from tests.npm import REPO

SITE = "5c1e" * 8
KEY = Ed25519PrivateKey.generate()

# A frame of MPEG-1 Layer III: 32 kbit/s, 44,100 samples a second, mono, silent. 38 of them last a second.
FRAME = b"\xff\xfb\x10\xc4" + bytes(100)
FRAMES = 38
PIECES = ("1.mp3", "2.mp3", "3.mp3")
PLAYLIST = "\n".join(
	(
		"#EXTM3U",
		"#EXT-X-VERSION:3",
		"#EXT-X-TARGETDURATION:1",
		*(f"#EXTINF:0.993,\n{piece}" for piece in PIECES),
		"#EXT-X-ENDLIST\n",
	)
)
FILM = "videos/waves/list.m3u8"

APP = f"""<!doctype html><meta charset="utf-8"><title>An app</title><video id="film" muted></video>
<script type="module">
	import Hls from "{ASSETS}node_modules/hls.js/dist/hls.mjs";
	window.play = (address) => {{
		const hls = new Hls({{ enableWorker: false }});
		window.refused = [];
		const film = document.getElementById("film");
		hls.on(Hls.Events.ERROR, (_, error) => error.response && refused.push(error.response.code));
		hls.loadSource(address);
		hls.attachMedia(film);
		hls.on(Hls.Events.MANIFEST_PARSED, () => film.play());
	}};
</script>"""


@pytest.fixture
def host() -> Iterator[Server]:
	"""Where the app is: on another origin than the gate."""
	with serve({"app": {"app.html": APP.encode()}}) as server:
		yield server


@pytest.fixture
def gate(tmp_path: Path, host: Server) -> Iterator[str]:
	"""The gate in front of a folder with the film in it, on a port of its own; its address."""
	root = tmp_path / "published"
	with storages.open(StorageSettings("Local Directory", local_path=str(root))) as storage:
		access = film_access.document([("paid", "PHYSICS")], SITE)
		storage.put(Upload(paths.access("videos/waves/"), json.dumps(access).encode(), "public, max-age=60"))
		storage.put(
			Upload(guarded.KEYS, tokens.keys_document({"one": tokens.Key(KEY.public_key())}), "public")
		)
	folder = root / "videos" / "waves"
	folder.mkdir(parents=True)
	(folder / "list.m3u8").write_text(PLAYLIST)
	for piece in PIECES:
		(folder / piece).write_bytes(FRAME * FRAMES)
	config = tmp_path / "gate.json"
	config.write_text(
		json.dumps({"site": SITE, "port": 0, "origins": [host.address], "folder": {"root": str(root)}})
	)
	with subprocess.Popen(
		["node", REPO / "edge" / "server.js", config], stdout=subprocess.PIPE, text=True
	) as running:
		try:
			assert running.stdout
			yield f"http://127.0.0.1:{int(running.stdout.readline().split()[-1])}"
		finally:
			running.terminate()


@pytest.fixture
def app(context: BrowserContext, host: Server) -> Page:
	page = context.new_page()
	page.goto(f"{host.address}/files/app/app.html")
	page.wait_for_function("Boolean(window.play)")
	return page


def token(*items: str, ended: bool = False) -> str:
	begins = int(time.time()) - (7200 if ended else 0)
	return tokens.encode(items, site=SITE, kid="one", key=KEY, iat=begins, seconds=3600, form=tokens.PATH)


def watched(app: Page, gate: str) -> list[Response]:
	answers: list[Response] = []
	app.on("response", lambda answer: answers.append(answer) if answer.url.startswith(gate) else None)
	return answers


def test_a_film_in_pieces_plays_to_its_end_with_the_token(app: Page, gate: str) -> None:
	answers = watched(app, gate)
	prefix = f"{gate}/~{token('PHYSICS')}"
	app.evaluate("address => play(address)", f"{prefix}/{FILM}")
	app.wait_for_function("document.getElementById('film').ended")
	assert app.evaluate("document.getElementById('film').duration") == pytest.approx(3, abs=0.2)
	# Each piece was asked for by the prefix, which the playlist's own links have inherited.
	asked = {answer.url: answer.status for answer in answers}
	assert asked == {f"{prefix}/videos/waves/{name}": 200 for name in ("list.m3u8", *PIECES)}
	assert {answer.headers["cache-control"] for answer in answers} == {"private, no-store"}


@pytest.mark.parametrize(
	("given", "status"),
	[("", 401), (token("PHYSICS", ended=True), 401), (token("ART"), 403)],
	ids=["no token", "one that has ended", "one for something else"],
)
def test_neither_playlist_nor_piece_is_sent_to_anybody_else(
	app: Page, gate: str, given: str, status: int
) -> None:
	prefix = f"{gate}/~{given}" if given else gate
	app.evaluate("address => play(address)", f"{prefix}/{FILM}")
	app.wait_for_function("window.refused?.length")
	assert set(app.evaluate("refused")) == {status}
	for piece in PIECES:
		read = "address => fetch(address).then((answer) => answer.status)"
		assert app.evaluate(read, f"{prefix}/videos/waves/{piece}") == status
	assert app.evaluate("document.getElementById('film').readyState") == 0
