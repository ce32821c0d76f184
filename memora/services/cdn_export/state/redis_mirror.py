"""The Redis side: the wake-up that says which plans wait, a copy of the dead letters, and the build locks.

Nothing here is the truth; MariaDB is. Everything can be lost, and the next batch puts it back. It uses the
bench's *queue* Redis, since its cache Redis evicts (`allkeys-lru`) and `bench build` flushes it. Keys carry
the site's database name, since one Redis serves many sites.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import frappe
import redis

from memora.services.cdn_export.model.scopes import Scope

PENDING = "cdn_export:pending_plans"
DEAD_LETTER = "cdn_export:dead_letter"
LOCK = "cdn_export:lock:{}"
CLOCK = "cdn_export:clock"
BATCH, WAKE_UP, THRESHOLD = "batch", "wake-up", "threshold"
"""What is claimed for a batch that is queued: by a button, by a save while the scheduler sleeps, and by a save after which
enough plans wait."""

LOCK_SECONDS = 300
"""Spec, "Publishing": a build's lock lives five minutes unless renewed."""

_TIMEOUT_SECONDS = 0.1
_BREAKER_SECONDS = 30
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_RENEW = (
	"if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('expire', KEYS[1], ARGV[2]) end return 0"
)

_clients: dict[str, redis.Redis] = {}
_broken_until = 0.0


@dataclass(frozen=True, slots=True)
class Clock:
	"""What a save has to know to start a batch itself, so that it needs no settings. The minute's check leaves when it
	was run, in Unix seconds, and whether Frappe will take the site for dormant before the next batch."""

	ticked_at: float
	threshold: int
	enabled: bool
	dormant: bool = False


def key(name: str) -> str:
	"""The key of `name` in Redis for this site."""
	return f"{frappe.conf.db_name}|{name}"


def available() -> bool:
	"""Whether a call is worth trying: after a failure the breaker stays open for 30 s."""
	return time.monotonic() >= _broken_until


def notify(plans: Iterable[str]) -> tuple[int, Clock | None] | None:
	"""Add plans to the pending set. One round trip, 0.1 s at most; never raises.

	Returns how many plans now wait and the clock of the last check, or None if Redis does not answer.
	"""
	plans = list(plans)
	if not plans:
		return None

	def call(client: redis.Redis) -> tuple[int, Clock | None]:
		pipe = client.pipeline(transaction=False)
		pipe.sadd(key(PENDING), *plans)
		pipe.scard(key(PENDING))
		pipe.get(key(CLOCK))
		_, waiting, clock = pipe.execute()
		return waiting, _clock_of(clock)

	return _guarded(call)


def mirror(plans: Iterable[str], clock: Clock, dead: dict[str, str]) -> None:
	"""Make Redis say what MariaDB says: the waiting plans, the clock, and the dead letters, each by its label as `letter`
	has it. Never raises."""
	plans = list(plans)

	def call(client: redis.Redis) -> None:
		pipe = client.pipeline(transaction=True)
		pipe.delete(key(PENDING), key(DEAD_LETTER))
		if plans:
			pipe.sadd(key(PENDING), *plans)
		if dead:
			pipe.hset(key(DEAD_LETTER), mapping=dead)
		pipe.set(key(CLOCK), json.dumps(asdict(clock)))
		pipe.execute()

	_guarded(call)


def clock() -> Clock | None:
	"""What the last minute's check left; None where Redis has lost it or does not answer."""
	return _clock_of(_guarded(lambda client: client.get(key(CLOCK))))


def set_clock(clock: Clock) -> None:
	"""Note the minute's check for saves to read. Never raises."""
	_guarded(lambda client: client.set(key(CLOCK), json.dumps(asdict(clock))))


def waiting() -> set[str] | None:
	"""The plans in the pending set, or None where Redis does not answer."""
	return _guarded(lambda client: {plan.decode() for plan in client.smembers(key(PENDING))})


def letter(label: str, message: str, retries: int, since: Any) -> str:
	"""A dead letter as the hash has it, which admins' tools read."""
	return json.dumps(
		{"name": label, "error_message": message, "retry_count": retries, "dead_since": str(since)}
	)


def add_dead_letter(label: str, message: str, retries: int, since: Any) -> None:
	"""Copy a dead letter to the hash. Never raises."""
	_guarded(lambda client: client.hset(key(DEAD_LETTER), label, letter(label, message, retries, since)))


def remove_dead_letter(name: str) -> None:
	"""Take a dead letter out of the hash. Never raises."""
	_guarded(lambda client: client.hdel(key(DEAD_LETTER), name))


