"""What the CDN was seen to show after purges: for a form's line, and what an admin should know of addresses that stay old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from frappe import _

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin.publication_status import PlanStatus
from memora.services.cdn_export.admin.status_words import moment
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import edge_watch
from memora.services.cdn_export.rules.edge_watch import Watched
from memora.services.cdn_export.state import edge_notes, ledger

_NAMED = 3


def live_since(options: settings.ExportSettings, plans: Sequence[PlanStatus]) -> Mapping[str, datetime]:
	"""Since when the CDN shows what is live of a document, by plan, where it was seen to. Two statements; none where no CDN is
	purged.

	What has its version in its address is at the edge once the manifest that leads there is.
	"""
	shown = {item.plan: _asked_for(item) for item in plans if item.state == "live" and item.is_live}
	cache = settings.purged_cache() if shown else ""
	began = edge_notes.of_cache(cache).began if cache else None
	if not began:
		return {}
	seen = ledger.live_at_edge(set(shown.values()), gated=options.is_gated)
	return {plan: seen[path] for plan, path in shown.items() if path in seen and seen[path] >= began}


def stale(options: settings.ExportSettings | None = None) -> list[str]:
	"""The addresses at which the CDN goes on showing what was purged more than 10 minutes ago, each with what it shows. One
	statement."""
	options = options or settings.load()
	return [_described(options, each) for each in _watched() if each.is_stale]


def warnings(options: settings.ExportSettings) -> list[dict[str, str]]:
	"""What the CDN has not forgotten though it said so, or cannot be asked, each with how to fix it."""
	watched = _watched()
	found = []
	if old := [_described(options, each) for each in watched if each.is_stale]:
		message = _(
			"{0} addresses still show what was there before a purge more than 10 minutes ago, so learners may too: {1}."
		)
		found.append(
			{
				"message": message.format(len(old), "; ".join(old[:_NAMED])),
				"fix": _(
					"Check that the CDN in CDN Settings is the one that CDN Base URL leads to, that no other cache is between"
					" them, and that no rule of the CDN keeps files for longer than they say (docs/cdn.md). Purging everything"
					" at the CDN helps at once."
				),
			}
		)
	if unread := [each for each in watched if each.is_unreadable]:
		message = _(
			"Whether the CDN has forgotten what was purged is not known: {0} gives no file to this server."
		)
		found.append(
			{
				"message": message.format(_address(options, unread[0])),
				"fix": _(
					"Let this server read CDN Base URL as an app does. Test Connection says what is in the way."
				),
			}
		)
	return found


def _described(options: settings.ExportSettings, each: Watched) -> str:
	"""A stale address, with what it shows: of when that is, and for how long a cache has had it."""
	shown = moment(each.answer.version) if each.answer.version > 0 else None
	if not shown:
		return _("{0} (not found)").format(_address(options, each))
	if each.answer.age < 0:
		return _("{0} (of {1})").format(_address(options, each), shown)
	return _("{0} (of {1}, Age {2} s)").format(_address(options, each), shown, each.answer.age)


def _address(options: settings.ExportSettings, each: Watched) -> str:
	return f"{options.base_url}/{each.path}"


def _watched() -> Sequence[Watched]:
	cache = settings.purged_cache()
	return edge_notes.of_cache(cache).watched if cache else ()


def _asked_for(item: PlanStatus) -> str:
	return item.path if edge_watch.is_asked(item.path) else paths.manifest(item.plan)
