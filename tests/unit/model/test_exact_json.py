"""JSON is published with every value as it was written, or refused."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memora.services.cdn_export.model import exact_json

REFUSED = (
	'{"id": 123456789012345678901234567890}',
	'{"id": 18446744073709551616}',
	'{"id": -9223372036854775809}',
	'{"id": ' + "9" * 5000 + "}",
	'{"x": 0.1000000000000000055}',
	'{"x": 1e400}',
	'{"x": -1e400}',
	'{"x": 1e-400}',
	'{"x": 9007199254740993.5}',
	'{"x": 3.14159265358979323846}',
	'{"x": 123456789012345678901234567890.0}',
	'{"x": 1e99999999999999999999}',
	'{"x": -0}',
	'{"x": NaN}',
	'{"x": Infinity}',
	'{"x": [-Infinity]}',
	'{"t": "\\ud83d cut"}',
	'{"\\udc00": 1}',
	'{"\\ud83d": 1, "\\ud83d": 2}',
	'{"a": 1, "a": 1}',
	'{"a": {"b": 1, "c": 2, "b": 3}}',
	'{"a":' * 241 + "1" + "}" * 241,
	"[" * 100_000 + "]" * 100_000,
)
KEPT = (
	"{}",
	'{"a": "\\u0000", "b": "\u2028\\ud83d\\ude00", "": null, "\\"": [[]]}',
	'{"n": [18446744073709551615, -9223372036854775808, 9007199254740993, 0.1, 1E5, -0.0, 1e-7, 5e-324, 1.50, 0e0]}',
	'{"x": 100000000000000000000000.0}',
	'{"x": 1.7976931348623157e308}',
	'{"a":' * 240 + "1" + "}" * 240,
)
PLACES = 3
"""Levels that a lesson's file puts around a config."""


def published(value: Any) -> Any:
	"""What a reader that keeps every digit finds in a file with this config in it."""
	for _ in range(PLACES):
		value = [value]
	text = orjson.dumps(value).decode()
	found = json.loads(text, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=tuple)
	for _ in range(PLACES):
		(found,) = found
	return found


def written(text: str) -> Any:
	return json.loads(text, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=tuple)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_what_would_change_is_refused_in_a_sentence(text: str) -> None:
	with pytest.raises(exact_json.InexactError) as refused:
		exact_json.loads(text)
	assert str(refused.value).endswith(".") and len(str(refused.value)) < 300
	str(refused.value).encode()


@pytest.mark.parametrize("text", KEPT, ids=lambda text: text[:30])
def test_what_stays_is_kept(text: str) -> None:
	value = exact_json.loads(text)
	exact_json.check(value)
	assert published(orjson.loads(text)) == written(text)


@pytest.mark.parametrize(
	"text", ['{"a": 1', "{'a': 1}", '{"a": 1,}', '{"a": 01}', '{"a": .5}', "", '{"a": "\t"}', "\ufeff{}"]
)
def test_what_is_no_json_is_refused_as_such(text: str) -> None:
	with pytest.raises(ValueError) as refused:
		exact_json.loads(text)
	assert not isinstance(refused.value, exact_json.InexactError)


@pytest.mark.parametrize(
	"value",
	[
		10**30,
		-(10**400),
		2**64,
		math.nan,
		math.inf,
		"\ud83d",
		{1: 2},
		{None: 1},
		{"\udfff": 1},
		{"a": b"x"},
		[{1, 2}],
		1j,
	],
	ids=lambda value: type(value).__name__,
)
def test_an_object_that_cannot_be_published_is_refused(value: Any) -> None:
	with pytest.raises(exact_json.InexactError):
		exact_json.check({"x": value})


_numbers = st.one_of(
	st.integers(-(10**25), 10**25).map(str),
	st.floats(allow_nan=False, allow_infinity=False).map(repr),
	st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
	st.sampled_from(["NaN", "Infinity", "-0", "-0.0", "1e400"]),
)
_texts = st.text(st.characters(exclude_categories=()), max_size=8).map(lambda text: json.dumps(text))
_raw_texts = st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False))
_values = st.recursive(
	st.one_of(_numbers, _texts, _raw_texts, st.sampled_from(["true", "false", "null"])),
	lambda inner: st.one_of(
		st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
		st.lists(st.tuples(_texts, inner), max_size=4).map(
			lambda items: "{" + ",".join(f"{key}:{value}" for key, value in items) + "}"
		),
	),
	max_leaves=12,
)


@settings(max_examples=400)
@given(_values)
def test_any_json_is_kept_or_refused(text: str) -> None:
	try:
		value = exact_json.loads(text)
	except exact_json.InexactError:
		return
	exact_json.check(value)
	assert published(orjson.loads(text)) == written(text)
	assert published(value) == written(text)


@settings(max_examples=400)
@given(_values)
@example('{"":0,"":9007199254740993}')  # which no double holds
def test_an_object_of_which_frappe_lost_something_is_refused(text: str) -> None:
	"""As a request sends it: Frappe's parser is Python's own, or orjson."""
	body = f'{{"doctype": "Memora Lesson", "stages": [{{"config": {{"x": {text}}}}}]}}'
	for parse in (json.loads, orjson.loads):
		try:
			config = parse(body)["stages"][0]["config"]
			exact_json.check(config)
			exact_json.Lost([body]).check(config)
		except ValueError:
			continue
		assert published(config) == written(text and f'{{"x": {text}}}')


def test_what_a_text_elsewhere_loses_is_no_matter() -> None:
	lost = exact_json.Lost(['{"x": 0.1000000000000000055, "y": {"a": 1, "a": 2}}', "no JSON", '{"x": 1e400}'])
	lost.check({"x": 0.5, "y": {"a": 1}, "z": [1, "t", None]})
	for value in (0.1, {"a": 2}):
		with pytest.raises(exact_json.InexactError):
			lost.check({"any": [value]})
