"""What every provider promises (storage/base.py): one suite, run against each of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path

import pytest

from memora.exceptions import PreconditionFailedError, StorageError, StorageUnavailableError
from memora.services.cdn_export.storage import FileBody, Storage, Upload, s3_api
from memora.services.cdn_export.storage.base import stamp_of
from tests.contract.storage.conftest import ACCESS_KEY, SECRET_KEY, Open, upload

ARABIC = "دروس/الوحدة الأولى/مقدمة في الجبر.json"
LEGAL = (
	"plans/index.json",
	"spaces in a name.json",
	"plus+and%20percent%.json",
	"!\"#$&'()*,:;<=>?@[\\]^`{|}~.json",
	"-_.start.and.end.",
	"~2zqkcvtx.json",
	"a..b/...c/.hidden",
	ARABIC,
	"emoji/👩‍🏫🍕.json",
	"composed é/decomposed é.json",
	"\u00a0no-break\u200bzero-width\ufeffmark.json",
	"/".join(["d" * 200] * 5)[:1024],
)
ILLEGAL = (
	"",
	"/leading.json",
	"trailing/",
	"double//slash.json",
	"..",
	"../outside.json",
	"plans/../../outside.json",
	"./here.json",
	"plans/./here.json",
	"nul\x00.json",
	"line\nend.json",
	"half \ud83d.json",
	"é" * 513,
)


def test_a_file_is_put_piece_by_piece(storage: Storage, tmp_path: Path) -> None:
	"""And over and over, as a retry does."""
	file = tmp_path / "film.mp4"
	body = bytes(range(256)) * 20_000
	file.write_bytes(body)
	source = FileBody(str(file), len(body), stamp_of(file.stat()))
	sent = Upload("lessons/l/f.mp4", source, "public, max-age=60", {"content-hash": "x"}, "video/mp4")
	assert sent.size == len(body)
	for _ in range(2):
		etag = storage.put(sent)
		found = storage.head(sent.path)
		assert found and (found.etag, found.size, found.content_type) == (etag, len(body), "video/mp4")
		assert storage.get(sent.path) == body
	with pytest.raises(PreconditionFailedError):
		storage.put(sent, if_absent=True)
	assert storage.put(sent, if_match=etag) == etag


@pytest.mark.parametrize("becomes", [b"other", None])
def test_a_file_that_has_changed_since_it_was_read_is_not_put(
	storage: Storage, tmp_path: Path, becomes: bytes | None
) -> None:
	file = tmp_path / "film.mp4"
	file.write_bytes(b"film")
	source = FileBody(str(file), 4, stamp_of(file.stat()))
	file.unlink()
	if becomes:
		file.write_bytes(becomes)
	with pytest.raises(StorageUnavailableError, match=r"film\.mp4"):
		storage.put(Upload("lessons/l/f.mp4", source, "", {}, "video/mp4"))
	assert storage.get("lessons/l/f.mp4") is None


def test_what_is_put_comes_back(storage: Storage) -> None:
	metadata = {"version": "1769300000", "required-item": "مادة ١ 100% ", "access-level": "paid"}
	etag = storage.put(
		upload(
			"lessons/a.json", b'{"title":"\xd8\xaf"}', metadata=metadata, cache_control="public, max-age=60"
		)
	)

	assert storage.get("lessons/a.json") == b'{"title":"\xd8\xaf"}'
	found = storage.head("lessons/a.json")
	assert found and found.path == "lessons/a.json"
	assert found.etag == etag and '"' not in etag and etag
	assert found.size == 14
	assert found.content_type == "application/json; charset=utf-8"
	assert found.cache_control == "public, max-age=60"
	assert dict(found.metadata) == metadata
	assert found.modified and abs(datetime.now(timezone.utc) - found.modified) < timedelta(minutes=1)
	[listed] = storage.list()
	assert (listed.path, listed.etag, listed.size) == ("lessons/a.json", etag, 14)
	assert listed.modified and listed.modified.tzinfo


def test_metadata_without_a_value_comes_back(storage: Storage) -> None:
	storage.put(upload("a.json", metadata={"empty": "", "version": "1"}))
	found = storage.head("a.json")
	assert found and dict(found.metadata) == {"empty": "", "version": "1"}


@pytest.mark.parametrize("body", [b"", bytes(range(256)), b"x" * 1_000_000], ids=["empty", "binary", "large"])
def test_any_body(storage: Storage, body: bytes) -> None:
	storage.put(upload("media/a.png", body, content_type="image/png"))
	found = storage.head("media/a.png")
	assert storage.get("media/a.png") == body
	assert found and found.size == len(body) and found.content_type == "image/png"


def test_a_put_replaces_all_of_the_old_object(storage: Storage) -> None:
	storage.put(upload("a.json", b"old and longer", metadata={"old": "1"}))
	storage.put(upload("a.json", b"new", metadata={"new": "1"}, cache_control="no-cache"))
	found = storage.head("a.json")
	assert storage.get("a.json") == b"new"
	assert found and dict(found.metadata) == {"new": "1"} and found.cache_control == "no-cache"


def test_the_same_bytes_have_the_same_etag(storage: Storage) -> None:
	assert storage.put(upload("a.json", b"same")) == storage.put(upload("b.json", b"same"))
	assert storage.put(upload("c.json", b"other")) != storage.put(upload("d.json", b"same"))


def test_what_is_missing_is_none(storage: Storage) -> None:
	assert storage.get("a.json") is None
	assert storage.head("a.json") is None
	assert list(storage.list()) == []
	storage.put(upload("folder/a.json"))
	assert storage.get("folder") is None and storage.head("folder") is None
	assert storage.get("folder/a.json/b.json") is None


def test_delete(storage: Storage) -> None:
	for name in ("a", "b", "c"):
		storage.put(upload(f"plans/{name}/manifest.json"))
	storage.delete(["plans/a/manifest.json", "plans/missing/manifest.json", "plans/b/manifest.json", "plans"])
	assert [found.path for found in storage.list()] == ["plans/c/manifest.json"]
	assert storage.get("plans/a/manifest.json") is None
	storage.delete([])
	storage.delete(iter(["plans/c/manifest.json"]))
	assert list(storage.list()) == []


def test_more_are_deleted_than_one_request_can_name(
	storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(s3_api, "DELETE_BATCH", 3)
	paths = [f"lessons/{number}.json" for number in range(8)]
	for path in paths:
		storage.put(upload(path))
	storage.delete(paths)
	assert list(storage.list()) == []


def test_a_path_can_be_written_again_after_its_delete(storage: Storage) -> None:
	storage.put(upload("plans/x/a.json", b"1"))
	storage.delete(["plans/x/a.json"])
	storage.put(upload("plans/x/a.json", b"2"), if_absent=True)
	assert storage.get("plans/x/a.json") == b"2"


@pytest.mark.parametrize("page", [1000, 2])
def test_list_is_in_the_order_of_bytes(storage: Storage, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(s3_api, "PAGE", page)
	paths = [
		"a.json",
		"a/b.json",
		"a/b/c.json",
		"a0.json",
		"a-b.json",
		"B.json",
		"ب.json",
		"é.json",
		"😀.json",
	]
	for path in reversed(paths):
		storage.put(upload(path))
	ordered = sorted(paths, key=str.encode)
	assert [found.path for found in storage.list()] == ordered
	for after in [*paths, "a", "a/", "a/b", "zzz", "\U0010fffd"]:
		expected = [path for path in ordered if path.encode() > after.encode()]
		assert [found.path for found in storage.list(after=after)] == expected
	for prefix in ["a", "a/", "a/b", "a.json", "b", "é", "nothing"]:
		expected = [path for path in ordered if path.startswith(prefix)]
		assert [found.path for found in storage.list(prefix)] == expected
	assert [found.path for found in storage.list("a", after="a/b.json")] == ["a/b/c.json", "a0.json"]


def test_a_list_goes_on_where_it_was_left(storage: Storage) -> None:
	"""In whatever order a server lists: audits read a page, and hours later the next."""
	paths = {
		f"plans/{plan}/{file}"
		for plan in ("a", "a-b", "a0", "~x")
		for file in ("manifest.json", "search.json", "search/s.json", "search/s/1.json", "units/u.json")
	}
	for path in paths:
		storage.put(upload(path))
	seen: list[str] = []
	while page := [found.path for found in islice(storage.list("plans/", seen[-1] if seen else ""), 3)]:
		seen += page
	assert len(seen) == len(paths) and set(seen) == paths


@pytest.mark.parametrize("path", LEGAL)
def test_every_legal_path(storage: Storage, path: str) -> None:
	body = path.encode()
	etag = storage.put(upload(path, body))
	assert storage.get(path) == body
	assert [found.path for found in storage.list()] == [path]
	found = storage.head(path)
	assert found and found.etag == etag
	storage.delete([path])
	assert list(storage.list()) == []


@pytest.mark.parametrize("path", ILLEGAL)
def test_no_illegal_path(storage: Storage, path: str) -> None:
	for use in (
		lambda: storage.put(upload(path)),
		lambda: storage.get(path),
		lambda: storage.head(path),
		lambda: storage.delete([path]),
	):
		with pytest.raises(StorageError, match="path"):
			use()


class TestConditions:
	def test_only_where_there_is_none(self, storage: Storage) -> None:
		etag = storage.put(upload("a.json", b"first"), if_absent=True)
		with pytest.raises(PreconditionFailedError, match=r"a\.json"):
			storage.put(upload("a.json", b"second"), if_absent=True)
		assert storage.get("a.json") == b"first"
		found = storage.head("a.json")
		assert found and found.etag == etag

	def test_only_over_what_is_known(self, storage: Storage) -> None:
		first = storage.put(upload("a.json", b"first", metadata={"number": "1"}))
		second = storage.put(upload("a.json", b"second", metadata={"number": "2"}), if_match=first)
		with pytest.raises(PreconditionFailedError):
			storage.put(upload("a.json", b"third", metadata={"number": "3"}), if_match=first)
		found = storage.head("a.json")
		assert storage.get("a.json") == b"second"
		assert found and found.etag == second and dict(found.metadata) == {"number": "2"}

	def test_not_over_what_is_gone(self, storage: Storage) -> None:
		etag = storage.put(upload("a.json"))
		storage.delete(["a.json"])
		with pytest.raises(PreconditionFailedError):
			storage.put(upload("a.json"), if_match=etag)
		assert storage.get("a.json") is None

	def test_of_several_that_change_one_object_one_wins(self, open_another: Open) -> None:
		with open_another() as first:
			etag = first.put(upload("a.json", b"start"))
		start = threading.Barrier(4)

		def write(number: int) -> bool:
			with open_another() as mine:
				start.wait(10)
				try:
					mine.put(upload("a.json", b"%d" % number), if_match=etag)
				except PreconditionFailedError:
					return False
				return True

		with ThreadPoolExecutor(4) as pool:
			assert sum(pool.map(write, range(4))) == 1


def test_a_reader_sees_the_old_or_the_new_object(open_another: Open) -> None:
	bodies = {b"a" * 100_000, b"b" * 100_000}
	with open_another() as writer, open_another() as reader:
		writer.put(upload("a.json", b"a" * 100_000))
		done = threading.Event()

		def write() -> None:
			for body in [b"b" * 100_000, b"a" * 100_000] * 3:
				writer.put(upload("a.json", body))
			done.set()

		writing = threading.Thread(target=write)
		writing.start()
		while not done.is_set():
			assert reader.get("a.json") in bodies
		writing.join()


def test_many_at_once(storage: Storage) -> None:
	paths = [f"lessons/{number:03}.json" for number in range(50)]
	with ThreadPoolExecutor(storage.writers) as pool:
		etags = list(pool.map(lambda path: storage.put(upload(path, path.encode())), paths))
		bodies = list(pool.map(storage.get, paths))
	assert bodies == [path.encode() for path in paths]
	assert [(found.path, found.etag) for found in storage.list()] == list(zip(paths, etags, strict=True))


def test_writers_and_deleters_of_one_folder_do_not_disturb_each_other(storage: Storage) -> None:
	def work(worker: int) -> None:
		for round_ in range(5):
			path = f"plans/x/y/{worker}.json"
			storage.put(upload(path, b"%d" % round_))
			assert storage.get(path) == b"%d" % round_
			storage.delete([path])

	with ThreadPoolExecutor(4) as pool:
		list(pool.map(work, range(4)))
	assert list(storage.list()) == []


def test_the_target_tells_places_apart_and_no_secret(open_another: Open) -> None:
	with (
		open_another() as one,
		open_another() as same,
		open_another(cdn_base_url="https://x.example") as base,
	):
		assert one.target == same.target == base.target
	with open_another(bucket_name="another-bucket", local_path="/srv/another") as other:
		assert other.target != one.target
	assert SECRET_KEY not in one.target and ACCESS_KEY not in one.target
	assert one.target.startswith(one.name)


def test_a_rotated_key_is_the_same_target(open_another: Open) -> None:
	with open_another() as old, open_another(access_key="AKIAOTHER", secret_key="other") as new:
		assert old.target == new.target
