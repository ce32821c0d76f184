"""Tests of the gate's keys and tokens."""

from __future__ import annotations

import json
import time

from memora.services.access_gate import keys
from memora.services.access_gate.rules import tokens
from memora.services.access_gate.rules.key_states import WAIT
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import site_key
from memora.tests.helpers import clock
from memora.tests.helpers.publishing import PublishingTestCase


class KeysTestCase(PublishingTestCase):
	def published(self) -> list[str]:
		"""The keys that the gate reads."""
		return list(tokens.keys_of(self.read_bytes(paths.GATE_KEYS)))

	def accepted(self, token: str, now: float | None = None) -> list[str]:
		"""The items that the gate's twin finds in a token, by what is published."""
		return tokens.items_of(
			token,
			form=tokens.HEADER,
			site=site_key.site_hash(),
			now=now or time.time(),
			find_key=tokens.keys_of(self.read_bytes(paths.GATE_KEYS)).get,
		)

	def kid_of(self, token: str) -> str:
		header, _, _ = token.partition(".")
		return json.loads(tokens.urlsafe_b64decode(header + "=="))["kid"]

	def live_key(self) -> str:
		"""A key that signs."""
		kid = keys.rotate()
		self.publish()
		clock.skip(WAIT)
		return kid

	def states(self) -> dict[str, str]:
		return {key["kid"]: key["state"] for key in keys.listed()}
