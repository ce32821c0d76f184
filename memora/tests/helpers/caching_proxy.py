"""A folder behind a caching proxy, both on loopback: GET caches whatever the origin says, PURGE forgets, or only says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from memora.services.cdn_export.cache_purge import CachePurge, PurgeResult


class CachingProxy:
	"""Keeps each answer for ever, by path and query. `forgets` says whether a purge does what it says; `down` breaks off."""

	def __init__(self, folder: Path) -> None:
		self.forgets = True
		self.down = False
		self.drips = False
		"""Whether answers come byte by byte and never end."""
		self.status = 0
		"""Instead of what is there, if it is not 0."""
		self.location = ""
		self.asked: list[str] = []
		self.kept: dict[str, tuple[int, bytes, float]] = {}
		self._pause = threading.Event()
		self._origin = _start(partial(_Origin, directory=str(folder)))
		self._proxy = _start(self._handler())
		self.url = f"http://127.0.0.1:{self._proxy.server_port}"

	def stop(self) -> None:
		for server in (self._proxy, self._origin):
			server.shutdown()
			server.server_close()

	def age(self, seconds: float) -> None:
		"""Let what is kept be older by so much."""
		self.kept = {key: (status, body, since - seconds) for key, (status, body, since) in self.kept.items()}

	def expire(self) -> None:
		"""Forget everything, as a cache does one day."""
		self.kept.clear()

	def get(self, address: str) -> requests.Response:
		"""What a learner is given."""
		return requests.get(f"{self.url}/{address}", timeout=10)

	def _fetch(self, key: str) -> tuple[int, bytes, float]:
		if key not in self.kept:
			found = requests.get(f"http://127.0.0.1:{self._origin.server_port}{key}", timeout=10)
			self.kept[key] = found.status_code, found.content, time.time()
		return self.kept[key]

	def _handler(self) -> type[BaseHTTPRequestHandler]:
		proxy = self

		class Handler(BaseHTTPRequestHandler):
			protocol_version = "HTTP/1.1"

			def handle(self) -> None:
				with suppress(ConnectionError):
					super().handle()

			def do_GET(self) -> None:
				proxy.asked.append(self.path.lstrip("/"))
				if proxy.down:
					self.close_connection = True
					return
				if proxy.drips:
					self._drip()
					return
				status, body, since = proxy._fetch(self.path)
				self._answer(
					proxy.status or status, b"" if proxy.status else body, f"{time.time() - since:.0f}"
				)

			def _drip(self) -> None:
				self.send_response(200)
				self.send_header("Content-Length", "1000000")
				self.end_headers()
				self.close_connection = True
				while proxy.drips:
					self.wfile.write(b" ")
					self.wfile.flush()
					proxy._pause.wait(0.05)

			def do_PURGE(self) -> None:
				if proxy.forgets:
					proxy.kept.pop(self.path, None)
				self._answer(200, b"", "0")

			def _answer(self, status: int, body: bytes, age: str) -> None:
				self.send_response(status)
				self.send_header("Age", age)
				if proxy.location:
					self.send_header("Location", proxy.location)
				self.send_header("Content-Length", str(len(body)))
				self.end_headers()
				self.wfile.write(body)

			def log_message(self, *_: object) -> None:
				pass

		return Handler


class ProxyPurge(CachePurge):
	"""Purges a `CachingProxy` by URL, as a CDN's API does."""

	name = "of the test"

	def purge(self, urls: Sequence[str]) -> PurgeResult:
		with requests.Session() as http:
			for url in urls:
				http.request("PURGE", url, timeout=10).raise_for_status()
		return PurgeResult(purged=tuple(urls))

	def verify(self, url: str) -> None:
		"""Always fine."""


class _Origin(SimpleHTTPRequestHandler):
	def log_message(self, *_: object) -> None:
		pass


def _start(handler: object) -> ThreadingHTTPServer:
	server = ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type]
	server.daemon_threads = True
	threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
	return server
