"""Spec, "Versions": what a build changes, keeps and drops, file by file."""

from __future__ import annotations

import json
from hashlib import sha256
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memora.exceptions import BuildError, FileTooLargeError
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.document_bytes import (
	LARGEST_FILE,
	body,
	moment,
	published_size,
	serialise,
	shape,
	stamped,
)
from memora.services.cdn_export.model.published_file import LedgerEntry, Planned, listed_items
from memora.services.cdn_export.model.tree import Access
from tests.support import ARABIC, EMOJI, QUOTES, Document

NOW = 1_769_300_000
PATH = "lessons/a.json"


def document(title: str = "A") -> Document:
	return {"id": "a", "title": title, "sort_order": 1, "access": {"is_published": True}, "stages": []}


def offered(ledger: dict[str, LedgerEntry] | None = None, now: int = NOW, title: str = "A") -> Planned:
	return Diff(ledger or {}, now).offer(PATH, "lesson", "a", document(title))


def live(**fields: object) -> dict[str, LedgerEntry]:
	entry = LedgerEntry(
		PATH,
		"subject:s",
		"lesson",
		node="a",
		content_hash=shape(document()),
		shape_hash="shape",
		version=NOW,
		live_version=NOW,
		access_level="paid",
		required_item="ITEM",
		lesson_count=3,
	)
	return {PATH: entry._replace(**fields)}  # type: ignore[arg-type]


# versions


def test_a_new_file_has_this_moment_as_its_version() -> None:
	planned = offered()
	assert (planned.changed, planned.version) == (True, NOW)
	assert planned.document == {
		"id": "a",
		"title": "A",
		"sort_order": 1,
		"version": NOW,
		"generated_at": "2026-01-25T00:13:20+00:00",
		"access": {"is_published": True},
		"stages": [],
	}


@pytest.mark.parametrize(
	("kind", "before", "after"),
	[
		("plans_index", None, "plans"),
		("manifest", "stream", "subjects"),
		("subject", "image", "access"),
		("unit", "sort_order", "access"),
		("lesson", "sort_order", "access"),
		("search_index", "plan_id", "total_lessons"),
		("search_shard", "subject_name", "entries"),
		("schemas_index", "contract_version", "schemas"),
	],
)
def test_the_stamp_stands_where_the_spec_has_it(kind: str, before: str | None, after: str) -> None:
	keys = [*([before] if before else []), "version", "generated_at", after]
	assert list(stamped(kind, {**({before: ""} if before else {}), after: []}, 1)) == keys  # type: ignore[arg-type]


def test_the_same_content_keeps_its_version() -> None:
	planned = offered(live(), now=NOW + 100)
	assert (planned.changed, planned.version, planned.document) == (False, NOW, None)


def test_other_content_has_a_higher_version() -> None:
	planned = offered(live(), now=NOW + 100, title="B")
	assert (planned.changed, planned.version) == (True, NOW + 100)


@pytest.mark.parametrize("now", [NOW, NOW - 5_000])
def test_a_version_never_repeats_and_never_goes_back(now: int) -> None:
	"""Two builds within a second, or a clock set back; generated_at is the same moment as the version."""
	planned = offered(live(), now=now, title="B")
	assert planned.version == NOW + 1
	assert planned.document and planned.document["generated_at"] == moment(NOW + 1)


@pytest.mark.parametrize("state", ["in_flight", "removing", "removed"])
def test_what_is_not_surely_there_is_written_again_with_a_higher_version(state: str) -> None:
	"""Killed after the PUT and then edited back: the ledger alone would call it unchanged."""
	ledger = live(state=state, version=NOW + 50, live_version=0)
	planned = offered(ledger, now=NOW + 10)
	assert (planned.changed, planned.version) == (True, NOW + 51)
	assert not Diff(ledger, NOW).keeps_shape(PATH, "shape")
	with pytest.raises(KeyError, match=PATH):
		Diff(ledger, NOW).keep(PATH)


