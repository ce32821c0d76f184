"""MariaDB: deadlocks, lock time-outs, lost connections, and a server that refuses what has changed since the snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import frappe

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import database, due, ledger, publish_state
from memora.tests.faults import school as schools
from memora.tests.faults.places import STEPS, stopped, worker
from memora.tests.faults.redis_server import CannotRunError
from memora.tests.faults.scenario import scenario
from memora.tests.faults.scenarios.editing import at_work
from memora.tests.faults.school import School
from memora.tests.helpers.processes import Child, Stops, fork

_WEIGHT = 300
"""Rows that the other side of a deadlock has written: the server ends the side that has written less."""

_HERE = (
	*STEPS["in the relay"],
	*STEPS["before the content is read"],
	*STEPS["before anything is in flight"],
	*STEPS["in flight and nothing uploaded"],
	*STEPS["before the ledger"],
	*STEPS["before the closing commit"],
	*STEPS["at the removals"],
	*STEPS["before the log"],
)
"""Places that are passed by the thread that has the connection."""


@scenario("deadlock with the relay")
def deadlock_of_the_fold(school: School) -> None:
	"""The relay raises generations in name order; the other side takes the last of them first."""
	school.edit()
	touched = [*map(scopes.plan, school.plans), scopes.subject(school.subject.name)]
	states = sorted(scope.id for scope in touched)
	with (
		counted_deadlocks(school),
		other_side(
			_lock_state(states[-1]), f"insert into `tab{publish_state.TABLE}`", _lock_state(states[0])
		),
	):
		worker().wait()


@scenario("deadlock with the closing of a build")
def deadlock_of_the_close(school: School) -> None:
	"""Closing writes the ledger and then the state; the other side does it the other way round."""
	school.edit()
	with stopped(STEPS["before the ledger"][0]) as building:
		scope = frappe.get_all(publish_state.TABLE, {"lease_token": ("is", "set")}, pluck="name")[0]
		rows = f"update `tab{ledger.TABLE}` set modified_by = 'x' where scope = '{scope}' and state = 'in_flight'"
		with (
			counted_deadlocks(school),
			other_side(_lock_state(scope), f"update `tab{publish_state.TABLE}`", rows),
		):
			building.go_on()
			building.wait()


@scenario("lock wait time-out")
def lock_time_out(school: School) -> None:
	"""Somebody holds the states' rows for longer than the relay and the builders wait for a lock."""
	school.edit()

	def hold(stops: Stops) -> None:
		frappe.db.sql(f"update `tab{publish_state.TABLE}` set modified_by = 'x'")
		stops.stop("held")
		stops.told_within(1.5)
		frappe.db.rollback()

	holder = fork(hold)
	assert holder.arrived() == "held"
	holder.go_on()
	waiting = worker(session="set innodb_lock_wait_timeout = 1")
	holder.wait()
	waiting.wait()


@scenario("a builder's connection killed")
def builder_disconnected(school: School) -> None:
	place = _HERE[school.run % len(_HERE)]
	school.publish_all()
	school.edit()
	worker(place, lambda _stops: lose_connection()).over()


@scenario("an editor's connection killed")
def editor_disconnected(school: School) -> None:
	"""What was not committed is gone, and the editor is told so and saves again."""
	name, title = school.lessons[0].name, f"Title {school.run}"

	def edit(_stops: Stops) -> bool:
		doc = frappe.get_doc("Memora Lesson", name)
		doc.title = title
		doc.save()
		lose_connection()
		try:
			frappe.db.commit()
		except database.ERRORS:
			frappe.connect()
			return True
		return False

	frappe.db.commit()
	if not fork(edit).wait():
		school.wrong.append("an editor was told that a change is saved which is lost")
	school.save("Memora Lesson", name, title=title)


@scenario("innodb_snapshot_isolation on", schools.with_many_lessons)
def snapshot_isolation(school: School) -> None:
	"""Editors, relays and builders at once, on a server that refuses to write rows changed since the snapshot."""
	if not frappe.db.sql("show variables like 'innodb_snapshot_isolation'"):
		raise CannotRunError("this MariaDB has no innodb_snapshot_isolation")
	session = "set innodb_snapshot_isolation = on"
	school.edit()
	with at_work(school, editors=4, changes=6, session=session):
		for each in [worker(session=session) for _ in range(2)]:
			each.wait()


