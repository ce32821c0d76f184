"""The build of `plans/index.json`: every published plan whose manifest is live, also when there is none.

The contract's schemas belong to the same owner, being few and rarely changed: a release that changes them has
the index built by `touch`. So do the gate's public keys, once there is one.
"""

from __future__ import annotations

import time

from memora.services.cdn_export import json_generator
from memora.services.cdn_export.builds import schemas_and_keys
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.builds.commit import commit
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.counts import Counts
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.state import due, ledger, publish_state


def run(build: Build) -> Counts:
	"""Write the list of plans, the schemas and the gate's public keys, where their content has changed."""
	entries = ledger.of_scope(scopes.INDEX)
	offered = Diff(entries, int(time.time()))
	published = schemas_and_keys.offer(offered)
	document = json_generator.plan_index_document(due.live_index_entries())
	offered.offer(paths.PLAN_INDEX, "plans_index", "", document)

	def closing() -> bool:
		published()
		return False

	return commit(build, offered, entries, state_values={"is_live": 1}, closing=closing)


def ensure() -> None:
	"""Have a site that has never published write the list of plans. Commits."""
	if not publish_state.read([scopes.INDEX]):
		publish_state.ensure(scopes.INDEX)


def touch() -> None:
	"""Let the next batch look at the index and the schemas again, in the caller's transaction.

	A site that has never published has nothing to look at.
	"""
	if publish_state.read([scopes.INDEX]):
		publish_state.raise_generations([scopes.INDEX, *due.without_index_entry()])


def publish_now(plan: Build) -> None:
	"""Write the list before a plan is unpublished by this build. Raises ScopeBusyError when others keep the list for 10 s."""
	busy = "the list of plans is being written by another worker; the plan is removed shortly"
	with Build.alone(plan.target, scopes.INDEX, busy) as build:
		run(build)
