"""An S3 server for the benchmark's own use, on loopback and empty."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request

import boto3
from botocore.exceptions import BotoCoreError

BUCKET = "memora-benchmark"
REGION = "us-east-1"
_PATIENCE_SECONDS = 30


class S3Server:
	"""moto's server in a process of its own, with one bucket. Use as a context manager."""

	def __init__(self) -> None:
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			port = free.getsockname()[1]
		self.url = f"http://127.0.0.1:{port}"
		self._process = subprocess.Popen(
			[sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)],
			stdout=subprocess.DEVNULL,
			stderr=subprocess.DEVNULL,
		)

	def __enter__(self) -> S3Server:
		client = self.client()
		for _ in range(_PATIENCE_SECONDS * 10):
			try:
				client.create_bucket(Bucket=BUCKET)
				return self
			except BotoCoreError:
				time.sleep(0.1)
		self._process.kill()
		raise RuntimeError(f"the S3 server did not come up in {_PATIENCE_SECONDS} s")

	def __exit__(self, *_: object) -> None:
		self._process.terminate()
		self._process.wait()

	def empty(self) -> None:
		"""Remove all that is in the bucket."""
		urllib.request.urlopen(f"{self.url}/moto-api/reset", data=b"").close()
		self.client().create_bucket(Bucket=BUCKET)

	def client(self):
		"""A boto3 client for what the benchmark itself looks up."""
		return boto3.client(
			"s3",
			endpoint_url=self.url,
			region_name=REGION,
			aws_access_key_id="benchmark",
			aws_secret_access_key="benchmark-secret",
		)
