"""An S3 server over HTTP that fails in every way it can, and a disk that is full."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from memora.tests import factories
from memora.tests.faults import school as schools
from memora.tests.faults.scenario import scenario
from memora.tests.faults.school import School
from memora.tests.faulty_server import Cut, Delay, Fault, Request, Reset, s3_error

_PAGE = 4096


def answers(fault: Callable[[School, Request], Fault | None], school: School) -> None:
	"""Every request that the rule picks fails, from amid a run on; the retry meets the same."""
	server = school.server
	assert server
	school.edit()
	healthy = school.dice.randrange(12)  # so many requests pass first
	seen: list[Request] = []

	def rule(request: Request) -> Fault | None:
		seen.append(request)
		return fault(school, request) if len(seen) > healthy else None

	with server.broken(rule):
		school.publish()
		school.edit()
		school.publish()


def every(fault: Fault) -> Callable[[School, Request], Fault]:
	return lambda _school, _request: fault


def puts(fault: Fault, share: float = 1) -> Callable[[School, Request], Fault | None]:
	return lambda school, request: fault if request.method == "PUT" and school.dice.random() < share else None


FAULTS: dict[str, Callable[[School, Request], Fault | None]] = {
	"S3 slow": every(Delay(0.1)),
	"S3 answers 500": every(s3_error(500, "InternalError")),
	"S3 answers 503": every(s3_error(503, "SlowDown")),
	"S3 answers 403": every(s3_error(403, "AccessDenied")),
	"S3 answers 412": puts(s3_error(412, "PreconditionFailed")),
	"S3 answers 429": every(s3_error(429, "TooManyRequests")),
	"half of the PUTs fail": puts(s3_error(500, "InternalError"), share=0.5),
	"connections reset": every(Reset()),
	"connections cut once the PUT has taken effect": puts(Cut(after=True)),
	"a third of the answers to PUTs lost": puts(Cut(after=True), share=0.3),
}

for name, fault in FAULTS.items():
	scenario(name, schools.in_a_bucket)(partial(answers, fault))


@scenario("S3 down", schools.in_a_bucket)
def down(school: School) -> None:
	"""Connections are refused, open ones break."""
	assert school.server
	school.edit()
	with school.server.down():
		school.publish()
		school.edit()
		school.publish()


@scenario("disk full", schools.on_a_small_disk)
def full(school: School) -> None:
	"""A Local Directory on a file system that has room for a few files more, then none."""
	assert school.disk
	ballast = school.disk / "ballast"
	school.edit()
	factories.make_lesson(
		parent_topic=school.lessons[0].parent_topic, is_published=1
	)  # of two pages for each plan
	with ballast.open("wb", buffering=0) as file, suppress(OSError):
		while True:
			file.write(b"\0" * _PAGE)
	os.truncate(ballast, ballast.stat().st_size - school.dice.randrange(4) * _PAGE)
	try:
		if not school.publish().failed:
			school.wrong.append("nothing has failed, so the disk was not full")
		school.edit()
		school.publish()
	finally:
		ballast.unlink()
