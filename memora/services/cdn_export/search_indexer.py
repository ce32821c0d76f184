"""A plan's search: one entry per lesson, in one file while that is small, else in shards by subject.

The steps are apart so that a caller can keep what did not change: the entries of a subject
(`subject_entries`), its shards (`shards`), and the index of the plan, `whole_index` with all entries in it or
`sharded_index` with the shards' addresses. Subjects come in the plan's order, as in its manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from memora.exceptions import FileTooLargeError
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.document_bytes import published_size, serialise
from memora.services.cdn_export.model.tree import ResolvedNode

Document = dict[str, Any]

# Spec, "Files": above either of these an index is sharded; a shard never has more bytes than this.
MOST_LESSONS_UNSHARDED = 500
MOST_BYTES = 102_400

_ENTRY = (
	"lesson_id",
	"lesson_name",
	"subject_id",
	"subject_name",
	"unit_id",
	"unit_name",
	"topic_id",
	"topic_name",
)
_ABOVE = itemgetter(*_ENTRY[4:])


@dataclass(frozen=True, slots=True)
class SubjectEntries:
	"""What a search over one subject can find, in content order."""

	subject_id: str
	subject_name: str
	entries: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Shard:
	"""One file of a subject's entries; `document` comes without its stamp."""

	path: str
	subject_id: str
	subject_name: str
	lesson_count: int
	document: Document


def subject_entries(subject: ResolvedNode) -> SubjectEntries:
	"""One entry per lesson of a subject, in content order."""
	return SubjectEntries(
		subject.name,
		subject.title,
		[
			{
				"lesson_id": lesson.name,
				"lesson_name": lesson.title,
				"subject_id": subject.name,
				"subject_name": subject.title,
				"unit_id": unit.name,
				"unit_name": unit.title,
				"topic_id": topic.name,
				"topic_name": topic.title,
			}
			for track in subject.children
			for unit in track.children
			for topic in unit.children
			for lesson in topic.children
		],
	)


def packed(subject: SubjectEntries) -> list[Any]:
	"""A subject's entries without what they repeat: JSON of a sixth of their size, for `unpacked`."""
	return [
		subject.subject_name,
		[
			[*above, [[entry["lesson_id"], entry["lesson_name"]] for entry in entries]]
			for above, entries in groupby(subject.entries, key=_ABOVE)
		],
	]


def unpacked(subject_id: str, of_subject: list[Any]) -> SubjectEntries:
	"""The entries that `packed` was given."""
	subject_name, topics = of_subject
	return SubjectEntries(
		subject_id,
		subject_name,
		[
			dict(zip(_ENTRY, (*lesson, subject_id, subject_name, *above), strict=True))
			for *above, lessons in topics
			for lesson in lessons
		],
	)


def entries_size(subject: SubjectEntries) -> int:
	"""How many bytes a subject's entries take in a file, each with a comma."""
	return sum(len(serialise(entry)) + len(",") for entry in subject.entries)


def needs_shards(plan: str, lessons: int, size: int) -> bool:
	"""Whether this many entries, of `size` bytes by `entries_size`, are too much for the index itself."""
	if lessons > MOST_LESSONS_UNSHARDED:
		return True
	around = published_size(whole_index(plan, [])) + len(str(lessons)) - len("0")
	return around + size - (len(",") if lessons else 0) > MOST_BYTES


def whole_index(plan: str, subjects: Iterable[SubjectEntries]) -> Document:
	"""The index of a small plan, with every entry in it."""
	entries = list(chain.from_iterable(subject.entries for subject in subjects))
	return {"plan_id": plan, "total_lessons": len(entries), "is_sharded": False, "entries": entries}


def sharded_index(plan: str, entries: Sequence[Document]) -> Document:
	"""The index of a large plan, made of `shard_entry`s."""
	return {
		"plan_id": plan,
		"total_lessons": sum(entry["lesson_count"] for entry in entries),
		"is_sharded": True,
		"shards": list(entries),
	}


def shard_entry(subject_id: str, subject_name: str, url: str, lesson_count: int) -> Document:
	"""A shard as the index lists it; each part of a split one has an entry with the lessons of that part."""
	return {
		"subject_id": subject_id,
		"subject_name": subject_name,
		"url": url,
		"lesson_count": lesson_count,
	}


def shards(plan: str, subject: SubjectEntries) -> list[Shard]:
	"""A subject's shard, or the parts of one that would be too large; none where there is no lesson."""
	parts = _parts(plan, subject)
	return [
		Shard(
			path=paths.search_shard(plan, subject.subject_id, number if len(parts) > 1 else None),
			subject_id=subject.subject_id,
			subject_name=subject.subject_name,
			lesson_count=len(part),
			document=_shard_document(plan, subject, part),
		)
		for number, part in enumerate(parts, start=1)
	]


def _shard_document(plan: str, subject: SubjectEntries, entries: Sequence[Document]) -> Document:
	return {
		"plan_id": plan,
		"subject_id": subject.subject_id,
		"subject_name": subject.subject_name,
		"entries": list(entries),
	}


def _parts(plan: str, subject: SubjectEntries) -> list[list[Document]]:
	"""The entries in their order, each part filled until the next entry would make its file too large."""
	around = published_size(_shard_document(plan, subject, []))
	parts: list[list[Document]] = []
	size = MOST_BYTES
	for entry in subject.entries:
		entry_size = len(serialise(entry)) + len(",")
		if size + entry_size > MOST_BYTES + len(","):  # the last entry of a part has no comma
			parts.append([])
			size = around
		parts[-1].append(entry)
		size += entry_size
		if size > MOST_BYTES + len(","):
			raise FileTooLargeError(
				f"The search entry of lesson “{entry['lesson_name']}” ({entry['lesson_id']}) alone has more than "
				f"{MOST_BYTES:,} bytes: shorten its titles"
			)
	return parts
