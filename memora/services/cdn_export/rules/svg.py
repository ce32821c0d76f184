"""SVG: a picture that may hold scripts and fetch from elsewhere, so it is parsed, and only shapes and text get through.
Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn
from xml.parsers import expat

from memora.services.cdn_export.rules.refused_file import Refused

LARGEST_SVG = 2_000_000
"""Bytes. An SVG is parsed whole; one that is larger holds more than a drawing."""

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
	_Reader(parser)
	size = 0
	try:
		for chunk in body:
			size += len(chunk)
			if size > LARGEST_SVG:
				raise Refused("size", f"{LARGEST_SVG / 1_000_000:g}")
			parser.Parse(chunk, False)
		parser.Parse(b"", True)
	except (expat.ExpatError, ValueError, LookupError) as error:
		raise Refused("content", "SVG") from error


class _Reader:
	"""Looks at an SVG as the parser comes to each part of it."""

	def __init__(self, parser: expat.XMLParserType) -> None:
		self._path: list[tuple[str, str]] = []
		self._css: list[str] = []
		parser.StartElementHandler = self._start
		parser.EndElementHandler = self._end
		parser.CharacterDataHandler = self._text
		parser.StartDoctypeDeclHandler = lambda *_: _refuse("<!DOCTYPE>")
		parser.EntityDeclHandler = lambda *_: _refuse("<!ENTITY>")
		parser.ProcessingInstructionHandler = lambda *_: _refuse("<?…?>")

	@property
	def _is_in_style(self) -> bool:
		return bool(self._path) and self._path[-1] == (_SVG, "style")

	def _start(self, name: str, attributes: dict[str, str]) -> None:
		namespace, _, local = name.rpartition(" ")
		self._path.append((namespace, local))
		if len(self._path) == 1 and (namespace, local) != (_SVG, "svg"):
			raise Refused("content", "SVG")
		if len(self._path) > _DEEPEST:
			_refuse("nested too deeply")
		if namespace != _SVG:
			if namespace not in _NOTES:
				_refuse(local[:40])
			return
		if local not in _ELEMENTS:
			_refuse(f"<{local[:40]}>")
		for attribute, value in attributes.items():
			_check_attribute(attribute, value)

	def _end(self, _name: str) -> None:
		if self._is_in_style:
			_check_css("".join(self._css))
			self._css.clear()
		self._path.pop()

	def _text(self, data: str) -> None:
		if self._is_in_style:
			self._css.append(data)


def _refuse(what: str) -> NoReturn:
	raise Refused("svg", what)


def _check_attribute(name: str, value: str) -> None:
	namespace, _, local = name.rpartition(" ")
	if namespace in _NOTES:
		return
	if local == "href" and namespace in ("", _XLINK):
		if not value.strip().startswith("#"):
			_refuse(f"{local}={value.strip()[:40]}")
		return
	if namespace == _XML and local in ("space", "lang", "id"):
		return
	if namespace == _XLINK and local in ("type", "title", "role", "show", "actuate", "arcrole"):
		return
	if not namespace and local.startswith(("data-", "aria-")):
		return
	if namespace or local not in _ATTRIBUTES:
		_refuse(local[:40])
	if local not in ("id", "class", "d", "points"):
		_check_css(value)


def _check_css(text: str) -> None:
	if any(target[1] != "#" for target in _URL.finditer(text)):
		_refuse("url(…)")
	if found := _NOT_IN_CSS.search(text):
		_refuse(found[0])
