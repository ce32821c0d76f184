"""No part of the product grows beyond what a reader takes in: lines, complexity, and what a module knows of others."""

from __future__ import annotations

import importlib.util

from tests.repository.documents import ROOT


def test_nothing_is_larger_than_the_house_allows() -> None:
	spec = importlib.util.spec_from_file_location("figures", ROOT / "dev" / "lib" / "figures.py")
	assert spec and spec.loader
	figures = importlib.util.module_from_spec(spec)
	spec.loader.exec_module(figures)
	assert {what: which for what, which in figures.over(figures.files_and_lines()).items() if which} == {}
