"""When signatures end, and when they are renewed: spec, "Publishing"."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.delivery.signing import Signer, renew_below

HOURS = st.integers(1, 24)
MOMENTS = st.floats(1_700_000_000, 1_900_000_000)


@given(HOURS, MOMENTS)
def test_what_is_signed_now_holds_for_nearly_all_of_its_life(hours: int, now: float) -> None:
	left = Signer(None, "All", hours, now).until.timestamp() - now
	assert hours * 3600 * 15 / 16 - 1 <= left <= hours * 3600


@given(HOURS, MOMENTS)
def test_all_workers_of_a_window_sign_until_the_same_moment(hours: int, now: float) -> None:
	window = hours * 3600 // 16
	begins = now // window * window
	ends = {Signer(None, "All", hours, begins + part * window).until for part in (0, 0.5, 0.99)}
	assert len(ends) == 1


@given(HOURS, MOMENTS)
def test_what_was_just_signed_is_not_due_and_is_before_half_its_life_is_gone(hours: int, now: float) -> None:
	until = Signer(None, "All", hours, now).until
	assert until >= renew_below(hours, now)
	assert until < renew_below(hours, until.timestamp() - hours * 1800)
