"""Which key signs at which moment, and when one leaves `gate/keys.json`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memora.services.access_gate.rules import key_states, tokens
from memora.services.access_gate.rules.key_states import WAIT, Row

NOW = 1_796_000_000.0
DAY = 24 * 3600
KEPT_BY_THE_GATE = 60
OLD = Row("old", "x", NOW - 90 * DAY, live_since=NOW - 90 * DAY)
NEW = Row("new", "y", NOW, live_since=NOW + 300)


def signs(rows: list[Row], at: float) -> str | None:
	row = key_states.signer(rows, at)
	return row.kid if row else None


def test_a_new_key_signs_when_no_gate_can_have_the_file_without_it() -> None:
	assert WAIT > KEPT_BY_THE_GATE
	assert signs([OLD, NEW], NOW + 300 + WAIT - 1) == "old"
	assert signs([OLD, NEW], NOW + 300 + WAIT) == "new"
	assert signs([NEW], NOW + 300 + WAIT - 1) is None
	assert signs([NEW._replace(live_since=None)], NOW + 99 * DAY) is None


def test_the_one_before_is_published_until_its_last_token_has_expired_everywhere() -> None:
	rows = [OLD, NEW]
	last = NOW + 300 + WAIT
	at = key_states.leaves_at(OLD, rows)
	assert at is not None and at >= last + tokens.HEADER.seconds + 2 * tokens.SKEW
	assert at < last + tokens.HEADER.seconds + 600
	assert key_states.due(rows, at - 1) == []
	assert key_states.due(rows, at) == [OLD]
	assert key_states.leaves_at(NEW, rows) is None
	assert key_states.leaves_at(OLD, [OLD, NEW._replace(live_since=None)]) is None


def test_the_one_before_signs_again_when_the_newest_is_revoked() -> None:
	later = NOW + 300 + WAIT + 60
	rows = [OLD, NEW._replace(revoked=later)]
	assert signs(rows, later) == "old"
	assert key_states.leaves_at(OLD, rows) is None
	assert [key_states.state(row, rows, later) for row in rows] == ["signs", "revoked"]


def test_what_was_taken_out_never_signs_and_is_not_published() -> None:
	rows = [OLD._replace(retired=NOW), NEW._replace(revoked=NOW + 900)]
	assert signs(rows, NOW + 1000) is None
	assert key_states.document(rows) == {"keys": []}
	assert [key_states.state(row, rows, NOW) for row in rows] == ["left", "revoked"]


def test_states_in_the_course_of_a_rotation() -> None:
	rows = [OLD, NEW]
	assert [key_states.state(row, rows, NOW + 301) for row in rows] == ["signs", "waits"]
	assert [key_states.state(row, rows, NOW + 300 + WAIT) for row in rows] == ["leaves", "signs"]


def test_the_document_is_a_key_set_that_the_gate_reads() -> None:
	import orjson

	row = OLD._replace(public="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	found = tokens.keys_of(orjson.dumps(key_states.document([row])))
	assert list(found) == ["old"]


def test_the_key_of_an_app_is_published_until_it_is_revoked_and_never_signs_here() -> None:
	app = Row("app", "z", NOW - 60 * DAY, live_since=NOW - 60 * DAY, of_app=True)
	rows = [OLD, app]
	assert signs(rows, NOW) == "old" and signs([app], NOW) is None
	assert key_states.leaves_at(OLD, rows) is None  # it follows no key of the site's
	assert key_states.leaves_at(app, [app, NEW]) is None
	assert key_states.due([*rows, NEW], NOW + 99 * DAY) == [OLD]
	assert [key_states.state(row, rows, NOW) for row in rows] == ["signs", "accepted"]
	assert key_states.state(app._replace(live_since=None), rows, NOW) == "announced"
	assert [key["kid"] for key in key_states.document([app, OLD])["keys"]] == ["old", "app"]
	assert key_states.document([app._replace(revoked=NOW)]) == {"keys": []}


moments = st.none() | st.floats(NOW - 3 * DAY, NOW + 3 * DAY)
keys = st.lists(
	st.builds(
		Row,
		kid=st.uuids().map(str),
		public=st.just("x"),
		made=st.floats(NOW - 3 * DAY, NOW + 3 * DAY),
		live_since=moments,
		retired=st.none() | st.just(NOW),
		revoked=st.none() | st.just(NOW),
		of_app=st.booleans(),
	),
	max_size=5,
)


@given(keys, st.floats(NOW - 3 * DAY, NOW + 6 * DAY))
def test_whatever_the_keys_are_the_signing_one_stays_published(rows: list[Row], at: float) -> None:
	signing = key_states.signer(rows, at)
	if signing:
		assert signing.is_published and not signing.of_app and signing not in key_states.due(rows, at)
		assert key_states.state(signing, rows, at) == "signs"
	assert [key_states.state(row, rows, at) for row in rows].count("signs") == bool(signing)
	# A key that leaves has not signed for as long as its tokens may last.
	for row in key_states.due(rows, at):
		for ago in (0, DAY, tokens.HEADER.seconds + 2 * tokens.SKEW - 1):
			earlier = key_states.signer(rows, at - ago)
			assert earlier is None or earlier.kid != row.kid
