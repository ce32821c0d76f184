"""What a published lesson asks for, and which of a learner's items that is."""

from __future__ import annotations

from collections.abc import Iterable

import frappe

from memora.services.cdn_export.model.published_file import listed_items
from memora.services.cdn_export.state import ledger


def needed_of(lesson: str, owned: Iterable[str]) -> list[str] | None:
	"""Those of these items that a live lesson asks for, wherever it is published; None where it is not live, or where they
	do not open it anywhere.

	A lesson has a file for all plans, and others for plans that override something. Each asks for its own items.
	"""
	rows = frappe.db.sql(
		f"""select access_level, required_items from `tab{ledger.TABLE}`
		where kind = 'lesson' and node = %s and binary node = %s and state = 'live'""",
		(lesson, lesson),
	)
	codes = {listed_items([code]): code for code in owned}
	opened = False
	needed: dict[str, None] = {}
	for level, items in rows:
		asked = items.split(",") if level == "paid" and items else []
		if (level == "paid" and not asked) or not all(item in codes for item in asked):
			continue
		opened = True
		needed.update(dict.fromkeys(codes[item] for item in asked))
	return list(needed) if opened else None
