"""Who owns what at the school of the tests in a browser, whose web server asks this by the hook `memora_owned_items`."""

from __future__ import annotations


def owned_items(user: str) -> list[str]:
	"""Editors have bought physics, others have bought nothing."""
	return ["PHYSICS-7"] if user.startswith("editor.") else []
