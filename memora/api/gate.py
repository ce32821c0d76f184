"""Tokens for the gate: an app gets one for the learner who is signed in at this site.

An app with a login of its own makes its tokens itself (docs/gate.md).
"""

from __future__ import annotations

from collections.abc import Callable

import frappe
from frappe import _
from werkzeug.wrappers import Response

from memora.api.endpoint import json_answer, member_endpoint, told
from memora.exceptions import GateKeyError, MintingError
from memora.services.access_gate import lesson_items, minting, owned_items


@member_endpoint(limit=30)
def token(seconds: int = minting.HOUR) -> Response:
	"""A token for the header, with all that the caller owns, for so many seconds: an hour unless told otherwise, a day at
	most."""

	def make() -> str:
		return minting.mint(owned_items.of_user(frappe.session.user), seconds=seconds)

	return _answer(make, seconds)


@member_endpoint(limit=60)
def player_token(lesson: str, seconds: int = minting.HOUR) -> Response:
	"""A token for the path, with what one lesson asks for, if the caller owns that: four hours at most.

	A lesson that is not live and one that the caller does not own are answered alike.
	"""

	def make() -> str:
		needed = lesson_items.needed_of(lesson, owned_items.of_user(frappe.session.user))
		if needed is None:
			raise frappe.PermissionError(_("There is no such lesson, or you do not own it."))
		return minting.mint(needed, seconds=seconds, player=True)

	return _answer(make, seconds)


def _answer(make: Callable[[], str], seconds: int) -> Response:
	signed = told(lambda: _made(make))
	return json_answer({"token": signed, "expires_in": seconds})


def _made(make: Callable[[], str]) -> str:
	"""The token. What is wrong with the site's keys is told to admins, in the log."""
	try:
		return make()
	except GateKeyError as error:
		frappe.logger("memora").error(f"No token can be made for the gate: {error}")
		raise MintingError(_("No token can be made just now. Try again later.")) from error
