"""Several people and workers at once, for tests: threads and processes, each with its own connections."""

from __future__ import annotations

import os
import pickle
import select
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import frappe

from memora.tests.helpers.frappe_versions import set_in_test


def connected(site: str, work: Callable[..., Any], *arguments: Any) -> Any:
	"""Run `work` in this thread on a connection of its own to the site, and commit."""
	frappe.init(site=site)
	frappe.connect()
	set_in_test(True)
	try:
		result = work(*arguments)
		frappe.db.commit()
		return result
	finally:
		frappe.destroy()


def at_once(*works: Callable[[], Any]) -> list[Any]:
	"""Run these in threads that begin together, each as `connected` does. Raises the first error."""
	start = threading.Barrier(len(works))
	site = frappe.local.site

	def begin(work: Callable[[], Any]) -> Any:
		def together() -> Any:
			start.wait()
			return work()

		return connected(site, together)

	with ThreadPoolExecutor(len(works)) as pool:
		return list(pool.map(begin, works))


@dataclass
class Child:
	"""A worker process. `talk` and `listen` are the two ends it has towards the test."""

	pid: int
	_result: int
	_go: int
	_at: int
	_ended: bool = False

	def arrived(self) -> str:
		"""Wait until the child stops at a place, and say which; "" when it has ended without."""
		return os.read(self._at, 200).decode()

	def go_on(self) -> None:
		"""Let a child that stopped go on."""
		os.write(self._go, b".")

	def kill(self) -> None:
		"""`kill -9`."""
		os.kill(self.pid, signal.SIGKILL)

	def end(self) -> None:
		"""Leave nothing of it behind, whatever became of it."""
		if not self._ended:
			self.kill()
			self.wait()

	def over(self) -> None:
		"""Wait until it has ended, well or badly."""
		with suppress(AssertionError):
			self.wait()

	def wait(self) -> Any:
		"""What the child's work returned; None when it was killed. Raises what it raised."""
		with os.fdopen(self._result, "rb") as pipe:
			told = pipe.read()
		for descriptor in (self._go, self._at):
			os.close(descriptor)
		_, status = os.waitpid(self.pid, 0)
		self._ended = True
		if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
			return None
		if not told:
			raise AssertionError(f"the child ended with status {status} and said nothing")
		worked, result = pickle.loads(told)
		if not worked:
			raise AssertionError(f"in the child: {result}")
		return result


def fork(work: Callable[[Stops], Any]) -> Child:
	"""Start `work` in a process of its own, as a worker is one. Its argument lets it stop for the test."""
	result, talk = os.pipe()
	wait, go = os.pipe()
	at, arrive = os.pipe()
	pid = os.fork()
	if pid:
		for descriptor in (talk, wait, arrive):
			os.close(descriptor)
		return Child(pid, result, go, at)
	status = 1
	try:
		for descriptor in (result, go, at):
			os.close(descriptor)
		_INHERITED.append(frappe.local.db)
		told = (True, connected(frappe.local.site, work, Stops(wait, arrive)))
		status = 0
	except BaseException:  # noqa: BLE001 - told to the parent, whatever it is
		told = (False, traceback.format_exc())
	with os.fdopen(talk, "wb") as pipe:
		pipe.write(pickle.dumps(told))
	os._exit(status)


@dataclass
class Stops:
	"""The child's side: places at which it dies, or stops until the test lets it go on."""

	_wait: int
	_arrive: int

	def die(self) -> None:
		os.kill(os.getpid(), signal.SIGKILL)

	def stop(self, place: str) -> None:
		os.write(self._arrive, place.encode())
		os.read(self._wait, 1)

	def told_within(self, seconds: float) -> bool:
		"""Whether the test has said to go on, waiting so long for it."""
		return bool(select.select([self._wait], [], [], seconds)[0])


_INHERITED: list[Any] = []
"""The parent's connection, kept in a child until it ends: let go of, some drivers end the parent's session."""
