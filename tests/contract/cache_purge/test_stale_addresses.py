"""Random trees and edits: after each purge no address at the edge is stale, whatever was purged by."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memora.services.cdn_export.cache_purge import Stale, orders
from memora.services.cdn_export.model import paths, published_file
from tests.contract.cache_purge.edge import Edge

SUBJECTS = ("a", "b", "c")
Step = tuple[str, int, int]

_steps = st.lists(
	st.tuples(
		st.sampled_from(("edit", "move", "remove", "edit many", "read", "read all")),
		st.integers(0, 59),
		st.integers(0, 2),
	),
	max_size=25,
)


class Site:
	"""Lessons in the storage, as the ledger knows them; those of an earlier release carry no tags until they are written."""

	def __init__(self, size: int, untagged: int) -> None:
		self.live = {
			f"lessons/{number}.json": (1, SUBJECTS[number % 3], number >= untagged) for number in range(size)
		}
		self.edge = Edge()

	def tags(self, path: str, subject: str, tagged: bool) -> tuple[str, ...]:
		return published_file.tags(path, subject) if tagged else ()

	def read(self, path: str) -> None:
		if found := self.live.get(path):
			version, subject, tagged = found
			for url in (path, paths.versioned(path, version)):
				self.edge.fetch(url, self.tags(path, subject, tagged), version)

	def write(self, path: str, subject: str | None) -> list[Stale]:
		"""Replace or remove a file. Returns what becomes stale by it."""
		if path not in self.live:
			return []
		version, was, tagged = self.live.pop(path)
		if subject is not None:
			self.live[path] = (version + 1, subject, True)
		return [Stale(url, *self.tags(path, was, tagged)) for url in (path, paths.versioned(path, version))]

	def do(self, step: Step) -> list[Stale]:
		what, number, subject = step
		path = f"lessons/{number}.json"
		if what == "read":
			self.read(path)
		elif what == "read all":
			for each in list(self.live):
				self.read(each)
		elif what == "edit many":
			return [
				each
				for other, (_, of, _) in list(self.live.items())
				if of == SUBJECTS[subject]
				for each in self.write(other, of)
			]
		elif path in self.live:
			of = {"edit": self.live[path][1], "move": SUBJECTS[subject]}.get(what)
			return self.write(path, of)
		return []

	def stale(self) -> list[str]:
		wrong = []
		for url, (_, content) in self.edge.held.items():
			found = self.live.get(url.partition("?")[0])
			if not found or found[0] != content:
				wrong.append(url)
		return wrong


@given(
	st.integers(0, 60), st.integers(0, 60), _steps, st.booleans(), st.sampled_from((0, 5)), st.integers(1, 4)
)
@settings(deadline=None, max_examples=150)
def test_no_stale_address_is_left(
	size: int, untagged: int, steps: list[Step], by_tag: bool, whole_above: int, together: int
) -> None:
	site = Site(size, untagged)
	waiting: list[Stale] = []
	for number, step in enumerate(steps):
		waiting += site.do(step)
		if number % together and number + 1 < len(steps):
			continue  # a purge that was refused waits with what comes later
		for order in orders.choose(waiting, by_tag=by_tag, whole_above=whole_above):
			if order.kind == "all":
				site.edge.forget_all()
			elif order.kind == "tag":
				site.edge.forget_tag(order.key)
			else:
				site.edge.forget_url(order.key)
		waiting = []
		assert site.stale() == []


def test_an_ordinary_edit_costs_five_tags_at_most() -> None:
	"""A lesson, its unit, its subject, the manifest and the search index of one plan."""
	edited = [
		(paths.lesson("l"), "physics"),
		(paths.unit("u"), "physics"),
		(paths.plan_subject("p", "physics"), "physics"),
		(paths.manifest("p"), ""),
		(paths.search_index("p"), ""),
	]
	stale = [
		Stale(url, *published_file.tags(path, subject))
		for path, subject in edited
		for url in (path, paths.versioned(path, 3))
	]
	assert len(orders.choose(stale, by_tag=True)) == 5
	assert len(orders.choose(stale, by_tag=False)) == 10


def test_a_file_whose_scope_has_no_tag_goes_by_its_own() -> None:
	many = [Stale(f"https://cdn.example.com/{number}.json", f"file-{number}") for number in range(30)]
	assert {order.key for order in orders.choose(many, by_tag=True)} == {each.file_tag for each in many}


def test_an_address_is_purged_once_all_that_covers_it_is() -> None:
	"""It was cached with other tags before and after its lesson moved, and one of the two purges failed."""
	moved, other = "https://cdn.example.com/a.json", "https://cdn.example.com/b.json"
	before, after = orders.Order("tag", "before", (moved, other)), orders.Order("tag", "after", (moved,))
	assert orders.settled([before], [after]) == ((other,), (moved,))
