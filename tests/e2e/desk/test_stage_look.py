"""The editor of stages and the import of questions can be read: in light and dark, in both directions, on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import pictures
from tests.e2e.desk.driver import Desk
from tests.e2e.desk.school import NIGHT, School
from tests.e2e.desk.stage_forms import StageEditor, add_stage, lesson_of
from tests.e2e.desk.test_question_import import open_from_form
from tests.npm import node_modules

SIZES = {"": (1280, 860), "-phone": (390, 800)}
# Muted text and the main button have the colours of the Desk's theme, which are Frappe's to choose.
_AXE = """async (within) => {
	const probe = document.body.appendChild(document.createElement("span"));
	probe.className = "text-muted";
	const muted = getComputedStyle(probe).color;
	probe.remove();
	const isFrappes = (one) => one.matches(".btn-primary") || getComputedStyle(one).color === muted;
	const { violations } = await axe.run(within, {
		iframes: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
	});
	return violations.flatMap(({ id, nodes }) => nodes
		.filter(({ target }) => id !== "color-contrast" || !isFrappes(document.querySelector(target[0])))
		.map(({ html, failureSummary }) => [id, html.slice(0, 200), failureSummary]));
}"""
_CUT_OFF = """(within) => [...within.querySelectorAll("button, input, textarea, summary, select")].filter((one) => {
	const { left, right, width } = one.getBoundingClientRect();
	return width && one.checkVisibility() && (left < -1 || right > innerWidth + 1);
}).map((one) => one.outerHTML.slice(0, 120))"""

STAGES = [
	{
		"type": "Question",
		"config": json.dumps(
			{
				"instructions": "<p>Read <a href='#x'>this</a>.</p>",
				"question": r"What is \(2^3\)?",
				"choices": ["8", "6", ""],
				"answer": "9",
				"hint": "<p>Think</p>",
				"options": ["x"],
			}
		),
	},
	{
		"type": "Video",
		"config": json.dumps(
			{
				"video_url": "ftp://videos.example/a.mp4",
				"title": "Waves",
				"start": 1,
				"end": 90,
				"poster": "https://videos.example/a.png",
				"captions": [{"src": "https://videos.example/a.vtt", "lang": "ar", "label": "العربية"}],
			}
		),
	},
	{
		"type": "Interactive",
		"config": json.dumps(
			{
				"instructions": "<p>Return x.</p><pre><code class='language-python'>x = 1</code></pre>",
				"files": [{"name": "solve.py", "language": "python", "content": "def solve(): return 0"}],
				"tests": [{"text": "It is 3", "code": "assert solve() == 3"}],
				"libraries": ["numpy"],
			}
		),
	},
	{"type": "Text", "config": '{"html": "<p>a</p>", "own": 1}'},
]


def _is_readable(page: Page, within: Locator) -> None:
	page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text())
	element = within.element_handle()
	assert page.evaluate(_AXE, element) == []
	assert page.evaluate(_CUT_OFF, element) == []


@pytest.fixture(params=["en", "ar", "night"])
def who(request: pytest.FixtureRequest, schools: dict[str, School]) -> Iterator[tuple[str, School]]:
	"""Who looks: their name in pictures, and their school."""
	yield request.param, schools["ar" if request.param == "ar" else "en"]


@pytest.mark.parametrize("size", SIZES)
def test_the_editor_of_stages_can_be_read(desk: Desk, who: tuple[str, School], size: str) -> None:
	name, here = who
	width, height = SIZES[size]
	with (
		lesson_of(here, *STAGES) as lesson,
		desk.login(NIGHT if name == "night" else here.editor, width=width, height=height) as page,
	):
		desk.form(page, lesson)
		editor = add_stage(page, here)
		pictures.keep(page, f"desk-look-new{size}-{name}")
		_is_readable(page, editor.dialog)
		editor.locator(".btn-modal-close").click()
		expect(page.locator(".memora-stage-dialog")).to_have_count(0)
		for place, stage in enumerate(STAGES, 1):
			# On a phone a table of Frappe 15 is pushed aside to its last column.
			page.locator(f".grid-row[data-idx='{place}'] .btn-open-row").dispatch_event("click")
			editor = StageEditor(page, here)
			_all_is_there(editor, stage["type"])
			pictures.keep(page, f"desk-look-{place}{size}-{name}")
			_is_readable(page, editor.dialog)
			editor.raw.scroll_into_view_if_needed()
			if stage["type"] == "Text":
				editor.raw.fill('{\n"html": oh\n}')
				editor.locator(".memora-stage-numbers mark").wait_for()
			pictures.keep(page, f"desk-look-{place}-end{size}-{name}")
			_is_readable(page, editor.dialog)
			if stage["type"] != "Text":
				editor.locator(".btn-modal-close").click()
				expect(page.locator(".memora-stage-dialog")).to_have_count(0)


def _all_is_there(editor: StageEditor, type_: str) -> None:
	"""Texts that come into sight load their editor, and the check has answered."""
	if type_ in ("Question", "Interactive"):
		editor.locator(".ProseMirror").first.wait_for()
	if type_ in ("Question", "Video"):
		editor.findings().first.wait_for()


@pytest.mark.parametrize("size", SIZES)
def test_the_import_of_questions_can_be_read(desk: Desk, who: tuple[str, School], size: str) -> None:
	name, here = who
	width, height = SIZES[size]
	with (
		lesson_of(here) as lesson,
		desk.login(NIGHT if name == "night" else here.editor, width=width, height=height) as page,
	):
		desk.form(page, lesson)
		dialog = open_from_form(page, here).element
		pictures.keep(page, f"desk-look-import{size}-{name}")
		_is_readable(page, dialog)
		dialog.locator("textarea").first.fill(
			"Question\tChoice 1\tChoice 2\tRight answer\n1 + 1 = ?\t2\t3\t1\nNo answer\ta\tb\t\n"
		)
		dialog.locator(".memora-import-row").nth(1).wait_for()
		pictures.keep(page, f"desk-look-import-rows{size}-{name}")
		_is_readable(page, dialog)
