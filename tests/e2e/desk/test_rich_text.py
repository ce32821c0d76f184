"""The editor for texts gives back what it opens, and loses nothing of what is edited; nothing in a text runs."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from curriculum import mapping, package, school
from curriculum.pieces import Piece
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from memora.tests.helpers.payloads import HOSTILE, ORDINARY, RAN
from tests.e2e.desk.driver import Desk
from tests.e2e.desk.rich_text import Editor, opened
from tests.e2e.desk.school import School
from tests.npm import DEV, REPO

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MATHML = '<math display="block"><mfrac><mn>1</mn><mi mathvariant="normal">n</mi></mfrac></math>'
TABLE = (
	'<table class="wide">\n<thead><tr><th scope="col">a</th><th colspan="2">b</th></tr></thead>\n'
	'<tbody><tr><td rowspan="2">1</td><td>2</td><td>3</td></tr><tr><td>4</td><td><p>5</p><p>6</p></td></tr></tbody></table>'
)


@pytest.fixture(scope="module")
def editor(desk: Desk, schools: dict[str, School]) -> Iterator[Editor]:
	with opened(desk, schools["en"].editor) as editor:
		yield editor


# opening and saving


def _texts(piece: Piece) -> Iterator[str]:
	for stage in piece.stages:
		yield from (value for key in ("html", "instructions") if (value := stage.config.get(key)))
	for child in piece.children:
		yield from _texts(child)


def test_every_text_of_the_demo_is_given_back_and_nearly_all_are_rich(editor: Editor) -> None:
	whole = school.curriculum(mapping.subjects(package.read(package.fetch(DEV / "curriculum"))))
	texts = sorted({text for piece in whole.subjects for text in _texts(piece)})
	assert len(texts) > 1900
	rich = kept = 0
	for start in range(0, len(texts), 100):
		some = texts[start : start + 100]
		for text, (same, is_source, edited, lost) in zip(
			some, editor.page.evaluate("texts => tried(texts)", some), strict=True
		):
			assert same, text
			if is_source:
				continue
			rich += 1
			assert lost is None, text
			# Only the block that was edited is written again; few texts have tags so lost that all of them are.
			kept += edited.endswith(text.partition("\n")[2])
	assert rich > 0.97 * len(texts)
	assert kept > 0.99 * rich


_TAGS = (
	"p h1 h2 h3 div section blockquote pre ul ol li table thead tbody tr td th b strong em i code sub sup s del u a span br hr "
	"img math mi iframe font style dl dt dd figure x-y"
).split()
_ATTRIBUTES = st.sampled_from(
	[
		"", "", "", ' class="a"', " dir='rtl'", ' lang="ar"', ' id=x', ' style="color:red"', ' start="3"', ' colspan="2"', ' href="https://a.test/?b&amp;c"',
		' href="javascript:ran()"', ' src="https://a.test/p.png"', ' alt=""', ' onclick="ran()"', " disabled", ' data-x="&quot;"', ' class="language-python"',
	]
)  # fmt: skip
_WORDS = st.sampled_from(
	[
		"word", " ", "  ", "\n", "\t", "\r\n", "&nbsp;", "\u00a0", "&lt;", "<", "&", "&amp;", ">", '"', "'", "سؤال", r"\(x^2\)", r"\[a &lt; b\]", "\\(", "<!-- c -->",
		"<p>one</p>", "<li>two</li>", "<br/>", "<td>3</td>", "<pre>\n\n  x</pre>", "<tr>", TABLE, MATHML, "<pre><code class=\"language-js\">a &lt; b\n</code></pre>",
		"<ul><li>a<ul><li>b</li></ul></li><li><p>c</p></li></ul>", '<ol start="4"><li value="7">x</li></ol>',
	]
)  # fmt: skip
_MARKUP = st.lists(
	st.one_of(
		_WORDS,
		st.builds("<{}{}>".format, st.sampled_from(_TAGS), _ATTRIBUTES),
		st.builds("</{}>".format, st.sampled_from(_TAGS)),
	),
	max_size=12,
).map("".join)
_WHOLE = st.recursive(
	_WORDS,
	lambda inner: st.builds(
		lambda tag, attributes, parts: f"<{tag}{attributes}>{''.join(parts)}</{tag}>",
		st.sampled_from(_TAGS),
		_ATTRIBUTES,
		st.lists(inner, max_size=3),
	),
	max_leaves=12,
)


@given(st.lists(st.one_of(_MARKUP, _WHOLE), min_size=20, max_size=20))
@example([f"<p>{text}</p>" for text in (*HOSTILE, *ORDINARY)])
@example(["<b> </b>", "a<b> </b>b", "<p><i>a</i> <b>\n</b></p>"])
@settings(max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_text_is_given_back_and_an_edit_loses_nothing(editor: Editor, texts: list[str]) -> None:
	for text, (same, _is_source, _edited, lost) in zip(
		texts, editor.page.evaluate("texts => tried(texts)", texts), strict=True
	):
		assert same, text
		assert lost is None, (text, lost)


@pytest.mark.parametrize(
	"text",
	[
		"",
		"just words",
		"words<br>more <b>words</b>",
		"<p></p>",
		"<h2 id='x'>It&#39;s</h2>\r\n<p >a\n  b</p>",
		r"<p>\(a &lt; b\) and \[x^2\]</p>",
		f"<p>A half: {MATHML}</p>",
		TABLE,
		'<pre><code class="language-python">if a &lt; b:\n\n\tpass</code></pre>',
		"<pre>\n\na <b>b</b></pre>",
		'<ol start="3" type="a"><li value="5">a<ol><li>b</li></ol></li></ol>',
		'<div dir="rtl"><p lang="ar">سؤال</p><blockquote>b</blockquote></div>',
		'<p><img src="/files/a.png" alt="A triangle" width="20"> <a href="#x" target="_blank">x</a></p>',
		'<p><iframe src="https://www.youtube-nocookie.com/embed/abc"></iframe></p>',
		"<dl><dt>a</dt><dd>b</dd></dl><figure><img src='a.png'><figcaption>c</figcaption></figure>",
	],
)
def test_these_open_as_rich_text_and_are_given_back(editor: Editor, text: str) -> None:
	assert not editor.mount(text)
	assert editor.html == text


@pytest.mark.parametrize(
	("text", "why"),
	[
		("<p>a<!-- b --></p>", "<!-- -->"),
		("<p>a <button>b</button></p>", "<button>"),
		("<p onclick='ran()'>a</p>", "onclick"),
		('<p><a href="javascript:ran()">a</a></p>', "javascript:"),
		("<table><caption>a</caption><tr><td>b</td></tr></table>", "<caption>"),
		("<table><tr><td>a</td></tr><tr><td>b</td><td>c</td></tr></table>", "<table>"),
		("<p><svg><circle r='1'/></svg></p>", "<svg>"),
		("<ul>a<li>b</li></ul>", "a"),
		("<code>a</code><code>b</code>", "</code><code>"),
		("<math><mtext><img src=x onerror=ran()></mtext></math>", "<math>"),
	],
)
def test_what_would_lose_something_opens_as_source_and_says_what(editor: Editor, text: str, why: str) -> None:
	assert editor.mount(text)
	assert editor.html == text
	expect(editor.said).to_contain_text("as rich text it would lose")
	expect(editor.said).to_contain_text(why)
	editor.calm()


def test_a_very_long_text_is_shown_in_part_and_stays_as_it_is(editor: Editor) -> None:
	assert editor.page.evaluate("mount('<p>سؤال</p>'.repeat(600000))")
	expect(editor.said).to_contain_text("This text is too long to be edited here.")
	expect(editor.page.get_by_role("textbox", name="Text of the stage (HTML)")).not_to_be_editable()
	expect(editor.page.get_by_role("button", name="Edit as rich text")).to_be_hidden()
	assert editor.page.evaluate("editor.get_html() === '<p>سؤال</p>'.repeat(600000)")


def test_what_would_be_lost_is_shown_before_it_is(editor: Editor) -> None:
	editor.mount("<p>a <button>b</button></p>")
	anyway = editor.page.get_by_role("button", name="Edit as rich text anyway (shows what would change)")
	anyway.click()
	dialog = editor.dialog()
	expect(dialog.locator("pre")).to_have_text(["<p>a <button>b</button></p>", "<p>a b</p>"])
	dialog.locator(".btn-modal-close").click()
	dialog.wait_for(state="hidden")
	assert editor.html == "<p>a <button>b</button></p>"
	anyway.click()
	editor.confirm()
	expect(editor.text).to_have_text("a b")
	assert (editor.html, editor.page.evaluate("changes")) == ("<p>a b</p>", 1)


def test_source_is_edited_and_becomes_rich_text_again(editor: Editor) -> None:
	editor.mount("<p>a</p>\r\n<p>b</p>")
	editor.button("Source").click()
	field = editor.page.get_by_role("textbox", name="Text of the stage (HTML)")
	assert editor.html == "<p>a</p>\r\n<p>b</p>"
	field.fill("<h3>c</h3>")
	assert editor.html == "<h3>c</h3>"
	editor.page.get_by_role("button", name="Edit as rich text").click()
	expect(editor.text.get_by_role("heading", level=3)).to_have_text("c")


# what is in a text never runs


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_runs_in_an_admins_browser(editor: Editor, text: str) -> None:
	quoted = text.replace('"', "&quot;")
	for markup in (
		text,
		f"<p>{text}</p>",
		f'<p><a href="{quoted}">a</a><img src="{quoted}" alt="{quoted}"></p>',
		f'<p title="{quoted}" dir="{quoted}" lang="{quoted}" class="{quoted}">a</p>',
		f"<math><mtext>{text}</mtext><annotation>{text}</annotation></math>",
		f"<table><tr><td>{text}</td></tr></table>",
		f'<pre><code class="language-{quoted}">{text}</code></pre>',
		f'<p>\\({text}\\)</p><iframe src="{quoted}"></iframe>',
	):
		editor.mount(markup)
		assert editor.html == markup
		editor.mount("<p>a</p>")
		for html in (
			markup,
			f'<p data-pm-slice="1 1 []">{markup}</p>',
			f'<p data-pm-slice="1 1 []"><span data-memora-math="{quoted}">x</span>'
			f'<span data-memora-kept="{quoted}">x</span><span data-memora-formula="{quoted}">x</span>'
			f'<span data-src="{quoted}">x</span></p>',
		):
			editor.paste(html=html)
		# An editor has saved it; an admin opens it.
		editor.mount(editor.html)
	editor.calm()


@pytest.mark.parametrize(
	"scheme", ["javascript:", "JaVaScRiPt:", " java\nscript:", "data:text/html,", "vbscript:"]
)
def test_a_link_leads_nowhere_that_runs(editor: Editor, scheme: str) -> None:
	editor.mount("<p>word</p>")
	editor.select("word")
	editor.page.keyboard.press("Control+k")
	dialog = editor.refused("A link leads to", href=f"{scheme}{RAN}")
	dialog.locator(".btn-modal-close").click()
	dialog.wait_for(state="hidden")
	assert editor.html == "<p>word</p>"
	editor.calm()


def test_a_picture_asks_nothing_of_this_site_but_files(editor: Editor) -> None:
	asked: list[str] = []
	editor.page.on("request", lambda request: asked.append(request.url))
	editor.mount(
		'<p><img src="/api/method/logout"><img src="../api/method/logout" alt="Two"><img src="/files/none.png" alt=""></p>'
	)
	expect(editor.text.locator("img.memora-rt-image")).to_have_count(1)
	expect(editor.text).to_contain_text("Two")
	assert not [url for url in asked if "logout" in url]


# its size


def test_it_is_a_bundle_of_its_own_and_no_more_than_150_kb() -> None:
	(bundle,) = (REPO / "memora/public/dist/js").glob("memora_rich_text.bundle.*.js")
	assert len(gzip.compress(bundle.read_bytes(), 9)) <= 150 * 1024
	(main,) = (REPO / "memora/public/dist/js").glob("memora.bundle.*.js")
	assert b"ProseMirror" in bundle.read_bytes()
	assert b"ProseMirror" not in main.read_bytes()


def test_the_desk_loads_it_on_demand(desk: Desk, schools: dict[str, School]) -> None:
	with desk.login(schools["en"].editor) as page:
		asked: list[str] = []
		page.on("request", lambda request: asked.append(request.url))
		desk.form(page, schools["en"].docs["finding x"])
		assert not [url for url in asked if "rich_text" in url]
