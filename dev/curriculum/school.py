"""What the demo's school makes of the curriculum: prices, previews, drafts, a subject of its own, two plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .pieces import Curriculum, Override, Piece, Plan, Stage, TitlePath

WEB_DESIGN = "Responsive Web Design"
JAVASCRIPT = "JavaScript Algorithms and Data Structures"
FRONT_END = "Front End Libraries"
DATA = "Data Visualization"
SECURITY = "Information Security and Quality Assurance"
ARABIC = "اللغة العربية"

WHOLE_PLAN = "Computing, the whole of it"
EVENING_PLAN = "Web design, evening course"

# The lesson that the demo edits: in a subject that both plans share, so that one edit reaches both.
EDITED_LESSON: TitlePath = (
	WEB_DESIGN,
	"Lessons",
	"Basic HTML and HTML5",
	"Part 1: Say Hello to HTML Elements",
	"Say Hello to HTML Elements",
)

SECURITY_ITEM = "COURSE-SECURITY"
_SECURITY_PREVIEW = "Information Security with HelmetJS"

_FLAGS: dict[TitlePath, dict[str, object]] = {
	(WEB_DESIGN,): {"is_public": True, "color_code": "#1B6EC2"},
	(JAVASCRIPT,): {"color_code": "#F0B429"},
	# A paid subject, with a unit to look into before buying.
	(SECURITY,): {"required_item": SECURITY_ITEM, "color_code": "#8E2A5B"},
	(SECURITY, "Lessons", _SECURITY_PREVIEW): {"is_free_preview": True},
	# Open to all who are signed in, but its projects are bought by themselves.
	(DATA, "Projects"): {"is_sold_separately": True, "required_item": "PROJECTS-DATA"},
}

_OVERRIDES = (
	Override((FRONT_END,), "Rename", "Interfaces with JavaScript"),
	Override((FRONT_END, "Lessons", "jQuery"), "Hide"),
	Override((DATA, "Lessons"), "Set Sold Separately", "EVENING-DATA"),
	Override((SECURITY, "Lessons", "Quality Assurance and Testing with Chai"), "Set Free"),
)


def curriculum(subjects: Sequence[Piece]) -> Curriculum:
	"""Return the school's curriculum: freeCodeCamp's `subjects`, ours, and the plans."""
	every = (*(_flagged(subject, ()) for subject in subjects), _arabic())
	whole = Plan(WHOLE_PLAN, "2026/27", "Year 12", "Computing", tuple(subject.title for subject in every))
	evening = Plan(
		EVENING_PLAN,
		"2026/27",
		"Adults",
		"Evening school",
		(WEB_DESIGN, JAVASCRIPT, FRONT_END, DATA, SECURITY, ARABIC),
		_OVERRIDES,
	)
	return Curriculum(every, (whole, evening))


def _flagged(piece: Piece, above: TitlePath) -> Piece:
	path = (*above, piece.title)
	children = tuple(_flagged(child, path) for child in piece.children)
	return replace(piece, flags={**piece.flags, **_FLAGS.get(path, {})}, children=children)


def _arabic() -> Piece:
	letters = Piece(
		"Topic",
		"الحروف الشمسية والقمرية",
		sort_order=1,
		children=(
			_arabic_lesson(
				1, "اللام الشمسية ☀️", "لا تُنطق اللام قبل الحرف الشمسي: الشَّمس.", ["الشمس", "القمر", "الكتاب"]
			),
			_arabic_lesson(
				2, "اللام القمرية 🌙", "تُنطق اللام قبل الحرف القمري: القَمَر.", ["القمر", "النور", "السماء"]
			),
			_arabic_lesson(
				3, "«أل» التعريف: \"متى؟\" و'كيف؟'", "تدخل «أل» على الاسم لا على الفعل.", ["البيت", "يكتب"]
			),
			replace(
				_arabic_lesson(4, "مسودة: همزة الوصل", "هذا الدرس لم يكتمل بعد.", ["استمع", "أكل"]),
				is_published=False,
			),
		),
	)
	poems = Piece("Topic", "قصائد قصيرة", "تُنشر في الفصل القادم.", sort_order=2)
	unit = Piece("Unit", "القراءة والكتابة", "أسبوعان.", sort_order=1, children=(letters, poems))
	draft = Piece("Unit", "الخط العربي", "مسودة.", sort_order=2, is_published=False)
	track = Piece("Track", "المستوى الأول", sort_order=1, children=(unit, draft))
	return Piece(
		"Subject",
		ARABIC,
		"مادة صغيرة كُتبت لهذا العرض.",
		sort_order=20,
		flags={"color_code": "#2E7D32"},
		children=(track,),
	)


def _arabic_lesson(order: int, title: str, text: str, choices: list[str]) -> Piece:
	stages = (
		Stage("اقرأ", "Text", {"html": f'<p dir="rtl">{text}</p>'}),
		Stage(
			"أجب",
			"Question",
			{"question": "أيّ كلمة تناسب القاعدة؟", "choices": choices, "answer": choices[0]},
		),
	)
	return Piece("Lesson", title, text, sort_order=order, stages=stages)


def lessons_of(curriculum: Curriculum, plan: Plan) -> list[TitlePath]:
	"""Return the lessons that learners of a plan should see: published with all above, and not hidden."""
	hidden = {override.path for override in plan.overrides if override.action == "Hide"}
	gone: set[TitlePath] = set()
	lessons = []
	for path, piece in curriculum.paths():
		if path[0] not in plan.subjects:
			continue
		if path[:-1] in gone or path in hidden or not piece.is_published:
			gone.add(path)
		elif piece.kind == "Lesson":
			lessons.append(path)
	return lessons


def paid_lesson(curriculum: Curriculum) -> TitlePath:
	"""Return the first lesson that opens only for who owns `SECURITY_ITEM`."""
	return next(
		path
		for path, piece in curriculum.paths()
		if piece.kind == "Lesson" and path[0] == SECURITY and path[2] != _SECURITY_PREVIEW
	)
