"""The demo's mapping, on a small curriculum in the shape of freeCodeCamp's package. All texts are ours."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from curriculum import mapping, package, school
from curriculum.package import Block
from curriculum.pieces import Curriculum, Override, Piece, Plan, Stage

PROJECT, CERTIFICATE = 3, 7


def _challenge(title: str = "Name a heading", **fields: Any) -> dict[str, Any]:
	return {"id": title, "title": title, "description": [], "tests": [], "challengeType": 0, **fields}


def _block(
	name: str, *challenges: dict[str, Any], order: int = 1, folder: str = "01-web-design", **fields: Any
) -> Block:
	content = {"name": name, "order": order, "challenges": list(challenges or (_challenge(),)), **fields}
	return Block(folder, f"{name.lower()}.json", content)


def _lesson(challenge: dict[str, Any], **fields: Any) -> Piece:
	(subject,) = mapping.subjects([_block("Basics", challenge, **fields)])
	return subject.children[0].children[0].children[0].children[0]


def _kinds(lesson: Piece) -> list[str]:
	return [stage.type for stage in lesson.stages]


def test_superblocks_become_subjects_with_tracks_by_what_their_blocks_are() -> None:
	first, second = mapping.subjects(
		[
			_block("Web Projects", order=3),
			_block("Basics", order=2, time="5 hours"),
			_block("Colours", order=1),
			_block("Diploma", _challenge(challengeType=CERTIFICATE), order=4),
			_block("Routes", folder="02-apis-and-javascript-tools"),
		]
	)
	assert (first.title, first.sort_order) == ("Web Design", 1)
	assert (second.title, second.sort_order) == ("APIs and JavaScript Tools", 2)
	assert {track.title: [unit.title for unit in track.children] for track in first.children} == {
		"Lessons": ["Colours", "Basics"],
		"Projects": ["Web Projects"],
		"Certificates": ["Diploma"],
	}
	assert first.children[0].children[1].description == "About 5 hours of work."
	assert "CC BY-SA 4.0" in first.description


@pytest.mark.parametrize(
	("count", "sizes"), [(1, [1]), (12, [12]), (13, [7, 6]), (25, [9, 9, 7]), (480, [12] * 40)]
)
def test_a_block_is_cut_into_topics_of_at_most_a_dozen_lessons(count: int, sizes: list[int]) -> None:
	challenges = [_challenge(f"Step {number}") for number in range(1, count + 1)]
	(subject,) = mapping.subjects([_block("Basics", *challenges)])
	topics = subject.children[0].children[0].children
	assert [len(topic.children) for topic in topics] == sizes
	titles = [lesson.title for topic in topics for lesson in topic.children]
	assert titles == [challenge["title"] for challenge in challenges]
	assert topics[0].title == ("Basics" if len(sizes) == 1 else "Part 1: Step 1")
	assert len({topic.title for topic in topics}) == len(topics)


def test_a_challenge_becomes_stages_that_show_explain_try_and_compare() -> None:
	lesson = _lesson(
		_challenge(
			description=[
				"A page has <code>h1</code> headings.",
				"<pre>plain</pre>",
				"<hr>",
				"Add one &amp; run.",
			],
			tests=[{"text": "There is one.", "testString": "assert(one)"}],
			solutions=["<h1>Hi</h1>", " "],
			videoUrl="https://videos.example/1",
			required=[{"link": "https://cdn.example/b.css"}],
			files={
				"indexhtml": {
					"key": "indexhtml",
					"ext": "html",
					"name": "index",
					"contents": ["<main>", "</main>"],
					"head": [],
					"tail": ["<!-- end -->"],
				}
			},
		),
		required=[{"src": "https://cdn.example/a.js"}],
	)
	assert lesson.stages == (
		Stage("Watch", "Video", {"video_url": "https://videos.example/1"}),
		Stage("Read", "Text", {"html": "<p>A page has <code>h1</code> headings.</p>\n<pre>plain</pre>"}),
		Stage(
			"Try it",
			"Interactive",
			{
				"instructions": "<p>Add one &amp; run.</p>",
				"files": [
					{
						"name": "index.html",
						"language": "html",
						"content": "<main>\n</main>",
						"after": "<!-- end -->",
					}
				],
				"tests": [{"text": "There is one.", "code": "assert(one)"}],
				"libraries": ["https://cdn.example/a.js", "https://cdn.example/b.css"],
			},
		),
		Stage("Compare", "Text", {"solutions": ["<h1>Hi</h1>"]}),
	)
	assert lesson.description == "A page has h1 headings. plain"


def test_what_has_no_files_is_handed_in() -> None:
	lesson = _lesson(_challenge(challengeType=PROJECT, description=["<hr>Build it."], videoUrl=""))
	assert _kinds(lesson) == ["Question"]
	assert lesson.stages[0].config["instructions"] == "<p>Build it.</p>"
	assert lesson.stages[0].config["question"] == "Where can your project be seen?"


def test_a_certificate_asks_for_its_projects() -> None:
	lesson = _lesson(_challenge(challengeType=CERTIFICATE, tests=[{"id": "1", "title": "A poster"}]))
	assert lesson.stages == (
		Stage(
			"Claim",
			"Question",
			{
				"question": "Which of these are done?",
				"kind": "several",
				"choices": ["A poster"],
				"answer": ["A poster"],
			},
		),
	)


def test_beta_lessons_and_legacy_units_are_drafts() -> None:
	assert _lesson(_challenge()).is_published
	assert not _lesson(_challenge(isBeta=True)).is_published
	(subject,) = mapping.subjects([_block("Legacy Diploma")])
	assert not subject.children[0].children[0].is_published


def test_a_summary_holds_nothing_that_looks_like_markup() -> None:
	lesson = _lesson(_challenge(description=["A <b>heading</b> is written &lt;h1&gt;so&lt;/h1&gt;."]))
	assert lesson.description == "A heading is written ‹h1›so‹/h1›."


def test_long_titles_and_texts_fit_their_fields() -> None:
	lesson = _lesson(_challenge("Word " * 40, description=["Sentence " * 60]))
	assert len(lesson.title) <= 140 and lesson.title.endswith("Word…")
	assert len(lesson.description) <= 160 and lesson.description.endswith("Sentence…")


def test_the_school_adds_prices_drafts_plans_and_a_subject_in_arabic() -> None:
	folders = {
		school.WEB_DESIGN: "01-responsive-web-design",
		school.DATA: "04-data-visualization",
		school.SECURITY: "06-information-security-and-quality-assurance",
	}
	blocks = [
		_block("Basics", folder=folders[school.WEB_DESIGN]),
		_block("Chart Projects", folder=folders[school.DATA]),
		_block("Information Security with HelmetJS", folder=folders[school.SECURITY]),
	]
	made = school.curriculum(mapping.subjects(blocks))
	pieces = dict(made.paths())
	assert pieces[(school.WEB_DESIGN,)].flags["is_public"] is True
	assert pieces[(school.SECURITY,)].flags["required_item"]
	assert pieces[(school.SECURITY, "Lessons", "Information Security with HelmetJS")].flags == {
		"is_free_preview": True
	}
	assert pieces[(school.DATA, "Projects")].flags["is_sold_separately"] is True
	assert any(not piece.is_published for path, piece in pieces.items() if path[0] == school.ARABIC)
	assert len(pieces) == sum(1 for _ in made.paths()), "titles are unique among siblings"
	whole, evening = made.plans
	assert set(evening.subjects) & set(whole.subjects)
	assert {override.action for override in evening.overrides} == {
		"Hide",
		"Rename",
		"Set Free",
		"Set Sold Separately",
	}


def test_learners_see_what_is_published_with_all_above_it_and_not_hidden() -> None:
	def unit(title: str, *lessons: Piece, **fields: Any) -> Piece:
		return Piece("Unit", title, children=(Piece("Topic", "T", children=lessons),), **fields)

	subject = Piece(
		"Subject",
		"S",
		children=(
			Piece(
				"Track",
				"R",
				children=(
					unit("open", Piece("Lesson", "seen"), Piece("Lesson", "draft", is_published=False)),
					unit("drafted", Piece("Lesson", "below a draft"), is_published=False),
					unit("hidden", Piece("Lesson", "below a hidden unit")),
				),
			),
		),
	)
	made = Curriculum((subject, Piece("Subject", "not in the plan")))
	hide = Override(("S", "R", "hidden"), "Hide")
	plan = Plan("P", "2026", "One", "Science", ("S",), (hide,))
	assert school.lessons_of(made, plan) == [("S", "R", "open", "T", "seen")]


def test_blocks_are_read_from_the_archive_in_the_order_of_their_paths(tmp_path: Path) -> None:
	archive = tmp_path / "package.tgz"
	with tarfile.open(archive, "w:gz") as package_file:
		for name, text in {
			"package/dist/challenges/02-b/two.json": '{"name": "Two"}',
			"package/dist/challenges/01-a/one.json": '{"name": "Eins – واحد"}',
			"package/package.json": "{}",
			"package/dist/index.js": "",
		}.items():
			body = text.encode()
			member = tarfile.TarInfo(name)
			member.size = len(body)
			package_file.addfile(member, io.BytesIO(body))
	assert package.read(archive) == [
		Block("01-a", "one.json", {"name": "Eins – واحد"}),
		Block("02-b", "two.json", {"name": "Two"}),
	]


def test_a_package_that_cannot_be_fetched_or_is_another_one_is_refused(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	archive = tmp_path / f"freecodecamp-curriculum-{package.VERSION}.tgz"
	archive.write_bytes(b"something else")
	monkeypatch.setattr("shutil.which", lambda _: None)
	with pytest.raises(package.PackageError, match="npm is not installed"):
		package.fetch(tmp_path)

	def packs(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
		archive.write_bytes(b"something else")
		return subprocess.CompletedProcess(command, 0, "", "")

	monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/npm")
	monkeypatch.setattr("subprocess.run", packs)
	with pytest.raises(package.PackageError, match="is not the package we know"):
		package.fetch(tmp_path)
	assert not archive.exists()

	monkeypatch.setattr(
		"subprocess.run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "E404")
	)
	with pytest.raises(package.PackageError, match="E404"):
		package.fetch(tmp_path)