@scenario("MariaDB killed with -9 amid saves and builds", schools.on_a_mariadb_of_its_own)
def killed(school: School) -> None:
	"""Each time while something is being built and editors save; who is told of an error saves again."""
	server = school.mariadb
	assert server

	def edit(number: int, stops: Stops) -> dict[tuple[str, str, str], Any]:
		saved: dict[tuple[str, str, str], Any] = {}
		mine, change = school.crowd[number], 0
		while not stops.told_within(0):
			change += 1
			title = f"{school.run}.{number}.{change}"
			while saved.get(("Memora Lesson", mine, "title")) != title:
				try:
					frappe.get_doc("Memora Lesson", mine).db_set("title", title)
					frappe.db.commit()
				except database.ERRORS:
					stops.told_within(0.02)
					server.reconnect()
					continue
				saved["Memora Lesson", mine, "title"] = title
		return saved

	def build(stops: Stops) -> None:
		while not stops.told_within(0.02):
			try:
				frappe.db.commit()
				batch_processor.process("Scheduler")
			except Exception:  # noqa: BLE001 - a job that dies, of whatever it likes; the next one begins again
				server.reconnect()

	frappe.db.commit()
	builder = fork(build)
	crowd: list[Child] = [fork(lambda stops, number=number: edit(number, stops)) for number in range(4)]
	try:
		for _ in range(5 if school.full else 2):
			_until_something_is_built()
			server.kill()
			server.start()
			server.reconnect()
		for each in crowd:
			each.go_on()
			school.committed |= each.wait()
		builder.go_on()
		builder.wait()
	finally:
		for each in (builder, *crowd):
			each.end()


def _until_something_is_built() -> None:
	for _ in range(3000):
		frappe.db.commit()
		if due.is_anything_leased() and frappe.db.sql("select 1 from `tabCDN Change` limit 1"):
			return
		time.sleep(0.01)
	raise AssertionError("nobody builds, or nobody saves")


def lose_connection() -> None:
	"""`KILL` this thread's connection; the next statement finds it gone."""
	with suppress(*database.ERRORS):
		frappe.db.sql("kill connection_id()")


@contextmanager
def counted_deadlocks(school: School) -> Iterator[None]:
	"""Make sure that there was a deadlock, by the server's own count."""
	before = _deadlocks()
	yield
	if _deadlocks() == before:
		school.wrong.append("there was no deadlock")


def _deadlocks() -> int:
	return int(frappe.db.sql("show global status like 'Innodb_deadlocks'")[0][1])


def _lock_state(name: str) -> str:
	return f"update `tab{publish_state.TABLE}` set modified_by = 'x' where name = '{name}'"


@contextmanager
def other_side(first: str, waiting: str, second: str) -> Iterator[Child]:
	"""A transaction that runs the statement `first`, and `second` once another one waits in a statement that begins
	with `waiting`; rolled back in the end."""

	def cross(stops: Stops) -> None:
		for number in range(_WEIGHT):
			frappe.db.sql("insert into tabDefaultValue (name) values (%s)", f"memora-deadlock-{number}")
		frappe.db.sql(first)
		stops.stop("locked")
		for _ in range(1000):
			if _hangs(waiting):
				frappe.db.sql(second)
				break
			stops.told_within(0.01)
		frappe.db.rollback()

	frappe.db.commit()
	side = fork(cross)
	try:
		if side.arrived() != "locked":
			raise AssertionError(f"the other side never began: {side.wait()}")
		side.go_on()
		yield side
		side.wait()
	finally:
		side.end()


def _hangs(beginning: str) -> bool:
	"""Whether another connection of this site has been in such a statement for a while."""
	return any(
		" ".join(statement.split()).startswith(beginning)
		for (statement,) in frappe.db.sql(
			"select info from information_schema.processlist"
			" where info is not null and time_ms >= 30 and id != connection_id()"
		)
	)
