"""docs/security.md: each threat names the test that shows what stands against it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
_NAME = re.compile(r"`((?:[a-z0-9_/]+/)?test_\w+\.py|test_\w+|Test\w+)`")


def threats() -> list[list[str]]:
	"""The rows of the table, cell by cell."""
	_, _, table = PAGE.partition("## Threat by threat")
	rows = [line for line in table.splitlines() if line.startswith("| ")]
	return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


@cache
def known() -> set[str]:
	"""Every file, class and function of tests that there is, by its name."""
	names = set()
	for folder in ("tests", "memora/tests"):
		for file in (ROOT / folder).rglob("test_*.py"):
			names |= {file.name, str(file.relative_to(ROOT))}
			names |= set(re.findall(r"^\s*(?:def|class) (test_\w+|Test\w+)", file.read_text(), re.MULTILINE))
	return names


@pytest.mark.parametrize("row", threats(), ids=lambda row: row[0])
def test_a_threat_names_a_test_that_there_is(row: list[str]) -> None:
	assert len(row) == 3
	named = _NAME.findall(" ".join(row))
	assert named
	assert set(named) <= known()


def test_no_threat_stands_there_twice() -> None:
	threats_named = [row[0] for row in threats()]
	assert len(threats_named) == len(set(threats_named)) > 20
