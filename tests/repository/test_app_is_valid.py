"""What Frappe's new bench asks of an app before it installs it, and what Frappe asks of an app's methods."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "memora"
PROJECT = (ROOT / "pyproject.toml").read_text()
IGNORED = "memora/tests/*"
FILES = sorted(path for path in APP.rglob("*.py") if "tests" not in path.relative_to(APP).parts)


def _assigned(name: str) -> ast.expr | None:
	"""What hooks.py assigns to this name."""
	for node in ast.parse((APP / "hooks.py").read_text()).body:
		if isinstance(node, ast.Assign) and any(ast.unparse(target) == name for target in node.targets):
			return node.value
	return None


def test_the_supported_frappe_is_a_range_and_no_other_app_is_required() -> None:
	"""It reads this table, and wants in it each app that `required_apps` names."""
	table = re.search(r"^\[tool\.bench\.frappe-dependencies\]\n((?:.+\n)+)", PROJECT, re.MULTILINE)
	assert table and table[1].splitlines() == ['frappe = ">=15.0.0,<18.0.0-dev"']
	assert _assigned("required_apps") is None
	assert f'validation-ignore = ["{IGNORED}"]' in PROJECT


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.filterwarnings("error")
def test_each_file_is_one_for_the_oldest_python_and_this_one_warns_of_nothing(path: Path) -> None:
	text = path.read_text("utf-8")
	ast.parse(text, feature_version=(3, 10))
	compile(text, str(path), "exec")


def test_hooks_have_the_shapes_that_frappe_reads() -> None:
	for name in (
		"doc_events",
		"doctype_list_js",
		"has_permission",
		"permission_query_conditions",
		"scheduler_events",
	):
		assert isinstance(_assigned(name), ast.Dict | ast.Call), name
	assert ast.unparse(_assigned("require_type_annotated_api_methods") or ast.Constant(0)) == "True"


def test_the_changelogs_newest_release_is_this_version() -> None:
	version = re.search(r'^__version__ = "([\d.]+)"$', (APP / "__init__.py").read_text(), re.MULTILINE)
	newest = re.search(
		r"^## (\d[\d.]*)(?: – (\d{4}-\d\d-\d\d))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
	)
	assert version and newest and newest[2]
	assert newest[1] == version[1]


def test_every_import_resolves() -> None:
	"""Each module by its whole name; that only what is declared is imported, test_dependencies.py says. Frappe's own are
	imported where there is a Frappe."""
	missing = set()
	for path in FILES:
		for node in ast.walk(ast.parse(path.read_text("utf-8"))):
			names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
			if isinstance(node, ast.ImportFrom):
				assert not node.level, f"{path}: a relative import"
				names = [str(node.module)]
			for name in names:
				if name.partition(".")[0] != "frappe" and not _is_there(name):
					missing.add(f"{path.relative_to(ROOT)}: {name}")
	assert not missing


def _is_there(name: str) -> bool:
	if name.partition(".")[0] != "memora":
		return importlib.util.find_spec(name) is not None
	place = ROOT.joinpath(*name.split("."))  # not found by importing, which would want a Frappe
	return place.is_dir() or place.with_suffix(".py").is_file()
