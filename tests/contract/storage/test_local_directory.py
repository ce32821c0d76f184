"""The local directory: whole files whatever happens, nothing but the files in the root, no way out of it."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memora.exceptions import StorageConfigurationError, StorageError, StorageUnavailableError
from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, local_files
from tests.contract.storage.conftest import upload

REPO = Path(__file__).parents[3]


@pytest.fixture
def root(local_settings: StorageSettings) -> Path:
	return Path(local_settings.local_path)


def files_below(folder: Path) -> list[str]:
	return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class TestTheRoot:
	def test_it_holds_the_files_and_nothing_else(self, local: Storage, root: Path) -> None:
		local.put(upload("plans/index.json", b"{}", metadata={"access-level": "paid"}))
		local.put(upload("lessons/a.json", b"[]"))
		local.delete(["lessons/a.json"])
		assert files_below(root) == ["plans/index.json"]
		assert (root / "plans/index.json").read_bytes() == b"{}"

	def test_folders_go_with_their_last_file(self, local: Storage, root: Path) -> None:
		for path in ("plans/x/units/a.json", "plans/x/units/b.json", "plans/y/a.json"):
			local.put(upload(path))
		local.delete(["plans/x/units/a.json"])
		assert (root / "plans/x/units").is_dir()
		local.delete(["plans/x/units/b.json"])
		assert not (root / "plans/x").exists() and (root / "plans/y").is_dir()
		assert not (Path(f"{root}.meta") / "objects/plans/x").exists()
		local.delete(["plans/y/a.json"])
		assert root.is_dir() and not list(root.iterdir())

	def test_a_web_server_may_read_the_files_but_not_what_is_beside_them(
		self, local: Storage, root: Path
	) -> None:
		os.umask(umask := os.umask(0))
		local.put(upload("plans/index.json"))
		assert stat.S_IMODE((root / "plans/index.json").stat().st_mode) == 0o644 & ~umask
		assert stat.S_IMODE((root / "plans").stat().st_mode) == 0o777 & ~umask
		assert stat.S_IMODE(Path(f"{root}.meta").stat().st_mode) == 0o700

	def test_it_is_made_when_needed_and_again_when_it_is_gone(self, local: Storage, root: Path) -> None:
		assert not root.exists()
		assert local.get("a.json") is None and list(local.list()) == []
		local.delete(["a.json"])
		assert not root.exists(), "reading and deleting make nothing"
		local.put(upload("a.json"))
		(root / "a.json").unlink()
		root.rmdir()
		local.put(upload("a.json", b"again"), if_absent=True)
		assert local.get("a.json") == b"again"

	@pytest.mark.parametrize("path", ["", "relative/path", "/", "/../", "~/files"])
	def test_a_folder_that_cannot_be_one(self, local_settings: StorageSettings, path: str) -> None:
		with pytest.raises(StorageConfigurationError, match="Local Path"):
			storages.open(replace(local_settings, local_path=path))

	def test_a_trailing_slash_is_the_same_folder(self, local_settings: StorageSettings, root: Path) -> None:
		assert (
			storages.open(replace(local_settings, local_path=f"{root}/")).target == f"Local Directory|{root}"
		)


class TestNoWayOut:
	@pytest.fixture
	def outside(self, tmp_path: Path) -> Path:
		folder = tmp_path / "outside"
		folder.mkdir()
		(folder / "secret.json").write_bytes(b"secret")
		return folder

	def test_not_through_a_link_to_a_folder(self, local: Storage, root: Path, outside: Path) -> None:
		local.put(upload("plans/index.json"))
		(root / "lessons").symlink_to(outside)
		assert local.get("lessons/secret.json") is None
		assert local.head("lessons/secret.json") is None
		with pytest.raises(StorageConfigurationError, match="stands where"):
			local.put(upload("lessons/a.json"))
		local.delete(["lessons/secret.json"])
		assert files_below(outside) == ["secret.json"]
		found = next(local.list())
		assert (found.path, found.etag) == ("lessons", ""), "reported, not followed"

	def test_not_through_a_link_to_a_file(self, local: Storage, root: Path, outside: Path) -> None:
		root.mkdir()
		(root / "a.json").symlink_to(outside / "secret.json")
		assert local.get("a.json") is None
		local.put(upload("a.json", b"mine"))
		assert (outside / "secret.json").read_bytes() == b"secret"
		assert local.get("a.json") == b"mine" and not (root / "a.json").is_symlink()

	@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
	@given(
		parts=st.lists(st.sampled_from(["..", ".", "", "a", "plans", "\x00", "..."]) | st.text(), max_size=5)
	)
	def test_not_by_any_path(self, tmp_path: Path, parts: list[str]) -> None:
		folder = tmp_path / "a/b/c/d/e/f"
		before = files_below(tmp_path)
		with storages.open(StorageSettings("Local Directory", local_path=str(folder))) as storage:
			path = "/".join(parts)
			try:
				storage.put(upload(path))
				storage.delete([path])
			except StorageError:
				pass
		assert [found for found in files_below(tmp_path) if "/locks/" not in found] == [
			found for found in before if "/locks/" not in found
		]

	def test_the_names_of_files_in_the_making_are_taken(self, local: Storage) -> None:
		with pytest.raises(StorageError, match="in the making"):
			local.put(upload(f"plans/.x{local_files.TEMPORARY_SUFFIX}"))


class TestWhole:
	def test_bytes_are_on_disk_before_they_have_a_name(
		self, local: Storage, monkeypatch: pytest.MonkeyPatch
	) -> None:
		steps: list[str] = []
		for name in ("fsync", "replace"):
			original = getattr(os, name)

			def noted(*args, _name=name, _original=original, **options):
				what = _name
				if _name == "fsync":
					what += " folder" if stat.S_ISDIR(os.fstat(args[0]).st_mode) else " file"
				steps.append(what)
				return _original(*args, **options)

			monkeypatch.setattr(os, name, noted)
		local.put(upload("a.json"))
		assert steps == ["fsync file", "replace", "fsync file", "replace", "fsync folder"]

	@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
	@pytest.mark.parametrize("turn", [0, 1], ids=["sidecar", "file"])
	def test_a_write_that_fails_leaves_the_old_file(
		self, local: Storage, root: Path, monkeypatch: pytest.MonkeyPatch, failing: str, turn: int
	) -> None:
		etag = local.put(upload("a.json", b"old", metadata={"version": "1"}))
		original = getattr(os, failing)
		calls: list[int] = []

		def fail(*args, **options):
			calls.append(1)
			if len(calls) == turn + 1:
				raise OSError(errno.ENOSPC, "No space left on device")
			return original(*args, **options)

		monkeypatch.setattr(os, failing, fail)
		with pytest.raises(StorageUnavailableError, match=r"write 'a\.json'.*No space left.*Free some space"):
			local.put(upload("a.json", b"new", metadata={"version": "2"}))
		monkeypatch.undo()
		assert files_below(root) == ["a.json"] and local.get("a.json") == b"old"
		found = local.head("a.json")
		assert found and found.etag == etag
		assert dict(found.metadata) == {"version": "1"}, "whose file it is stays known"
		assert not list((Path(f"{root}.meta") / "tmp").iterdir())
		local.put(upload("a.json", b"new", metadata={"version": "2"}), if_match=etag)
		assert dict(local.head("a.json").metadata) == {"version": "2"}

	def test_a_full_disk_takes_part_of_a_write(self, local: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
		original = os.write
		monkeypatch.setattr(os, "write", lambda fd, data: original(fd, data[:7]))
		local.put(upload("a.json", bytes(range(200))))
		assert local.get("a.json") == bytes(range(200))

	def test_killed_writers_leave_whole_files_and_no_litter_that_stays(
		self, local: Storage, root: Path
	) -> None:
		script = (
			"import sys, itertools\n"
			"from memora.services.cdn_export import storage\n"
			"opened = storage.open(storage.StorageSettings('Local Directory', local_path=sys.argv[1]))\n"
			"print('ready', flush=True)\n"
			"for number in itertools.count():\n"
			"	body = b'%d ' % number * 20_000\n"
			"	opened.put(storage.Upload(f'lessons/{number % 5}.json', body, 'no-store', {'site': 'ours'}))\n"
		)
		for _ in range(3):
			with subprocess.Popen(
				[sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE, cwd=REPO
			) as writer:
				assert writer.stdout and writer.stdout.readline() == b"ready\n"
				seen = next(iter(local.list()), None)
				while not seen:
					seen = next(iter(local.list()), None)
				writer.send_signal(signal.SIGKILL)
		for found in local.list():
			words = set((local.get(found.path) or b"").split())
			assert len(words) == 1, "a file of two writes"
			assert dict(local.head(found.path).metadata) == {"site": "ours"}
			local.put(upload(found.path, b"after"), if_match=found.etag)
		litter = [path for path in root.rglob("*") if path.name.endswith(local_files.TEMPORARY_SUFFIX)]
		litter.append(root / f".x{local_files.TEMPORARY_SUFFIX}")
		litter[-1].touch()
		list(local.list())
		assert all(path.exists() for path in litter), "its writer may still be at work"
		for path in litter:
			os.utime(path, (0, time.time() - local_files.ORPHAN_AFTER - 60))
		list(local.list())
		assert not any(path.exists() for path in litter)


class TestChangedByHand:
	"""What stands beside a file belongs to the bytes it was written with."""

	def test_an_altered_file_shows(self, local: Storage, root: Path) -> None:
		etag = local.put(upload("a.json", b"same size", metadata={"version": "1"}))
		times = (root / "a.json").stat()
		(root / "a.json").write_bytes(b"emas size")
		os.utime(root / "a.json", ns=(times.st_atime_ns, times.st_mtime_ns))
		found = local.head("a.json")
		[listed] = local.list()
		assert found and found.etag == listed.etag == hashlib.md5(b"emas size").hexdigest() != etag
		assert found.content_type == "" and dict(found.metadata) == {}

	@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff"])
	def test_a_damaged_sidecar_is_no_sidecar(self, local: Storage, root: Path, damage: bytes) -> None:
		etag = local.put(upload("a.json", b"body", metadata={"version": "1"}))
		(Path(f"{root}.meta") / "objects/a.json").write_bytes(damage)
		found = local.head("a.json")
		assert found and found.etag == etag and dict(found.metadata) == {} and found.content_type == ""

	def test_foreign_files_are_listed(self, local: Storage, root: Path) -> None:
		(root / "deep").mkdir(parents=True)
		(root / "deep/foreign.txt").write_text("x")
		(root / "deep/empty folder").mkdir()
		os.mkfifo(root / "pipe")
		(Path(os.fsdecode(bytes(root) + b"/not-utf8-\xff"))).write_text("x")
		found = {entry.path: entry.etag for entry in local.list()}
		assert list(found) == ["deep/foreign.txt", "not-utf8-\\xff", "pipe"]
		assert found["deep/foreign.txt"] and found["pipe"] == ""
		assert local.get("pipe") is None
		foreign = local.head("deep/foreign.txt")
		assert foreign and foreign.etag == found["deep/foreign.txt"] and foreign.content_type == ""

	def test_a_file_where_a_folder_is_needed(self, local: Storage) -> None:
		local.put(upload("plans"))
		with pytest.raises(StorageConfigurationError, match="stands where"):
			local.put(upload("plans/index.json"))
		local.put(upload("units/a.json"))
		with pytest.raises(StorageConfigurationError, match="stands where"):
			local.put(upload("units"))
		assert local.get("plans") == b"{}" and local.get("units/a.json") == b"{}"


@pytest.mark.parametrize(
	("number", "kind", "words"),
	[
		(errno.EACCES, StorageConfigurationError, "permissions"),
		(errno.EROFS, StorageConfigurationError, "permissions"),
		(errno.EDQUOT, StorageUnavailableError, "space"),
		(errno.EIO, StorageUnavailableError, "disk"),
		(errno.ESTALE, StorageUnavailableError, "mount"),
	],
)
@pytest.mark.parametrize("call", ["open", "mkdir"])
def test_what_the_system_refuses_names_folder_file_and_fix(
	local: Storage,
	root: Path,
	monkeypatch: pytest.MonkeyPatch,
	number: int,
	kind: type,
	words: str,
	call: str,
) -> None:
	def refuse(*_, **__):
		raise OSError(number, os.strerror(number))

	monkeypatch.setattr(os, call, refuse)
	with pytest.raises(StorageError, match=words) as refused:
		local.put(upload("plans/a.json"))
	assert type(refused.value) is kind
	assert str(root) in str(refused.value) and "plans/a.json" in str(refused.value)


def test_a_name_longer_than_the_disk_allows(local: Storage) -> None:
	with pytest.raises(StorageError, match="255 bytes"):
		local.put(upload("é" * 140))
	assert local.get("é" * 140) is None


def test_processes_that_change_one_file_lose_no_change(local: Storage, root: Path) -> None:
	"""Four processes raise a counter by conditional writes; each counts what it has done."""
	script = (
		"import sys, hashlib\n"
		"from memora.exceptions import PreconditionFailedError\n"
		"from memora.services.cdn_export import storage\n"
		"opened = storage.open(storage.StorageSettings('Local Directory', local_path=sys.argv[1]))\n"
		"raised = 0\n"
		"while raised < 20:\n"
		"	body = opened.get('counter')\n"
		"	etag = hashlib.md5(body).hexdigest()\n"
		"	try:\n"
		"		opened.put(storage.Upload('counter', b'%d' % (int(body) + 1), ''), if_match=etag)\n"
		"		raised += 1\n"
		"	except PreconditionFailedError:\n"
		"		pass\n"
	)
	local.put(upload("counter", b"0"))
	workers = [subprocess.Popen([sys.executable, "-c", script, str(root)], cwd=REPO) for _ in range(4)]
	assert [worker.wait(60) for worker in workers] == [0] * 4
	assert local.get("counter") == b"80"


def test_folder_syncs_are_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	"""Writers that come while a folder is being synced are all served by the next sync, not by that one."""
	begun, go_on, synced = threading.Event(), threading.Event(), []

	def slow(fd: int) -> None:
		synced.append(fd)
		begun.set()
		assert go_on.wait(10)

	monkeypatch.setattr(os, "fsync", slow)
	folders = local_files.FolderSync()
	with ThreadPoolExecutor(5) as pool:
		waiting = [pool.submit(folders.sync, str(tmp_path))]
		assert begun.wait(10)
		waiting += [pool.submit(folders.sync, str(tmp_path)) for _ in range(4)]
		while folders._of[str(tmp_path)].asked < 5:
			pass
		go_on.set()
		for each in waiting:
			each.result(10)
	assert len(synced) == 2
