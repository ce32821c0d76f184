"""Tokens that the site makes, shown to the real gate in front of a real S3 server; and those that it refuses to make."""

from __future__ import annotations

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memora.exceptions import MintingError
from memora.services.access_gate import keys, minting
from memora.services.access_gate.rules import tokens
from memora.services.access_gate.rules.key_states import WAIT
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import site_key
from memora.tests.helpers import clock, factories, seaweedfs
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.gate_keys import KeysTestCase
from memora.tests.helpers.node_gate import NodeGate
from memora.tests.helpers.publishing import make_course


class TestMinting(KeysTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.live_key()

	def test_what_the_gate_would_refuse_is_not_made(self) -> None:
		many = [f"ITEM-{number:05}" for number in range(300)]
		for items, options, said in (
			([], {"seconds": 24 * 3600 + 1}, "from 1 to 86400 seconds, not 86401"),
			([], {"seconds": 4 * 3600 + 1, "player": True}, "from 1 to 14400 seconds, not 14401"),
			([], {"seconds": 0}, "not 0"),
			([], {"seconds": True}, "not True"),
			(many, {}, "300 items are too many for a token: it may have 4096 bytes"),
			(many[:120], {"player": True}, "120 items are too many for a token: it may have 2048 bytes"),
			("PHYSICS", {}, "must be a list of texts"),
			([1], {}, "must be a list of texts"),
			(["\ud800"], {}, "must be a list of texts"),
		):
			with self.assertRaisesRegex(MintingError, said):
				minting.mint(items, **options)

	def test_what_is_made_lasts_as_long_as_was_asked_for(self) -> None:
		token = minting.mint(["A", "A", "ب"], seconds=600)
		now = time.time()
		self.assertEqual(self.accepted(token, now + 540), ["A", "ب"])
		with self.assertRaisesRegex(tokens.TokenError, "expired"):
			self.accepted(token, now + 600 + tokens.SKEW + 1)
		self.accepted(minting.mint([], seconds=24 * 3600), now + 24 * 3600)
		self.assertLess(len(minting.mint([f"ITEM-{number:05}" for number in range(200)])), 4096)


class TestTheGateInFront(BucketTestCase):
	@classmethod
	def start_server(cls) -> str:
		return seaweedfs.url()

	def setUp(self) -> None:
		super().setUp()
		course = make_course(units=1, lessons=1, required_item="PHYSICS")
		factories.make_plan([course["subject"]], is_published=1)
		self.lesson = paths.lesson(course["lessons"][0].name)
		self.publish()

	def gate(self) -> NodeGate:
		settings = self.s3.settings(self.bucket, self.endpoint)
		return NodeGate.of_bucket(self, site_key.site_hash(), settings)

	def live_key(self) -> str:
		kid = keys.rotate()
		self.publish()
		clock.skip(WAIT)
		return kid

	def test_a_token_opens_what_its_holder_owns_and_nothing_else(self) -> None:
		another = Ed25519PrivateKey.generate()
		form = {"kid": "another", "key": another, "iat": int(time.time()), "seconds": 60}
		forged = tokens.encode(["PHYSICS"], site=site_key.site_hash(), **form)
		self.assertEqual(self.gate().ask(self.lesson, forged), (503, "keys_unavailable"))
		self.live_key()
		gate = self.gate()
		self.assertEqual(gate.ask(self.lesson, forged), (401, "token_invalid"))
		self.assertEqual(gate.ask(self.lesson), (401, "token_required"))
		self.assertEqual(gate.ask(self.lesson, minting.mint(["CHEMISTRY"])), (403, "item_required"))
		token = minting.mint(["صنف ٢", "PHYSICS"])
		self.assertEqual(gate.ask(self.lesson, token), (200, ""))
		self.assertEqual(gate.ask(f"~{token}/{self.lesson}"), (401, "token_invalid"))
		for_player = minting.mint(["PHYSICS"], player=True)
		self.assertEqual(gate.ask(f"~{for_player}/{self.lesson}"), (200, ""))
		self.assertEqual(gate.ask(self.lesson, for_player), (401, "token_invalid"))

	def test_tokens_outlive_a_rotation_and_no_revocation(self) -> None:
		old = self.live_key()
		gate, before = self.gate(), minting.mint(["PHYSICS"])
		self.assertEqual(gate.ask(self.lesson, before), (200, ""))
		new = self.live_key()
		after = minting.mint(["PHYSICS"])
		self.assertEqual(gate.ask(self.lesson, before), (200, ""))
		fresh = self.gate()
		self.assertEqual([fresh.ask(self.lesson, each) for each in (before, after)], [(200, "")] * 2)
		keys.revoke(new)
		self.publish()
		fresh = self.gate()
		self.assertEqual(fresh.ask(self.lesson, after), (401, "token_invalid"))
		self.assertEqual(fresh.ask(self.lesson, before), (200, ""))
		self.assertEqual(fresh.ask(self.lesson, minting.mint(["PHYSICS"])), (200, ""))
		self.assertEqual([key["state"] for key in keys.listed()], ["revoked", "signs"])
		self.assertEqual(keys.listed()[1]["kid"], old)

	def test_the_file_is_stored_as_the_gate_reads_it(self) -> None:
		self.live_key()
		found = self.client.get_object(Bucket=self.bucket, Key=paths.GATE_KEYS)
		self.assertEqual(found["ContentType"], "application/json; charset=utf-8")
		self.assertEqual(found["CacheControl"], "public, max-age=300")
		self.assertEqual(found["Metadata"]["site"], site_key.site_hash())
		self.assertNotIn(b'"d"', found["Body"].read())
		self.check()
