"""The npm packages that tests use (dev/engine/kit). `dev/test` installs them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent
KIT = REPO / "dev" / "engine" / "kit"
DEV = Path(os.environ.get("MEMORA_DEV_DIR") or REPO / ".dev")


def node_modules() -> Path:
	"""The folder of the installed packages. Where there is none the test fails."""
	folder = DEV / "kit" / "node_modules"
	if not folder.is_dir():
		pytest.fail("this needs npm packages: run it by dev/test")
	return folder


def node(*arguments: str | Path, cwd: Path | None = None) -> str:
	"""Run node; return what it prints."""
	done = subprocess.run(
		["node", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
	)
	if done.returncode:
		pytest.fail(f"node {arguments[0]} failed:\n{done.stdout}\n{done.stderr}")
	return done.stdout
