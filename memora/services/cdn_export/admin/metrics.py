"""The state of publishing as numbers, in Prometheus's text format.

All of it is read from MariaDB when it is asked for, so every web process gives the same answer and none has to
remember anything. What is counted over time is counted over the last hour, since logs are cleared one day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.utils import now_datetime
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

import memora
from memora.services.cdn_export.admin import pipeline_status, schedule
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.state import ledger

STATUSES = ("Success", "Failed", "Dead Letter")
WINDOW = timedelta(hours=1)


def render() -> bytes:
	"""Everything, as text."""
	registry = CollectorRegistry()
	registry.register(_Site())
	return generate_latest(registry)


class _Site(Collector):
	def collect(self) -> Iterator[Metric]:
		status = pipeline_status.status()
		yield InfoMetricFamily(
			"memora", "What runs here.", {"version": memora.__version__, "site": frappe.local.site}
		)
		for name, text, value in (
			("export_enabled", "Whether export is enabled in CDN Settings.", int(status["enabled"])),
			("unfolded_changes", "Saves that no batch has looked at yet.", status["unfolded_changes"]),
			("pending_plans", "Plans that wait to be published.", status["pending_count"]),
			(
				"oldest_waiting_seconds",
				"How long the oldest unpublished change has waited; 0 when nothing waits.",
				pipeline_status.seconds_since(status["oldest_waiting_since"]),
			),
			(
				"failing",
				"Plans, subjects and removals that failed and will be tried again.",
				len(status["failing"]),
			),
			(
				"dead_letters",
				"Plans, subjects and removals that are out of retries.",
				status["dead_letter_count"],
			),
			("held_plans", "Plans that wait for an admin's word.", len(status["held_plans"])),
			(
				"files_still_on_cdn",
				"Files that should be gone and that the storage refuses to remove.",
				status["still_on_cdn"],
			),
			(
				"place_refused",
				"Whether the bucket or folder is not this site's to write to.",
				int(bool(status["place_refused"])),
			),
			("building", "Builds at work.", len(status["building"])),
			("live_plans", "Plans that are published.", status["live_plans"]),
			("live_files", "Files that are published.", status["live_files"]),
			("live_bytes", "The size of all files that are published.", status["live_bytes"]),
			("queue_redis_up", "Whether the queue's Redis answers.", int(status["redis_available"])),
			("workers", "Workers that take publishing jobs.", schedule.count_workers() or 0),
			(
				"last_batch_age_seconds",
				"Seconds since the scheduler's last batch; absent before the first.",
				_age(status["last_batch_at"]),
			),
			(
				"last_success_age_seconds",
				"Seconds since something was last published; absent before the first time.",
				_age(status["last_success_at"]),
			),
			*_purges(status),
			*_late(),
		):
			if value is not None:
				yield GaugeMetricFamily(f"memora_{name}", text, value=value)
		yield from _last_hour()


def _age(moment: datetime | None) -> float | None:
	return pipeline_status.seconds_since(moment) if moment else None


def _purges(status: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
	yield "purges_this_month", "Addresses and tags purged this month.", status["purges_this_month"]
	yield (
		"edge_stale_addresses",
		"Addresses that the CDN shows as they were before a purge more than 10 minutes ago.",
		status["edge_stale"],
	)


def _late() -> Iterator[tuple[str, str, int]]:
	yield "signatures_expired", "Lessons whose video links have expired.", ledger.count_expired()
	due = ledger.count_due_removals(now_datetime(), or_refused=True)
	yield "removals_due", "Files that are due to be removed.", due
	yield "purges_waiting", "Addresses to purge from the CDN's cache.", frappe.db.count(purge_queue.TABLE)


def _last_hour() -> Iterator[Metric]:
	rows = {
		row.status: row
		for row in frappe.db.sql(  # frapast:ignore FR-SQLI-002 (finished records and others are counted)
			"""select status, count(*) attempts, sum(files_uploaded) uploaded, sum(bytes_uploaded) bytes,
				max(timestampdiff(microsecond, started_at, completed_at)) / 1e6 slowest
			from `tabCDN Sync Log` where creation >= %s group by status""",
			(now_datetime() - WINDOW,),
			as_dict=True,
		)
	}
	attempts = GaugeMetricFamily(
		"memora_attempts_last_hour", "Attempts to publish a plan within the last hour.", labels=["status"]
	)
	for status in STATUSES:
		attempts.add_metric([status], rows[status].attempts if status in rows else 0)
	yield attempts
	for name, text, column in (
		("files_uploaded_last_hour", "Files uploaded within the last hour.", "uploaded"),
		("bytes_uploaded_last_hour", "Bytes uploaded within the last hour.", "bytes"),
	):
		yield GaugeMetricFamily(
			f"memora_{name}", text, value=float(sum(row[column] or 0 for row in rows.values()))
		)
	yield GaugeMetricFamily(
		"memora_slowest_attempt_seconds_last_hour",
		"How long the slowest attempt of the last hour took.",
		value=float(max((row.slowest or 0 for row in rows.values()), default=0)),
	)
