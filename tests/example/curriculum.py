"""A school's curriculum in Arabic and English, written by hand: every kind of file, access level and stage.

Two plans share two subjects. The evening plan overrides physics, so that it has a rendition of its own there.
"""

from __future__ import annotations

from hashlib import sha256

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.tree import Node, Override, Plan, Stage
from tests.support import NOW, PlanContent, Shelf, lesson, subject, topic, track, unit

_DRAWING = (
	'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" role="img"><rect width="96" height="96" rx="20" '
	'fill="{ground}"/><path d="{line}" fill="none" stroke="#fff" stroke-width="7" stroke-linecap="round" '
	'stroke-linejoin="round"/></svg>\n'
)


def _drawing(ground: str, line: str) -> tuple[str, bytes]:
	body = _DRAWING.format(ground=ground, line=line).encode()
	return paths.media(sha256(body).hexdigest(), "svg"), body


_TRIANGLE = _drawing("#1b6ec2", "M22 70 H74 L48 24 Z")
_WAVE = _drawing("#8e2a5b", "M14 52 Q26 20 38 52 T62 52 T86 52")
_BADGE = _drawing("#b7791f", "M30 50 L44 64 L68 34")
MEDIA = dict((_TRIANGLE, _WAVE, _BADGE))

DAY = Plan("grade-7", "Grade 7, science", season="2026/27", grade="Seven", stream="Science")
EVENING = Plan(
	"الصف ٧ مسائي", "الصف السابع، الدراسة المسائية", season="2026/27", grade="السابع", stream="علمي"
)

_BALANCE = """<p>An equation is a pair of scales. What you do to one side, you do to the other:</p>
<pre><code>x + 4 = 9
x     = 9 - 4</code></pre>
<p>So <strong>x is 5</strong>. Put it back in to be sure.</p>"""

STAGES: dict[str, tuple[Stage, ...]] = {
	"equations-1": (
		Stage("Watch", "Video", {"video_url": "https://videos.example/scales.mp4", "duration": 214}),
		Stage("Read", "Text", {"html": _BALANCE}),
		Stage(
			"Your turn",
			"Question",
			{"question": "What is x in x + 4 = 9?", "choices": ["4", "5", "13"], "answer": "5"},
		),
	),
	"equations-2": (
		Stage("Read", "Text", {"text": "Two steps now.\n\nFirst take away, then divide: 3x + 1 = 10."}),
		Stage(
			"Try it",
			"Interactive",
			{
				"instructions": "<p>Make <code>solve</code> return x of <code>a·x + b = c</code>.</p>",
				"files": [
					{
						"name": "solve.js",
						"language": "javascript",
						"content": "function solve(a, b, c) {\n  return 0;\n}",
					}
				],
				"tests": [{"text": "solve(3, 1, 10) is 3", "code": "assert(solve(3, 1, 10) === 3);"}],
			},
		),
	),
	"angles-1": (Stage("Read", "Text", {"html": "<p>A right angle has 90 degrees.</p>"}),),
	"sun-letters": (
		Stage(
			"اقرأ",
			"Text",
			{"html": '<p dir="rtl">لا تُنطق اللامُ قبل الحرف الشمسي: <strong>الشَّمس</strong>.</p>'},
		),
		Stage(
			"أجب",
			"Question",
			{
				"question": "أيّ كلمة تبدأ بلام شمسية؟",
				"choices": ["الشَّمس", "القمر", "الكتاب"],
				"answer": "الشَّمس",
			},
		),
	),
	"moon-letters": (
		Stage("اقرأ", "Text", {"text": "تُنطق اللامُ قبل الحرف القمري: القَمَر."}),
		Stage("شاهد", "Video", {"video_url": "https://www.youtube.com/watch?v=aqz-KE-bpKQ"}),
	),
	"light-1": (Stage("Read", "Text", {"text": "Light goes straight on until something is in its way."}),),
	"light-2": (Stage("Read", "Text", {"text": "A mirror gives it back at the angle at which it came."}),),
	"lab-1": (
		Stage(
			"Build it",
			"Interactive",
			{"instructions": "<p>A lamp, a card with a slit, a sheet of paper.</p>"},
		),
	),
}


