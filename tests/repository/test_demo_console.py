"""How the demo prints paths, tables and documents."""

from __future__ import annotations

import pytest
from curriculum import console


def test_a_tree_names_few_files_and_counts_many(capsys: pytest.CaptureFixture[str]) -> None:
	sizes = {"plans/index.json": 400, "plans/a/manifest.json": 20_000}
	sizes |= {f"lessons/{number}.json": 1_000_000 for number in range(12)}
	console.tree(sizes, {"plans/a/": "← Plan"})
	assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
		["lessons/", "12", "files", "12.0", "MB"],
		["plans/", "2", "files", "20", "kB"],
		["index.json", "400", "B"],
		["a/", "1", "file", "20", "kB", "←", "Plan"],
		["manifest.json", "20", "kB"],
	]


def test_long_texts_and_lists_are_shortened() -> None:
	assert console.shortened({"a": "x" * 100, "b": [1, 2, 3, 4, 5, 6], "c": 7}) == {
		"a": "x" * console.LONGEST_TEXT + "…",
		"b": [1, 2, 3, 4, "… 2 more"],
		"c": 7,
	}
