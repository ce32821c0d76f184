"""An S3 server over HTTP that fails in every way it can, and a disk that is full."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from unittest.mock import patch

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import pipeline_status, verification
from memora.services.cdn_export.cache_purge import cloudflare, keyed
from memora.services.cdn_export.cache_purge.cloudflare import CloudflarePurge
from memora.tests.faults import school as schools
from memora.tests.faults.scenario import scenario
from memora.tests.faults.school import School
from memora.tests.helpers import clock, factories
from memora.tests.helpers.faulty_server import (
	Answer,
	Cut,
	Delay,
	Fault,
	FaultyServer,
	Request,
	Reset,
	s3_error,
)

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


def is_delete(request: Request) -> bool:
	"""Whether a request removes objects, one or several."""
	return request.method == "DELETE" or (request.method == "POST" and "delete" in request.path)


FAULTS: dict[str, Callable[[School, Request], Fault | None]] = {
	"S3 slow": every(Delay(0.1)),
	"S3 answers 500": every(s3_error(500, "InternalError")),
	"S3 answers 503": every(s3_error(503, "SlowDown")),
	"S3 answers 403": every(s3_error(403, "AccessDenied")),
	"S3 answers 412": puts(s3_error(412, "PreconditionFailed")),
	"S3 answers 429": every(s3_error(429, "TooManyRequests")),
	"half of the PUTs fail": puts(s3_error(500, "InternalError"), share=0.5),
	"half of the removals fail": lambda school, request: (
		s3_error(503, "SlowDown") if is_delete(request) and school.dice.random() < 0.5 else None
	),
	"connections reset": every(Reset()),
	"connections cut once the PUT has taken effect": puts(Cut(after=True)),
	"a third of the answers to PUTs lost": puts(Cut(after=True), share=0.3),
}

for name, fault in FAULTS.items():
	scenario(name, schools.in_a_bucket)(partial(answers, fault))


def refuses(fault: Fault, lacks_batches: bool, school: School) -> None:
	"""Removals are refused for some hours, and what is new goes out all the same."""
	server = school.server
	assert server
	school.publish_all()

	def rule(request: Request) -> Fault | None:
		if lacks_batches and request.method == "POST" and is_delete(request):
			return s3_error(501, "NotImplemented")
		return fault if is_delete(request) else None

	with server.broken(rule):
		school.edit()
		school.publish()
		if f"lessons/{school.lessons[3].name}.json" not in school.files():
			school.wrong.append("a lesson was removed, so removals were not refused")
		for again in range(4):
			title = f"News {school.run} {again}"
			school.save("Memora Lesson", school.lessons[1].name, title=title)
			school.publish()
			if title.encode() not in (school.read(f"lessons/{school.lessons[1].name}.json") or b""):
				school.wrong.append("what is new waits for what cannot be removed")
			clock.skip(10 * clock.MINUTE)
			clock.look(batch=True)
		if not pipeline_status.status()["still_on_cdn"] or verification.verify()["ok"]:
			school.wrong.append("nobody is told that a lesson is still on the CDN")
		if not any(letter["label"].startswith("removal:") for letter in pipeline_status.dead_letters()):
			school.wrong.append("a removal that is refused again and again is no dead letter")


REFUSALS: dict[str, Fault] = {
	"403": s3_error(403, "AccessDenied"),
	"400": s3_error(400, "InvalidRequest"),
	"501": s3_error(501, "NotImplemented"),
	"503": s3_error(503, "SlowDown"),
	"nothing": Cut(),
}

for name, refusal in REFUSALS.items():
	scenario(f"removals answered by {name}", schools.in_a_bucket)(partial(refuses, refusal, False))
	if name not in ("400", "501"):
		scenario(f"removals one by one answered by {name}", schools.in_a_bucket)(
			partial(refuses, refusal, True)
		)


def refuses_purges(fault: Fault, school: School) -> None:
	"""The CDN's cache forgets nothing for an hour; then it forgets all that it was to forget meanwhile."""
	purged: set[str] = set()
	refused: list[Fault] = [fault]

	def answer(request: Request) -> Fault:
		if refused:
			return refused[0]
		purged.update(json.loads(request.body)["files"])
		return Answer(200, b'{"success": true}', {"Content-Type": "application/json"})

	school.publish_all()
	cdn = school.until_recovered.enter_context(FaultyServer())
	cdn.by_rule(answer)
	cache = partial(CloudflarePurge, "0" * 32, "a-token", api=cdn.url)
	school.until_recovered.enter_context(patch.object(settings, "open_purge", lambda *_: cache()))
	for module in (cloudflare, keyed):
		school.until_recovered.enter_context(patch.object(module, "sleep", lambda _seconds: None))
	school.edit()
	school.publish()
	for _ in range(3):
		clock.skip(20 * clock.MINUTE)
		clock.look(batch=True)
	refused.clear()
	school.recovered_after = clock.scheduler(school.dice) or 0.0
	removed = f"lessons/{school.lessons[3].name}.json"
	for path in (
		removed,
		f"lessons/{school.lessons[1].name}.json",
		f"plans/{school.plan.name}/manifest.json",
	):
		if not any(url.partition("?")[0].endswith(f"/{path}") for url in purged):
			school.wrong.append(f"{path} was never purged")


PURGE_REFUSALS: dict[str, Fault] = {
	"403": Answer(403, b'{"success": false, "errors": [{"code": 10000, "message": "no"}]}'),
	"400": Answer(400, b'{"success": false, "errors": [{"code": 1012, "message": "no"}]}'),
	"429": Answer(429, b"{}", {"Retry-After": "120"}),
	"501": Answer(501, b"{}"),
	"503": Answer(503, b"{}"),
	"nothing": Cut(),
}

for name, refusal in PURGE_REFUSALS.items():
	scenario(f"purges answered by {name}", schools.in_a_bucket)(partial(refuses_purges, refusal))


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
