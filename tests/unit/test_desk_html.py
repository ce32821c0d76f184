"""The Desk's HTML: what is put into it is text, unless it is HTML that was made the same way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.npm import REPO, node

SCRIPTS = REPO / "memora" / "public" / "js"
HTML = SCRIPTS / "publishing" / "html.js"

STUB = """
const written = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
globalThis.frappe = {
	provide: () => {},
	utils: { escape_html: (text) => text.replace(/[&<>"']/g, (sign) => written[sign]) },
};
globalThis.memora = { publishing: {} };
"""


def made(expression: str, folder: Path) -> str:
	"""What an expression of the Desk's scripts makes."""
	script = folder / "script.cjs"
	script.write_text(
		f"{STUB}require({json.dumps(str(HTML))});"
		"const { html, fill, join, put } = memora.publishing;"
		"const shown = (content) => { let found; put({ html: (text) => (found = text) }, content); return found; };"
		f"console.log(String({expression}));",
		encoding="utf-8",
	)
	return node(script).removesuffix("\n")


@pytest.mark.parametrize(
	("expression", "expected"),
	[
		("html`<b>${'<i>&'}</b>`", "<b>&lt;i&gt;&amp;</b>"),
		('html`<a title="${\'" onclick=x\'}">`', '<a title="&quot; onclick=x">'),
		("html`<p>${html`<b>${'<'}</b>`}</p>`", "<p><b>&lt;</b></p>"),
		("html`<ul>${['<', html`<li>`]}</ul>`", "<ul>&lt;<li></ul>"),
		("html`${null}${undefined}${false}${''}${0}`", "0"),
		("html`<p>${{ text: '<i>' }}</p>`", "<p>[object Object]</p>"),
		("fill('<{0}> {1} {0}', html`<b>`, '<{0}>')", "&lt;<b>&gt; &lt;{0}&gt; <b>"),
		("join(['<', '', false, html`<b>`], html`<br>`)", "&lt;<br><b>"),
		("join([], ' · ')", ""),
		("shown('<img onerror=x>')", "&lt;img onerror=x&gt;"),
		("shown(html`<p>`)", "<p>"),
	],
)
def test_only_html_of_ours_stays_html(expression: str, expected: str, tmp_path: Path) -> None:
	assert made(expression, tmp_path) == expected


@pytest.mark.parametrize(("more", "is_shown"), [("older", True), ("", False)])
def test_a_page_of_the_history_that_says_nothing_leads_to_older_ones(
	more: str, is_shown: bool, tmp_path: Path
) -> None:
	shown = tmp_path / "shown.mjs"
	shown.write_text((SCRIPTS / "history" / "shown.js").read_text(encoding="utf-8"), encoding="utf-8")
	answer = json.dumps({"more": more})
	script = tmp_path / "script.cjs"
	script.write_text(
		f"{STUB}globalThis.__ = (text) => text; require({json.dumps(str(HTML))});"
		f"import({json.dumps(str(shown))}).then(({{ rows_html }}) => console.log(String(rows_html([], {answer}))));",
		encoding="utf-8",
	)
	said = node(script)
	assert ("data-more" in said) == is_shown
	assert ("No change is recorded yet" in said) != is_shown
