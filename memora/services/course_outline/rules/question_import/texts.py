"""Plain texts and markup out of what people typed: as it is, as HTML, or as Markdown.

A text is plain unless it begins with `[html]` or `[markdown]`: its `<` is shown as typed. What is HTML goes on as it is, since
whoever shows a stage shows only what is safe (docs/contract.md, "Stages").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from typing import NamedTuple

from memora.services.cdn_export.rules.stage_finding import Finding, _
from memora.services.course_outline.rules.question_import.row import warning

_FORMAT = re.compile(r"\s*\[(html|markdown|moodle|plain)\]", re.IGNORECASE)
_TAG = re.compile(
	r"</?(?:a|b|br|code|div|em|i|img|li|ol|p|pre|span|strong|sub|sup|table|u|ul)\b[^<>]*>", re.IGNORECASE
)
_ELEMENT = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>")
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"})
_LONGEST_MARKDOWN = 100_000
_UNSEEN = frozenset({"script", "style", "template"})
_PLAIN_ELEMENTS = frozenset({"p", "div", "br", "span"})
_FORMULA = re.compile(r"\\\((?:[^\\]|\\(?![()]))*\\\)|\\\[(?:[^\\]|\\(?![\[\]]))*\\\]")
_FENCE = re.compile(r"```([\w+-]*)")
_BARE_LINK = re.compile(r"(?:https?://|mailto:)[^\s\"'<>()]+", re.IGNORECASE)


class Text(NamedTuple):
	"""What was typed, and how it is meant: "html", "markdown", or "" for plain."""

	typed: str
	format: str = ""

	@property
	def is_markup(self) -> bool:
		"""Whether it has more to show than letters."""
		if self.format == "markdown":
			return _shown(markdown(self.typed)).has_markup
		return self.format == "html" and _shown(self.typed).has_markup

	def plain(self) -> str:
		"""As a field of plain text has it: without tags, blocks on lines of their own."""
		if not self.format:
			return self.typed.strip()
		return _shown(markdown(self.typed) if self.format == "markdown" else self.typed).text

	def markup(self) -> str:
		"""As a field of markup has it."""
		if self.format == "html":
			return self.typed.strip()
		return markdown(self.typed) if self.format == "markdown" else paragraphs(self.typed)


def read(typed: str, default: str = "") -> Text:
	"""A text with the format that it names, or that of what is around it."""
	named = _FORMAT.match(typed)
	format_ = named[1].lower() if named else default
	if format_ not in ("html", "markdown") or (format_ == "markdown" and len(typed) > _LONGEST_MARKDOWN):
		format_ = ""
	return Text(typed[named.end() if named else 0 :].strip(), format_)


def asked(text: Text) -> dict[str, str]:
	"""The field of a Question that asks it: plain text on one line, else markup; none for an empty text."""
	plain = text.plain()
	if text.is_markup or "\n" in plain:
		return {"instructions": text.markup()}
	return {"question": plain} if plain else {}


def paragraphs(plain: str) -> str:
	"""Markup that shows a plain text as typed, with its lines and paragraphs; "" for an empty one."""
	parts = [part.strip() for part in re.split(r"\n[ \t]*\n", plain.strip())]
	return "".join(f"<p>{escape(part, quote=False)}</p>".replace("\n", "<br>") for part in parts if part)


def remarks(text: Text, is_plain: bool) -> list[Finding]:
	"""What of a text is not shown as whoever wrote it may think; `is_plain`: its field takes no markup."""
	found = []
	if "@@PLUGINFILE@@" in text.typed:
		found.append(
			warning(
				_("Its picture is not in the text. Put it in when the question is there: {0}"), text.typed
			)
		)
	elif text.format and is_plain and re.search(r"<img\b|!\[", text.typed, re.IGNORECASE):
		found.append(warning(_("A choice is plain text, so its picture does not come in: {0}"), text.typed))
	if not text.format and (tag := _TAG.search(text.typed)):
		found.append(
			warning(_("{0} is shown as typed. Begin the text with {1} if it is HTML."), tag[0], "[html]")
		)
	return found


class _Shown(NamedTuple):
	"""The letters of markup, and whether it has more to show than letters."""

	text: str
	has_markup: bool


def _shown(markup: str) -> _Shown:
	parts: list[str] = []
	has_markup, unseen, last = False, "", 0
	markup = _without_comments(markup)
	for tag in _ELEMENT.finditer(markup):
		if not unseen:
			parts.append(markup[last : tag.start()].replace("\n", " "))
		last = tag.end()
		is_end, name = bool(tag[1]), tag[2].lower()
		has_markup = has_markup or name not in _PLAIN_ELEMENTS
		if unseen:
			unseen = "" if is_end and name == unseen else unseen
		elif name in _UNSEEN and not is_end:
			unseen = name
		elif name in _BLOCKS:
			parts.append("\n")
		elif name == "img" and (words := _ALT.search(tag[3])):
			parts.append(words[1] or words[2] or "")
	if not unseen:
		parts.append(markup[last:].replace("\n", " "))
	lines = (" ".join(line.split()) for line in unescape("".join(parts)).split("\n"))
	return _Shown("\n".join(line for line in lines if line), has_markup)


def _without_comments(markup: str) -> str:
	first, *others = markup.split("<!--")
	return first + "".join(other.partition("-->")[2] for other in others)


def markdown(typed: str) -> str:
	"""Markup of the Markdown that questions have: paragraphs, lists, code, bold, italic, links and pictures."""
	kept: list[str] = []

	def keep(found: str) -> str:
		kept.append(found)
		return f"\ufdef{len(kept) - 1}\ufdef"

	text = escape(typed.strip().replace("\ufdef", ""), quote=True)
	text = _fenced(text, keep)
	text = re.sub(r"`([^`\n]+)`", lambda at: keep(f"<code>{at[1]}</code>"), text)
	text = re.sub(_FORMULA, lambda at: keep(at[0]), text)
	text = re.sub(
		r"(!?)\[([^\[\]\n]*)\]\(([^()\s]+)\)",
		lambda at: keep(_link(*at.groups())) if _leads(at[3]) else at[0],
		text,
	)
	text = re.sub(r"\*\*(?=\S)([^*\n]+?)\*\*", r"<strong>\1</strong>", text)
	text = re.sub(r"(?<![\w*])\*(?=\S)([^*\n]+?)\*(?![\w*])", r"<em>\1</em>", text)
	text = re.sub(r"(?<!\w)_(?=\S)([^_\n]+?)_(?!\w)", r"<em>\1</em>", text)
	html = "".join(_block(block) for block in re.split(r"\n[ \t]*\n", text) if block.strip())
	for _nesting in range(2):  # a link's words may hold code
		html = re.sub(r"\ufdef(\d+)\ufdef", lambda at: kept[int(at[1])], html)
	return html


def _fenced(text: str, keep: Callable[[str], str]) -> str:
	"""The text with all between two lines of ``` kept."""
	lines: list[str] = []
	code: list[str] | None = None
	language = ""
	for line in text.split("\n"):
		fence = _FENCE.fullmatch(line.rstrip())
		if code is None and fence:
			code, language = [], fence[1]
		elif code is not None and line.rstrip() == "```":
			lines += ["", keep(_code(language, "\n".join(code))), ""]
			code = None
		else:
			(lines if code is None else code).append(line)
	return "\n".join(lines if code is None else [*lines, f"```{language}", *code])


def _block(block: str) -> str:
	lines = block.strip("\n").split("\n")
	for mark, element in ((r"[*+-]\s+", "ul"), (r"\d{1,9}[.)]\s+", "ol")):
		if all(re.match(mark, line.strip()) for line in lines):
			items = "".join(f"<li>{re.sub(f'^{mark}', '', line.strip())}</li>" for line in lines)
			return f"<{element}>{items}</{element}>"
	if re.fullmatch("\ufdef\\d+\ufdef", block.strip()):
		return block.strip()
	return f"<p>{'<br>'.join(line.strip() for line in lines)}</p>"


def _code(language: str, code: str) -> str:
	named = f' class="language-{language}"' if language else ""
	return f"<pre><code{named}>{code}</code></pre>"


def _leads(address: str) -> bool:
	return bool(_BARE_LINK.fullmatch(unescape(address)))


def _link(picture: str, words: str, address: str) -> str:
	return f'<img src="{address}" alt="{words}">' if picture else f'<a href="{address}">{words}</a>'
