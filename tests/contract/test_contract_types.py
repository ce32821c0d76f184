"""The TypeScript types are those of the schemas, and published files have them, as tsc says."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from contract import kit

from memora.services.cdn_export.rules import contracts
from tests.contract.test_schemas import sharded
from tests.example import curriculum
from tests.example.configs import CONFIGS
from tests.npm import node, node_modules
from tests.support import NOW, Shelf, busy, stages_of

TYPE_OF = {kind: kind.title().replace("_", "") for kind in contracts.KINDS}


@cache
def documents() -> list[tuple[str, Any]]:
	"""Published files of every kind, each with its type's name."""
	example = Shelf(stages=curriculum.STAGES, with_schemas=True)
	example.publish(curriculum.PLANS, NOW)
	full = Shelf(stages=stages_of(busy()))
	full.publish(busy(), NOW)
	return [
		(TYPE_OF[shelf.kinds[path]], document)
		for shelf in (example, full, sharded())
		for path, document in shelf.documents().items()
		if shelf.kinds[path] != "schema"
	]


def compiled(folder: Path, source: str) -> str:
	"""What tsc says about a module that uses the types, a line each; the source begins on line 2."""
	(folder / "memora.d.ts").write_bytes(kit.TYPES.read_bytes())
	(folder / "check.ts").write_text(f'import type * as memora from "./memora";\n{source}', encoding="utf-8")
	(folder / "run.cjs").write_text(
		f"""const ts = require({json.dumps(str(node_modules() / "typescript"))});
		const program = ts.createProgram(["check.ts"], {{ strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, lib: ["lib.es2022.d.ts"], skipLibCheck: false, types: [],
			module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }});
		for (const found of ts.getPreEmitDiagnostics(program)) {{
			const line = found.file.getLineAndCharacterOfPosition(found.start).line + 1;
			console.log(`${{line}}: ${{ts.flattenDiagnosticMessageText(found.messageText, " ")}}`);
		}}""",
		encoding="utf-8",
	)
	return node("run.cjs", cwd=folder)


def test_the_types_are_those_of_the_schemas() -> None:
	assert kit.TYPES.read_text(encoding="utf-8") == kit.types(), "run dev/contract/make"


def test_every_published_file_has_its_type(tmp_path: Path) -> None:
	assert {kind for kind, _ in documents()} == set(TYPE_OF.values())
	source = "".join(
		f"export const x{number}: memora.{kind} = {json.dumps(document, ensure_ascii=False)};\n"
		for number, (kind, document) in enumerate(documents())
	)
	assert compiled(tmp_path, source) == ""


def test_every_example_of_a_config_has_its_type(tmp_path: Path) -> None:
	source = "".join(
		f"export const x{type_}{number}: memora.{type_}Config = {json.dumps(config, ensure_ascii=False)};\n"
		for type_, configs in CONFIGS.items()
		for number, config in enumerate(configs)
	)
	assert compiled(tmp_path, source) == ""


DRAWN = """export const draw = (stage: memora.Stage, fits: <T>(config: T | memora.OtherConfig) => config is T): string => {
	switch (stage.type) {
		case "Video":
			return fits<memora.VideoConfig>(stage.config) ? stage.config.video_url + stage.config.captions?.map((one) => one.src) : other(stage.config);
		case "Text":
			return fits<memora.TextConfig>(stage.config) ? (stage.config.html ?? stage.config.text ?? "") : other(stage.config);
		case "Question":
			return fits<memora.QuestionConfig>(stage.config) ? [stage.config.answer].flat().concat(stage.config.choices ?? []).join() : other(stage.config);
		case "Interactive":
			return fits<memora.InteractiveConfig>(stage.config) ? (stage.config.files ?? []).map((one) => one.content).join() : other(stage.config);
	}
};
const other = (config: memora.OtherConfig): string => Object.keys(config).join();
export const framed: memora.Embed = "https://player.vimeo.com";
"""


def test_every_stage_can_be_drawn_from_the_types_alone(tmp_path: Path) -> None:
	assert compiled(tmp_path, DRAWN) == ""


REFUSED = [
	('const x: memora.Access = {is_published: true, access_level: "paid"}', "required_item"),
	('const x: memora.Access = {is_published: true, access_level: "staff"}', '"staff"'),
	("const x: memora.PlansIndex = {version: 1, generated_at: '', plans: [], more: 1}", "'more'"),
	("const x: (lesson: memora.Lesson) => string = (lesson) => lesson.signed_url_expiry", "undefined"),
	("const x = (index: memora.SearchIndex) => index.shards", "'shards'"),
	("const x = (stage: memora.VideoStage) => stage.config.video_url.length", "unknown"),
	("const x = (lesson: memora.Lesson) => lesson.stages[0].config.choices.length", "does not exist"),
	('const x: memora.QuestionConfig = {question: "?"}', "answer"),
	('const x: memora.QuestionConfig = {answer: "4", choices: [4]}', "number"),
	('const x: memora.QuestionConfig = {answer: "4", kind: "short", choices: ["4"]}', "not assignable"),
	('const x: memora.QuestionConfig = {answer: "4", kind: "one", tolerance: 1}', "not assignable"),
	('const x: memora.Stage = {idx: 1, title: "", type: "Quiz", config: {}}', '"Quiz"'),
]


def test_the_types_refuse_what_the_contract_does(tmp_path: Path) -> None:
	said = compiled(tmp_path, "".join(f"{{ {source}; }}\n" for source, _ in REFUSED))
	for line, (source, words) in enumerate(REFUSED, start=2):
		assert [words in found for found in said.splitlines() if found.startswith(f"{line}: ")] == [True], (
			source,
			said,
		)


def test_the_pages_examples_compile(tmp_path: Path) -> None:
	page = kit.PAGE.read_text(encoding="utf-8")
	examples = [part.partition("```")[0] for part in page.split("```ts\n")[1:]]
	assert len(examples) == 2
	for example in examples:
		assert compiled(tmp_path, example) == ""
