"""What is wrong with a site, as far as publishing goes, in under a minute; each finding with its fix.

Every check is by itself: one that cannot be made is a finding too, and hides no other. Reads only, but for the
connection test's small files, which it removes again.
"""

from __future__ import annotations

import json
import platform
import shlex
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import frappe
import redis
from frappe.model import no_value_fields, table_fields
from frappe.modules.patch_handler import get_patches_from_app
from frappe.utils import now_datetime, strip_html
from frappe.utils.background_jobs import get_queue
from frappe.utils.scheduler import is_dormant, is_scheduler_inactive
from rq import Worker

import memora
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import connection_test, dashboard, operations, schedule
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.curriculum import films, items, known_files
from memora.services.cdn_export.delivery import ownership, purge_queue
from memora.services.cdn_export.model import doctypes, exact_json, plain_text
from memora.services.cdn_export.model.counts import Tell
from memora.services.cdn_export.rules import stage_rules
from memora.services.cdn_export.state import (
	database,
	due,
	job_queue,
	ledger,
	redis_mirror,
	refused_removals,
)

BUCKET_SECONDS = 30
REDIS_SECONDS = 2
LATE = timedelta(minutes=10)
_DORMANT = timedelta(hours=25)
"""Within that Frappe's scheduler comes by also where nobody logs in: once a day."""

MOST_NAMED = 5

_ROWS = ("Memora Lesson Stage", "Memora Plan Override")
_GIGABYTE = 1_000_000_000
_FRAPPE = ("15", "16", "17")
_MARIADB = (10, 6)
"""The first that has JSON_TABLE."""

_CLOCK_WARNING, _CLOCK_ERROR = 2, 20
"""Seconds. A lease is trusted for 20 s without asking the database."""

Check = Callable[[], Iterator[Finding]]


def run(tell: Tell | None = None, *, bucket: bool = True) -> list[Finding]:
	"""Make every check there is; without `bucket` all but the one that writes to the storage. Never raises."""
	checks = [check for check in CHECKS if bucket or check is not storage]
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
		yield Finding("schema", "error", f"The database lacks {_some(missing)}.", migrate)
	done = set(frappe.get_all("Patch Log", pluck="patch"))
	if waiting := [patch for patch in get_patches_from_app("memora") if patch not in done]:
		yield Finding("schema", "error", f"Patches have not run: {_some(waiting)}.", migrate)
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
	credentials = {}
	if queue and frappe.conf.use_rq_auth:
		credentials = {"username": frappe.conf.rq_username, "password": frappe.conf.rq_password}
	client = redis.Redis.from_url(
		url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, **credentials
	)
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
			f"An ACL refuses memora's keys ({error}), so a save wakes nobody: changes wait for the scheduler, and what "
			"waits, dead letters and locks are not shown in Redis.",
			f"In redis-cli, and in the queue's ACL file: ACL SETUSER {frappe.conf.rq_username or 'default'} "
			f"{shlex.quote(redis_mirror.acl_rule())}",
		)


def _address(url: SplitResult) -> str:
	"""Where a Redis listens, without its password: host and port, or a socket."""
	return url.path if url.scheme == "unix" else url.netloc.rpartition("@")[2]


def workers() -> Iterator[Finding]:
	"""Whether somebody takes the jobs, and keeps up."""
	count = schedule.count_workers()
	if count is None:
		yield Finding("workers", "error", "The job queue does not answer, so no worker can be seen.")
		return
	every = Worker.count(connection=get_queue(job_queue.QUEUE).connection)
	if not count:
		yield Finding(
			"workers",
			"warning",
			f"No worker takes the queue “{job_queue.QUEUE}”"
			+ (f", though {every} take others" if every else "")
			+ "; batches run in the process that starts them.",
			"bench start, or supervisorctl start all; a worker without --queue takes every queue.",
		)
	else:
		yield Finding("workers", "ok", f"{count} take the queue “{job_queue.QUEUE}”.")
	for name in ("short", "default", job_queue.QUEUE):
		yield from _queue(name)


