"""Reads what is published as an anonymous learner does, and says what no learner should be able to read.

Through the base URL where there is one, without any credentials; a Local Directory's folder otherwise. Looked
for: documents of anything unpublished, gone or hidden; files that were removed and can still be read; secrets;
links into the bucket that are not signed though settings say that they should be.

A scope that waits for its next build is not held against content that it does not know yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import frappe
import orjson
import requests
from frappe.utils import now_datetime

from memora.exceptions import StorageUnavailableError
from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery import http_session
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import doctypes, paths
from memora.services.cdn_export.rules.crawl import Document, Problem
from memora.services.cdn_export.state import database, ledger, publish_state, refused_removals
from memora.services.cdn_export.state.ledger import ALL, Share

Read = Callable[[str], bytes | None]

SAMPLE = 500
"""How many of the files removed last are asked for."""

_TIMEOUTS = (5, 30)
_CACHED = timedelta(minutes=6)
"""Longer than caches may keep what was removed (300 s)."""

_PAGE = 500
_NAMES = 5000
_IN_SITE_CONFIG = ("db_password", "encryption_key", "admin_password", "root_password", "mail_password")


@dataclass(slots=True)
class PublicCheck:
	"""What the check found; `files` were read, `removed` were asked for in vain, as they should be."""

	exposures: list[Problem] = field(default_factory=list)
	files: int = 0
	removed: int = 0

	@property
	def ok(self) -> bool:
		return not self.exposures


def check(target: PublishTarget, *, share: Share = ALL, sample: int = SAMPLE) -> PublicCheck:
	"""Read the live files of a share, and ask for a sample of removed ones. Raises StorageUnavailableError when the base URL
	does not answer or gives nothing, and StorageError of a folder."""
	with _Learner(target) as learner, ThreadPoolExecutor(max_workers=target.storage.threads) as pool:
		done = PublicCheck()
		database.fresh()
		judge = _Judge(target)
		if ledger.has_documents():
			learner.must_read(paths.PLAN_INDEX)
		for page in ledger.documents(share, limit=_PAGE):
			bodies = pool.map(learner.read, [path for path, _, _ in page])
			read = [
				_Read(path, scope, kind, body)
				for (path, scope, kind), body in zip(page, bodies, strict=True)
				if body is not None
			]
			done.files += len(read)
			done.exposures += judge.problems(read)
		refused = set(refused_removals.paths())
		gone = [*learner.removed(sample), *sorted(refused)]
		for path, body in zip(gone, pool.map(learner.read, gone), strict=True):
			if body is not None and path in refused:
				done.exposures.append(Problem(path, "is still on the CDN: the storage refuses to remove it"))
			elif body is not None and (_is_document(body) or _is_file(path, body)):
				done.exposures.append(Problem(path, "was removed and can still be read"))
			else:
				done.removed += 1
	return done


class _Read(NamedTuple):
	"""A document as the learner got it."""

	path: str
	scope: str
	kind: str
	body: bytes


class _Learner:
	"""An app without credentials."""

	def __init__(self, target: PublishTarget) -> None:
		self._target = target
		self._base = "" if target.options.provider == settings.LOCAL else target.options.base_url
		self._http = http_session.open_session(connections=target.storage.threads, retries=2)

	def __enter__(self) -> _Learner:
		return self

	def __exit__(self, *_: object) -> None:
		self._http.close()

	def read(self, path: str) -> bytes | None:
		if not self._base:
			return self._target.storage.get(path)
		try:
			answer = self._http.get(f"{self._base}/{path}", timeout=_TIMEOUTS)
		except requests.RequestException as error:
			raise StorageUnavailableError(
				f"{self._base}/{path} cannot be read ({type(error).__name__}). Check CDN Base URL in CDN Settings."
			) from error
		return answer.content if answer.status_code == 200 else None

	def must_read(self, path: str) -> None:
		"""Raise unless the learner can read this: else nothing could be found."""
		if self.read(path) is None:
			raise StorageUnavailableError(
				f"{path} cannot be read at {self._base or self._target.storage.target}, so it is not known what else can."
				" Check CDN Base URL in CDN Settings, and that published files may be read."
			)

	def removed(self, sample: int) -> list[str]:
		"""The files removed last, but those that a cache may still have."""
		before = now_datetime() - (_CACHED if self._base else timedelta())
		return ledger.removed_before(before, sample)


class _Judge:
	"""Knows what may be read, as the database is now."""

	def __init__(self, target: PublishTarget) -> None:
		self._storage = target.storage
		self._sign = target.options.sign
		self._secrets = _secrets()
		self._hidden: dict[str, set[tuple[str, str]]] = {}
		overrides: dict[str, set[tuple[str, str]]] = {}
		for plan, doctype, name in frappe.db.sql(
			f"""select changed.parent, changed.target_doctype, {doctypes.TARGET_NAME}
			from `tabMemora Plan Override` changed where changed.action = 'Hide' and changed.parenttype = %s""",
			(doctypes.PLAN,),
		):
			if kind := doctypes.KIND_OF.get(doctype):
				overrides.setdefault(plan, set()).add((kind, name))
		for scope, plan in frappe.db.sql(
			f"select name, ref from `tab{publish_state.TABLE}` where scope_type = 'plan'"
		):
			self._hidden[scope] = overrides.get(plan, set())
		self._waiting = set(publish_state.waiting())
		self._all_wait = bool(frappe.db.sql("select 1 from `tabCDN Change` limit 1"))

	def problems(self, page: Sequence[_Read]) -> Iterator[Problem]:
		"""What is wrong with published documents."""
		named: dict[str, set[tuple[str, str]]] = {}
		for read in page:
			document = _parsed(read.body)
			if document and not self._all_wait and read.scope not in self._waiting:
				named[read.path] = set(_named(read.kind, document))
		published = _published(set().union(*named.values()))
		for read in page:
			for why in self._faults(read, named.get(read.path, set()), published):
				yield Problem(read.path, why)

	def _faults(
		self, read: _Read, named: Collection[tuple[str, str]], published: Collection[tuple[str, str]]
	) -> Iterator[str]:
		if any(secret in read.body for secret in self._secrets):
			yield "holds a secret of this site"
		hidden = self._hidden.get(read.scope, set())
		for node, name in sorted(named):
			if (node, name) not in published:
				yield f"shows {node} {name}, which is unpublished or gone"
			elif (node, name) in hidden:
				yield f"shows {node} {name}, which its plan hides"
		if read.kind == "lesson" and (document := _parsed(read.body)) and self._is_signed(document):
			yield from self._unsigned(document)

	def _is_signed(self, lesson: Document) -> bool:
		return self._sign == "All" or (self._sign == "Paid" and lesson["access"]["access_level"] == "paid")

	def _unsigned(self, lesson: Document) -> Iterator[str]:
		until = datetime.now(timezone.utc) + timedelta(hours=1)
		for number, stage in enumerate(lesson["stages"], start=1):
			for link in _links(stage["config"]):
				if "X-Amz-Signature=" not in link and self._storage.sign(link, until):
					yield f"links into the bucket without a signature, in stage {number}: {link[:200]}"


def _parsed(body: bytes) -> Document | None:
	try:
		return orjson.loads(body)
	except ValueError:
		return None  # an audit says so


def _published(nodes: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
	"""Those of these plans and nodes, by kind and name, that are published as the database is now."""
	names: dict[str, list[str]] = {}
	for kind, name in nodes:
		names.setdefault(kind, []).append(name)
	found: set[tuple[str, str]] = set()
	for kind, asked in names.items():
		table, where = (
			(doctypes.PLAN, doctypes.PLAN_IS_PUBLISHED)
			if kind == "plan"
			else (doctypes.OF_KIND[kind], "plan.is_published = 1")
		)
		for begin in range(0, len(asked), _NAMES):
			rows = frappe.db.sql(
				f"select plan.name from `tab{table}` plan where plan.name in %s and {where}",
				(tuple(asked[begin : begin + _NAMES]),),
				pluck=True,
			)
			found |= {(kind, name) for name in rows}
	return found


def _secrets() -> list[bytes]:
	"""What no file may hold."""
	doc = settings.saved()
	known = [
		settings.secret(doc, "secret_key"),
		settings.secret(doc, "cloudflare_api_token"),
		*(frappe.conf.get(name) for name in _IN_SITE_CONFIG),
	]
	# As JSON would have them, without the quotes.
	return [json.dumps(secret)[1:-1].encode() for secret in known if secret and len(secret) >= 8]


def _is_document(body: bytes) -> bool:
	"""Some servers answer every path with a page; that is no published file."""
	try:
		return isinstance(orjson.loads(body), dict)
	except ValueError:
		return False


def _is_file(path: str, body: bytes) -> bool:
	"""Whether this is the file that a lesson named: its path says what was in it."""
	return bool(paths.lesson_of_file(path)) and hashlib.sha256(body).hexdigest() in path


def _named(kind: str, document: Document) -> Iterator[tuple[str, str]]:
	"""Every plan and node that a document shows, by kind and name."""
	if kind == "plans_index":
		yield from (("plan", plan["plan_id"]) for plan in document["plans"])
	elif kind == "manifest":
		yield "plan", document["plan_id"]
		yield from (("subject", subject["id"]) for subject in document["subjects"])
	elif kind in ("search_index", "search_shard"):
		yield "plan", document["plan_id"]
		for entry in document.get("entries", ()):
			yield from ((node, entry[f"{node}_id"]) for node in ("lesson", "subject", "unit", "topic"))
	elif kind == "subject":
		yield "subject", document["id"]
		for track in document["tracks"]:
			yield "track", track["id"]
			yield from (("unit", unit["id"]) for unit in track["units"])
	else:
		yield kind, document["id"]
		for node in ("subject", "track", "unit", "topic"):
			if name := document["parent"].get(f"{node}_id"):
				yield node, name
		for topic in document.get("topics", ()):
			yield "topic", topic["id"]
			yield from (("lesson", lesson["id"]) for lesson in topic["lessons"])
		yield from (("lesson", lesson["id"]) for lesson in document.get("navigation", {}).values())


def _links(value: object) -> Iterator[str]:
	"""Every web address that is all of a text in a stage's config, and every video_url."""
	if isinstance(value, dict):
		for key, inner in value.items():
			if key == "video_url" and isinstance(inner, str):
				yield inner
			else:
				yield from _links(inner)
	elif isinstance(value, list):
		for inner in value:
			yield from _links(inner)
	elif isinstance(value, str) and value.startswith(("http://", "https://", "s3://")):
		yield value
