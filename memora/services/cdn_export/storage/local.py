"""Local Directory: published files on a disk, for a web server to hand out. No account needed.

`{root}` holds the published files and nothing else, so it can be a public web root as it is. Beside it, or where no
web server looks if the site serves the folder that both would be in, is a folder readable by its owner only:

	objects/   for each file what an object store would keep with it: ETag, type, cache control, metadata
	locks/     256 lock files; a path's hash chooses one, so that a write and its condition are one step
	tmp/       sidecars being written

A file is written under a temporary name in its own folder, synced, renamed, and the folder synced. Its
sidecar is written before it and belongs to one ETag; it holds that of the file before as well, for a writer that dies
between the two. A file changed by hand shows up with its real ETag and no metadata. `local_files` opens folders so that no path leads
out of the root.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, BinaryIO, TypeVar

import orjson

from memora.exceptions import (
	PreconditionFailedError,
	StorageConfigurationError,
	StorageError,
	StorageUnavailableError,
)
from memora.services.cdn_export.storage.base import (
	Film,
	Storage,
	StorageSettings,
	StoredObject,
	Upload,
	check_path,
)
from memora.services.cdn_export.storage.local_files import (
	TEMPORARY_SUFFIX,
	FolderSync,
	Parts,
	etag_and_status,
	etag_of,
	opened,
	remove_empty,
	retry,
	sweep,
	unlink,
	unlink_orphan,
	unlink_quietly,
	with_file,
	write_synced,
)
from memora.services.cdn_export.storage.s3_links import Links, of_folder

T = TypeVar("T")

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_A_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG, errno.ENXIO}


class LocalStorage(Storage):
	"""Files below a folder, each written whole and on disk before `put` returns."""

	name = "Local Directory"
	threads = 16  # enough for the file system to sync several at once
	writers = 16

	def __init__(self, settings: StorageSettings) -> None:
		path = settings.local_path.strip()
		if not os.path.isabs(path) or os.path.realpath(path) == "/":
			raise StorageConfigurationError(
				f"Local Path is {path!r}, but must be the absolute path of a folder of its own, such as "
				"/srv/memora. Fix it in CDN Settings."
			)
		self._root = os.path.realpath(path)
		beside = f"{self._root}.meta"
		self._meta = os.path.realpath(settings.local_meta) if settings.local_meta else beside
		self._former_meta = beside if self._meta != beside else ""
		self._objects = f"{self._meta}/objects"
		self._locks = f"{self._meta}/locks"
		self._temporary = f"{self._meta}/tmp"
		self._bring_meta()
		self._folders = FolderSync()
		self._settings = settings
		self.target = f"{self.name}|{self._root}"

	@cached_property
	def _links(self) -> Links:
		return of_folder(self._settings)

	def put(self, upload: Upload, *, if_match: str | None = None, if_absent: bool = False) -> str:
		*folder, name = self._split(upload.path)
		with upload.opened() as body:
			etag = etag_of(body)
		record = {
			"etag": etag,
			"content_type": upload.content_type,
			"cache_control": upload.cache_control,
			"metadata": dict(upload.metadata),
		}
		with self._errors("write", upload.path):
			self._prepare()
			with self._locked(upload.path):
				if if_absent or if_match is not None:
					self._expect(upload.path, if_match, if_absent)
				if standing := self._look(upload.path):
					record["before"] = {**self._record(upload.path, standing[0]), "before": {}}
				retry(lambda: self._write_sidecar(folder, name, orjson.dumps(record)))
				retry(lambda: self._write(folder, name, upload))
			self._folders.sync("/".join([self._root, *folder]))
		return etag

	def film(self, link: str) -> Film | None:
		found = self._links.film(link)
		return Film(found.key, found.fragment) if found else None

	def get(self, path: str) -> bytes | None:
		return self._read(self._root, path)

	def read(self, path: str) -> tuple[bytes, str] | None:
		body = self._read(self._root, path)
		return None if body is None else (body, etag_of(io.BytesIO(body)))

	def head(self, path: str) -> StoredObject | None:
		described = self._describe(path)
		if described and not described.content_type and os.path.isdir(self._locks):
			# Caught between a writer's two renames, or changed by hand: under its lock there is one answer.
			with self._errors("read", path), self._locked(path):
				described = self._describe(path)
		return described

	def delete(self, paths: Iterable[str]) -> None:
		touched: set[str] = set()
		refused: dict[str, StorageError] = {}
		for path in paths:
			*folder, name = self._split(path)
			try:
				with self._errors("delete", path):
					if not os.path.isdir(self._root):
						return
					self._prepare()
					with self._locked(path):
						unlink(self._root, folder, name)
						unlink(self._objects, folder, name)
						touched.add(remove_empty(self._root, folder))
						remove_empty(self._objects, folder)
			except StorageError as error:
				refused[path] = error
		for folder_path in sorted(touched):
			with self._errors("delete", folder_path.removeprefix(self._root).strip("/")):
				self._folders.sync(folder_path)
		if refused:
			first = next(iter(refused.values()))
			first.remaining = tuple(refused)
			raise first

	def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
		"""See `Storage.list`. Passing through every folder anyway, it also sweeps what killed writers left."""
		sweep(self._temporary)
		yield from self._walk([], prefix.encode(), after.encode())

	# Paths and locks

	def _split(self, path: str) -> Parts:
		parts = check_path(path).split("/")
		if any(part.endswith(TEMPORARY_SUFFIX) for part in parts):
			raise StorageError(
				f"The path {path!r} cannot be stored: *{TEMPORARY_SUFFIX} is kept for files in the making."
			)
		return parts

	def _prepare(self) -> None:
		if os.path.isdir(self._locks) and os.path.isdir(self._root):
			return
		os.makedirs(self._root, exist_ok=True)
		os.makedirs(self._meta, mode=0o700, exist_ok=True)
		for folder in (self._objects, self._temporary, self._locks):
			os.makedirs(folder, exist_ok=True)

	def _bring_meta(self) -> None:
		"""Take what earlier releases kept beside the root to where it is not served. Once: then there is nothing."""
		if not self._former_meta or not os.path.isdir(self._former_meta):
			return
		with self._errors("move", os.path.basename(self._former_meta)):
			if not os.path.isdir(self._meta):
				os.makedirs(os.path.dirname(self._meta), mode=0o700, exist_ok=True)
				try:
					os.rename(self._former_meta, self._meta)
				except FileNotFoundError:
					pass  # another process was quicker
				except OSError as error:
					if error.errno != errno.EXDEV:
						raise
					shutil.copytree(self._former_meta, self._meta, dirs_exist_ok=True)
			shutil.rmtree(self._former_meta, ignore_errors=True)

	@contextmanager
	def _locked(self, path: str) -> Iterator[None]:
		"""Hold the lock on a path among all threads and processes of this machine."""
		slot = hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()[:2]
		fd = os.open(f"{self._locks}/{slot}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
		try:
			fcntl.flock(fd, fcntl.LOCK_EX)
			yield
		finally:
			os.close(fd)

	def _expect(self, path: str, if_match: str | None, if_absent: bool) -> None:
		found = self._look(path)
		etag = found[0] if found else None
		if (if_absent and etag) or (if_match is not None and etag != if_match):
			raise PreconditionFailedError(
				f"{path} in {self._root} was not written: somebody else has written it meanwhile "
				f"(expected {'none' if if_absent else if_match}, found {etag or 'none'})."
			)

	# Writing

	def _write(self, folder: Parts, name: str, upload: Upload) -> None:
		with opened(self._root, folder, create=True) as where:
			temporary = f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
			try:
				with upload.opened() as body:
					write_synced(temporary, body, where)
				os.replace(temporary, name, src_dir_fd=where, dst_dir_fd=where)
			except BaseException:
				unlink_quietly(temporary, where)
				raise

	def _write_sidecar(self, folder: Parts, name: str, body: bytes) -> None:
		temporary = f"{self._temporary}/{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
		with opened(self._objects, folder, create=True) as where:
			try:
				write_synced(temporary, io.BytesIO(body))
				os.replace(temporary, name, dst_dir_fd=where)
			except BaseException:
				unlink_quietly(temporary)
				raise

	# Reading

	def _read(self, base: str, path: str) -> bytes | None:
		return self._with_file(base, path, lambda file: file.read())

	def _look(self, path: str) -> tuple[str, os.stat_result] | None:
		"""The ETag of a file, read piece by piece, and its status."""
		return self._with_file(self._root, path, etag_and_status)

	def _with_file(self, base: str, path: str, use: Callable[[BinaryIO], T]) -> T | None:
		*folder, name = self._split(path)
		with self._errors("read", path):
			try:
				with opened(base, folder) as where:
					return with_file(name, where, use)
			except OSError as error:
				if error.errno in _NOT_A_FILE:
					return None
				raise

	def _describe(self, path: str) -> StoredObject | None:
		found = self._look(path)
		if found is None:
			return None
		etag, status = found
		kept = self._record(path, etag)
		return StoredObject(
			path=path,
			etag=etag,
			size=status.st_size,
			content_type=kept.get("content_type", ""),
			cache_control=kept.get("cache_control", ""),
			metadata=kept.get("metadata", {}),
			modified=_modified(status),
		)

	def _record(self, path: str, etag: str) -> dict[str, Any]:
		"""What is kept beside the file that has this ETag: also of the one before, where a writer died between its two
		renames. Empty for a file that somebody else has written."""
		beside = self._read(self._objects, path)
		newest = _parse(beside) if beside else {}
		return next((kept for kept in (newest, newest.get("before") or {}) if kept.get("etag") == etag), {})

	def _walk(self, folder: Parts, prefix: bytes, after: bytes) -> Iterator[StoredObject]:
		shown = "/".join(folder)
		with self._errors("list", shown):
			try:
				with opened(self._root, folder) as where:
					with os.scandir(where) as entries:
						found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
			except OSError as error:
				if error.errno in _NOT_A_FILE:  # removed since it was seen
					return
				raise
		# "a/" means all below the folder a, which sorts the paths by their bytes: a.json, a/b.json, a0.json
		keyed = sorted((os.fsencode(name) + b"/" * is_folder, name) for name, is_folder in found)
		start = os.fsencode(f"{shown}/") if folder else b""
		for end, name in keyed:
			key = start + end
			if key.endswith(b"/"):
				inside = key.startswith(prefix) or prefix.startswith(key)
				if inside and (key > after or after.startswith(key)):
					yield from self._walk([*folder, name], prefix, after)
			elif key.startswith(prefix) and key > after:
				entry = self._entry(folder, name, key)
				if entry:
					yield entry

	def _entry(self, folder: Parts, name: str, key: bytes) -> StoredObject | None:
		path = key.decode(errors="backslashreplace")
		with self._errors("read", path):
			try:
				with opened(self._root, folder) as where:
					if name.endswith(TEMPORARY_SUFFIX):
						unlink_orphan(name, where)
						return None
					found = with_file(name, where, etag_and_status)
			except OSError as error:
				if error.errno not in _NOT_A_FILE or error.errno == errno.ENOENT:
					if error.errno == errno.ENOENT:
						return None
					raise
				found = None
		if found is None:  # a symbolic link or another oddity: shown, so that an audit can report it
			return StoredObject(path=path, etag="", size=0)
		etag, status = found
		return StoredObject(path=path, etag=etag, size=status.st_size, modified=_modified(status))

	@contextmanager
	def _errors(self, doing: str, path: str) -> Iterator[None]:
		"""Turn what the operating system says into one of our errors, with where it happened and how to fix it."""
		try:
			yield
		except OSError as error:
			what = f"Could not {doing} {path!r} in {self._root}: {error.strerror or error}."
			if error.errno in _FULL:
				raise StorageUnavailableError(
					f"{what} Free some space there, or move Local Path in CDN Settings to a larger disk."
				) from error
			if error.errno in _FORBIDDEN:
				raise StorageConfigurationError(
					f"{what} The user that runs the bench's workers must be able to write there and to "
					f"{self._meta}; fix the permissions, or Local Path in CDN Settings."
				) from error
			if error.errno == errno.ENAMETOOLONG:
				raise StorageError(f"{what} A file's or folder's name may have 255 bytes here.") from error
			if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ELOOP):
				raise StorageConfigurationError(
					f"{what} Something else stands where a folder or file is needed; move it away."
				) from error
			raise StorageUnavailableError(
				f"{what} Look at the disk and its mount; it is tried again."
			) from error


def _parse(sidecar: bytes) -> dict[str, Any]:
	try:
		kept = orjson.loads(sidecar)
	except orjson.JSONDecodeError:
		return {}
	return kept if isinstance(kept, dict) else {}


def _modified(status: os.stat_result) -> datetime:
	return datetime.fromtimestamp(status.st_mtime, timezone.utc)
