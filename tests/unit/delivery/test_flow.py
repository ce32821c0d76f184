"""How many writes go at once: `storage.s3_flow`."""

from __future__ import annotations

import threading

from memora.services.cdn_export.storage.s3_flow import FEWEST, FIRST, Flow


def run(flow: Flow, writes: int, *, is_busy: bool = False) -> None:
	"""One round trip: so many writes begin, then all end."""
	began = [flow.begin() for _ in range(writes)]
	for one in began:
		flow.end(one, is_busy=is_busy)


def test_it_doubles_with_each_round_trip_up_to_the_most() -> None:
	flow = Flow(200)
	found = []
	for _ in range(4):
		found.append(flow.allowed)
		run(flow, flow.allowed)
	assert found == [FIRST, 2 * FIRST, 200, 200]


def test_a_busy_server_halves_it_once_for_all_that_were_on_their_way() -> None:
	flow = Flow(128)
	run(flow, FIRST, is_busy=True)
	assert flow.allowed == FIRST / 2
	for _ in range(3):
		run(flow, FIRST // 2)
	assert FIRST / 2 + 2 <= flow.allowed <= FIRST / 2 + 3, "then about one more with each round trip"
	for _ in range(20):
		run(flow, 1, is_busy=True)
	assert flow.allowed == FEWEST


def test_no_more_begin_than_are_allowed() -> None:
	flow = Flow(FEWEST)
	began = [flow.begin() for _ in range(FEWEST)]
	waiting = threading.Thread(target=flow.begin, daemon=True)
	waiting.start()
	waiting.join(0.05)
	assert waiting.is_alive()
	flow.end(began[0], is_busy=False)
	waiting.join(10)
	assert not waiting.is_alive()
