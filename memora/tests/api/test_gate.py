"""Tokens for learners who are signed in: their own, for them alone, and nothing of anybody else's."""

from __future__ import annotations

import json
import time
from typing import Any
from unittest.mock import patch

import frappe
import redis

from memora.api import gate
from memora.exceptions import TokenError
from memora.services.access_gate import keys, owned_items
from memora.services.access_gate.rules import tokens
from memora.services.access_gate.rules.key_states import WAIT
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import site_key
from memora.tests.helpers import clock, factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.users import drop_user
from memora.tests.helpers.web import Web

OWNS = {"owner@gate.test": ["PHYSICS", "OTHER"], "other@gate.test": ["OTHER"]}


class TestGate(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.web = Web()
		for user in OWNS:
			self.web.make_user(user)
			self.addClassCleanup(drop_user, user)
		for name in ("token", "player_token"):
			for user in OWNS:
				frappe.cache.delete(frappe.cache.make_key(f"rl:memora.api.gate.{name}:{user}"))
		owned = patch.object(owned_items, "of_user", lambda user: OWNS[user])
		owned.start()
		self.addCleanup(owned.stop)
		self.course = make_course(units=1, lessons=1, required_item="PHYSICS")
		factories.make_plan([self.course["subject"]], is_published=1)
		self.lesson = self.course["lessons"][0].name
		keys.rotate()
		self.publish()
		clock.skip(WAIT)

	def asked(self, user: str, method: str = "token", /, **given: Any) -> Any:
		answer = self.web.call(user, f"memora.api.gate.{method}", **given)
		self.assertEqual(answer.status_code, 200, answer.get_data(as_text=True))
		self.assertEqual(answer.headers["Cache-Control"], "no-store")
		return answer.get_json()

	def refused(self, status: int, user: str, method: str = "token", **given: Any) -> str:
		answer = self.web.call(user, f"memora.api.gate.{method}", **given)
		said = answer.get_data(as_text=True)
		self.assertEqual(answer.status_code, status, said)
		self.assertNotIn('"token"', said)
		return " ".join(
			json.loads(each)["message"]
			for each in json.loads(answer.get_json().get("_server_messages", "[]"))
		)

	def items(self, token: str, form: tokens.Form = tokens.HEADER, now: float = 0) -> list[str]:
		return tokens.items_of(
			token,
			form=form,
			site=site_key.site_hash(),
			now=now or time.time(),
			find_key=tokens.keys_of(self.read_bytes(paths.GATE_KEYS)).get,
		)

	def test_each_gets_a_token_with_what_he_owns_and_nobody_elses(self) -> None:
		for user, owned in OWNS.items():
			self.assertEqual(self.items(self.asked(user)["token"]), owned)
		answer = self.asked("other@gate.test", user="owner@gate.test", items=["PHYSICS"])
		self.assertEqual(self.items(answer["token"]), ["OTHER"])

	def test_it_lasts_an_hour_or_as_long_as_was_asked_for_up_to_a_day(self) -> None:
		for given, seconds in (({}, 3600), ({"seconds": 600}, 600), ({"seconds": 86_400}, 86_400)):
			answer = self.asked("owner@gate.test", **given)
			self.assertEqual(answer["expires_in"], seconds)
			self.items(answer["token"], now=time.time() + seconds)
			with self.assertRaises(TokenError):
				self.items(answer["token"], now=time.time() + seconds + 62)
		for seconds in (86_401, 0, -5):
			self.assertIn("1 to 86400 seconds", self.refused(417, "owner@gate.test", seconds=seconds))

	def test_strangers_get_none_and_it_is_asked_for_by_post(self) -> None:
		for method, given in (("token", {}), ("player_token", {"lesson": self.lesson})):
			self.refused(403, "Guest", method, **given)
			answer = self.web.call("owner@gate.test", f"memora.api.gate.{method}", "GET", **given)
			self.assertEqual(answer.status_code, 403)

	def test_the_reader_learns_what_its_session_sends_with_a_post_and_strangers_learn_nothing(self) -> None:
		path = "memora.api.reader.csrf_token"
		self.assertEqual(self.web.call("Guest", path, "GET").status_code, 403)
		answer = self.web.call("owner@gate.test", path, "GET")
		self.assertEqual((answer.status_code, answer.headers["Cache-Control"]), (200, "no-store"))
		self.assertEqual(answer.get_json(), {"csrf_token": ""})  # who comes with an API key needs none

	def test_a_players_token_holds_what_the_lesson_asks_for_alone(self) -> None:
		answer = self.asked("owner@gate.test", "player_token", lesson=self.lesson)
		self.assertEqual(self.items(answer["token"], tokens.PATH), ["PHYSICS"])
		with self.assertRaises(TokenError):
			self.items(answer["token"])
		self.assertIn(
			"1 to 14400 seconds",
			self.refused(417, "owner@gate.test", "player_token", lesson=self.lesson, seconds=14_401),
		)

	def test_of_a_lesson_that_is_not_owned_no_more_is_told_than_of_none(self) -> None:
		of_none = self.refused(403, "other@gate.test", "player_token", lesson="nothing")
		self.assertEqual(self.refused(403, "other@gate.test", "player_token", lesson=self.lesson), of_none)
		self.change(self.course["lessons"][0], is_published=0)
		self.publish()
		self.assertEqual(self.refused(403, "owner@gate.test", "player_token", lesson=self.lesson), of_none)

	def test_a_lesson_that_asks_for_two_items_needs_both(self) -> None:
		self.change(self.course["track"], is_sold_separately=1, parent_item_required=1, required_item="TRACK")
		self.publish()
		self.refused(403, "owner@gate.test", "player_token", lesson=self.lesson)
		with patch.dict(OWNS, {"owner@gate.test": ["PHYSICS", "OTHER", "TRACK"]}):
			answer = self.asked("owner@gate.test", "player_token", lesson=self.lesson)
		self.assertEqual(set(self.items(answer["token"], tokens.PATH)), {"PHYSICS", "TRACK"})

	def test_a_plan_that_sells_the_lesson_otherwise_is_looked_at_too(self) -> None:
		factories.make_plan(
			[self.course["subject"]],
			is_published=1,
			overrides=[factories.override(self.course["units"][0], "Set Sold Separately", "OTHER")],
		)
		self.publish()
		answer = self.asked("other@gate.test", "player_token", lesson=self.lesson)
		self.assertEqual(self.items(answer["token"], tokens.PATH), ["OTHER"])

	def test_a_lesson_for_all_who_are_signed_in_needs_no_item(self) -> None:
		free = make_course(units=1, lessons=1)
		factories.make_plan([free["subject"]], is_published=1)
		self.publish()
		answer = self.asked("other@gate.test", "player_token", lesson=free["lessons"][0].name)
		self.assertEqual(self.items(answer["token"], tokens.PATH), [])

	def test_who_asks_too_often_waits_and_nobody_else_does(self) -> None:
		with patch.object(gate.owned_items, "of_user", lambda user: []):
			for _each in range(30):
				self.asked("other@gate.test")
			self.refused(429, "other@gate.test")
			self.asked("owner@gate.test")

	def test_without_redis_a_token_is_made_all_the_same(self) -> None:
		down = redis.ConnectionError("down")
		with patch("memora.api.endpoint.frappe.cache.incrby", side_effect=down):
			self.asked("owner@gate.test")

	def test_what_is_wrong_with_the_sites_keys_is_not_for_learners(self) -> None:
		keys.revoke(keys.listed()[0]["kid"])
		frappe.db.commit()
		said = self.refused(417, "owner@gate.test")
		self.assertIn("No token can be made just now", said)
		self.assertNotIn("bench", said)

	def test_what_he_owns_cannot_be_read(self) -> None:
		def fail(user: str) -> list[str]:
			raise owned_items.OwnedItemsError(owned_items._cannot_say())

		with patch.object(owned_items, "of_user", fail):
			for method, given in (("token", {}), ("player_token", {"lesson": self.lesson})):
				self.assertIn("cannot be looked up", self.refused(417, "owner@gate.test", method, **given))
