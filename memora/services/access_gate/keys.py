"""Memora Gate Key: the keys that sign the gate's tokens. Made, rotated, revoked, and taken out when they are no longer needed;
and the public keys of apps that sign tokens themselves.

Each private key is encrypted by the site's `encryption_key`, where Frappe keeps passwords. It is readable in `_seal` and `signing`
alone, under names that Frappe leaves out of its error logs, and no error carries it. The list of plans publishes the public
keys (`builds/schemas_and_keys`); `rules/key_states` says what each key is good for. The columns' moments are in UTC, so that no
change of clocks shortens a key's life.
"""

from __future__ import annotations

import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import frappe
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
	Encoding,
	NoEncryption,
	PrivateFormat,
	PublicFormat,
	load_pem_public_key,
)
from frappe import _
from frappe.utils.password import encrypt, get_decrypted_password

from memora.exceptions import GateKeyError
from memora.services.access_gate.rules import key_states
from memora.services.access_gate.rules.key_states import Row
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import database, publish_state

TABLE = "Memora Gate Key"

MOST = 12
"""Keys in the file at a time: far below what the gate reads, more than anybody needs."""

_PRIVATE = "private_key"
_PATIENCE_SECONDS = 10
_COLUMNS = ("live_since", "retired", "revoked", "gone")
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Signing(NamedTuple):
	"""The key that signs: its name, and its private part."""

	kid: str
	secret: Ed25519PrivateKey


def rows() -> list[Row]:
	"""All keys, the oldest first; a row that something else has inserted, without what makes a key, is none. One statement."""
	found = frappe.db.sql(
		f"""select name, public_key, of_app, made, {", ".join(_COLUMNS)}
		from `tab{TABLE}` where made is not null and public_key is not null order by made, name"""
	)
	return [
		Row(kid, public, *map(_seconds, moments))._replace(of_app=bool(of_app))  # type: ignore[arg-type]
		for kid, public, of_app, *moments in found
	]


def ensure() -> None:
	"""Have a key where there is none yet: for when the gate is switched on. Commits.

	Raises GateKeyError where the key cannot be kept.
	"""
	_alone(lambda: [] if any(row.is_ours for row in rows()) else [_make()])


def rotate() -> str:
	"""Make the next key, the first one too, and return its name. It is published with the next batch, and signs after that
	(`key_states.WAIT`); the key before signs until then. Commits.

	Raises GateKeyError where a new key is on its way already, where there are too many, or where it cannot be kept.
	"""

	def make() -> list[str]:
		now, there = time.time(), rows()
		for row in there:
			if row.is_ours and not row.may_sign(now):
				raise GateKeyError(
					_(
						"Key {0} is new and does not sign yet. Wait until it does, or revoke it: a newer key would have to wait as long."
					).format(row.kid)
				)
		_require_room(there)
		return [_make()]

	return _alone(make)[0]


def accept(kid: str, public_key: str) -> None:
	"""Have the gate accept what an app signs with a key of its own: `kid` is the name that the app's tokens give it, `public_key`
	its public part as PEM. Published with the next batch, until it is revoked. Commits.

	Raises GateKeyError where the name is none or taken, where this is no public key of Ed25519, and where there are too many.
	"""
	if not _KID.fullmatch(kid):
		raise GateKeyError(
			_(
				"A key's name has 1 to 64 letters of a to z, digits, dots, dashes and underscores: {0} has not."
			).format(kid)
		)
	public = _public_of(public_key)

	def add() -> list[str]:
		if taken := frappe.db.exists(TABLE, kid):  # names that differ in case alone are one to the database
			raise GateKeyError(_("There is a key {0} already. Choose another name.").format(taken))
		_require_room(rows())
		database.upsert(
			TABLE,
			("name", "public_key", "made", "of_app"),
			[(kid, public, _moment(time.time()), 1)],
			"name = name",
		)
		_publish()
		return [kid]

	_alone(add)


def revoke(kid: str) -> str:
	"""Take a key back, so that the gate refuses what it has signed: within a minute after the next batch. Its private part
	is gone at once. If no other key is left that signs here, a new one is made; returns its name, else "". Commits.

	Raises GateKeyError where there is no such key, or it is no longer published anyway.
	"""

	def take_back() -> list[str]:
		there = {row.kid: row for row in rows()}
		if kid not in there:
			raise GateKeyError(_("There is no key {0}.").format(kid))
		if not there[kid].is_published:
			raise GateKeyError(_("Key {0} has been taken out already.").format(kid))
		_end([kid], "revoked", time.time())
		frappe.db.sql(f"update `tab{TABLE}` set revoked_by = %s where name = %s", (frappe.session.user, kid))
		is_needed = not there[kid].of_app and not any(row.is_ours for row in there.values() if row.kid != kid)
		return [_make()] if is_needed else []

	return next(iter(_alone(take_back)), "")


def hourly() -> None:
	"""Take keys out whose last token has expired. The next batch publishes that. Commits."""
	if key_states.due(rows(), time.time()):
		_alone(_retire)


def note_published(seen: Iterable[Row]) -> None:
	"""Note since when the file has the keys that a build saw, or is without them; in the caller's transaction."""
	seen = list(seen)
	live = [row.kid for row in seen if row.is_published and row.live_since is None]
	gone = [row.kid for row in seen if not row.is_published and row.gone is None]
	for column, names in (("live_since", live), ("gone", gone)):
		database.update_names(TABLE, names, f"{column} = %s", (_moment(time.time()),))


