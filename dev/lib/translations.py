"""The texts of memora to translate, and the files that hold them.

`memora/locale/main.pot` lists them, `memora/locale/ar.po` is where they are translated (v16 reads it, compiled), and
`memora/translations/ar.csv` is made from that for v15. `python dev/lib/translations.py` brings all three up to date; a new
text is then in ar.po with an empty translation, and the tests say so.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

APP = Path(__file__).parents[2] / "memora"
LOCALE = APP / "locale"
LANGUAGE = "ar"

Text = tuple[str, str, str]
"""A text, its context or "", and the file that it is in."""

_JS_CALL = re.compile(
	r"""\b__\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)"""
	r"""(?:\s*,\s*(?:null|\[[^\]]*\])\s*,\s*("(?:[^"\\]|\\.)*"))?""",
	re.DOTALL,
)
_HEADER = "# The texts of memora. dev/lib/translations.py brings this file up to date."
_UNWANTED = tuple(
	f'"{field}'.encode()
	for field in (
		"Generated-By",
		"Language-Team",
		"Last-Translator",
		"PO-Revision",
		"POT-Creation",
		"Project-Id-Version",
		"Report-Msgid",
	)
)
"""Fields of a catalog's head that say nothing here, or differ from day to day and with Babel's version."""

_FIELD_TEXTS = ("label", "description")
_JSON_TEXTS = {
	"Workspace": ("label", "title"),
	"Number Card": ("label",),
	"Onboarding Step": ("title", "description", "action_label"),
	"Module Onboarding": ("title", "subtitle", "success_message"),
	"Page": ("title",),
}


def texts() -> list[Text]:
	"""Every text, in the order of files."""
	found = []
	for file in sorted(APP.rglob("*")):
		relative = str(file.relative_to(APP.parent))
		if "/dist/" in relative or "/tests/" in relative or "/reader/" in relative:
			continue
		if file.suffix == ".py":
			found += [(text, "", relative) for text in _of_python(file)]
		elif file.suffix == ".js":
			found += [(text, context, relative) for text, context in _of_javascript(file)]
		elif file.suffix == ".json" and "/memora/memora/" in f"/{relative}":
			found += [(text, "", relative) for text in _of_json(json.loads(file.read_text()))]
	return [(text, context, file) for text, context, file in found if re.search(r"\w", text)]


def catalog() -> Catalog:
	"""The template: each text once, with where it stands."""
	template = Catalog(project="memora", charset="utf-8", header_comment=_HEADER, fuzzy=False)
	for text, context, file in texts():
		template.add(text, locations=[(file, None)], context=context or None)
	return template


def translated() -> Catalog:
	"""What is translated into Arabic."""
	with open(LOCALE / f"{LANGUAGE}.po", "rb") as file:
		return read_po(file, locale=LANGUAGE)


def as_csv(done: Catalog) -> str:
	"""The translations as v15 reads them: text, translation, context."""
	out = io.StringIO()
	writer = csv.writer(out, lineterminator="\n")
	for message in sorted(done, key=lambda message: (message.id, message.context or "")):
		if message.id and message.string:
			writer.writerow([message.id, message.string, *([message.context] if message.context else [])])
	return out.getvalue()


def as_po(found: Catalog) -> bytes:
	"""A catalog as a file."""
	out = io.BytesIO()
	write_po(
		out, found, width=110, omit_header=False, sort_output=True, no_location=False, include_lineno=False
	)
	return b"".join(
		line for line in out.getvalue().splitlines(keepends=True) if not line.startswith(_UNWANTED)
	)


def update() -> None:
	"""Bring the three files up to date."""
	LOCALE.mkdir(exist_ok=True)
	template = catalog()
	(LOCALE / "main.pot").write_bytes(as_po(template))
	target = LOCALE / f"{LANGUAGE}.po"
	done = translated() if target.exists() else Catalog(locale=LANGUAGE, project="memora", charset="utf-8")
	done.update(template, no_fuzzy_matching=True)
	done.obsolete.clear()
	target.write_bytes(as_po(done))
	(APP / "translations").mkdir(exist_ok=True)
	(APP / "translations" / f"{LANGUAGE}.csv").write_text(as_csv(done))


def _of_python(file: Path) -> Iterator[str]:
	for node in ast.walk(ast.parse(file.read_text())):
		if (
			isinstance(node, ast.Call)
			and "_" in (getattr(node.func, "id", ""), getattr(node.func, "attr", ""))
			and node.args
		):
			first = node.args[0]
			if isinstance(first, ast.Constant) and isinstance(first.value, str):
				yield first.value


def _of_javascript(file: Path) -> Iterator[tuple[str, str]]:
	for text, context in _JS_CALL.findall(file.read_text()):
		yield _unquoted(text), _unquoted(context) if context else ""


def _unquoted(literal: str) -> str:
	return ast.literal_eval(f'"{literal[1:-1]}"' if literal[0] == "`" else literal)


def _of_json(doc: dict) -> Iterator[str]:
	kind = doc.get("doctype")
	if kind == "DocType":
		yield doc["name"]
		for field in doc.get("fields", []):
			yield from (field[key] for key in _FIELD_TEXTS if field.get(key))
			if field["fieldtype"] == "Select":
				yield from filter(None, (field.get("options") or "").split("\n"))
			elif field["fieldtype"] == "HTML" and field.get("options"):
				yield field["options"]
	for key in _JSON_TEXTS.get(kind or "", ()):
		if doc.get(key):
			yield doc[key]
	if kind == "Workspace":
		for rows in ("links", "shortcuts", "number_cards", "charts"):
			yield from (row["label"] for row in doc.get(rows, []) if row.get("label"))
		for block in json.loads(doc["content"]):
			if block["type"] == "header":
				yield re.sub(r"<[^>]+>", "", block["data"]["text"])
		yield from (row["format"] for row in doc.get("shortcuts", []) if row.get("format"))


if __name__ == "__main__":
	update()
