"""The keys that sign the gate's tokens, for admins. No answer holds a private key."""

from __future__ import annotations

from typing import Any

from memora.api.endpoint import endpoint, told
from memora.services.access_gate import keys
from memora.services.cdn_export.admin import operations
from memora.services.cdn_export.model.plain_text import as_typed
from memora.services.cdn_export.model.roles import ADMINS


@endpoint(ADMINS, "GET")
@as_typed
def listed() -> list[dict[str, Any]]:
	"""All keys, the newest first: what each does and since when."""
	return keys.listed()


@endpoint(ADMINS, "POST")
@as_typed
def rotate() -> dict[str, Any]:
	"""Make the next key, and start a batch, which publishes it; `kid` is its name."""
	kid = told(keys.rotate)
	return {"kid": kid, **operations.start_batch()}


@endpoint(ADMINS, "POST")
@as_typed
def accept(kid: str, public_key: str) -> dict[str, Any]:
	"""Accept what an app signs with its own key, and start a batch, which publishes that."""
	told(lambda: keys.accept(kid, public_key))
	return {"kid": kid, **operations.start_batch()}


@endpoint(ADMINS, "POST")
@as_typed
def revoke(kid: str) -> dict[str, Any]:
	"""Take a key back, and start a batch, which publishes that; `made` is the key that was made in its place, if any."""
	made = told(lambda: keys.revoke(kid))
	return {"made": made, **operations.start_batch()}
