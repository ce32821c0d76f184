"""Every document of the repository, and the format in which some of them show commands with what they print."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
	path
	for path in ROOT.rglob("*.md")
	if not {".dev", "node_modules", ".pytest_cache"}.intersection(path.relative_to(ROOT).parts)
)
VALIDATED = (
	"QUICKSTART_VALIDATION.md",
	"docs/operations.md",
	"docs/gate.md",
	"docs/storage.md",
	"MIGRATION_VERIFICATION.md",
)
"""Those whose commands `dev/validate` runs."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
	"""A document as people call it."""
	return str(path.relative_to(ROOT))


def _validate() -> ModuleType:
	spec = importlib.util.spec_from_file_location("validate", ROOT / "dev" / "lib" / "validate.py")
	assert spec and spec.loader
	module = importlib.util.module_from_spec(spec)
	sys.modules[spec.name] = module
	spec.loader.exec_module(module)
	return module


validate = _validate()
