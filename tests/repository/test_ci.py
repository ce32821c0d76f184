"""CI's own files: they can be read, name what is there, and lint with the versions that `dev/test` does."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
_OURS = re.compile(r"(?<![\w.$}/\"])(?:\./)?((?:dev|\.ci|memora|tests|benchmarks)/[\w./-]*\w)")


def _scripts(workflow: Path) -> Iterator[str]:
	"""Each `run:` of a workflow, with a word in place of each expression."""
	for job in yaml.safe_load(workflow.read_text())["jobs"].values():
		for step in job["steps"]:
			if script := step.get("run"):
				yield re.sub(r"\$\{\{.*?\}\}", "expression", script)


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Path:
	return request.param


def test_its_scripts_are_bash_and_name_what_is_there(workflow: Path) -> None:
	scripts = list(_scripts(workflow))
	assert scripts
	for script in scripts:
		subprocess.run(["bash", "-n"], input=script, text=True, check=True)
		for path in _OURS.findall(script):
			assert (ROOT / path).exists(), f"there is no {path}"


def test_its_jobs_end_by_themselves_and_write_nothing(workflow: Path) -> None:
	described: dict[str, Any] = yaml.safe_load(workflow.read_text())
	assert described["permissions"] == {"contents": "read"}
	for name, job in described["jobs"].items():
		assert 0 < job["timeout-minutes"] <= 90, name
		for step in job["steps"]:
			assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/x@v1")), step


def test_every_supported_frappe_has_a_bench() -> None:
	jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
	there = {job["frappe"] for job in jobs["bench"]["strategy"]["matrix"]["include"]}
	assert there == {"version-15", "version-16", "develop"}
	assert 'frappe = ">=15.0.0,<18.0.0-dev"' in (ROOT / "pyproject.toml").read_text()
	doctor = (ROOT / "memora" / "services" / "cdn_export" / "admin" / "doctor" / "servers.py").read_text()
	assert '_FRAPPE = ("15", "16", "17")' in doctor, "the doctor warns of a Frappe that pyproject.toml takes"


def test_pre_commit_lints_with_what_is_locked() -> None:
	hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
	revisions = {Path(repo["repo"]).name: repo["rev"].removeprefix("v") for repo in hooks}
	locked = dict(
		re.findall(
			r"^([\w-]+)==(\S+)", (ROOT / "dev" / "engine" / "requirements.txt").read_text(), re.MULTILINE
		)
	)
	assert revisions["ruff-pre-commit"] == locked["ruff"]
	assert revisions["mirrors-mypy"] == locked["mypy"]
