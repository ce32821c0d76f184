"""Films that memora publishes, asked for at the real gate (`edge/server.js`): a small made-up stream, piece by piece, and an
MP4 in ranges, without a token, with one that has ended, and with a right one."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import frappe
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memora.services.access_gate.rules import guarded, tokens
from memora.services.cdn_export.state import site_key
from memora.services.cdn_export.storage import Upload
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, forget_gate, make_course

EDGE = Path(frappe.get_app_path("memora")).parent / "edge"
PLAYLIST = (
	"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n1.ts\n#EXTINF:1,\n2.ts\n#EXTINF:1,\n3.ts\n#EXT-X-ENDLIST\n"
)
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720/list.m3u8\n"
KEY = Ed25519PrivateKey.generate()


def token(*items: str, ended: bool = False) -> str:
	"""A token for players, for who owns these items."""
	begins = int(time.time()) - (7200 if ended else 0)
	return tokens.encode(
		items, site=site_key.site_hash(), kid="one", key=KEY, iat=begins, seconds=3600, form=tokens.PATH
	)


@unittest.skipUnless(shutil.which("node"), "the gate needs Node")
class TestStreams(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(forget_gate)
		self.folder = self.local_path / "files"
		gate = self.gate()
		self.url = f"http://127.0.0.1:{gate.__enter__()}"
		self.addCleanup(gate.__exit__, None, None, None)
		self.configure(local_path=str(self.folder), gate_enabled=1, gate_url=self.url)
		for path, body in {
			"videos/waves/list.m3u8": MASTER.encode(),
			"videos/waves/720/list.m3u8": PLAYLIST.encode(),
			**{f"videos/waves/720/{number}.ts": bytes([0x47, number]) * 94 for number in (1, 2, 3)},
			"videos/موج.mp4": bytes(range(256)) * 40,
		}.items():
			self.storage().put(Upload(path, body, "public, max-age=300", {}, "video/mp4"))
		course = make_course(units=1, lessons=1, required_item="PHYSICS")
		factories.make_plan([course["subject"]], is_published=1)
		self.lesson = course["lessons"][0]
		stages = [
			{"title": "Watch", "type": "Video", "config": json.dumps({"video_url": link})}
			for link in ("videos/waves/list.m3u8", "videos/موج.mp4")
		]
		self.change(self.lesson, stages=stages)
		self.publish()
		keys = tokens.keys_document({"one": tokens.Key(KEY.public_key())})
		self.storage().put(Upload(guarded.KEYS, keys, "public, max-age=60"))
		lesson = self.storage().get(f"lessons/{self.lesson.name}.json") or b"{}"
		self.stream, self.film = (stage["config"]["video_url"] for stage in json.loads(lesson)["stages"])

	@contextmanager
	def gate(self) -> Iterator[int]:
		"""The gate before this test's folder; yields its port."""
		self.folder.mkdir(exist_ok=True)
		config = self.local_path / "gate.json"
		folder = {"root": str(self.folder), "meta": f"{self.folder}.meta"}
		config.write_text(json.dumps({"site": site_key.site_hash(), "port": 0, "folder": folder}))
		with subprocess.Popen(
			["node", str(EDGE / "server.js"), str(config)], stdout=subprocess.PIPE, text=True
		) as server:
			try:
				assert server.stdout
				yield int(server.stdout.readline().split()[-1])
			finally:
				server.terminate()

	def with_token(self, address: str, given: str) -> str:
		"""What an app puts the token into: behind the gate's own address."""
		return f"{self.url}/~{given}/{address.removeprefix(f'{self.url}/')}" if given else address

	def statuses(self, address: str, given: str) -> list[int]:
		"""What a player is answered that reads a playlist and all that it names, as far as it comes."""
		answer = requests.get(self.with_token(address, given), timeout=10)
		found = [answer.status_code]
		if answer.ok and answer.text.startswith("#EXTM3U"):
			for line in answer.text.splitlines():
				if line and not line.startswith("#"):
					found += self.statuses(urljoin(answer.url, line), "")
		return found

	def test_each_piece_of_a_stream_asks_for_the_token(self) -> None:
		self.assertEqual(self.stream, f"{self.url}/videos/waves/list.m3u8")
		self.assertEqual(self.statuses(self.stream, token("PHYSICS")), [200] * 5)
		pieces = [f"{self.url}/videos/waves/{name}" for name in ("list.m3u8", "720/list.m3u8", "720/2.ts")]
		for piece in pieces:
			for given, status in (
				("", 401),
				(token("PHYSICS", ended=True), 401),
				(token("ART"), 403),
				(token("PHYSICS"), 200),
			):
				answer = requests.get(self.with_token(piece, given), timeout=10)
				self.assertEqual(answer.status_code, status, piece)
				self.assertIn("no-store", answer.headers["Cache-Control"])

	def test_an_mp4_plays_in_ranges(self) -> None:
		self.assertEqual(self.film, f"{self.url}/videos/%D9%85%D9%88%D8%AC.mp4")
		ranged = {"Range": "bytes=256-511"}
		self.assertEqual(requests.get(self.film, headers=ranged, timeout=10).status_code, 401)
		answer = requests.get(self.with_token(self.film, token("PHYSICS")), headers=ranged, timeout=10)
		self.assertEqual((answer.status_code, answer.content), (206, bytes(range(256))))
		self.assertEqual(answer.headers["Content-Range"], "bytes 256-511/10240")

	def test_a_film_that_a_lesson_shows_no_more_is_closed_within_a_minute(self) -> None:
		self.change(self.lesson, stages=[{"title": "R", "type": "Text", "config": '{"text": "x"}'}])
		self.publish()
		with self.gate_anew() as url:
			for address in (self.stream, self.film):
				answer = requests.get(
					f"{url}/~{token('PHYSICS')}{address.removeprefix(self.url)}", timeout=10
				)
				self.assertEqual(answer.status_code, 403)

	@contextmanager
	def gate_anew(self) -> Iterator[str]:
		"""A gate that has kept nothing."""
		with self.gate() as port:
			yield f"http://127.0.0.1:{port}"
