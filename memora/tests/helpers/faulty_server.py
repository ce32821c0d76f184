"""A web server between a client and an S3 server: passes requests on, notes them, and breaks what it is told to."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Request:
	"""A request as it came in, header names in lower case."""

	method: str
	path: str
	headers: dict[str, str]
	body: bytes
	connection: tuple[str, int]


@dataclass(frozen=True)
class Answer:
	"""An answer of the server's own, or of the one behind it."""

	status: int
	body: bytes = b""
	headers: dict[str, str] = field(default_factory=dict)


class Cut:
	"""Close the connection without an answer, before or after the request has taken effect behind."""

	def __init__(self, after: bool = False) -> None:
		self.after = after


class Truncate:
	"""Pass the answer on, but close the connection in the middle of its body."""


class Reset:
	"""Break the connection off (RST) instead of an answer."""


@dataclass(frozen=True)
class Delay:
	"""Pass the request on after so many seconds."""

	seconds: float


class Hang:
	"""Do not answer until the server stops."""


Fault = Answer | Cut | Truncate | Reset | Delay | Hang
Rule = Callable[[Request], Fault | None]


def s3_error(
	status: int,
	code: str,
	headers: dict[str, str] | None = None,
	extra: str = "",
	message: str = "Said so.",
) -> Answer:
	"""An error as S3 writes it."""
	body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{escape(message)}</Message>{extra}</Error>"
	return Answer(status, body.encode(), {"Content-Type": "application/xml", **(headers or {})})


def private(request: Request) -> Answer | None:
	"""A rule for a bucket that is closed to strangers; moto's are not."""
	signed = "authorization" in request.headers or "X-Amz-Signature=" in request.path
	return None if signed else s3_error(403, "AccessDenied")


class _Server(ThreadingHTTPServer):
	request_queue_size = (
		256  # connections that come at once; of more than that some would come a second later
	)


class FaultyServer:
	"""Listens on a free loopback port while its `with` block lasts."""

	def __init__(self, behind: str = "") -> None:
		self._behind = urlsplit(behind)
		self._faults: deque[Fault] = deque()
		self._rules: list[Rule] = []
		self._stopping = threading.Event()
		self.requests: list[Request] = []
		self._handler = type("Handler", (_Handler,), {"owner": self})
		self._listen(0)
		self.url = f"http://127.0.0.1:{self._server.server_port}"

	def _listen(self, port: int) -> None:
		self._server = _Server(("127.0.0.1", port), self._handler)
		self._server.daemon_threads = True

	def _serve(self) -> None:
		# Polling for the end seldom would make every test wait for it.
		threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

	def __enter__(self) -> FaultyServer:
		self._serve()
		return self

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		self._stopping.set()
		self._server.shutdown()
		self._server.server_close()

	@contextmanager
	def down(self) -> Iterator[None]:
		"""Refuse new connections meanwhile, and break off those that are open when they are used."""
		port = self._server.server_port
		self._server.shutdown()
		self._server.socket.shutdown(socket.SHUT_RDWR)  # also for processes that were forked with it
		self._server.server_close()
		with self.broken(lambda _request: Reset()):
			yield
		self._listen(port)
		self._serve()

	@contextmanager
	def broken(self, rule: Rule) -> Iterator[None]:
		"""Ask `rule` too about every request meanwhile."""
		self._rules.append(rule)
		try:
			yield
		finally:
			self._rules.remove(rule)

	def next(self, *faults: Fault) -> None:
		"""Break the next requests, one by one."""
		self._faults.extend(faults)

	def always(self, fault: Fault) -> None:
		"""Break every request from now on."""
		self._rules = [lambda request: fault]

	def by_rule(self, rule: Rule) -> None:
		"""Ask `rule` too about every request; what it returns is done, None passes it on."""
		self._rules.append(rule)

	def fault_for(self, request: Request) -> Fault | None:
		"""Note the request; returns how to break it."""
		self.requests.append(request)
		if self._faults:
			return self._faults.popleft()
		return next((fault for rule in self._rules if (fault := rule(request))), None)

	def wait_for_the_end(self) -> None:
		"""Block until the server stops."""
		self.pause(30)

	def pause(self, seconds: float) -> None:
		"""Block for so long, or until the server stops."""
		self._stopping.wait(seconds)

	def ask_behind(self, request: Request) -> Answer:
		"""The answer of the server behind."""
		host = self._behind.hostname or ""
		connection = HTTPConnection(host, self._behind.port, timeout=30)
		try:
			connection.request(request.method, request.path, request.body, request.headers)
			answer = connection.getresponse()
			headers = {name.lower(): value for name, value in answer.getheaders()}
			return Answer(answer.status, answer.read(), headers)
		finally:
			connection.close()


class _Handler(BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	disable_nagle_algorithm = True
	wbufsize = -1  # head and body of an answer in one packet
	owner: FaultyServer

	def handle_expect_100(self) -> bool:
		super().handle_expect_100()
		self.wfile.flush()
		return True

	def _handle(self) -> None:
		length = int(self.headers.get("Content-Length") or 0)
		request = Request(
			self.command,
			self.path,
			{name.lower(): value for name, value in self.headers.items()},
			self.rfile.read(length),
			self.client_address,
		)
		fault = self.owner.fault_for(request)
		if isinstance(fault, Hang):
			self.owner.wait_for_the_end()
		if isinstance(fault, Delay):
			self.owner.pause(fault.seconds)
		if isinstance(fault, Reset):
			# Closed without lingering, a socket says so with RST.
			self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
			self.connection.close()
			self.close_connection = True
			return
		if isinstance(fault, Hang) or (isinstance(fault, Cut) and not fault.after):
			self.close_connection = True
			return
		answer = fault if isinstance(fault, Answer) else self.owner.ask_behind(request)
		if isinstance(fault, Cut):
			self.close_connection = True
			return
		self._send(answer, cut_in_the_middle=isinstance(fault, Truncate))

	def _send(self, answer: Answer, cut_in_the_middle: bool) -> None:
		body = answer.body
		self.send_response_only(answer.status)
		for name, value in answer.headers.items():
			if name.lower() not in ("content-length", "transfer-encoding", "connection"):
				self.send_header(name, value)
		length = answer.headers.get("content-length") if self.command == "HEAD" else None
		self.send_header("Content-Length", length or str(len(body)))
		if "date" not in {name.lower() for name in answer.headers}:
			self.send_header("Date", self.date_time_string())
		self.end_headers()
		if self.command != "HEAD":
			self.wfile.write(body[: len(body) // 2] if cut_in_the_middle else body)
		if cut_in_the_middle:
			self.close_connection = True

	do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle

	def log_message(self, *_: object) -> None:
		pass
