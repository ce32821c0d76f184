"""Asks the CDN, after it was told to forget, whether it shows what is live: `rules.edge_watch` says what, and what answers mean.

It asks CDN Base URL as an app does, without credentials, and follows no redirect. A question that takes too long ends the run:
the rest is asked by the next one. What a gate keeps private is not asked for: no shared cache may have it. The CDN's place
that is nearest to this server answers, which tells nothing of the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import frappe
import orjson
from frappe.utils import now_datetime

from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import cache_headers, document_bytes
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.rules import edge_watch
from memora.services.cdn_export.rules.edge_watch import Answer, Watched
from memora.services.cdn_export.state import database, edge_notes, ledger

if TYPE_CHECKING:
	import requests

RUN_SECONDS = 10.0
_TIMEOUTS = (2, 3)  # to connect, between two parts of an answer
_CHUNK = 1 << 16


def run(target: PublishTarget, now: float | None = None) -> int:
	"""Ask what is due at a moment, in at most RUN_SECONDS. Returns how many addresses show what is live. Never raises for what
	the CDN does. Commits."""
	if not target.watches_edge:
		database.transaction(edge_notes.forget)
		return 0
	now = time.time() if now is None else now
	database.fresh()
	notes = edge_notes.read()
	if notes.cache and notes.cache != target.cache:
		database.transaction(edge_notes.forget)  # else it would be due every minute
		return 0
	due = [each for each in notes.watched if each.due <= now]
	if not due:
		return 0
	due = sorted(due, key=lambda each: each.due)[: edge_watch.MOST_A_PURGE]
	entries = ledger.of_paths(each.path for each in due)
	frappe.db.commit()
	results: list[tuple[Watched, Watched | None]] = []
	seen: dict[str, int] = {}
	for asked, verdict, answer in _answers(target, due, entries):
		results.append((asked, edge_watch.after(asked, verdict, answer, now)))
		if verdict == "right" and (entry := entries[asked.path]).state == "live":
			seen[asked.path] = entry.live_version
	database.transaction(partial(_note, target.cache, results, seen, now))
	return len(seen)


def _note(
	cache: str, results: list[tuple[Watched, Watched | None]], seen: dict[str, int], now: float
) -> None:
	edge_notes.change(cache, lambda watched: edge_watch.merge(watched, results, now))
	ledger.seen_at_edge(seen, now_datetime())


def _answers(
	target: PublishTarget, due: list[Watched], entries: dict[str, LedgerEntry]
) -> Iterator[tuple[Watched, edge_watch.Verdict, Answer]]:
	"""What each address answers and what that means, "" where there is nothing to ask for; as far as the time goes."""
	from memora.services.cdn_export.delivery import http_session  # requests, which few processes need

	ends = time.monotonic() + RUN_SECONDS
	with http_session.open_session() as http:
		for each in due:
			entry = entries.get(each.path)
			if entry is None or _is_private(target.options, entry):
				yield each, "", Answer(0)
			elif entry.state not in ("live", "removed"):
				yield each, "between", each.answer
			else:
				answer = _ask_until(ends, http, f"{target.options.base_url}/{each.path}")
				wanted = entry.live_version if entry.state == "live" else 0
				yield each, edge_watch.judge(wanted, answer), answer
				if not answer.status or time.monotonic() >= ends:
					return


def _is_private(options: settings.ExportSettings, entry: LedgerEntry) -> bool:
	"""Whether the file is not for everybody at CDN Base URL: a gate keeps it, or has it at another address."""
	if not options.is_gated or entry.kind not in cache_headers.GUARDED:
		return False
	return entry.access_level not in cache_headers.OPEN or options.gate_url != options.base_url


def _ask_until(ends: float, http: requests.Session, url: str) -> Answer:
	"""What an address answers; Answer(0) where it has not by a moment of the monotonic clock. No time-out of a connection holds
	for the name's resolution, or for an answer that comes byte by byte."""
	found: list[Answer] = []
	asking = threading.Thread(target=lambda: found.append(_ask(http, url)), daemon=True)
	asking.start()
	asking.join(max(0.0, ends - time.monotonic()))
	return found[0] if found else Answer(0)


def _ask(http: requests.Session, url: str) -> Answer:
	from requests import RequestException

	try:
		with http.get(url, timeout=_TIMEOUTS, allow_redirects=False, stream=True) as response:
			body = bytearray()
			for chunk in response.iter_content(_CHUNK):
				body += chunk
				if len(body) > document_bytes.LARGEST_FILE:
					return Answer(response.status_code)
	except (RequestException, ValueError):
		return Answer(0)
	age = response.headers.get("Age", "").strip()
	return Answer(
		response.status_code, _version(bytes(body)), int(age) if age.isdecimal() and len(age) < 12 else -1
	)


def _version(body: bytes) -> int:
	try:
		document = orjson.loads(body)
	except ValueError:
		return -1
	version = document.get("version") if isinstance(document, dict) else None
	return version if isinstance(version, int) and version >= 0 else -1