def _lesson(name: str, title: str, **fields: object) -> Node:
	return lesson(name, title=title, stage_count=len(STAGES.get(name, ())), **fields)


MATHEMATICS = subject(
	"mathematics",
	track(
		"algebra",
		unit(
			"equations",
			topic(
				"one-unknown",
				_lesson(
					"equations-1", "A pair of scales", description="One step, and a check.", sort_order=1
				),
				_lesson("equations-2", "Two steps", sort_order=2),
				title="One unknown",
				sort_order=1,
			),
			title="Equations",
			description="Finding what stands behind a letter.",
			badge_image=_BADGE[0],
			sort_order=1,
		),
		title="Algebra",
		sort_order=1,
	),
	track(
		"geometry",
		unit(
			"angles",
			topic(
				"right-angles", _lesson("angles-1", "Right angles", sort_order=1), title="Angles at a corner"
			),
			topic("circles", title="Circles", description="To come.", sort_order=2),
			title="Angles",
			sort_order=1,
		),
		title="Geometry",
		sort_order=2,
	),
	title="Mathematics",
	description="Numbers, letters and figures.",
	image=_TRIANGLE[0],
	color_code="#1b6ec2",
)

ARABIC = subject(
	"arabic",
	track(
		"level-1",
		unit(
			"letters",
			topic(
				"laam",
				_lesson("sun-letters", "اللَّام الشمسية ☀️", description="متى لا تُنطق اللام؟", sort_order=1),
				_lesson("moon-letters", "اللَّام القمرية", sort_order=2),
				title="الحروف الشمسية والقمرية",
				sort_order=1,
			),
			title="القراءة والكتابة",
			sort_order=1,
		),
		title="المستوى الأول",
		sort_order=1,
	),
	title="اللغة العربية",
	description="الحروف والكلمات والجمل.",
	color_code="#2e7d32",
	is_public=True,
)

PHYSICS = subject(
	"physics",
	track(
		"optics",
		unit(
			"light",
			topic(
				"rays",
				_lesson("light-1", "Rays and shadows", sort_order=1, is_free_preview=True),
				_lesson("light-2", "Mirrors", sort_order=2),
				title="Rays",
				sort_order=1,
			),
			title="Light",
			sort_order=1,
		),
		title="Optics",
		sort_order=1,
	),
	track(
		"laboratory",
		unit(
			"bench",
			topic("slits", _lesson("lab-1", "A slit and a lamp", sort_order=1), title="With light"),
			title="At the bench",
			sort_order=1,
		),
		title="Laboratory",
		description="Experiments, sold on top of the course.",
		sort_order=2,
		is_sold_separately=True,
		parent_item_required=True,
		required_item="PHYSICS-LAB",
	),
	title="Physics",
	description="Light, to begin with.",
	image=_WAVE[0],
	color_code="#8e2a5b",
	required_item="PHYSICS",
)

PLANS = [
	PlanContent(DAY, [(MATHEMATICS, 1), (ARABIC, 2), (PHYSICS, 3)]),
	PlanContent(
		EVENING,
		[(ARABIC, 1), (PHYSICS, 2)],
		[
			Override("track", "laboratory", "Hide"),
			Override("unit", "light", "Set Sold Separately", "LIGHT-EVENING"),
			Override("subject", "physics", "Rename", "الفيزياء"),
		],
	),
]


def published(now: int = NOW) -> dict[str, bytes]:
	"""Every published file by its path, media and schemas among them."""
	shelf = Shelf(stages=STAGES, with_schemas=True)
	shelf.publish(PLANS, now)
	return {**shelf.files, **MEDIA}
