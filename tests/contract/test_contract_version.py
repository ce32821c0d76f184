"""A change of the schemas that breaks a reader is refused unless the contract's version says so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from contract import compatibility, kit

from memora.services.cdn_export.rules import contracts

Schemas = dict[str, Any]


def test_the_contracts_version_says_enough_about_what_changed_since_the_last_release() -> None:
	assert not (words := kit.problem()), words


def test_a_breaking_change_is_refused_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
	was = kit.released()
	lesson = copy.deepcopy(was["schemas"]["lesson"])
	del lesson["properties"]["navigation"]
	lesson["required"].remove("navigation")
	now = {**was["schemas"], "lesson": lesson}
	monkeypatch.setattr(contracts, "VERSION", "1.5")
	monkeypatch.setattr(kit, "current", lambda: {"contract_version": "1.5", "schemas": now})
	monkeypatch.setattr(kit, "released", lambda: {**was, "contract_version": "1.4"})
	assert "lesson.navigation: is gone" in kit.problem()
	assert "contracts.VERSION has to be 2.0, and it is 1.5." in kit.problem()
	monkeypatch.setattr(contracts, "VERSION", "2.0")
	assert not kit.problem()


def _unit(schemas: Schemas) -> Any:
	return schemas["unit"]["properties"]


def _common(schemas: Schemas) -> Any:
	return schemas["common"]["definitions"]


BREAKING: dict[str, Callable[[Schemas], Any]] = {
	"unit.topics": lambda s: _unit(s).pop("topics"),
	"unit.image: must now be there": lambda s: s["unit"]["required"].append("image"),
	"unit.stats: may now be absent": lambda s: s["unit"]["required"].remove("stats"),
	"unit.sort_order: type": lambda s: _unit(s)["sort_order"].update(type="string"),
	"unit.sort_order: minimum": lambda s: _unit(s)["sort_order"].update(minimum=0),
	"unit.stats.total_topics: minimum": lambda s: _common(s)["count"].pop("minimum"),
	"unit.id: maxLength": lambda s: _common(s)["id"].update(maxLength=10),
	"unit.extra: is new and required": lambda s: (
		_unit(s).update(extra={"type": "string"}),
		s["unit"]["required"].append("extra"),
	),
	"unit.access.access_level: enum": lambda s: _common(s)["access"]["properties"]["access_level"][
		"enum"
	].append("staff"),
	"unit.access: additionalProperties": lambda s: _common(s)["access"].update(additionalProperties=True),
	"unit.access (then).is_sold_separately: may now be absent": lambda s: _common(s)["access"]["then"][
		"required"
	].remove("is_sold_separately"),
	"unit.topics[].lessons[].url: pattern": lambda s: _unit(s)["topics"]["items"]["properties"]["lessons"][
		"items"
	]["properties"]["url"].update(pattern="^https"),
	"lesson.stages[].type: enum": lambda s: s["lesson"]["properties"]["stages"]["items"]["properties"][
		"type"
	]["enum"].remove("Text"),
	"stage_question.choices[]: pattern": lambda s: s["stage_question"]["properties"]["choices"]["items"].pop(
		"pattern"
	),
	"search_shard: this kind of file is gone": lambda s: s.pop("search_shard"),
}
ADDING: dict[str, Callable[[Schemas], Any]] = {
	"unit.extra: is new": lambda s: _unit(s).update(extra={"type": "string"}),
	"unit.access.seats: is new": lambda s: _common(s)["access"]["properties"].update(
		seats={"type": "integer"}
	),
	"stage_question.points: is new": lambda s: s["stage_question"]["properties"].update(
		points={"type": "integer"}
	),
	"badges: a new kind of file": lambda s: s.update(badges={"type": "object"}),
}
WORDING: list[Callable[[Schemas], Any]] = [
	lambda s: _unit(s)["sort_order"].update(description="Other words."),
	lambda s: s["unit"].update(title="Other words."),
	lambda s: s["unit"]["required"].reverse(),
	lambda s: _common(s)["access"]["properties"]["access_level"]["enum"].reverse(),
	lambda s: _common(s).update(unused={"type": "string"}),
	lambda s: _common(s)["embed"]["enum"].append("https://player.example"),
]


def _changed(change: Callable[[Schemas], Any]) -> list[compatibility.Change]:
	schemas = {name: contracts.schema(name) for name in contracts.NAMES}
	other = copy.deepcopy(schemas)
	change(other)
	return compatibility.changes(schemas, other)


@pytest.mark.parametrize("words", BREAKING)
def test_what_breaks_a_reader_raises_the_first_number(words: str) -> None:
	found = _changed(BREAKING[words])
	assert any(str(change).startswith(words) for change in found), [*map(str, found)]
	assert compatibility.needed("1.3", found) == "2.0"


@pytest.mark.parametrize("words", ADDING)
def test_what_only_adds_raises_the_second_number(words: str) -> None:
	found = _changed(ADDING[words])
	assert any(str(change).startswith(words) for change in found), [*map(str, found)]
	assert compatibility.needed("1.3", found) == "1.4"


@pytest.mark.parametrize("change", WORDING)
def test_wording_and_order_raise_nothing(change: Callable[[Schemas], Any]) -> None:
	assert _changed(change) == []


@pytest.mark.parametrize(
	("old", "new", "raised", "allowed"),
	[
		("1.0", "1.0", None, True),
		("1.0", "1.1", None, False),  # a version that says nothing
		("1.0", "1.0", "second", False),
		("1.0", "1.1", "second", True),
		("1.9", "1.10", "second", True),
		("1.0", "2.0", "second", True),
		("1.0", "1.1", "first", False),
		("1.9", "2.0", "first", True),
		("2.0", "1.9", "first", False),
	],
)
def test_a_version_may_follow_when_it_says_enough(old: str, new: str, raised: Any, allowed: bool) -> None:
	found = [compatibility.Change("x", "y", raised)] if raised else []
	assert compatibility.may_follow(old, new, found) == allowed