def test_the_hash_covers_neither_version_nor_generated_at() -> None:
	planned = offered()
	expected = json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()
	assert planned.content_hash == sha256(expected).hexdigest() == offered(now=NOW + 9).content_hash


@settings(max_examples=100)
@given(
	st.lists(
		st.tuples(
			st.sampled_from(["A", "B"]), st.integers(-5, 5), st.sampled_from(["live", "in_flight", "gone"])
		)
	)
)
def test_versions_of_a_path_only_go_up(builds: list[tuple[str, int, str]]) -> None:
	"""Whatever the clock says, and however each build ended: new content, new version, higher than any before."""
	ledger: dict[str, LedgerEntry] = {}
	seen: dict[int, str] = {}
	now, highest, certain = NOW, 0, ""
	for title, seconds, ends in builds:
		now += seconds
		planned = offered(ledger, now, title)
		if certain == title:
			assert not planned.changed and planned.version == highest
		else:
			assert planned.changed and planned.version > highest
		assert seen.setdefault(planned.version, title) == title
		highest = planned.version
		certain = title if ends == "live" else ""
		ledger = live(
			content_hash=planned.content_hash,
			version=highest,
			live_version=highest,
			state={"gone": "removed"}.get(ends, ends),
		)


# keeping, linking, dropping


def test_an_untouched_body_of_the_same_shape_is_kept_unread() -> None:
	diff = Diff(live(), NOW + 100)
	assert diff.keeps_shape(PATH, "shape")
	assert not diff.keeps_shape(PATH, "other shape")
	assert not diff.keeps_shape("lessons/new.json", "shape")
	kept = diff.keep(PATH)
	assert (kept.changed, kept.document, kept.version) == (False, None, NOW)
	assert (kept.access_level, kept.required_item, kept.lesson_count) == ("paid", "ITEM", 3)
	assert (kept.content_hash, kept.shape_hash) == (shape(document()), "shape")
	assert diff.planned == {PATH: kept}


def test_a_link_carries_the_version_its_target_will_have() -> None:
	diff = Diff(live(), NOW + 100, elsewhere={"units/u.json": 5})
	diff.offer(PATH, "lesson", "a", document("B"))
	assert diff.link(PATH) == f"{PATH}?v={NOW + 100}"
	assert diff.link("units/u.json") == "units/u.json?v=5"


def test_a_link_to_what_is_not_produced_is_refused() -> None:
	"""No stale reference: what is in the ledger alone may be about to go."""
	with pytest.raises(KeyError, match=r"lessons/a\.json is linked to before"):
		Diff(live(), NOW).link(PATH)


def test_what_is_no_longer_produced_is_dropped() -> None:
	"""Earlier defect: no removal of files after a delete or a hide."""
	entries = {
		state: LedgerEntry(f"lessons/{state}.json", "s", "lesson", state=state)
		for state in ("live", "in_flight", "removing", "removed")
	}
	diff = Diff({entry.path: entry for entry in entries.values()}, NOW)
	assert diff.dropped() == [entries["live"], entries["in_flight"]]
	diff.keep("lessons/live.json")
	diff.offer("lessons/in_flight.json", "lesson", "b", document())
	assert diff.dropped() == []


def test_what_stands_for_its_grace_is_told_unless_it_is_produced_again() -> None:
	entries = {
		name: LedgerEntry(f"lessons/{name}.json", "s", "lesson", state="removing", in_grace=name != "due")
		for name in ("waiting", "again", "due")
	}
	diff = Diff({entry.path: entry for entry in entries.values()}, NOW)
	diff.offer("lessons/again.json", "lesson", "again", document())
	assert diff.in_grace() == [entries["waiting"]]
	assert diff.dropped() == []


def test_changed_files_come_in_the_order_they_were_offered() -> None:
	diff = Diff(live(), NOW)
	for path in ("lessons/z.json", PATH, "lessons/b.json"):
		diff.offer(path, "lesson", "a", document())
	assert [planned.path for planned in diff.changed()] == ["lessons/z.json", "lessons/b.json"]


