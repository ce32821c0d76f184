"""What is wrong with a site, as far as publishing goes, in under a minute; each finding with how to fix it.

Every check is by itself: one that cannot be made is a finding too, and hides no other. Reads only, but for the
connection test's small files, which it removes again.

`servers`, `jobs`, `places`, `publishing`, `gate`, `films` and `content` hold the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import frappe

from memora.services.cdn_export.admin.doctor import content, films, gate, jobs, places, publishing, servers
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.model.counts import Tell

Check = Callable[[], Iterator[Finding]]

CHECKS: Sequence[Check] = (
	servers.versions,
	servers.schema,
	servers.cache_redis,
	servers.queue_redis,
	jobs.workers,
	jobs.scheduler,
	jobs.cron_rows,
	places.settings_page,
	places.storage,
	content.kept_files,
	servers.clock,
	servers.disk,
	publishing.waiting,
	publishing.leftovers,
	gate.gate,
	gate.gate_keys,
	films.access_objects,
	content.video_links,
	content.stages,
	content.items_sold,
	content.former_entities,
)
_ASKING_THE_STORAGE = (places.storage, films.access_objects)


def run(tell: Tell | None = None, *, bucket: bool = True) -> list[Finding]:
	"""Make every check there is; without `bucket` all but those that ask the storage. Never raises."""
	checks = [check for check in CHECKS if bucket or check not in _ASKING_THE_STORAGE]
	findings: list[Finding] = []
	for number, check in enumerate(checks):
		if tell:
			tell(number, len(checks))
		findings += _made(check)
	if tell:
		tell(len(checks), len(checks))
	return findings


def _made(check: Check) -> list[Finding]:
	name = check.__name__.replace("_", " ")
	found: list[Finding] = []
	try:
		found += check()
	except Exception as error:  # noqa: BLE001 - a check that fails is a finding
		frappe.logger("memora").exception(f"doctor: {name}")
		found.append(Finding(name, "error", f"could not be looked at: {type(error).__name__}: {error}"))
	return found
