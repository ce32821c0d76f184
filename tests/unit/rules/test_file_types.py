"""Which files may be published: by extension and by content, and nothing that a browser would run."""

from __future__ import annotations

import pytest

from memora.services.cdn_export.rules import file_types
from memora.services.cdn_export.rules.file_types import content_type, judge, may_be_added
from memora.services.cdn_export.rules.refused_file import Refused
from memora.services.cdn_export.rules.svg import LARGEST_SVG

PNG = b"\x89PNG\r\n\x1a\n rest"
JPEG = b"\xff\xd8\xff\xe0 rest"
HTML = b"<!doctype html><script>alert(1)</script>"
GOOD = {
	"png": PNG,
	"jpg": JPEG,
	"jpeg": JPEG,
	"gif": b"GIF89a rest",
	"webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
	"avif": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miaf",
	"mp3": b"ID3\x04 rest",
	"ogg": b"OggS rest",
	"m4a": b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00isommp42",
	"wav": b"RIFF\x10\x00\x00\x00WAVEfmt ",
	"vtt": b"\xef\xbb\xbfWEBVTT\n\n00:00",
	"pdf": b"%PDF-1.7",
	"svg": b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1"/></svg>',
}


def judged(extension: str, body: bytes, added: tuple[str, ...] = ()) -> str:
	return judge(extension, body[: file_types.HEAD], [body], added)


@pytest.mark.parametrize("extension", GOOD)
def test_what_is_listed_is_published_as_itself(extension: str) -> None:
	assert judged(extension, GOOD[extension]) == extension
	assert content_type(extension).split("/")[0] in ("image", "audio", "text", "application")


@pytest.mark.parametrize(
	"extension",
	[
		*"html htm xhtml xht shtml js mjs php phtml php7 svgz xml swf exe htaccess css wasm hta jsp bin".split(),
		"",
	],
)
@pytest.mark.parametrize("body", [HTML, PNG])
def test_another_extension_is_refused_whatever_is_in_it(extension: str, body: bytes) -> None:
	with pytest.raises(Refused):
		judged(extension, body)


@pytest.mark.parametrize("extension", [extension for extension in GOOD if extension != "svg"])
@pytest.mark.parametrize(
	"body",
	[
		HTML,
		b"",
		b" \n<svg/>",
		b"MZ\x90",
		b"#!/bin/sh",
		b"\x7fELF",
		b"\xef\xbb\xbf<?php",
		b"\xff\xfe<\x00h\x00",
		b"\xfe\xff\x00<",
	],
)
def test_a_page_or_program_under_a_listed_extension_is_refused(extension: str, body: bytes) -> None:
	with pytest.raises(Refused):
		judged(extension, body)


@pytest.mark.parametrize("extension", [extension for extension in GOOD if extension != "svg"])
def test_what_nobody_recognises_is_published_under_a_type_that_does_not_run(extension: str) -> None:
	"""MP3 without a tag, a picture that a recorder left damaged."""
	assert judged(extension, b"\x00\x01 odd") == extension


def test_a_picture_with_another_pictures_extension_is_published_as_what_it_is() -> None:
	assert judged("png", JPEG) == "jpg"
	assert judged("mp3", GOOD["wav"]) == "wav"
	for extension, body in (("png", GOOD["pdf"]), ("pdf", PNG), ("mp3", PNG)):
		with pytest.raises(Refused):
			judged(extension, body)


def test_what_an_admin_adds_is_served_as_data_and_never_runs() -> None:
	assert judged("mp4", b"anything", ("mp4",)) == "mp4"
	assert judged("blend", b"anything", ("blend",)) == "blend"
	assert content_type("blend") == "application/octet-stream"
	for extension in (
		"html",
		"svgz",
		"js",
		"php",
		"php9",
		"xml",
		"xhtml",
		"mhtml",
		"",
		"a b",
		"PNG",
		"../x",
		"ü",
	):
		assert not may_be_added(extension), extension
		with pytest.raises(Refused):
			judged(extension, HTML, (extension,))
	with pytest.raises(Refused):
		judged("png", HTML, ("png",))