def _queue(name: str) -> Iterator[Finding]:
	queue = get_queue(name)
	waiting = queue.get_jobs(0, 1)
	if not waiting:
		return
	since = waiting[0].enqueued_at
	if since is None:
		return
	waited = datetime.now(timezone.utc) - since.replace(tzinfo=since.tzinfo or timezone.utc)
	if waited > LATE:
		minutes = waited.total_seconds() / 60
		yield Finding(
			"queues",
			"error",
			f"The first of {queue.count} jobs in the queue “{name}” has waited for {minutes:,.0f} minutes.",
			"More workers, or find the job that holds one: bench doctor, and RQ Job in the Desk.",
		)


def scheduler() -> Iterator[Finding]:
	"""Whether anything happens by itself."""
	site = frappe.local.site
	if frappe.conf.maintenance_mode:
		yield Finding(
			"scheduler",
			"error",
			"The site is in maintenance mode, so nothing is scheduled.",
			f"bench --site {site} set-maintenance-mode off",
		)
		return
	if is_scheduler_inactive(verbose=False):
		yield Finding(
			"scheduler",
			"error",
			"The scheduler is off, so nothing is published by itself.",
			f"bench --site {site} enable-scheduler; and pause_scheduler in site_config.json must not be set",
		)
		return
	dormant = is_dormant()
	if dormant:
		yield Finding(
			"scheduler",
			"warning",
			"Nobody has logged in for days, so Frappe schedules jobs once a day at most, and for up to an hour "
			"after the next login. A save that queues a plan starts the batch itself, and while anything is to be "
			"tried again, removed or renewed, memora keeps the scheduler awake.",
			"Log in once, or raise dormant_days in System Settings.",
		)
	method = "memora.services.cdn_export.batch_processor.check_due"
	last = frappe.db.get_value("Scheduled Job Type", {"method": method}, "last_execution")
	if (last is None and not dormant) or (last and now_datetime() - last > (_DORMANT if dormant else LATE)):
		since = f"since {last:%Y-%m-%d %H:%M}" if last else "yet"
		yield Finding(
			"scheduler",
			"error",
			f"The scheduler is on, but its minute has not been run {since}.",
			"Start `bench schedule` (bench start and supervisor do), and a worker for what it starts.",
		)
	elif not dormant:
		yield Finding("scheduler", "ok", f"It last came by at {last:%Y-%m-%d %H:%M:%S}.")


def cron_rows() -> Iterator[Finding]:
	"""Whether Frappe knows the jobs that hooks.py declares."""
	migrate = f"bench --site {frappe.local.site} migrate"
	rows = {
		row.method: row
		for row in frappe.get_all(
			"Scheduled Job Type",
			{"method": ("like", "memora.%")},
			["method", "frequency", "cron_format", "stopped"],
		)
	}
	wrong = []
	declared = frappe.get_hooks("scheduler_events", app_name="memora")
	for method, cron in _jobs(declared):
		row = rows.get(method)
		if row is None or (cron and row.cron_format != cron):
			wrong.append(
				Finding("cron rows", "error", f"{method} is not scheduled as it should be.", migrate)
			)
		elif row.stopped:
			wrong.append(
				Finding(
					"cron rows",
					"error",
					f"{method} is stopped.",
					"Uncheck Stopped in its Scheduled Job Type.",
				)
			)
	yield from wrong
	if not wrong:
		yield Finding("cron rows", "ok", f"{len(list(_jobs(declared)))} jobs are scheduled.")


def _jobs(declared: dict) -> Iterator[tuple[str, str]]:
	"""Method and cron line of each job; a job by name of its frequency has no line."""
	for frequency, methods in declared.items():
		if frequency == "cron":
			for line, below in methods.items():
				yield from ((method, line) for method in below)
		else:
			yield from ((method, "") for method in methods)


