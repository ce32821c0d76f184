"""Questions out of a table: a row each, with headings in the first row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from memora.services.cdn_export.rules.stage_finding import Finding, _
from memora.services.course_outline.rules.question_import import (
	answers,
	headings,
	numerals,
	row,
	table,
	texts,
)
from memora.services.course_outline.rules.question_import.row import Row, broken, warning

_KINDS = {
	headings.normal(word): kind
	for kind, words in {
		"one": (
			"one",
			"single",
			"single choice",
			"multiple choice",
			"mcq",
			"اختيار من متعدد",
			"اختيار",
			"واحد",
		),
		"several": (
			"several",
			"multiple",
			"multiple answers",
			"checkboxes",
			"متعدد",
			"عدة إجابات",
			"أكثر من إجابة",
		),
		"true_false": (
			"true_false",
			"true/false",
			"true or false",
			"boolean",
			"صح أو خطأ",
			"صح وخطأ",
			"صح/خطأ",
		),
		"short": ("short", "short answer", "text", "fill in", "إجابة قصيرة", "قصيرة", "نص", "أكمل"),
		"number": ("number", "numeric", "numerical", "رقم", "عدد", "رقمي", "عددي"),
	}.items()
	for word in words
}


class Cells(NamedTuple):
	"""What a row has for each column that is known; choices in the order of their columns."""

	values: dict[str, str]
	choices: list[str]

	def get(self, column: str) -> str:
		return self.values.get(column, "")


class Sheet(NamedTuple):
	"""A table as it was read: its rows, and what to say of it as a whole."""

	rows: list[Row]
	notes: list[Finding]


def separator_of(text: str) -> str:
	"""What separates the cells of a table: what makes the most headings of its first row."""
	start = text[:20_000]

	def told(separator: str) -> tuple[int, int]:
		first = _first(start, separator)
		return headings.known(first), len(first)

	return max(table.SEPARATORS, key=told)


def has_headings(text: str) -> bool:
	"""Whether the first row of a text names columns."""
	first = _first(text[:20_000], separator_of(text))
	return len(first) > 1 and headings.known(first) > 1


def sheet(text: str, most: int) -> Sheet:
	"""The questions of a table, as many as `most`."""
	rows: list[Row] = []
	notes: list[Finding] = []
	columns: list[str] | None = None
	try:
		for line in table.lines(text, separator_of(text)):
			if len(rows) == most:
				break
			if columns is None:
				columns = [headings.column(cell) for cell in line.cells]
				notes = list(_notes(line.cells, columns))
				if any(note.severity == "broken" for note in notes):
					return Sheet([], notes)
			else:
				rows.append(_read(line, columns))
	except table.UnclosedQuote as error:
		problem = broken(
			_("The text in quotes that begins in this line has no end, so nothing after it was read.")
		)
		rows.append(Row(error.line, "", {}, (problem,)))
	return Sheet(rows, notes)


def _first(text: str, separator: str) -> list[str]:
	try:
		return next(table.lines(text, separator)).cells
	except (StopIteration, table.UnclosedQuote):
		return []


def _notes(heads: Sequence[str], columns: Sequence[str]) -> Iterator[Finding]:
	if "question" not in columns:
		yield broken(
			_(
				"The first row has to name the columns, and none of them is called {0} or {1}. Copy the template to begin with."
			),
			"Question",
			"السؤال",
		)
		return
	unknown = [head for head, column in zip(heads, columns, strict=True) if head and not column]
	if unknown:
		yield warning(_("These columns do not come in: {0}"), ", ".join(unknown))


def _read(line: table.Line, columns: Sequence[str]) -> Row:
	cells = _cells(line, columns)
	question = texts.read(cells.get("question"))
	config: dict[str, Any] = texts.asked(question)
	found = [*texts.remarks(question, is_plain=False)]
	if not config:
		found.append(broken(_("It asks nothing: the cell of the question is empty.")))
	config |= _answered(cells, question, found)
	for key in ("hint", "explanation"):
		if cells.get(key):
			said = texts.read(cells.get(key))
			config[key] = said.markup()
			found += texts.remarks(said, is_plain=False)
	if cells.get("shuffle"):
		shuffle = answers.is_on(cells.get("shuffle"))
		if shuffle is None:
			found.append(
				warning(
					_("“{0}” says neither yes nor no, so its choices are not shuffled."), cells.get("shuffle")
				)
			)
		elif shuffle:
			config["shuffle"] = True
	return row.made(line.number, cells.get("title"), question.plain(), config, found)


def _cells(line: table.Line, columns: Sequence[str]) -> Cells:
	values: dict[str, str] = {}
	choices: list[str] = []
	for column, cell in zip(columns, line.cells, strict=False):
		if not cell:
			continue
		if column == headings.CHOICE:
			choices.append(cell)
		elif column == "choices":
			choices += answers.listed(cell)
		elif column:
			values[column] = f"{values[column]}\n{cell}" if column in values else cell
	return Cells(values, choices)


def _answered(cells: Cells, question: texts.Text, found: list[Finding]) -> dict[str, Any]:
	"""The part of the config that says how it is answered; what is wrong with it goes into `found`."""
	kind = _kind(cells, found)
	offered = [texts.read(choice) for choice in cells.choices]
	found += [remark for choice in offered for remark in texts.remarks(choice, is_plain=True)]
	choices = [" ".join(choice.plain().split()) for choice in offered]
	answer = cells.get("answer")
	if not answer:
		found.append(broken(_("No answer is right: the cell of the right answer is empty.")))
		return {}
	if choices:
		return _chosen(kind, choices, answer, found)
	is_true = answers.truth(answer, is_sure=not kind)
	if kind == "true_false" or (not kind and is_true is not None):
		if is_true is None:
			found.append(broken(_("“{0}” is neither true nor false."), answer))
		words = answers.words_of_truth(question.typed)
		return {"kind": "true_false", "choices": list(words), "answer": words[0 if is_true else 1]}
	if kind in ("one", "several"):
		found.append(broken(_("It has no choices to choose from.")))
		return {}
	return _typed(kind, cells, found)


def _kind(cells: Cells, found: list[Finding]) -> str:
	word = headings.normal(cells.get("kind"))
	if word and word not in _KINDS:
		found.append(
			warning(_("“{0}” is no kind of question that is known, so its cells decide."), cells.get("kind"))
		)
	return _KINDS.get(word, "")


def _chosen(kind: str, choices: list[str], answer: str, found: list[Finding]) -> dict[str, Any]:
	offered = answers.Offered(choices)
	places = offered.chosen(answer)
	if places is None and answers.are_truths(choices) and (said := answers.truth(answer)) is not None:
		places = [place for place, choice in enumerate(choices) if answers.truth(choice) is said]
	if places is None:
		found.append(
			broken(
				_("“{0}” is none of its choices. Write the choice itself, its letter or its number."), answer
			)
		)
		return {"choices": choices}
	if offered.is_ambiguous(answer):
		found.append(
			warning(_("“{0}” is read as the choice of that text, not as the choice at that place."), answer)
		)
	right = [choices[place] for place in places]
	if kind not in ("one", "several", "true_false"):
		if kind:
			found.append(warning(_("It has choices, so it is a question to choose, not to type.")))
		kind = "several" if len(right) > 1 else "true_false" if answers.are_truths(choices) else "one"
	if kind == "one" and len(right) > 1:
		kind = "several"
		found.append(warning(_("Several choices are right, so learners choose all of them.")))
	return {"kind": kind, "choices": choices, "answer": right if kind == "several" else right[0]}


def _typed(kind: str, cells: Cells, found: list[Finding]) -> dict[str, Any]:
	accepted = answers.typed(cells.get("answer"))
	numbers: list[str] = []
	for text in accepted:
		try:
			if number := numerals.canonical(text):
				numbers.append(number)
			elif kind == "number":
				found.append(broken(_("“{0}” is no number."), text))
		except numerals.Ambiguous:
			found.append(
				broken(_("“{0}” may be two numbers. Write it with a point, and without thousands."), text)
			)
			return {}
	if kind == "short" or len(numbers) < len(accepted):
		if cells.get("tolerance") or cells.get("unit"):
			found.append(warning(_("Its answer is no number, so tolerance and unit do not come in.")))
		return {"kind": "short", "answer": accepted[0] if len(accepted) == 1 else accepted}
	config: dict[str, Any] = {"kind": "number", "answer": numbers[0] if len(numbers) == 1 else numbers}
	if cells.get("unit"):
		config["unit"] = cells.get("unit")
	if cells.get("tolerance"):
		try:
			margin = numerals.as_decimal(numerals.canonical(cells.get("tolerance").lstrip("±+ ")) or "")
		except numerals.Ambiguous:
			margin = None
		if margin is None or margin < 0:
			found.append(broken(_("Its tolerance “{0}” is no number."), cells.get("tolerance")))
		else:
			config["tolerance"] = numerals.as_json(margin)
	return config
