"""The words of each lesson in Memora Lesson Text: written in the editor's own save, and caught up with every hour.

One statement a save, and only where the words are others. A save never fails because of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import frappe
from frappe.model.document import Document

from memora.services.cdn_export.model import plain_text
from memora.services.cdn_export.model.doctypes import LESSON
from memora.services.cdn_export.state import database
from memora.services.text_search.rules import stage_text, tokens

TEXT = "Memora Lesson Text"
STAGE = "Memora Lesson Stage"

_AT_ONCE = 200


def on_update(doc: Document, method: str | None = None) -> None:
	"""Write the words of a lesson that was inserted or saved, where they are others."""
	words, before = _words(doc), doc.get_doc_before_save()
	if not before or _words(before) != words:
		_quietly(doc.name, lambda: _write([(doc.name, words)]))


def on_trash(doc: Document, method: str | None = None) -> None:
	"""Forget the words of a lesson that is deleted."""
	_quietly(doc.name, lambda: frappe.db.sql(f"delete from `tab{TEXT}` where name = %s", doc.name))


def after_rename(doc: Document, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Give the words of a lesson its new name; of two that become one, the words of the one that stays are there."""
	if merge:
		return

	def rename() -> None:
		frappe.db.sql(f"update `tab{TEXT}` set name = %s where name = %s", (new, old))

	_quietly(new, rename)


def catch_up() -> int:
	"""Write the words of all lessons that were changed past the hooks since, and forget those that are gone; returns how many.
	Commits every 200."""
	database.transaction(_forget, reads=False)
	count, after = 0, ""
	while names := _outdated(after):
		after = names[-1]
		database.transaction(partial(_rewrite, names))
		count += len(names)
	return count


def words_of(title: str, description: str, stages: Iterable[tuple[str, str, Any]]) -> str:
	"""The words for the index of a lesson with this title and description; `stages` are title, type and config each."""
	texts = [title, description]
	for stage_title, kind, config in stages:
		texts += [stage_title, stage_text.of(kind, parsed(config))]
	return tokens.indexed("\n".join(plain_text.read(text) for text in texts if text))


def parsed(config: Any) -> Any:
	"""A stage's config as an object; None where it is none, as no editor can save it any more."""
	if not isinstance(config, str):
		return config
	try:
		return json.loads(config)
	except ValueError:
		return None


def _words(doc: Document) -> str:
	stages = [(stage.title or "", stage.type or "", stage.config) for stage in doc.stages]
	return words_of(doc.title or "", doc.description or "", stages)


def _quietly(name: str, work: Callable[[], object]) -> None:
	"""The editor's save goes on whatever happens here; a statement that fails has written nothing, and `catch_up` finds it."""
	try:
		work()
	except database.ERRORS as error:
		if database.errno(error) in database.TRANSACTION_ENDING:
			raise  # the edit itself is gone: its editor must hear of it
		frappe.logger("memora").error(
			f"the words of lesson {name} could not be written; an hourly job will: {error}"
		)


def _write(rows: Iterable[tuple[str, str]]) -> None:
	database.upsert(TEXT, ("name", "words"), list(rows), database.replaced(["words"]))


def _rewrite(names: list[str]) -> None:
	_write(_read(names))


def _forget() -> None:
	# Read first, and then deleted by name: a deletion that looks into other tables locks what it reads there.
	gone = frappe.db.sql_list(
		f"select texts.name from `tab{TEXT}` texts left join `tab{LESSON}` lesson on lesson.name = texts.name "
		"where lesson.name is null"
	)
	database.delete_names(TEXT, gone)


def _outdated(after: str) -> list[str]:
	return frappe.db.sql_list(
		f"""select lesson.name from `tab{LESSON}` lesson left join `tab{TEXT}` texts on texts.name = lesson.name
		where lesson.name > %s and (texts.name is null or lesson.modified > texts.modified or exists (
			select 1 from `tab{STAGE}` stage where stage.parent = lesson.name and stage.parenttype = %s
				and stage.modified > texts.modified))
		order by lesson.name limit {_AT_ONCE}""",
		(after, LESSON),
	)


def _read(names: list[str]) -> list[tuple[str, str]]:
	"""These lessons with their words, as they are now."""
	# The lock first: what is read behind it is what was committed before.
	lessons = frappe.db.sql(
		f"select name, title, description from `tab{LESSON}` where name in %s for update", (tuple(names),)
	)
	stages: dict[str, list[tuple[str, str, Any]]] = {name: [] for name in names}
	for parent, title, kind, config in frappe.db.sql(
		f"""select parent, title, type, config from `tab{STAGE}`
		where parenttype = %s and parent in %s order by parent, idx""",
		(LESSON, tuple(names)),
	):
		stages[parent].append((title or "", kind or "", config))
	return [
		(name, words_of(title or "", description or "", stages[name])) for name, title, description in lessons
	]
