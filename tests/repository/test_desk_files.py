"""What Frappe reads of the Desk from JSON: workspace, number cards, and from v16 on icon and sidebar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

APP = Path(__file__).parents[2] / "memora"
MODULE = APP / "memora"
ROLES = {"Memora Editor", "Memora CDN Admin", "System Manager"}


def read(path: Path) -> dict[str, Any]:
	return json.loads(path.read_text("utf-8"))


ICON, SIDEBAR = (read(APP / folder / "memora.json") for folder in ("desktop_icon", "workspace_sidebar"))
WORKSPACE = read(MODULE / "workspace" / "memora" / "memora.json")


@pytest.mark.parametrize("found", [ICON, SIDEBAR], ids=["icon", "sidebar"])
def test_frappe_keeps_it_for_ours(found: dict[str, Any]) -> None:
	"""What is standard and has no file of its name goes with each `bench migrate`."""
	assert (found["name"], found["app"], found["standard"]) == ("Memora", "memora", 1)


def test_the_icon_is_shown_to_our_roles_and_opens_the_sidebar() -> None:
	assert {row["role"] for row in ICON["roles"]} == ROLES
	assert (ICON["label"], ICON["link_type"], ICON["link_to"]) == (
		"Memora",
		"Workspace Sidebar",
		SIDEBAR["name"],
	)
	assert ICON["icon_type"] == "App"  # Frappe would make another one for the app
	assert (APP / "public" / ICON["logo_url"].removeprefix("/assets/memora/")).is_file()


def test_the_sidebar_leads_to_all_that_the_workspace_does() -> None:
	links = {(row["link_type"], row["link_to"]) for row in SIDEBAR["items"] if row["type"] == "Link"}
	there = {(row["link_type"], row["link_to"]) for row in WORKSPACE["links"] if row["type"] == "Link"}
	assert links == there | {("Workspace", "Memora")}
	first = next(row for row in SIDEBAR["items"] if row["type"] == "Link")
	assert first["link_to"] == "Memora"  # where the icon leads
	assert SIDEBAR["module"] == "Memora"  # by which uninstalling finds it


def test_its_links_exist() -> None:
	names = {
		(kind, read(path)["name"])
		for kind, folder in (
			("DocType", "doctype"),
			("Page", "page"),
			("Report", "report"),
			("Workspace", "workspace"),
		)
		for path in (MODULE / folder).glob("*/*.json")
	}
	for row in (*SIDEBAR["items"], *WORKSPACE["links"]):
		if row["type"] == "Link":
			assert (row["link_type"], row["link_to"]) in names


def test_every_filter_is_one_that_all_versions_take() -> None:
	"""DocType, field, operator, value. Early v16 refuses the fifth part that v15 writes."""
	filters = []
	for path in MODULE.rglob("*.json"):
		found = read(path)
		if isinstance(found, dict):
			filters += json.loads(found.get("filters_json") or "[]")
			for shortcut in found.get("shortcuts", []):
				filters += json.loads(shortcut.get("stats_filter") or "[]")
	assert len(filters) == 7
	assert [each for each in filters if len(each) != 4] == []
