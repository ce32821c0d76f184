"""The gate's stores, and its server for Node: see stores.py. On R2 and SeaweedFS: test_table.py."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import requests

from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import StorageSettings, Upload
from tests.contract.gate import stores
from tests.contract.gate.conftest import EDGE, Runner, skip_on_old_node
from tests.contract.gate.school import CONFIG, minted, public_keys


def test_a_folder_shows_only_what_memora_wrote_under_exactly_that_name(in_node: Runner) -> None:
	assert stores.wrong_of_folder(in_node) == []


def test_s3_is_asked_by_signed_requests_that_no_cache_keeps(in_node: Runner) -> None:
	assert stores.wrong_of_s3(in_node) == []


def test_r2_is_asked_for_the_very_object_that_was_looked_at(in_node: Runner) -> None:
	assert stores.wrong_of_r2(in_node) == []


def test_a_target_that_is_no_path_names_no_file(in_node: Runner) -> None:
	assert stores.wrong_of_server(in_node) == []


def test_the_server_serves_what_its_configuration_names(tmp_path: Path) -> None:
	skip_on_old_node()
	root = tmp_path / "public"
	with storages.open(StorageSettings("Local Directory", local_path=str(root))) as storage:
		storage.put(Upload("lessons/a.json", b"0123456789", "public, max-age=300", stores.PAID))
		storage.put(Upload("gate/keys.json", public_keys(one={}), "public, max-age=60"))
	config = tmp_path / "gate.json"
	config.write_text(json.dumps({**CONFIG, "port": 0, "folder": {"root": str(root)}}))
	server = subprocess.Popen(["node", EDGE / "server.js", config], stdout=subprocess.PIPE, text=True)
	try:
		assert server.stdout
		port = int(server.stdout.readline().rpartition(" ")[2])
		address = f"http://127.0.0.1:{port}/lessons/a.json"
		assert requests.get(address, timeout=30).status_code == 401
		owner = {"Authorization": f"Bearer {minted(['PHYSICS'])}"}
		answer = requests.get(address, headers={**owner, "Range": "bytes=-3"}, timeout=30)
		assert (answer.status_code, answer.text) == (206, "789")
	finally:
		server.terminate()
		rest, _ = server.communicate()
	assert rest == ""  # nothing of a request is logged


@pytest.mark.parametrize(
	"config",
	[{}, {**CONFIG}, {**CONFIG, "s3": {"endpoint": "https://s3.example"}}, {"folder": {"root": "/srv"}}],
	ids=str,
)
def test_the_server_does_not_start_with_half_a_configuration(
	tmp_path: Path, config: dict[str, object]
) -> None:
	file = tmp_path / "gate.json"
	file.write_text(json.dumps({**config, "port": 0}))
	ended = subprocess.run(
		["node", EDGE / "server.js", file], capture_output=True, text=True, timeout=60, check=False
	)
	assert ended.returncode == 1 and "TypeError" in ended.stderr
