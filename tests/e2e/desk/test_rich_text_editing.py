"""What people do in the editor for texts: type, format, paste, draw tables, by mouse and by keyboard, in both directions."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e import pictures
from tests.e2e.desk.driver import Desk
from tests.e2e.desk.rich_text import Editor, opened
from tests.e2e.desk.school import NIGHT, School
from tests.e2e.desk.test_rich_text import MATHML, PIXEL, TABLE
from tests.npm import node_modules

AXE = """async () => (await axe.run("#bare", {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})).violations
	.map((v) => `${v.id}: ${v.nodes.map((n) => n.html + " " + (n.any[0]?.message ?? "")).join("; ")}`)"""
UPLOAD = """{ upload: async (file) => {
	window.uploaded = (window.uploaded || []).concat([[file.type, file.size]]);
	return "/files/" + file.type.replace("/", ".");
} }"""
SAMPLE = (
	'<h2>Speed</h2><p>A <strong>bold</strong> <a href="https://a.test">link</a>, <code>code</code> and \\(v = s / t\\).</p>'
	f'<ul><li>one<ul><li>two</li></ul></li></ul>{TABLE}<pre><code class="language-python">print(1)</code></pre>'
	f'<p>{MATHML}</p><p dir="rtl" lang="ar">السرعة هي المسافة على الزمن.</p><blockquote><p>Quote</p></blockquote>'
)


@pytest.fixture(scope="module")
def editor(desk: Desk, schools: dict[str, School]) -> Iterator[Editor]:
	with opened(desk, schools["en"].editor) as editor:
		yield editor


# typing


@pytest.mark.parametrize(
	("lines", "html"),
	[
		(["a", "b"], "<p>a</p>\n<p>b</p>"),
		(["# a", "b"], "<h1>a</h1>\n<p>b</p>"),
		(["- a", "b", "", "c"], "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>c</p>"),
		(["3. a", "b"], '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
		(["> a"], "<blockquote><p>a</p></blockquote>"),
		(["```python a", "\tb"], '<pre><code class="language-python">a\n\tb</code></pre>'),
		(["a < b & c > \u00a0d"], "<p>a &lt; b &amp; c &gt; &nbsp;d</p>"),
		(["<b>a</b>"], "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
		([r"so \(a<b\) and"], r"<p>so \(a&lt;b\) and</p>"),
		(["سؤال"], "<p>سؤال</p>"),
	],
)
def test_typing(editor: Editor, lines: list[str], html: str) -> None:
	editor.mount()
	editor.text.focus()
	for place, line in enumerate(lines):
		if place:
			editor.page.keyboard.press("Enter")
		editor.page.keyboard.type(line)
	assert editor.html == html
	assert editor.page.evaluate("changes") > 0


@pytest.mark.parametrize(
	("button", "keys", "element"),
	[
		("Bold", "Control+b", "strong"),
		("Italic", "Control+i", "em"),
		("Underline", "Control+u", "u"),
		("Strikethrough", "Control+Shift+x", "s"),
		("Subscript", "Control+,", "sub"),
		("Superscript", "Control+.", "sup"),
		("Code within text", "Control+e", "code"),
	],
)
def test_a_word_is_formatted_and_plain_again(editor: Editor, button: str, keys: str, element: str) -> None:
	formatted = f"<p>a <{element}>word</{element}> b</p>"
	editor.mount("<p>a word b</p>")
	editor.select("word")
	editor.button(button).click()
	assert editor.html == formatted
	expect(editor.button(button)).to_have_attribute("aria-pressed", "true")
	editor.page.keyboard.press(keys)
	assert editor.html == "<p>a word b</p>"
	editor.page.keyboard.press(keys)
	editor.button("Clear formatting").click()
	assert editor.html == "<p>a word b</p>"
	editor.page.keyboard.press("Control+z")
	assert editor.html == formatted


def test_b_and_i_stay_what_they_are_and_can_be_taken_away(editor: Editor) -> None:
	editor.mount("<p><b>a</b> word</p>")
	editor.select("word")
	editor.button("Italic").click()
	assert editor.html == "<p><b>a</b> <em>word</em></p>"
	editor.select("a")
	editor.button("Bold").click()
	assert editor.html == "<p>a <em>word</em></p>"


def test_blocks_change_their_style(editor: Editor) -> None:
	editor.mount("<p class='x'>a</p>\n\n<p class='y'>b</p>")
	editor.select("b")
	editor.choose("Style", "Heading 3")
	assert editor.html == "<p class='x'>a</p>\n\n<h3>b</h3>"  # the first is as it was opened
	editor.page.keyboard.press("Control+Alt+c")
	editor.button("Language").click()
	editor.confirm(language="SQL")
	assert editor.html == "<p class='x'>a</p>\n\n<pre><code class=\"language-sql\">b</code></pre>"


def test_lists_nest_and_change_their_kind(editor: Editor) -> None:
	editor.mount("<p>a</p><p>b</p>")
	editor.text.focus()
	editor.page.keyboard.press("Control+a")
	editor.button("Bulleted list").click()
	assert editor.html == "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"
	editor.select("b")
	editor.page.keyboard.press("Tab")
	assert editor.html == "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>"
	editor.button("Numbered list").click()
	assert "<ol>\n<li>b</li>\n</ol>" in editor.html
	editor.page.keyboard.press("Shift+Tab")
	editor.page.keyboard.press("Shift+Tab")
	assert editor.html.endswith("<p>b</p>")


def test_links(editor: Editor) -> None:
	editor.mount("<p>a word</p>")
	editor.select("word")
	editor.page.keyboard.press("Control+k")
	editor.confirm(href="https://a.test/?b&c", title='"T"')
	assert editor.html == '<p>a <a href="https://a.test/?b&amp;c" title="&quot;T&quot;">word</a></p>'
	editor.select("or")
	editor.button("Link").click()
	editor.confirm(href="", title="")
	assert "<a" not in editor.html


# formulas


def test_a_formula_is_made_and_edited(editor: Editor) -> None:
	editor.mount("<p>so </p>")
	editor.write("")
	editor.button("Formula").click()
	editor.confirm(source=r"\frac{a}{b} < c")
	assert editor.html == r"<p>so\(\frac{a}{b} &lt; c\)</p>"
	editor.text.locator(".memora-rt-formula").dblclick()
	editor.refused("A formula holds neither", source=r"x\) y")
	editor.confirm(source="x", display=True)
	assert editor.html == r"<p>so\[x\]</p>"


def test_a_formula_is_seen_as_learners_will_see_it_while_it_is_typed(editor: Editor) -> None:
	editor.mount(r"<p>so \(\vec{v}\)</p>")
	editor.text.locator(".memora-rt-formula").dblclick()
	dialog = editor.dialog()
	assert "picture" not in dialog.inner_text(), dialog.inner_text()
	picture = dialog.locator(".memora-rt-picture")
	expect(picture.locator("annotation")).to_have_text(r"\vec{v}")
	assert picture.locator("svg").evaluate("(svg) => svg.getBoundingClientRect().width") > 0
	fonts = "document.fonts.load('16px KaTeX_Main').then((found) => found.length)"
	assert editor.page.evaluate(fonts) == 1
	editor.dialog(source=r"\(\frac{1}{2}\)", display=True)
	expect(picture.locator(".katex-display annotation")).to_have_text(r"\frac{1}{2}")
	for broken in (r"\frac{1}{", r"\def\a{\a}\a", r"\href{https://a.test}{x}"):
		editor.dialog(source=broken)
		expect(picture).to_have_text("This cannot be drawn: learners would see it as it is typed here.")
	editor.dialog(source="")
	expect(picture).to_be_empty()
	editor.confirm(source="x", display=False)
	assert editor.html == r"<p>so \(x\)</p>"


def test_a_formula_that_is_pasted_is_one(editor: Editor) -> None:
	editor.mount()
	editor.paste(plain=r"so \(x < 1\)")
	expect(editor.text.locator(".memora-rt-formula")).to_have_text("x < 1")
	editor.mount("<pre><code>a</code></pre>")
	editor.paste(plain=r"\(x\) ")
	assert editor.html == r"<pre><code>\(x\) a</code></pre>"


def test_mathml_is_kept_as_it_is_written(editor: Editor) -> None:
	editor.mount(f"<p>A half: {MATHML}</p>")
	expect(editor.text.locator("mfrac")).to_have_count(1)
	editor.write("!")
	assert editor.html == f"<p>A half: {MATHML}!</p>"


# tables


def test_a_table_is_made_and_grows(editor: Editor) -> None:
	editor.mount()
	editor.text.focus()
	editor.choose("Table", "Insert table")
	editor.confirm(rows="2", columns="2")
	for word in ("a", "b", "c", "d"):
		editor.page.keyboard.type(word)
		editor.page.keyboard.press("Tab")
	head = "<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>"
	body = "<tr>\n<td>c</td>\n<td>d</td>\n</tr>"
	assert editor.html.startswith(f"<table>\n{head}\n<tbody>\n{body}\n</tbody>\n</table>")
	editor.text.locator("td").first.click()
	editor.choose("Table", "Row below")
	editor.choose("Table", "Column after")
	editor.choose("Table", "Header cells: column")
	assert editor.text.locator("th").count() == 3 + 2
	assert editor.text.locator("tr").count() == 3


def test_a_tables_spans_and_header_cells_are_kept(editor: Editor) -> None:
	editor.mount(TABLE)
	editor.text.locator("td").first.click()
	editor.page.keyboard.press("End")
	editor.page.keyboard.type("!")
	seen = editor.page.evaluate(
		"([one, other]) => [seen(one), seen(other)]", [editor.html.replace("!", ""), TABLE]
	)
	assert seen[0] == seen[1]


# pictures


def test_pasted_pictures_become_files(editor: Editor) -> None:
	editor.mount("<p>a</p>", UPLOAD)
	editor.paste(html=f'<p>b<img src="data:image/png;base64,{PIXEL}" alt="Red"></p>')
	editor.page.evaluate("editor.ready()")
	assert '<img src="/files/image.png" alt="Red">' in editor.html
	assert editor.page.evaluate("uploaded") == [["image/png", 70]]
	editor.page.evaluate(
		"""() => {
			const clipboardData = new DataTransfer();
			clipboardData.items.add(new File(["x"], "x.gif", { type: "image/gif" }));
			document.querySelector("#place .ProseMirror").dispatchEvent(
				new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
			return editor.ready();
		}"""
	)
	assert '<img src="/files/image.gif">' in editor.html
	editor.page.keyboard.press("Control+z")
	editor.page.keyboard.press("Control+z")
	assert editor.html == "<p>a</p>"
	editor.page.keyboard.press("Control+y")
	assert "data:" not in editor.html
	assert '<img src="/files/image.png" alt="Red">' in editor.html


def test_a_dropped_picture_becomes_a_file(editor: Editor) -> None:
	editor.mount("<p>word</p>", UPLOAD)
	editor.page.evaluate(
		"""() => {
			const dataTransfer = new DataTransfer();
			dataTransfer.items.add(new File(["x"], "x.webp", { type: "image/webp" }));
			const { left, top, height } = document.querySelector("#place .ProseMirror p").getBoundingClientRect();
			document.querySelector("#place .ProseMirror").dispatchEvent(new DragEvent("drop",
				{ dataTransfer, bubbles: true, cancelable: true, clientX: left + 1, clientY: top + height / 2 }));
			return editor.ready();
		}"""
	)
	assert editor.html == '<p><img src="/files/image.webp">word</p>'


def test_a_picture_that_fails_leaves_nothing(editor: Editor) -> None:
	editor.mount("<p>a</p>", '{ upload: () => Promise.reject(new Error("no")) }')
	editor.paste(html=f'<p>b<img src="data:image/png;base64,{PIXEL}"></p>')
	editor.page.evaluate("editor.ready()")
	assert editor.html == "<p>ba</p>"
	expect(editor.page.locator("#alert-container")).to_contain_text("The picture could not be uploaded")


def test_a_picture_is_given_its_words(editor: Editor) -> None:
	editor.mount("<p>a</p>", UPLOAD)
	editor.write("")
	editor.button("Picture").click()
	editor.refused("Say what the picture shows", src="https://a.test/b.png")
	editor.confirm(alt="A triangle")
	assert editor.html == '<p>a<img src="https://a.test/b.png" alt="A triangle"></p>'


# pasting

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal {margin:0}</style></head><body lang=EN-US>
<!--StartFragment--><p class=MsoNormal style='margin:0'><b><span style='font-family:Arial'>Bold</span></b> text<o:p></o:p></p>
<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='font-family:Symbol'><span style='mso-list:Ignore'>·<span>&nbsp;&nbsp; </span></span></span><![endif]>one<o:p></o:p></p>
<p class=MsoListParagraphCxSpMiddle style='mso-list:l0 level2 lfo1'><![if !supportLists]><span><span style='mso-list:Ignore'>1.<span>
</span></span></span><![endif]>two</p>
<p class=MsoListParagraphCxSpLast style='mso-list:l0 level1 lfo1'><![if !supportLists]><span><span style='mso-list:Ignore'>·<span>
</span></span></span><![endif]>three</p><p class=MsoNormal><o:p>&nbsp;</o:p></p>
<table class=MsoTableGrid border=1><tr><td width=10 style='border:solid'><p class=MsoNormal>cell</p></td></tr></table><!--EndFragment--></body></html>"""
DOCS = """<meta charset='utf-8'><b style="font-weight:normal;" id="docs-internal-guid-1"><h2 dir="ltr" style="line-height:1.38;"><span
style="font-size:16pt;font-weight:400;">Head</span></h2><p dir="ltr" style="margin-top:0pt;"><span style="font-weight:700;">bold</span><span
style="font-weight:400;font-style:italic;"> and italic</span></p><ul style="margin-top:0;"><li dir="ltr" style="list-style-type:disc;"><p dir="ltr"
role="presentation"><span style="font-weight:400">one</span></p></li><ul><li dir="ltr" aria-level="2"><p dir="ltr" role="presentation"><span>two</span></p></li></ul></ul></b>"""


@pytest.mark.parametrize(
	("pasted", "html"),
	[
		(
			WORD,
			"<p><b>Bold</b> text</p>\n<ul>\n<li>one\n<ol>\n<li>two</li>\n</ol>\n</li>\n<li>three</li>\n</ul>\n"
			"<table>\n<tbody>\n<tr>\n<td>cell</td>\n</tr>\n</tbody>\n</table>",
		),
		(
			DOCS,
			'<h2 dir="ltr">Head</h2>\n<p dir="ltr"><strong>bold</strong><em> and italic</em></p>\n'
			'<ul>\n<li dir="ltr">one\n<ul>\n<li dir="ltr">two</li>\n</ul>\n</li>\n</ul>',
		),
		(
			'<div style="color:red" onclick="ran()"><font face="x">a</font> <big>b</big><script>ran()</script></div><svg onload="ran()"/>',
			"<p>a b</p>",
		),
	],
	ids=["word", "docs", "page"],
)
def test_what_is_pasted_is_cleaned(editor: Editor, pasted: str, html: str) -> None:
	editor.mount()
	editor.paste(html=pasted)
	assert editor.html == html
	editor.calm()


# direction, keyboard, phone, dark


def test_a_block_runs_in_its_own_direction(editor: Editor) -> None:
	editor.mount("<p>a</p>\n<ul><li>b</li></ul>", '{ dir: "rtl" }')
	expect(editor.text).to_have_attribute("dir", "rtl")
	editor.select("b")
	editor.button("Right to left").click()
	assert editor.text.locator("li").evaluate("item => getComputedStyle(item).textAlign") == "start"
	assert editor.html == '<p>a</p>\n<ul>\n<li dir="rtl">b</li>\n</ul>'
	editor.button("Language").click()
	editor.confirm(language="ar")
	assert editor.html == '<p>a</p>\n<ul>\n<li dir="rtl" lang="ar">b</li>\n</ul>'
	editor.button("Right to left").click()
	assert editor.html == '<p>a</p>\n<ul>\n<li lang="ar">b</li>\n</ul>'


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_toolbar_is_one_stop_with_arrow_keys(
	desk: Desk, schools: dict[str, School], language: str
) -> None:
	with opened(desk, schools[language].editor) as editor:
		editor.mount("<p>a</p>")
		page = editor.page
		editor.text.focus()
		page.keyboard.press("Alt+F10")
		buttons = page.get_by_role("toolbar").locator("[data-stop]")
		expect(buttons.first).to_be_focused()
		forward, back = ("ArrowRight", "ArrowLeft") if language == "en" else ("ArrowLeft", "ArrowRight")
		page.keyboard.press(forward)
		expect(buttons.nth(1)).to_be_focused()
		page.keyboard.press(back)
		page.keyboard.press(back)
		expect(buttons.last).to_be_focused()
		page.keyboard.press("Home")
		page.keyboard.press(forward)
		page.keyboard.press(forward)
		page.keyboard.press("ArrowDown")
		expect(page.get_by_role("menu")).to_be_visible()
		page.keyboard.press("ArrowDown")
		page.keyboard.press("Enter")
		assert editor.html == "<h1>a</h1>"
		expect(editor.text).to_be_focused()
		page.keyboard.press("Shift+Tab")
		expect(buttons.nth(2)).to_be_focused()
		page.keyboard.press("Escape")
		expect(editor.text).to_be_focused()


def test_tab_leaves_a_list_after_escape(editor: Editor) -> None:
	editor.mount("<ul><li>a</li><li>b</li></ul>")
	editor.select("b")
	editor.page.keyboard.press("Escape")
	editor.page.keyboard.press("Shift+Tab")
	assert editor.html == "<ul><li>a</li><li>b</li></ul>"
	expect(editor.page.get_by_role("toolbar").locator("[tabindex='0']")).to_be_focused()


def test_within_a_dialog_escape_leaves_the_text_before_it_closes_the_dialog(editor: Editor) -> None:
	page = editor.page
	page.evaluate(
		"""() => {
			window.dialog = new frappe.ui.Dialog({ title: "Stage", fields: [{ fieldname: "text", fieldtype: "HTML" }] });
			window.inner = memora.rich_text.mount(dialog.get_field("text").$wrapper[0], { html: "<p>word</p>" });
			dialog.show();
		}"""
	)
	text = page.locator(".modal.show .ProseMirror")
	text.click()
	page.keyboard.press("Control+a")
	page.keyboard.press("Control+k")
	link = page.locator(".modal.show", has_text="Insert Link")
	link.locator("[data-fieldname=href] input").fill("#x")
	link.locator(".btn-modal-primary").click()
	link.wait_for(state="hidden")
	expect(text).to_be_focused()
	page.get_by_role("toolbar").last.locator("[data-menu]").first.click()
	expect(page.get_by_role("menuitemradio", name="Paragraph")).to_be_in_viewport()
	page.keyboard.press("Escape")
	expect(page.get_by_role("menu")).to_have_count(0)
	text.focus()
	page.keyboard.press("Escape")
	expect(text).to_be_visible()
	page.keyboard.press("Escape")
	expect(text).to_be_hidden()
	assert page.evaluate("inner.get_html()") == '<p><a href="#x">word</a></p>'
	page.evaluate("inner.destroy()")


_OUT_OF_SIGHT = """all => all.filter((button) => {
	const { left, right, width } = button.getBoundingClientRect();
	return !width || left < 0 || right > innerWidth;
}).map((button) => button.getAttribute("aria-label"))"""


@pytest.mark.parametrize("who", ["en", "ar", "night"])
def test_axe_finds_nothing_and_a_phone_fits(desk: Desk, schools: dict[str, School], who: str) -> None:
	user = NIGHT if who == "night" else schools[who].editor
	with opened(desk, user, width=390, height=780) as editor:
		page = editor.page
		assert not editor.mount(SAMPLE)
		assert page.evaluate("document.documentElement.scrollWidth") <= 390
		assert editor.page.get_by_role("toolbar").locator("button").evaluate_all(_OUT_OF_SIGHT) == []
		pictures.keep(page, f"desk-rich-text-phone-{who}")
		page.set_viewport_size({"width": 1100, "height": 860})
		pictures.keep(page, f"desk-rich-text-{who}")
		page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text())
		assert page.evaluate(AXE) == []
		editor.mount("<button>a</button>")
		assert page.evaluate(AXE) == []
		assert json.loads(page.evaluate("JSON.stringify(editor.is_source)")) is True
