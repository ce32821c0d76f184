"""How long 2,122 small files take to upload: memora beside what it stands on and what its users would pick instead.

	dev/benchmark upload [--files 2122] [--rounds 3] [--latency 0,5,30,100] [--servers sink,seaweedfs,moto] [--json]

All clients upload the same files with their metadata to the same server, in turns, so that a busy machine slows all alike; the
table has medians. The servers: nginx that reads and forgets (sink), which shows what a client itself costs; SeaweedFS, an S3 server
that keeps them, on the same processors; and moto, which the tests use and which is so slow that all clients look alike (a tenth of the
files). With a latency, a proxy holds back what passes (`benchmarks/latency.py`), and counts the connections.

Then Local Directory against the same writes, syncs and renames, and signed links against boto3's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import boto3
import botocore
from botocore.config import Config

from benchmarks import upload_clients
from benchmarks.latency import Far
from benchmarks.s3_server import BUCKET, REGION, S3Server
from benchmarks.upload_clients import CLIENTS, Server, Took, in_threads, timed
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import StorageSettings, Upload

KEYS = ("benchmark", "benchmark-secret")
MOTO_SHARE = 10
"""moto takes ten times as long for a file as all else."""


@dataclass(slots=True)
class Rounds:
	"""What a client took in each round, and how many connections it opened in all of them."""

	took: list[Took] = field(default_factory=list)
	connections: int | None = None

	def median(self, measure: str) -> float:
		"""Seconds."""
		return statistics.median(getattr(took, measure) for took in self.took)


def files(count: int) -> list[Upload]:
	"""Lessons as published ones are: about 3 KB, with the metadata that each carries."""
	return [
		Upload(
			f"lessons/{number:06}.json",
			json.dumps(
				{"id": number, "title": "مقدمة في الجبر", "text": "ش" * 1400}, ensure_ascii=False
			).encode(),
			"public, max-age=300",
			{
				"version": "1769300000",
				"content-hash": f"{number:064x}",
				"access-level": "authenticated",
				"site": f"{7:032x}",
				"cache-tag": f"{number:016x},{8:016x}",
			},
		)
		for number in range(count)
	]


def compare(server: Server, uploads: Sequence[Upload], rounds: int, far: Far | None) -> dict[str, Rounds]:
	"""Each client in turns, after a short round of each that does not count."""
	found: dict[str, Rounds] = {}
	with ExitStack() as stack:
		runs = {}
		for name, client in CLIENTS.items():
			if name.split(" ")[0] in ("s5cmd", "rclone") and not upload_clients.tool(name.split(" ")[0]):
				print(f"  (no {name}: its program is not installed; dev/benchmark upload installs it)")
				continue
			with client(server, uploads[:50]) as warm_up:
				warm_up()
			runs[name] = stack.enter_context(client(server, uploads))
			found[name] = Rounds()
		names = list(runs)
		for number in range(rounds):
			for name in names[number % len(names) :] + names[: number % len(names)]:  # each is first once
				run = runs[name]
				before = far.connections() if far else 0
				found[name].took.append(timed(run))
				if far:
					found[name].connections = (found[name].connections or 0) + far.connections() - before
	return found


@contextmanager
def sink() -> Iterator[Server]:
	"""nginx that reads what it is sent, answers with an ETag, and keeps nothing."""
	program = os.environ.get("MEMORA_NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
	if not program:
		raise SystemExit("There is no nginx: start this by dev/benchmark upload, which brings one.")
	with socket.socket() as free, tempfile.TemporaryDirectory() as home:
		free.bind(("127.0.0.1", 0))
		port = free.getsockname()[1]
		free.close()
		temporary = "".join(
			f"{kind}_temp_path {home}/{kind};"
			for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
		)
		Path(home, "nginx.conf").write_text(
			f"daemon off; worker_processes 1; pid {home}/pid; error_log {home}/errors;\n"
			f"events {{ worker_connections 2048; }} http {{ access_log off; {temporary}\n"
			"keepalive_requests 1000000; client_body_buffer_size 64k;\n"
			f"server {{ listen 127.0.0.1:{port}; location / {{ return 404; }} location ~ json$ {{ add_header ETag '\"of-no-body\"'; return 200; }} }} }}\n"
		)
		process = subprocess.Popen([program, "-p", home, "-c", f"{home}/nginx.conf", "-e", f"{home}/errors"])
		try:
			for _ in range(100):
				with socket.socket() as probe:
					if probe.connect_ex(("127.0.0.1", port)) == 0:
						break
				time.sleep(0.05)
			yield Server(f"http://127.0.0.1:{port}", BUCKET, *KEYS)
		finally:
			process.terminate()
			process.wait()


@contextmanager
def seaweedfs() -> Iterator[Server]:
	"""SeaweedFS with one bucket."""
	from memora.tests.helpers import seaweedfs as server

	url = server.url()
	server.client(url).create_bucket(Bucket=BUCKET)
	yield Server(url, BUCKET, server.ACCESS_KEY, server.SECRET_KEY)


@contextmanager
def moto() -> Iterator[Server]:
	"""moto's server with one bucket."""
	with S3Server() as server:
		yield Server(server.url, BUCKET, *KEYS)


