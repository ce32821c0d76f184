"""Code in the reader has the colours of its language, and stays what it was."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.e2e import stamps
from tests.e2e.conftest import Reader
from tests.e2e.test_reader import tell
from tests.npm import REPO, node_modules

HIGHLIGHT = "/assets/memora/node_modules/@highlightjs/cdn-assets/es/"
PYTHON = 'def double(x):\n    return 2 * x  # "twice"\n'
HTML = '<p class="x">a &amp; b</p>\n<style>p { color: red }</style>\n<script>let a = 1 // b\n</script>\n'
COLOURS = "[...document.querySelectorAll('pre [class*=code-]')].map((one) => one.className)"


def _text(html: str, **others: Any) -> tuple[str, dict[str, Any]]:
	return "Text", {"html": html, **others}


def _coloured(reader: Reader, count: int) -> None:
	reader.until("count => document.querySelectorAll('pre:has([class*=code-])').length === count", count)


@pytest.mark.parametrize(
	"opening",
	[
		'<pre><code class="language-python">',
		'<pre><code class="hljs language-py">',
		'<pre class="language-python"><code>',
		'<pre data-language="Python"><code>',
	],
)
def test_code_in_markup_has_the_colours_of_its_language(reader: Reader, opening: str) -> None:
	page = reader.show(_text(f"{opening}{PYTHON}</code></pre>"))
	_coloured(reader, 1)
	assert {"code-keyword", "code-title", "code-number", "code-comment"} <= set(page.evaluate(COLOURS))
	assert page.text_content("pre") == PYTHON
	colours = "[...document.querySelectorAll('pre, pre span')].map((one) => getComputedStyle(one).color)"
	assert len(set(page.evaluate(colours))) > 3


def test_files_of_an_exercise_have_colours_and_are_copied_as_they_are(reader: Reader) -> None:
	files = [
		{"name": "a.html", "content": HTML, "language": "html"},
		{"name": "a.py", "content": PYTHON, "language": "python"},
		{"name": "a.txt", "content": "def x"},
	]
	page = reader.show(("Interactive", {"files": files}))
	_coloured(reader, 2)
	assert page.locator("pre >> nth=0").text_content() == HTML
	assert {"code-attr", "code-attribute", "code-keyword", "code-comment"} <= set(page.evaluate(COLOURS))
	assert page.locator("pre >> nth=2").inner_html().endswith("def x</code>")


@pytest.mark.parametrize(
	"name", ["nothing", "../../../../reader/js/main", "__proto__", "constructor", "JS", "<b>", "python x"]
)
def test_a_language_is_a_name_and_never_an_address(reader: Reader, name: str) -> None:
	page = reader.show(("Interactive", {"files": [{"name": "a", "content": "let a = 1", "language": name}]}))
	if name == "JS":
		_coloured(reader, 1)
	page.wait_for_load_state("networkidle")
	assert page.text_content("pre") == "let a = 1"
	assert page.locator("pre span").count() == (2 if name == "JS" else 0)
	assert all("languages/javascript" in path for path in reader.server.asked() if "languages/" in path)


@pytest.mark.parametrize(
	"source",
	["a" * 10_001, "x = '" + "a" * 301 + "'", "let b = <b>1</b>"],
	ids=["long", "a long line", "with elements"],
)
def test_what_takes_long_or_is_more_than_code_stays_plain(reader: Reader, source: str) -> None:
	page = reader.show(_text(f'<pre><code class="language-javascript">{source}</code></pre><p>End</p>'))
	page.wait_for_load_state("networkidle")
	assert page.locator("pre span").count() == 0
	assert page.locator("pre b").count() == source.count("<b>")


def test_what_looks_like_markup_stays_text(reader: Reader) -> None:
	source = "<img src=x onerror=window.pwned=1>${`<b>`}</code><script>window.pwned=1</script>"
	page = reader.show(("Interactive", {"files": [{"name": "a", "content": source, "language": "html"}]}))
	_coloured(reader, 1)
	assert page.text_content("pre") == source
	assert page.locator("pre :is(img, b, script)").count() == 0
	assert page.evaluate("window.pwned") is None


def test_without_its_library_code_is_plain(reader: Reader) -> None:
	reader.server.gone.add(f"{HIGHLIGHT}core.min.js")
	reader.expected += ["404", "Failed to fetch"]
	page = reader.show(("Interactive", {"files": [{"name": "a", "content": PYTHON, "language": "python"}]}))
	page.wait_for_load_state("networkidle")
	assert page.text_content("pre") == PYTHON


def test_a_hundred_blocks_are_coloured_as_they_are_seen(reader: Reader) -> None:
	page = reader.show(_text(f'<pre><code class="language-python">{PYTHON * 9}</code></pre>' * 100))
	reader.until("document.querySelector('.code-keyword')")
	assert page.locator("pre:has(.code-keyword)").count() < 50
	page.keyboard.press("End")
	reader.until("[...document.querySelectorAll('pre')].at(-1).querySelector('.code-keyword')")


def test_only_a_lesson_with_code_loads_what_colours_it(reader: Reader) -> None:
	"""The size that docs/reader.md states."""
	reader.show(_text("<p>Nothing</p><pre>plain</pre>"))
	assert not [path for path in reader.server.asked() if "highlightjs" in path]
	files = [("html", HTML), ("ts", "let a: number = 1"), ("python", PYTHON)]
	reader.show(("Interactive", {"files": [{"name": n, "content": c, "language": n} for n, c in files]}))
	_coloured(reader, 3)
	sent = sum(answer.size for answer in reader.server.answers if answer.path.startswith(HIGHLIGHT))
	own = len(gzip.compress((stamps.READER / "js" / "highlight.js").read_bytes()))
	tell(f"highlighting of HTML with CSS and JavaScript, TypeScript and Python: {sent + own:,} bytes")
	assert 0 < sent + own <= 25 * 1024


def test_highlight_js_is_pinned_and_has_every_language() -> None:
	pinned = json.loads((REPO / "package.json").read_text())["dependencies"]["@highlightjs/cdn-assets"]
	source = (stamps.READER / "js" / "highlight.js").read_text()
	assert f'"?v={pinned}"' in source
	listed = source.partition("const NAMES = {")[2].partition("};")[0]
	files = [line.partition(":")[0].strip() for line in listed.splitlines() if ":" in line]
	assert len(files) > 20
	for file in files:
		assert (node_modules() / "@highlightjs/cdn-assets/es/languages" / f"{file}.min.js").is_file(), file
