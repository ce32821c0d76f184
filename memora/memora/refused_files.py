"""What an editor is told of files that learners will not see: each with why, and what to do."""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.model import stage_files
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import file_types, refused_file
from memora.services.cdn_export.rules.stage_finding import Finding

_NAMED_AT_MOST = 3
"""How many files a warning names before it says "and more"."""


def warn_unpublished(where: str, refused: dict[str, refused_file.Refused]) -> None:
	"""Tell the editor which files that were just saved learners will not see, each with why and what to do."""
	_warn(_("Not published, {0}:").format(where), _("Not Published"), refused)


def warn_inline(where: str, refused: dict[str, refused_file.Refused]) -> None:
	"""Tell the editor which pictures a text still holds itself, each with why and what to do."""
	_warn(_("No file was made of a picture, {0}:").format(where), _("Pictures in a Text"), refused)


def _warn(said: str, title: str, refused: dict[str, refused_file.Refused]) -> None:
	lines = [why(url, error) for url, error in refused.items()]
	if len(lines) > _NAMED_AT_MOST:
		lines[_NAMED_AT_MOST:] = [_("… and {0} more.").format(len(lines) - _NAMED_AT_MOST)]
	if lines:
		frappe.msgprint(
			f"{said}<br>{'<br>'.join(lines)}",
			title=title,
			indicator="orange",
		)


def why(file: str, error: refused_file.Refused) -> str:
	"""Why a file is not published and what to do, as HTML; `file` is its address or name."""
	return _words(error).format(f"“{as_html(file[:140])}”", as_html(error.detail), _types(error))


def file_findings(config: Any) -> list[Finding]:
	"""What a stage's config names that learners will not reach, as the check of stages says things."""
	refused = public_files.refused_in_stage(config) if config else {}
	paths = stage_files.paths_of(config, refused)
	return [
		Finding(paths[url], "warning", _words(error), (f"“{url[:140]}”", error.detail, _types(error)))
		for url, error in refused.items()
	]


def _types(error: refused_file.Refused) -> str:
	return file_types.PICTURES if error.why == "picture" else file_types.NAMED


def _words(error: refused_file.Refused) -> str:
	"""Why, in the user's language, with places for the file, for what is said of it, and for the types that are published."""
	return {
		"private": _("{0} is a private file. Attach a public one."),
		"missing": _("{0} is no public file of this site. Attach it again."),
		"unreadable": _("{0} cannot be read ({1}). Ask whoever runs the site."),
		"type": _("{0} is of a type that is not published ({1}). Use {2}."),
		"content": _("{0} is no {1} file inside. Save it again as what its name says."),
		"svg": _(
			"{0} is an SVG with more than shapes and text in it ({1}). Save it as a plain SVG, or as a PNG."
		),
		"size": _("{0} has more than {1} MB. Make it smaller; an admin can allow more in CDN Settings."),
		"pixels": _("{0} has more than {1} million pixels. Make it smaller."),
		"notes": _(
			"{0} says where or by whom it was made, and that cannot be taken out of a {1} here. Save it as a JPEG or PNG."
		),
		"many": _(
			"{0} stays in the text: there are more than {1} pictures. Save again to make files of the others."
		),
		"site": _(
			"{0} is not taken by this site: {1} Make a file of it otherwise, and put that into the text."
		),
		"picture": _("{0} is no picture. Use {2}."),
		"nowhere": _("{0} leads to nothing that learners can reach. Upload the file and link to that."),
		"mention": _(
			"{0} is named in the text, but not by a link that is published (src, href, poster, srcset)."
		),
	}[error.why]