SERVERS = {"sink": sink, "seaweedfs": seaweedfs, "moto": moto}


def local(uploads: Sequence[Upload], rounds: int) -> dict[str, Rounds]:
	"""Local Directory, on the disk of the folder for temporary files. Each round has a folder of its own: ext4
	looks long for a free inode where many files have just been deleted."""
	found = {"memora": Rounds(), "the same writes, syncs and renames": Rounds()}
	with tempfile.TemporaryDirectory(dir=os.environ.get("MEMORA_BENCHMARK_DISK")) as folder:
		for number in range(rounds):
			with storages.open(
				StorageSettings("Local Directory", local_path=f"{folder}/{number}")
			) as storage:
				memora, bare = found.values()
				memora.took.append(timed(lambda: in_threads(storage.put, uploads, storage.writers)))
			bare.took.append(
				timed(partial(in_threads, _bare_writer(f"{folder}/bare-{number}"), uploads, storage.writers))
			)
	return found


def signing(uploads: Sequence[Upload], rounds: int) -> dict[str, Rounds]:
	"""Links to sign, in one thread; no network."""
	settings = StorageSettings(
		"AWS S3", region=REGION, bucket_name=BUCKET, access_key=KEYS[0], secret_key=KEYS[1]
	)
	until = datetime.now(timezone.utc) + timedelta(hours=4)
	client = boto3.client(
		"s3",
		region_name=REGION,
		aws_access_key_id=KEYS[0],
		aws_secret_access_key=KEYS[1],
		config=Config(signature_version="s3v4"),
	)
	paths = [f"videos/{upload.path}" for upload in uploads]
	found = {"memora": Rounds(), "boto3's generate_presigned_url": Rounds()}
	with storages.open(settings) as storage:
		for _ in range(rounds):
			ours, theirs = found.values()
			ours.took.append(timed(lambda: [storage.sign(path, until) for path in paths]))
			theirs.took.append(
				timed(
					lambda: [
						client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": path}, 14400)
						for path in paths
					]
				)
			)
	return found


def _bare_writer(root: str) -> Callable[[Upload], None]:
	"""Two files, as memora writes: the body and what stands beside it."""
	for part in ("public", "beside"):
		os.makedirs(f"{root}/{part}/lessons")

	def write(upload: Upload) -> None:
		for part, body in (("beside", b"x" * 200), ("public", upload.body)):
			path = f"{root}/{part}/{upload.path}"
			with open(f"{path}.tmp", "wb") as file:
				file.write(body)
				file.flush()
				os.fsync(file.fileno())
			os.replace(f"{path}.tmp", path)

	return write


def _show(title: str, count: int, found: dict[str, Rounds]) -> None:
	ours = found["memora"].median("wall")
	print(
		f"\n| {title} | wall | against memora | CPU a file | connections |\n| --- | --- | --- | --- | --- |"
	)
	for name, rounds in found.items():
		wall, cpu = rounds.median("wall"), rounds.median("cpu") / count * 1000
		opened = "" if rounds.connections is None else str(rounds.connections)
		print(f"| {name} | {wall:.2f} s | {wall / ours:.2f} × | {cpu:.2f} ms | {opened} |", flush=True)


def main() -> None:
	parser = argparse.ArgumentParser(prog="dev/benchmark upload", description=(__doc__ or "").split("\n")[0])
	parser.add_argument("--files", type=int, default=2122)
	parser.add_argument("--rounds", type=int, default=3)
	parser.add_argument("--latency", default="0,5,30,100", help="milliseconds of round trip, with commas")
	parser.add_argument("--servers", default=",".join(SERVERS), help="which of them, with commas")
	parser.add_argument("--json", metavar="FILE", help="each single round too")
	options = parser.parse_args()
	uploads = files(options.files)
	print(
		f"{options.files} files of {len(uploads[0].body)} bytes, {options.rounds} rounds, medians; "
		f"{upload_clients.AT_ONCE} at once unless said; Python {platform.python_version()}, botocore "
		f"{botocore.__version__}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
	)
	report: dict[str, dict[str, Rounds]] = {}
	for name in options.servers.split(","):
		some = uploads[: len(uploads) // MOTO_SHARE] if name == "moto" else uploads
		with SERVERS[name]() as server:
			for latency in map(float, options.latency.split(",")):
				title = f"{name}, {latency:g} ms, {len(some)} files"
				with ExitStack() as stack:
					far = stack.enter_context(Far(server.url, latency / 1000)) if latency else None
					place = (
						Server(far.url, server.bucket, server.access_key, server.secret_key)
						if far
						else server
					)
					report[title] = compare(place, some, options.rounds, far)
				_show(title, len(some), report[title])
	for title, found in {
		"Local Directory": local(uploads, options.rounds),
		"signing as many links": signing(uploads, options.rounds),
	}.items():
		report[title] = found
		_show(title, len(uploads), found)
	if options.json:
		plain = {
			title: {
				name: {"wall": [took.wall for took in rounds.took], "cpu": [took.cpu for took in rounds.took]}
				for name, rounds in found.items()
			}
			for title, found in report.items()
		}
		Path(options.json).write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
	main()
