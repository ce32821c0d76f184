"""Formulas in the reader: what is drawn is whole, what cannot be drawn stays as it was typed, and nobody else pays for it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e import pictures, stamps
from tests.e2e.conftest import Reader
from tests.e2e.test_reader import tell
from tests.npm import REPO, node_modules

KATEX = "/assets/memora/node_modules/katex/dist/"
DRAWN = ".formula .katex-html"
BROKEN = ".formula.is-broken"

SCHOOL = [
	r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}",
	r"\vec{v} = \overrightarrow{AB}",
	r"\sum_{k=1}^{n} k = \frac{n(n+1)}{2}, \int_0^\infty e^{-x^2}\,dx",
	r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \\ 5 & 6 \end{pmatrix}",
	r"f(x)=\begin{cases} x^2 & x \ge 0 \\ -x & x<0 \end{cases}",
	r"x \in \mathbb{R}, A \subseteq B",
	r"\sqrt[3]{\frac{1}{1+\frac{1}{x}}}",
	r"\mathrm{2H_2 + O_2 \rightarrow 2H_2O}",
	r"A \xrightarrow{\text{heat}} B",
	r"\lim_{x\to 0}\frac{\sin x}{x}=1, \alpha \approx 25\,^\circ\mathrm{C}",
]
OTHERS = [
	r"\hat{x}\ \widehat{abc}\ \overline{AB}\ \underbrace{a+b}_{c}\ \overbrace{a}^{b}",
	r"\cancel{x}\ \boxed{E=mc^2}\ \phase{30}\ \fcolorbox{red}{white}{x}\ \pmb{x}",
	r"\mathcal{A} \mathfrak{g} \mathscr{L} \mathsf{s} \mathtt{t} \mathbf{v}",
	r"\begin{CD} A @>a>> B \\ @VVbV @AAcA \\ C @= D \end{CD}",
	r"\left\{\frac{\frac{a}{b}}{\frac{c}{d}}\right\}^{2} \left|\frac{x}{y}\right|",
	r"\xleftrightarrow[below]{above} \xRightarrow{a} \utilde{abc} \widetilde{abc} \overgroup{AB}",
	"\\sqrt{\\text{المساحة الكلية}} = \\frac{\\text{المسافة}}{\\text{الزمن}}",
	"س^2 + \\frac ص ع \\operatorname{جا} س",
]


def _text(*parts: str, **others: Any) -> tuple[str, dict[str, Any]]:
	return "Text", {"html": "".join(parts), **others}


def _all_drawn(reader: Reader, count: int) -> None:
	reader.until(
		"([drawn, count]) => document.querySelectorAll(drawn).length === count", [f"{DRAWN}, {BROKEN}", count]
	)


def _outside_the_view(page: Page) -> int:
	return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_formulas_are_drawn_wherever_texts_may_hold_them(reader: Reader) -> None:
	page = reader.show(
		_text(r"<p>So \(x = 5\) and <em>then</em> \[\frac{1}{2}\]</p><table><tr><td>\(y\)</td></tr></table>"),
		("Text", {"text": "A line with \\(a < b\\).\n\nAnd \\[c\\]"}),
		(
			"Question",
			{
				"question": r"What is \(2^3\)?",
				"choices": [r"\(8\)", r"\(6\)"],
				"answer": r"\(8\)",
				"instructions": r"<p>Use \(n^k\).</p>",
			},
		),
	)
	_all_drawn(reader, 9)
	assert page.locator(BROKEN).count() == 0
	assert "\\(" not in page.inner_text("main")
	assert page.locator("legend .katex").count() == 1
	assert page.locator(".choice .katex").count() == 2
	assert page.locator(".formula.is-display").count() == 2
	assert page.locator(".katex-mathml math annotation").first.text_content() == "x = 5"
	page.check("input[value='\\\\(8\\\\)']")
	page.click("form button")
	assert page.inner_text(".verdict") == "That is right."


def test_a_copy_of_the_reader_elsewhere_draws_them_too(reader: Reader) -> None:
	"""What docs/reader.md names, side by side, and nothing of the site."""
	copied = {
		str(file.relative_to(folder)): file.read_bytes()
		for folder, parts in (
			(REPO / "memora" / "public", ("reader", "images")),
			(
				node_modules().parent,
				(
					"node_modules/dompurify/dist/purify.min.js",
					"node_modules/katex/dist",
					"node_modules/@highlightjs/cdn-assets/es",
				),
			),
		)
		for part in parts
		for file in ((folder / part).rglob("*") if (folder / part).is_dir() else [folder / part])
		if file.is_file()
	}
	reader.server.trees = {**reader.server.trees, "copy": copied}
	reader.show(
		_text(
			r'<p>\(\frac{1}{2}\) and \[\vec{v}\]</p><pre><code class="language-python">def f(): 1</code></pre>'
		)
	)
	_all_drawn(reader, 2)
	reader.until("document.querySelector('.code-keyword')")
	page = reader.page
	page.wait_for_load_state("networkidle")  # its fonts are there, it asks for nothing more
	reader.server.asked()
	page.goto(
		f"{reader.server.address}/files/copy/reader/index.html?base=/files/example/&lang=en#/grade-7/mathematics/angles/angles-1"
	)
	_all_drawn(reader, 2)
	reader.until("document.querySelector('.code-keyword')")
	assert page.locator(BROKEN).count() == 0
	page.evaluate("document.fonts.ready")
	asked = reader.server.asked()
	assert [path for path in asked if "/copy/node_modules/katex/dist/fonts/" in path]
	assert [path for path in asked if path.startswith("/assets/")] == []


def test_what_is_code_stays_as_it_is(reader: Reader) -> None:
	page = reader.show(
		_text(
			r"<pre>\(a\)</pre><p><code>\[b\]</code> <kbd>\(c\)</kbd> \\ 50\% (d) [e] \(</p>",
			solutions=[r"print('\(f\)')"],
		),
		("Interactive", {"files": [{"name": "a.tex", "content": r"\[g\]"}]}),
	)
	assert page.locator(".formula").count() == 0
	assert r"\(a\)" in page.inner_text("pre >> nth=0")
	assert not [path for path in reader.server.asked() if "katex" in path]


def test_a_lesson_with_formulas_and_code_on_a_phone(reader: Reader) -> None:
	reader.page.set_viewport_size({"width": 420, "height": 900})
	page = reader.show(
		_text(
			r"<p>A number \(x\) with \(ax^2+bx+c=0\) is</p>\[x = \frac{-b \pm \sqrt{b^2-4ac}}{2a}\]",
			'<pre><code class="language-python">def root(a, b, c):\n    # the greater one\n',
			"    return (-b + (b * b - 4 * a * c) ** 0.5) / (2 * a)</code></pre>",
		),
		(
			"Question",
			{
				"question": r"What is \(\sqrt{9}\)?",
				"choices": [r"\(\frac{6}{2}\)", r"\(81\)"],
				"answer": r"\(\frac{6}{2}\)",
			},
		),
	)
	_all_drawn(reader, 6)
	reader.until("document.querySelector('.code-keyword')")
	assert _outside_the_view(page) == 0
	page.evaluate("document.querySelector('.stage').scrollIntoView()")
	pictures.keep(page, "reader-formulas")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_nothing_drawn_is_silently_incomplete(reader: Reader, lang: str) -> None:
	"""Under the page's policy \\vec once lost its arrow. Any refusal is an error of the page, which fails the test."""
	page = reader.show(_text(*(rf"<p>\[{one}\]</p>" for one in SCHOOL + OTHERS)), lang=lang)
	reader.until("() => { scrollTo(0, 1e6); return true }")
	_all_drawn(reader, len(SCHOOL + OTHERS))
	assert page.locator(BROKEN).count() == 0
	empty = page.evaluate(
		"""[...document.querySelectorAll('.katex-html svg')]
			.filter((svg) => { const { width, height } = svg.getBoundingClientRect(); return !width || !height })
			.map((svg) => svg.closest('.formula').querySelector('annotation').textContent)"""
	)
	assert empty == []
	assert page.evaluate("document.querySelectorAll('.formula [style*=width]').length") > 10
	assert page.evaluate("getComputedStyle(document.querySelector('.formula')).direction") == "ltr"


