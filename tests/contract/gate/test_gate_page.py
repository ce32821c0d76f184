"""docs/gate.md: its examples make tokens that the gate accepts, its costs are reckoned from its prices, its threats name tests that there
are, and its tables say what the code does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from memora.services.access_gate.rules import tokens
from tests.contract.gate.conftest import EDGE, Runner
from tests.contract.gate.school import CONFIG, objects_of, private_key
from tests.npm import REPO

PAGE = (REPO / "docs" / "gate.md").read_text()
COMMANDS = {
	"python": [sys.executable, "example.py"],
	"js": ["node", "example.mjs"],
	"php": ["php", "example.php"],
}


def _blocks(language: str) -> list[str]:
	return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("language", COMMANDS)
def test_the_token_of_an_example_opens_a_lesson(language: str, tmp_path: Path, in_node: Runner) -> None:
	command = COMMANDS[language]
	if not shutil.which(command[0]):
		pytest.skip(f"there is no {command[0]}")
	(example,) = (block for block in _blocks(language) if "gate.pem" in block)
	(tmp_path / command[1]).write_text(example)
	private = private_key("the page's")
	pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
	(tmp_path / "gate.pem").write_bytes(pem)
	done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
	keys = tokens.keys_document({"2026-12": tokens.Key(private.public_key())}).decode()
	objects = objects_of(
		{
			"lessons/a.json": {"metadata": {"access-level": "paid"}, "items": ["PHYSICS", "صنف ٢"]},
			"gate/keys.json": {"body": keys},
		}
	)
	step = {"path": "/lessons/a.json", "headers": {"Authorization": f"Bearer {done.stdout.strip()}"}}
	answers = in_node.ask(store={"kind": "memory", "objects": objects}, config=CONFIG, steps=[step])[
		"answers"
	]
	assert answers[0]["status"] == 200, answers


def test_the_keys_of_the_page_can_be_read() -> None:
	(keys,) = (block for block in _blocks("json") if '"keys"' in block)
	assert list(tokens.keys_of(keys.encode())) == ["2026-12"]


def _cost(requests: int, reads: int, cpu: float) -> tuple[float, float]:
	"""Workers and R2 for so many million, by the page's prices."""
	workers = 5 + 0.30 * max(0, requests - 10) + 0.02 * max(0.0, cpu - 30)
	return round(workers, 2), round(0.36 * max(0, reads - 10), 2)


def test_the_costs_are_reckoned_from_the_prices() -> None:
	section = PAGE.partition("## What it costs")[2]
	rows = re.findall(
		r"^\| (\w.*?) \| ([\d,]+) million \| ([\d,]+) million \| \$([\d,.]+) \| \$([\d,.]+) \| \$([\d,.]+) \|$",
		section,
		re.MULTILINE,
	)
	assert len(rows) == 4
	lessons = 300_000 * 40 * 3 / 1e6
	films = 300_000 * 40 / 1e6
	wanted = {
		"lessons, an app": (lessons, lessons),
		"lessons, in a browser": (2 * lessons, lessons),
		"films as one MP4": (8 * films, 16 * films),
		"films in 100 pieces": (100 * films, 200 * films),
	}
	for (name, *figures), (begins, (requests, reads)) in zip(rows, wanted.items(), strict=True):
		assert name.startswith(begins)
		workers, r2 = _cost(round(requests), round(reads), requests)
		found = [float(figure.replace(",", "")) for figure in figures]
		assert found == [requests, reads, workers, r2, round(workers + r2, 2)], name


def test_each_threat_names_a_test_that_there_is() -> None:
	section = PAGE.partition("## Threat by threat")[2].partition("\n## ")[0]
	rows = [row for row in section.splitlines() if row.startswith("| ")][2:]
	there = {
		name
		for folder in (Path(__file__).parent, REPO / "memora" / "tests")
		for file in folder.rglob("test_*.py")
		for name in re.findall(r"^\t?def (test_\w+)", file.read_text(), re.MULTILINE)
	}
	for row in rows:
		named = set(re.findall(r"`(test_\w+)`", row))
		assert named and named <= there, row
	assert len(rows) > 10


def test_the_page_names_the_version_that_the_gate_answers(in_node: Runner) -> None:
	step = {"path": "/lessons/a.json", "headers": {}}
	(answer,) = in_node.ask(store={"kind": "memory", "objects": {}}, config=CONFIG, steps=[step])["answers"]
	assert re.findall(r"`X-Memora-Gate: (.*?)`", PAGE) == [answer["headers"]["x-memora-gate"]]


def test_the_page_names_every_error_that_the_gate_says() -> None:
	code = (EDGE / "answers.js").read_text().partition("const MESSAGES = {")[2].partition("};")[0]
	said = dict(re.findall(r'^\t(\w+): "(.*)",$', code, re.MULTILINE))
	listed = PAGE.partition("`error` is one of ")[2].partition(". ")[0]
	assert re.findall(r"`(\w+)`", listed) == list(said)
	(shown,) = (json.loads(block) for block in _blocks("json") if '"error"' in block)
	assert said[shown["error"]] == shown["message"]
