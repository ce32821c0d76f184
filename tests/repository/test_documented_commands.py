"""Each command that a document tells its reader to run has been run before: by `dev/validate`, or by CI."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.documents import DOCUMENTS, FENCE, ROOT, VALIDATED, relative, validate

CI = (".ci/run", ".github/workflows/ci.yml")
NOT_RUN = {
	"bench get-app": "the engine has no bench; CI's benches link the clone",
	"bench update": "likewise, and it fetches what is released",
	"bench restart": "supervisor's",
	"bench start": "runs until it is stopped",
	"bench schedule": "likewise",
	"bench serve": "serves until it is stopped; memora/tests/storage/test_web_server.py runs it",
	"bench restore": "asks for MariaDB's root password",
	"bench memora take-over": "only a place that is refused can be taken over, as test_ownership.py does",
	"bench enable-scheduler": "it would begin to work amid the document",
	"bench set-config allow_tests": "the site of the tests has it",
	"python tests/contract/storage account": "needs an account",
	"python tests/contract/cache_purge account": "needs an account",
	"pre-commit install": "CI runs pre-commit itself",
	"dev/validate --write": "changes documents, for a person to look at",
	"dev/contract/make --release": "notes what a release promises, likewise",
	"dev/engine/lock --upgrade-package": "changes what is locked, likewise",
	"python dev/lib/figures.py": "counts, for a person to read",
	"dev/benchmark --json --docs": "takes an hour, and its figures belong to one machine",
	"dev/faults": "takes half an hour; every scenario of it is among the tests",
	"dev/faults --runs --json": "likewise",
	"dev/faults --json --docs": "likewise, and its figures belong to one machine",
}
"""Commands that neither `dev/validate` nor CI runs, each with why."""

_INLINE = re.compile(
	r"`((?:\./)?dev/[a-z][^`]*|bench (?:--site )?[^`]+|env/bin/python [^`]+|python -m [^`]+)`"
)
_INDENTED = re.compile(r"^    ((?:MEMORA_\S+ )*dev/[a-z].*)$", re.MULTILINE)
_VARIABLES = re.compile(r"\b[A-Z_]+=\S* ")
_SITES = re.compile(r"--site \S+ ?")
_BELOW = {
	"memora": r"[a-z-]+",
	"memora dead-letters": "list|retry|dismiss",
	"memora gate-keys": "list|rotate|accept|revoke",
	"scheduler": "status",
	"set-config": "allow_tests",
}
"""Words that tell commands apart when they stand behind these."""


def _commands(text: str) -> Iterator[str]:
	"""Every command that a document names, but those that `dev/validate` runs."""
	for language, block in FENCE.findall(text):
		if language == "sh":
			for line in block.replace("\\\n", " ").splitlines():
				yield from re.split(r"\s(?:&&|\|\|)\s", line.partition(" #")[0])
	text = FENCE.sub("", text)
	yield from (inline.replace("\n", " ") for inline in _INLINE.findall(text))
	yield from (line.partition("  #")[0] for line in _INDENTED.findall(text))


def _key(command: str) -> str:
	"""What a command is, without what it is done to: `bench memora rebuild`, `dev/demo --s3`; "" for none."""
	first, *rest = [*_SITES.sub("", _VARIABLES.sub("", f"{command} ")).removeprefix("./").split(), ""]
	if first in ("bench", "dev/bench"):
		return _bench(rest)
	if first.startswith("dev/") and "." not in first:  # else it is a file
		return " ".join(
			[
				first,
				*(word for word in rest if word.startswith("--") and word not in ("--help", "--no-serve")),
			]
		)
	if first.endswith("python"):
		return " ".join(
			["python", *(word for word in rest if re.fullmatch(r"[a-z_]+[./][\w./]+|account", word))]
		)
	return f"{first} {rest[0]}" if first == "pre-commit" else ""


def _bench(words: list[str]) -> str:
	name = ""
	for word in words:
		if not re.fullmatch(_BELOW.get(name, "(?!)") if name else "[a-z-]+", word):
			break
		name = f"{name} {word}".strip()
	return f"bench {name}" if name not in ("", "memora") else ""


def _run_somewhere() -> set[str]:
	steps = (step for name in VALIDATED for step in validate.steps((ROOT / name).read_text()))
	lines = [line for step in steps for line in step.command.splitlines()]
	for name in CI:
		text = (ROOT / name).read_text().replace("\\\n", " ")
		lines += [re.sub(r"^\s*(- )?(run: )?", "", line) for line in text.splitlines()]
	return {_key(part.strip()) for line in lines for part in re.split(r"\$\(|&&|\|\||[;|{]", line)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_every_command_runs_somewhere(document: Path) -> None:
	named = {_key(command) for command in _commands(document.read_text())} - {""}
	assert named - _run_somewhere() - NOT_RUN.keys() == set(), "neither dev/validate nor CI runs it"


def test_what_does_not_run_is_named_by_a_document() -> None:
	named = {_key(command) for document in DOCUMENTS for command in _commands(document.read_text())}
	assert NOT_RUN.keys() <= named
	assert not NOT_RUN.keys() & _run_somewhere()


@pytest.mark.parametrize(
	("command", "key"),
	[
		("bench --site $SITE memora dead-letters retry --all", "bench memora dead-letters retry"),
		("bench --site SITE memora rebuild PLAN", "bench memora rebuild"),
		("bench memora", ""),
		("dev/bench migrate", "bench migrate"),
		("MEMORA_AUDIT_LESSONS=2000 dev/test memora/tests/maintenance/test_audit.py -k damaged", "dev/test"),
		("./dev/demo --s3 --no-serve", "dev/demo --s3"),
		("python -m benchmarks.upload", "python benchmarks.upload"),
		("alert now", ""),
	],
)
def test_keys(command: str, key: str) -> None:
	assert _key(command) == key
