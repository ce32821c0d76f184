"""The Desk is at `/app` in one Frappe and at `/desk` in the next: nothing of ours writes either by hand.

A link to the other one leaves the Desk's single page and loads all of it again.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r"""(?<![\w./-])/(?:app|desk)(?:/|(?=["'`?#]))""")
FOLDERS = ("memora", "dev", "benchmarks", "tests/e2e")
KINDS = {".py", ".js", ".mjs", ".json", ".html", ".css", ".sh", ".txt", ".toml"}

LEFT_OUT = {
	"memora/frappe_versions.py": "says which of the two it is",
	"memora/desktop_icon/memora.json": "Frappe reads it only where the Desk is at /desk",
	"memora/tests/curriculum/test_public_files.py": "a lesson's text that names a page of the Desk",
}


def links(text: str) -> list[str]:
	"""The lines that name the Desk's address."""
	return [line.strip() for line in text.splitlines() if WRITTEN.search(line)]


def test_no_file_writes_the_desks_address() -> None:
	found = {}
	for folder in FOLDERS:
		for path in sorted((ROOT / folder).rglob("*")):
			name = path.relative_to(ROOT).as_posix()
			if (
				path.suffix in KINDS
				and path.is_file()
				and not {"node_modules", "dist"}.intersection(path.parts)
				and name not in LEFT_OUT
			):
				found[name] = links(path.read_text("utf-8"))
	assert len(found) > 200
	assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
	"line",
	[
		'"/app/cdn-export-dashboard"',
		"`/app/${slug}/${name}`",
		'<a href="/desk/memora">',
		'f"{web}/app/memora"',
		'login?redirect-to=/app/memora"',
		"window.location = '/app'",
	],
)
def test_each_is_found(line: str) -> None:
	assert links(line)


@pytest.mark.parametrize(
	"line",
	[
		'"/work/apps/frappe/app.py"',
		'"/apps/"',
		"the app/desk",
		'"$REPO"/dev/engine/bundles/package.json',
		"memora/app/x",
	],
)
def test_what_names_no_page_of_the_desk_passes(line: str) -> None:
	assert not links(line)
