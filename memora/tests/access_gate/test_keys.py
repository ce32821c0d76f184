"""The gate's keys: made, published before they sign, followed by others, revoked; and no one reads a private one."""

from __future__ import annotations

import json
import time
from typing import Any
from unittest.mock import patch

import frappe
import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
	Encoding,
	NoEncryption,
	PrivateFormat,
	PublicFormat,
)
from frappe import client
from frappe.utils.password import get_decrypted_password

from memora.exceptions import GateKeyError, TokenError
from memora.install import ADMIN, EDITOR
from memora.services.access_gate import keys, minting
from memora.services.access_gate.rules import tokens
from memora.services.access_gate.rules.key_states import STAYS, WAIT
from memora.services.cdn_export.admin.doctor import gate
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import database, gate_switch, site_key, site_values
from memora.tests.helpers import clock, factories
from memora.tests.helpers.gate_keys import KeysTestCase
from memora.tests.helpers.processes import at_once
from memora.tests.helpers.publishing import run_command
from memora.tests.helpers.users import drop_user, make_user
from memora.tests.helpers.web import Web

HOUR = 3600


class TestKeys(KeysTestCase):
	def test_without_a_key_nothing_is_published_and_no_token_is_made(self) -> None:
		self.publish()
		self.assertIsNone(self.read_bytes(paths.GATE_KEYS))
		with self.assertRaisesRegex(GateKeyError, "no key yet.*memora gate-keys rotate"):
			minting.mint(["PHYSICS"])

	def test_a_key_signs_once_it_has_been_published_for_long_enough(self) -> None:
		kid = keys.rotate()
		with self.assertRaisesRegex(GateKeyError, f"{kid} is new"):
			minting.mint([])
		self.publish()
		self.assertEqual(self.published(), [kid])
		with self.assertRaisesRegex(GateKeyError, f"{kid} is new"):
			minting.mint([])
		clock.skip(WAIT - 5)
		with self.assertRaises(GateKeyError):
			minting.mint([])
		clock.skip(5)
		self.assertEqual(self.accepted(minting.mint(["صنف ٢", "PHYSICS"])), ["صنف ٢", "PHYSICS"])
		self.check()

	def test_another_edit_does_not_make_a_key_wait_again(self) -> None:
		self.live_key()
		subject = factories.make_subject(is_published=1)
		factories.make_plan([subject], is_published=1)
		self.publish()
		self.assertEqual(self.accepted(minting.mint([])), [])

	def test_of_a_rotation_no_gate_notices_anything(self) -> None:
		old = self.live_key()
		token = minting.mint(["A"], seconds=24 * HOUR)
		new = keys.rotate()
		self.assertEqual(self.kid_of(minting.mint([])), old)
		self.publish()
		self.assertEqual(self.published(), [old, new])
		self.assertEqual(self.kid_of(minting.mint([])), old)
		clock.skip(WAIT)
		self.assertEqual(self.kid_of(minting.mint([])), new)
		self.assertEqual(self.states(), {new: "signs", old: "leaves"})
		self.assertEqual(self.accepted(token), ["A"])

	def test_the_old_key_leaves_by_itself_when_its_last_token_has_expired(self) -> None:
		old = self.live_key()
		new = keys.rotate()
		self.publish()
		clock.skip(WAIT + STAYS - HOUR)
		keys.hourly()
		self.publish()
		self.assertEqual(self.published(), [old, new])
		clock.skip(HOUR)
		keys.hourly()
		self.publish()
		self.assertEqual(self.published(), [new])
		self.assertEqual(self.states(), {new: "signs", old: "left"})
		self.assertEqual(self.private_keys(), {new})
		before = self.read_bytes(paths.GATE_KEYS)
		keys.hourly()
		self.publish()
		self.assertEqual(self.read_bytes(paths.GATE_KEYS), before)

	def test_a_second_rotation_waits_until_the_new_key_signs(self) -> None:
		self.live_key()
		new = keys.rotate()
		with self.assertRaisesRegex(GateKeyError, f"{new} is new and does not sign yet"):
			keys.rotate()
		self.publish()
		clock.skip(WAIT)
		keys.rotate()

	def test_there_are_never_so_many_that_the_gate_refuses_the_file(self) -> None:
		with patch.object(keys, "MOST", 2):
			self.live_key()
			self.live_key()
			with self.assertRaisesRegex(GateKeyError, "2 keys already"):
				keys.rotate()
		self.assertLess(len(self.read_bytes(paths.GATE_KEYS) or b"") / 2 * keys.MOST, tokens.LARGEST_KEYS)

	def test_a_revoked_key_is_out_with_the_next_batch(self) -> None:
		old = self.live_key()
		new = self.live_key()
		token = minting.mint(["A"])
		self.assertEqual(self.accepted(token), ["A"])
		self.assertEqual(keys.revoke(new), "")
		self.assertTrue(keys.listed()[0]["still_accepted"])
		self.assertNotIn(new, self.private_keys())
		self.publish()
		self.assertFalse(keys.listed()[0]["still_accepted"])
		self.assertEqual(self.published(), [old])
		with self.assertRaises(TokenError):
			self.accepted(token)
		self.assertEqual(self.kid_of(minting.mint([])), old)
		for kid, said in ((new, "taken out already"), ("nothing", "no key nothing")):
			with self.assertRaisesRegex(GateKeyError, said):
				keys.revoke(kid)

	def test_when_the_only_key_is_revoked_another_one_takes_its_place(self) -> None:
		only = self.live_key()
		made = keys.revoke(only)
		self.publish()
		self.assertEqual(self.published(), [made])
		with self.assertRaisesRegex(GateKeyError, f"{made} is new"):
			minting.mint([])
		clock.skip(WAIT)
		self.assertEqual(self.kid_of(minting.mint([])), made)

	def test_for_a_gate_that_is_switched_on_there_is_one_key(self) -> None:
		keys.ensure()
		keys.ensure()
		self.publish()
		self.assertEqual(len(self.published()), 1)

	def test_two_who_rotate_at_once_make_one_key(self) -> None:
		def rotate() -> str:
			try:
				return keys.rotate()
			except GateKeyError as error:
				return str(error)

		made, refused = sorted(at_once(rotate, rotate), key=len)
		self.assertIn(f"{made} is new", refused)
		self.assertEqual(frappe.db.count(keys.TABLE), 1)

	def test_a_row_that_something_else_has_inserted_breaks_nothing(self) -> None:
		ours = self.live_key()
		doc = frappe.get_doc({"doctype": keys.TABLE})
		doc.name = "foreign"
		doc.db_insert()
		self.assertEqual(self.states(), {ours: "signs"})
		keys.rotate()
		self.publish()
		self.assertEqual(len(self.published()), 2)
		self.check()

	def test_what_is_published_is_noted_and_compared_like_any_other_file(self) -> None:
		self.live_key()
		(self.local_path / paths.GATE_KEYS).unlink()
		result = run_command("repair")
		self.assertEqual(result.exit_code, 0, result.output)
		self.assertEqual(len(self.published()), 1)
		self.assertEqual(run_command("repair", "--dry-run").exit_code, 0)
		self.assertEqual(run_command("verify").exit_code, 0)

	def test_a_lost_ledger_is_found_again_with_it(self) -> None:
		self.live_key()
		frappe.db.delete("CDN File")
		frappe.db.commit()
		self.assertEqual(run_command("repair", "--lost-ledger").exit_code, 0)
		self.assertEqual(run_command("repair", "--dry-run").exit_code, 0)
		self.assertEqual(self.accepted(minting.mint(["A"])), ["A"])

	def test_another_place_gets_the_keys_too(self) -> None:
		kid = self.live_key()
		other = self.local_path / "elsewhere"
		self.configure(local_path=str(other))
		self.publish()
		self.assertEqual(list(tokens.keys_of((other / paths.GATE_KEYS).read_bytes())), [kid])

	def test_keys_that_are_not_ours_are_left_alone(self) -> None:
		self.publish()
		(self.local_path / "gate").mkdir()
		(self.local_path / paths.GATE_KEYS).write_text('{"keys": []}')
		keys.rotate()
		self.publish()
		self.assertEqual(self.read_bytes(paths.GATE_KEYS), b'{"keys": []}')
		self.assertRegex(str(frappe.get_all("CDN Publish State", pluck="last_error")), "not this site's")

	def private_keys(self) -> set[str]:
		"""The keys whose private part is kept."""
		return set(frappe.db.sql("select name from __Auth where doctype = %s", (keys.TABLE,), pluck=True))