def test_letters_of_other_scripts_have_room(reader: Reader) -> None:
	page = reader.show(
		_text("<p>\\(\\sqrt{\\text{المساحة}}\\) and \\(\\frac{\\text{المسافة}}{\\text{الزمن}}\\)</p>")
	)
	_all_drawn(reader, 2)
	em = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.katex')).fontSize)")
	assert (
		page.evaluate("document.querySelector('.katex-html .strut').getBoundingClientRect().height")
		> 1.3 * em
	)
	assert "المساحة" in page.inner_text(".katex-html .sqrt")
	assert page.locator("annotation").first.text_content() == "\\sqrt{\\text{المساحة}}"


@pytest.mark.parametrize(
	"source",
	[
		r"\frac{1}{",
		r"\unknowncommand{x}",
		r"\href{javascript:alert(1)}{x}",
		r"\includegraphics{https://example.com/a.png}",
		r"\htmlStyle{color:red}{x}",
		r"\def\a{\a\a}\a",
		r"\newcommand{\a}{x}\a",
		r"\gdef \a{x}",
		"x" * 3001,
	],
	ids=lambda source: source[:20],
)
def test_what_cannot_be_drawn_stays_as_it_was_typed(reader: Reader, source: str) -> None:
	page = reader.show(_text(rf"<p>Before \({source}\) and \(x\)</p>"), lang="en")
	_all_drawn(reader, 2)
	assert page.inner_text(BROKEN) == rf"\({source}\)⚠"
	assert page.get_attribute(".formula-mark", "aria-label") == "This formula cannot be drawn"
	assert reader.outside == []
	assert _outside_the_view(page) == 0


