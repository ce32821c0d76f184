"""A network that is far away: a proxy on loopback that holds back what passes, `python -m benchmarks.latency PORT BEHIND SECONDS`.

Both ways take half of the round trip. Opening a connection takes one more, as TCP's handshake does. It runs in a process of its
own, so that its work is nobody's that is measured.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import urllib.request
from types import TracebackType
from urllib.parse import urlsplit

_COUNT = b"GET /connections-so-far "


class Far:
	"""An address from which an HTTP server is so many seconds of round trip away. Use as a context manager."""

	def __init__(self, behind: str, round_trip: float) -> None:
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			port = free.getsockname()[1]
		self.url = f"http://127.0.0.1:{port}"
		command = [
			sys.executable,
			"-m",
			"benchmarks.latency",
			str(port),
			str(urlsplit(behind).port),
			str(round_trip),
		]
		self._process = subprocess.Popen(command)

	def __enter__(self) -> Far:
		for _ in range(100):
			try:
				self.connections()
				return self
			except OSError:
				time.sleep(0.05)
		raise RuntimeError("the proxy that is to be far away did not come up")

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		self._process.terminate()
		self._process.wait()

	def connections(self) -> int:
		"""How many have been opened so far, this question's own left out."""
		with urllib.request.urlopen(f"{self.url}/connections-so-far") as answer:
			return int(answer.read())


class _Side(asyncio.Protocol):
	"""One end of a connection; what it hears, the other says later."""

	def __init__(self, delay: float) -> None:
		self._delay = delay
		self._unsaid: list[bytes] = []
		self.transport: asyncio.Transport | None = None
		self.other: _Side | None = None

	def connection_made(self, transport: asyncio.BaseTransport) -> None:
		assert isinstance(transport, asyncio.Transport)
		self.transport = transport
		transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		for data in self._unsaid:
			transport.write(data)

	def data_received(self, data: bytes) -> None:
		assert self.other
		asyncio.get_running_loop().call_later(self._delay, self.other.say, data)

	def say(self, data: bytes) -> None:
		if self.transport:
			self.transport.write(data)
		else:
			self._unsaid.append(data)

	def connection_lost(self, error: Exception | None) -> None:
		if self.other and self.other.transport:
			asyncio.get_running_loop().call_later(self._delay, self.other.transport.close)


class _Front(_Side):
	"""The end that clients see."""

	opened = 0

	def __init__(self, behind: int, round_trip: float) -> None:
		super().__init__(round_trip / 2)
		self._behind = behind
		self._round_trip = round_trip

	def connection_made(self, transport: asyncio.BaseTransport) -> None:
		super().connection_made(transport)
		_Front.opened += 1
		self.other = _Side(self._delay)
		self.other.other = self
		loop = asyncio.get_running_loop()
		loop.call_later(self._round_trip, lambda: loop.create_task(self._connect()))

	async def _connect(self) -> None:
		if self.other:
			loop = asyncio.get_running_loop()
			await loop.create_connection(lambda: self.other, "127.0.0.1", self._behind)

	def data_received(self, data: bytes) -> None:
		if data.startswith(_COUNT) and self.transport:
			_Front.opened -= 1
			said = str(_Front.opened).encode()
			self.transport.write(
				b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)
			)
			self.transport.close()
		else:
			super().data_received(data)


async def _serve(port: int, behind: int, round_trip: float) -> None:
	loop = asyncio.get_running_loop()
	server = await loop.create_server(lambda: _Front(behind, round_trip), "127.0.0.1", port, backlog=1024)
	await server.serve_forever()


if __name__ == "__main__":
	asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
