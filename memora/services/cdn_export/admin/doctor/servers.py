"""The servers that memora runs on: versions, the database's tables, Redis, clocks and disks."""

from __future__ import annotations

import json
import platform
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import frappe
import redis
from frappe.model import no_value_fields, table_fields
from frappe.modules.patch_handler import get_patches_from_app

import memora
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin.finding import Finding, some
from memora.services.cdn_export.state import redis_mirror

REDIS_SECONDS = 2
_GIGABYTE = 1_000_000_000
_FRAPPE = ("15", "16", "17")
_MARIADB = (10, 6)
"""The first that has JSON_TABLE."""


_CLOCK_WARNING, _CLOCK_ERROR = 2, 20
"""Seconds. A lease is trusted for 20 s without asking the database."""


def versions() -> Iterator[Finding]:
	"""Whether memora knows what it runs on."""
	server = frappe.db.sql("select version()")[0][0]
	yield Finding(
		"versions",
		"ok",
		f"memora {memora.__version__}, Frappe {frappe.__version__}, Python {platform.python_version()}, {server}",
	)
	if frappe.__version__.partition(".")[0] not in _FRAPPE:
		yield Finding(
			"versions",
			"warning",
			f"memora is made for Frappe {', '.join(_FRAPPE)}, not for {frappe.__version__}.",
			"Look for a release of memora for this Frappe.",
		)
	if "mariadb" in server.lower() and _numbers(server) < _MARIADB:
		yield Finding(
			"versions",
			"error",
			f"MariaDB {server} is older than {'.'.join(map(str, _MARIADB))}.",
			"Upgrade MariaDB.",
		)


def _numbers(text: str) -> tuple[int, ...]:
	"""The leading numbers of a version."""
	numbers = []
	for part in text.split("-")[0].split("."):
		if not part.isdigit():
			break
		numbers.append(int(part))
	return tuple(numbers)


def schema() -> Iterator[Finding]:
	"""Whether the site's tables are those of the code."""
	migrate = f"bench --site {frappe.local.site} migrate"
	missing = []
	for file in sorted(Path(memora.__path__[0], "memora", "doctype").glob("*/*.json")):
		doctype = json.loads(file.read_text())
		if doctype.get("doctype") != "DocType" or doctype.get("issingle"):
			continue
		if not frappe.db.table_exists(doctype["name"], cached=False):
			missing.append(f"the table of {doctype['name']}")
			continue
		there = set(frappe.db.get_db_table_columns(f"tab{doctype['name']}"))
		missing += [
			f"{doctype['name']}.{field['fieldname']}"
			for field in doctype["fields"]
			if field["fieldtype"] not in (*no_value_fields, *table_fields) and field["fieldname"] not in there
		]
	if missing:
		yield Finding("schema", "error", f"The database lacks {some(missing)}.", migrate)
	done = set(frappe.get_all("Patch Log", pluck="patch"))
	if waiting := [patch for patch in get_patches_from_app("memora") if patch not in done]:
		yield Finding("schema", "error", f"Patches have not run: {some(waiting)}.", migrate)
	if not (missing or waiting):
		yield Finding("schema", "ok", "The tables are those of this release.")


def cache_redis() -> Iterator[Finding]:
	"""The cache: needed, but it may forget."""
	yield from _redis("cache Redis", frappe.conf.redis_cache, queue=False)


def queue_redis() -> Iterator[Finding]:
	"""The queue: it must not forget."""
	yield from _redis("queue Redis", frappe.conf.redis_queue, queue=True)
	cache, queue = (urlsplit(url or "") for url in (frappe.conf.redis_cache, frappe.conf.redis_queue))
	if _address(cache) == _address(queue):
		yield Finding(
			"queue Redis",
			"warning",
			"Cache and queue are one Redis, and `bench build` empties the cache's: queued jobs go with it.",
			"Give the queue a Redis of its own (redis_queue in common_site_config.json), as bench sets it up.",
		)


