"""pyproject.toml declares what memora imports itself, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FROM_FRAPPE = {"PIL", "click", "frappe", "rq", "werkzeug"}
"""Frappe cannot run without them, and memora only meets them through it."""


def _imported() -> set[str]:
	"""The packages that memora's own modules import, its tests left out."""
	names: set[str] = set()
	for path in (ROOT / "memora").rglob("*.py"):
		if "tests" in path.relative_to(ROOT).parts:
			continue
		for node in ast.walk(ast.parse(path.read_text("utf-8"))):
			if isinstance(node, ast.Import):
				names |= {alias.name.partition(".")[0] for alias in node.names}
			elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
				names.add(node.module.partition(".")[0])
	return names - sys.stdlib_module_names - {"memora"}


def _declared() -> list[str]:
	text = (ROOT / "pyproject.toml").read_text()
	block = re.search(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
	assert block
	return re.findall(r'"([\w-]+)', block[1])


def test_what_is_imported_is_declared_and_the_reverse() -> None:
	assert _imported() - FROM_FRAPPE == {name.replace("-", "_") for name in _declared()}


def test_what_is_declared_is_installed_for_developing() -> None:
	"""dev/engine/requirements.in repeats them, since the engine's environment is made before memora is there."""
	wanted = (ROOT / "dev" / "engine" / "requirements.in").read_text()
	for name in _declared():
		assert re.search(rf"^{name}\b", wanted, re.MULTILINE), name
