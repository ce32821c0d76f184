"""Pictures as they are kept: upright, and without what a camera or program has noted in them (place, owner, device).

Pure. What a drawing is made of stays as it is where that can be done; a photograph that lies on its side, or is in colours of
its own, is drawn again.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

from PIL import Image, ImageCms, ImageOps

from memora.services.cdn_export.rules.refused_file import Refused

LARGEST_SIDE = 1920
MOST_PIXELS = 100_000_000
"""More than phones take; decoded they are 400 MB."""

_MILLIONS = f"{MOST_PIXELS / 1_000_000:g}"

_FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "avif": "AVIF"}
_ORIENTATION = 0x0112
_PNG_NOTES = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"})
_WEBP_NOTES = frozenset({b"EXIF", b"XMP "})
_WEBP_FLAGS = 0x0C
"""In the header of a WebP: that it has EXIF, that it has XMP."""


def without_notes(content: bytes, extension: str) -> tuple[bytes, bool]:
	"""The picture, upright and without notes, and whether it is larger than `LARGEST_SIDE` and can be drawn smaller.

	An SVG and an animation are never drawn again. Raises Refused for what cannot be read as a picture, has too many pixels,
	or has notes that cannot be taken out.
	"""
	format_ = _FORMATS.get(extension)
	if format_ is None:
		return content, False
	if format_ == "AVIF" and not _reads_avif():
		if b"Exif" in content or b"rdf+xml" in content:
			raise Refused("notes", "AVIF")
		return content, False
	try:
		return _without_notes(content, format_)
	except Refused:
		raise
	except Image.DecompressionBombError as error:
		raise Refused("pixels", _MILLIONS) from error
	except Exception as error:
		raise Refused("content", extension.upper()) from error


def _without_notes(content: bytes, format_: str) -> tuple[bytes, bool]:
	with warnings.catch_warnings():
		warnings.simplefilter("ignore", Image.DecompressionBombWarning)
		image = Image.open(io.BytesIO(content), formats=[format_])
	if image.width * image.height > MOST_PIXELS:
		raise Refused("pixels", _MILLIONS)
	is_animated = format_ != "JPEG" and getattr(image, "n_frames", 1) > 1
	is_large = max(image.size) > LARGEST_SIDE and not is_animated
	lies = image.getexif().get(_ORIENTATION, 1) != 1 and not is_animated
	if format_ == "JPEG":
		if lies or _has_notes(image):
			content = _drawn(image, format_)
		else:
			image.load()  # only this says whether it is one
	elif lies or format_ == "AVIF" or (is_large and image.mode in ("1", "P")):
		content = _drawn(image, format_)
	elif format_ == "PNG":
		image.load()
		content = _without_chunks_of_png(content)
	elif format_ == "WEBP":
		image.load()
		content = _without_chunks_of_webp(content)
	else:
		image.load()
	return content, is_large


def _reads_avif() -> bool:
	Image.init()
	return "AVIF" in Image.OPEN


def _has_notes(image: Image.Image) -> bool:
	return bool({"exif", "xmp", "icc_profile", "comment", "photoshop"} & image.info.keys() or image.getexif())


def _drawn(image: Image.Image, format_: str) -> bytes:
	"""The picture drawn again, with nothing but its pixels."""
	profile = image.info.get("icc_profile")
	image = ImageOps.exif_transpose(image)
	if profile and image.mode in ("RGB", "CMYK"):
		image = _in_srgb(image, profile)
	if image.mode == "CMYK":
		image = image.convert("RGB")
	elif image.mode == "P" and format_ != "GIF":
		image = image.convert("RGBA" if "transparency" in image.info else "RGB")
	elif image.mode == "1":
		image = image.convert("L")
	kept = {key: image.info[key] for key in ("transparency",) if key in image.info}
	image.info = kept
	found = io.BytesIO()
	how = {} if format_ in ("PNG", "GIF") else {"quality": 92}
	image.save(found, format=format_, exif=b"", **how)
	return found.getvalue()


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
	"""In the colours that every screen takes for granted: Frappe may drop the profile that says otherwise."""
	try:
		return ImageCms.profileToProfile(
			image,
			ImageCms.ImageCmsProfile(io.BytesIO(profile)),
			ImageCms.createProfile("sRGB"),
			outputMode="RGB",
		)
	except (ImageCms.PyCMSError, OSError, ValueError):
		return image


def _without_chunks_of_png(content: bytes) -> bytes:
	pieces = [content[:8]]
	for kind, start, end in _chunks(content, 8, "big", 12):
		if kind not in _PNG_NOTES:
			pieces.append(content[start:end])
	return b"".join(pieces)


def _without_chunks_of_webp(content: bytes) -> bytes:
	pieces = []
	for kind, start, end in _chunks(content, 12, "little", 8):
		if kind in _WEBP_NOTES:
			continue
		chunk = content[start:end]
		if kind == b"VP8X" and len(chunk) > 8:
			chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:]
		pieces.append(chunk)
	body = b"WEBP" + b"".join(pieces)
	return b"RIFF" + len(body).to_bytes(4, "little") + body


def _chunks(content: bytes, at: int, order: str, beside: int) -> Iterator[tuple[bytes, int, int]]:
	"""Kind, start and end of each chunk of a PNG (length, kind, data, sum) or a WebP (kind, length, even data)."""
	is_png = order == "big"
	while at + 8 <= len(content):
		length = content[at : at + 4] if is_png else content[at + 4 : at + 8]
		kind = content[at + 4 : at + 8] if is_png else content[at : at + 4]
		size = int.from_bytes(length, "big" if is_png else "little")
		end = at + beside + (size if is_png else size + size % 2)
		yield kind, at, min(end, len(content))
		at = end
