"""The file that shows a document in a plan, as it is live and as the next run would write it (`next_run` decides it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from memora.exceptions import StorageError
from memora.services.cdn_export import cdn_uploader, settings
from memora.services.cdn_export.admin import next_run, publication_status
from memora.services.cdn_export.delivery import signing
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths, plain_text
from memora.services.cdn_export.model.doctypes import LESSON, PLAN, TOPIC, UNIT
from memora.services.cdn_export.rules import side_by_side
from memora.services.cdn_export.rules.publication_status import file_of

_IN_SHARED_FILES = (UNIT, TOPIC, LESSON)
"""What a file that many plans read can show."""


@dataclass(slots=True)
class Views:
	"""One file as it is live and as the next run would write it."""

	live_path: str
	path: str
	live: bytes | None = None
	planned: bytes | None = None
	problem: str = ""

	def as_dict(self) -> dict[str, Any]:
		"""Both and how they differ, line by line, as a person reads JSON. What is too large is left out."""
		base = settings.load().base_url
		compared = side_by_side.compare(self.live, self.planned)
		return {
			"path": self.path,
			"live_path": self.live_path,
			"url": f"{base}/{self.live_path}" if base and self.live is not None else "",
			"is_live": self.live is not None,
			"is_planned": self.planned is not None,
			"live": _shown(self.live),
			"planned": _shown(self.planned),
			"rows": compared.rows,
			"differing": compared.differing,
			"left_off": compared.left_off,
			"is_too_large": compared.is_too_large,
			"problem": plain_text.read(self.problem),
		}


def of_document(doctype: str, name: str, plan: str) -> Views:
	"""The file that shows a document in a plan, live and as it would be, in the very bytes but for signatures.

	Raises BuildError where the next run would fail, and StorageError where the live file cannot be read.
	"""
	line = publication_status.line_of(doctype, name) if doctype != PLAN else []
	run = next_run.decide(plan, line[0][1] if doctype in _IN_SHARED_FILES else "")
	if not line:
		path = would = paths.manifest(plan)
	else:
		subject = line[0][1]
		known = run.snapshot.renditions.get(subject)
		path = file_of(line, plan, plan if known and known.mode == "own" else None)
		would = file_of(line, plan, plan if run.snapshot.mode(subject) == "own" else None)
	views = Views(path, would)
	target = PublishTarget.open()
	try:
		live = target.storage.get(path)
		views.live = live and signing.without_signatures(live)
		file = next((file for file in run.planned() if file.path == would), None)
		if file is None:
			return views
		if file.changed:
			cargo = cdn_uploader.load([file], target.signer(), target.ownership.site)
			views.planned = signing.without_signatures(cast(bytes, cargo.files[0][1].body))
		else:
			views.planned = views.live
	except StorageError as error:
		views.problem = str(error)
	finally:
		target.close()
	return views


def _shown(body: bytes | None) -> str | None:
	return body.decode() if body is not None and side_by_side.is_shown(body) else None
