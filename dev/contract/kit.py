"""What dev/contract/make makes: the example's tree, the page's blocks, the types, the reader's stamps, and the
baseline of a release.

python -m contract.kit            makes all but the baseline
python -m contract.kit --release  also takes the schemas as the ones of a release
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from contract import compatibility, doc
from memora.services.cdn_export.rules import contracts
from tests.e2e import stamps
from tests.example import curriculum
from tests.npm import REPO, node, node_modules

PAGE = REPO / "docs" / "contract.md"
TYPES = REPO / "memora" / "public" / "contract" / "memora.d.ts"
BASELINE = Path(__file__).parent / "baseline.json"
TREE = REPO / "tests" / "example" / "published"


def tree() -> dict[str, bytes]:
	"""The example's published files but the schemas, which stand in the repository already."""
	return {path: body for path, body in curriculum.published().items() if not path.endswith(".schema.json")}


def types() -> str:
	"""The TypeScript types of the schemas as they are now."""
	# From where its packages are: a module is looked for beside the file that imports it.
	script = shutil.copy(Path(__file__).with_name("types.mjs"), node_modules().parent)
	return node(script, Path(str(files(contracts))), *contracts.NAMES)


def current() -> dict[str, Any]:
	return {
		"contract_version": contracts.VERSION,
		"schemas": {n: contracts.schema(n) for n in contracts.NAMES},
	}


def released() -> dict[str, Any]:
	"""The version and the schemas of the last release."""
	baseline: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8"))
	return baseline


def problem() -> str:
	"""Why the contract's version does not say enough about what changed since the release; "" when it does."""
	was, now = released(), current()
	found = compatibility.changes(was["schemas"], now["schemas"])
	if compatibility.may_follow(was["contract_version"], contracts.VERSION, found):
		return ""
	needed = compatibility.needed(was["contract_version"], found)
	listed = "\n".join(f"  {change}" for change in found) or "  nothing"
	return (
		f"Since version {was['contract_version']} of the contract these have changed:\n{listed}\n"
		f"so contracts.VERSION has to be {needed}, and it is {contracts.VERSION}."
	)


def main(arguments: list[str]) -> None:
	shutil.rmtree(TREE, ignore_errors=True)
	for path, body in tree().items():
		file = TREE / path
		file.parent.mkdir(parents=True, exist_ok=True)
		file.write_bytes(body)
	PAGE.write_text(doc.render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
	TYPES.parent.mkdir(parents=True, exist_ok=True)
	TYPES.write_text(types(), encoding="utf-8")
	stamps.write()
	if "--release" in arguments:
		if BASELINE.exists() and (words := problem()):
			sys.exit(words)
		BASELINE.write_text(json.dumps(current(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
	main(sys.argv[1:])
