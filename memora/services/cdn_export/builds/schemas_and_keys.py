"""What is published beside the list of plans: the contract's schemas, and the gate's public keys once there is a key."""

from __future__ import annotations

from collections.abc import Callable

from memora.services.access_gate import keys
from memora.services.access_gate.rules import key_states
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.rules import contracts


def offer(offered: Diff) -> Callable[[], None]:
	"""Offer these files. What is returned notes in the commit's transaction that the keys are published."""
	contracts.offer(offered)
	rows = keys.rows()
	# Also when none is left that is published: without the file, the gate would think that it is lost.
	if rows:
		offered.offer(paths.GATE_KEYS, "gate_keys", "", key_states.document(rows))
	return lambda: keys.note_published(rows)
