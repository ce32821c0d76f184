"""What a key of the gate is good for at a moment: follows from when it was made, went live and was taken back. Pure.

- A key signs once `gate/keys.json` has had it for `WAIT` seconds: the gate keeps that file for a minute.
- Of several that may sign, the newest does.
- A key that a newer one has followed leaves the file when the last token that it can have signed has expired everywhere.
- A key that was revoked is out of the file with its next build. If it was the newest, the one before signs again.
- The key of an app, which signs for itself, is in the file until it is revoked. It signs nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from memora.services.access_gate.rules.tokens import HEADER, SKEW

WAIT = 90
"""Seconds from when a key is in `gate/keys.json` until it signs. The gate keeps that file for 60 (`edge/tokens.js`)."""

STAYS = HEADER.seconds + 2 * SKEW
"""Seconds from a key's last token until no gate accepts it any more: its clock may be behind, and grants as much itself."""

State = Literal["waits", "signs", "leaves", "left", "revoked", "announced", "accepted"]
"""It is not live, or not for long enough; it signs; a newer one does, and its tokens are accepted; it was taken out
after that; an admin took it back; it is an app's, and not live yet, or live."""


class Row(NamedTuple):
	"""A key without its private part. Moments are in Unix seconds, None for never: when it was made, since when the file has
	it, when it was taken out in time, when it was revoked, and since when the file is without it. `of_app`: an app has its
	private part."""

	kid: str
	public: str
	made: float
	live_since: float | None = None
	retired: float | None = None
	revoked: float | None = None
	gone: float | None = None
	of_app: bool = False

	@property
	def is_published(self) -> bool:
		"""Whether the next build of `gate/keys.json` has it."""
		return self.retired is None and self.revoked is None

	@property
	def is_ours(self) -> bool:
		"""Whether the next build has it, and this site the private part."""
		return self.is_published and not self.of_app

	def may_sign(self, now: float) -> bool:
		"""Whether every gate knows it."""
		return self.is_ours and self.live_since is not None and now >= self.live_since + WAIT


def signer(rows: Iterable[Row], now: float) -> Row | None:
	"""The key that signs; None where none may yet, or any more."""
	return max((row for row in rows if row.may_sign(now)), key=_age, default=None)


def leaves_at(row: Row, rows: Iterable[Row]) -> float | None:
	"""When a key that others have followed leaves the file; None where none has."""
	followed = [
		other.live_since
		for other in rows
		if other.is_ours and _age(other) > _age(row) and other.live_since is not None
	]
	return min(followed) + WAIT + STAYS if row.is_ours and followed else None


def due(rows: Sequence[Row], now: float) -> list[Row]:
	"""The keys that leave the file now."""
	return [row for row in rows if (at := leaves_at(row, rows)) is not None and now >= at]


def state(row: Row, rows: Iterable[Row], now: float) -> State:
	"""What a key does at this moment."""
	if row.revoked is not None:
		return "revoked"
	if row.retired is not None:
		return "left"
	if row.of_app:
		return "announced" if row.live_since is None else "accepted"
	if not row.may_sign(now):
		return "waits"
	newest = signer(rows, now)
	return "signs" if newest and newest.kid == row.kid else "leaves"


def document(rows: Iterable[Row]) -> dict[str, Any]:
	"""`gate/keys.json`: a JSON Web Key Set of those keys that the gate accepts."""
	return {"keys": [_jwk(row) for row in sorted(rows, key=_age) if row.is_published]}


def _age(row: Row) -> tuple[float, str]:
	return row.made, row.kid


def _jwk(row: Row) -> dict[str, str]:
	kinds = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig"}
	return {**kinds, "kid": row.kid, "x": row.public}
