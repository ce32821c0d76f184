"""Files and folders of a disk, by descriptors: each folder is opened relative to the one above it and no symbolic link is
followed, so no path leads out of the root. A file is synced before it takes its name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

T = TypeVar("T")
Parts = list[str]  # a path at its slashes; spelled out here since Storage.list hides the type in its class
TEMPORARY_SUFFIX = ".memora-tmp"
ORPHAN_AFTER = 3600  # seconds; no write takes nearly as long, so an older temporary file has lost its writer
_PIECE = 1 << 20  # bytes: a film is never in memory as a whole
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW = _FOLDER | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def opened(base: str, folder: Parts, create: bool = False) -> Iterator[int]:
	"""A descriptor of the folder, reached step by step so that no symbolic link can lead elsewhere."""
	fd = os.open(base, _FOLDER)
	try:
		for part in folder:
			try:
				below = os.open(part, _BELOW, dir_fd=fd)
			except FileNotFoundError:
				if not create:
					raise
				try:
					os.mkdir(part, dir_fd=fd)
					os.fsync(fd)
				except FileExistsError:
					pass  # another writer was quicker
				below = os.open(part, _BELOW, dir_fd=fd)
			os.close(fd)
			fd = below
		yield fd
	finally:
		os.close(fd)


def with_file(name: str, dir_fd: int, use: Callable[[BinaryIO], T]) -> T | None:
	"""What `use` makes of a file; None where something else has this name."""
	fd = os.open(name, _READ, dir_fd=dir_fd)
	with os.fdopen(fd, "rb") as file:
		return use(file) if stat.S_ISREG(os.fstat(fd).st_mode) else None


def write_synced(name: str, body: BinaryIO, dir_fd: int | None = None) -> None:
	fd = os.open(name, _CREATE, 0o644, dir_fd=dir_fd)
	try:
		while piece := body.read(_PIECE):
			rest = memoryview(piece)
			while rest:
				rest = rest[os.write(fd, rest) :]
		os.fsync(fd)
	finally:
		os.close(fd)


def retry(write: Callable[[], T]) -> T:
	"""Write again when a folder vanished beneath it: `delete` removes a folder just as it becomes empty."""
	for _ in range(100):
		try:
			return write()
		except FileNotFoundError:
			continue
	return write()


def unlink(base: str, folder: Parts, name: str) -> None:
	try:
		with opened(base, folder) as where:
			os.unlink(name, dir_fd=where)
	except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
		pass


def remove_empty(base: str, folder: Parts) -> str:
	"""Remove the folder and those above it as far as they are empty; the one that stays."""
	while folder:
		try:
			with opened(base, folder[:-1]) as above:
				os.rmdir(folder[-1], dir_fd=above)
		except (FileNotFoundError, NotADirectoryError):
			pass
		except OSError as error:
			if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
				break
			raise
		folder = folder[:-1]
	return "/".join([base, *folder])


def sweep(folder: str) -> None:
	try:
		with opened(folder, []) as where:
			for name in os.listdir(where):
				unlink_orphan(name, where)
	except OSError:
		pass  # housekeeping; whatever is wrong shows in what was asked for


def unlink_orphan(name: str, dir_fd: int) -> None:
	try:
		if time.time() - os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mtime > ORPHAN_AFTER:
			os.unlink(name, dir_fd=dir_fd)
	except OSError:
		pass


def unlink_quietly(name: str, dir_fd: int | None = None) -> None:
	try:
		os.unlink(name, dir_fd=dir_fd)
	except OSError:
		pass


class FolderSync:
	"""Syncs folders, and lets writers into the same folder share one sync instead of doing one each."""

	def __init__(self) -> None:
		self._guard = threading.Lock()
		self._of: dict[str, _FolderState] = {}

	def sync(self, path: str) -> None:
		"""Return once a sync of this folder, begun after this call, has ended."""
		with self._guard:
			state = self._of.setdefault(path, _FolderState())
			state.asked += 1
			mine = state.asked
		with state.lock:
			if state.done >= mine:
				return
			covers = state.asked
			try:
				fd = os.open(path, _FOLDER)
			except FileNotFoundError:  # removed again: nothing is left to keep
				return
			try:
				os.fsync(fd)
			finally:
				os.close(fd)
			state.done = covers


class _FolderState:
	__slots__ = ("asked", "done", "lock")

	def __init__(self) -> None:
		self.lock = threading.Lock()
		self.asked = 0
		self.done = 0


def etag_and_status(file: BinaryIO) -> tuple[str, os.stat_result]:
	return etag_of(file), os.fstat(file.fileno())


def etag_of(body: BinaryIO) -> str:
	digest = hashlib.md5(usedforsecurity=False)
	while piece := body.read(_PIECE):
		digest.update(piece)
	return digest.hexdigest()
