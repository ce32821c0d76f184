"""The part of Test connection that reads as a learner's app does: through CDN Base URL, past every cache in front.

A cache between storage and apps can undo what publishing promises. Each check writes a small file, reads it at the base
URL, writes it again, and looks at which of the two comes back, and with which headers. Knows no Frappe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import requests

from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.model.cache_headers import SHORT, YEAR, cache_control
from memora.services.cdn_export.storage import Storage, Upload

TIMEOUTS = (5, 10)  # to connect, between two bytes of the answer
APPS = ("https://memora-connection-test.example", "https://another-app.example")
"""The Origin of apps on other hosts."""

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d+)", re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])(?:no-store|no-cache)", re.IGNORECASE)


def probes(make: Callable[[str, str], Upload]) -> tuple[Upload, Upload, Upload]:
	"""The files that `run` needs in the storage: one that no cache may keep, one like a manifest, one like a unit.
	`make` gets a name for each, which tells the kind to a web server that goes by paths, and its Cache-Control."""
	return (
		make("public", "no-store"),
		make("short", cache_control("manifest")),
		make("units/versioned", cache_control("unit")),
	)


def run(
	storage: Storage,
	base_url: str,
	http: requests.Session,
	files: tuple[Upload, Upload, Upload],
	translate: Callable[[str], str],
) -> Iterator[Finding]:
	"""Read the `probes` at the base URL. The first finding, `base url`, is no error when the files are found there; only
	then do others follow. Raises StorageError when a file cannot be written again."""
	test = _Test(storage, base_url, http, files, translate)
	found = test.files_are_found()
	yield found
	if found.ok:
		yield test.apps_may_read()
		yield test.caches_keep_what_they_may()
		yield test.caches_tell_versions_apart()


class _Test:
	def __init__(
		self,
		storage: Storage,
		base_url: str,
		http: requests.Session,
		files: tuple[Upload, Upload, Upload],
		translate: Callable[[str], str],
	) -> None:
		self._storage = storage
		self._base_url = base_url
		self._http = http
		self._uncached, self._short, self._versioned = files
		self._ = translate

	def files_are_found(self) -> Finding:
		if not self._base_url:
			return Finding(
				"base url",
				"error",
				self._("CDN Base URL is empty, so it is not known where apps read the files."),
				self._("Enter it in CDN Settings: the address of the CDN, or of the bucket's public domain."),
			)
		url = f"{self._base_url}/{self._uncached.path}"
		try:
			response = self._http.get(url, timeout=TIMEOUTS)
		except requests.RequestException as error:
			return Finding(
				"base url",
				"error",
				self._("{0} cannot be reached ({1}).").format(self._base_url, type(error).__name__),
				self._("Check CDN Base URL in CDN Settings, its DNS and its certificate."),
			)
		if response.status_code != 200 or response.content != self._uncached.body:
			return Finding(
				"base url",
				"error",
				self._("A file just written is not found at {0} (HTTP {1}), so apps cannot read it.").format(
					url, response.status_code
				),
				self._(
					"CDN Base URL in CDN Settings must lead to the top of the bucket or folder; public files must be "
					"readable there."
				),
			)
		received = response.headers.get("Content-Type", "").lower()
		if not received.startswith("application/json"):
			return Finding(
				"base url",
				"warning",
				self._("Files arrive as {0} instead of {1}.").format(
					received or self._("of no type"), self._uncached.content_type
				),
				self._("Have the CDN or web server pass on the type, or know .json."),
			)
		if not self._base_url.startswith("https:"):
			return Finding(
				"base url",
				"warning",
				self._(
					"Files can be read at CDN Base URL, but over http, where anyone on the way can alter them."
				),
				self._("Let CDN Base URL begin with https://."),
			)
		return Finding("base url", "ok", self._("Files can be read at {0}.").format(self._base_url))

	def apps_may_read(self) -> Finding:
		"""Whether a browser gives the files to apps on other hosts, also when a cache has answered others before."""
		path = self._short.path
		self._read(path)  # a reader that is no browser's app; a cache keeps what it got
		first, second = (self._read(path, Origin=app) for app in APPS)
		if _allows(first, APPS[0]) and _allows(second, APPS[1]):
			return Finding(
				"cors", "ok", self._("Apps on other hosts may read the files in a browser (CORS).")
			)
		if _allows(self._read(f"{path}?v=1", Origin=APPS[0]), APPS[0]):
			return Finding(
				"cors",
				"warning",
				self._(
					"Browsers may refuse the files to apps on other hosts: a cache keeps the answer that another reader "
					"got, with that reader's Access-Control-Allow-Origin or without one."
				),
				self._(
					"Let the CDN itself send Access-Control-Allow-Origin: * with every file, or make Origin a part of its "
					"cache key."
				),
			)
		return Finding(
			"cors",
			"warning",
			self._(
				"Browsers do not let apps on other hosts read the files: Access-Control-Allow-Origin is missing."
			),
			self._(
				"Allow GET and HEAD from your apps' origins in the bucket's CORS rules or at the CDN; not needed if "
				"no app runs in a browser on another host."
			),
		)

	def caches_keep_what_they_may(self) -> Finding:
		"""Whether Cache-Control arrives as it was written, and is obeyed on the way."""
		said = self._read(self._uncached.path).headers.get("Cache-Control", "")
		self._write_again(self._uncached)
		if _seconds(said) == 0 and self._read(self._uncached.path).content == self._uncached.body:
			return Finding(
				"cache time",
				"error",
				self._(
					"A cache at CDN Base URL keeps files that it may not keep (Cache-Control: no-store), so apps go on "
					"reading what was changed or withdrawn."
				),
				self._(
					"Let the CDN obey the files' own Cache-Control: no minimum TTL, no edge cache TTL of its own."
				),
			)
		for file, promised in ((self._short, SHORT), (self._versioned, YEAR)):
			said = self._read(f"{file.path}?v=0").headers.get("Cache-Control", "")
			kept = _seconds(said)
			if kept is None or kept > promised:
				return Finding(
					"cache time",
					"warning",
					self._(
						"Files arrive with Cache-Control “{0}” instead of “{1}”, so browsers may show what is out of date."
					).format(said, file.cache_control),
					self._(
						"Have the CDN or web server pass on Cache-Control as it is (Cloudflare: Browser Cache TTL, Respect "
						"Existing Headers). Where a web server serves the folder, docs/cdn.md has its configuration."
					),
				)
			if kept < promised:
				return Finding(
					"cache time",
					"warning",
					self._(
						"Files arrive with Cache-Control “{0}” instead of “{1}”, so apps read them more often than they need."
					).format(said, file.cache_control),
					self._("Have the CDN or web server pass on Cache-Control as it is."),
				)
		return Finding("cache time", "ok", self._("Files may be cached for as long as memora says."))

	def caches_tell_versions_apart(self) -> Finding:
		"""Whether `?v=` is a part of the cache's key: units and subjects are cached for a year, and only that tells them
		apart."""
		path = self._versioned.path
		for _ in range(2):  # some caches keep a file from the second request on
			self._read(f"{path}?v=1")
		self._write_again(self._versioned)
		if self._read(f"{path}?v=2").content == self._versioned.body:
			return Finding(
				"versions",
				"error",
				self._(
					"A cache at CDN Base URL does not tell versions apart: it leaves the query (?v=) out of its key. Apps "
					"would see old subjects and units for up to a year."
				),
				self._(
					"Make the query string, or at least v, a part of the CDN's cache key. CloudFront: a cache policy that "
					"includes the query string v; CachingOptimized includes none."
				),
			)
		return Finding("versions", "ok", self._("Caches tell a file's versions apart (?v=)."))

	def _read(self, path: str, **headers: str) -> requests.Response:
		"""What is at the base URL; an empty answer where the connection broke, which no check takes for a file."""
		try:
			return self._http.get(f"{self._base_url}/{path}", headers=headers, timeout=TIMEOUTS)
		except requests.RequestException:
			return requests.Response()

	def _write_again(self, file: Upload) -> None:
		self._storage.put(replace(file, body=cast(bytes, file.body).replace(b'"test":', b'"test again":')))


def _allows(response: requests.Response, origin: str) -> bool:
	return response.headers.get("Access-Control-Allow-Origin") in ("*", origin)


def _seconds(cache_control: str) -> int | None:
	"""For how long a browser keeps a file; None where it is left to guess."""
	if _UNCACHED.search(cache_control):
		return 0
	found = _MAX_AGE.search(cache_control)
	return int(found[1]) if found else None
