"""Bytes are served if, and only if, the contract's table says "open" (docs/contract.md, "What an app shows"): for any curriculum,
published by the app's own code, and any learner."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urljoin

import pytest
from hypothesis import Phase, assume, event, example, given, settings

from tests.contract.gate import twin
from tests.contract.gate.conftest import Runner
from tests.contract.gate.school import CONFIG, SITE, minted, objects_of, public_keys
from tests.support import PlanContent, Shelf, busy, libraries, published

NOW = 1_796_000_000
Document = dict[str, Any]


class Learner(NamedTuple):
	"""`items` is None for who is not signed in."""

	items: frozenset[str] | None
	token: str = ""


def learners(items: set[str], now: int | None) -> list[Learner]:
	"""Strangers, one with an expired token among them, and owners of nothing, of one item, of all but one, of all."""
	owned = {frozenset(), frozenset(items)}
	owned |= {frozenset(some) for one in items for some in ({one}, items - {one})}
	return [
		Learner(None),
		Learner(None, minted(sorted(items), at=-9000, now=now)),
		*(Learner(frozenset(some), minted(sorted(some), now=now)) for some in sorted(owned, key=sorted)),
	]


def opens(access: Document, subject: Document, items: frozenset[str] | None) -> bool:
	"""The contract's table: `access` is the lesson's own, `subject` that of its subject."""
	if access["access_level"] in ("public", "free_preview"):
		return True
	if items is None:
		return False
	if access["access_level"] == "authenticated":
		return True
	asks_for_both = access["parent_item_required"] and subject["access_level"] == "paid"
	return access["required_item"] in items and (not asks_for_both or subject["required_item"] in items)


def lessons(documents: dict[str, Document]) -> Iterator[tuple[str, Document, Document]]:
	"""Every lesson as an app finds it: its path, its access, its subject's."""

	def read(url: str) -> Document:
		return documents[urljoin("/", url).removeprefix("/").partition("?")[0]]

	for plan in documents["plans/index.json"]["plans"]:
		for entry in read(plan["url"])["subjects"]:
			subject = read(entry["url"])
			for unit in (unit for track in subject["tracks"] for unit in track["units"]):
				for lesson in (one for topic in read(unit["url"])["topics"] for one in topic["lessons"]):
					path = lesson["url"].partition("?")[0]
					yield path, documents[path]["access"], subject["access"]


def bucket_of(shelf: Shelf) -> dict[str, Document]:
	"""What memora uploads of these files, each lesson with a picture, and the public keys."""
	found = {}
	for path, body in shelf.files.items():
		entry = shelf.ledger[path]
		found[path] = (body.decode(), entry.metadata(SITE))
		if entry.kind == "lesson":
			file = entry._replace(path=_picture(path), kind="lesson_file")
			found[file.path] = (f"picture of {path}", file.metadata(SITE))
	objects = {
		path: {
			"body": body,
			"metadata": metadata,
			"cacheControl": "public, max-age=300",
			"etag": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
		}
		for path, (body, metadata) in found.items()
	}
	return objects | objects_of({"gate/keys.json": {"body": public_keys(one={}).decode()}})


def _picture(lesson: str) -> str:
	return f"{lesson.removesuffix('.json')}/{'ab' * 32}.png"


def cases_of(
	plans: list[PlanContent], now: int | None
) -> tuple[dict[str, Document], list[Document], list[bool]]:
	"""A bucket, requests for each lesson and its picture by each learner, and which must be served."""
	shelf = published(plans)
	requests, served = [], []
	found = {path: (access, subject) for path, access, subject in lessons(shelf.documents())}
	items = {node["required_item"] for pair in found.values() for node in pair if "required_item" in node}
	asking = learners(items, now)
	for path, (access, subject) in found.items():
		for learner in asking:
			headers = {"Authorization": f"Bearer {learner.token}"} if learner.token else {}
			for target in (path, _picture(path)):
				requests.append({"path": f"/{target}", "headers": headers})
				served.append(opens(access, subject, learner.items))
	return bucket_of(shelf), requests, served


def _compare(requests: list[Document], served: list[bool], answers: list[Document], objects: Any) -> None:
	for request, is_open, answer in zip(requests, served, answers, strict=True):
		bytes_came = answer["body"] == objects[request["path"][1:]]["body"]
		assert (answer["status"] == 200, bytes_came) == (is_open, is_open), (request, answer)


def _some_library() -> list[PlanContent]:
	"""A random one of some size, the same in each run."""
	found: list[list[PlanContent]] = []

	@given(libraries())
	@settings(max_examples=20, derandomize=True, phases=[Phase.generate], database=None)
	def look(plans: list[PlanContent]) -> None:
		accesses = {access["access_level"] for _, access, _ in lessons(published(plans).documents())}
		if len(accesses) > 1:
			found.append(plans)

	look()
	return found[0]


@given(libraries())
@example(busy())
@settings(max_examples=30)
def test_bytes_are_served_exactly_where_the_table_says_open(
	in_node: Runner, plans: list[PlanContent]
) -> None:
	objects, requests, served = cases_of(plans, NOW)
	assume(requests)
	event(f"served: {any(served)}, refused: {not all(served)}")
	store = {"kind": "memory", "objects": objects}
	answers = in_node.ask(store=store, config=CONFIG, now=NOW, steps=requests)["answers"]
	_compare(requests, served, answers, objects)
	bucket = {path: twin.Object(found["body"].encode(), found["metadata"]) for path, found in objects.items()}
	for request, answer in zip(requests, answers, strict=True):
		authorization = request["headers"].get("Authorization")
		made = twin.decide(request["path"], authorization, bucket, site=SITE, now=NOW)
		assert made.status == answer["status"], request


@pytest.mark.parametrize("plans", [busy(), _some_library()], ids=["busy", "random"])
def test_bytes_are_served_exactly_where_the_table_says_open_in_cloudflares_runtime(
	in_workerd: Runner, plans: list[PlanContent]
) -> None:
	objects, requests, served = cases_of(plans, None)
	assert any(served) and not all(served)
	store = {"kind": "r2", "objects": objects}
	answers = in_workerd.ask(store=store, config=CONFIG, world="trees", steps=requests)["answers"]
	_compare(requests, served, answers, objects)
