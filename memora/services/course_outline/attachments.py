"""Pictures and other files that content names: each document that names a file has it for its own.

Frappe deletes a file with the document that it is attached to, unless another one has it too. So a document that names a
file of another's gets it attached as well, at a save and when it is copied; and what is attached to a deleted document waits
beside it in the trash, to come back with it. The address stays the same, so nothing that is published changes.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Any

import frappe
import orjson
from frappe.model.document import Document
from frappe.utils import add_days, now_datetime

from memora.services.cdn_export.curriculum import public_files
from memora.services.cdn_export.model import stage_files
from memora.services.cdn_export.model.doctypes import CONTENT, Ref

_TRASH = "Deleted Document"
"""What a file is attached to whose document was deleted; the name beside it is the document's."""

_PICTURES = ("image", "badge_image")
_UNSAVED_DAYS = 30
"""So long a browser may keep a new form with what was uploaded into it."""


def keep(docs: Iterable[Document]) -> None:
	"""Attach to these documents the files that they name and that are attached to others.

	A file that no document has, or that is lost, is left alone, and so is a private one that the caller may not read: who has
	a file attached to a document of theirs may read it, and a text can name any file. One SELECT where any is named.
	"""
	_keep({(doc.doctype, doc.name): _named(doc) for doc in docs})


def keep_named(doctype: str, name: str, configs: Iterable[str | None]) -> None:
	"""`keep` for a document with these configs of stages, of public files only; those that name none cost nothing."""
	urls = {url for url in _named_in(configs) if url.startswith(stage_files.PUBLIC)}
	_keep({(doctype, name): urls})


def is_unsaved(doctype: str, name: str) -> bool:
	"""Whether this is the name that a form has for a document before it is saved."""
	return name.startswith(f"new-{doctype.replace(' ', '-').lower()}-") and not frappe.db.exists(
		doctype, name
	)


def hold(doc: Document) -> None:
	"""Keep the files that are attached to a document that is being deleted, for as long as the trash has it."""
	frappe.db.sql(
		"update tabFile set attached_to_doctype = %s where attached_to_doctype = %s and attached_to_name = %s",
		(_TRASH, doc.doctype, doc.name),
	)


def give_back(doc: Document, deleted_name: str) -> None:
	"""Attach to a document that comes back from the trash what `hold` has kept of it."""
	frappe.db.sql(
		"""update tabFile set attached_to_doctype = %s, attached_to_name = %s
		where attached_to_doctype = %s and attached_to_name = %s""",
		(doc.doctype, doc.name, _TRASH, deleted_name),
	)


def lost(doc: Document) -> list[str]:
	"""The site's files that a document names and that are not there, however their names may be read."""
	hosts = public_files.own_hosts()
	found = set()
	for link in _links(doc):
		urls = _spellings(link, hosts)
		if any(".." in url.split("/") for url in urls):
			continue  # which leads out of the folder, or nowhere
		if urls and not any(os.path.exists(_place(url)) for url in urls):
			found.add(urls[0])
	return sorted(found)


def daily() -> None:
	"""Delete the files that were kept for what the trash no longer has, and those that were uploaded into a form that was not
	saved within a month. Commits."""
	_delete((*_without_trash(), *_never_saved()))


def release(deleted_names: Collection[str]) -> None:
	"""Delete the files that were kept for these deleted documents, those that the trash no longer has. Commits."""
	_delete(_without_trash(deleted_names))


def _delete(files: Iterable[str]) -> None:
	for file in files:
		try:
			frappe.delete_doc("File", file, ignore_permissions=True)
			frappe.db.commit()
		except (OSError, frappe.ValidationError, frappe.LinkExistsError) as error:
			frappe.db.rollback()  # the others go all the same
			frappe.logger("memora").error(
				f"File {file} could not be deleted; it is tried again tomorrow: {error}"
			)


def _without_trash(deleted_names: Collection[str] | None = None) -> list[str]:
	filters: dict[str, Any] = {"attached_to_doctype": _TRASH}
	if deleted_names is not None:
		filters["attached_to_name"] = ("in", list(deleted_names))
	held = frappe.get_all("File", filters, ["name", "attached_to_name"])
	names = tuple({row.attached_to_name for row in held})
	if not names:
		return []
	there = set(
		frappe.db.sql(
			f"""select deleted_name from `tab{_TRASH}` where deleted_name in %s and restored = 0
			union select name from `tab{_TRASH}` where name in %s""",
			(names, names),
			pluck=True,
		)
	)
	return [row.name for row in held if row.attached_to_name not in there]