def test_one_path_is_planned_once() -> None:
	diff = Diff({}, NOW)
	diff.offer(PATH, "lesson", "a", document())
	with pytest.raises(BuildError, match=r"lessons/a\.json is produced twice"):
		diff.offer(PATH, "lesson", "A", document())


def test_access_stands_beside_the_file() -> None:
	paid = Diff({}, NOW).offer(
		PATH,
		"lesson",
		"a",
		document(),
		subject="s",
		access=Access("paid", "صنف ٢", True, False),
		required_items="%D8%B5,ITEM",
	)
	tags = {"cache-tag": f"{_tag(f'file:{PATH}')},{_tag('scope:subject:s')}"}
	assert paid.metadata(SITE) == {
		"version": str(NOW),
		"content-hash": paid.content_hash,
		"access-level": "paid",
		"required-item": "صنف ٢",
		"required-items": "%D8%B5,ITEM",
		"site": SITE,
		**tags,
	}
	free = Diff({}, NOW).offer(PATH, "lesson", "a", document(), subject="s")
	assert free.metadata() == {"version": str(NOW), "content-hash": paid.content_hash, **tags}


SITE = "0" * 32


def _tag(of: str) -> str:
	return sha256(of.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
	("path", "subject", "scope"),
	[
		("units/u.json", "Maths", scopes.subject("Maths")),
		("lessons/~x.json", "درس", scopes.subject("درس")),
		("lessons/a/0f.png", "s", scopes.subject("s")),
		("plans/p/manifest.json", "", scopes.plan("p")),
		("plans/p/units/u.json", "s", scopes.plan("p")),
		("plans/Plan-A/manifest.json", "", scopes.plan("Plan-A")),
		(paths.manifest("خطة ٣"), "", scopes.plan("خطة ٣")),
		("plans/index.json", "", scopes.INDEX),
		("schemas/unit.schema.json", "", scopes.INDEX),
		("media/0f.png", "", scopes.MEDIA),
	],
)
def test_a_files_scope_is_known_by_its_path(path: str, subject: str, scope: scopes.Scope) -> None:
	assert scopes.of_file(path, subject) == scope.id


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=140), max_size=4))
def test_item_codes_are_listed_so_that_they_come_apart_again(items: list[str]) -> None:
	listed = listed_items(items)
	assert listed.isascii() and listed.isprintable() and " " not in listed
	for item, code in zip(items, listed.split(",") if listed else [], strict=True):
		if len(code) == 27 and code.startswith("~"):
			assert code == paths.digested(item) and len(quote(item, safe="")) > 100 - 2 * item.count("~")
		else:
			assert "~" not in code and unquote(code) == item


def test_metadata_stays_within_what_s3_allows() -> None:
	"""2,048 bytes with the names, encoded as they are sent."""
	items = ["🎓" * 140, "🏫" * 140]
	file = Diff({}, NOW).offer(
		PATH,
		"lesson",
		"a",
		document(),
		shape_hash="0" * 64,
		access=Access("paid", items[0], True, True),
		required_items=listed_items(items),
	)
	assert sum(len(name) + len(quote(value)) for name, value in file.metadata(SITE).items()) <= 2048


def test_other_items_of_unchanged_content_are_uploaded_under_the_same_version() -> None:
	entries = live(required_items="A")
	assert not Diff(entries, NOW).keeps_shape(PATH, "shape", "B") and Diff(entries, NOW).keeps_shape(
		PATH, "shape", "A"
	)
	changed = Diff(entries, NOW + 9).offer(PATH, "lesson", "a", document(), required_items="B")
	assert (changed.changed, changed.version, changed.required_items) == (True, NOW, "B")
	same = Diff(entries, NOW + 9).offer(PATH, "lesson", "a", document(), required_items="A")
	assert not same.changed


