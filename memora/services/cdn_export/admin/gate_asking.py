"""What `gate_test` asks with: every address that leads to the files, a published paid lesson, and tokens for it."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Sequence

import frappe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from frappe.model.document import Document

from memora.exceptions import GateKeyError
from memora.services.access_gate import keys
from memora.services.access_gate.rules import tokens
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import gate_status, gate_test
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.admin.gate_test import Address, PaidLesson
from memora.services.cdn_export.delivery import http_session
from memora.services.cdn_export.state import gate_switch, ledger, site_key, site_values

_SECONDS = 300
_LONG_AGO = 7200


def prepare(doc: Document, bucket: str, translate: Callable[[str], str]) -> Callable[[], list[Finding]]:
	"""What asks every address that CDN Settings name, and the `bucket`'s own, for a paid lesson: that needs no database, so
	another thread may."""
	addresses = _addresses(doc, bucket)
	state = gate_status.read(site_values.read(gate_switch.NOTE))
	still_public = state["message"] if state and state["state"] != "private" else ""
	lesson = _lesson(translate)

	def ask() -> list[Finding]:
		with http_session.open_session() as http:
			return list(gate_test.run(http, addresses, lesson, still_public, translate))

	return ask


def _lesson(translate: Callable[[str], str]) -> PaidLesson | None:
	found = ledger.a_paid_lesson()
	if not found:
		return None
	path, version, items = found
	_ = translate
	if not items:
		return PaidLesson(path, version, {}, _("The codes of its items are too long to be read back."))
	try:
		return PaidLesson(path, version, _tokens(items))
	except GateKeyError as error:
		return PaidLesson(path, version, {}, str(error))


def _tokens(items: Sequence[str]) -> dict[str, str]:
	"""A token of each kind. Raises GateKeyError where no key signs, ValueError never: the items are one lesson's."""
	kid, secret = keys.signing()
	site, now = site_key.site_hash(), int(time.time())

	def token(codes: Sequence[str], *, key: Ed25519PrivateKey = secret, iat: int = now) -> str:
		return tokens.encode(codes, site=site, kid=kid, key=key, iat=iat, seconds=_SECONDS)

	return {
		"right": token(items),
		"wrong": token([f"memora-test-{secrets.token_hex(8)}"]),
		"expired": token(items, iat=now - _LONG_AGO),
		"forged": token(items, key=Ed25519PrivateKey.generate()),
	}


def _addresses(doc: Document, bucket: str) -> list[Address]:
	"""Every address at which files can be asked for, each once; the gate first."""
	served = ""
	if settings.is_served_by_site(doc):
		public = os.path.realpath(frappe.get_site_path("public"))
		served = frappe.utils.get_url(
			f"/{os.path.relpath(os.path.realpath(settings.local_path(doc)), public)}"
		)
	found: dict[str, Address] = {}
	for address in (
		Address(settings.gate_url(doc), "gate"),
		Address(served, "site"),
		Address(settings.base_url(doc), "base url"),
		Address(bucket.rstrip("/"), "bucket"),
		*(Address(url, "other") for url in settings.other_addresses(doc)),
	):
		if address.url:
			found.setdefault(address.url, address)
	return list(found.values())
