"""What the commands under `dev/` do with what they are told, as far as that needs nothing of theirs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("-h", 0), ("--dry-run", 1), ("site", 1)])
def test_clean_removes_nothing_when_it_is_asked_for_something_else(
	tmp_path: Path, argument: str, code: int
) -> None:
	(tmp_path / "data").touch()
	environment = {
		name: value for name, value in os.environ.items() if name not in ("MEMORA_BENCH", "MEMORA_SITE")
	} | {"MEMORA_DEV_DIR": str(tmp_path)}
	ended = subprocess.run(
		[ROOT / "dev" / "clean", argument], env=environment, capture_output=True, text=True, timeout=60
	)
	assert (ended.returncode, (tmp_path / "data").exists()) == (code, True), ended.stderr
	assert "remove" in ended.stdout if code == 0 else "dev/clean --help" in ended.stderr
