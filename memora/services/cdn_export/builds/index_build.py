"""The build of `plans/index.json`: every published plan whose manifest is live, also when there is none.

The contract's schemas belong to the same owner, being few and rarely changed: a release that changes them has
the index built by `touch`.
"""

from __future__ import annotations

import threading
import time

from memora.exceptions import ScopeBusyError
from memora.services.cdn_export import json_generator
from memora.services.cdn_export.builds import commit
from memora.services.cdn_export.builds.commit import Removals
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.scope_state import State
from memora.services.cdn_export.rules import contracts
from memora.services.cdn_export.state import due, ledger, publish_state
from memora.services.cdn_export.state import lease as leases
from memora.services.cdn_export.state.lease import Lease

_WAIT_SECONDS = 10
_POLL_SECONDS = 0.1


def run(target: PublishTarget, lease: Lease, state: State) -> Counts:
	"""Write the list of plans, and the schemas, where their content has changed. The caller holds the index's lease, and has read
	`state` by the first statement of the current transaction."""
	entries = ledger.of_scope(scopes.INDEX)
	offered = Diff(entries, int(time.time()))
	contracts.offer(offered)
	document = json_generator.plan_index_document(due.live_index_entries())
	offered.offer(paths.PLAN_INDEX, "plans_index", "", document)
	return commit.commit(
		target,
		lease,
		offered,
		entries,
		generation=state.generation,
		removals=Removals(),
		state_values={"is_live": 1},
	)


def touch() -> None:
	"""Let the next batch look at the index and the schemas again, in the caller's transaction.

	A site that has never published has nothing to look at.
	"""
	if publish_state.read([scopes.INDEX]):
		publish_state.raise_generations([scopes.INDEX, *due.without_index_entry()])


def publish_now(target: PublishTarget) -> None:
	"""Write the list before a plan is unpublished. Raises ScopeBusyError when others keep it for 10 s."""
	publish_state.ensure(scopes.INDEX)
	waited = threading.Event()
	for _ in range(round(_WAIT_SECONDS / _POLL_SECONDS)):
		if lease := leases.acquire(scopes.INDEX):
			with lease:
				state, seen = commit.read_state(lease)
				if target.follow_settings(seen):
					raise ScopeBusyError(
						"CDN Settings have been saved: the plan is removed with the next look"
					)
				run(target, lease, state)
			return
		waited.wait(_POLL_SECONDS)
	raise ScopeBusyError("the list of plans is being written by another worker; the plan is removed shortly")
