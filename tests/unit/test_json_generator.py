"""Spec, "Files": each document by example, key by key and in order."""

from __future__ import annotations

import pytest

from memora.services.cdn_export.access_calculator import resolve
from memora.services.cdn_export.json_generator import (
	lesson_document,
	lesson_head,
	lesson_places,
	manifest_document,
	plan_index_document,
	plan_index_entry,
	subject_document,
	subject_entry,
	unit_document,
	with_signed_videos,
)
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.document_bytes import stamped
from memora.services.cdn_export.model.tree import Override, Plan, ResolvedNode, Stage
from tests.support import (
	ARABIC,
	EMOJI,
	LONG,
	PLAN,
	QUOTES,
	Document,
	lesson,
	straight,
	subject,
	topic,
	track,
	unit,
	wide,
)

AUTHENTICATED = {"is_published": True, "access_level": "authenticated"}
UNTIL = "2026-01-25T04:00:00+00:00"


def link(path: str) -> str:
	return f"{path}?v=7"


def resolved(root: object = None, *overrides: Override) -> ResolvedNode:
	found = resolve(root or straight(), overrides)  # type: ignore[arg-type]
	assert found
	return found


def head(root: ResolvedNode, index: int = 0, plan: str | None = None) -> Document:
	return lesson_head(lesson_places(root)[index], root, plan)


def filled(**more: object) -> Document:
	return {"description": ARABIC, "image": f"media/{'0' * 64}.png", "sort_order": 3, **more}


# plans and their index


def test_the_index_lists_plans_by_title_in_code_point_order_and_then_by_id() -> None:
	plans = [Plan(name, title, "", "", "") for name, title in ["ca", "bé", "az", "Da", "aa", "eZ"]]
	listed = plan_index_document([plan_index_entry(plan) for plan in plans])["plans"]
	assert [entry["title"] for entry in listed] == sorted("azaéZa")
	assert [entry["plan_id"] for entry in listed] == ["e", "D", "a", "c", "a", "b"]


def test_the_index_is_there_also_when_empty() -> None:
	assert plan_index_document([]) == {"plans": []}


def test_a_plan_in_the_index_has_a_url_without_a_version() -> None:
	assert list(plan_index_entry(PLAN).items()) == [
		("plan_id", "plan-1"),
		("title", "Grade 7"),
		("season", "2026"),
		("grade", "Seven"),
		("stream", "Science"),
		("url", "plans/plan-1/manifest.json"),
	]


def test_a_manifest_has_its_subjects_by_the_plans_sort_order_then_row_order() -> None:
	rows = [("C", 2), ("B", 1), ("A", 2), ("D", -1)]
	entries = [subject_entry(resolved(subject(name, sort_order=9)), "plan-1", link, at) for name, at in rows]
	manifest = manifest_document(PLAN, entries, "plans/plan-1/search_index.json?v=7")
	assert list(manifest) == ["plan_id", "title", "season", "grade", "stream", "subjects", "search_index_url"]
	assert [(entry["id"], entry["sort_order"]) for entry in manifest["subjects"]] == [
		("D", -1),
		("B", 1),
		("C", 2),
		("A", 2),
	]


def test_a_plan_without_subjects_has_a_manifest_with_an_empty_list() -> None:
	assert manifest_document(PLAN, [], "x")["subjects"] == []


def test_a_subject_in_a_manifest() -> None:
	entry = subject_entry(resolved(straight(subject=filled(color_code="#fff"))), "plan-1", link, 5)
	assert list(entry.items()) == [
		("id", "S"),
		("title", "The S"),
		("description", ARABIC),
		("color_code", "#fff"),
		("image", f"media/{'0' * 64}.png"),
		("sort_order", 5),
		("url", "plans/plan-1/subjects/S.json?v=7"),
		("access", AUTHENTICATED),
	]


# subjects and units


