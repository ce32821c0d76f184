"""Files as people upload them: whole, cut off, or with more in them than a picture."""

from __future__ import annotations

import io

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
PDF = b"%PDF-1.7 "
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1"/></svg>'
RUNNING_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PLACE = b"51 deg 30' N"


def photo(size: tuple[int, int] = (4000, 3000), orientation: int = 6, place: bytes = PLACE) -> bytes:
	"""As a phone writes it: on its side, with a note of where it was taken. Red above, blue below."""
	image = Image.effect_noise(size, 20).convert("RGB")
	image.paste((230, 20, 20), (0, 0, size[0], size[1] // 2))
	notes = Image.Exif()
	notes[0x0112], notes[0x010E] = orientation, place.decode()
	found = io.BytesIO()
	image.save(found, format="JPEG", exif=notes, quality=80)
	return found.getvalue()


def pdf(words: str = "") -> bytes:
	"""A page without anything on it, whole enough for Frappe, which reads it from v17 on."""
	parts = [
		b"<</Type/Catalog/Pages 2 0 R>>",
		b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
	]
	found, places = b"%%PDF-1.7\n%%%s\n" % words.encode().hex().encode(), []
	for number, part in enumerate(parts, 1):
		places.append(len(found))
		found += b"%d 0 obj%s\nendobj\n" % (number, part)
	start = len(found)
	found += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
	found += b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start
	return found
