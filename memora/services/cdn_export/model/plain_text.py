"""Plain text, as people type it and as the database holds it.

A title may hold `<` and `>`: "The <main> element". Frappe's sanitizer rewrites or cuts such a text when it is saved,
leaves it as it is when it happens to be JSON, and many screens of the Desk show a text as HTML. So the database holds
`﹤` and `﹥` (U+FE64, U+FE65) in their place, which no parser of HTML takes for markup. What is published, and what our
endpoints and commands answer, has `<` and `>` again. Nothing else changes: an entity or a quote stays as typed.

`store` where a text goes to the database, `read` where it leaves memora.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

KINDS = frozenset({"Data", "Small Text", "Text", "Long Text"})
"""The kinds of field that hold plain text."""

LESS, GREATER = "\ufe64", "\ufe65"


def fields(meta: Any) -> Iterator[Any]:
	"""The fields of a DocType of memora, from its meta, that hold plain text; a field that a site has added stays as
	Frappe has it."""
	return (df for df in meta.fields if df.fieldtype in KINDS and not df.get("is_custom_field"))


def store(text: str) -> str:
	"""The text as the database holds it."""
	return text.replace("<", LESS).replace(">", GREATER)


def read(text: str) -> str:
	"""The text as it was typed."""
	return text.replace(LESS, "<").replace(GREATER, ">")


def read_all(answer: Any) -> Any:
	"""The same answer, of dicts, lists and plain values, with every text in it as it was typed; keys stay."""
	if isinstance(answer, str):
		return read(answer)
	if isinstance(answer, dict):
		return {key: read_all(value) for key, value in answer.items()}
	if isinstance(answer, (list, tuple)):
		return [read_all(value) for value in answer]
	return answer


def as_typed(endpoint: Callable[P, T]) -> Callable[P, T]:
	"""Make an endpoint, below its `frappe.whitelist`, answer with every text as it was typed."""

	@wraps(endpoint)
	def answer(*args: P.args, **kwargs: P.kwargs) -> T:
		return cast("T", read_all(endpoint(*args, **kwargs)))

	answer.answers_as_typed = True  # type: ignore[attr-defined]  # a test looks for it
	return answer


def as_like(text: str) -> str:
	"""A pattern of SQL's LIKE for texts that contain this one, with `%`, `_` and a backslash escaped."""
	return f"%{begins_with(store(text))}"


def begins_with(text: str) -> str:
	"""A pattern of SQL's LIKE for texts that begin with this one."""
	return re.sub(r"[\\%_]", r"\\\g<0>", text) + "%"


def as_html(text: str) -> str:
	"""The text within HTML that Frappe keeps or shows: a message, a notification, a comment.

	With the stand-ins, so that it is no markup either where a screen decodes entities once too often.
	"""
	return html.escape(store(text))


def store_json(document: bytes) -> str:
	"""JSON as a column of ours holds it, also without `<` and `>`. It parses to the same value."""
	return document.decode().replace("<", "\\u003c").replace(">", "\\u003e")
