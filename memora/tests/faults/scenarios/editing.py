"""What editors do to each other and to a build: many at once, plans that fail, vanish and move, clocks that jump."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import frappe
from freezegun import freeze_time

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.state import database
from memora.tests.faults import school as schools
from memora.tests.faults.places import STEPS, stopped
from memora.tests.faults.scenario import scenario
from memora.tests.faults.school import School
from memora.tests.helpers import clock, factories
from memora.tests.helpers.processes import Child, Stops, fork
from memora.tests.helpers.publishing import make_course


@scenario("20 editors save 1,000 changes while all is built", schools.with_many_lessons)
def many_editors(school: School) -> None:
	"""Each in lessons of its own, and all of them in one plan; at small size with 60 changes."""
	with at_work(school, editors=20, changes=50 if school.full else 3):
		pass


@scenario("a subject is added to a plan while another edits in it")
def subject_added(school: School) -> None:
	"""Neither sees what the other has not yet committed; in turns one or the other commits first."""
	course = make_course(units=1, lessons=1)
	lesson, subject = course["lessons"][0].name, course["subject"].name
	frappe.db.commit()
	school.publish()

	def edit() -> None:
		frappe.get_doc("Memora Lesson", lesson).db_set("title", f"Edited {school.run}")

	def add() -> None:
		plan = frappe.get_doc("Memora Academic Plan", school.plan.name)
		plan.set("subjects", [{"subject": school.subject.name}, {"subject": subject}])
		plan.save()

	works = [edit, add] if school.run % 2 else [add, edit]

	def open_first(stops: Stops) -> None:
		works[0]()
		stops.stop("not committed")

	first = fork(open_first)
	assert first.arrived() == "not committed"
	works[1]()
	frappe.db.commit()
	school.publish()
	first.go_on()
	first.wait()
	school.committed["Memora Lesson", lesson, "title"] = f"Edited {school.run}"


@scenario("a plan that cannot be built")
def poison(school: School) -> None:
	"""It fails until it is a dead letter, and holds back no other; then it is fixed."""
	plan, title = school.own.name, f"Fixed {school.run}"
	frappe.db.sql("update `tabMemora Academic Plan` set title = '' where name = %s", plan)
	for again in range(5):
		school.save("Memora Lesson", school.lessons[1].name, title=f"{again} of {school.run}")
		school.publish()
		body = school.read(f"lessons/{school.lessons[1].name}.json") or b""
		if f"{again} of {school.run}".encode() not in body:
			school.wrong.append("a change waited for a plan that cannot be built")
		clock.skip(10 * clock.MINUTE)
	school.save("Memora Academic Plan", plan, title=title)


@scenario("a plan deleted while it is built")
def deleted(school: School) -> None:
	plan = factories.make_plan([school.subject], is_published=1)
	school.publish()
	plan.reload()
	plan.title += " edited"
	plan.save()
	with stopped(STEPS["after the manifest" if school.run % 2 else "before the manifest"][0]) as building:
		frappe.delete_doc(plan.doctype, plan.name)
		frappe.db.commit()
		building.go_on()
		building.wait()


@scenario("a plan renamed while it waits or is built")
def renamed(school: School) -> None:
	school.edit()
	name = f"plan {school.run} {frappe.generate_hash(length=4)}"

	def rename() -> None:
		frappe.rename_doc("Memora Academic Plan", school.plan.name, name, force=True)
		frappe.db.commit()

	if school.run % 2:
		with stopped(STEPS["before the manifest"][0]) as building:
			rename()
			building.go_on()
			building.wait()
	else:
		rename()
	school.committed = {
		(doctype, name if ref == school.plan.name else ref, fieldname): value
		for (doctype, ref, fieldname), value in school.committed.items()
	}
	school.plan = frappe.get_doc("Memora Academic Plan", name)


@scenario("clocks set back")
def clocks_back(school: School) -> None:
	"""The clocks of editors and workers go back by an hour after something was published, and forward again."""
	school.edit()
	school.publish()

	def an_hour_ago(_stops: Stops) -> dict:
		with freeze_time(datetime.now(UTC) - timedelta(hours=1), tick=True):
			school.edit()
			frappe.db.commit()
			batch_processor.process("Scheduler")
			school.edit()
		return school.committed

	frappe.db.commit()
	school.committed |= fork(an_hour_ago).wait()


@scenario("two edits in one second")
def one_second(school: School) -> None:
	"""The clock does not move, so only what was offered before can tell the two versions apart."""

	def stand_still(_stops: Stops) -> list[Any]:
		seen = []
		with freeze_time(datetime.now(UTC)):
			for _ in range(2):
				school.edit()
				frappe.db.commit()
				batch_processor.process("Scheduler")
				seen.append(school.read(paths.manifest(school.plan.name)))
		return [school.committed, seen]

	frappe.db.commit()
	committed, (first, second) = fork(stand_still).wait()
	school.committed |= committed
	if first == second:
		school.wrong.append("the second edit was not published")


@contextmanager
def at_work(school: School, *, editors: int, changes: int, session: str = "") -> Iterator[None]:
	"""So many editors, each a process with lessons of its own, and a builder that never rests; they are done, and
	what they saved is noted, when this ends."""

	def edit(number: int, _stops: Stops) -> dict[tuple[str, str, str], Any]:
		if session:
			frappe.db.sql(session)
			frappe.db.commit()
		saved: dict[tuple[str, str, str], Any] = {}
		mine = school.crowd[number]
		for change in range(changes):
			title = f"{school.run}.{number}.{change}"
			_until_saved("Memora Lesson", mine, title)
			saved["Memora Lesson", mine, "title"] = title
			if change % 25 == 0:
				_until_saved("Memora Academic Plan", school.own.name, title)
		return saved

	def build(stops: Stops) -> None:
		while not stops.told_within(0.05):
			frappe.db.commit()
			batch_processor.process("Scheduler")

	frappe.db.commit()
	builder = fork(build)
	crowd: list[Child] = [fork(lambda stops, number=number: edit(number, stops)) for number in range(editors)]
	try:
		yield
		for each in crowd:
			school.committed |= each.wait()
		school.committed.pop(
			("Memora Academic Plan", school.own.name, "title"), None
		)  # who was last is unknown
		builder.go_on()
		builder.wait()
	finally:
		for each in (builder, *crowd):
			each.end()


def _until_saved(doctype: str, name: str, title: str) -> None:
	"""Save and commit; who is told that somebody was quicker does it again."""
	while True:
		try:
			frappe.get_doc(doctype, name).db_set("title", title)
			frappe.db.commit()
			return
		except database.ERRORS as error:
			if database.errno(error) not in database.CONFLICTS:
				raise
			frappe.db.rollback()
