"""Workers that are killed at every step of a build, that stall and wake too late, that race, and RQ's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import frappe
from frappe.utils.background_jobs import get_queue
from rq import Worker

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.state import job_queue, lease, publish_state
from memora.tests.faults import school as schools
from memora.tests.faults.anew import differences
from memora.tests.faults.places import IN_A_GROUP, PLACES, STEPS, Place, killed, stopped, worker
from memora.tests.faults.scenario import scenario
from memora.tests.faults.school import School
from memora.tests.helpers import clock

_PATIENCE_SECONDS = 60


def kill(places: tuple[Place, ...], school: School) -> None:
	"""In turns at each of the step's places, and each time the content goes on, or back to what is live: after a PUT
	whose worker died, the ledger alone would call that unchanged."""
	place = places[school.run // 2 % len(places)]
	live = school.publish_all()
	school.edit()
	killed(place)
	if school.run % 2:
		school.repeat(live)


for step, places in STEPS.items():
	scenario(f"worker killed {step}")(partial(kill, places))


@scenario("worker stalled until its lease had passed")
def stall(school: School) -> None:
	"""It stops, its lease passes, another publishes newer content; then it wakes and goes on."""
	place = PLACES[school.run * 8 % len(PLACES)]  # 8 and 21 have no common divisor: each place has its turn
	school.publish_all()
	school.edit()
	_stall_at(place, lambda: (school.edit(), school.edit()), school)


def _stall_at(place: Place, edit_meanwhile: Callable[[], Any], school: School) -> None:
	with stopped(place, seconds=70) as late:
		clock.skip(lease.LEASE_SECONDS + 1)
		edit_meanwhile()
		school.publish()
		before = school.files()
		late.go_on()
		late.over()
	school.wrong += differences(school.files(), before)


@scenario("worker killed in a group of plans", schools.with_many_plans)
def kill_group(school: School) -> None:
	"""In turns at each place of it, and each time the content goes on, or back to what is live."""
	live = school.edit_shared()
	school.publish()
	school.edit_shared()
	killed(IN_A_GROUP[school.run // 2 % len(IN_A_GROUP)])
	if school.run % 2:
		school.edit_shared(live)


@scenario("worker stalled in a group of plans", schools.with_many_plans)
def stall_group(school: School) -> None:
	"""It stops, its lease passes, another publishes newer content; then it wakes and goes on."""
	school.edit_shared()
	_stall_at(IN_A_GROUP[school.run % len(IN_A_GROUP)], school.edit_shared, school)


def race(workers: int, edit: Callable[[School], int], school: School) -> None:
	"""All begin at once, an editor goes on meanwhile; each build is done by one of them."""
	edit(school)
	racing = [worker() for _ in range(workers)]
	edit(school)
	for each in racing:
		_, failed, _, _ = each.wait()
		if failed:
			school.wrong.append(f"{failed} builds failed")


scenario("two workers race", schools.with_many_plans)(partial(race, 2, School.edit))
scenario("eight workers race", schools.with_many_plans)(partial(race, 8, School.edit))
scenario("two workers race for groups of plans", schools.with_many_plans)(
	partial(race, 2, School.edit_shared)
)


@scenario("RQ worker killed with its job", schools.with_many_plans)
def kill_rq(school: School) -> None:
	"""`kill -9` of a real worker and its work-horse amid a build; RQ calls the job started for long after."""
	school.edit()
	with rq_worker() as first:
		frappe.db.commit()
		batch_processor.run_batch()
		_until(_anything_leased, "the worker never began to build")
		os.killpg(first.pid, signal.SIGKILL)
	school.until_recovered.callback(_forget_workers)
	# As a supervisor does.
	school.until_recovered.enter_context(rq_worker())


@scenario("worker killed, no clock skipped", in_real_time=True)
def kill_and_wait(school: School) -> None:
	"""A look of the scheduler a minute, until another worker has taken the work up and published it."""
	school.edit()
	killed(STEPS["before the manifest"][0])
	began = time.monotonic()
	while clock.anything_waits():
		if time.monotonic() - began > lease.LEASE_SECONDS + 2 * clock.MINUTE:
			school.wrong.append("nobody has taken the work up")
			return
		time.sleep(clock.MINUTE)
		clock.look(batch=False)
	school.recovered_after = time.monotonic() - began


@contextmanager
def rq_worker() -> Iterator[subprocess.Popen]:
	"""A worker of the long queue, as a bench runs it, in a process group of its own."""
	process = subprocess.Popen(
		[sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "worker", "--queue", "long"],
		cwd=frappe.local.sites_path,
		env=dict(os.environ),
		stdout=subprocess.DEVNULL,
		stderr=subprocess.DEVNULL,
		start_new_session=True,
	)
	try:
		_until(lambda: _listens(process), "the worker never listened")
		yield process
	finally:
		if process.poll() is None:
			os.killpg(process.pid, signal.SIGKILL)
		process.wait()


def _forget_workers() -> None:
	"""RQ believes for minutes that workers which were killed still listen; what is played next has none."""
	for each in Worker.all(queue=get_queue(job_queue.QUEUE)):
		each.register_death()


def _listens(process: subprocess.Popen) -> bool:
	assert process.poll() is None, "the worker ended"
	return any(each.pid == process.pid for each in Worker.all(queue=get_queue(job_queue.QUEUE)))


def _anything_leased() -> bool:
	frappe.db.commit()
	return bool(
		frappe.db.sql(f"select 1 from `tab{publish_state.TABLE}` where lease_token is not null limit 1")
	)


def _until(come: Any, otherwise: str) -> None:
	ends = time.monotonic() + _PATIENCE_SECONDS
	while not come():
		if time.monotonic() > ends:
			raise AssertionError(otherwise)
		time.sleep(0.005)
