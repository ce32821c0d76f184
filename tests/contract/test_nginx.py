"""docs/cdn.md, "nginx in front of a Local Directory": the block as it stands there, in a real nginx."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.admin import connection_test
from memora.services.cdn_export.cache_purge import NoPurge
from memora.services.cdn_export.rules import web_headers
from memora.services.cdn_export.storage import StorageSettings
from tests.example import curriculum

REPO = Path(__file__).resolve().parents[2]
NGINX = os.environ.get("MEMORA_NGINX") or shutil.which("nginx", path=f"{os.environ.get('PATH')}:/usr/sbin")

pytestmark = pytest.mark.skipif(not NGINX, reason="there is no nginx; dev/test brings one")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
	folder = tmp_path_factory.mktemp("site") / "memora"
	for path, body in curriculum.published().items():
		(folder / path).parent.mkdir(parents=True, exist_ok=True)
		(folder / path).write_bytes(body if isinstance(body, bytes) else body.encode())
	return folder


@pytest.fixture(scope="module")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
	"""nginx with the block of the document, but for its address, name and folder."""
	(block,) = re.findall(r"```nginx\n(.*?)```", (REPO / "docs" / "cdn.md").read_text(), re.DOTALL)
	with socket.socket() as free:
		free.bind(("127.0.0.1", 0))
		port = free.getsockname()[1]
	for wanted, instead in (
		("listen 80;", f"listen 127.0.0.1:{port};"),
		("/path/to/bench/sites/school.example/public/files/memora", str(folder)),
	):
		assert block.count(wanted) == 1
		block = block.replace(wanted, instead)
	home = tmp_path_factory.mktemp("nginx")
	temporary = "\n".join(
		f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
	)
	types = "types { application/json json; image/svg+xml svg; image/png png; text/html html; }"
	user = "user root;" if os.geteuid() == 0 else ""
	(home / "nginx.conf").write_text(
		f"{user} daemon off; pid {home}/pid; error_log {home}/error.log; events {{}}\n"
		f"http {{ access_log off; {temporary} {types}\n{block}\n}}"
	)
	server = subprocess.Popen(
		[NGINX, "-p", str(home), "-c", str(home / "nginx.conf")], stderr=subprocess.PIPE
	)
	try:
		_await(port, server)
		yield f"http://127.0.0.1:{port}"
	finally:
		server.terminate()
		server.communicate()


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
	for _ in range(3000):
		if server.poll() is not None:
			raise AssertionError(f"nginx ended: {server.stderr.read().decode() if server.stderr else ''}")
		try:
			socket.create_connection(("127.0.0.1", port), timeout=1).close()
			return
		except OSError:
			time.sleep(0.01)  # nothing tells when it listens
	raise AssertionError("nginx does not listen")


def test_every_published_file_carries_the_headers_that_are_promised(folder: Path, address: str) -> None:
	files = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
	assert len(files) > 20
	for path in files:
		answer = requests.get(f"{address}/{path}?v=1", headers={"Origin": "https://app.example"}, timeout=30)
		assert answer.status_code == 200 and answer.content == (folder / path).read_bytes()
		sent = {name: answer.headers.get(name) for name in web_headers.of(path)}
		assert sent == web_headers.of(path), path


def test_a_file_that_is_missing_can_be_seen_to_be_by_an_app(address: str) -> None:
	answer = requests.get(f"{address}/lessons/gone.json", timeout=30)
	assert answer.status_code == 404 and answer.headers["Access-Control-Allow-Origin"] == "*"
	assert "Cache-Control" not in answer.headers


def test_connection_is_content(folder: Path, address: str) -> None:
	with storages.open(StorageSettings("Local Directory", local_path=str(folder))) as storage:
		found = connection_test.run(storage, NoPurge(), address)
	levels = {finding.check: finding.level for finding in found}
	assert [levels[check] for check in ("cors", "cache time", "versions", "listing")] == ["ok"] * 4, found
	assert "over http" in next(finding.message for finding in found if finding.check == "base url")
