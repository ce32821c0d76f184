"""What the documents name is there: files behind links, anchors, commands, metrics; their JSON, YAML and shell can be
read; and each of their commands runs somewhere before a reader runs it."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from memora.commands import memora

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
	path
	for path in ROOT.rglob("*.md")
	if not {".dev", "node_modules", ".pytest_cache"}.intersection(path.relative_to(ROOT).parts)
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEV = re.compile(r"(?<![\w/.])(?:\./)?dev/([a-z][a-z0-9-]*)(?![-/.\w])")
_BENCH = re.compile(r"bench (?:--site \S+ )?memora ([a-z-]+)(?: (list|retry|clear)\b)?")
_METRIC = re.compile(r"`(memora_[a-z_]+)`")


def _relative(path: Path) -> str:
	return str(path.relative_to(ROOT))


def _anchors(text: str) -> set[str]:
	"""The anchors GitHub gives to headings."""
	headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
	return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(params=DOCUMENTS, ids=_relative)
def document(request: pytest.FixtureRequest) -> Path:
	return request.param


def test_links_lead_somewhere(document: Path) -> None:
	text = document.read_text()
	for target in _LINK.findall(_FENCE.sub("", text)):
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
	for language, block in _FENCE.findall(document.read_text()):
		if language == "json" and "…" not in block:
			json.loads(block)


def test_yaml_and_shell_can_be_read(document: Path) -> None:
	for language, block in _FENCE.findall(document.read_text()):
		if language == "yaml":
			yaml.safe_load(block)
		if language == "sh" and "<where" not in block:
			subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_operations_name_every_command_and_metric() -> None:
	text = (ROOT / "docs" / "operations.md").read_text()
	for name in memora.commands:
		assert re.search(rf"\| `{name}\b", text), f"docs/operations.md says nothing of {name}"
	source = (ROOT / "memora" / "services" / "cdn_export" / "metrics.py").read_text()
	there = set(re.findall(r'"([a-z_]+)",\s+"[A-Z]', source)) | set(re.findall(r'"(memora_[a-z_]+)"', source))
	there = {name.removeprefix("memora_") for name in there} - {"memora"}
	named = {name.removeprefix("memora_") for name in _METRIC.findall(text)} - {"metrics_token"}
	assert named == there


def test_what_architecture_calls_pure_is_held_to_it() -> None:
	"""By import-linter and by mypy: all three name the same rooms."""
	rows = re.findall(r"^\| .*\|$", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
	cells = [cell.rpartition("*(pure)*")[0] for row in rows for cell in row.split("|")]
	called = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
	project = (ROOT / "pyproject.toml").read_text()
	linted, typed = (
		{name.removesuffix(".py") for name in re.findall(r"\bcdn_export[./](\w+(?:\.py)?)\"", block)}
		for block in re.findall(
			r"^(?:source_modules|files) = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL
		)[:2]
	)
	assert called == linted == typed


def test_no_document_names_a_machine(document: Path) -> None:
	assert not re.search(r"/work/|/root/|/home/\w", document.read_text())


# Where each command runs

VALIDATED = ("QUICKSTART_VALIDATION.md", "docs/operations.md", "docs/storage.md", "MIGRATION_VERIFICATION.md")
CI = (".ci/run", ".github/workflows/ci.yml")
NOT_RUN = {
	"bench get-app": "the engine has no bench; CI's benches link the clone",
	"bench update": "likewise, and it fetches what is released",
	"bench restart": "supervisor's",
	"bench start": "runs until it is stopped",
	"bench schedule": "likewise",
	"bench restore": "asks for MariaDB's root password",
	"bench enable-scheduler": "it would begin to work amid the document",
	"bench set-config allow_tests": "the site of the tests has it",
	"python tests/contract/storage account": "needs an account",
	"python tests/contract/cache_purge account": "needs an account",
	"pre-commit install": "CI runs pre-commit itself",
	"dev/validate --write": "changes documents, for a person to look at",
	"dev/lock --upgrade-package": "changes what is locked, likewise",
	"dev/benchmark --json --docs": "takes an hour, and its figures belong to one machine",
}
"""Commands that neither `./dev/validate` nor CI runs, each with why."""

_INLINE = re.compile(
	r"`((?:\./)?dev/[a-z][^`]*|(?:dev/)?bench --?[^`]+|bench [a-z][^`]*|env/bin/python [^`]+|python -m [^`]+)`"
)
_INDENTED = re.compile(r"^    ((?:MEMORA_\S+ )*dev/[a-z].*)$", re.MULTILINE)
_MORE = frozenset({"list", "retry", "clear", "allow_tests", "status"})


def _commands(text: str) -> Iterator[str]:
	"""Every command that a document tells its reader to run, but those that `dev/validate` runs."""
	for language, block in _FENCE.findall(text):
		if language == "sh":
			for line in block.replace("\\\n", " ").splitlines():
				yield from re.split(r"\s(?:&&|\|\|)\s", line.partition(" #")[0])
	text = _FENCE.sub("", text)
	yield from (inline.replace("\n", " ") for inline in _INLINE.findall(text))
	yield from (line.partition("  #")[0] for line in _INDENTED.findall(text))


def _key(command: str) -> str:
	"""What a command is, without what it is done to: `bench memora rebuild`, `dev/demo --s3`; "" for none."""
	words = re.sub(r"\b[A-Z_]+=\S* ", "", f"{command} ").removeprefix("./").split()
	if words and words[0] in ("dev/bench", "bench"):
		words = [
			word
			for word in words[1:]
			if word not in ("--site", "SITE", "$SITE", "your.site", "some.site", "…")
		]
		words = [word for word in words if not word.startswith("-") and not word.endswith(".localhost")]
		several = words[:1] == ["memora"] or (words[1:2] and words[1] in _MORE)
		kept = words[: 2 if several else 1]
		if words[:2] == ["memora", "dead-letters"] and words[2:3] and words[2] in _MORE:
			kept = words[:3]
		return " ".join(["bench", *kept]) if kept not in ([], ["memora"]) else ""
	if words and words[0].startswith("dev/"):
		return " ".join(
			[
				words[0],
				*(
					word
					for word in words[1:]
					if word.startswith("--") and word not in ("--help", "--no-serve")
				),
			]
		)
	if words and words[0].endswith("python"):
		return " ".join(
			["python", *(word for word in words[1:] if re.fullmatch(r"[a-z_]+[./][\w./]+|account", word))]
		)
	return " ".join(words[:2]) if words and words[0] == "pre-commit" else ""


def _run_somewhere() -> set[str]:
	steps = (step for name in VALIDATED for step in validate.steps((ROOT / name).read_text()))
	lines = [line for step in steps for line in step.command.splitlines()]
	for name in CI:
		text = (ROOT / name).read_text().replace("\\\n", " ")
		lines += [re.sub(r"^\s*(- )?(run: )?(\S+=\S+ )*", "", line) for line in text.splitlines()]
	parts = (part for line in lines for part in re.split(r"\$\(|&&|\|\||[;|{]", line))
	return {_key(part.strip()) for part in parts}


def test_every_command_runs_somewhere(document: Path) -> None:
	there = _run_somewhere()
	homeless = (
		{key for command in _commands(document.read_text()) if (key := _key(command))}
		- there
		- NOT_RUN.keys()
	)
	assert homeless == set(), "neither ./dev/validate nor CI runs it"


def test_what_does_not_run_is_named_by_a_document() -> None:
	keys = {_key(command) for document in DOCUMENTS for command in _commands(document.read_text())}
	assert NOT_RUN.keys() <= keys
	assert not NOT_RUN.keys() & _run_somewhere()


# The format that dev/validate runs


def _validate():
	spec = importlib.util.spec_from_file_location("validate", ROOT / "dev" / "lib" / "validate.py")
	assert spec and spec.loader
	module = importlib.util.module_from_spec(spec)
	sys.modules[spec.name] = module
	spec.loader.exec_module(module)
	return module


validate = _validate()


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
