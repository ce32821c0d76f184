"""A web server on loopback, as a site and its CDN are one: the reader's files, and published files from memory."""

from __future__ import annotations

import gzip
import json
import mimetypes
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from memora.services.cdn_export.model.cache_headers import SHORT, YEAR
from tests.npm import REPO, node_modules

PUBLIC = REPO / "memora" / "public"
ASSETS = "/assets/memora/"
READER = f"{ASSETS}reader/index.html"
BASES = "/api/method/memora.api.reader.bases"


@dataclass(frozen=True, slots=True)
class Answer:
	"""One request that was answered: `size` as sent, `whole` uncompressed."""

	path: str
	status: int
	size: int
	whole: int


@dataclass
class Server:
	"""`trees` are published files by the first part of their address: "/files/example/" + path."""

	trees: Mapping[str, Mapping[str, bytes]]
	address: str = ""
	answers: list[Answer] = field(default_factory=list)
	gone: set[str] = field(default_factory=set)
	bases: list[str] = field(default_factory=list)
	"""What the site says when the reader asks which other hosts are its own."""
	endpoints: dict[str, Callable[[Message], tuple[int, object]]] = field(default_factory=dict)
	"""What else the site answers, by the path: from the request's headers to a status and what is told as JSON."""

	def body(self, path: str) -> bytes | None:
		"""What stands at a path, if anything."""
		if path in self.gone:
			return None
		if path == BASES:
			return json.dumps({"message": self.bases}).encode()
		if path.startswith(f"{ASSETS}node_modules/"):
			return _file(node_modules(), path.removeprefix(f"{ASSETS}node_modules/"))
		if path.startswith(ASSETS):
			return _file(PUBLIC, path.removeprefix(ASSETS))
		_, _, tree, *rest = [*path.split("/", 3), "", ""]
		return self.trees.get(tree, {}).get(rest[0])

	def asked(self) -> list[str]:
		"""The paths asked for since the last time."""
		asked = [answer.path for answer in self.answers]
		self.answers.clear()
		return asked


def _file(folder: Path, path: str) -> bytes | None:
	file = (folder / path).resolve()
	return file.read_bytes() if file.is_file() and file.is_relative_to(folder.resolve()) else None


@contextmanager
def serve(trees: Mapping[str, Mapping[str, bytes]]) -> Iterator[Server]:
	"""Serve until the block ends."""
	server = Server(trees)

	class Handler(BaseHTTPRequestHandler):
		protocol_version = "HTTP/1.1"

		def handle(self) -> None:
			with suppress(ConnectionError):  # of a page that was left
				super().handle()

		def do_POST(self) -> None:
			self.rfile.read(int(self.headers.get("Content-Length") or 0))
			self.do_GET()

		def do_GET(self) -> None:
			url = urlsplit(self.path)
			path = unquote(url.path)
			if path in server.endpoints:
				return self.tell(*server.endpoints[path](self.headers))
			body = server.body(path)
			status, whole = (404, b"") if body is None else (200, body)
			kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
			self.send_response(status)
			sent = whole
			if whole and "gzip" in self.headers.get("Accept-Encoding", ""):
				sent = gzip.compress(whole, mtime=0)
				self.send_header("Content-Encoding", "gzip")
			age = YEAR if url.query.startswith("v=") else SHORT
			self.send_header("Cache-Control", f"public, max-age={age}" if body is not None else "no-store")
			self.send_header("Content-Type", kind)
			self.send_header("Content-Length", str(len(sent)))
			self.end_headers()
			self.wfile.write(sent)
			server.answers.append(Answer(path, status, len(sent), len(whole)))

		def tell(self, status: int, content: object) -> None:
			body = json.dumps(content).encode()
			self.send_response(status)
			self.send_header("Cache-Control", "no-store")
			self.send_header("Content-Type", "application/json")
			self.send_header("Content-Length", str(len(body)))
			self.end_headers()
			self.wfile.write(body)

		def log_message(self, *_: object) -> None:
			pass

	http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
	server.address = f"http://127.0.0.1:{http.server_port}"
	thread = threading.Thread(target=http.serve_forever, daemon=True)
	thread.start()
	try:
		yield server
	finally:
		http.shutdown()
		http.server_close()
		thread.join()
