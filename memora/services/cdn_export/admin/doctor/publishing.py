"""What should have happened and has not: plans and subjects that are stuck, removals, signatures and purges that are late."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import frappe
from frappe.utils import now_datetime

from memora.services.cdn_export.admin import edge_status, pipeline_status
from memora.services.cdn_export.admin.finding import MOST_NAMED, Finding, some
from memora.services.cdn_export.delivery import ownership, purge_queue
from memora.services.cdn_export.state import database, due, ledger, refused_removals


def waiting() -> Iterator[Finding]:
	"""Plans and subjects that are stuck, each with its cause."""
	site, found = frappe.local.site, pipeline_status.status()
	stuck = False
	if refusal := ownership.last_refusal():
		stuck = True
		yield Finding("place", "error", refusal.message, refusal.fix)
	for letter in pipeline_status.dead_letters()[:MOST_NAMED]:
		stuck = True
		yield Finding(
			"dead letter",
			"error",
			f"{letter['label']} {letter['title']}: {letter['error_message']}".replace(" :", ":"),
			f"Fix the cause, then: bench --site {site} memora dead-letters retry {shlex.quote(letter['label'])}",
		)
	for failing in found["failing"][:MOST_NAMED]:
		stuck = True
		yield Finding(
			"failing",
			"warning",
			f"{failing['label']}, tried again at {failing['next_retry_at']:%H:%M:%S}: {failing['error_message']}",
			"Fix the cause; it is tried again by itself.",
		)
	if found["held_plans"]:
		stuck = True
		yield Finding(
			"held",
			"warning",
			f"The large-change guard holds {some(found['held_plans'])}: too much would go, or paid content would open.",
			f"Look at it (bench --site {site} memora preview PLAN) and approve it on the dashboard.",
		)
	if found["overdue"]:
		stuck = True
		yield Finding(
			"waiting",
			"error",
			f"Changes wait since {found['oldest_waiting_since']:%Y-%m-%d %H:%M:%S}.",
			f"bench --site {site} memora process publishes them now; the findings above say why no worker did.",
		)
	if due.abandoned():
		stuck = True
		yield Finding(
			"lease",
			"warning",
			"A worker was killed in the middle of a build; the next batch takes it up.",
			f"bench --site {site} memora process does so now.",
		)
	if not stuck:
		plans = found["pending_count"]
		yield Finding(
			"waiting", "ok", f"{plans} plans wait, none for too long." if plans else "Nothing waits."
		)


def leftovers() -> Iterator[Finding]:
	"""What should have happened beside builds, and has not."""
	process = f"bench --site {frappe.local.site} memora process"
	database.fresh()
	removals = ledger.count_due_removals(now_datetime() - pipeline_status.OVERDUE)
	expired = ledger.count_expired()
	purges, why = purge_queue.failing()
	if refused := refused_removals.paths():
		yield Finding(
			"removals",
			"error",
			f"Still on the CDN, since the storage refuses to remove {'it' if len(refused) == 1 else 'them'}: {some(refused)}.",
			f"Fix the cause, or remove them yourself. They are tried again every hour; {process} does so when they are due.",
		)
	if removals:
		yield Finding("removals", "warning", f"{removals:,} files should have been removed by now.", process)
	if expired:
		yield Finding("signatures", "error", f"The video links of {expired:,} lessons have expired.", process)
	if purges:
		yield Finding(
			"purges",
			"warning",
			f"{purges:,} addresses could not be purged from the CDN's cache; they are tried again. {why}",
			"Test Connection in CDN Settings says what the CDN lacks.",
		)
	if stale := edge_status.stale():
		yield Finding(
			"edge",
			"warning",
			f"{len(stale):,} addresses are shown by the CDN as they were before a purge more than 10 minutes ago:"
			f" {some(stale)}.",
			"Check that the CDN in CDN Settings is the one that CDN Base URL leads to, that no other cache is between them, and"
			" that no rule of the CDN keeps files for longer than they say (docs/cdn.md).",
		)
