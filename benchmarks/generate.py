"""Curricula of any size, with Arabic and English text, and a way to put them on a site in seconds.

`Shape` says how large; `subject` makes one subject of it; `Bulk` inserts subjects and plans with a few statements
a DocType, as rows that look as if Frappe had inserted them, changes noted for the relay included. The same shape
always makes the same content. Also takes the demo's curriculum (dev/curriculum), which has the same pieces.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import frappe
from curriculum.pieces import KINDS, Curriculum, Kind, Piece, Plan, Stage
from frappe.utils import now_datetime

from memora.services.cdn_export.model.doctypes import CONTENT, PARENT_FIELDS

BUCKET_VIDEO = "videos/{name}.mp4"
"""A bare key: the storage signs it as one of its own bucket."""

_ROWS_A_STATEMENT = 1_000
_ENGLISH = (
	"light energy force motion heat wave atom cell plant river number shape angle line sum word verb poem story "
	"market city history map climate machine signal code memory"
).split()
_ARABIC = (
	"الضوء الطاقة القوة الحركة الحرارة الموجة الذرة الخلية النبات النهر العدد الشكل الزاوية المستقيم المجموع الكلمة "
	"الفعل القصيدة القصة السوق المدينة التاريخ الخريطة المناخ الآلة الإشارة البرنامج الذاكرة"
).split()


@dataclass(frozen=True, slots=True)
class Shape:
	"""How many of each kind a parent has. The default subject has 200 lessons, the tenfold plan of it 2,000."""

	subjects: int = 10
	tracks: int = 2
	units: int = 5
	topics: int = 4
	lessons: int = 5
	stages: int = 5

	@property
	def lessons_a_subject(self) -> int:
		return self.tracks * self.units * self.topics * self.lessons

	@property
	def all_lessons(self) -> int:
		return self.subjects * self.lessons_a_subject


def subjects(shape: Shape, seed: int = 0) -> Iterator[Piece]:
	"""One subject after another, so that a large curriculum need not stand in memory."""
	for number in range(shape.subjects):
		yield subject(shape, number, seed)


def subject(shape: Shape, number: int, seed: int = 0) -> Piece:
	"""A subject: every second one in Arabic, every fifth paid with a free preview in it."""
	words = _Words(random.Random(f"{seed}/{number}"), _ARABIC if number % 2 else _ENGLISH)
	flags: dict[str, Any] = {"color_code": f"#{number * 4099 % 0xFFFFFF:06X}"}
	if number % 5 == 4:
		flags["required_item"] = f"ITEM-{number}"
	elif number % 5 == 0:
		flags["is_public"] = 1
	return _piece(words, shape, "Subject", number, flags)


def _piece(words: _Words, shape: Shape, kind: Kind, place: int, flags: dict[str, Any]) -> Piece:
	child = KINDS[KINDS.index(kind) + 1] if kind != "Lesson" else None
	count = getattr(shape, f"{child.lower()}s") if child else 0
	return Piece(
		kind,
		f"{words.some(2, 5)} {place + 1}",
		words.some(6, 16) if kind != "Topic" else "",
		sort_order=place + 1,
		flags=flags,
		stages=tuple(_stage(words, number) for number in range(shape.stages)) if not child else (),
		children=tuple(
			_piece(
				words, shape, child, number, {"is_free_preview": 1} if child == "Unit" and not number else {}
			)
			for number in range(count)
		)
		if child
		else (),
	)


def _stage(words: _Words, number: int) -> Stage:
	"""One video a lesson; the rest texts, questions and exercises of a few hundred bytes."""
	if number == 0:
		config = {
			"video_url": BUCKET_VIDEO.format(name=words.token()),
			"duration": words.random.randint(60, 900),
		}
		return Stage(words.some(1, 3), "Video", config)
	if number % 3 == 1:
		return Stage(words.some(1, 3), "Text", {"html": f"<p>{words.some(20, 60)}</p>"})
	if number % 3 == 2:
		choices = [words.some(1, 4) for _ in range(4)]
		return Stage(
			words.some(1, 3),
			"Question",
			{"question": f"{words.some(4, 10)}?", "choices": choices, "answer": choices[0]},
		)
	return Stage(words.some(1, 3), "Interactive", {"task": words.some(8, 20), "files": {"main.js": "// …"}})


@dataclass(slots=True)
class _Words:
	random: random.Random
	words: Sequence[str]

	def some(self, fewest: int, most: int) -> str:
		return " ".join(self.random.choices(self.words, k=self.random.randint(fewest, most)))

	def token(self) -> str:
		return f"{self.random.getrandbits(40):010x}"


@dataclass(slots=True)
class Planted:
	"""What stands on the site: names of subjects by title, of plans in order, of lessons by subject."""

	subjects: dict[str, str] = field(default_factory=dict)
	plans: list[str] = field(default_factory=list)
	lessons: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
	names: dict[tuple[str, ...], str] = field(default_factory=dict)


class Bulk:
	"""Inserts content by SQL. Commit is the caller's; `changes` says whether to note each document for the relay."""

	def __init__(self, seed: int = 0, *, changes: bool = True) -> None:
		self.planted = Planted()
		self._random = random.Random(f"names/{seed}")
		self._changes = changes
		self._created = now_datetime() - timedelta(days=1)
		self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

	def curriculum(self, pieces: Curriculum) -> Planted:
		"""Everything of the demo's curriculum."""
		for piece in pieces.subjects:
			self.add_subject(piece)
		for plan in pieces.plans:
			self.add_plan(plan)
		return self.planted

	def add_subject(self, piece: Piece) -> str:
		"""Insert a subject with all below it; returns its name."""
		name = self._add(piece, "", ())
		self.planted.subjects[piece.title] = name
		self._flush()
		return name

	def add_plan(self, plan: Plan) -> str:
		"""Insert a published plan that lists subjects already added; returns its name."""
		titles = {kind: getattr(plan, kind) for kind in ("season", "grade", "stream")}
		links = {kind: self._titled(f"Memora {kind.title()}", title) for kind, title in titles.items()}
		name = self._row("Memora Academic Plan", title=plan.title, is_published=1, **links)
		for place, title in enumerate(plan.subjects, start=1):
			self._child(
				"Memora Plan Subject",
				("Memora Academic Plan", name, "subjects", place),
				subject=self.planted.subjects[title],
				sort_order=place,
			)
		for place, override in enumerate(plan.overrides, start=1):
			self._child(
				"Memora Plan Override",
				("Memora Academic Plan", name, "overrides", place),
				target_doctype=f"Memora {KINDS[len(override.path) - 1]}",
				target_name=self.planted.names[override.path],
				action=override.action,
				override_value=override.value or None,
			)
		self.planted.plans.append(name)
		self._flush()
		return name

	def _add(self, piece: Piece, parent: str, above: tuple[str, ...]) -> str:
		doctype = CONTENT[KINDS.index(piece.kind)]
		fields = {
			"title": piece.title,
			"description": piece.description or None,
			"image": None,
			"sort_order": piece.sort_order,
			"is_published": int(piece.is_published),
			"is_free_preview": 0,
			**_EMPTY[piece.kind],
			**{key: int(value) if isinstance(value, bool) else value for key, value in piece.flags.items()},
		}
		if parent:
			fields[PARENT_FIELDS[doctype]] = parent
		name = self._row(doctype, **fields)
		path = (*above, piece.title)
		self.planted.names[path] = name
		for place, stage in enumerate(piece.stages, start=1):
			self._child(
				"Memora Lesson Stage",
				(doctype, name, "stages", place),
				title=stage.title,
				type=stage.type,
				config=json.dumps(stage.config, ensure_ascii=False),
			)
		for child in piece.children:
			self._add(child, name, path)
		if piece.kind == "Lesson":
			self.planted.lessons[above[0]].append(name)
		return name

	def _titled(self, doctype: str, title: str) -> str:
		found = frappe.db.get_value(doctype, {"title": title})
		if found:
			return found
		extra = {
			"Memora Season": {"is_published": 1, "start_date": None, "end_date": None},
			"Memora Grade": {"sort_order": 0},
		}
		name = self._row(doctype, title=title, **extra.get(doctype, {}))
		self._flush()
		return name

	def _row(self, doctype: str, **fields: Any) -> str:
		name = self._name()
		moment = self._next_moment()
		self._rows[doctype].append(_stamped(name, moment, 0, fields))
		if self._changes:
			change = {"ref_doctype": doctype, "ref_name": name, "event": "change", "was": ""}
			self._rows["CDN Change"].append(_stamped(self._name() * 2, moment, 0, change))
		return name

	def _child(self, doctype: str, place: tuple[str, str, str, int], **fields: Any) -> None:
		parenttype, parent, parentfield, idx = place
		where = {"parent": parent, "parentfield": parentfield, "parenttype": parenttype}
		self._rows[doctype].append(_stamped(self._name(), self._next_moment(), idx, {**where, **fields}))

	def _name(self) -> str:
		return f"{self._random.getrandbits(40):010x}"

	def _next_moment(self) -> datetime:
		"""Creation decides the order of siblings, so no two are alike."""
		self._created += timedelta(microseconds=1)
		return self._created

	def _flush(self) -> None:
		for doctype, rows in self._rows.items():
			for batch in _batches(rows):
				columns = ", ".join(f"`{column}`" for column in batch[0])
				places = "(" + ", ".join(["%s"] * len(batch[0])) + ")"
				frappe.db.sql(
					f"insert into `tab{doctype}` ({columns}) values {', '.join([places] * len(batch))}",
					tuple(value for row in batch for value in row.values()),
				)
		self._rows.clear()


_EMPTY: dict[Kind, dict[str, Any]] = {
	"Subject": {"color_code": None, "is_public": 0, "required_item": None},
	"Track": {"is_sold_separately": 0, "parent_item_required": 0, "required_item": None},
	"Unit": {"badge_image": None},
	"Topic": {},
	"Lesson": {},
}
"""What Frappe writes for the fields that a piece does not name."""


def _stamped(name: str, moment: datetime, idx: int, fields: dict[str, Any]) -> dict[str, Any]:
	return {
		"name": name,
		"creation": moment,
		"modified": moment,
		"owner": "Administrator",
		"modified_by": "Administrator",
		"docstatus": 0,
		"idx": idx,
		**fields,
	}


def _batches(rows: Sequence[dict[str, Any]]) -> Iterable[Sequence[dict[str, Any]]]:
	for start in range(0, len(rows), _ROWS_A_STATEMENT):
		yield rows[start : start + _ROWS_A_STATEMENT]


def plan_of(titles: Sequence[str], number: int = 0) -> Plan:
	"""A plan that lists these subjects."""
	return Plan(f"Plan {number + 1}", "2026/27", "Grade 10", "Science", tuple(titles))
