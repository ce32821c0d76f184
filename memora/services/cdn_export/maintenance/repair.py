"""Repairs what an audit found, through the builders themselves.

Nothing is published here but pictures: a damaged file is marked, an orphan is entered into the ledger, and the
scope they belong to is queued. Its next build then uploads again what is damaged, under the same version where
the content is the same, and keeps or removes what was an orphan, as the content wants it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from memora.services.cdn_export.builds import media
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import adoption, rewrite
from memora.services.cdn_export.maintenance.audit import Difference
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import database, ledger, refused_removals


@dataclass(slots=True)
class Repair:
	"""The results of a repair: fixed at once, queued for the next batch, or left to people."""

	fixed: list[Difference] = field(default_factory=list)
	queued: list[Difference] = field(default_factory=list)
	left: list[Difference] = field(default_factory=list)


def repair(target: PublishTarget, findings: Iterable[Difference]) -> Repair:
	"""Fix what `audit.verify` found. The next batch (or `batch_processor.process`) does what is queued.

	Raises StorageError.
	"""
	done = Repair()
	by_fault: dict[str, list[Difference]] = defaultdict(list)
	for finding in findings:
		by_fault[finding.fault].append(finding)
	done.left += by_fault.pop("foreign", [])
	orphans = by_fault.pop("orphan", [])
	stale = by_fault.pop("stale", [])
	remaining = by_fault.pop("remains", [])
	damaged = [finding for found in by_fault.values() for finding in found]

	pictures = {finding.path for finding in damaged if finding.scope == scopes.MEDIA.id}
	restored = media.restore(target, pictures)
	for finding in damaged:
		if finding.path in pictures:
			(done.fixed if finding.path in restored else done.left).append(finding)
		else:
			done.queued.append(finding)
	documents = {finding.path for finding in done.queued}
	altered = {finding.path for finding in done.queued if finding.fault in ("altered", "metadata")}
	with ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		adoption.follow_newer(target, pool, altered)
		adopted, unknown = adoption.adopt(target, pool, {finding.path for finding in orphans})
	for finding in orphans:
		(done.left if finding.path in unknown else done.queued).append(finding)
	done.queued += [*stale, *remaining]

	def queue() -> None:
		refused_removals.try_at_once({finding.scope for finding in remaining})
		ledger.damage(documents)
		wanted = {finding.scope for finding in stale} | adopted
		rewrite.touch(wanted, ledger.of_paths({*documents, *(finding.path for finding in stale)}).values())

	database.transaction(queue)
	return done
