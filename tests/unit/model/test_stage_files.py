"""Which links a stage's config holds, and that nothing else of it changes when they are replaced."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memora.services.cdn_export.model import paths, stage_files
from memora.services.cdn_export.model.stage_files import Link, leads_nowhere, links, mentions, names, replaced

FOUND = "lessons/l/x.png"


def urls(config: object) -> list[str]:
	return [link.url for link in links(config)]


@pytest.mark.parametrize(
	("html", "found"),
	[
		('<img src="/files/a.png">', ["/files/a.png"]),
		("<img alt='>' SRC = '/files/a b.png' >", ["/files/a b.png"]),
		("<img src=/files/a.png>", ["/files/a.png"]),
		('<a href="/files/a.pdf?x=1&amp;y=2#page=3">', ["/files/a.pdf?x=1&y=2#page=3"]),
		('<video poster="/files/p.png"><source src="/files/v.mp4">', ["/files/p.png", "/files/v.mp4"]),
		(
			'<img srcset="/files/a.png 1x, /files/b.png 2x,/files/c.png">',
			["/files/a.png", "/files/b.png", "/files/c.png"],
		),
		(
			'<img srcset="data:image/png;base64,AA== 1x, /files/b.png 480w">',
			["data:image/png;base64,AA==", "/files/b.png"],
		),
		('<!-- <img src="/files/a.png"> --><b>', []),
		('<script>"<img src=/files/a.png>"</script><img src="/files/b.png">', ["/files/b.png"]),
		('<p data-src="/files/a.png" title="src=/files/b.png">', []),
		('a < b and src="/files/a.png"', []),
		('<img src="/files/a.png" src="/files/b.png"', ["/files/a.png", "/files/b.png"]),
		('<img src="/files/unclosed.png', []),
		("<svg><image href='/files/a.png'/></svg>", ["/files/a.png"]),
	],
)
def test_links_of_html(html: str, found: list[str]) -> None:
	assert urls({"body": html}) == found
	assert replaced({"body": html}, lambda link: None) == {"body": html}


def test_only_the_values_of_links_change() -> None:
	html = "<P  Class=x><IMG  alt='a \"b\"' src='/files/a &amp; b.png'/>Tom &amp; <b>Jerry</p> <img srcset=\"/files/a%20b.png 2x, https://e/x.png 1x\">"
	new = replaced(html, lambda link: f"{FOUND}#{len(link.url)}" if link.url.startswith("/files/") else None)
	assert new == (
		f"<P  Class=x><IMG  alt='a \"b\"' src='{FOUND}#16'/>Tom &amp; <b>Jerry</p> <img srcset=\"{FOUND}#16 2x, https://e/x.png 1x\">"
	)


def test_plain_addresses_anywhere_in_a_config_are_replaced_and_nothing_else() -> None:
	config = {
		"/files/key.png": ["/files/a.png", {"deep": "/files/b.png"}, "see /files/c.png", 1, None, True],
		"html": "<p>no link</p>",
	}
	new = replaced(config, lambda link: FOUND)
	assert new == {**config, "/files/key.png": [FOUND, {"deep": FOUND}, "see /files/c.png", 1, None, True]}
	assert new["html"] is config["html"]
	assert replaced(config, lambda link: None) is config


def test_a_name_is_decoded_exactly_once() -> None:
	def of(url: str, *, html: bool) -> list[str]:
		return names(Link(url, html), {"school.example"})

	assert of("/files/Chart%201.png", html=False) == ["Chart%201.png", "Chart 1.png"]
	assert of("/files/Chart%201.png", html=True) == ["Chart 1.png", "Chart%201.png"]
	assert "Chart 1.png" not in of("/files/Chart%25201.png", html=True)
	assert of("/files/Chart%25201.png", html=True)[0] == "Chart%201.png"
	assert of("/files/C# notes?.pdf", html=False)[0] == "C# notes?.pdf"
	assert of("/files/a.pdf#page=2", html=True)[0] == "a.pdf"
	assert of("/files/a+b.png", html=True) == ["a+b.png"]
	assert of("https://School.example/files/a.png", html=True) == ["a.png"]
	assert of("//school.example/files/a.png", html=False) == ["a.png"]
	assert of("ht\ntps://scho\tol.example/files/a.png", html=True) == ["a.png"]
	for elsewhere in (
		"https://other.example/files/a.png",
		"http://[/files/a.png",
		"files/a.png",
		"/app/x",
		"",
	):
		assert of(elsewhere, html=True) == []


@pytest.mark.parametrize(
	("url", "dead"),
	[
		("/app/user", True),
		("/private/files/a.png", True),
		("a.png", True),
		("../a.png", True),
		("file:///C:/a.png", True),
		("C:\\a.png", True),
		("", False),
		("#part", False),
		("?x", False),
		("mailto:a@b", False),
		("tel:1", False),
		("https://e/x", False),
		("//e/x", False),
		("data:image/png;base64,AA", False),
	],
)
def test_links_that_lead_nowhere_are_told(url: str, dead: bool) -> None:
	assert leads_nowhere(Link(url, is_html=True)) is dead


def test_files_that_are_named_but_not_linked_to_are_told() -> None:
	config = [
		"![x](/files/a.png)",
		'<p style="background:url(/files/b.png)"><img src="/files/c.png">',
		"/files/d.png",
	]
	assert list(mentions(config)) == ["/files/a.png", "/files/b.png"]


@pytest.mark.parametrize(
	"piece",
	["<a ", "<", '<a x="', "<a x='", "<img srcset='", ",", " ", "<!--", "=", "<script>", "<img src=a "],
)
def test_the_work_grows_with_the_text_and_no_faster(piece: str) -> None:
	def taken(length: int) -> float:
		text = "<img srcset='" + piece * (length // len(piece)) + "'>" + piece * (length // len(piece))
		begin = time.process_time()
		list(links(text)), replaced(text, lambda link: FOUND), list(mentions("/files/" + text))
		return time.process_time() - begin

	assert taken(400_000) < 20 * max(taken(40_000), 0.05)


def test_the_path_of_a_lessons_file_leads_back_to_its_lesson() -> None:
	name = "0" * 64 + ".png"
	for lesson, plan in (("l1", None), ("l1", "p1"), ("درس", None), ("media", "lessons")):
		path = paths.lesson_file(lesson, name, plan)
		assert paths.lesson_of_file(path) == paths.lesson(lesson, plan)
	for other in ("media/" + name, "lessons/l1.json", "lessons/l1/x.png", "units/u/" + name, name, ""):
		assert paths.lesson_of_file(other) == ""


_PIECES = st.sampled_from(
	[
		"<img src=",
		'"',
		"'",
		" ",
		">",
		"<a href=",
		"/files/a.png",
		"/f%69les/a.png",
		"&#47;files/a",
		"/&#102;iles/a.png",
		"/&#x66;il&#101;s/b.pdf",
		"https://school.example",
		"/fi\nles/a.png",
		"/FILES/a",
		"files",
		"srcset=",
		", /files/b.png 2x",
		"/private/files/c.png",
		"<!-- ",
		"-->",
		"text",
		"\t",
	]
)


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_no_link_to_a_file_is_overlooked_where_markup_is_not_taken_apart(text: str) -> None:
	"""What decides fast whether a text may name a file never decides wrongly that it does not."""
	hosts = {"school.example"}

	def naming(links: Iterable[Link]) -> list[Link]:
		return [
			link for link in links if stage_files.names(link, hosts) or stage_files.is_private(link, hosts)
		]

	for config in ({"x": [text]}, {"x": f"/files/{text}"}, {"x": f"<p>{text}"}):
		assert naming(stage_files.file_links(config)) == naming(stage_files.links(config))
		replace = lambda link: "new" if stage_files.names(link, hosts) else None  # noqa: E731
		assert stage_files.replaced(config, replace) == stage_files.replaced(config, replace, lambda _: True)
