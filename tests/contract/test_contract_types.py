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


REFUSED = [
	('const x: memora.Access = {is_published: true, access_level: "paid"}', "required_item"),
	('const x: memora.Access = {is_published: true, access_level: "staff"}', '"staff"'),
	("const x: memora.PlansIndex = {version: 1, generated_at: '', plans: [], more: 1}", "'more'"),
	("const x: (lesson: memora.Lesson) => string = (lesson) => lesson.signed_url_expiry", "undefined"),
	("const x = (index: memora.SearchIndex) => index.shards", "'shards'"),
	("const x = (lesson: memora.Lesson) => lesson.stages[0].config.video_url.length", "unknown"),
]


def test_the_types_refuse_what_the_contract_does(tmp_path: Path) -> None:
	said = compiled(tmp_path, "".join(f"{{ {source}; }}\n" for source, _ in REFUSED))
	for line, (source, words) in enumerate(REFUSED, start=2):
		assert [words in found for found in said.splitlines() if found.startswith(f"{line}: ")] == [True], (
			source,
			said,
		)


def test_the_pages_example_compiles(tmp_path: Path) -> None:
	page = kit.PAGE.read_text(encoding="utf-8")
	(example,) = [part.partition("```")[0] for part in page.split("```ts\n")[1:]]
	assert compiled(tmp_path, example) == ""
