"""The right to build a scope, or several at once: one holder at a time, decided by MariaDB, shown to others by Redis
locks.

A lease lasts 60 s and is renewed every 15 s by a thread of its own while the build lives; when it runs out,
whoever asks next has it, whatever RQ believes of the job that held it. Times are the database server's.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from types import TracebackType
from typing import TypeVar

import frappe

from memora.exceptions import LeaseLostError, ScopeBusyError
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database, publish_state, redis_mirror

T = TypeVar("T")

LEASE_SECONDS = 60
RENEW_SECONDS = 15
AGAIN_SECONDS = 5
"""The heart's pause after a renewal that failed."""

TRUST_SECONDS = 20
"""How long after a renewal `check` need not ask again: no other worker can have the lease before 60 s are over."""

GUARD_SECONDS = 45
"""How long after a renewal a single write may still begin: time enough for it to end before the lease does."""


class Lease:
	"""A held lease. Use as a context manager: it is renewed inside, and given back at the end if still ours.

	Whoever gave it back sooner says so by `released`, and by `published` which plans are up to date.
	"""

	def __init__(self, scopes: Sequence[Scope], token: str, taken: tuple[float, float]):
		self.scopes = tuple(scopes)
		self.token = token
		self.released = False
		self.published: tuple[str, ...] = ()
		self._renewed = taken
		self._ended = threading.Event()
		self._heart = threading.Thread(
			target=_renew_until,
			args=(self, frappe.local.site, frappe.local.sites_path, self._ended),
			daemon=True,
		)

	@property
	def scope(self) -> Scope:
		"""The scope of a lease that was taken for one."""
		return self.scopes[0]

	@property
	def label(self) -> str:
		"""How messages call what is leased."""
		return ", ".join(scope.label for scope in self.scopes)

	def keep_only(self, scopes: Collection[Scope]) -> None:
		"""Give the others back, in a transaction of its own."""
		others = [scope for scope in self.scopes if scope not in scopes]
		if not others:
			return
		self.scopes = tuple(scope for scope in self.scopes if scope in scopes)
		redis_mirror.unlock([scope.label for scope in others], self.token)
		self._give_back(others)

	def renew(self) -> None:
		"""Renew the lease, in a transaction of its own. Raises LeaseLostError when it is no longer ours."""
		clocks = _clocks()
		database.transaction(self.hold)
		self._renewed = clocks

	def check(self) -> None:
		"""Raise LeaseLostError unless the lease is ours: asked before each phase of writing.

		Asks the database only when the last renewal is not recent, by either of two clocks.
		"""
		if self._age() > TRUST_SECONDS:
			self.renew()

	def guard(self) -> None:
		"""Raise LeaseLostError when the lease may have passed on, judged by the clocks alone: asked before each
		write, by any thread, so that a worker which was stalled amid its writes does not go on with them."""
		if self._age() > GUARD_SECONDS:
			raise self.lost()

	def guarded(self, items: Iterable[T]) -> Iterator[T]:
		"""These items, with `guard` asked before each."""
		for item in items:
			self.guard()
			yield item

	def hold(self) -> None:
		"""Renew the lease within the current transaction, so that it cannot pass on before the commit.

		Raises LeaseLostError when it is no longer ours or has run out.
		"""
		scopes = self.scopes
		held = database.update_names(
			publish_state.TABLE,
			[scope.id for scope in scopes],
			"lease_expires = now(6) + interval %s second",
			(LEASE_SECONDS,),
			"lease_token = %s and lease_expires > now(6)",
			(self.token,),
		)
		if held < len(scopes) and scopes is self.scopes:  # else some have been given back meanwhile
			raise self.lost()

	def lost(self) -> LeaseLostError:
		"""The error that says so; the one who has it now will publish what this build would have."""
		return LeaseLostError(
			f"the lease on {self.label} has passed to another worker; this build stops and writes no more"
		)

	def _age(self) -> float:
		"""Seconds since the last renewal, by whichever clock says more."""
		return max(now - then for now, then in zip(_clocks(), self._renewed, strict=True))

	def __enter__(self) -> Lease:
		self._heart.start()
		return self

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		self._ended.set()
		redis_mirror.unlock([scope.label for scope in self.scopes], self.token, self.published)
		if self.released:
			return
		database.rollback()
		self._give_back(self.scopes)

	def _give_back(self, scopes: Sequence[Scope]) -> None:
		database.transaction(
			lambda: database.update_names(
				publish_state.TABLE,
				[scope.id for scope in scopes],
				"lease_token = null, lease_expires = null",
				(),
				"lease_token = %s",
				(self.token,),
			)
		)


def acquire(scope: Scope) -> Lease | None:
	"""Take the lease of a scope that has a state row, without waiting. None while another holds it."""
	return acquire_free([scope])


def of_owner(scope_id: str) -> Lease:
	"""Take the lease of a scope that a node has moved away from, so that it cannot remove the file meanwhile. Raises
	ScopeBusyError while another holds it."""
	states = publish_state.by_id([scope_id])
	lease = acquire(states[scope_id].scope) if scope_id in states else None
	if lease is None:
		raise ScopeBusyError(
			f"{scope_id} owns a file that has moved and is being built; this build waits for it"
		)
	return lease


def acquire_free(scopes: Sequence[Scope]) -> Lease | None:
	"""Take one lease for those of these scopes that are free, without waiting. None if none is.

	The lease says by `scopes` which they are. Each has a state row.
	"""
	token = uuid.uuid4().hex
	clocks = _clocks()
	scopes = sorted(
		scopes, key=attrgetter("id")
	)  # so that two who ask for the same never lock each other out
	names = [scope.id for scope in scopes]

	def take() -> Sequence[Scope]:
		taken = database.update_names(
			publish_state.TABLE,
			names,
			"lease_token = %s, lease_expires = now(6) + interval %s second",
			(token, LEASE_SECONDS),
			"lease_token is null or lease_expires < now(6)",
		)
		if taken in (0, len(scopes)):
			return scopes[:taken]
		ours = publish_state.leased_with(token, names)
		return [scope for scope in scopes if scope.id in ours]

	taken = database.transaction(take)
	if not taken:
		return None
	redis_mirror.lock([scope.label for scope in taken], token)
	return Lease(taken, token, clocks)


def _clocks() -> tuple[float, float]:
	"""Seconds by a clock that never jumps and by one that also runs while the machine is suspended."""
	return time.monotonic(), time.time()


def _renew_until(lease: Lease, site: str, sites_path: str, ended: threading.Event) -> None:
	"""The heartbeat: on a connection of its own, opened only when a build lives long enough to need it.

	What goes wrong is tried again, on a new connection, until the lease is lost or the build has ended.
	"""
	pause = RENEW_SECONDS
	connected = False
	try:
		while not ended.wait(pause):
			try:
				if not connected:
					frappe.init(site=site, sites_path=sites_path)
					frappe.connect()
					connected = True
				lease.renew()
			except LeaseLostError:
				return  # the build learns it at its next check
			except database.ERRORS as error:
				frappe.logger("memora").warning(
					f"the lease on {lease.label} could not be renewed yet: {error}"
				)
				frappe.destroy()
				connected, pause = False, AGAIN_SECONDS
				continue
			redis_mirror.renew_lock([scope.label for scope in lease.scopes], lease.token)
			pause = RENEW_SECONDS
	finally:
		frappe.destroy()
