"""The npm packages that tests use (dev/kit), installed once by their lock."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent
KIT = REPO / "dev" / "kit"
DEV = Path(os.environ.get("MEMORA_DEV_DIR") or REPO / ".dev")


@cache
def node_modules() -> Path:
	"""The folder of the installed packages. Without node or npm the test fails, saying what to install."""
	if not (shutil.which("node") and shutil.which("npm")):
		pytest.fail("this needs Node.js and npm: apt-get install --no-install-recommends nodejs npm")
	lock = sha256((KIT / "package-lock.json").read_bytes()).hexdigest()
	folder = DEV / "kit"
	installed = folder / "installed"
	if not (installed.exists() and installed.read_text() == lock and not _missing(folder)):
		folder.mkdir(parents=True, exist_ok=True)
		for name in ("package.json", "package-lock.json"):
			shutil.copy(KIT / name, folder)
		_run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
		if missing := _missing(folder):  # npm 9 can end in the middle and call that a success
			pytest.fail(f"npm ci has left out {', '.join(missing)}: run the tests again")
		installed.write_text(lock)
	return folder / "node_modules"


def _missing(folder: Path) -> list[str]:
	"""The packages that are wanted and not there."""
	wanted = json.loads((KIT / "package.json").read_text())["dependencies"]
	return [name for name in wanted if not (folder / "node_modules" / name / "package.json").exists()]


def node(*arguments: str | Path, cwd: Path | None = None) -> str:
	"""Run node; return what it prints."""
	return _run("node", *map(str, arguments), cwd=cwd)


def _run(*command: str, cwd: Path | None) -> str:
	done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
	if done.returncode:
		pytest.fail(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
	return done.stdout