def test_a_subject_down_to_its_units() -> None:
	"""Earlier defect: subject files embedded every stage, raw video URLs and answers included."""
	root = straight(
		subject=filled(color_code="#fff"), track=filled(), unit=filled(badge_image="https://b/x.png")
	)
	assert subject_document(resolved(root), link, None) == {
		"id": "S",
		"title": "The S",
		"description": ARABIC,
		"color_code": "#fff",
		"image": f"media/{'0' * 64}.png",
		"access": AUTHENTICATED,
		"tracks": [
			{
				"id": "T",
				"title": "The T",
				**filled(),
				"access": AUTHENTICATED,
				"units": [
					{
						"id": "U",
						"title": "The U",
						**filled(badge_image="https://b/x.png"),
						"url": "units/U.json?v=7",
						"access": AUTHENTICATED,
						"topic_count": 1,
						"lesson_count": 1,
					}
				],
			}
		],
		"stats": {"total_units": 1, "total_topics": 1, "total_lessons": 1},
	}


def test_keys_stand_in_the_specs_order() -> None:
	everything = filled(badge_image="https://b/x.png", color_code="#fff")
	root = resolved(straight(**dict.fromkeys(("subject", "track", "unit", "topic", "lesson"), everything)))
	subject_ = subject_document(root, link, None)
	assert list(subject_) == "id title description color_code image access tracks stats".split()
	unit_entry = subject_["tracks"][0]["units"][0]
	assert list(unit_entry) == (
		"id title description image badge_image sort_order url access topic_count lesson_count".split()
	)
	track_ = root.children[0]
	unit_ = unit_document(track_.children[0], track_, root, link, None)
	assert (
		list(unit_) == "id title description image badge_image sort_order access parent topics stats".split()
	)
	assert list(lesson_document(head(resolved(straight(lesson=filled()))), [])) == (
		"id title description image sort_order access parent stages navigation".split()
	)


def test_counts_are_of_what_is_published() -> None:
	draft = {"is_published": False}
	root = subject(
		"S",
		track(
			"T1",
			unit("U1", topic("P1", lesson("L1"), lesson("L2", **draft)), topic("P2", lesson("L3"), **draft)),
			unit("U2"),
		),
		track("T2", unit("U3", topic("P3", lesson("L4"), lesson("L5")))),
	)
	document = subject_document(resolved(root), link, None)
	assert document["stats"] == {"total_units": 3, "total_topics": 2, "total_lessons": 3}
	counts = {u["id"]: (u["topic_count"], u["lesson_count"]) for t in document["tracks"] for u in t["units"]}
	assert counts == {"U1": (1, 1), "U2": (0, 0), "U3": (1, 2)}


def test_a_unit_down_to_its_lessons() -> None:
	root = resolved(straight(topic=filled(), lesson=filled(stage_count=4)))
	track_ = root.children[0]
	assert unit_document(track_.children[0], track_, root, link, None) == {
		"id": "U",
		"title": "The U",
		"sort_order": 0,
		"access": AUTHENTICATED,
		"parent": {"track_id": "T", "track_title": "The T", "subject_id": "S", "subject_title": "The S"},
		"topics": [
			{
				"id": "P",
				"title": "The P",
				**filled(),
				"access": AUTHENTICATED,
				"lessons": [
					{
						"id": "L",
						"title": "The L",
						**filled(),
						"url": "lessons/L.json?v=7",
						"access": AUTHENTICATED,
						"stage_count": 4,
					}
				],
			}
		],
		"stats": {"total_topics": 1, "total_lessons": 1},
	}


def test_what_has_nothing_published_below_stays_with_empty_lists() -> None:
	root = resolved(subject("S", track("T", unit("U", topic("P", lesson("L", is_published=False))))))
	track_ = root.children[0]
	assert unit_document(track_.children[0], track_, root, link, None)["topics"][0]["lessons"] == []
	assert subject_document(resolved(subject("S", track("T"))), link, None)["tracks"][0]["units"] == []
	assert subject_document(resolved(subject("S")), link, None) == {
		"id": "S",
		"title": "The S",
		"access": AUTHENTICATED,
		"tracks": [],
		"stats": {"total_units": 0, "total_topics": 0, "total_lessons": 0},
	}
	assert lesson_places(resolved(subject("S", track("T", unit("U"))))) == []


def test_what_is_empty_is_left_out_and_a_zero_is_not() -> None:
	document = head(resolved())
	assert not {"description", "image", "badge_image"} & set(document)
	assert document["sort_order"] == 0