@pytest.mark.parametrize(
	"extension", [*GOOD, "html", "xhtml", "js", "php", "xml", "blend", "mp4", "json", "txt"]
)
def test_no_content_type_runs_but_an_svgs(extension: str) -> None:
	kind = content_type(extension)
	assert not any(word in kind for word in ("html", "script", "php"))
	assert extension == "svg" or "xml" not in kind.replace("openxmlformats", "")


def svg(inside: str = "", attributes: str = "") -> bytes:
	return (
		'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
		f'xmlns:x="http://www.w3.org/1999/xhtml" {attributes}>{inside}</svg>'
	).encode()


@pytest.mark.parametrize(
	"body",
	[
		b'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!-- Drawn by hand -->\n'
		+ svg("<g><circle r='1'/></g>"),
		svg(
			'<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient></defs>'
			'<rect fill="url(#a)" width="1" height="1"/><use xlink:href="#a"/><use href="#a"/>'
		),
		svg("<style>.st0{fill:#FFF;stroke:url(#a)} /* plain */</style><path class='st0' d='M0,0 1,1z'/>"),
		svg("<text x='1'>سؤال <tspan>x &lt; 2 &amp; y</tspan></text><title>A</title><desc>B</desc>"),
		svg(
			"<path style='fill:none;stroke:#000;stroke-width:2px' aria-label='a@b' data-name='javascript:'/>"
		),
		b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
		b'inkscape:version="1"><metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata></svg>',
		svg('<filter id="f"><feGaussianBlur stdDeviation="2"/></filter>').decode().encode("utf-16"),
	],
)
def test_an_svg_of_shapes_and_text_is_published(body: bytes) -> None:
	assert judged("svg", body) == "svg"


@pytest.mark.parametrize(
	"body",
	[
		b"",
		PNG,
		HTML,
		b"<svg><path/></svg>",  # no namespace: no browser draws it
		b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
		svg()[:-3],
		svg() + b"<script/>",
		svg("<script>alert(1)</script>"),
		svg("<script xlink:href='data:text/javascript,alert(1)'/>"),
		svg("<x:script>alert(1)</x:script>"),
		svg("<x:iframe src='javascript:alert(1)'/>"),
		svg("<metadata><x:img src='x' onerror='alert(1)'/></metadata>"),
		svg("<g><svg><script/></svg></g>"),
		svg(attributes="onload='alert(1)'"),
		svg("<path ONLOAD='alert(1)'/>"),
		svg("<path onclick='alert(1)'/>"),
		svg("<a href='javascript:alert(1)'><text>x</text></a>"),
		svg("<foreignObject><x:body/></foreignObject>"),
		svg("<use href='https://evil.example/a.svg#x'/>"),
		svg("<use xlink:href='data:image/svg+xml;base64,AAAA#x'/>"),
		svg("<use href=' //evil.example/#x'/>"),
		svg("<image href='https://evil.example/t.png'/>"),
		svg("<feImage href='#x'/>"),
		svg("<animate attributeName='href' to='javascript:alert(1)'/>"),
		svg("<set attributeName='onclick' to='alert(1)'/>"),
		svg("<handler/>"),
		svg("<style>@import 'https://evil.example/a.css';</style>"),
		svg("<style>*{background:url(https://evil.example/)}</style>"),
		svg("<style><![CDATA[*{background:url(//evil.example/)}]]></style>"),
		svg("<style>*{b:u\\72l(//evil.example/)}</style>"),
		svg("<style>*{b:ur<!-- -->l(//evil.example/)}</style>"),
		svg("<path style='fill:url( \"https://evil.example/\")'/>"),
		svg("<path fill='URL(data:x)'/>"),
		svg("<path style='background:image-set(\"//evil.example\" 1x)'/>"),
		svg("<path xml:base='https://evil.example/'/>"),
		svg("<path unknown='1'/>"),
		b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'>"
		+ svg(),
		b"<!DOCTYPE svg [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>" + svg("&b;"),
		b"<?xml-stylesheet href='https://evil.example/a.css'?>" + svg(),
		b"<?php system('id') ?>" + svg(),
		svg("<?php system('id') ?>"),
		svg("<g>" * 300 + "</g>" * 300),
		b" " * (LARGEST_SVG + 1),
	],
)
def test_any_other_svg_is_refused(body: bytes) -> None:
	with pytest.raises(Refused):
		judged("svg", body)
