"""What editors entered and learners do not get as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

import frappe

from memora.services.cdn_export.admin.finding import MOST_NAMED, Finding, some
from memora.services.cdn_export.curriculum import failing_stages, films, items, known_files
from memora.services.cdn_export.model import doctypes, plain_text

_ROWS = ("Memora Lesson Stage", "Memora Plan Override")


def kept_files() -> Iterator[Finding]:
	"""What was published before its type or size was refused, and stays until it is changed."""
	if kept := known_files.kept():
		yield Finding(
			"files",
			"warning",
			f"Still published, though no longer allowed by type or size: {some(kept)}.",
			"Replace each by a picture of an allowed type (a PNG, a plain SVG), or raise Largest File in CDN Settings"
			" and save it again.",
		)


def video_links() -> Iterator[Finding]:
	"""Links into the bucket that are not signed; what is saved now cannot be one, what was there before may."""
	if strays := films.stray_links():
		named = [f"{lesson} ({link[:80]})" for lesson, link in strays]
		yield Finding(
			"video links",
			"warning",
			f"{len(strays)} links of lessons lead into the bucket and are not signed, because they lead to none of its"
			f" video folders or are no Video's: {some(named)}.",
			"Move these films into a video folder and link to them in a Video, or add their folder to Video Folders in"
			" CDN Settings; link to other files by their address on the CDN.",
		)


def stages() -> Iterator[Finding]:
	"""Stages that learners cannot use, or do not get as they were meant: those of published lessons first."""
	broken: list[str] = []
	incomplete: list[str] = []
	count = {True: 0, False: 0}
	for stage in failing_stages.failing():
		count[stage.is_broken] += 1
		named = broken if stage.is_broken else incomplete
		said = f"{stage.lesson_title}, row {stage.idx} ({stage.title}): {' '.join(map(str, stage.findings))}"
		if stage.is_published:
			named.insert(0, said)
		else:
			named.append(said)
		del named[MOST_NAMED:]
	for is_broken, named, words in (
		(True, broken, "Learners cannot use {0} stages: {1}"),
		(False, incomplete, "Learners do not get {0} stages as they were meant: {1}"),
	):
		if named:
			more = count[is_broken] - len(named)
			yield Finding(
				"stages",
				"warning",
				words.format(f"{count[is_broken]:,}", " ".join(named))
				+ (f" And {more:,} more." if more else ""),
				"Correct their config in the lesson. The report Stages to Look At lists all.",
			)
	if not broken and not incomplete:
		yield Finding("stages", "ok", "Every stage holds what its type is known for.")


def items_sold() -> Iterator[Finding]:
	"""Items that content is sold by, and that ERPNext cannot sell; nothing without ERPNext."""
	if found := items.unsellable():
		yield Finding(
			"items",
			"warning",
			" ".join(found[:MOST_NAMED])
			+ (f" And {len(found) - MOST_NAMED} more." if len(found) > MOST_NAMED else ""),
		)


def former_entities() -> Iterator[Finding]:
	"""Texts in which an earlier release left `&lt;` for the `<` that was typed. They are published as they are."""
	found = []
	for doctype in (
		*doctypes.CONTENT,
		doctypes.PLAN,
		*doctypes.PLAN_TITLES,
		*_ROWS,
	):
		columns = [f"`{df.fieldname}`" for df in plain_text.fields(frappe.get_meta(doctype))]
		holds = " or ".join(f"{column} like '%%&lt;%%' or {column} like '%%&gt;%%'" for column in columns)
		document = "concat(parenttype, ' ', parent)" if doctype in _ROWS else f"concat('{doctype} ', name)"
		found += frappe.db.sql_list(
			f"select distinct {document} from `tab{doctype}` where {holds} order by 1"
		)
	if found:
		yield Finding(
			"former entities",
			"warning",
			f"The texts of {len(found)} documents hold &lt; or &gt;, which learners read: {some(found)}.",
			"If < or > was meant, type it there again; memora keeps it now.",
		)