def settings_page() -> Iterator[Finding]:
	"""Whether CDN Settings can work as they are saved."""
	doc = frappe.get_doc(settings.DOCTYPE)
	wrong = []
	for field in doc.meta.get("fields", {"fieldtype": "Password"}):
		if not doc.get(field.fieldname):
			continue
		try:
			doc.get_password(field.fieldname)
		except Exception:  # noqa: BLE001 - Frappe raises differently by release
			wrong.append(
				Finding(
					"settings",
					"error",
					f"{field.label} cannot be decrypted: the site was restored without its encryption_key.",
					f"Put the old encryption_key into site_config.json, or enter {field.label} again.",
				)
			)
	try:
		doc.validate()
	except frappe.ValidationError as error:
		lines = [unescape(strip_html(line)) for line in str(error).split("<br>")]
		wrong += [Finding("settings", "error", line, "CDN Settings") for line in lines if line]
	finally:
		frappe.clear_messages()
	yield from wrong
	if not doc.enabled:
		yield Finding("settings", "warning", "Export is disabled, so changes wait.", "CDN Settings, Enabled")
	elif not wrong:
		yield Finding("settings", "ok", f"Export to {doc.storage_provider} is enabled.")


def storage() -> Iterator[Finding]:
	"""The connection test, with an end to it: a storage that hangs must not make the doctor hang."""
	doc = settings.saved()
	opened = settings.open_storage(doc)
	purge, base_url, paid = settings.open_purge(doc), settings.load(doc).base_url, dashboard.a_paid_path()
	refused = ownership.inspector(opened, doc)
	result: Future[list[Finding]] = Future()

	def work() -> None:
		try:
			with opened:
				result.set_result(connection_test.run(opened, purge, base_url, paid, refused=refused))
		except Exception as error:  # noqa: BLE001 - raised where it is waited for
			result.set_exception(error)

	threading.Thread(
		target=work, daemon=True
	).start()  # one of an executor would keep this process from ending
	ended, _hanging = wait([result], BUCKET_SECONDS)
	if not ended:
		yield Finding(
			"storage",
			"error",
			f"The storage has not answered everything within {BUCKET_SECONDS} seconds.",
			"Check Endpoint URL, the network, and the provider's status page.",
		)
		return
	for finding in result.result():
		yield Finding(f"storage: {finding.check}", finding.level, finding.message, finding.fix)


def kept_files() -> Iterator[Finding]:
	"""What was published before its type or size was refused, and stays until it is changed."""
	if kept := known_files.kept():
		yield Finding(
			"files",
			"warning",
			f"Still published, though no longer allowed by type or size: {_some(kept)}.",
			"Replace each by a picture of an allowed type (a PNG, a plain SVG), or raise Largest File in CDN Settings"
			" and save it again.",
		)


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


