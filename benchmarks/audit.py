"""The daily audit of a large place: its requests, time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import frappe

from benchmarks import listing_server, meter, site
from benchmarks.cases import Bench, Row
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit as audits
from memora.services.cdn_export.maintenance import public_check
from memora.services.cdn_export.maintenance.audit import Audit
from memora.services.cdn_export.state import ledger
from memora.services.cdn_export.state.ledger import Share
from memora.services.cdn_export.storage import StorageSettings
from memora.services.cdn_export.storage.s3 import S3Storage
from memora.tests.helpers import numbered_files

_PART_SECONDS = 30
_SHARE = Share(0, 1)
_STATUS = Path("/proc/self/status")


def audit(bench: Bench) -> Iterator[Row]:
	"""The daily audit of 1,000,000 files, all as they should be, through the S3 client."""
	count = 20_000 if bench.quick else 1_000_000
	site.empty(bench.server)
	numbered_files.load(count)
	frappe.db.sql_ddl("analyze table `tabCDN File`")
	with closing(PublishTarget.open()) as target:
		target.storage.close()
		with listing_server.listing(count, target.ownership.site) as address:
			target.storage = S3Storage(
				StorageSettings("AWS S3", address, "us-east-1", "numbered", access_key="a", secret_key="b")
			)
			before = _forget_peak()
			with meter.counting_statements(), meter.span() as whole:
				found = _in_parts(target)
			asked = listing_server.requests(address)
	asked["GET"] = sum(map(len, ledger.documents(_SHARE, limit=1000))) + public_check.SAMPLE
	assert found.files == found.objects == count and not found.findings, found
	yield Row(
		f"the daily audit of {count:,} files",
		whole.seconds,
		work=whole.work,
		note=f"{whole.count:,} statements; in parts of {_PART_SECONDS} s, as the daily run's",
	)
	yield Row(
		"its requests",
		asked.total(),
		"",
		target=None if bench.quick else count / 100,
		note=f"{asked['LIST']:,} LIST, {asked['HEAD']:,} HEAD, and {asked['GET']:,} GET as a stranger; a full read has {count:,}",
	)
	yield Row("its peak memory", _peak(), "MB", floor=before, of_floor="the process before it")


def _in_parts(target: PublishTarget) -> Audit:
	"""What the daily run does with a place in which nothing differs."""
	whole = Audit()
	while True:
		part = audits.verify(target, after=whole.after, seconds=_PART_SECONDS, headers=_SHARE)
		whole = replace(
			whole,
			findings=whole.findings + part.findings,
			files=whole.files + part.files,
			objects=whole.objects + part.objects,
			after=part.after,
		)
		if not whole.after:
			return whole


def _forget_peak() -> float:
	"""Have the kernel measure the peak from now on; what this process has now, in MB."""
	Path("/proc/self/clear_refs").write_text("5")
	return _peak()


def _peak() -> float:
	return int(_STATUS.read_text().partition("VmHWM:")[2].split()[0]) / 1024
