"""What editors entered is published as they entered it, byte for byte, whether it fits the schema of its type or not."""

from __future__ import annotations

import random
from typing import Any

import orjson
from curriculum import mapping, package, school
from curriculum.pieces import Piece

from memora.services.cdn_export.model.tree import Stage
from memora.services.cdn_export.rules import contracts, stage_check
from tests.example import demo
from tests.npm import REPO
from tests.support import NOW, PLAN, PlanContent, Shelf, straight

SHAPES = 1_000


def test_configs_of_any_shape_are_published_byte_for_byte() -> None:
	dice = random.Random(21)
	stages = tuple(
		Stage(f"Stage {number}", dice.choice(contracts.STAGE_TYPES), _config(dice))
		for number in range(SHAPES)
	)
	shelf = Shelf(stages={"L": stages})
	shelf.publish([PlanContent(PLAN, [(straight(lesson={"stage_count": SHAPES}), 1)])], NOW)
	assert _configs(shelf.files["lessons/L.json"]) == [orjson.dumps(stage.config) for stage in stages]
	verdicts = {bool(stage_check.check(stage.type, stage.config)) for stage in stages}
	assert verdicts == {True, False}, "shapes that fit and that don't"


def test_the_demos_configs_are_published_byte_for_byte() -> None:
	folder = REPO / ".dev" / "curriculum"
	whole = school.curriculum(mapping.subjects(package.read(package.fetch(folder))))
	written = {orjson.dumps(stage.config) for piece in whole.subjects for stage in _stages(piece)}
	published = [
		config
		for path, body in demo.published(folder).items()
		if "lessons/" in path
		for config in _configs(body)
	]
	assert len(published) > 1_000
	assert set(published) <= written


def test_nothing_of_the_demo_is_broken() -> None:
	whole = school.curriculum(mapping.subjects(package.read(package.fetch(REPO / ".dev" / "curriculum"))))
	for piece in whole.subjects:
		for stage in _stages(piece):
			found = stage_check.check(stage.type, stage.config)
			assert [finding for finding in found if finding.severity == "broken"] == [], stage


def _configs(body: bytes) -> list[bytes]:
	"""The bytes of each config in a lesson's file."""
	document = orjson.loads(body)
	found, at = [], 0
	for stage in document["stages"]:
		config = orjson.dumps(stage["config"])
		at = body.index(b'"config":' + config, at) + len(config)
		found.append(config)
	return found


def _stages(piece: Piece) -> list[Any]:
	return [*piece.stages, *(stage for child in piece.children for stage in _stages(child))]


def _config(dice: random.Random) -> dict[str, Any]:
	"""Keys that the schemas name and others, with values of every kind."""
	named = [key for name in contracts.STAGES.values() for key in contracts.schema(name)["properties"]]
	keys = dice.sample(
		[*named, "options", "correct", "markdown", "url", "", "مفتاح", 'a"b'], dice.randint(0, 5)
	)
	return {key: _value(dice, 3) for key in keys}


def _value(dice: random.Random, levels: int) -> Any:
	kind = dice.randint(0, 8 if levels else 5)
	if kind > 6:
		return {
			dice.choice(["text", "name", "src", "x"]): _value(dice, levels - 1)
			for _ in range(dice.randint(0, 3))
		}
	if kind > 4 and levels:
		return [_value(dice, levels - 1) for _ in range(dice.randint(0, 3))]
	return dice.choice(
		[
			None,
			True,
			0,
			-7,
			1.5,
			1e30,
			2**63,
			"",
			" ",
			"نص 🚀",
			"<p>x &amp; y</p>",
			"\\(x^2\\)",
			"\u0001\u2028",
			"lessons/a",
		]
	)
