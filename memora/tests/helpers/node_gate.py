"""The real gate: `edge/server.js` in Node, in front of a bucket or a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import requests

_SERVER = Path(__file__).parents[3] / "edge" / "server.js"
_OLDEST_NODE = 18
"""With what `dev/test` asks of it (`node_options`); where the gate runs by itself, it needs 20."""


class NodeGate:
	"""A gate that ends with the test. `url` is its address."""

	def __init__(self, case: unittest.TestCase, config: dict[str, Any], **environment: str) -> None:
		node = shutil.which("node")
		version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout if node else "v0"
		if not node or int(version.removeprefix("v").partition(".")[0]) < _OLDEST_NODE:
			raise unittest.SkipTest(f"this needs Node {_OLDEST_NODE} or later")
		file = Path(tempfile.mkdtemp(prefix="memora-gate-"), "gate.json")
		case.addCleanup(shutil.rmtree, file.parent)
		file.write_text(json.dumps({"port": 0, **config}))
		self._process = subprocess.Popen(
			[node, _SERVER, file], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
		)
		case.addCleanup(self._end)
		assert self._process.stdout
		said = self._process.stdout.readline()
		self.url = f"http://127.0.0.1:{int(said.rpartition(' ')[2])}"

	@classmethod
	def of_bucket(cls, case: unittest.TestCase, site: str, settings: dict[str, str]) -> NodeGate:
		"""A gate in front of the bucket that these CDN Settings name."""
		s3 = {
			"endpoint": settings["endpoint_url"],
			"region": settings["region"],
			"bucket": settings["bucket_name"],
		}
		return cls(
			case,
			{"site": site, "s3": s3},
			MEMORA_GATE_ACCESS_KEY=settings["access_key"],
			MEMORA_GATE_SECRET_KEY=settings["secret_key"],
		)

	def ask(self, path: str, token: str = "") -> tuple[int, str]:
		"""What a GET is answered: the status, and why it is refused."""
		headers = {"Authorization": f"Bearer {token}"} if token else {}
		answer = requests.get(f"{self.url}/{path}", headers=headers, timeout=30)
		return answer.status_code, answer.json().get("error", "") if answer.status_code > 399 else ""

	def _end(self) -> None:
		self._process.kill()
		self._process.communicate()
