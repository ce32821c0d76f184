"""Which files may be published, judged by their extension and by their first bytes (spec, "Files").

Pure. A published file never has a content type that a browser runs: what is not on these lists is refused, and what
an admin adds in CDN Settings is served as plain data. SVG, which can hold scripts and fetch from elsewhere, is parsed:
only shapes and text get through.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple
from xml.parsers import expat

HEAD = 4096
"""So many bytes of a file tell its type."""

LARGEST_SVG = 2_000_000
"""Bytes. An SVG is parsed whole; one that is larger holds more than a drawing."""


class FileType(NamedTuple):
	"""What a kind of file is served as; `extensions` are those it may have, the first is the one we give it."""

	extensions: tuple[str, ...]
	content_type: str
	is_picture: bool = False


PNG = FileType(("png",), "image/png", True)
JPEG = FileType(("jpg", "jpeg"), "image/jpeg", True)
GIF = FileType(("gif",), "image/gif", True)
WEBP = FileType(("webp",), "image/webp", True)
AVIF = FileType(("avif",), "image/avif", True)
SVG = FileType(("svg",), "image/svg+xml", True)
MP3 = FileType(("mp3",), "audio/mpeg")
OGG = FileType(("ogg", "oga", "opus"), "audio/ogg")
M4A = FileType(("m4a",), "audio/mp4")
WAV = FileType(("wav",), "audio/wav")
VTT = FileType(("vtt",), "text/vtt; charset=utf-8")
PDF = FileType(("pdf",), "application/pdf")

_ALL = (PNG, JPEG, GIF, WEBP, AVIF, SVG, MP3, OGG, M4A, WAV, VTT, PDF)
_BY_EXTENSION = {extension: kind for kind in _ALL for extension in kind.extensions}

PICTURES = ", ".join(kind.extensions[0].upper() for kind in _ALL if kind.is_picture)
NAMED = ", ".join(kind.extensions[0].upper() for kind in _ALL)
"""What may be published, as messages list it."""

DATA = "application/octet-stream"
_ADDED = {
	"csv": "text/csv; charset=utf-8",
	"doc": "application/msword",
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"epub": "application/epub+zip",
	"flac": "audio/flac",
	"glb": "model/gltf-binary",
	"json": "application/json; charset=utf-8",
	"mov": "video/quicktime",
	"mp4": "video/mp4",
	"m4v": "video/mp4",
	"odp": "application/vnd.oasis.opendocument.presentation",
	"ods": "application/vnd.oasis.opendocument.spreadsheet",
	"odt": "application/vnd.oasis.opendocument.text",
	"ogv": "video/ogg",
	"ppt": "application/vnd.ms-powerpoint",
	"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"srt": "text/plain; charset=utf-8",
	"txt": "text/plain; charset=utf-8",
	"webm": "video/webm",
	"xls": "application/vnd.ms-excel",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"zip": "application/zip",
}
"""Content types of what an admin may add; anything else is served as `DATA`. None of them runs in a browser."""

_RUNS = frozenset(
	"appcache asp aspx atom cgi css htaccess htc hta htm html htmls jar js jse jsp jspx mht mhtml mjs mml php php3"
	" php4 php5 php7 phar phps phtml pl py rdf rb rss sh shtm shtml ssi svgz swf vbs wasm wsf xht xhtm xhtml xml xsd"
	" xsl xslt xul".split()
)
_EXTENSION = re.compile(r"[a-z0-9]{1,16}")


Why = Literal[
	"private",
	"missing",
	"unreadable",
	"type",
	"content",
	"svg",
	"size",
	"picture",
	"kept",
	"nowhere",
	"mention",
]
_SAID: dict[Why, str] = {
	"private": "is a private file",
	"missing": "is no public file that exists",
	"unreadable": "cannot be read ({0})",
	"type": "is of a type that is not published ({0})",
	"content": "is no {0} file inside",
	"svg": "is an SVG with more than shapes and text in it ({0})",
	"size": "has more than {0} MB",
	"picture": "is no picture",
	"kept": "is of a type or size that is no longer published",
	"nowhere": "leads to nothing that a learner can reach",
	"mention": "is no link",
}


class Refused(Exception):
	"""Why a file is not published: a word for it and, with some, what it is about. As text it follows the file's name,
	in English; the Desk has words of its own."""

	def __init__(self, why: Why, detail: str = "") -> None:
		super().__init__(_SAID[why].format(detail))
		self.why: Why = why
		self.detail = detail


def may_be_added(extension: str) -> bool:
	"""Whether an admin may add files with this extension: none that a browser or web server may run."""
	return (
		bool(_EXTENSION.fullmatch(extension)) and extension not in _RUNS and not extension.startswith("php")
	)


def content_type(extension: str) -> str:
	"""What a published file is served as, by its extension. Never a type that runs, but for an SVG's: pictures need
	that one, and what is in them was looked at."""
	kind = _BY_EXTENSION.get(extension)
	return kind.content_type if kind else _ADDED.get(extension, DATA)


def is_picture(extension: str) -> bool:
	"""Whether `image` and `badge_image` may name such a file."""
	kind = _BY_EXTENSION.get(extension)
	return kind is not None and kind.is_picture


def judge(extension: str, head: bytes, body: Iterable[bytes], added: Collection[str] = ()) -> str:
	"""The extension that a file is published with: its own, or that of its content where that is another we know.

	`head` are its first `HEAD` bytes, `body` all of it in pieces, read only where it has to be. Raises Refused.
	"""
	found = _by_content(head)
	if extension in added and may_be_added(extension) and extension not in _BY_EXTENSION:
		return extension
	claimed = _BY_EXTENSION.get(extension)
	if claimed is None:
		raise Refused("type", f".{extension}" if extension else "no extension")
	if claimed is SVG:
		check_svg(body)
		return "svg"
	if found is None:
		# Odd or damaged, as some cameras and recorders write them: harmless under a content type that does not run.
		if not head or _is_program(head):
			raise Refused("content", extension.upper())
		return extension
	if found.is_picture != claimed.is_picture:
		raise Refused("content", extension.upper())
	# A JPEG called .png is shown by every browser: it is published as what it is.
	return extension if found is claimed else found.extensions[0]


def _is_program(head: bytes) -> bool:
	"""Whether a file begins as a page, another markup, a script or a program does, in any encoding of Unicode."""
	text = (
		head.replace(b"\0", b"")
		.removeprefix(b"\xef\xbb\xbf")
		.removeprefix(b"\xff\xfe")
		.removeprefix(b"\xfe\xff")
	)
	return text.lstrip().startswith((b"<", b"#!", b"MZ", b"\x7fELF"))


def _by_content(head: bytes) -> FileType | None:
	if head.startswith(b"\x89PNG\r\n\x1a\n"):
		return PNG
	if head.startswith(b"\xff\xd8\xff"):
		return JPEG
	if head.startswith((b"GIF87a", b"GIF89a")):
		return GIF
	if head[:4] == b"RIFF":
		return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
	if head[4:8] == b"ftyp":
		return _of_brands(head)
	if head.startswith(b"OggS"):
		return OGG
	if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 in (0xE2, 0xE4)):
		return MP3  # a tag, or a frame of layer III or II
	if re.match(rb"(\xef\xbb\xbf)?WEBVTT([ \t\r\n]|$)", head):
		return VTT
	if head.startswith(b"%PDF-"):
		return PDF
	return None


def _of_brands(head: bytes) -> FileType | None:
	length = int.from_bytes(head[:4], "big")
	brands = head[8 : max(16, min(length, 256))]
	names = {brands[place : place + 4] for place in range(0, len(brands), 4) if place != 4}
	if names & {b"avif", b"avis"}:
		return AVIF
	return M4A if names & {b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"dash"} else None


# SVG

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"
_NOTES = frozenset(
	{
		"http://www.inkscape.org/namespaces/inkscape",
		"http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd",
		"http://www.w3.org/1999/02/22-rdf-syntax-ns#",
		"http://creativecommons.org/ns#",
		"http://web.resource.org/cc/",
		"http://purl.org/dc/elements/1.1/",
		"http://www.bohemiancoding.com/sketch/ns",
		"http://www.serif.com/",
	}
)
"""What drawing programs note about their work: no browser does anything with it."""

_ELEMENTS = frozenset(
	"svg g defs symbol use title desc metadata style switch path rect circle ellipse line polyline polygon text tspan"
	" textPath linearGradient radialGradient stop clipPath mask pattern marker filter feBlend feColorMatrix"
	" feComponentTransfer feComposite feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge"
	" feMergeNode feMorphology feOffset feTile feTurbulence".split()
)
_ATTRIBUTES = frozenset(
	"id class style role lang tabindex version baseProfile width height viewBox preserveAspectRatio x y x1 y1 x2 y2 cx"
	" cy r rx ry fx fy fr d points dx dy rotate textLength lengthAdjust startOffset method side spacing pathLength"
	" transform gradientUnits gradientTransform spreadMethod offset clipPathUnits maskUnits maskContentUnits"
	" patternUnits patternContentUnits patternTransform markerWidth markerHeight markerUnits refX refY orient filterUnits"
	" primitiveUnits in in2 result mode type values operator k1 k2 k3 k4 stdDeviation edgeMode radius tableValues slope"
	" intercept amplitude exponent baseFrequency numOctaves seed stitchTiles media systemLanguage requiredFeatures"
	" enable-background xChannelSelector yChannelSelector zoomAndPan contentScriptType contentStyleType focusable"
	" alignment-baseline baseline-shift clip clip-path clip-rule color color-interpolation color-interpolation-filters"
	" color-rendering cursor direction display dominant-baseline fill fill-opacity fill-rule filter flood-color"
	" flood-opacity font font-family font-size font-size-adjust font-stretch font-style font-variant font-weight"
	" glyph-orientation-horizontal glyph-orientation-vertical image-rendering isolation kerning letter-spacing"
	" lighting-color marker marker-end marker-mid marker-start mask mask-type mix-blend-mode opacity overflow paint-order"
	" pointer-events shape-rendering stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap"
	" stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration text-rendering"
	" transform-origin unicode-bidi vector-effect visibility word-spacing writing-mode".split()
)
_URL = re.compile(r"url\(\s*['\"]?\s*(.?)", re.IGNORECASE | re.DOTALL)
_NOT_IN_CSS = re.compile(
	r"\\|@|<|image\s*\(|image-set|src\s*\(|expression|behavior|binding|javascript:|data:", re.I
)
_DEEPEST = 256


def check_svg(body: Iterable[bytes]) -> None:
	"""Raise Refused unless an SVG holds nothing but shapes and text: no script, no handler, nothing from elsewhere,
	no entity, no document type, no instruction to the reader."""
	parser = expat.ParserCreate(namespace_separator=" ")
	depth = size = 0
	path: list[tuple[str, str]] = []
	css: list[str] = []

	def start(name: str, attributes: dict[str, str]) -> None:
		nonlocal depth
		depth += 1
		namespace, _, local = name.rpartition(" ")
		path.append((namespace, local))
		if depth == 1 and (namespace, local) != (_SVG, "svg"):
			raise Refused("content", "SVG")
		if depth > _DEEPEST:
			raise Refused("svg", "nested too deeply")
		if namespace != _SVG:
			if namespace not in _NOTES:
				raise Refused("svg", local[:40])
			return
		if local not in _ELEMENTS:
			raise Refused("svg", f"<{local[:40]}>")
		for attribute, value in attributes.items():
			_check_attribute(attribute, value)

	def end(_name: str) -> None:
		nonlocal depth
		depth -= 1
		if path.pop() == (_SVG, "style"):
			_check_css("".join(css))
			css.clear()

	def text(data: str) -> None:
		if path and path[-1] == (_SVG, "style"):
			css.append(data)

	def refuse(what: str) -> None:
		raise Refused("svg", what)

	parser.StartElementHandler = start
	parser.EndElementHandler = end
	parser.CharacterDataHandler = text
	parser.StartDoctypeDeclHandler = lambda *_: refuse("<!DOCTYPE>")
	parser.EntityDeclHandler = lambda *_: refuse("<!ENTITY>")
	parser.ProcessingInstructionHandler = lambda *_: refuse("<?…?>")
	try:
		for chunk in body:
			size += len(chunk)
			if size > LARGEST_SVG:
				raise Refused("size", f"{LARGEST_SVG / 1_000_000:g}")
			parser.Parse(chunk, False)
		parser.Parse(b"", True)
	except (expat.ExpatError, ValueError, LookupError) as error:
		raise Refused("content", "SVG") from error


def _check_attribute(name: str, value: str) -> None:
	namespace, _, local = name.rpartition(" ")
	if namespace in _NOTES:
		return
	if local == "href" and namespace in ("", _XLINK):
		if not value.strip().startswith("#"):
			raise Refused("svg", f"{local}={value.strip()[:40]}")
		return
	if namespace == _XML and local in ("space", "lang", "id"):
		return
	if namespace == _XLINK and local in ("type", "title", "role", "show", "actuate", "arcrole"):
		return
	if not namespace and local.startswith(("data-", "aria-")):
		return
	if namespace or local not in _ATTRIBUTES:
		raise Refused("svg", local[:40])
	if local not in ("id", "class", "d", "points"):
		_check_css(value)


def _check_css(text: str) -> None:
	if any(target[1] != "#" for target in _URL.finditer(text)):
		raise Refused("svg", "url(…)")
	if found := _NOT_IN_CSS.search(text):
		raise Refused("svg", found[0])
