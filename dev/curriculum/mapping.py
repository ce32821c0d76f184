"""From freeCodeCamp's superblocks, blocks and challenges to memora's subjects, units and lessons. Pure.

superblock → Subject, whose blocks stand in Tracks by what they are: lessons, projects, certificates.
block → Unit; its challenges are cut into Topics of a dozen or so, since blocks have up to 480.
challenge → Lesson: a Video where there is one, a Text that explains, then what the learner does (Interactive
where there are files to edit, Question where work is handed in), and a Text with solutions.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .package import CREDIT, Block
from .pieces import Piece, Stage

TOPIC_SIZE = 12
TITLE_LENGTH = 140
SUMMARY_LENGTH = 160

_TRACKS = ("Lessons", "Projects", "Certificates")
_SPELLING = {"apis": "APIs", "javascript": "JavaScript", "and": "and"}
_LANGUAGES = {"js": "javascript", "jsx": "jsx", "html": "html"}
_PROJECT = 3  # the challengeTypes whose work stands elsewhere: front end, back end
_PROJECT_BACKEND = 4
_CERTIFICATE = 7
_RULE = "<hr>"  # between explanation and task
_BLOCK_TAG = re.compile(
	r"</?(?:p|div|pre|blockquote|[uod]l|li|d[td]|table|t[hrd]|thead|tbody|h\d|section|hr)\b", re.I
)
_TAG = re.compile(r"<[^>]*>")


def subjects(blocks: Iterable[Block]) -> tuple[Piece, ...]:
	"""Return one Subject per superblock, in the package's order."""
	folders: dict[str, list[Block]] = {}
	for block in blocks:
		folders.setdefault(block.folder, []).append(block)
	return tuple(_subject(folder, folders[folder]) for folder in sorted(folders))


def _subject(folder: str, blocks: list[Block]) -> Piece:
	number, _, words = folder.partition("-")
	tracks: dict[str, list[Block]] = {}
	for block in sorted(blocks, key=lambda block: (block.content["order"], block.file)):
		tracks.setdefault(_track_title(block), []).append(block)
	return Piece(
		"Subject",
		title=" ".join(_SPELLING.get(word, word.capitalize()) for word in words.split("-")),
		description=f"From {CREDIT}.",
		sort_order=int(number),
		children=tuple(
			Piece("Track", title, sort_order=order, children=tuple(map(_unit, tracks[title])))
			for order, title in enumerate(_TRACKS, start=1)
			if title in tracks
		),
	)


def _track_title(block: Block) -> str:
	if all(challenge["challengeType"] == _CERTIFICATE for challenge in block.content["challenges"]):
		return "Certificates"
	return "Projects" if block.content["name"].endswith("Projects") else "Lessons"


def _unit(block: Block) -> Piece:
	content = block.content
	time = content.get("time") or ""
	return Piece(
		"Unit",
		title=_title(content["name"]),
		description=f"About {time} of work." if time else "",
		sort_order=content["order"],
		# What freeCodeCamp keeps only for learners who began long ago is a draft here.
		is_published=not content["name"].startswith("Legacy"),
		children=_topics(content),
	)


def _topics(content: dict[str, Any]) -> tuple[Piece, ...]:
	challenges = content["challenges"]
	libraries = _libraries(content)
	parts = max(1, math.ceil(len(challenges) / TOPIC_SIZE))
	size = math.ceil(len(challenges) / parts)
	topics = []
	for number in range(parts):
		part = challenges[number * size : (number + 1) * size]
		if part:
			title = content["name"] if parts == 1 else f"Part {number + 1}: {part[0]['title']}"
			lessons = tuple(
				_lesson(challenge, order, libraries) for order, challenge in enumerate(part, start=1)
			)
			topics.append(Piece("Topic", _title(title), sort_order=number + 1, children=lessons))
	return tuple(topics)


def _lesson(challenge: dict[str, Any], order: int, block_libraries: Sequence[str]) -> Piece:
	explanation, task = _split(challenge["description"])
	return Piece(
		"Lesson",
		title=_title(challenge["title"]),
		description=_summary(challenge["description"]),
		sort_order=order,
		is_published=not challenge.get("isBeta"),
		stages=tuple(_stages(challenge, explanation, task, block_libraries)),
	)


def _stages(
	challenge: dict[str, Any], explanation: str, task: str, block_libraries: Sequence[str]
) -> Iterable[Stage]:
	if challenge.get("videoUrl"):
		yield Stage("Watch", "Video", {"video_url": challenge["videoUrl"]})
	if explanation:
		yield Stage("Read", "Text", {"html": explanation})
	yield _exercise(challenge, task, block_libraries)
	solutions = [solution for solution in challenge.get("solutions") or () if solution.strip()]
	if solutions:
		yield Stage("Compare", "Text", {"solutions": solutions})


def _exercise(challenge: dict[str, Any], task: str, block_libraries: Sequence[str]) -> Stage:
	if challenge["challengeType"] == _CERTIFICATE:
		projects = [test["title"] for test in challenge["tests"]]
		question = {"question": "Which of these are done?", "kind": "several"}
		return Stage("Claim", "Question", {**question, "choices": projects, "answer": projects})
	tests = [{"text": test["text"], "code": test["testString"]} for test in challenge["tests"]]
	files = [_file(file) for file in (challenge.get("files") or {}).values()]
	if files:
		config = {
			"instructions": task,
			"files": files,
			"tests": tests,
			"libraries": [*block_libraries, *_libraries(challenge)],
		}
		return Stage("Try it", "Interactive", {key: value for key, value in config.items() if value})
	project = challenge["challengeType"] in (_PROJECT, _PROJECT_BACKEND)
	question = "Where can your project be seen?" if project else "Where does your solution run?"
	config = {"instructions": task, "question": question, "answer": "url", "tests": tests}
	return Stage("Hand in", "Question", {key: value for key, value in config.items() if value})


def _file(file: dict[str, Any]) -> dict[str, Any]:
	mapped = {
		"name": f"{file['name']}.{file['ext']}",
		"language": _LANGUAGES.get(file["ext"], file["ext"]),
		"content": "\n".join(file["contents"]),
		"before": "\n".join(file.get("head") or ()),
		"after": "\n".join(file.get("tail") or ()),
	}
	return {key: value for key, value in mapped.items() if value or key == "content"}


def _libraries(content: dict[str, Any]) -> list[str]:
	return [entry.get("src") or entry["link"] for entry in content.get("required") or ()]


def _split(description: Sequence[str]) -> tuple[str, str]:
	"""Return explanation and task, each as HTML."""
	explanation: list[str] = []
	task: list[str] = []
	part = explanation
	for line in description:
		if part is explanation and line.lstrip().startswith(_RULE):
			part = task
			line = line.lstrip().removeprefix(_RULE)
		if line.strip():
			part.append(line if _BLOCK_TAG.search(line) else f"<p>{line}</p>")
	return "\n".join(explanation), "\n".join(task)


def _summary(description: Sequence[str]) -> str:
	"""Return the description's first words as plain text."""
	text = " ".join(" ".join(html.unescape(_TAG.sub(" ", line)) for line in description[:3]).split())
	# What was escaped is no markup, and half of a shortened tag would be taken for one.
	return _shorten(text.replace("<", "‹").replace(">", "›"), SUMMARY_LENGTH)


def _title(text: str) -> str:
	return _shorten(" ".join(text.split()), TITLE_LENGTH)


def _shorten(text: str, length: int) -> str:
	if len(text) <= length:
		return text
	return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
