"""Counts the house: how large its parts are, and what each of them knows. Prints; `tests/repository/test_figures.py` judges.

Run it with the Python of `.dev/bench`, from the repository. "The product" is `memora/` without its tests; what a module
imports of the product is its fan-out; statements that a function spans are counted in lines.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

import grimp

REPO = Path(__file__).parents[2]
HOUSE = REPO / "memora" / "services" / "cdn_export"
LONGEST_FILE, LONGEST_FUNCTION, MOST_COMPLEX, LARGEST_FAN_OUT = 400, 60, 12, 12


def main() -> None:
	files = files_and_lines()
	say("entries at the top of cdn_export", sum(1 for path in HOUSE.iterdir() if _is_entry(path)))
	services = [path for path in files if "services" in path.parts]
	say("lines of services", sum(files[path] for path in services))
	for kind, lines in sum(map(_kinds, services), Counter[str]()).items():
		say(f"of them {kind}", lines)
	say("median lines of a file", median(files.values()))
	for what, which in over(files).items():
		say(what, which)


def over(files: dict[Path, int]) -> dict[str, list[str]]:
	"""What is larger than the house allows, by its kind."""
	graph = grimp.build_graph("memora", cache_dir=None)
	fan_out = {
		module: sum(1 for other in graph.find_modules_directly_imported_by(module) if _is_ours(other))
		for module in graph.modules
		if _is_ours(module)
	}
	return {
		f"files over {LONGEST_FILE} lines": _named(files.items(), LONGEST_FILE),
		f"functions over {LONGEST_FUNCTION} lines": _named(_functions(files), LONGEST_FUNCTION),
		f"functions over complexity {MOST_COMPLEX}": _too_complex(),
		f"modules with a fan-out over {LARGEST_FAN_OUT}": _named(fan_out.items(), LARGEST_FAN_OUT),
	}


def files_and_lines() -> dict[Path, int]:
	"""The files of the product, and how many lines each has."""
	return {path: path.read_text().count("\n") for path in _product() if path.name != "__init__.py"}


def say(what: str, found: float | list[str]) -> None:
	"""Print a figure, or how many there are and which."""
	print(f"{len(found) if isinstance(found, list) else f'{found:g}':>7}  {what}")
	for name in found if isinstance(found, list) else ():
		print(f"         {name}")


def _product() -> Iterator[Path]:
	for path in sorted((REPO / "memora").rglob("*.py")):
		if "tests" not in path.parts and "node_modules" not in path.parts:
			yield path


def _kinds(path: Path) -> Counter[str]:
	"""How many of a file's lines are what: those of a docstring, also of a constant's, are no code, blank or not."""
	text = path.read_text()
	tree = ast.parse(text)
	said = {
		line
		for node in ast.walk(tree)
		if isinstance(node, ast.Expr)
		and isinstance(node.value, ast.Constant)
		and isinstance(node.value.value, str)
		for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
	}
	counts = Counter({"code": 0, "docstrings and comments": 0, "blank": 0})
	for number, line in enumerate(text.splitlines(), start=1):
		if number in said or line.strip().startswith("#"):
			counts["docstrings and comments"] += 1
		else:
			counts["code" if line.strip() else "blank"] += 1
	return counts


def _is_entry(path: Path) -> bool:
	return (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").exists()


def _is_ours(module: str) -> bool:
	return not module.startswith("memora.tests")


def _functions(files: dict[Path, int]) -> Iterator[tuple[str, int]]:
	for path in files:
		for node in ast.walk(ast.parse(path.read_text())):
			if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
				yield (
					f"{path.relative_to(REPO)}:{node.name}",
					(node.end_lineno or node.lineno) - node.lineno + 1,
				)


def _too_complex() -> list[str]:
	command = "ruff check --isolated --select C901 --output-format json --config".split()
	limit = f"lint.mccabe.max-complexity = {MOST_COMPLEX}"
	answer = subprocess.run(
		[sys.executable, "-m", *command, limit, *map(str, _product())],
		capture_output=True,
		text=True,
		check=False,
	)
	return [
		f"{Path(found['filename']).relative_to(REPO)}: {found['message']}"
		for found in json.loads(answer.stdout)
	]


def _named(counted: Iterable[tuple[object, int]], above: int) -> list[str]:
	over = sorted(((count, name) for name, count in counted if count > above), key=lambda pair: -pair[0])
	return [
		f"{count:>5}  {name.relative_to(REPO) if isinstance(name, Path) else name}" for count, name in over
	]


if __name__ == "__main__":
	main()
