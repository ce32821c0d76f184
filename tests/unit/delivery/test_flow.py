"""How many writes should go at once: `storage.s3_flow`."""

from __future__ import annotations

from memora.services.cdn_export.storage.s3_flow import FEWEST, FIRST, QUICK_SECONDS, SLOW_SECONDS, Flow


def run(flow: Flow, writes: int, *, seconds: float = 0.03, is_well: bool = True) -> None:
	"""One round trip: so many writes begin, then all end."""
	began = [flow.begin() for _ in range(writes)]
	for one in began:
		flow.end(one, seconds=seconds, is_well=is_well)


def test_it_doubles_with_each_round_trip_up_to_the_most() -> None:
	flow = Flow(200)
	found = []
	for _ in range(4):
		found.append(flow.allowed)
		run(flow, flow.allowed)
	assert found == [FIRST, 2 * FIRST, 200, 200]


def test_what_fails_halves_it_once_for_all_that_were_on_their_way() -> None:
	flow = Flow(128)
	run(flow, FIRST, is_well=False)
	assert flow.allowed == FIRST / 2
	for _ in range(3):
		run(flow, FIRST // 2)
	assert FIRST / 2 + 2 <= flow.allowed <= FIRST / 2 + 3, "then about one more with each round trip"
	for _ in range(20):
		run(flow, 1, is_well=False)
	assert flow.allowed == FEWEST


def test_a_weak_line_gets_no_more_and_in_the_end_fewer() -> None:
	flow = Flow(128)
	run(flow, FIRST, seconds=2 * QUICK_SECONDS)
	assert flow.allowed == FIRST
	run(flow, FIRST, seconds=SLOW_SECONDS)
	assert flow.allowed == FIRST / 2
