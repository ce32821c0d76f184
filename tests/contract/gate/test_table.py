"""The table of cases (cases.json), against the gate wherever it runs: in Cloudflare's own runtime on R2, in Node on a folder and on
S3, in memory, and its twin in Python."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, Upload
from memora.tests.helpers import seaweedfs
from tests.contract.gate import twin
from tests.contract.gate.conftest import Runner
from tests.contract.gate.school import CASES, CONFIG, bucket, request_of, wrong

Answers = list[dict[str, Any]]


def _fill(storage: Storage) -> None:
	"""The school as memora itself publishes it, films as whoever puts them there."""
	for path, found in bucket().items():
		storage.put(
			Upload(
				path,
				found["body"].encode(),
				cache_control=found["cacheControl"] or "no-cache",
				metadata=found["metadata"],
				content_type=found["contentType"],
			)
		)


def _steps() -> Answers:
	return [request_of(case) for case in CASES]


def _in_memory(in_node: Runner, tmp_path: Path) -> Answers:
	return in_node.ask(store={"kind": "memory", "objects": bucket()}, config=CONFIG, steps=_steps())[
		"answers"
	]


def _on_a_folder(in_node: Runner, tmp_path: Path) -> Answers:
	"""Over HTTP, as `edge/server.js` serves it."""
	root = tmp_path / "public"
	with storages.open(StorageSettings("Local Directory", local_path=str(root))) as storage:
		_fill(storage)
	return in_node.ask(store={"kind": "folder", "root": str(root)}, config=CONFIG, steps=_steps(), http=True)[
		"answers"
	]


def _on_s3(in_node: Runner, tmp_path: Path) -> Answers:
	address, name = seaweedfs.url(), f"memora-{secrets.token_hex(6)}"
	seaweedfs.client(address).create_bucket(Bucket=name)
	key = {"access_key": seaweedfs.ACCESS_KEY, "secret_key": seaweedfs.SECRET_KEY}
	with storages.open(StorageSettings("AWS S3", address, seaweedfs.REGION, name, **key)) as storage:
		_fill(storage)
	store = {
		"kind": "s3",
		"endpoint": address,
		"region": seaweedfs.REGION,
		"bucket": name,
		"accessKey": seaweedfs.ACCESS_KEY,
		"secretKey": seaweedfs.SECRET_KEY,
	}
	return in_node.ask(store=store, config=CONFIG, steps=_steps())["answers"]


@pytest.mark.parametrize("ask", [_in_memory, _on_a_folder, _on_s3], ids=lambda ask: ask.__name__)
def test_every_case_in_node(ask: Callable[[Runner, Path], Answers], in_node: Runner, tmp_path: Path) -> None:
	_compare(ask(in_node, tmp_path))


def test_every_case_in_cloudflares_runtime(in_workerd: Runner) -> None:
	_compare(
		in_workerd.ask(store={"kind": "r2", "objects": bucket()}, config=CONFIG, steps=_steps())["answers"]
	)


def _compare(answers: Answers) -> None:
	found = {case["name"]: wrong(case, answer) for case, answer in zip(CASES, answers, strict=True)}
	assert {name: what for name, what in found.items() if what} == {}


def _is_decided_by_path_and_token(case: dict[str, Any]) -> bool:
	"""Whether the twin says all of it: no other method, no condition, nothing that the URL's parser does first."""
	return (
		case.get("method", "GET") == "GET" and case["status"] not in (206, 304, 416) and "parsed" not in case
	)


def test_every_case_in_python() -> None:
	objects = {
		path: twin.Object(found["body"].encode(), found["metadata"]) for path, found in bucket().items()
	}
	found = {}
	cases = [case for case in CASES if _is_decided_by_path_and_token(case)]
	for case in cases:
		request = request_of(case)
		made = twin.decide(
			quote(request["path"].partition("?")[0], safe="/%~!$&'()*+,;=:@[]{}"),
			request["headers"].get("Authorization"),
			objects,
			site=CONFIG["site"],
			now=time.time(),
			video_folders=CONFIG["video_folders"],
		)
		wanted = twin.Decision(case["status"], case.get("error", ""))
		if made != wanted:
			found[case["name"]] = (made, wanted)
	assert found == {}
	assert len(cases) > 180
