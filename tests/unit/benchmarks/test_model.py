"""The model of a fleet: what it may not lose, and cases that can be reckoned by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.events import Clock, Processors
from benchmarks.model import Costs, Fleet, Model, Report, Site, Work, poisson

NOTHING = Costs(start=Work())
SOME = Costs(
	Work(0.1),
	Work(0.01),
	*[Work(0.001, 0.001)] * 5,
	Work(0.02, 0.01, 20),
	Work(0.001),
	*[Work(0.01, 0.01, 9)] * 4,
)


def run(site: Site, edits: list[tuple[float, int]], costs: Costs = NOTHING, **fleet: float) -> Report:
	return Model(site, costs, Fleet(**fleet), iter(edits)).run()  # type: ignore[arg-type]


class Watched(Model):
	"""Refuses a second build of what is being built."""

	def _build(self, worker, kind, work, phases):
		scopes = {key for phase in phases for key in phase if key[0] in ("unit", "manifest")}
		assert not scopes & self.under_way
		self.under_way |= scopes
		yield from super()._build(worker, kind, work, phases)
		self.under_way -= scopes

	def run(self):
		self.under_way = set()
		return super().run()


@settings(max_examples=60, deadline=None)
@given(
	st.integers(0, 99),
	st.integers(1, 4),
	st.integers(1, 3),
	st.sampled_from([0.0, 1.0]),
	st.lists(st.tuples(st.floats(0, 700), st.integers(0, 24)), max_size=80),
)
def test_every_edit_is_live_once_and_each_scope_is_built_by_one(seed, machines, workers, spacing, edits):
	site = Site.spread(25, 70, 3, seed=seed)
	fleet = Fleet(machines, workers, database_cores=2, round_trip=0.001, key_seconds=spacing)
	model = Watched(site, SOME, fleet, iter(sorted(edits)))
	report = model.run()
	assert report.edits == len(report.live) == len(edits)
	assert all(seconds > 0 for seconds in report.live)
	assert not model.under_way and not model._leased and not model._building
	assert not any(model._news) and not model._plans and not model._subjects
	assert len(model._idle) == machines * workers


def test_the_same_seed_gives_the_same_report():
	def told(seed: int) -> Report:
		site = Site.spread(40, 200, 4, seed=seed)
		return Model(site, SOME, Fleet(3, 2, database_cores=4), poisson([0.2], 40, seed)).run()

	assert told(1) == told(1)
	assert told(1).live != told(2).live


def test_few_plans_wait_for_the_batch_and_many_do_not():
	few, many = (run(Site.of([[0]] * plans, 1), [(100.0, 0)]) for plans in (49, 50))
	# the mark, the lesson and the unit; then the plans' subjects and their manifests, 32 at once
	assert few.live == pytest.approx([200 + 3 * 0.03 + 4 * 0.03])
	assert many.live == pytest.approx([3 * 0.03 + 4 * 0.03])


def test_what_one_edit_costs():
	site = Site.of([[0]] * 100, 1)
	costs = Costs(
		start=Work(1), relay=Work(2), change=Work(3), subject=Work(10), group=Work(20), plan=Work(1)
	)
	report = run(site, [(0.0, 0)], costs, latency=0.0)
	assert report.live == pytest.approx([1 + 2 + 3 + 10 + 2 * (20 + 50)])
	assert report.builds == {"subject": 1, "group": 2, "alone": 0, "in vain": 0}
	assert report.puts == 1 + 2 + 200


def test_plans_whose_subjects_two_workers_have_built_are_one_group_which_reads_what_the_other_has_built():
	costs = Costs(start=Work(), subject=Work(10), group=Work(1), alone=Work(1), read=Work(5))
	site, edits = Site.of([[0, 1]] * 30, 2), [(1.0, 0), (1.0, 1)]  # too few to wake more than the batch does
	one, two = (run(site, edits, costs, workers=workers) for workers in (1, 2))
	assert one.builds == {"subject": 2, "group": 1, "alone": 0, "in vain": 0}
	assert two.builds == {"subject": 2, "group": 1, "alone": 0, "in vain": 1}  # both begin with the first
	assert one.live[-1] - two.live[-1] == pytest.approx(20 - 10 - 5, abs=0.5)


def test_a_group_renders_so_many_subjects_and_leaves_the_other_plans_to_the_next():
	site = Site.of([[0, 1, 2, 3]] * 40, 4)
	report = run(site, [(1.0, subject) for subject in range(4)])
	assert report.builds == {
		"subject": 4,
		"group": 3,
		"alone": 0,
		"in vain": 0,
	}  # of 64 // 4 plans, twice, and the rest


def test_a_group_has_no_more_subjects_than_a_worker_remembers():
	site = Site.of([[number // 2] for number in range(40)], 20)
	report = Model(site, NOTHING, Fleet(), iter(())).burst(range(20))
	assert report.builds == {"subject": 20, "group": 2, "alone": 0, "in vain": 0}


def test_a_second_worker_waits_for_the_relay_and_then_builds_too():
	site = Site.of([[number] for number in range(8)], 8)
	costs = Costs(start=Work(), relay=Work(1), subject=Work(4))
	takes = [
		max(Model(site, costs, Fleet(1, workers, latency=0.0), iter(())).burst(range(8)).live)
		for workers in (1, 2)
	]
	assert takes == pytest.approx([33, 17])


def test_edits_of_a_subject_that_come_together_are_one_build():
	report = run(Site.of([[0]] * 60, 1), [(0.0, 0)] + [(0.05, 0)] * 5)
	assert report.builds["subject"] == 2
	assert len(report.live) == 6


def test_a_key_that_takes_one_write_a_second_sets_the_pace():
	edits = [(number / 100, 0) for number in range(1000)]
	report = run(Site.of([[0]] * 60, 1), edits, key_seconds=1.0)
	assert report.builds["subject"] <= 12
	assert report.first == "one key's writes"
	assert report.used["one key's writes"] <= 1.2


def test_processors_are_shared_alike():
	clock, done = Clock(), {}
	processors = Processors(clock, 2)
	for name, seconds in (("short", 1.0), ("long", 4.0), ("longer", 5.0)):
		processors.do(seconds, lambda name=name: done.update({name: clock.now}))
	clock.run()
	assert done == pytest.approx({"short": 1.5, "long": 4.5, "longer": 5.5})
	assert processors.busy == pytest.approx(10.0)


def test_two_workers_on_two_cores_take_half_as_long_until_mariadb_is_the_third_on_them():
	site = Site.of([[number] for number in range(100)], 100)
	edits = [(0.0, number) for number in range(100)]

	def takes(workers: int, work: Work) -> float:
		return max(run(site, edits, Costs(start=Work(), subject=work), workers=workers, latency=0.0).live)

	assert takes(1, Work(1)) == pytest.approx(100)
	assert takes(2, Work(1)) == pytest.approx(50)
	assert takes(4, Work(1)) == pytest.approx(50, rel=0.05)
	assert takes(4, Work(0.5, 0.5)) == pytest.approx(50, rel=0.05)
	assert takes(1, Work(0.5, 0.5)) == pytest.approx(100)
