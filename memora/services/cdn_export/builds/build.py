"""A build that has begun: where it publishes to, the lease that it holds, and the states that its snapshot began with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from memora.exceptions import ScopeBusyError
from memora.services.cdn_export.delivery.target import SEEN, PublishTarget, Seen, as_seen
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.model.scopes import Scope
from memora.services.cdn_export.state import database, publish_state
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease

_WAIT_SECONDS = 10
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Build:
	"""What every step of a build needs. The caller holds the lease; `states` are of all that it was taken for.

	`seen` is which CDN Settings and which place the snapshot saw. It lets `commit` do without another look: should files
	go elsewhere afterwards, the lease ends with that.
	"""

	target: PublishTarget
	lease: Lease
	states: list[State]
	seen: Seen

	@classmethod
	def begin(cls, target: PublishTarget, lease: Lease) -> Build:
		"""Read the states by the first statement of a new transaction: it makes the snapshot that the whole build reads,
		so a change that is in the generation is in the content."""
		database.fresh()
		states, seen = publish_state.read_with(lease.scopes, *SEEN)
		return cls(target, lease, states, as_seen(*seen))

	@classmethod
	@contextmanager
	def of(cls, target: PublishTarget, scope: Scope) -> Iterator[Build | None]:
		"""Take the lease of a scope that has a state row, and begin; None while another has it. Raises ScopeBusyError
		where CDN Settings name another place by now."""
		lease = leases.acquire(scope)
		if lease is None:
			yield None
			return
		with lease:
			build = cls.begin(target, lease)
			if build.follows_settings():
				raise ScopeBusyError(f"CDN Settings have been saved: {scope.label} is built again shortly")
			yield build

	@classmethod
	@contextmanager
	def alone(cls, target: PublishTarget, scope: Scope, otherwise: str) -> Iterator[Build]:
		"""`of`, once no other worker has the scope; its state row is made if there is none. Raises ScopeBusyError, which says
		`otherwise`, when others keep it for 10 s."""
		publish_state.ensure(scope)
		waited = threading.Event()
		for _ in range(round(_WAIT_SECONDS / _POLL_SECONDS)):
			with cls.of(target, scope) as build:
				if build:
					yield build
					return
			waited.wait(_POLL_SECONDS)
		raise ScopeBusyError(otherwise)

	@property
	def scope(self) -> Scope:
		"""The scope of a build of one."""
		return self.lease.scope

	@property
	def state(self) -> State:
		"""The state of a build of one scope."""
		return self.states[0]

	def again(self) -> Build:
		"""The same with a new snapshot."""
		return Build.begin(self.target, self.lease)

	def is_as_seen(self) -> bool:
		"""Whether what is open is what CDN Settings said in the snapshot."""
		return self.target.is_as_seen(self.seen)

	def follows_settings(self) -> bool:
		"""Open everything again where it is not, and say so: what is due may be another thing now."""
		return self.target.follow_settings(self.seen)