def _redis(name: str, url: str | None, *, queue: bool) -> Iterator[Finding]:
	if not url:
		yield Finding(name, "error", "has no address.", "Set it in sites/common_site_config.json.")
		return
	client = redis_mirror.connect(url, REDIS_SECONDS, is_queue=queue)
	address = _address(urlsplit(url))
	try:
		with client:
			memory = client.info("memory")
	except redis.exceptions.NoPermissionError:  # an ACL without INFO: its memory is then its admin's to watch
		memory = {"used_memory": 0}
	except redis.RedisError as error:
		yield Finding(
			name,
			"error",
			f"{address} does not answer ({error}). Saves go on, and what changes is published later.",
			"Start it: bench start, or supervisorctl restart all.",
		)
		return
	if queue:
		yield from _queue_keys(name)
	policy, limit, used = memory.get("maxmemory_policy"), memory.get("maxmemory", 0), memory["used_memory"]
	fill = f"{used / 1e6:,.0f} MB" + (f" of {limit / 1e6:,.0f} MB" if limit else "")
	if queue and limit and policy != "noeviction":
		yield Finding(
			name,
			"warning",
			f"{address} may drop jobs when its memory is full (maxmemory-policy {policy}).",
			"Set maxmemory-policy noeviction in config/redis_queue.conf and restart it.",
		)
	elif limit and used > 0.9 * limit and policy == "noeviction":
		yield Finding(
			name,
			"error",
			f"{address} is nearly full: {fill}. It refuses what comes in.",
			"Raise maxmemory in its configuration, or find out what fills it.",
		)
	else:
		yield Finding(name, "ok", f"{address} answers; {policy}, {fill}.")


def _queue_keys(name: str) -> Iterator[Finding]:
	"""Whether memora's own keys are allowed there: Frappe's ACL rules name only those of its jobs."""
	try:
		redis_mirror.try_keys()
	except redis.exceptions.NoPermissionError as error:
		yield Finding(
			name,
			"error",
			f"An ACL refuses memora's keys ({error}), so a save wakes no batch: changes wait for the scheduler, and what "
			"waits, dead letters and locks are not shown in Redis.",
			f"In redis-cli, and in the queue's ACL file: ACL SETUSER {frappe.conf.rq_username or 'default'} "
			f"{shlex.quote(redis_mirror.acl_rule())}",
		)


def _address(url: SplitResult) -> str:
	"""Where a Redis listens, without its password: host and port, or a socket."""
	return url.path if url.scheme == "unix" else url.netloc.rpartition("@")[2]


def clock() -> Iterator[Finding]:
	"""Leases go by the database's clock, versions by this machine's."""
	before = time.time()
	server = float(frappe.db.sql("select unix_timestamp(now(6))")[0][0])
	apart = abs(server - (before + time.time()) / 2)
	if apart > _CLOCK_WARNING:
		yield Finding(
			"clock",
			"error" if apart > _CLOCK_ERROR else "warning",
			f"This machine's clock and the database server's are {apart:,.0f} seconds apart.",
			"Let both follow a time server (timedatectl set-ntp true).",
		)
	else:
		yield Finding("clock", "ok", f"This machine and the database server agree to {apart:.3f} seconds.")
	newest = frappe.db.sql("select max(version) from `tabCDN File`")[0][0] or 0
	if newest > time.time() + 60:
		yield Finding(
			"clock",
			"warning",
			"Some files have a version in the future: a clock was ahead when they were published. Their versions "
			"count on from there, so apps notice nothing.",
		)


def disk() -> Iterator[Finding]:
	"""Room for the site, its log files and, with Local Directory, for what is published."""
	places = {Path(frappe.get_site_path()).resolve()}
	doc = frappe.get_cached_doc(settings.DOCTYPE)
	if settings.load().provider == settings.LOCAL:
		folder = Path(settings.local_path(doc))
		places.add(next(place for place in (folder, *folder.parents) if place.exists()))
	low = False
	for place in sorted(places):
		usage = shutil.disk_usage(place)
		if usage.free < _GIGABYTE or usage.free < 0.03 * usage.total:
			low = True
			yield Finding(
				"disk",
				"error" if usage.free < 0.1 * _GIGABYTE else "warning",
				f"{place}: only {usage.free / 1e6:,.0f} MB are free.",
				"Make room: old backups in private/backups, logs, docker images.",
			)
	if not low:
		free = min(shutil.disk_usage(place).free for place in places)
		yield Finding("disk", "ok", f"{free / _GIGABYTE:,.1f} GB are free.")
