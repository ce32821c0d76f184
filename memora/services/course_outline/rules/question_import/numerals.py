"""Numbers as people type them: digits of any script, a decimal comma, thousands."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation, localcontext

_MINUS = re.compile(r"^[\u2010-\u2015\u2212]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]")
_THOUSANDS_BY_SPACE = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’٬](?=\d{3}(?!\d))")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST = 60
_LARGEST_EXPONENT = 40


class Ambiguous(ValueError):
	"""1,234 may be a thousand and more, or one and a bit."""


def canonical(text: str) -> str | None:
	"""A number as configs have it, with a point: `-3.5`. None for what is no number. Raises Ambiguous for 1,234."""
	number = western(_INVISIBLE.sub("", text).strip())
	if not number or len(number) > _LONGEST:
		return None
	number = _THOUSANDS_BY_SPACE.sub("", _MINUS.sub("-", number)).replace("٫", ".")
	if _AMBIGUOUS.fullmatch(number):
		raise Ambiguous(text)
	if re.fullmatch(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", number):
		number = number.replace(",", "")
	elif re.fullmatch(r"[+-]?[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})", number):
		number = number.replace(".", "").replace(",", ".")
	elif number.count(",") == 1 and "." not in number:
		number = number.replace(",", ".")
	if not _PLAIN.fullmatch(number):
		return None
	value = as_decimal(number)
	return (
		number.lstrip("+").rstrip(".") if value is not None and "e" not in number.lower() else _written(value)
	)


def western(text: str) -> str:
	"""The text with the digits of every script as 0 to 9."""
	if text.isascii():
		return text
	return "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)


def as_decimal(number: str) -> Decimal | None:
	"""The exact value; None for one that no lesson needs and no browser holds."""
	try:
		value = Decimal(number)
	except InvalidOperation:
		return None
	return value if value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT else None


def middle(low: str, high: str) -> tuple[str, Decimal]:
	"""The middle of a range, and how far its ends are from there. Raises ValueError for what is no range."""
	ends = as_decimal(canonical(low) or ""), as_decimal(canonical(high) or "")
	if ends[0] is None or ends[1] is None or ends[1] < ends[0]:
		raise ValueError(low)
	with localcontext() as context:
		context.prec = 2 * _LONGEST
		return _written((ends[0] + ends[1]) / 2) or "0", (ends[1] - ends[0]) / 2


def as_json(value: Decimal) -> int | float:
	"""The value as JSON has it, a whole number without a point."""
	return int(value) if value == value.to_integral_value() and value < 10**15 else float(value)


def _written(value: Decimal | None) -> str | None:
	if value is None:
		return None
	text = format(value, "f")
	return text.rstrip("0").rstrip(".") if "." in text else text
