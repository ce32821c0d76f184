"""What memora takes from npm is pinned to one version, in all places, with everything that it needs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.npm import KIT, REPO

PINNED: dict[str, str] = json.loads((REPO / "package.json").read_text())["dependencies"]
LOCKED: dict[str, Any] = json.loads((KIT / "package-lock.json").read_text())["packages"]


@pytest.mark.parametrize("name", PINNED)
def test_a_package_has_one_version_everywhere(name: str) -> None:
	version = PINNED[name]
	assert re.fullmatch(r"\d+\.\d+\.\d+", version)
	assert json.loads((KIT / "package.json").read_text())["dependencies"][name] == version
	assert LOCKED[f"node_modules/{name}"]["version"] == version


@pytest.mark.parametrize("name", PINNED)
def test_what_a_package_needs_is_pinned_too(name: str) -> None:
	"""A bench has no lock of ours: it would take the newest of what only other packages name."""
	assert set(LOCKED[f"node_modules/{name}"].get("dependencies", {})) <= PINNED.keys()


def test_the_editors_imports_are_pinned() -> None:
	imported: set[str] = set()
	for file in (REPO / "memora/public/js").rglob("*.js"):
		imported |= set(
			re.findall(r'^(?:import|export)\b.*? from "([^./"][^"]*)";', file.read_text(), re.MULTILINE)
		)
	assert imported
	assert imported <= PINNED.keys()
