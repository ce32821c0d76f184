"""JSON as JavaScript reads it: UTF-8 without a byte order mark, and no NaN."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def strict_json(text: bytes) -> Any:
	"""The value that these bytes are. Raises ValueError where they are no JSON."""
	try:
		return json.loads(text.decode(), parse_constant=_refuse)
	except RecursionError as error:
		raise ValueError("it is nested too deeply") from error


def _refuse(name: str) -> NoReturn:
	raise ValueError(f"{name} is no JSON")
