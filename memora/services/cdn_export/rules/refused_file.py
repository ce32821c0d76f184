"""Why a file is not published, in a word and in English; the Desk has words of its own."""

from __future__ import annotations

from typing import Literal

Why = Literal[
	"private",
	"missing",
	"unreadable",
	"type",
	"content",
	"svg",
	"size",
	"pixels",
	"notes",
	"many",
	"site",
	"picture",
	"kept",
	"nowhere",
	"mention",
]
_SAID: dict[Why, str] = {
	"private": "is a private file",
	"missing": "is no public file that exists",
	"unreadable": "cannot be read ({0})",
	"type": "is of a type that is not published ({0})",
	"content": "is no {0} file inside",
	"svg": "is an SVG with more than shapes and text in it ({0})",
	"size": "has more than {0} MB",
	"pixels": "has more than {0} million pixels",
	"notes": "has notes of where and by whom it was made, which cannot be taken out of a {0}",
	"many": "is one of more than {0} pictures in one text",
	"site": "is not taken by this site ({0})",
	"picture": "is no picture",
	"kept": "is of a type or size that is no longer published",
	"nowhere": "leads to nothing that a learner can reach",
	"mention": "is no link",
}


class Refused(Exception):
	"""Why a file is not published: a word for it and, with some, what it is about. As text it follows the file's name,
	in English; the Desk has words of its own."""

	def __init__(self, why: Why, detail: str = "") -> None:
		super().__init__(_SAID[why].format(detail))
		self.why: Why = why
		self.detail = detail
