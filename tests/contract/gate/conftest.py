"""Processes that ask the gate: one with Node, one with Cloudflare's runtime, each for the whole session."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.npm import REPO, node_modules

EDGE = REPO / "edge"
_HERE = Path(__file__).parent
_PATIENCE_SECONDS = 240


class JobError(AssertionError):
	"""A job that could not be done: the gate threw instead of answering."""


class EndedError(Exception):
	"""The process of a runner has ended, or hung and was ended: nothing is told of the gate."""


class Runner:
	"""A process of `runner.mjs`, which answers jobs one after another."""

	def __init__(self, runtime: str, edge: Path = EDGE) -> None:
		miniflare = node_modules() / "miniflare" / "dist" / "src" / "index.js"
		self._process = subprocess.Popen(
			["node", str(_HERE / "runner.mjs"), str(edge), runtime, str(miniflare)],
			stdin=subprocess.PIPE,
			stdout=subprocess.PIPE,
			text=True,
			encoding="utf-8",
		)

	def ask(self, **job: Any) -> dict[str, Any]:
		"""What the process answers to a job. Raises JobError where it could not do it, EndedError where there is no answer."""
		assert self._process.stdin and self._process.stdout
		self._process.stdin.write(json.dumps(job) + "\n")
		self._process.stdin.flush()
		watch = threading.Timer(_PATIENCE_SECONDS, self._process.kill)
		watch.start()
		line = self._process.stdout.readline()
		watch.cancel()
		if not line:
			raise EndedError(f"the process has ended: {self._process.wait(30)}")
		answer: dict[str, Any] = json.loads(line)
		if "failed" in answer:
			raise JobError(answer["failed"])
		return answer

	def close(self) -> None:
		assert self._process.stdin
		self._process.stdin.close()
		self._process.wait(30)


def skip_on_old_node() -> None:
	"""Cloudflare's runtime is started by Node 20 or later, which the gate's server needs, too."""
	version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
	if int(version.removeprefix("v").partition(".")[0]) < 20:
		pytest.skip(f"this needs Node 20 or later, and here is {version.strip()}")


@pytest.fixture(scope="session")
def in_node() -> Iterator[Runner]:
	runner = Runner("node")
	yield runner
	runner.close()


@pytest.fixture(scope="session")
def in_workerd() -> Iterator[Runner]:
	skip_on_old_node()
	runner = Runner("workerd")
	yield runner
	runner.close()