def test_a_plans_own_rendition_links_within_its_own_world() -> None:
	"""Earlier defect: shared paths with plan-specific content, so that the last plan built won."""
	root = resolved(wide(3))
	track_ = root.children[0]
	unit_ = unit_document(track_.children[0], track_, root, link, "plan-1")
	assert [entry["url"] for entry in unit_["topics"][0]["lessons"]] == [
		f"plans/plan-1/lessons/L{number}.json?v=7" for number in range(3)
	]
	entry = subject_document(root, link, "plan-1")["tracks"][0]["units"][0]
	assert entry["url"] == "plans/plan-1/units/U.json?v=7"
	navigation = head(root, 1, "plan-1")["navigation"]
	assert [there["url"] for there in navigation.values()] == [
		"plans/plan-1/lessons/L0.json",
		"plans/plan-1/lessons/L2.json",
	]


def test_links_come_from_link_and_from_nowhere_else() -> None:
	"""Every versioned URL is asked for by its path, so that a target that is not there is found out."""
	asked: list[str] = []

	def asking(path: str) -> str:
		asked.append(path)
		return link(path)

	root = resolved(wide(2))
	track_ = root.children[0]
	subject_entry(root, "plan-1", asking, 0)
	subject_document(root, asking, None)
	unit_document(track_.children[0], track_, root, asking, None)
	head(root)
	assert asked == [
		paths.plan_subject("plan-1", "S"),
		paths.unit("U"),
		paths.lesson("L0"),
		paths.lesson("L1"),
	]


# lessons


def test_a_lesson_as_a_whole() -> None:
	root = resolved(straight(lesson=filled()))
	stages = [
		Stage("Watch", "Video", {"video_url": "https://v/1.mp4"}),
		Stage(EMOJI, "Question", {}),
	]
	assert lesson_document(head(root), stages) == {
		"id": "L",
		"title": "The L",
		**filled(),
		"access": AUTHENTICATED,
		"parent": {
			"topic_id": "P",
			"topic_title": "The P",
			"unit_id": "U",
			"unit_title": "The U",
			"track_id": "T",
			"track_title": "The T",
			"subject_id": "S",
			"subject_title": "The S",
		},
		"stages": [
			{"idx": 1, "title": "Watch", "type": "Video", "config": {"video_url": "https://v/1.mp4"}},
			{"idx": 2, "title": EMOJI, "type": "Question", "config": {}},
		],
		"navigation": {},
	}


def test_a_lesson_without_stages_has_an_empty_list() -> None:
	assert lesson_document(head(resolved()), [])["stages"] == []


def test_making_the_document_leaves_the_head_as_it_is() -> None:
	one = head(resolved(wide(2)))
	before = {**one}
	lesson_document(one, [Stage("A", "Text", {})])
	assert one == before


def test_navigation_runs_through_the_whole_subject_and_skips_what_is_left_out() -> None:
	"""Earlier defect: no order on siblings."""
	root = subject(
		"S",
		track("T1", unit("U1", topic("P1", lesson("L1"), lesson("L2", is_published=False)))),
		track("T2", unit("U2", topic("P2", lesson("L3")), is_published=False), unit("U3", topic("P3"))),
		track("T3", unit("U4", topic("P4", lesson("L4"), lesson("L5")))),
	)
	tree = resolved(root, Override("lesson", "L4", "Hide"))
	assert [place.lesson.name for place in lesson_places(tree)] == ["L1", "L5"]
	assert head(tree, 0)["navigation"] == {
		"next_lesson": {"id": "L5", "title": "The L5", "url": "lessons/L5.json"}
	}
	assert head(tree, 1)["navigation"] == {
		"previous_lesson": {"id": "L1", "title": "The L1", "url": "lessons/L1.json"}
	}


