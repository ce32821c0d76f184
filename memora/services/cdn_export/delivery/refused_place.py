"""Why a bucket or folder is refused, in words: what is wrong, and what an admin can do."""

from __future__ import annotations

from typing import Literal, NamedTuple

import frappe
from frappe import _

from memora.services.cdn_export.model import paths

Why = Literal["", "other", "copy", "unclaimed", "no mark"]
"""Why a place is refused: another key, a higher number, files without a mark, something else where the mark should be.
"" where it is not."""


class Refusal(NamedTuple):
	"""Why a place is refused, and what an admin can do."""

	message: str
	fix: str

	def __str__(self) -> str:
		return f"{self.message} {self.fix}"


def explain(why: Why, label: str) -> Refusal:
	"""A refusal in words, in the language of who is asked for."""
	take_over = _(
		"Otherwise take the place over, on the dashboard or with: bench --site {0} memora take-over"
	).format(frappe.local.site)
	nothing = _("Nothing is published or removed there until this is decided; changes wait.")
	if why == "other":
		message = _("Another site publishes to {0}: the mark there is not of this site's key.").format(label)
		fix = _(
			"Give this site another bucket or folder in CDN Settings. If the place is this site's, and its "
			"site_config.json has lost memora_site_key, put the key back."
		)
	elif why == "copy":
		message = _(
			"A copy of this site has published to {0}, or this database is from a backup: the mark there is newer than "
			"this database knows."
		).format(label)
		fix = _("If this is the copy, give it another bucket or folder in CDN Settings.")
	elif why == "no mark":
		message = _("The file at {0} in {1} is no mark of a site.").format(paths.MARK, label)
		fix = _("Give this site another bucket or folder in CDN Settings.")
	else:
		message = _("{0} has published files in it that are not known to be this site's.").format(label)
		fix = _("Give this site an empty bucket or folder in CDN Settings.")
	return Refusal(f"{message} {nothing}", f"{fix} {take_over}")
