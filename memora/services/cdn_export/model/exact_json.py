"""JSON whose every value is published as it was written.

Files are written with orjson, which holds a number as a 64-bit integer or a double and a text as UTF-8. What
does not survive that is refused here, in a sentence, rather than published as another value:

- integers beyond 64 bits, numbers with more digits than a double has, and `-0`;
- NaN and Infinity, which are no JSON (RFC 8259, section 6);
- half a surrogate pair, which is no Unicode text;
- a key that is twice in one object, since a reader keeps only one of them;
- more than `DEEPEST` levels of arrays and objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, DecimalException
from typing import Any

DEEPEST = 240
"""Levels of arrays and objects in a value. orjson writes 254, and a lesson's file has three around a config."""


def _(text: str) -> str:
	"""Marks a text that whoever shows it translates."""
	return text


_OBJECTS_AT_MOST = 100
"""With how many objects that had equal keys a value is compared."""


class InexactError(ValueError):
	"""A value would not be published as it was written: why, with a place for each thing it is about."""

	def __init__(self, reason: str, *about: str):
		super().__init__(reason.format(*about))
		self.reason = reason
		self.about = about


def loads(text: str) -> Any:
	"""What a JSON text says.

	Raises InexactError, or ValueError where it is no JSON at all.
	"""
	try:
		value = json.loads(
			text, parse_int=_integer, parse_float=_number, parse_constant=_constant, object_pairs_hook=_object
		)
	except RecursionError:
		raise _too_deep() from None
	check(value)
	return value


def check(value: Any) -> None:
	"""Raise InexactError unless this value, made of Python's own types, is published as it is."""
	for each in _all_in(value):
		if isinstance(each, str):
			_check_text(each)
		elif isinstance(each, bool) or each is None:
			pass
		elif isinstance(each, int):
			_check_integer(each)
		elif isinstance(each, float):
			if each != each or each in (float("inf"), float("-inf")):
				raise InexactError(_("{0} is not valid JSON. Leave it out, or put it in quotes."), str(each))
		elif not isinstance(each, dict | list | tuple):
			raise InexactError(_("a value of type {0} is no JSON."), type(each).__name__)


class Lost:
	"""What Frappe's parser loses of these texts, those of a request: it rounds numbers, and keeps the last of two equal
	keys. So a config that is sent as an object may have lost something before memora sees it."""

	def __init__(self, texts: Iterable[str]):
		self._numbers: dict[float, InexactError] = {}
		self._objects: list[tuple[dict[str, Any], InexactError]] = []
		for text in texts:
			try:
				json.loads(
					text, parse_int=self._integer, parse_float=self._number, object_pairs_hook=self._object
				)
			except (ValueError, RecursionError):
				continue  # no JSON, so no config came from it

	def check(self, value: Any) -> None:
		"""Raise InexactError if a value may be what is left of something that was sent."""
		if not self._numbers and not self._objects:
			return
		for each in _all_in(value):
			if isinstance(each, float) and each in self._numbers:
				raise self._numbers[each]
			if isinstance(each, dict):
				for kept, error in self._objects[:_OBJECTS_AT_MOST]:
					if kept == each:
						raise error

	def _integer(self, written: str) -> float:
		return self._noted(_integer, written)

	def _number(self, written: str) -> float:
		return self._noted(_number, written)

	def _noted(self, read: Callable[[str], float], written: str) -> float:
		try:
			return read(written)
		except InexactError as error:
			value = float(written)
			self._numbers.setdefault(value, error)
			return value

	def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
		try:
			_object(pairs)
		except InexactError as error:
			self._objects.append((dict(pairs), error))
		return dict(pairs)


def _all_in(value: Any) -> Iterator[Any]:
	"""A value and all in it, keys too. Raises InexactError below the deepest level."""
	level, depth = [value], 0
	while level:
		yield from level
		boxes = [each for each in level if isinstance(each, dict | list | tuple)]
		depth += bool(boxes)
		if depth > DEEPEST:
			raise _too_deep()
		level = []
		for box in boxes:
			if isinstance(box, dict):
				for key in box:
					if not isinstance(key, str):
						raise InexactError(_("the key {0} is no text. Put it in quotes."), repr(key))
				level.extend(box)
				level.extend(box.values())
			else:
				level.extend(box)


def _integer(written: str) -> int:
	if written == "-0":
		raise InexactError(_("{0} would be published as {1}. Write {1}."), "-0", "0")
	if len(written) > 20:  # Python refuses to read thousands of digits
		raise _beyond(written)
	value = int(written)
	_check_integer(value)
	return value


def _check_integer(value: int) -> None:
	if not -(2**63) <= value < 2**64:
		raise _beyond(str(value) if value.bit_length() < 300 else f"of {value.bit_length()} bits")


def _number(written: str) -> float:
	value = float(written)
	if not _is_exact(written, value):
		raise InexactError(
			_(
				"the number {0} would be published as {1}: it has more digits than a number holds."
				" Put it in quotes, or write fewer digits."
			),
			_short(written),
			repr(value),
		)
	return value


def _is_exact(written: str, value: float) -> bool:
	try:
		return Decimal(written) == Decimal(repr(value))
	except DecimalException:
		return False


def _constant(written: str) -> float:
	raise InexactError(_("{0} is not valid JSON. Leave it out, or put it in quotes."), written)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
	found = dict(pairs)
	if len(found) < len(pairs):
		seen: set[str] = set()
		for key, _value in pairs:
			if key in seen:
				raise InexactError(
					_("the key {0} is there twice in one object. Remove one of them."), _short(f'"{key}"')
				)
			seen.add(key)
	return found


def _check_text(text: str) -> None:
	try:
		text.encode()
	except UnicodeEncodeError as error:
		raise InexactError(
			_(
				"the text {0} is not valid JSON: it holds half a character ({1}), as a cut emoji leaves it. Write it again."
			),
			_short(text),
			f"\\u{ord(text[error.start]):04x}",
		) from None


def _beyond(written: str) -> InexactError:
	return InexactError(
		_("the number {0} is beyond 64 bits, so its digits would be lost. Put it in quotes."), _short(written)
	)


def _too_deep() -> InexactError:
	return InexactError(_("it is nested more than {0} levels deep."), str(DEEPEST))


def _short(text: str) -> str:
	text = text.encode(errors="replace").decode()
	return text if len(text) <= 60 else f"{text[:57]}…"
