"""Pictures as they are kept: upright, without notes, as they were else."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from memora.services.cdn_export.rules.refused_file import Refused
from memora.services.course_outline.rules import data_urls, pictures

PLACE = b"51 deg 30' N"
RED, BLUE = (230, 20, 20), (20, 20, 230)


def drawing(size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
	"""Red above, blue below."""
	image = Image.new("RGB", size, RED)
	image.paste(BLUE, (0, size[1] // 2, *size))
	return image.convert(mode)


def exif(orientation: int = 1) -> bytes:
	notes = Image.Exif()
	notes[0x0112] = orientation
	notes[0x010E] = PLACE.decode()  # ImageDescription
	return notes.tobytes()


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
	found = io.BytesIO()
	image.save(found, format=format_, **options)
	return found.getvalue()


def opened(content: bytes) -> Image.Image:
	image = Image.open(io.BytesIO(content))
	image.load()
	return image


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
	return all(abs(a - b) < 40 for a, b in zip(one, other, strict=False))


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_no_note_is_left_and_the_picture_is_upright(format_: str, orientation: int) -> None:
	content = saved(drawing(), format_, exif=exif(orientation))
	assert PLACE in content
	kept, is_large = pictures.without_notes(content, format_.lower())
	assert PLACE not in kept
	assert not is_large
	image = opened(kept)
	assert dict(image.getexif()) == {}
	image = image.convert("RGB")
	if orientation == 6:  # the camera lay on its side
		assert image.size == (40, 60)
		assert near(image.getpixel((35, 30)), RED)
		assert near(image.getpixel((5, 30)), BLUE)
	else:
		above, below = (RED, BLUE) if orientation == 1 else (BLUE, RED)
		assert near(image.getpixel((30, 5)), above)
		assert near(image.getpixel((30, 35)), below)


def test_texts_of_a_png_go_and_its_pixels_stay_as_they_are() -> None:
	notes = PngImagePlugin.PngInfo()
	notes.add_text("Author", PLACE.decode())
	notes.add_itxt("XML:com.adobe.xmp", f"<x>{PLACE.decode()}</x>")
	image = drawing(mode="RGBA")
	plain = saved(image, "PNG")
	kept, _ = pictures.without_notes(saved(image, "PNG", pnginfo=notes), "png")
	assert kept == plain


def test_what_is_without_notes_stays_byte_by_byte() -> None:
	for format_, mode in (("JPEG", "RGB"), ("PNG", "P"), ("GIF", "P"), ("WEBP", "RGB")):
		content = saved(drawing(mode=mode), format_)
		assert pictures.without_notes(content, format_.lower()) == (content, False)
	svg = b"<svg/>"
	assert pictures.without_notes(svg, "svg") == (svg, False)


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
def test_an_animation_keeps_all_its_pictures(format_: str) -> None:
	frames = [Image.new("RGB", (2000, 30), (number * 60, 0, 0)) for number in range(4)]
	options = {} if format_ == "GIF" else {"exif": exif()}
	content = saved(frames[0], format_, save_all=True, append_images=frames[1:], duration=100, **options)
	kept, is_large = pictures.without_notes(content, format_.lower())
	assert opened(kept).n_frames == 4
	assert not is_large  # it is not drawn smaller
	assert PLACE not in kept


def test_a_large_one_is_told_apart() -> None:
	assert pictures.without_notes(saved(drawing((1921, 10)), "JPEG"), "jpg")[1]
	assert pictures.without_notes(saved(drawing((10, 1921)), "PNG"), "png")[1]
	assert not pictures.without_notes(saved(drawing((1920, 1920)), "PNG"), "png")[1]
	kept, _ = pictures.without_notes(saved(drawing((2000, 10), "P"), "PNG"), "png")
	assert opened(kept).mode == "RGB", "few colours cannot be drawn smaller without steps"


def test_colours_of_their_own_become_those_of_every_screen() -> None:
	profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
	content = saved(drawing(), "JPEG", icc_profile=profile, quality=95)
	image = opened(pictures.without_notes(content, "jpg")[0])
	assert "icc_profile" not in image.info
	assert near(image.getpixel((30, 5)), RED)
	ink = pictures.without_notes(saved(drawing().convert("CMYK"), "JPEG", exif=exif()), "jpg")[0]
	assert opened(ink).mode == "RGB"


def test_a_bomb_is_refused_before_it_is_drawn() -> None:
	def chunk(kind: bytes, data: bytes) -> bytes:
		return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

	for side in (10_001, 20_000):
		header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
		content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))
		with pytest.raises(Refused) as caught:
			pictures.without_notes(content, "png")
		assert caught.value.why == "pixels"


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "gif"])
def test_what_is_no_picture_is_refused(extension: str) -> None:
	for content in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\x10\0\0\0WEBPVP8 "):
		with pytest.raises(Refused) as caught:
			pictures.without_notes(content, extension)
		assert caught.value.why == "content"


def test_an_avif_whose_notes_cannot_be_taken_out_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(pictures, "_reads_avif", lambda: False)
	head = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"
	assert pictures.without_notes(head, "avif") == (head, False)
	with pytest.raises(Refused) as caught:
		pictures.without_notes(head + b"\0\0\0\0infeExif", "avif")
	assert caught.value.why == "notes"


def test_addresses_that_hold_a_picture() -> None:
	for address, wanted in (
		("data:image/png;base64,iVBORw==", ("png", b"\x89PNG")),
		("DATA:image/JPEG;base64,/9j/", ("jpg", b"\xff\xd8\xff")),
		(" data:image/png;charset=x;base64,iVBO\nRw==", ("png", b"\x89PNG")),
		("data:image/svg+xml,%3Csvg/%3E", ("svg", b"<svg/>")),
		("data:image/svg+xml;utf8,<svg/>", ("svg", b"<svg/>")),
	):
		assert data_urls.may_hold(f'{{"html": "{address}"}}')
		assert data_urls.is_picture(address)
		assert data_urls.decoded(address) == wanted
	for address in ("data:text/html,x", "/files/data:image", "data:image/png", "xdata:image/png;base64,"):
		assert not data_urls.is_picture(address)
	for broken in ("data:image/png;base64,iVBO*", "data:image/png;base64,iVB", "data:image/png;base64,é"):
		with pytest.raises(Refused):
			data_urls.decoded(broken)