def signing() -> Signing:
	"""The key that signs now.

	Raises GateKeyError where there is none, where none has been published for long enough, and where its private part
	cannot be decrypted.
	"""
	there, now = rows(), time.time()
	row = key_states.signer(there, now)
	if row is None:
		raise GateKeyError(_why_none(there))
	return Signing(row.kid, _private(row.kid))


def listed() -> list[dict[str, Any]]:
	"""All keys for admins, the newest first: what each does, since when, and until when its tokens are accepted. Nothing of
	any private part."""
	there, now = rows(), time.time()
	return [
		{
			"kid": row.kid,
			"state": key_states.state(row, there, now),
			"of_app": row.of_app,
			"made": _aware(row.made),
			"live_since": _aware(row.live_since),
			"signs_from": _aware(
				row.live_since + key_states.WAIT if row.live_since and row.is_ours else None
			),
			"leaves_at": _aware(key_states.leaves_at(row, there)),
			"gone": _aware(row.gone),
			"still_accepted": not row.is_published and row.live_since is not None and row.gone is None,
		}
		for row in reversed(there)
	]


def _why_none(there: Sequence[Row]) -> str:
	published = [row for row in there if row.is_ours]
	if not published:
		return _("The gate has no key yet. Make one: bench --site {0} memora gate-keys rotate").format(
			frappe.local.site
		)
	return _(
		"The gate's key {0} is new. It signs {1} seconds after it has been published in gate/keys.json, which a batch"
		" does: bench --site {2} memora gate-keys list"
	).format(published[-1].kid, key_states.WAIT, frappe.local.site)


def _require_room(there: Sequence[Row]) -> None:
	if sum(row.is_published for row in there) >= MOST:
		raise GateKeyError(
			_("There are {0} keys already. Revoke one, or wait until the oldest has left.").format(MOST)
		)


def _public_of(pem: str) -> str:
	"""A public key as `gate/keys.json` has it. Raises GateKeyError."""
	try:
		key = load_pem_public_key(pem.encode())
	except (ValueError, UnsupportedAlgorithm):
		key = None
	if not isinstance(key, Ed25519PublicKey):
		raise GateKeyError(
			_(
				"This is no public key of Ed25519 as PEM. Print it from the private one, which stays where it is: openssl pkey -in gate.pem -pubout"
			)
		)
	return _text(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _alone(work: Any) -> list[str]:
	"""Do it while no other worker makes or ends keys. Raises GateKeyError where another one takes too long."""
	with database.alone("memora_gate_keys", _PATIENCE_SECONDS) as is_alone:
		if not is_alone:
			raise GateKeyError(_("Another worker is changing the gate's keys. Try again."))
		result: list[str] = database.transaction(work)
	return result


def _make() -> str:
	now = time.time()
	kid = f"{datetime.fromtimestamp(now, timezone.utc):%Y%m%d}-{secrets.token_hex(4)}"
	pair = Ed25519PrivateKey.generate()
	sealed = _seal(pair)
	public = _text(pair.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
	database.upsert(
		TABLE,
		("name", "public_key", _PRIVATE, "made"),
		[(kid, public, "*" * 8, _moment(now))],
		"name = name",
	)
	# As Frappe's own function writes it, which would keep the key readable in a traceback of a failing statement.
	frappe.db.sql(
		"insert into `__Auth` (doctype, name, fieldname, password, encrypted) values (%s, %s, %s, %s, 1)",
		(TABLE, kid, _PRIVATE, sealed),
	)
	_publish()
	return kid


def _retire() -> list[str]:
	now = time.time()
	names = [row.kid for row in key_states.due(rows(), now)]
	if names:
		_end(names, "retired", now)
	return names


def _end(names: list[str], column: str, now: float) -> None:
	"""Take keys out of the file for this reason, and forget their private parts, in the caller's transaction."""
	database.update_names(TABLE, names, f"{column} = %s", (_moment(now),))
	frappe.db.sql("delete from `__Auth` where doctype = %s and name in %s", (TABLE, tuple(names)))
	_publish()


def _publish() -> None:
	"""Have the file written with the next batch, in the caller's transaction."""
	publish_state.raise_generations([scopes.INDEX])


def _seal(pair: Ed25519PrivateKey) -> str:
	"""The private key, encrypted. Raises GateKeyError where the site's encryption_key is no key."""
	secret = _text(pair.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
	said = len(frappe.local.message_log)
	try:
		return str(encrypt(secret))
	except frappe.ValidationError:
		del frappe.local.message_log[said:]
		raise GateKeyError(
			_(
				"encryption_key in site_config.json is no key, so no private key can be kept. Put the right one there."
			)
		) from None


def _private(kid: str) -> Ed25519PrivateKey:
	said = len(frappe.local.message_log)
	try:
		secret = get_decrypted_password(TABLE, kid, _PRIVATE, raise_exception=False)
	except (frappe.ValidationError, frappe.AuthenticationError):
		secret = None
	del frappe.local.message_log[said:]
	try:
		return Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(f"{secret or ''}="))
	except ValueError:
		raise GateKeyError(
			_(
				"The private part of the gate's key {0} cannot be decrypted: the site was restored without its encryption_key. Put"
				" the old one into site_config.json, or make a new key: bench --site {1} memora gate-keys rotate"
			).format(kid, frappe.local.site)
		) from None


def _text(raw: bytes) -> str:
	return urlsafe_b64encode(raw).decode().rstrip("=")


def _seconds(moment: datetime | None) -> float | None:
	return moment.replace(tzinfo=timezone.utc).timestamp() if moment else None


def _moment(seconds: float) -> datetime:
	return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)


def _aware(seconds: float | None) -> datetime | None:
	return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
