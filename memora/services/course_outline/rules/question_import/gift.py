"""GIFT, in which Moodle and many others export questions: `::title:: question {=right ~wrong}`.

Read as Moodle reads it (question/format/gift in its sources): a line that begins with `//` is a comment, an empty line ends a
question, `$CATEGORY:` begins a category, `\\` goes before a `~ = # { } :` that means itself, and `\\n` is a new line. An empty
line between braces ends nothing here, though.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from memora.services.cdn_export.rules.stage_finding import _
from memora.services.course_outline.rules.question_import import gift_answers, row, texts
from memora.services.course_outline.rules.question_import.row import Row

_ESCAPE = re.compile(r"\\([\\:#={}~n])")
_CATEGORY = re.compile(r"\s*\$CATEGORY:(.*)")
_GOES_ON = re.compile(r"\s*[=~#}]")
_LATEX_WITH_N = re.compile(
	r"(?<!\\)\\n(?=(?:abla|atural|e|earrow|eg|eq|eqq|exists|i|leq|geq|mid|ot|otin|parallel|u|warrow)\b)"
)
_FORMULA_BEGINS = re.compile(r"\$\$|\\\\?[(\[]")
_DOLLARS = re.compile(r"\$\$([^$\n]+)\$\$")


class _Block(NamedTuple):
	"""The lines between two empty ones."""

	line: int
	text: str
	group: str


def looks_like(text: str) -> bool:
	"""Whether a text is rather GIFT than a table."""
	found = re.search(
		r"^[ \t]*(?:::|\$CATEGORY:)|\{\s{0,99}(?:[=~#]|T(?:RUE)?\s?[#}]|F(?:ALSE)?\s?[#}])",
		text,
		re.MULTILINE,
	)
	return found is not None


def rows(text: str) -> Iterator[Row]:
	"""Each question of a text, in order."""
	for block in _blocks(text):
		yield _read(block)


def _blocks(text: str) -> Iterator[_Block]:
	group, first, lines = "", 0, list[str]()
	is_open = False  # between braces
	all_lines = text.split("\n")
	for number, line in enumerate(all_lines, start=1):
		is_comment = line.lstrip().startswith("//")
		category = None if is_open else _CATEGORY.match(line)
		is_end = not line.strip() and not (is_open and _goes_on(all_lines, number))
		# Moodle asks for an empty line between two questions; people forget it.
		is_next = lines and not is_open and lines[-1].rstrip().endswith("}") and (is_comment or _begins(line))
		if (category or is_end or is_next) and lines:
			yield _Block(first, "\n".join(lines), group)
			lines, is_open = [], False
		if category:
			group = re.sub(r"^(?:\$\w+\$/)?(?:top/)?", "", " ".join(category[1].split()))
		elif line.strip() and not is_comment:
			first = first if lines else number
			lines.append(line)
			is_open = _is_open(line, is_open)
	if lines:
		yield _Block(first, "\n".join(lines), group)


def _begins(line: str) -> bool:
	return line.lstrip().startswith("::") or "{" in re.sub(r"\\.", "", line)


def _is_open(line: str, before: bool) -> bool:
	braces = [brace for brace in re.sub(r"\\.", "", line) if brace in "{}"]
	return braces[-1] == "{" if braces else before


def _goes_on(lines: list[str], after: int) -> bool:
	"""Whether what follows empty lines is rather another answer than another question."""
	for line in lines[after : after + 20]:
		if line.strip():
			return bool(_GOES_ON.match(line))
	return False


def _read(block: _Block) -> Row:
	title, text = _title(_guarded(block.text).strip())
	start, end = text.find("{"), text.find("}")
	problem = None
	if start < 0 and end < 0:
		problem = _("It has no answers in {0}, so it is a text. Put it into a stage of the type Text.")
	elif start < 0 or end < start:
		problem = _(
			"Its answers do not begin and end with {0}. A brace that is part of a text is written {1}."
		)
	elif "{" in text[start + 1 :] or "}" in text[end + 1 :]:
		problem = _(
			"It has more than one pair of {0}. A brace that is part of a text, or of a formula, is written {1}."
		)
	if problem:
		name, _cut = row.titled(gift_answers.unguarded(title), _plain(text))
		return Row(block.line, name, {}, (row.broken(problem, "{ }", r"\{ \}"),), block.group)
	gap = "" if text.endswith("}") else "_____"
	question = gift_answers.read(text[:start] + gap + text[end + 1 :])
	answered = gift_answers.parsed(text[start + 1 : end].strip(), question)
	config = {**texts.asked(question), **answered.config}
	found = [*texts.remarks(question, is_plain=False), *answered.findings]
	if not question.plain() and not question.is_markup:
		found.append(row.broken(_("It asks nothing: there is no text before the answers.")))
	name = gift_answers.unguarded(title)
	return row.made(block.line, name, question.plain(), config, found, block.group)


def _title(text: str) -> tuple[str, str]:
	if text.startswith("::"):
		title, colons, rest = text[2:].partition("::")
		if colons:
			return title.strip(), rest.strip()
		return "", title
	return "", text


def _plain(text: str) -> str:
	return gift_answers.read(text).plain()


def _guarded(text: str) -> str:
	"""The text with characters in place of what is escaped, so that what is left of `{ } = ~ # :` means something."""
	if _FORMULA_BEGINS.search(text):
		text = _LATEX_WITH_N.sub(r"\\\\n", text)
		text = _DOLLARS.sub(r"\\\\(\1\\\\)", text)
	return _ESCAPE.sub(lambda at: gift_answers.GUARDS[at[1]], text)
