"""Work that is measured in a process of its own: python -m benchmarks.child WHAT SITE [ARGUMENT]; JSON comes back."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

started = time.perf_counter()

import frappe  # noqa: E402 - its import is part of a process's start

from benchmarks import floors, meter  # noqa: E402
from memora.services.cdn_export import settings  # noqa: E402
from memora.services.cdn_export.storage import StorageSettings  # noqa: E402
from memora.services.cdn_export.worker import drain as worker  # noqa: E402


def drain(begin: str, end: str, where: str) -> dict:
	"""From the moment `begin` drain until nothing waits and `end` is over; `where` is nowhere or s3."""
	published = 0
	_at(float(begin))
	began = time.perf_counter()
	with _uploads(where):
		while True:
			frappe.db.commit()  # as each job begins: with a new snapshot
			published += worker.drain("Scheduler", seconds=None).published
			if time.time() >= float(end):
				break
			time.sleep(0.1)
	return {"published": published, "seconds": time.perf_counter() - began}


def nothing() -> dict:
	"""What it takes until a process could build."""
	settings.open_storage(settings.saved()).close()
	return {}


def memory() -> dict:
	"""The peak of a drain whose uploads go nowhere."""
	meter.Nowhere.notes = False
	frappe.db.sql("select 1")  # connects, where Frappe does so late
	before = _peak()
	with _uploads("nowhere"), meter.span() as whole:
		done = worker.drain("Scheduler", seconds=None)
	return {
		"before": before,
		"peak": _peak(),
		"published": done.published,
		"seconds": whole.seconds,
		"work": whole.work,
	}


@contextmanager
def _uploads(where: str) -> Iterator[None]:
	def nowhere(doc: Any) -> meter.Nowhere:
		return meter.Nowhere(
			StorageSettings(
				provider=doc.storage_provider,
				endpoint_url=doc.endpoint_url,
				region=doc.region,
				bucket_name=doc.bucket_name,
				access_key=doc.access_key,
				secret_key=doc.get_password("secret_key"),
			)
		)

	with patch.object(settings, "open_storage", nowhere) if where == "nowhere" else nullcontext():
		yield


def read(start_at: str) -> dict:
	"""Bare reads, three of everything."""
	_at(float(start_at))
	began = time.perf_counter()
	for _ in range(3):
		floors.read_everything()
	return {"seconds": time.perf_counter() - began}


def _at(moment: float) -> None:
	time.sleep(max(0.0, moment - time.time()))


def _peak() -> float:
	"""The most memory this program has had, in MB; `getrusage` would also count the process it was forked from."""
	status = Path("/proc/self/status").read_text()
	return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(what: str, site: str, *arguments: str) -> None:
	frappe.init(site=site)
	frappe.connect()
	meter.as_in_use()
	ready = time.perf_counter() - started
	result = {"drain": drain, "nothing": nothing, "memory": memory, "read": read}[what](*arguments)
	print(json.dumps({"ready": ready, "whole": time.perf_counter() - started, **result}))
	frappe.destroy()


if __name__ == "__main__":
	main(*sys.argv[1:])
