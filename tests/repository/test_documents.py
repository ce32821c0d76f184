"""What the documents name is there: files behind links, anchors, commands, metrics; and their JSON, YAML and shell can be
read. Where their commands run: test_documented_commands.py."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from pathlib import Path

import click
import pytest
import tomllib
import yaml

from memora.commands import memora
from tests.repository.documents import DOCUMENTS, FENCE, ROOT, VALIDATED, relative, validate

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_DEV = re.compile(r"(?<![\w/.])(?:\./)?dev/([a-z][a-z0-9-]*)(?![-/.\w])")
_BENCH = re.compile(r"bench (?:--site \S+ )?memora ([a-z-]+)(?: (list|retry|clear)\b)?")
_FILE = re.compile(r"`(?!memora/place.json)((?:memora|edge|tests|docs|benchmarks)/[\w./-]+)`")
_METRIC = re.compile(r"`(memora_[a-z_]+)`")


def _anchors(text: str) -> set[str]:
	"""The anchors GitHub gives to headings."""
	headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
	return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(params=DOCUMENTS, ids=relative)
def document(request: pytest.FixtureRequest) -> Path:
	return request.param


def test_links_lead_somewhere(document: Path) -> None:
	text = document.read_text()
	for target in _LINK.findall(FENCE.sub("", text)):
		if target.startswith(("http://", "https://", "mailto:")):
			continue
		path, _, anchor = target.partition("#")
		file = (document.parent / path).resolve() if path else document
		assert file.exists(), f"{target} is not there"
		if anchor and file.suffix == ".md":
			assert anchor in _anchors(file.read_text()), f"{target} is no heading"


def test_commands_of_dev_exist(document: Path) -> None:
	for name in _DEV.findall(document.read_text()):
		assert (ROOT / "dev" / name).exists(), f"there is no dev/{name}"


def test_bench_commands_exist(document: Path) -> None:
	for name, below in _BENCH.findall(document.read_text()):
		assert name in memora.commands, f"there is no bench memora {name}"
		if below:
			group = memora.commands[name]
			assert isinstance(group, click.Group), f"bench memora {name} has no {below}"
			assert below in group.commands


def test_json_can_be_read(document: Path) -> None:
	for language, block in FENCE.findall(document.read_text()):
		if language == "json" and "…" not in block:
			json.loads(block)


def test_yaml_and_shell_can_be_read(document: Path) -> None:
	for language, block in FENCE.findall(document.read_text()):
		if language == "yaml":
			yaml.safe_load(block)
		if language == "sh" and "<where" not in block:
			subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_operations_name_every_command_and_metric() -> None:
	text = (ROOT / "docs" / "operations.md").read_text()
	for name in memora.commands:
		assert re.search(rf"\| `{name}\b", text), f"docs/operations.md says nothing of {name}"
	source = (ROOT / "memora" / "services" / "cdn_export" / "admin" / "metrics.py").read_text()
	there = set(re.findall(r'"([a-z_]+)",\s+"[A-Z]', source)) | set(re.findall(r'"(memora_[a-z_]+)"', source))
	there = {name.removeprefix("memora_") for name in there} - {"memora"}
	named = {name.removeprefix("memora_") for name in _METRIC.findall(text)} - {"metrics_token"}
	assert named == there


def _table_of_wings() -> list[tuple[str, str]]:
	"""Place and what lives there, of each row."""
	text = (ROOT / "docs" / "architecture.md").read_text()
	section = text.partition("## The wings, from the top down")[2].partition("\n## ")[0]
	return re.findall(r"^\| (`.+?) \| (.+) \|$", section, re.MULTILINE)


def test_what_architecture_calls_pure_is_held_to_it() -> None:
	"""By import-linter and by mypy: all three name the same places."""
	called = {
		name
		for place, _ in _table_of_wings()
		if "*(pure)*" in place
		for name in re.findall(r"`(\w+)/?`", place)
	}
	project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
	(linted,) = (
		contract["source_modules"]
		for contract in project["importlinter"]["contracts"]
		if contract["name"].startswith("The pure wings")
	)
	(strict,) = (part["module"] for part in project["mypy"]["overrides"] if part.get("disallow_untyped_defs"))
	assert set(linted) == {name.removesuffix(".*") for name in strict}
	assert called == {name.rpartition(".")[2] for name in linted} - {"exceptions"}


def test_architecture_names_every_module_of_the_pipeline_in_the_order_of_its_layers() -> None:
	house = ROOT / "memora" / "services"
	rows = _table_of_wings()
	places = [re.findall(r"`(\w+)/?`", place) for place, _ in rows]
	(layers,) = (
		contract["layers"]
		for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
			"contracts"
		]
		if contract.get("exhaustive")
	)
	order = {name: number for number, layer in enumerate(layers) for name in layer.split(" | ")}
	ranks = [order[name] for names in places for name in names]
	assert ranks == sorted(ranks)
	assert set(order) - {name for names in places for name in names} == {"upkeep", "reconciliation", "items"}
	for names, (_, says) in zip(places, rows, strict=True):
		wing = house / names[0]
		if wing.is_dir() and names[0] not in ("storage", "cache_purge"):
			there = {
				path.stem
				for path in wing.iterdir()
				if path.suffix == ".py" or (path / "__init__.py").exists()
			}
			assert set(re.findall(r"`(\w+)/?`", says)) == there - {"__init__"}, names[0]


_DOCTYPES = ROOT / "memora" / "memora" / "doctype"
_BESIDE = ("memora_gate_key", "memora_history", "memora_lesson_text", "memora_preview_link", "memora_trash")
"""Tables of features beside the pipeline."""
_OURS = sorted(
	[*_DOCTYPES.glob("cdn_*/cdn_*.json"), *(_DOCTYPES / name / f"{name}.json" for name in _BESIDE)]
)
_LAYOUT = ("Section Break", "Column Break", "Tab Break")


@pytest.mark.parametrize("path", _OURS, ids=lambda path: path.stem)
def test_the_data_model_names_every_table_and_column(path: Path) -> None:
	doctype = json.loads(path.read_text())
	text = (ROOT / "docs" / "data-model.md").read_text()
	section = text.partition(f"\n## {doctype['name']}\n")[2].partition("\n## ")[0]
	assert section, f"docs/data-model.md has no section {doctype['name']}"
	named = [
		name
		for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
		for name in re.findall(r"`(\w+)`", row)
	]
	columns = [field["fieldname"] for field in doctype["fields"] if field["fieldtype"] not in _LAYOUT]
	assert sorted(named) == sorted(columns)


def test_the_data_model_names_writers_that_there_are() -> None:
	text = (ROOT / "docs" / "data-model.md").read_text()
	written_by = " ".join(re.findall(r"^\|[^|]+\|[^|]+\| ([^|]+) \|$", text, re.MULTILINE))
	named = {name.rpartition("/")[2].rpartition(".")[2] for name in re.findall(r"`([\w./]+)`", written_by)}
	house = ROOT / "memora" / "services"
	modules = {path.stem if path.stem != "__init__" else path.parent.name for path in house.rglob("*.py")}
	assert len(named) > 30
	assert named <= set().union(modules, *map(_names_of, modules))


def test_the_data_model_has_no_other_table() -> None:
	text = (ROOT / "docs" / "data-model.md").read_text()
	assert set(re.findall(r"^## ((?:CDN|Memora) .+)$", text, re.MULTILINE)) == {
		json.loads(path.read_text())["name"] for path in _OURS
	}


def test_files_that_a_document_names_are_there(document: Path) -> None:
	for name in _FILE.findall(FENCE.sub("", document.read_text())):
		assert (ROOT / name).exists(), f"{name} is not there"


def _names_of(module: str) -> set[str]:
	"""What a module of the pipeline defines or brings in at its top, and its classes' methods. Empty if there is none."""
	house = ROOT / "memora" / "services"
	found: set[str] = set()
	for path in [*house.rglob(f"{module}.py"), *house.rglob(f"{module}/__init__.py")]:
		for node in ast.parse(path.read_text()).body:
			if isinstance(node, ast.FunctionDef | ast.ClassDef):
				found.add(node.name)
			if isinstance(node, ast.ClassDef):
				found |= {
					f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)
				}
			if isinstance(node, ast.ImportFrom):
				found |= {alias.name for alias in node.names}
			for target in node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]:
				if isinstance(target, ast.Name):
					found.add(target.id)
	return found


