"""How long 2,122 small files take to upload, through memora's storages and through nothing but a thread pool.

	python -m benchmarks.upload [--files 2122] [--rounds 5] [--json]

S3: `Storage.put` against `put_object` of a plain boto3 client whose pool fits its threads, both with 32 threads
on the same server, in turns, so that a busy machine slows both. Local Directory: `Storage.put` against the same
writes, syncs and renames without anything around them. Signing: `Storage.sign` of as many links, against boto3's
`generate_presigned_url`. The ratio is what memora adds; less than 1 is saved.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone

import boto3
import botocore
from botocore.config import Config

from benchmarks.s3_server import BUCKET, REGION, S3Server
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, Upload

THREADS = 32
KEYS = {"access_key": "benchmark", "secret_key": "benchmark-secret"}
Put = Callable[[Upload], object]


@dataclass(frozen=True, slots=True)
class Took:
	"""What one round took: seconds on the wall, and of this process on a CPU."""

	wall: float
	cpu: float


@dataclass(frozen=True, slots=True)
class Comparison:
	"""Each round through memora and bare."""

	what: str
	memora: list[Took]
	bare: list[Took]

	@property
	def ratio(self) -> float:
		return _median(self.memora, "wall") / _median(self.bare, "wall")

	def as_dict(self) -> dict[str, object]:
		return {**asdict(self), "ratio": round(self.ratio, 3)}

	def __str__(self) -> str:
		return f"{self.what:<22} memora {_shown(self.memora)}   bare {_shown(self.bare)}   ratio {self.ratio:.2f}"


def _median(rounds: list[Took], measure: str) -> float:
	return statistics.median(getattr(took, measure) for took in rounds)


def _shown(rounds: list[Took]) -> str:
	walls = sorted(took.wall for took in rounds)
	return f"{_median(rounds, 'wall'):5.2f} s ({walls[0]:.2f} to {walls[-1]:.2f}), CPU {_median(rounds, 'cpu'):4.2f} s"


def files(count: int) -> list[Upload]:
	"""Lessons as published ones are: about 3 KB, with the metadata that each carries."""
	return [
		Upload(
			f"lessons/{number:06}.json",
			json.dumps(
				{"id": number, "title": "مقدمة في الجبر", "text": "ش" * 1400}, ensure_ascii=False
			).encode(),
			"public, max-age=300",
			{"version": "1769300000", "content-hash": f"{number:064x}", "access-level": "authenticated"},
		)
		for number in range(count)
	]


def compare(
	what: str,
	memora: Put,
	bare: Put,
	threads: int,
	uploads: Sequence[Upload],
	rounds: int,
	bare_threads: int = THREADS,
) -> Comparison:
	"""Upload everything both ways, in turns, after a short round of each that does not count."""
	found = Comparison(what, [], [])
	_timed(memora, threads, uploads[:100])
	_timed(bare, bare_threads, uploads[:100])
	for _ in range(rounds):
		found.memora.append(_timed(memora, threads, uploads))
		found.bare.append(_timed(bare, bare_threads, uploads))
	return found


def s3(uploads: Sequence[Upload], rounds: int) -> list[Comparison]:
	"""AWS S3 and Cloudflare R2, both on moto's server."""
	found = []
	with S3Server() as server:
		client = boto3.client(
			"s3",
			endpoint_url=server.url,
			region_name=REGION,
			aws_access_key_id=KEYS["access_key"],
			aws_secret_access_key=KEYS["secret_key"],
			config=Config(max_pool_connections=THREADS, s3={"addressing_style": "path"}),
		)

		def bare(upload: Upload) -> None:
			client.put_object(
				Bucket=BUCKET,
				Key=upload.path,
				Body=upload.body,
				ContentType=upload.content_type,
				CacheControl=upload.cache_control,
				Metadata=upload.metadata,
			)

		for provider in ("AWS S3", "Cloudflare R2"):
			settings = StorageSettings(
				provider, endpoint_url=server.url, region=REGION, bucket_name=BUCKET, **KEYS
			)
			with storages.open(settings) as storage:
				put = _each_its_own_key(storage) if provider == "Cloudflare R2" else storage.put
				found.append(compare(f"{provider} (moto)", put, bare, storage.threads, uploads, rounds))
	return found


def local(uploads: Sequence[Upload], rounds: int) -> Comparison:
	"""Local Directory, on the disk of the folder for temporary files. Each round has a folder of its own: ext4
	looks long for a free inode where many files have just been deleted."""
	with tempfile.TemporaryDirectory(dir=os.environ.get("MEMORA_BENCHMARK_DISK")) as folder:
		turns = iter(range(10**6))
		found = Comparison("Local Directory", [], [])
		for _ in range(rounds):
			root = f"{folder}/{next(turns)}"
			with storages.open(StorageSettings("Local Directory", local_path=root)) as storage:
				found.memora.append(_timed(storage.put, storage.threads, uploads))
			found.bare.append(_timed(_bare_writer(f"{folder}/{next(turns)}"), storage.threads, uploads))
		return found


def signing(uploads: Sequence[Upload], rounds: int) -> Comparison:
	"""Links to sign, in one thread; no network."""
	settings = StorageSettings("AWS S3", region=REGION, bucket_name=BUCKET, **KEYS)
	until = datetime.now(timezone.utc) + timedelta(hours=4)
	client = boto3.client(
		"s3",
		region_name=REGION,
		aws_access_key_id=KEYS["access_key"],
		aws_secret_access_key=KEYS["secret_key"],
		config=Config(signature_version="s3v4"),
	)

	def bare(upload: Upload) -> str:
		return client.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": upload.path}, 14400)

	with storages.open(settings) as storage:
		return compare(
			"Signing", lambda upload: storage.sign(upload.path, until), bare, 1, uploads, rounds, 1
		)


def _bare_writer(root: str) -> Put:
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


def _each_its_own_key(storage: Storage) -> Put:
	"""R2 takes one write a second for each key, so no round may meet the one before."""
	made = iter(range(10**9))

	def put(upload: Upload) -> str:
		path = f"{next(made)}/{upload.path}"
		return storage.put(Upload(path, upload.body, upload.cache_control, upload.metadata))

	return put


def _timed(put: Put, threads: int, uploads: Sequence[Upload]) -> Took:
	with ThreadPoolExecutor(threads) as pool:
		wall, cpu = time.perf_counter(), time.process_time()
		for _ in pool.map(put, uploads):
			pass
		return Took(round(time.perf_counter() - wall, 3), round(time.process_time() - cpu, 3))


def main() -> None:
	parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
	parser.add_argument("--files", type=int, default=2122)
	parser.add_argument("--rounds", type=int, default=5)
	parser.add_argument("--json", action="store_true")
	options = parser.parse_args()
	uploads = files(options.files)
	comparisons = [
		*s3(uploads, options.rounds),
		local(uploads, options.rounds),
		signing(uploads, options.rounds),
	]
	if options.json:
		print(json.dumps([comparison.as_dict() for comparison in comparisons]))
		return
	print(
		f"{options.files} files of {len(uploads[0].body)} bytes, {options.rounds} rounds, medians; "
		f"Python {platform.python_version()}, botocore {botocore.__version__}, {os.cpu_count()} CPUs"
	)
	print(*comparisons, sep="\n")


if __name__ == "__main__":
	main()
