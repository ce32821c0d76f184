"""Tokens for the gate, signed by this site (docs/gate.md, "Tokens")."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from frappe import _

from memora.exceptions import MintingError
from memora.services.access_gate import keys
from memora.services.access_gate.rules import tokens
from memora.services.cdn_export.state import site_key

HOUR = 3600

_SURROGATE = re.compile("[\ud800-\udfff]")


def mint(items: Iterable[str], *, seconds: int = HOUR, player: bool = False) -> str:
	"""A token for who owns these items, for the header, or for the path of a player. It lasts from now on.

	Raises MintingError for one that the gate would refuse: it lasts too long or is too large, or an item is no text. Raises
	GateKeyError where no key can sign.
	"""
	form = tokens.PATH if player else tokens.HEADER
	codes = [] if isinstance(items, str) else list(items)
	if isinstance(items, str) or not all(
		isinstance(code, str) and not _SURROGATE.search(code) for code in codes
	):
		raise MintingError(_("The items of a token must be a list of texts."))
	if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= form.seconds:
		raise MintingError(
			_("A token of this kind lasts from 1 to {0} seconds, not {1}.").format(form.seconds, seconds)
		)
	kid, secret = keys.signing()
	codes = list(dict.fromkeys(codes))
	try:
		return tokens.encode(
			codes,
			site=site_key.site_hash(),
			kid=kid,
			key=secret,
			iat=int(time.time()),
			seconds=seconds,
			form=form,
		)
	except ValueError:  # all else has been looked at
		raise MintingError(
			_("{0} items are too many for a token: it may have {1} bytes.").format(len(codes), form.bytes)
		) from None