class TestApps(KeysTestCase):
	"""The keys of apps that sign tokens themselves."""

	def setUp(self) -> None:
		super().setUp()
		self.app = Ed25519PrivateKey.generate()

	def pem(self, key: Any = None) -> str:
		public = (key or self.app).public_key()
		return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

	def token(self, kid: str = "app-1") -> str:
		"""As an app makes it that knows the documented format alone."""
		now = int(time.time())
		claims = {"iss": site_key.site_hash(), "iat": now, "exp": now + HOUR, "items": ["PHYSICS"]}
		return jwt.encode(claims, self.app, algorithm="EdDSA", headers={"kid": kid})

	def test_an_apps_tokens_are_accepted_until_its_key_is_revoked(self) -> None:
		ours = self.live_key()
		keys.accept("app-1", self.pem())
		self.assertEqual(self.states(), {ours: "signs", "app-1": "announced"})
		with self.assertRaises(TokenError):
			self.accepted(self.token())
		self.publish()
		self.assertEqual(self.accepted(self.token()), ["PHYSICS"])
		self.assertEqual(self.states(), {ours: "signs", "app-1": "accepted"})
		clock.skip(STAYS + WAIT + HOUR)
		keys.hourly()
		self.assertEqual(self.states(), {ours: "signs", "app-1": "accepted"})
		self.assertEqual(self.kid_of(minting.mint([])), ours)
		self.assertEqual(keys.revoke("app-1"), "")
		self.publish()
		self.assertEqual(self.published(), [ours])
		with self.assertRaises(TokenError):
			self.accepted(self.token())

	def test_an_apps_key_does_not_stand_in_for_one_of_the_sites(self) -> None:
		keys.accept("app-1", self.pem())
		with self.assertRaisesRegex(GateKeyError, "no key yet"):
			minting.mint([])
		keys.ensure()
		(ours,) = set(self.states()) - {"app-1"}
		made = keys.revoke(ours)
		self.assertNotIn(made, ("", "app-1"))

	def test_what_is_no_public_key_is_refused_and_a_private_one_is_not_kept(self) -> None:
		rsa = generate_private_key(65537, 2048)
		private = self.app.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
		for wrong in ("", "no key", "ü", self.pem(rsa), private, self.pem()[:60]):
			with self.assertRaisesRegex(GateKeyError, "openssl pkey -in gate.pem -pubout"):
				keys.accept("app-1", wrong)
		for name in ("", "صنف", "a b", "a" * 65, "../x"):
			with self.assertRaisesRegex(GateKeyError, "1 to 64 letters"):
				keys.accept(name, self.pem())
		keys.accept("app-1", self.pem())
		for name in ("app-1", "App-1"):
			with self.assertRaisesRegex(GateKeyError, "app-1 already"):
				keys.accept(name, self.pem())
		with patch.object(keys, "MOST", 1), self.assertRaisesRegex(GateKeyError, "1 keys already"):
			keys.accept("app-2", self.pem())
		self.assertEqual(set(self.states()), {"app-1"})


