"""Test connection: tries each step of publishing, and says whether it works and how to fix it.

Knows no Frappe: an endpoint or button hands over the storage, the purge and the base URL that the settings
name, and what translates its texts. It writes a few small files under `connection-test/`, reads them back in every way that matters, and
removes them again. It also looks at the set-up as a stranger does: without credentials.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

import requests

from memora.exceptions import MemoraError, PreconditionFailedError, StorageError
from memora.services.cdn_export.admin import base_url_test
from memora.services.cdn_export.admin.base_url_test import TIMEOUTS
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.cache_purge import CachePurge
from memora.services.cdn_export.delivery import http_session
from memora.services.cdn_export.storage import Storage, Upload

FOLDER = "connection-test"
SAVE_SECONDS = 10
_ENOUGH = 65536  # bytes of a page that are looked at
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")


def run(
	storage: Storage,
	purge: CachePurge,
	base_url: str,
	paid_path: str = "",
	translate: Callable[[str], str] = str,
	refused: Callable[[], tuple[str, str] | None] = lambda: None,
	*,
	gated: bool = False,
) -> list[Finding]:
	"""Check storage, base URL and purge in the order in which publishing needs them.

	`paid_path` is the path of a published paid lesson, if there is one; else a file made for the test, marked
	as paid like a lesson, replaces it. Where it is `gated`, `gate_test` asks for paid lessons. If the place is `refused`, which says why and what to do, nothing is written
	there, and the answer says only that. Never raises for what storage, CDN or network do.
	"""
	try:
		if refusal := refused():
			return [Finding("place", "error", *refusal)]
	except StorageError as error:
		return [Finding("place", "error", str(error))]
	return _Test(storage, purge, base_url.rstrip("/"), paid_path, translate, gated).run()


def cannot_write(storage: Storage, translate: Callable[[str], str] = str) -> str:
	"""Why a small file cannot be written to the storage and removed again; "" if it can. Closes the storage.

	For saving settings, which may not wait for long: answers within `SAVE_SECONDS`, whatever the storage does.
	"""
	answers: SimpleQueue[str] = SimpleQueue()

	def work() -> None:
		file = Upload(f"{FOLDER}/{secrets.token_hex(8)}.json", b"{}", "no-store")
		try:
			with storage:
				storage.put(file)
				storage.delete([file.path])
			answers.put("")
		except StorageError as error:
			answers.put(str(error))

	threading.Thread(target=work, daemon=True).start()
	try:
		return answers.get(timeout=SAVE_SECONDS)
	except Empty:
		return translate("The storage has not answered within {0} seconds.").format(SAVE_SECONDS)


class _Test:
	def __init__(
		self,
		storage: Storage,
		purge: CachePurge,
		base_url: str,
		paid_path: str,
		translate: Callable[[str], str],
		gated: bool,
	) -> None:
		self._gated = gated
		self._storage = storage
		self._purge = purge
		self._base_url = base_url
		self._readable = base_url_test.probes(_probe)
		self._public = self._readable[0]
		self._paid = _probe("paid", "no-store")
		self._paths = [file.path for file in (self._paid, *self._readable)]
		self._paid_path = paid_path or self._paid.path
		self._ = translate
		self._http = http_session.open_session()

	def run(self) -> list[Finding]:
		with self._http:
			findings = [self._tried("write", self._write)]
			if not findings[0].ok:
				with suppress(StorageError):  # some of the files may be there
					self._storage.delete(self._paths)
				return findings
			try:
				findings += [
					self._tried("conditional write", self._conditional),
					self._tried("read", self._read),
					self._tried("list", self._list),
					self._tried("sign", self._sign),
				]
				findings += self._as_a_stranger()
				findings.append(self._tried("purge", self._purging))
			finally:
				findings.append(self._tried("delete", self._delete))
		return findings

	def _tried(self, what: str, step: Callable[[], Finding]) -> Finding:
		"""What a step has found, or what the storage or the CDN said instead."""
		try:
			return step()
		except MemoraError as error:
			return Finding(what, "error", str(error))

	def _write(self) -> Finding:
		for file in (self._paid, *self._readable):
			self._storage.put(file)
		address = urlsplit(self._storage.address)
		if address.scheme == "http" and address.hostname not in _THIS_MACHINE:
			return Finding(
				"write",
				"warning",
				self._(
					"Files can be written, but go to {0} over http, where anyone on the way can read them."
				).format(address.netloc),
				self._("Let Endpoint URL in CDN Settings begin with https://."),
			)
		return Finding("write", "ok", self._("Files can be written."))

	def _conditional(self) -> Finding:
		path = self._paid.path
		found = self._storage.head(path)
		for condition in ({"if_absent": True}, {"if_match": "0" * 32}):
			with suppress(PreconditionFailedError):
				self._storage.put(self._paid, **condition)
				return Finding(
					"conditional write",
					"error",
					self._(
						"The storage ignores the conditions of a write (If-Match, If-None-Match), so a stalled "
						"worker could overwrite newer files."
					),
					self._(
						"Use a server that honours them: AWS S3 and Cloudflare R2 do, and MinIO in recent versions."
					),
				)
		self._storage.put(self._paid, if_match=found.etag if found else "")
		return Finding("conditional write", "ok", self._("A write on a condition is honoured."))

	def _read(self) -> Finding:
		body, found = self._storage.get(self._public.path), self._storage.head(self._public.path)
		if body != self._public.body or not found:
			return Finding(
				"read", "error", self._("A file just written does not come back as it was written.")
			)
		for what, was, now in (
			("type", self._public.content_type, found.content_type),
			("Cache-Control", self._public.cache_control, found.cache_control),
			("metadata", dict(self._public.metadata), dict(found.metadata)),
		):
			if was != now:
				return Finding(
					"read",
					"error",
					self._("The storage changed a file's {0}: {1} became {2}.").format(
						what, repr(was), repr(now)
					),
				)
		return Finding(
			"read", "ok", self._("Files come back as written, with type, cache control and metadata.")
		)

	def _list(self) -> Finding:
		if self._public.path not in [found.path for found in self._storage.list(f"{FOLDER}/")]:
			return Finding(
				"list", "error", self._("A file just written is not in the storage's list of files.")
			)
		return Finding("list", "ok", self._("Files can be listed, for audits and repairs."))

	def _sign(self) -> Finding:
		now = datetime.now(timezone.utc)
		url = self._storage.sign_path(self._public.path, now + timedelta(hours=1), since=now)
		if url is None:
			return Finding(
				"sign",
				"ok",
				self._("{0} cannot sign links; links to videos stay as they are.").format(
					self._(self._storage.name)
				),
			)
		try:
			response = self._http.get(url, timeout=TIMEOUTS)
		except requests.RequestException as error:
			return Finding(
				"sign",
				"error",
				self._("A signed link cannot be opened ({0}).").format(type(error).__name__),
			)
		if response.status_code != 200 or response.content != self._public.body:
			return Finding(
				"sign",
				"error",
				self._("A signed link is refused (HTTP {0}), so paid videos would not play.").format(
					response.status_code
				),
				self._(
					"Check Region and Endpoint URL, this machine's clock, and that the key may read (s3:GetObject)."
				),
			)
		return Finding("sign", "ok", self._("Signed links can be opened without credentials."))

	def _as_a_stranger(self) -> Iterator[Finding]:
		try:
			base_url, *others = base_url_test.run(
				self._storage, self._base_url, self._http, self._readable, self._
			)
		except StorageError as error:
			yield Finding("base url", "error", str(error))
			return
		yield from (base_url, *others)
		for finding in (self._listable(),) if self._gated else (self._paid_content(), self._listable()):
			# Where it does not lead to the files, that nothing could be read says nothing of who may read it.
			if base_url.ok or finding.level != "ok":
				yield finding

	def _paid_content(self) -> Finding:
		readable = [
			address
			for address in (self._base_url, self._storage.address)
			if address and self._anyone_reads(f"{address}/{self._paid_path}")
		]
		if not readable:
			return Finding(
				"paid content", "ok", self._("Paid content is refused to a reader without credentials.")
			)
		return Finding(
			"paid content",
			"warning",
			self._(
				"Paid content is readable by anyone with the address: {0} was read without credentials."
			).format(f"{readable[0]}/{self._paid_path}"),
			self._(
				"Access levels only tell the apps what to show. To enforce them, set up the gate as docs/gate.md says, and "
				"close every other way to the files."
			),
		)

	def _listable(self) -> Finding:
		for address in filter(None, (self._base_url, self._storage.address)):
			for page in (f"{address}/?list-type=2", f"{address}/", f"{address}/{FOLDER}/"):
				if self._lists_files(page):
					return Finding(
						"listing",
						"warning",
						self._("Anyone can list all files at {0}, paid ones included.").format(page),
						self._(
							"Take the permission to list (s3:ListBucket) from the public, or switch the web server's "
							"directory listing off."
						),
					)
		return Finding("listing", "ok", self._("Strangers cannot list the files."))

	def _purging(self) -> Finding:
		if not self._purge.active:
			return Finding(
				"purge",
				"ok",
				self._(
					"No CDN cache is purged; what changes shows when its cache time is over, 300 s at most."
				),
			)
		self._purge.verify(f"{self._base_url}/{self._public.path}")
		return Finding("purge", "ok", self._("{0}'s cache can be purged.").format(self._purge.name))

	def _delete(self) -> Finding:
		self._storage.delete(self._paths)
		left = [path for path in self._paths if self._storage.get(path) is not None]
		if left:
			return Finding(
				"delete", "error", self._("A file that was deleted is still there: {0}.").format(left[0])
			)
		return Finding("delete", "ok", self._("Files can be deleted."))

	def _anyone_reads(self, url: str) -> bool:
		try:
			with self._http.get(url, timeout=TIMEOUTS, stream=True) as response:
				return response.status_code == 200
		except requests.RequestException:
			return False

	def _lists_files(self, url: str) -> bool:
		try:
			with self._http.get(url, timeout=TIMEOUTS, stream=True) as response:
				page = next(response.iter_content(_ENOUGH), b"")
		except requests.RequestException:
			return False
		name = self._public.path.rpartition("/")[2].encode()
		return response.status_code == 200 and (b"<ListBucketResult" in page or name in page)


def _probe(name: str, cache_control: str) -> Upload:
	"""A file such as publishing writes, with text of another script in body and metadata."""
	mark = secrets.token_hex(8)
	return Upload(
		path=f"{FOLDER}/{name}-{mark}.json",
		body=f'{{"test":"{mark}","title":"اختبار"}}'.encode(),
		cache_control=cache_control,
		metadata={"access-level": "paid" if name == "paid" else "public", "required-item": "اختبار"},
	)