def _never_saved() -> list[str]:
	rows = frappe.get_all(
		"File",
		{
			"attached_to_doctype": ("in", CONTENT),
			"attached_to_name": ("like", "new-memora-%"),
			"creation": ("<", add_days(now_datetime(), -_UNSAVED_DAYS)),
		},
		["name", "attached_to_doctype", "attached_to_name"],
	)
	return [row.name for row in rows if is_unsaved(row.attached_to_doctype, row.attached_to_name)]


def _keep(named: dict[Ref, set[str]]) -> None:
	urls = set().union(*named.values()) if named else set()
	if not urls:
		return
	files: dict[str, list[Any]] = {}
	for row in frappe.get_all(
		"File",
		{"file_url": ("in", sorted(urls)), "is_folder": 0},
		[
			*("name", "owner", "file_url", "file_name", "file_size", "content_hash", "folder", "is_private"),
			*("attached_to_doctype", "attached_to_name"),
		],
		order_by="creation",
	):
		files.setdefault(row.file_url, []).append(row)
	for (doctype, name), of_document in named.items():
		for url in sorted(of_document):
			rows = files.get(url, [])
			attached = {
				(row.attached_to_doctype, row.attached_to_name) for row in rows if row.attached_to_name
			}
			if attached and (doctype, name) not in attached:
				_attach(rows, doctype, name)


def _attach(rows: list[Any], doctype: str, name: str) -> None:
	mine = (row for row in rows if row.owner == frappe.session.user and row.attached_to_doctype == doctype)
	if new := next((row for row in mine if is_unsaved(doctype, row.attached_to_name)), None):
		frappe.db.set_value("File", new.name, "attached_to_name", name, update_modified=False)
		return
	row = next((row for row in rows if not row.is_private or _may_read(row.name)), None)
	if row is None or not os.path.exists(frappe.get_doc("File", row.name).get_full_path()):
		return
	fields = ("file_url", "file_name", "file_size", "content_hash", "folder", "is_private")
	values = {field: row[field] for field in fields}
	attached = {"attached_to_doctype": doctype, "attached_to_name": name}
	# The row alone. Frappe's insert writes the file once more, and a JPEG without its notes, so under another address; and it holds
	# the site's rules for uploads, which are no reason to refuse a text. Frappe keeps a file while a row has its digest.
	frappe.get_doc({"doctype": "File", **values, **attached}).db_insert()


def _may_read(file: str) -> bool:
	return bool(frappe.has_permission("File", "read", file))


def _named(doc: Document) -> set[str]:
	"""The addresses of the site's files that a document names, as Frappe writes them."""
	return _addresses(_links(doc))


def _links(doc: Document) -> list[stage_files.Link]:
	pictures = [stage_files.Link(url, False) for field in _PICTURES if (url := doc.get(field))]
	return pictures + _links_in(stage.config for stage in doc.get("stages") or ())


def _named_in(configs: Iterable[str | None]) -> set[str]:
	return _addresses(_links_in(configs))


def _links_in(configs: Iterable[str | None]) -> list[stage_files.Link]:
	links: list[stage_files.Link] = []
	for config in configs:
		# An escape of JSON may be any letter of an address.
		if not config or not (stage_files.may_name_file(config) or "\\u" in config):
			continue
		try:
			links += stage_files.file_links(orjson.loads(config))
		except orjson.JSONDecodeError:
			continue
	return links


def _addresses(links: Iterable[stage_files.Link]) -> set[str]:
	found: set[str] = set()
	hosts: set[str] | None = None
	for link in links:
		if hosts is None:
			hosts = public_files.own_hosts()
		found |= {f"{stage_files.PUBLIC}{name}" for name in stage_files.names(link, hosts)}
		if link.url.startswith(stage_files.PRIVATE):
			found.add(link.url)
	return found


def _spellings(link: stage_files.Link, hosts: set[str]) -> list[str]:
	"""The addresses that a link may mean, the likeliest first, of a private file too."""
	if not link.url.startswith(stage_files.PRIVATE):
		return [f"{stage_files.PUBLIC}{name}" for name in stage_files.names(link, hosts)]
	as_public = link._replace(url=stage_files.PUBLIC + link.url.removeprefix(stage_files.PRIVATE))
	return [f"{stage_files.PRIVATE}{name}" for name in stage_files.names(as_public, hosts)]


def _place(url: str) -> str:
	is_private = url.startswith(stage_files.PRIVATE)
	prefix = stage_files.PRIVATE if is_private else stage_files.PUBLIC
	folder = frappe.get_site_path("private" if is_private else "public", "files")
	return os.path.join(folder, *url.removeprefix(prefix).split("/"))
