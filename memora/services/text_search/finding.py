"""Lessons by their words, for what the caller may read: one statement for them, and one for what is around each word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import frappe

from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import LESSON, line_of
from memora.services.course_outline import permissions
from memora.services.text_search.lesson_texts import STAGE, TEXT, parsed
from memora.services.text_search.rules import stage_text, tokens

MOST = 20
"""So many lessons are in an answer."""

_OF_A_LESSON = 400_000
"""Bytes of stages that are read for a lesson's excerpt; what is behind them is found all the same."""

_OF_AN_ANSWER = 1_000_000
"""Characters of stages that are looked through for one answer, half a second's work; lessons behind them have no excerpt."""

_FIELDS, _OF_STAGES = {"title", "description", "stages"}, {"title", "type", "config"}

_BEFORE, _AFTER = 8, 16
"""Words of an excerpt before and after the first that was found."""


def find(text: str, subject: str = "") -> dict[str, Any]:
	"""Lessons with each word of the text, or one that it begins, in what learners read of them; of one subject if asked.

	`rows` has `name`, `title`, `subject`, `path_titles` (from the subject down), `stage` (the title of the first that has one
	of the words, "" where title or description have it) and `excerpt`: pieces of its text, each with whether it is a hit.
	`more` says whether there are others; the last changed come first. Who may not read one of the fields finds nothing: the
	words of all are in one index.
	"""
	words = tokens.sought(text)
	if not words or not _may_read():
		return {"rows": [], "more": False}
	found = _lessons(words, subject)
	names = [row[0] for row in found[:MOST]]
	excerpts = _excerpts(names, words)
	rows = [
		{
			"name": name,
			"title": title or name,
			"subject": above[-1][0],
			"path_titles": [above_title for _name, above_title in reversed(above)],
			**excerpts.get(name, {"stage": "", "excerpt": []}),
		}
		for name, title, above in found[:MOST]
	]
	return {"rows": rows, "more": len(found) > MOST}


def _may_read() -> bool:
	"""Whether the caller's roles may read each field whose words are searched, where a site keeps some to others."""
	return _FIELDS.isdisjoint(permissions.unreadable_fields(LESSON)) and _OF_STAGES.isdisjoint(
		permissions.unreadable_fields(LESSON, table="stages")
	)


def _lessons(words: Sequence[str], subject: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
	"""Name, title, and name and title of each above it, from the topic to the subject."""
	line, levels = line_of(LESSON)
	above = list(levels)[1:]
	values: dict[str, Any] = {"query": tokens.query(list(words)), "subject": subject}
	readable = str(frappe.get_list(LESSON, fields=["name"], run=0)).replace("%", "%%")
	columns = ", ".join(f"{level}.name, {level}.title" for level in above)
	found = frappe.db.sql(
		f"""select n0.name, n0.title, {columns} from `tab{TEXT}` texts join {line} on n0.name = texts.name
		where match(texts.words) against (%(query)s in boolean mode) and n0.name in ({readable})
			and {above[-1]}.name {"= %(subject)s" if subject else "is not null"}
		order by n0.modified desc, n0.name limit {MOST + 1}""",
		values,
	)
	return [
		(row[0], row[1], [(row[at], row[at + 1] or row[at]) for at in range(2, len(row), 2)]) for row in found
	]


def _excerpts(names: Sequence[str], words: Sequence[str]) -> dict[str, dict[str, Any]]:
	"""What is around the first hit in each lesson's stages."""
	if not names:
		return {}
	found: dict[str, dict[str, Any]] = {}
	left = _OF_AN_ANSWER
	for lesson, stages in _stages(names).items():
		for title, kind, config in stages:
			left -= len(config)
			body = stage_text.of(kind, parsed(config)) if left >= 0 else ""
			if excerpt := _excerpt(body, title, list(words)):
				found[lesson] = excerpt
				break
	return found


def _stages(names: Sequence[str]) -> dict[str, list[tuple[str, str, str]]]:
	"""Title, type and config of the stages of these lessons, in their order; what is too much to be read is empty."""
	found: dict[str, list[tuple[str, str, str]]] = {name: [] for name in names}
	# The sizes apart: MariaDB would write what it sums up to a table of its own, with all texts.
	for parent, title, kind, config in frappe.db.sql(
		f"""select stage.parent, stage.title, stage.type, if(sizes.size <= {_OF_A_LESSON} and sizes.so_far <= {_OF_A_LESSON},
				stage.config, '')
		from `tab{STAGE}` stage join (
			select name, octet_length(config) as size, sum(if(octet_length(config) <= {_OF_A_LESSON}, octet_length(config), 0))
				over (partition by parent order by idx, name) as so_far
			from `tab{STAGE}` where parenttype = %(lesson)s and parent in %(names)s
		) sizes on sizes.name = stage.name order by stage.parent, stage.idx, stage.name""",
		{"lesson": LESSON, "names": tuple(names)},
	):
		found[parent].append((title or "", kind or "", config or ""))
	return found


def _excerpt(body: str, title: str, words: list[str]) -> dict[str, Any] | None:
	for text, stage in ((body, title), (title, "")):
		if pieces := list(_pieces(plain_text.read(text).split(), words)):
			return {"stage": stage, "excerpt": pieces}
	return None


def _pieces(read: list[str], words: list[str]) -> Iterator[tuple[str, bool]]:
	first = next((at for at, piece in enumerate(read) if tokens.is_hit(piece, words)), None)
	if first is None:
		return
	start = max(0, first - _BEFORE)
	run: list[str] = []
	for piece in read[start : first + _AFTER]:
		if tokens.is_hit(piece, words):
			if run:
				yield " ".join(run), False
			yield piece[:100], True
			run = []
		else:
			run.append(piece[:100])
	if run:
		yield " ".join(run), False
