"""The queue's Redis: down, silent, flushed, out of memory, evicting. It is a wake-up, never the truth."""

from __future__ import annotations

from unittest.mock import patch

from memora.services.cdn_export.state import redis_mirror
from memora.tests.faults.places import STEPS, stopped, worker
from memora.tests.faults.scenario import scenario
from memora.tests.faults.school import School

AMID = STEPS["amid the uploads"]


@scenario("Redis down during saves")
def down_while_saving(school: School) -> None:
	with school.redis.down():
		school.edit()
		school.edit()


@scenario("Redis down during a build")
def down_while_building(school: School) -> None:
	"""Gone from under a worker that holds a lock in it; another builds what comes meanwhile."""
	school.edit()
	with stopped(AMID[school.run % len(AMID)]) as building, school.redis.down():
		school.edit()
		building.go_on()
		building.wait()
		school.publish()
		school.edit()


@scenario("Redis answers nothing")
def hanging(school: School) -> None:
	"""Without Frappe's own messages to open forms, which would wait for such a Redis for ever."""
	with school.redis.hanging(), patch("frappe.realtime.emit_via_redis", lambda *_: None):
		school.edit()
		school.publish()
		school.edit()


@scenario("Redis flushed")
def flushed(school: School) -> None:
	"""Between the save and the batch, and amid a build, whose lock goes with it."""
	school.edit()
	school.redis.client.flushall()
	with stopped(AMID[school.run % len(AMID)]) as building:
		school.redis.client.flushall()
		school.edit()
		second = worker()  # finds no lock in its way, and the lease taken
		building.go_on()
		building.wait()
		second.wait()
	school.edit()
	school.redis.client.flushall()


@scenario("Redis out of memory")
def out_of_memory(school: School) -> None:
	"""maxmemory reached with noeviction, as bench sets the queue's: every write is refused."""
	with school.redis.full("noeviction"):
		school.edit()
		school.publish()
		school.edit()


@scenario("Redis evicts")
def evicting(school: School) -> None:
	"""maxmemory reached with allkeys-lru: what is written is taken, and thrown away at once."""
	with school.redis.full("allkeys-lru"):
		school.edit()
		if redis_mirror.waiting():
			school.wrong.append("Redis has kept what it was to evict")
		school.publish()
		school.edit()