def waiting() -> Iterator[Finding]:
	"""Plans and subjects that are stuck, each with its cause."""
	site, found = frappe.local.site, operations.status()
	stuck = False
	if refusal := ownership.last_refusal():
		stuck = True
		yield Finding("place", "error", refusal.message, refusal.fix)
	for letter in operations.dead_letters()[:MOST_NAMED]:
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
			f"The large-change guard holds {_some(found['held_plans'])}: too much would go, or paid content would open.",
			f"Look at it (bench --site {site} memora preview PLAN) and approve it on the dashboard.",
		)
	if found["overdue"]:
		stuck = True
		yield Finding(
			"waiting",
			"error",
			f"Changes wait since {found['oldest_waiting_since']:%Y-%m-%d %H:%M:%S}.",
			f"bench --site {site} memora process publishes them now; the findings above say why nobody else did.",
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
	now = now_datetime()
	process = f"bench --site {frappe.local.site} memora process"
	database.fresh()
	(removals,) = frappe.db.sql(
		"select count(*) from `tabCDN File` where state = 'removing' and remove_at < %s and refused = 0",
		(now - LATE,),
	)[0]
	expired = ledger.count_expired()
	purges, why = purge_queue.failing()
	if refused := refused_removals.paths():
		yield Finding(
			"removals",
			"error",
			f"Still on the CDN, since the storage refuses to remove {'it' if len(refused) == 1 else 'them'}: {_some(refused)}.",
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
			"Check Cloudflare API Token in CDN Settings.",
		)


def video_links() -> Iterator[Finding]:
	"""Links into the bucket that are not signed; what is saved now cannot be one, what was there before may."""
	if strays := films.stray_links():
		named = [f"{lesson} ({link[:80]})" for lesson, link in strays]
		yield Finding(
			"video links",
			"warning",
			f"{len(strays)} links of lessons lead into the bucket and are not signed, because they lead to none of its"
			f" video folders or are no Video's: {_some(named)}.",
			"Move these films into a video folder and link to them in a Video, or add their folder to Video Folders in"
			" CDN Settings; link to other files by their address on the CDN.",
		)


def stages() -> Iterator[Finding]:
	"""Configs of lessons that learners do not get as they were meant, or with other numbers than were typed."""
	found, count = [], 0
	for lesson, place, title, type_, config in _all_stages():
		try:
			problems = [str(doubt) for doubt in stage_rules.doubts(type_, exact_json.loads(config or "{}"))]
		except (
			ValueError,
			AttributeError,
		) as error:  # no JSON, no object, or one that is published otherwise
			problems = [str(error)]
		if problems:
			count += 1
			if len(found) < MOST_NAMED:
				found.append(f"{lesson}, row {place} ({title}): {' '.join(problems)}")
	if count:
		yield Finding(
			"stages",
			"warning",
			f"Learners do not get {count:,} stages as they were meant: {' '.join(found)}"
			+ (f" And {count - len(found):,} more." if count > len(found) else ""),
			"Correct their config in the lesson.",
		)
	else:
		yield Finding("stages", "ok", "Every stage holds what its type is known for.")


def items_sold() -> Iterator[Finding]:
	"""Items that content is sold by, and that ERPNext cannot sell; nothing without ERPNext."""
	if found := items.unsellable():
		yield Finding(
			"items",
			"warning",
			" ".join(found[:MOST_NAMED])
			+ (f" And {len(found) - MOST_NAMED} more." if len(found) > MOST_NAMED else ""),
		)


def _all_stages() -> Iterator[tuple[str, int, str, str, str | None]]:
	"""Lesson, row, title, type and config of every stage, some at a time, since configs may be large."""
	after = ""
	while rows := frappe.db.sql(
		"""select stage.name, lesson.title, stage.idx, stage.title, stage.type, stage.config
		from `tabMemora Lesson Stage` stage join `tabMemora Lesson` lesson on lesson.name = stage.parent
		where stage.name > %s order by stage.name limit 200""",
		(after,),
	):
		for row in rows:
			yield row[1:]
		after = rows[-1][0]


def former_entities() -> Iterator[Finding]:
	"""Texts in which an earlier release left `&lt;` for the `<` that was typed. They are published as they stand."""
	found = []
	for doctype in (
		*doctypes.CONTENT,
		doctypes.PLAN,
		*doctypes.PLAN_TITLES,
		*_ROWS,
	):
		columns = [f"`{df.fieldname}`" for df in plain_text.fields(frappe.get_meta(doctype))]
		holds = " or ".join(f"{column} like '%%&lt;%%' or {column} like '%%&gt;%%'" for column in columns)
		document = "concat(parenttype, ' ', parent)" if doctype in _ROWS else f"concat('{doctype} ', name)"
		found += frappe.db.sql_list(
			f"select distinct {document} from `tab{doctype}` where {holds} order by 1"
		)
	if found:
		yield Finding(
			"former entities",
			"warning",
			f"The texts of {len(found)} documents hold &lt; or &gt;, which learners read: {_some(found)}.",
			"If < or > was meant, type it there again; memora keeps it now.",
		)


CHECKS: Sequence[Check] = (
	versions,
	schema,
	cache_redis,
	queue_redis,
	workers,
	scheduler,
	cron_rows,
	settings_page,
	storage,
	kept_files,
	clock,
	disk,
	waiting,
	leftovers,
	video_links,
	stages,
	items_sold,
	former_entities,
)


def _some(names: Sequence[str]) -> str:
	"""A list for a sentence, cut where it gets long."""
	named = ", ".join(names[:MOST_NAMED])
	return named if len(names) <= MOST_NAMED else f"{named} and {len(names) - MOST_NAMED} more"


def _numbers(text: str) -> tuple[int, ...]:
	"""The leading numbers of a version."""
	numbers = []
	for part in text.split("-")[0].split("."):
		if not part.isdigit():
			break
		numbers.append(int(part))
	return tuple(numbers)
