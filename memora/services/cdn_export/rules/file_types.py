"""Which files may be published, judged by their extension and by their first bytes (spec, "Files").

Pure. A published file never has a content type that a browser runs: what is not on these lists is refused, and what
an admin adds in CDN Settings is served as plain data. SVG, which can hold scripts and fetch from elsewhere, is parsed:
only shapes and text get through.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from memora.services.cdn_export.rules.refused_file import Refused
from memora.services.cdn_export.rules.svg import check_svg

HEAD = 4096
"""So many bytes of a file tell its type."""


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