def test_rename_shows_wherever_the_title_stands_for_that_plan() -> None:
	"""Earlier defect: Rename had no effect."""
	names = {"subject": "S", "track": "T", "unit": "U", "topic": "P", "lesson": "L1"}
	overrides = [Override(kind, name, "Rename", f"New {name}") for kind, name in names.items()]  # type: ignore[arg-type]
	tree = resolved(wide(3), *overrides)
	track_ = tree.children[0]
	unit_ = track_.children[0]
	assert subject_entry(tree, "plan-1", link, 0)["title"] == "New S"
	subject_ = subject_document(tree, link, "plan-1")
	assert subject_["title"] == "New S"
	assert subject_["tracks"][0]["title"] == "New T"
	assert subject_["tracks"][0]["units"][0]["title"] == "New U"
	unit_page = unit_document(unit_, track_, tree, link, "plan-1")
	assert unit_page["parent"]["track_title"] == "New T"
	assert unit_page["parent"]["subject_title"] == "New S"
	assert unit_page["topics"][0]["title"] == "New P"
	assert [entry["title"] for entry in unit_page["topics"][0]["lessons"]] == ["The L0", "New L1", "The L2"]
	assert head(tree, 0)["parent"] == {
		"topic_id": "P",
		"topic_title": "New P",
		"unit_id": "U",
		"unit_title": "New U",
		"track_id": "T",
		"track_title": "New T",
		"subject_id": "S",
		"subject_title": "New S",
	}
	assert head(tree, 0)["navigation"]["next_lesson"]["title"] == "New L1"
	assert head(tree, 1)["title"] == "New L1"
	assert head(tree, 2)["navigation"]["previous_lesson"]["title"] == "New L1"


@pytest.mark.parametrize("title", [ARABIC, EMOJI, QUOTES, LONG])
def test_titles_stand_as_written(title: str) -> None:
	assert head(resolved(straight(lesson={"title": title})))["title"] == title


def test_names_that_cannot_stand_in_a_path_stand_in_the_id() -> None:
	root = resolved(subject("S", track("T", unit("U", topic("P", lesson("a b/c", title="A"), lesson("L2"))))))
	assert head(root)["id"] == "a b/c"
	previous = head(root, 1)["navigation"]["previous_lesson"]
	assert previous == {"id": "a b/c", "title": "A", "url": paths.lesson("a b/c")}
	assert "/" not in previous["url"].removeprefix("lessons/")


def test_ten_thousand_lessons_in_one_topic() -> None:
	root = resolved(wide(10_000))
	places = lesson_places(root)
	assert len(places) == 10_000
	assert places[9_999].previous is places[9_998].lesson
	track_ = root.children[0]
	unit_ = unit_document(track_.children[0], track_, root, link, None)
	assert unit_["stats"]["total_lessons"] == len(unit_["topics"][0]["lessons"]) == 10_000


# signing


def stamped_lesson(*stages: Stage) -> Document:
	return stamped("lesson", lesson_document(head(resolved()), stages), 7)


def sign(url: str) -> str | None:
	return f"{url}?signature=x" if url.startswith("https://bucket/") else None


def test_signing_takes_video_urls_of_video_stages_and_says_until_when() -> None:
	document = stamped_lesson(
		Stage("A", "Video", {"video_url": "https://bucket/a.mp4", "poster": "https://bucket/a.png"}),
		Stage("B", "Video", {"video_url": "https://youtube/b"}),
		Stage("C", "Interactive", {"video_url": "https://bucket/c.mp4"}),
		Stage("D", "Video", {"video_url": 5}),
		Stage("E", "Video", {}),
	)
	signed = with_signed_videos(document, sign, UNTIL)
	assert [stage["config"] for stage in signed["stages"]] == [
		{"video_url": "https://bucket/a.mp4?signature=x", "poster": "https://bucket/a.png"},
		{"video_url": "https://youtube/b"},
		{"video_url": "https://bucket/c.mp4"},
		{"video_url": 5},
		{},
	]
	assert signed["signed_url_expiry"] == UNTIL
	keys = list(signed)
	assert keys[keys.index("generated_at") + 1 :][:2] == ["signed_url_expiry", "access"]
	assert {key: signed[key] for key in document if key != "stages"} == {
		key: document[key] for key in document if key != "stages"
	}


def test_signing_leaves_the_unsigned_document_as_it_is() -> None:
	"""Earlier defect: signed URLs were never renewed. They can be, since signing is no change of content."""
	document = stamped_lesson(Stage("A", "Video", {"video_url": "https://bucket/a.mp4"}))
	with_signed_videos(document, sign, UNTIL)
	assert document["stages"][0]["config"] == {"video_url": "https://bucket/a.mp4"}


def test_without_anything_to_sign_no_expiry_is_said() -> None:
	document = stamped_lesson(Stage("B", "Video", {"video_url": "https://youtube/b"}))
	assert with_signed_videos(document, sign, UNTIL) == document
	assert "signed_url_expiry" not in document