def test_an_outdated_file_is_not_uploaded_for_the_items_that_nobody_knows_yet() -> None:
	entries = live(outdated=True)
	assert Diff(entries, NOW).keeps_shape(PATH, "shape", "B")
	assert not Diff(entries, NOW).offer(PATH, "lesson", "a", document(), required_items="B").changed


def test_what_an_outdated_file_lacks_is_no_difference() -> None:
	(old,), (new,) = live(outdated=True).values(), live().values()
	before = {name: value for name, value in new.metadata(SITE).items() if name not in ("site", "cache-tag")}
	assert old.differs(before, SITE) == [] and new.differs(before, SITE) == ["cache-tag", "site"]
	assert old.differs({**before, "site": "another", "version": "1"}, SITE) == ["version"]


# bytes


def test_a_file_is_utf8_and_not_escaped() -> None:
	content = serialise({"title": ARABIC + EMOJI + QUOTES})
	assert ARABIC.encode() in content and EMOJI.encode() in content
	assert json.loads(content)["title"] == ARABIC + EMOJI + QUOTES


def test_the_published_size_is_that_of_the_bytes_as_written() -> None:
	planned = offered(title=ARABIC)
	assert planned.document
	assert published_size(document(ARABIC)) == len(body(PATH, planned.document))


def test_a_file_may_have_ten_million_bytes_and_not_one_more() -> None:
	room = LARGEST_FILE - published_size(document(""))
	fits = Diff({}, NOW).offer(PATH, "lesson", "a", document("x" * room))
	assert fits.document and len(body(PATH, fits.document)) == 10_000_000
	with pytest.raises(FileTooLargeError, match=r"lessons/a\.json has 10,000,001 bytes"):
		Diff({}, NOW).offer(PATH, "lesson", "a", document("x" * (room + 1)))
	with pytest.raises(FileTooLargeError, match=r"lessons/a\.json"):
		body(PATH, {**fits.document, "signed_url_expiry": "2026-01-25T04:00:00+00:00"})


@pytest.mark.parametrize("value", ["\ud83d", 2**64, {1: 2}, object()])
def test_what_is_no_json_is_refused_naming_the_file(value: object) -> None:
	with pytest.raises(BuildError, match=r"lessons/a\.json cannot be written as JSON"):
		Diff({}, NOW).offer(PATH, "lesson", "a", {**document(), "stages": [value]})


# damage, metadata and pictures


def test_a_damaged_file_of_the_same_content_goes_up_again_under_its_version() -> None:
	ledger = live(damaged=True, version=NOW + 7)
	planned = offered(ledger, now=NOW + 99)
	assert (planned.changed, planned.version) == (True, NOW)
	assert planned.document is not None and planned.document["version"] == NOW
	assert not Diff(ledger, NOW).keeps_shape(PATH, "shape")


def test_a_damaged_file_of_other_content_gets_a_new_version() -> None:
	assert offered(live(damaged=True), now=NOW + 99, title="B").version == NOW + 99


def test_the_ledger_and_a_build_agree_on_what_stands_beside_a_file() -> None:
	entry = live()[PATH]
	access = Access("paid", "ITEM", False, False)
	planned = Diff({}, NOW).offer(PATH, "lesson", "a", document(), shape_hash="shape", access=access)
	assert entry.metadata(SITE) == planned.metadata(SITE)
	assert entry.differs(planned.metadata(SITE), SITE) == []


def test_the_pictures_of_a_document_are_those_it_shows_from_media() -> None:
	shown = {
		**document(),
		"image": "media/a.png",
		"badge_image": "https://elsewhere.example/media/b.png",
		"tracks": [
			{"image": "media/c.png", "units": [{"image": "media/a.png", "badge_image": "media/d.png"}]}
		],
		"stages": [{"config": {"image": "media/e.png"}}],
		"properties": {"image": {"type": "string"}},
	}
	planned = Diff({}, NOW).offer(PATH, "lesson", "a", shown)
	assert planned.pictures == {"media/a.png", "media/c.png", "media/d.png"}
	assert Diff(live(), NOW).keep(PATH).pictures == frozenset()
