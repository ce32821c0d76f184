"""Tokens as memora makes them: what is made is accepted, and what would be refused is not made."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from memora.exceptions import KeysError, TokenError
from memora.services.access_gate.rules import tokens

SITE = "5c1e" * 8
NOW = 1_796_000_000
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {"2026-12": tokens.Key(PRIVATE.public_key())}


def made(items: list[str], seconds: int = 3600, form: tokens.Form = tokens.HEADER) -> str:
	return tokens.encode(items, site=SITE, kid="2026-12", key=PRIVATE, iat=NOW, seconds=seconds, form=form)


def accepted(token: str, form: tokens.Form = tokens.HEADER, now: float = NOW) -> list[str]:
	return tokens.items_of(token, form=form, site=SITE, now=now, find_key=KEYS.get)


@given(
	st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20),
	st.sampled_from((tokens.HEADER, tokens.PATH)),
)
def test_what_is_made_is_accepted_in_its_place_alone(items: list[str], form: tokens.Form) -> None:
	token = made(items, form.seconds, form)
	assert accepted(token, form) == items
	other = tokens.PATH if form == tokens.HEADER else tokens.HEADER
	with pytest.raises(TokenError):
		accepted(token, other)


@pytest.mark.parametrize(
	("form", "seconds"),
	[(tokens.HEADER, 86_401), (tokens.PATH, 14_401), (tokens.HEADER, 0), (tokens.PATH, -1)],
)
def test_a_token_that_lasts_too_long_is_not_made(form: tokens.Form, seconds: int) -> None:
	with pytest.raises(ValueError, match="seconds"):
		made([], seconds, form)


@pytest.mark.parametrize("form", [tokens.HEADER, tokens.PATH])
def test_a_token_that_is_too_large_is_not_made(form: tokens.Form) -> None:
	items = [f"ITEM-{number:05}" for number in range(300)]
	fits = next(many for many in range(300, 0, -1) if _fits(items[:many], form))
	assert 50 < fits < 300
	assert accepted(made(items[:fits], form=form), form) == items[:fits]
	with pytest.raises(ValueError, match=f"{form.bytes} are allowed: {fits + 1} items"):
		made(items[: fits + 1], form=form)


def _fits(items: list[str], form: tokens.Form) -> bool:
	try:
		return bool(made(items, form=form))
	except ValueError:
		return False


def test_the_published_keys_are_public_and_read_back() -> None:
	until = tokens.Key(PRIVATE.public_key(), nbf=NOW, exp=NOW + 60)
	document = tokens.keys_document({**KEYS, "until": until})
	assert "d" not in json.loads(document)["keys"][0]
	read = tokens.keys_of(document)
	assert list(read) == ["2026-12", "until"]
	assert read["until"][1:] == (NOW, NOW + 60) and read["2026-12"][1:] == (None, None)
	assert accepted(made(["A"])) == tokens.items_of(
		made(["A"]), form=tokens.HEADER, site=SITE, now=NOW, find_key=read.get
	)


@pytest.mark.parametrize(
	"document", [None, b"", b"x" * 20_000, b'{"keys": [{"kty": "OKP", "crv": "Ed25519"}]}']
)
def test_keys_that_cannot_be_read_are_an_error(document: bytes | None) -> None:
	with pytest.raises(KeysError):
		tokens.keys_of(document)


def test_a_token_holds_what_the_page_says() -> None:
	header, claims, _ = made(["صنف ٢"], form=tokens.PATH).split(".")
	assert json.loads(urlsafe_b64decode(header + "==")) == {"alg": "EdDSA", "typ": "JWT", "kid": "2026-12"}
	expected = {"iss": SITE, "iat": NOW, "exp": NOW + 3600, "items": ["صنف ٢"], "use": "player"}
	assert json.loads(urlsafe_b64decode(claims + "==")) == expected
