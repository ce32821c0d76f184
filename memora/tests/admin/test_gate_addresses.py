"""*Test connection* and `doctor` ask for a paid lesson at every address that is known: past the gate, and at the real gate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import requests

from memora.api import cdn_admin
from memora.exceptions import GateKeyError
from memora.services.access_gate import keys
from memora.services.access_gate.rules.key_states import WAIT
from memora.services.cdn_export.admin import doctor, gate_asking
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.maintenance import header_renewal
from memora.services.cdn_export.state import site_key
from memora.tests.delivery.test_private_files import Private
from memora.tests.helpers import clock
from memora.tests.helpers.faulty_server import Answer, FaultyServer, Request
from memora.tests.helpers.node_gate import NodeGate
from memora.tests.helpers.publishing import publish_to


class TestAddresses(Private):
	def setUp(self) -> None:
		super().setUp()
		self.client.delete_bucket_policy(Bucket=self.bucket)
		keys.ensure()
		self.publish()
		clock.skip(WAIT)
		self.gate_at = NodeGate.of_bucket(
			self, site_key.site_hash(), self.s3.settings(self.bucket, self.endpoint)
		).url
		self.configure(gate_enabled=1, cdn_base_url=self.gate_at)
		self.tick()
		self.assertEqual(self.gate()["state"], "private")

	def front(self, answer: Callable[[Request], Answer]) -> str:
		"""Another address, where everything is answered so."""
		server = FaultyServer()
		server.__enter__()
		self.addCleanup(server.__exit__, None, None, None)
		server.by_rule(answer)
		return server.url

	def findings(self) -> dict[str, Finding]:
		found = cdn_admin.test_connection()["findings"]
		return {
			one["check"]: Finding(one["check"], one["level"], one["message"], one["fix"])
			for one in found
			if one["check"].startswith("paid")
		}

	def at(self, url: str) -> Finding:
		return self.findings()[f"paid lesson at {url}"]

	def assertNotPrivate(self) -> None:
		for said in (
			cdn_admin.test_connection()["findings"],
			[one.as_dict() for one in doctor.run()],
		):
			for one in said:
				if one["check"] not in ("gate",):
					self.assertNotIn("Paid lessons are private", one["message"])

	def test_where_strangers_are_refused_everywhere_it_is_seen_and_said(self) -> None:
		found = self.findings()
		self.assertEqual(
			list(found),
			[
				f"paid lesson at {self.gate_at}",
				f"paid lesson at {self.endpoint}/{self.bucket}",
				"paid lessons",
			],
		)
		self.assertEqual({one.level for one in found.values()}, {"ok"}, found)
		self.assertIn("Paid lessons are private", found["paid lessons"].message)
		said = [one for one in doctor.run() if one.check == "storage: paid lessons"]
		self.assertEqual([one.level for one in said], ["ok"])

	def test_a_bucket_that_anyone_reads_is_named(self) -> None:
		public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
		statement = [{**public, "Resource": f"arn:aws:s3:::{self.bucket}/*"}]
		self.client.put_bucket_policy(
			Bucket=self.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement})
		)
		found = self.at(f"{self.endpoint}/{self.bucket}")
		self.assertEqual(found.level, "error")
		self.assertIn("A stranger can read paid lessons", found.message)
		self.assertIn("Close the bucket", found.fix)
		self.assertNotPrivate()

	def test_every_other_address_is_asked(self) -> None:
		whole = self.front(lambda request: Answer(200, b"{}"))
		encoded = self.front(lambda request: Answer(200 if "%6C" in request.path else 403))
		versioned = self.front(lambda request: Answer(200 if "?v=" in request.path else 403))
		closed = self.front(lambda request: Answer(403))
		broken = self.front(lambda request: Answer(502))
		self.configure(
			other_addresses="\n".join((whole, encoded, versioned, closed, broken, "http://127.0.0.1:9"))
		)
		for url, level in (
			(whole, "error"),
			(encoded, "error"),
			(versioned, "error"),
			(closed, "ok"),
			(broken, "warning"),
			("http://127.0.0.1:9", "warning"),
		):
			with self.subTest(url):
				self.assertEqual(self.at(url).level, level)
		self.assertNotPrivate()

	def test_without_a_gate_at_its_address(self) -> None:
		for answer, words in (
			(Answer(200, b"{}"), "no gate is asked there"),
			(Answer(401, b"{}"), "is not memora's gate"),
			(Answer(404, b"{}"), "is not memora's gate"),
			(Answer(503, b"{}"), "is not known"),
		):
			with self.subTest(words):
				url = self.front(lambda request, answer=answer: answer)
				self.configure(gate_url=url)
				found = self.at(url)
				self.assertNotEqual(found.level, "ok")
				self.assertIn(words, found.message)
				self.assertNotPrivate()

	def test_a_gate_that_takes_a_bad_token_is_no_gate(self) -> None:
		for kind, words in (
			("forged", "does not refuse a forged token"),
			("expired", "does not refuse an expired token"),
			("wrong", "does not refuse who owns another item"),
		):
			with self.subTest(kind):
				made = gate_asking._tokens

				def as_right(items: list[str], kind: str = kind, made: Any = made) -> dict[str, str]:
					return {**made(items), kind: made(items)["right"]}

				with patch.object(gate_asking, "_tokens", as_right):
					found = self.at(self.gate_at)
					self.assertEqual(found.level, "error")
					self.assertIn(words, found.message)
					self.assertIn("HTTP 200", found.message)
					self.assertNotPrivate()

	def test_a_gate_of_another_site_lets_no_owner_in(self) -> None:
		other = NodeGate.of_bucket(self, "0" * 32, self.s3.settings(self.bucket, self.endpoint)).url
		self.configure(gate_url=other)
		found = self.at(other)
		self.assertEqual(found.level, "error")
		self.assertNotPrivate()

	def test_a_cache_in_front_that_keeps_what_an_owner_read_is_found_out(self) -> None:
		kept: dict[str, Answer] = {}

		def cache(request: Request) -> Answer:
			if request.path not in kept:
				headers = (
					{"Authorization": request.headers["authorization"]}
					if "authorization" in request.headers
					else {}
				)
				answer = requests.get(f"{self.gate_at}{request.path}", headers=headers, timeout=10)
				passed = {
					name: answer.headers[name]
					for name in ("X-Memora-Gate", "Cache-Control")
					if name in answer.headers
				}
				found = Answer(answer.status_code, answer.content, passed)
				if answer.status_code != 200:
					return found
				kept[request.path] = found
			return kept[request.path]

		url = self.front(cache)
		self.configure(gate_url=url)
		found = self.at(url)
		self.assertEqual(found.level, "error")
		self.assertIn("gives strangers what an owner has just read", found.message)
		self.assertNotPrivate()

	def test_a_header_that_lets_caches_keep_it_is_found_out(self) -> None:
		def changed(request: Request) -> Answer:
			headers = (
				{"Authorization": request.headers["authorization"]}
				if "authorization" in request.headers
				else {}
			)
			answer = requests.get(f"{self.gate_at}{request.path}", headers=headers, timeout=10)
			return Answer(
				answer.status_code,
				answer.content,
				{"X-Memora-Gate": "1", "Cache-Control": "public, max-age=60"},
			)

		url = self.front(changed)
		self.configure(gate_url=url)
		self.assertIn("caches may keep it", self.at(url).message)
		self.assertNotPrivate()

	def test_without_a_key_that_signs_only_strangers_are_tried(self) -> None:
		keys.rotate()
		with patch.object(keys, "signing", side_effect=GateKeyError("No key signs yet.")):
			found = self.at(self.gate_at)
			self.assertEqual(found.level, "warning")
			self.assertIn("No key signs yet.", found.message)
			self.assertNotPrivate()

	def test_no_token_is_in_what_is_said(self) -> None:
		made: list[str] = []
		tokens_of = gate_asking._tokens

		def noted(items: list[str]) -> dict[str, str]:
			found = tokens_of(items)
			made.extend(found.values())
			return found

		broken = self.front(
			lambda request: Answer(500, (request.headers.get("authorization") or "").encode())
		)
		for url in (self.gate_at, broken):
			self.configure(gate_url=url)
			with patch.object(gate_asking, "_tokens", noted):
				said = str(cdn_admin.test_connection())
			for token in made:
				self.assertNotIn(token, said)
		self.assertTrue(made)

	def test_while_files_are_still_public_nothing_is_called_private(self) -> None:
		self.configure(gate_enabled=0)
		self.tick()
		with patch.object(header_renewal, "run"):
			self.configure(gate_enabled=1)
			self.tick()
			self.assertEqual(self.findings()["paid lessons"].level, "warning")
			self.assertIn("0 of 3 lessons", self.findings()["paid lessons"].message)
			self.assertNotPrivate()

	def test_without_a_paid_lesson_it_says_that_nothing_was_tried(self) -> None:
		self.change(self.course["subject"], required_item="")
		self.publish()
		found = self.findings()
		self.assertEqual(list(found), ["paid lessons"])
		self.assertIn("No paid lesson is published", found["paid lessons"].message)

	def test_without_the_switch_it_asks_as_ever(self) -> None:
		publish_to(gate_enabled=0)
		checks = [one["check"] for one in cdn_admin.test_connection()["findings"]]
		self.assertIn("paid content", checks)
		self.assertFalse([check for check in checks if check.startswith("paid lesson")])