class TestSecrets(KeysTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.set_user, "Administrator")
		self.kid = self.live_key()
		self.private = get_decrypted_password(keys.TABLE, self.kid, "private_key")

	def everything(self) -> str:
		"""What the database and the place hold as text, encrypted passwords too."""
		found = []
		for table in frappe.db.sql("show full tables where table_type = 'BASE TABLE'", pluck=True):
			found.append(str(frappe.db.sql(f"select * from `{table}`")))
		found += [str(self.read_bytes(path)) for path in self.all_paths()]
		return "\n".join(found)

	def test_the_private_key_is_nowhere_as_it_is(self) -> None:
		self.assertEqual(len(self.private), 43)
		keys.rotate()
		self.publish()
		everything = self.everything()
		self.assertIn(self.kid, everything)
		self.assertNotIn(self.private, everything)

	def test_admins_read_a_key_without_its_private_part_and_nobody_writes_one(self) -> None:
		editor = make_user(self, "editor@keys.test", EDITOR)
		admins = [
			make_user(self, f"{frappe.scrub(role)}@keys.test", role) for role in (ADMIN, "System Manager")
		]
		for user in admins:
			frappe.set_user(user)
			self.assertNotIn(self.private, json.dumps(client.get(keys.TABLE, self.kid), default=str))
			self.assertEqual(
				[bool(frappe.has_permission(keys.TABLE, right)) for right in ("create", "write", "delete")],
				[False] * 3,
			)
		frappe.set_user(editor)
		with self.assertRaises(frappe.PermissionError):
			client.get(keys.TABLE, self.kid)

	def test_an_error_log_of_a_failure_does_not_hold_it(self) -> None:
		with patch.object(minting.tokens, "encode", side_effect=RuntimeError("no room")):
			try:
				minting.mint(["A"])
			except RuntimeError:
				frappe.log_error("Minting failed")
		clock.skip(WAIT)
		with patch.object(database, "upsert", side_effect=RuntimeError("no room")):
			try:
				keys.rotate()
			except RuntimeError:
				frappe.log_error("Rotating failed")
		logged = str(frappe.get_all("Error Log", ["method", "error"]))
		self.assertIn("no room", logged)
		self.assertNotIn(self.private, logged)

	def test_a_lost_encryption_key_is_said_with_what_to_do(self) -> None:
		with patch.dict(frappe.local.conf, encryption_key=Fernet.generate_key().decode()):
			with self.assertRaisesRegex(GateKeyError, f"{self.kid} cannot be decrypted.*gate-keys rotate"):
				minting.mint([])
			self.assertEqual(list(gate.gate_keys()), [])  # no gate is switched on
			self.addCleanup(site_values.write, gate_switch.NOTE, site_values.read(gate_switch.NOTE))
			site_values.write(gate_switch.NOTE, "private")
			(said,) = gate.gate_keys()
			self.assertEqual((said.check, said.level), ("gate keys", "error"))
			self.assertRegex(said.message, "cannot be decrypted.*gate-keys rotate")
			self.assertEqual(frappe.get_message_log(), [])
			new = keys.rotate()
			self.publish()
			clock.skip(WAIT)
			self.assertEqual(self.kid_of(minting.mint([])), new)
		with patch.dict(frappe.local.conf, encryption_key="no key"):
			with self.assertRaisesRegex(GateKeyError, "encryption_key in site_config.json is no key"):
				keys.rotate()
		frappe.db.delete("__Auth", {"doctype": keys.TABLE})
		with self.assertRaisesRegex(GateKeyError, "cannot be decrypted"):
			minting.mint([])