def test_without_its_library_a_formula_stays_as_it_was_typed(reader: Reader) -> None:
	reader.server.gone.add(f"{KATEX}katex.min.js")
	reader.expected.append("404")
	page = reader.show(_text(r"<p>\(x^2\)</p>"), lang="ar")
	_all_drawn(reader, 1)
	assert page.inner_text(BROKEN) == "\\(x^2\\)⚠"
	assert page.get_attribute(".formula-mark", "title") == "لا يمكن رسم هذه الصيغة"


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_a_formula_wider_than_a_phone_is_moved_in_its_place(reader: Reader, lang: str) -> None:
	reader.page.set_viewport_size({"width": 360, "height": 640})
	wide = r"\frac{" + "+".join("abcdefghijklmnopqrstuvwxyz") + "}{2}"
	page = reader.show(
		_text(rf"<p>\[{wide}\]</p><p>Thus \({wide}\).</p>"),
		("Question", {"question": rf"\({wide}\)", "choices": [rf"\({wide}\)", "2"], "answer": "2"}),
		lang=lang,
	)
	reader.until("() => { scrollTo(0, 1e6); return true }")
	_all_drawn(reader, 4)
	reader.until("document.querySelectorAll('.formula[tabindex=\"0\"]').length === 4")
	assert _outside_the_view(page) == 0


def test_ten_thousand_formulas_do_not_hold_the_page_up(reader: Reader) -> None:
	page = reader.show(_text(*(rf"<p>\(\frac{{{n}}}{{x}}\)</p>" for n in range(10_000))))
	reader.until("drawn => document.querySelectorAll(drawn).length > 5", DRAWN)
	assert page.locator(DRAWN).count() < 500
	page.keyboard.press("End")
	reader.until(
		"drawn => [...document.querySelectorAll('.formula')].at(-1).querySelector('.katex-html')", DRAWN
	)
	assert page.locator(DRAWN).count() < 1000
	page.evaluate("dispatchEvent(new Event('beforeprint'))")
	assert page.locator(DRAWN).count() == 10_000


def test_a_text_of_beginnings_only_is_read_in_time(reader: Reader) -> None:
	page = reader.show(("Text", {"text": "\\(\\[" * 500_000 + " end"}))
	assert page.locator(".formula").count() == 0


def test_only_a_lesson_with_formulas_loads_what_draws_them(reader: Reader) -> None:
	"""The sizes that docs/decisions/formulas.md states."""
	reader.show(_text("<p>Nothing to draw: 5 % (of all) [1]</p>"))
	assert not [path for path in reader.server.asked() if "katex" in path]
	reader.page.set_viewport_size({"width": 390, "height": 3000})
	reader.show(_text(*(rf"<p>\({one}\)</p>" for one in SCHOOL)))
	_all_drawn(reader, len(SCHOOL))
	reader.until("document.fonts.status === 'loaded'")
	sent = {answer.path: answer.size for answer in reader.server.answers if answer.path.startswith(KATEX)}
	fonts = sum(size for path, size in sent.items() if path.endswith(".woff2"))
	tell(f"formulas: {sum(sent.values()) - fonts:,} bytes of code, {fonts:,} of fonts")
	own = sum(
		len(gzip.compress((stamps.READER / "js" / name).read_bytes()))
		for name in ("formulas.js", "tex.js", "near.js")
	)
	assert sum(sent.values()) - fonts + own <= 85 * 1024
	assert 0 < fonts <= 110 * 1024


def test_katex_is_pinned_to_one_version_everywhere() -> None:
	pinned = json.loads((REPO / "package.json").read_text())["dependencies"]["katex"]
	source = (stamps.READER / "js" / "formulas.js").read_text()
	assert f"katex.min.js?v={pinned}" in source
	assert f"katex.min.css?v={pinned}" in source
	assert f'"?v={pinned}"' in (REPO / "memora/public/js/rich_text/formula_picture.js").read_text()