def claim(name: str, seconds: int) -> bool | None:
	"""True for the first caller until `release`, or until `seconds` have passed since; False for others, and None where Redis
	does not answer."""
	return _guarded(lambda client: bool(client.set(key(f"cdn_export:claim:{name}"), 1, nx=True, ex=seconds)))


def release(*names: str) -> None:
	"""Let the next caller claim these. Never raises."""
	if names:
		_guarded(lambda client: client.delete(*(key(f"cdn_export:claim:{name}") for name in names)))


def lock(scopes: Iterable[str], token: str) -> None:
	"""Put a lease's token on the scopes' locks. The lease decides, so an old token is simply replaced."""

	def call(client: redis.Redis) -> None:
		pipe = client.pipeline(transaction=False)
		for scope in scopes:
			pipe.set(key(LOCK.format(scope)), token, ex=LOCK_SECONDS)
		pipe.execute()

	_guarded(call)


def renew_lock(scopes: Iterable[str], token: str) -> None:
	"""Give the locks that still carry `token` another five minutes."""

	def call(client: redis.Redis) -> None:
		pipe = client.pipeline(transaction=False)
		for scope in scopes:
			pipe.eval(_RENEW, 1, key(LOCK.format(scope)), token, LOCK_SECONDS)
		pipe.execute()

	_guarded(call)


def unlock(scopes: Iterable[str], token: str, published: Sequence[str] = ()) -> None:
	"""Remove the locks that still carry `token`: only its owner releases one. With it the plans that are `published`
	leave the pending set and the dead letters. One round trip; never raises."""

	def call(client: redis.Redis) -> None:
		pipe = client.pipeline(transaction=False)
		for scope in scopes:
			pipe.eval(_RELEASE, 1, key(LOCK.format(scope)), token)
		if published:
			pipe.srem(key(PENDING), *published)
			pipe.hdel(key(DEAD_LETTER), *(Scope("plan", plan).label for plan in published))
		pipe.execute()

	_guarded(call)


def try_keys() -> None:
	"""Do with keys of this app and site what the functions above do, on a key of its own that goes again.

	Raises redis.RedisError: NoPermissionError where an ACL keeps the bench's user from it.
	"""
	probe = key(f"cdn_export:probe:{secrets.token_hex(4)}")
	with _client().pipeline(transaction=True) as pipe:
		pipe.sadd(probe, 1).scard(probe).smembers(probe).srem(probe, 1).delete(probe)
		pipe.hset(probe, "a", 1).hdel(probe, "a").delete(probe)
		pipe.set(probe, 1, ex=1).get(probe).eval(_RENEW, 1, probe, 1, 1).eval(_RELEASE, 1, probe, 1)
		pipe.execute()


def acl_rule() -> str:
	"""What the bench's user needs in an ACL of the queue's Redis, beside what Frappe gives it."""
	return f"~{key('cdn_export:*')}"


def wipe() -> None:
	"""Remove every key of this app and site: for uninstalling."""

	def call(client: redis.Redis) -> None:
		if keys := list(client.scan_iter(match=key("cdn_export:*"), count=1000)):
			client.delete(*keys)

	_guarded(call)


def _clock_of(text: bytes | None) -> Clock | None:
	"""The clock as it was left; None for none, or for one that another release has left in another form."""
	try:
		return Clock(**json.loads(text)) if text else None
	except (TypeError, ValueError):
		return None


def _guarded(call):
	"""Run `call` with this site's client; on any Redis trouble open the breaker and return None.

	A wake-up may be lost at any time by design, so its loss is logged and never raised.
	"""
	global _broken_until
	if not available():
		return None
	try:
		return call(_client())
	except redis.RedisError as error:
		_broken_until = time.monotonic() + _BREAKER_SECONDS
		frappe.logger("memora").warning(
			f"queue Redis does not answer, next try in {_BREAKER_SECONDS} s: {error}"
		)
		return None


def connect(url: str, seconds: float, *, is_queue: bool) -> redis.Redis:
	"""A client of one of the bench's Redis servers that waits so long for an answer."""
	credentials = {}
	if is_queue and frappe.conf.use_rq_auth:
		credentials = {"username": frappe.conf.rq_username, "password": frappe.conf.rq_password}
	return redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds, **credentials)


def _client() -> redis.Redis:
	url = frappe.conf.redis_queue or "redis://127.0.0.1:11311"
	if url not in _clients:
		_clients[url] = connect(url, _TIMEOUT_SECONDS, is_queue=True)
	return _clients[url]
