"""The pictures in docs/images, taken by tests when dev/screenshots runs them."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

FOLDER = os.environ.get("MEMORA_SCREENSHOTS", "")


def keep(page: Page, name: str) -> None:
	"""Keep a picture, if pictures are asked for. 256 colours are enough for a screen, in half the bytes."""
	if FOLDER:
		page.wait_for_timeout(1500)  # charts and dialogs come up slowly
		page.mouse.move(2, 2)
		picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
		small = picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
		small.save(Path(FOLDER) / f"{name}.png", optimize=True)
