"""Addresses that hold a picture themselves: `data:image/png;base64,…`. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from memora.services.cdn_export.rules.refused_file import Refused

_ANYWHERE = re.compile(r"data:image\b", re.IGNORECASE)
_PICTURE = re.compile(r"\s*data:image/([a-z0-9.+-]{1,40})((?:;[^,;]*)*),(.*)", re.IGNORECASE | re.DOTALL)
_EXTENSIONS = {"jpeg": "jpg", "pjpeg": "jpg", "svg+xml": "svg", "x-png": "png"}


def may_hold(text: str) -> bool:
	"""Whether a text may hold such an address; fast, for texts of any size."""
	return bool(_ANYWHERE.search(text))


def is_picture(address: str) -> bool:
	"""Whether an address holds a picture."""
	return bool(_PICTURE.match(address))


def decoded(address: str) -> tuple[str, bytes]:
	"""The extension and content of a picture. Raises Refused for what cannot be decoded."""
	found = _PICTURE.match(address)
	if not found:
		raise Refused("content", "?")
	kind = found[1].lower()
	extension = _EXTENSIONS.get(kind, kind)
	if not found[2].lower().endswith(";base64"):
		return extension, unquote_to_bytes(found[3])
	try:
		return extension, base64.b64decode(
			"".join(unquote_to_bytes(found[3]).decode("ascii").split()), validate=True
		)
	except (binascii.Error, ValueError) as error:
		raise Refused("content", extension.upper()) from error