def test_the_functions_that_architecture_names_are_there() -> None:
	text = (ROOT / "docs" / "architecture.md").read_text()
	named = set(re.findall(r"`(?:[a-z_]+/)*([a-z_]+)\.([A-Za-z_.]+)`", text))
	gone = {
		f"{module}.{name}"
		for module, name in named
		if name not in ("py", "js") and (there := _names_of(module)) and name not in there
	}
	assert not gone
	assert len(named) > 50


def test_no_document_names_a_machine(document: Path) -> None:
	assert not re.search(r"/work/|/root/|/home/\w", document.read_text())


# The format that dev/validate runs


def test_steps_of_a_document() -> None:
	text = "# A\n```console\n$ one\n> more\nout\n\n$ two\n```\n```sh\n$ not this\n```\n```console\n$ three\nx\n```\n"
	steps = [(step.line, step.command, step.expected) for step in validate.steps(text)]
	assert steps == [(3, "one\nmore", ("out", "")), (7, "two", ()), (13, "three", ("x",))]


@pytest.mark.parametrize("text", ["```console\n$ one\n", "```console\noutput first\n```\n"])
def test_a_document_that_cannot_be_read_is_refused(text: str) -> None:
	with pytest.raises(validate.FormatError):
		list(validate.steps(text))


@pytest.mark.parametrize(
	("expected", "printed", "fits"),
	[
		([], [], True),
		([], ["x"], False),
		(["x"], [], False),
		(["a … c"], ["a b c"], True),
		(["a … c"], ["a b", "c"], False),
		(["a (b)"], ["a (b)  ", ""], True),
		(["…"], [], True),
		(["a", "…", "c"], ["a", "1", "2", "c"], True),
		(["a", "…"], ["b"], False),
		(["1.5"], ["1x5"], False),
	],
)
def test_what_fits(expected: list[str], printed: list[str], fits: bool) -> None:
	assert validate.fits(expected, printed) is fits


@pytest.mark.parametrize("name", VALIDATED)
def test_every_command_says_what_it_prints(name: str) -> None:
	"""A step that prints nothing is one that sets a variable, or is known to be silent."""
	steps = list(validate.steps((ROOT / name).read_text()))
	assert steps
	assert f"/{Path(name).stem}" in (ROOT / "dev" / "validate").read_text() or name.startswith("docs/")
	for step in steps:
		silent = re.match(
			r"\w+=|\w+\(\) |gunzip |bench --site \$SITE (execute frappe\.db\.set_value|mariadb -e|set-config|memora status --json)",
			step.command,
		)
		assert step.expected or silent, f"{name}:{step.line}"


def test_a_shell_keeps_variables_and_tells_exit_codes(tmp_path: Path) -> None:
	shell = validate.Shell(tmp_path, {"SITE": "some.site"})
	try:
		assert shell.run("X=1; echo $SITE") == (["some.site", ""], 0)
		assert shell.run("echo $X; false") == (["1", ""], 1)
		assert shell.run("cat; echo err >&2") == (["err", ""], 0)
	finally:
		shell.close()
