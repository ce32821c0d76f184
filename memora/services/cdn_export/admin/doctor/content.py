"""What editors entered and learners do not get as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

import frappe

from memora.services.cdn_export.admin.finding import MOST_NAMED, Finding, some
from memora.services.cdn_export.curriculum import films, items, known_files
from memora.services.cdn_export.model import doctypes, exact_json, plain_text
from memora.services.cdn_export.rules import stage_rules

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
	"""Configs of lessons that learners do not get as they were meant, or with other numbers than were typed."""
	found: list[str] = []
	count = 0
	for lesson, place, title, type_, config in _all_stages():
		try:
			problems = [str(doubt) for doubt in stage_rules.doubts(type_, exact_json.loads(config or "{}"))]
		except (
			ValueError,
			AttributeError,
		) as error:  # no JSON, no object, or one that is published otherwise
			problems = [str(error)]
		if problems:
			count += 1
			if len(found) < MOST_NAMED:
				found.append(f"{lesson}, row {place} ({title}): {' '.join(problems)}")
	if count:
		yield Finding(
			"stages",
			"warning",
			f"Learners do not get {count:,} stages as they were meant: {' '.join(found)}"
			+ (f" And {count - len(found):,} more." if count > len(found) else ""),
			"Correct their config in the lesson.",
		)
	else:
		yield Finding("stages", "ok", "Every stage holds what its type is known for.")


def _all_stages() -> Iterator[tuple[str, int, str, str, str | None]]:
	"""Lesson, row, title, type and config of every stage, some at a time, since configs may be large."""
	after = ""
	while rows := frappe.db.sql(
		"""select stage.name, lesson.title, stage.idx, stage.title, stage.type, stage.config
		from `tabMemora Lesson Stage` stage join `tabMemora Lesson` lesson on lesson.name = stage.parent
		where stage.name > %s order by stage.name limit 200""",
		(after,),
	):
		for row in rows:
			yield row[1:]
		after = rows[-1][0]


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
