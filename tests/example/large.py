"""A plan of 2,000 lessons in ten subjects, half of them in Arabic: what search has to cope with."""

from __future__ import annotations

from memora.services.cdn_export.model.tree import Node, Plan, Stage
from tests.support import NOW, PlanContent, Shelf, lesson, subject, topic, track, unit

PLAN = Plan("large", "Two thousand lessons", season="2026/27", grade="Ten", stream="All")
SUBJECTS, UNITS, TOPICS, LESSONS = 10, 5, 4, 10

_ENGLISH = (
	"Energy",
	"Fractions",
	"Rivers",
	"Verbs",
	"Planets",
	"Triangles",
	"Metals",
	"Cells",
	"Poems",
	"Maps",
)
_ARABIC = (
	"الطاقة",
	"الكسور",
	"الأنهار",
	"الأفعال",
	"الكواكب",
	"المثلثات",
	"المعادن",
	"الخلايا",
	"القصائد",
	"الخرائط",
)


def _subject(number: int) -> Node:
	arabic = number % 2
	words = _ARABIC if arabic else _ENGLISH
	kinds = ("المادة", "الوحدة", "الموضوع", "الدرس") if arabic else ("Subject", "Unit", "Topic", "Lesson")

	def title(kind: int, at: int, word: int) -> str:
		return f"{kinds[kind]} {at + 1}: {words[word % len(words)]}"

	units = [
		unit(
			f"u{number}-{u}",
			*(
				topic(
					f"t{number}-{u}-{t}",
					*(
						lesson(
							f"l{number}-{u}-{t}-{n}",
							title=title(3, (u * TOPICS + t) * LESSONS + n, u + t + n),
							sort_order=n,
							stage_count=1,
						)
						for n in range(LESSONS)
					),
					title=title(2, t, u + t),
					sort_order=t,
				)
				for t in range(TOPICS)
			),
			title=title(1, u, u + number),
			sort_order=u,
		)
		for u in range(UNITS)
	]
	return subject(
		f"s{number}",
		track(f"tr{number}", *units, title="المسار" if arabic else "Track"),
		title=title(0, number, number),
		is_public=True,
	)


def published(now: int = NOW) -> dict[str, bytes]:
	"""Every published file by its path."""
	roots = [_subject(number) for number in range(SUBJECTS)]
	stages = {
		f"l{s}-{u}-{t}-{n}": (Stage("Read", "Text", {"text": f"{s} {u} {t} {n}"}),)
		for s in range(SUBJECTS)
		for u in range(UNITS)
		for t in range(TOPICS)
		for n in range(LESSONS)
	}
	shelf = Shelf(stages=stages)
	shelf.publish([PlanContent(PLAN, [(root, place) for place, root in enumerate(roots)])], now)
	return shelf.files
