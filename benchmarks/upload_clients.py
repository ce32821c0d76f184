"""Who can upload many small files to S3, each as its users would: memora, what it stands on, and what they would pick instead."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import obstore
from botocore.config import Config
from obstore.store import S3Store

from benchmarks.s3_server import REGION
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import StorageSettings, Upload
from memora.services.cdn_export.storage.s3 import S3Storage

BOTO_THREADS = 32  # what the bare pool has; more gain it nothing, its own work is the bound
AT_ONCE = S3Storage.writers  # of all others


@dataclass(frozen=True, slots=True)
class Server:
	"""A bucket to upload to, and the key for it."""

	url: str
	bucket: str
	access_key: str
	secret_key: str


@dataclass(frozen=True, slots=True)
class Took:
	"""What one upload of all files took: seconds on the wall, and of processor time, that of child processes included."""

	wall: float
	cpu: float


Run = Callable[[], None]


@contextmanager
def memora(server: Server, uploads: Sequence[Upload]) -> Iterator[Run]:
	"""`Storage.put`, in as many threads as a publish uses."""
	keys = {"access_key": server.access_key, "secret_key": server.secret_key}
	settings = StorageSettings("AWS S3", server.url, REGION, server.bucket, **keys)
	with storages.open(settings) as storage:
		yield lambda: in_threads(storage.put, uploads, storage.writers)


@contextmanager
def bare_boto3(server: Server, uploads: Sequence[Upload]) -> Iterator[Run]:
	"""`put_object` of one client, in a pool of threads that fits its connections."""
	client = boto3.client(
		"s3",
		endpoint_url=server.url,
		region_name=REGION,
		aws_access_key_id=server.access_key,
		aws_secret_access_key=server.secret_key,
		config=Config(max_pool_connections=BOTO_THREADS, s3={"addressing_style": "path"}),
	)

	def put(upload: Upload) -> None:
		client.put_object(
			Bucket=server.bucket,
			Key=upload.path,
			Body=upload.body,
			ContentType=upload.content_type,
			CacheControl=upload.cache_control,
			Metadata=upload.metadata,
		)

	yield lambda: in_threads(put, uploads, BOTO_THREADS)


@contextmanager
def bare_obstore(server: Server, uploads: Sequence[Upload]) -> Iterator[Run]:
	"""`obstore.put` of one store, in threads."""
	store = S3Store(
		server.bucket,
		config={
			"endpoint": server.url,
			"region": REGION,
			"access_key_id": server.access_key,
			"secret_access_key": server.secret_key,
			"virtual_hosted_style_request": False,
		},
		client_options={"allow_http": True},
	)

	def put(upload: Upload) -> None:
		headers = {
			"Content-Type": upload.content_type,
			"Cache-Control": upload.cache_control,
			**upload.metadata,
		}
		obstore.put(store, upload.path, upload.body, attributes=headers, use_multipart=False)  # type: ignore[arg-type]

	yield lambda: in_threads(put, uploads, AT_ONCE)


@contextmanager
def s5cmd(server: Server, uploads: Sequence[Upload]) -> Iterator[Run]:
	"""`s5cmd run` of a list of copies, each with its headers."""
	with _files(uploads) as folder:
		commands = "".join(
			f'cp --content-type "{upload.content_type}" --cache-control "{upload.cache_control}"'
			+ "".join(f' --metadata "{name}={value}"' for name, value in upload.metadata.items())
			+ f" {folder}/{upload.path} s3://{server.bucket}/{upload.path}\n"
			for upload in uploads
		)
		(folder / "commands").write_text(commands)
		program = [
			tool("s5cmd"),
			"--endpoint-url",
			server.url,
			"--log",
			"error",
			"--numworkers",
			str(AT_ONCE),
		]
		yield lambda: _process([*program, "run", str(folder / "commands")], server)


@contextmanager
def rclone(server: Server, uploads: Sequence[Upload]) -> Iterator[Run]:
	"""`rclone copy` of a folder, with the same headers for every file: it knows no others."""
	with _files(uploads) as folder:
		remote = f":s3,provider=Other,env_auth=true,region={REGION},endpoint='{server.url}':{server.bucket}/lessons"
		upload = uploads[0]
		headers = {
			"content-type": upload.content_type,
			"cache-control": upload.cache_control,
			**upload.metadata,
		}
		options = [
			"--no-check-dest",
			"--s3-no-check-bucket",
			"--s3-no-head",
			"--config",
			"/dev/null",
			"--metadata",
		]
		options += [part for name, value in headers.items() for part in ("--metadata-set", f"{name}={value}")]
		options += ["--transfers", str(AT_ONCE), "--checkers", str(AT_ONCE)]
		yield lambda: _process([tool("rclone"), "copy", *options, str(folder / "lessons"), remote], server)


CLIENTS = {
	"memora": memora,
	"bare boto3, 32 threads": bare_boto3,
	"bare obstore": bare_obstore,
	"s5cmd run": s5cmd,
	"rclone copy": rclone,
}
"""By the name in the table; each gets everything ready, and gives what uploads it all."""


def tool(name: str) -> str:
	"""The path of a program from PyPI, "" where it is not installed: dev/benchmark installs it."""
	return (
		shutil.which(name, path=os.pathsep.join([os.environ.get("MEMORA_TOOLS", ""), os.environ["PATH"]]))
		or ""
	)


def timed(run: Run) -> Took:
	"""What a run takes."""
	wall, cpu = time.perf_counter(), _cpu()
	run()
	return Took(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
	usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
	return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def in_threads(put: Callable[[Upload], object], uploads: Sequence[Upload], threads: int) -> None:
	"""Put all, so many at once."""
	with ThreadPoolExecutor(threads) as pool:
		for _ in pool.map(put, uploads):
			pass


@contextmanager
def _files(uploads: Sequence[Upload]) -> Iterator[Path]:
	"""The bodies in a folder in memory, so that nobody waits for a disk."""
	with ExitStack() as stack:
		in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
		folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=in_memory)))
		for upload in uploads:
			path = folder / upload.path
			path.parent.mkdir(parents=True, exist_ok=True)
			path.write_bytes(upload.body if isinstance(upload.body, bytes) else b"")
		yield folder


def _process(command: Sequence[str], server: Server) -> None:
	keys = {
		"AWS_ACCESS_KEY_ID": server.access_key,
		"AWS_SECRET_ACCESS_KEY": server.secret_key,
		"AWS_REGION": REGION,
	}
	done = subprocess.run(command, env={**os.environ, **keys}, capture_output=True, text=True)
	if done.returncode:
		sys.exit(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout)[-1000:]}")