class TestCommands(KeysTestCase):
	def says(self, exit_code: int, *arguments: str, answer: str = "") -> str:
		result = run_command("gate-keys", *arguments, answer=answer)
		self.assertEqual(result.exit_code, exit_code, result.output)
		return result.output

	def test_a_life_by_commands(self) -> None:
		self.publish()
		self.assertIn("gate-keys rotate makes the first", self.says(1))
		kid = json.loads(self.says(0, "rotate", "--json"))["kid"]
		self.assertIn("does not sign yet", self.says(1, "list"))
		self.assertIn(f"{kid} is new", self.says(2, "rotate"))
		self.publish()
		clock.skip(WAIT)
		self.assertRegex(self.says(0, "list"), rf"{kid} +signs ")
		listed = json.loads(self.says(0, "list", "--json"))
		self.assertEqual([(key["kid"], key["state"]) for key in listed], [(kid, "signs")])
		self.assertIn("Nothing was revoked", self.says(2, "revoke", kid, answer="n\n"))
		said = self.says(0, "revoke", kid, "--yes")
		self.assertIn(f"{kid} is revoked", said)
		self.assertIn("No other key signs here", said)
		self.assertIn("STILL ACCEPTED", self.says(1, "list"))
		self.publish()
		self.assertNotIn("STILL ACCEPTED", self.says(1, "list"))
		pem = Ed25519PrivateKey.generate().public_key()
		pem = pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
		self.assertIn("what is signed with app-1", self.says(0, "accept", "app-1", answer=pem))
		self.assertIn("no public key", self.says(2, "accept", "app-2", answer="?"))
		self.publish()
		self.assertRegex(self.says(1, "list"), "app-1 +an app's, accepted")
		self.assertIn("no key nothing", self.says(2, "revoke", "nothing", "--yes"))


class TestEndpoints(KeysTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.web = Web()
		self.users = {
			role: self.web.make_user(f"{frappe.scrub(role)}@keys.test", role)
			for role in (EDITOR, ADMIN, "System Manager")
		}
		for user in self.users.values():
			self.addClassCleanup(drop_user, user)

	def call(self, user: str, method: str, http: str = "POST", **given: str) -> tuple[int, Any]:
		answer = self.web.call(user, f"memora.api.gate_keys.{method}", http, **given)
		frappe.db.rollback()  # see what was written
		return answer.status_code, answer.get_json().get("message")

	def test_admins_list_rotate_and_revoke_and_nobody_else_does(self) -> None:
		for user in ("Guest", self.users[EDITOR]):
			for method, http in (
				("listed", "GET"),
				("rotate", "POST"),
				("accept", "POST"),
				("revoke", "POST"),
			):
				self.assertEqual(
					self.call(user, method, http, kid="x", public_key="x")[0], 403, (user, method)
				)
		self.assertEqual(keys.listed(), [])
		for role in (ADMIN, "System Manager"):
			status, made = self.call(self.users[role], "rotate")
			self.assertEqual(status, 200)
			status, listed = self.call(self.users[role], "listed", "GET")
			self.assertEqual((listed[0]["kid"], listed[0]["state"]), (made["kid"], "waits"))
			status, taken = self.call(self.users[role], "revoke", kid=made["kid"])
			self.assertEqual(frappe.db.get_value(keys.TABLE, made["kid"], "revoked_by"), self.users[role])
			self.call(self.users[role], "revoke", kid=taken["made"])
			frappe.db.delete(keys.TABLE)
			frappe.db.commit()

	def test_what_changes_something_is_post_only(self) -> None:
		for method in ("rotate", "accept", "revoke"):
			self.assertEqual(self.call(self.users[ADMIN], method, "GET", kid="x", public_key="x")[0], 403)
		self.assertEqual(self.call(self.users[ADMIN], "accept", kid="x", public_key="x")[0], 417)
		self.assertEqual(self.call(self.users[ADMIN], "revoke", kid="x")[0], 417)
