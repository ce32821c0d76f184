"""CDN Settings as the pipeline uses them. The only place that reads them, and their passwords.

Secrets stay inside `StorageSettings` and the purge client; nothing here is logged.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint

from memora.exceptions import StorageConfigurationError
from memora.services.cdn_export import cache_purge, storage
from memora.services.cdn_export.cache_purge import CachePurge, PurgeSettings
from memora.services.cdn_export.model import paths, plain_text
from memora.services.cdn_export.storage import Storage, StorageSettings
from memora.services.cdn_export.storage.s3_links import Links, of_folder
from memora.services.cdn_export.storage.s3_settings import links

DOCTYPE = "CDN Settings"
LOCAL = "Local Directory"
DEFAULT_LOCAL_PATH = os.path.join("public", "files", "memora")
"""In the site's folder; the site itself serves it under /files/memora."""


CDN_FIELDS = {
	"Cloudflare": ("cloudflare_zone_id", "cloudflare_api_token"),
	"CloudFront": ("cloudfront_distribution_id", "cloudfront_secret_key"),
	"Fastly": ("fastly_service_id", "fastly_api_token"),
	"Bunny": ("bunny_pull_zone_id", "bunny_api_key"),
}
"""For each CDN the fields of CDN Settings that name its cache, and the key to it."""

CRON_MINUTES = 5
"""How often the scheduler asks for a batch (`hooks.scheduler_events`), and the default of *Batch Interval*."""


@dataclass(frozen=True, slots=True)
class ExportSettings:
	"""What CDN Settings say about when and how to publish. No secrets in here."""

	enabled: bool
	provider: str
	base_url: str
	interval_minutes: int
	threshold: int
	sign: str
	signed_url_hours: int
	hold_large_changes: bool
	largest_file: int
	more_file_types: tuple[str, ...]
	is_gated: bool = False
	gate_url: str = ""
	purge_budget: int = 0
	video_folders: tuple[str, ...] = paths.FILMS


def saved() -> Document:
	"""CDN Settings as the database has them: a process that runs for long must not ask its cache."""
	return frappe.get_doc(DOCTYPE)


STAMP = f"(select value from tabSingles where doctype = '{DOCTYPE}' and field = 'modified')"
"""SQL: a value that differs after each save of CDN Settings."""


def stamp() -> str:
	"""A value that differs after each save of CDN Settings, in one cheap statement."""
	return str(frappe.db.sql(f"select {STAMP}")[0][0] or "")


def place(doc: Document) -> str:
	"""Where files go, without secrets: if this changes, everything must be published again."""
	provider = doc.storage_provider or LOCAL
	if provider == LOCAL:
		return f"{LOCAL}|{os.path.realpath(local_path(doc))}"
	return f"{provider}|{doc.endpoint_url or ''}|{doc.bucket_name or ''}"


def is_own_folder(doc: Document) -> bool:
	"""Whether files go to the site's own default folder, which no other site can mean."""
	is_local = (doc.storage_provider or LOCAL) == LOCAL
	return is_local and os.path.realpath(local_path(doc)) == os.path.realpath(
		frappe.get_site_path(DEFAULT_LOCAL_PATH)
	)


def place_label(doc: Document) -> str:
	"""How messages call the place where files go."""
	if (doc.storage_provider or LOCAL) == LOCAL:
		return _("the folder {0}").format(local_path(doc))
	return _("the bucket {0}").format(doc.bucket_name or "")


def load(doc: Document | None = None) -> ExportSettings:
	"""The settings as saved, with the spec's defaults for what was never set."""
	doc = doc or frappe.get_cached_doc(DOCTYPE)
	return ExportSettings(
		enabled=bool(doc.enabled),
		provider=doc.storage_provider or LOCAL,
		base_url=base_url(doc),
		interval_minutes=int(doc.batch_interval_minutes or CRON_MINUTES),
		threshold=int(doc.batch_threshold or 50),
		sign=doc.sign or "All",
		signed_url_hours=int(doc.signed_url_expiry_hours or 4),
		hold_large_changes=bool(doc.hold_large_changes),
		largest_file=largest_file(doc),
		more_file_types=tuple(more_file_types(doc)),
		is_gated=is_gated(doc),
		gate_url=gate_url(doc),
		purge_budget=int(doc.get("purge_budget") or 0),
		video_folders=video_folders(doc),
	)


def is_gated(doc: Document) -> bool:
	"""Whether a gate keeps paid content private."""
	return bool(cint(doc.get("gate_enabled")))


def gate_url(doc: Document) -> str:
	"""Where apps read what the gate guards, without a trailing slash: the base URL unless told otherwise."""
	return (doc.get("gate_url") or "").rstrip("/") or base_url(doc)


def other_addresses(doc: Document) -> list[str]:
	"""Every other address that leads to the bucket or folder, without trailing slashes."""
	lines = plain_text.read(doc.get("other_addresses") or "").split()
	return list(dict.fromkeys(line.rstrip("/") for line in lines))


def largest_file(doc: Document) -> int:
	"""How many bytes an attached file may have to be published."""
	return int(doc.largest_file_mb or 10) * 1_000_000


def trash_days() -> int:
	"""For how many days deleted content is kept; 0 for ever."""
	return int(frappe.get_cached_doc(DOCTYPE).trash_days or 0)


def more_file_types(doc: Document) -> list[str]:
	"""The extensions that CDN Settings add to those that stages may name."""
	return list(
		dict.fromkeys(
			word.lower().lstrip(".") for word in re.split(r"[\s,;]+", doc.more_file_types or "") if word
		)
	)


def open_storage(doc: Document | None = None) -> Storage:
	"""The storage that CDN Settings name. Raises StorageConfigurationError when they cannot work."""
	doc = doc or frappe.get_cached_doc(DOCTYPE)
	provider = doc.storage_provider or LOCAL
	secret_key = "" if provider == LOCAL else secret(doc, "secret_key")
	if secret_key is None:
		raise StorageConfigurationError(
			"Secret Key cannot be decrypted: the site was restored without its encryption_key. Put the old one into"
			" site_config.json, or enter Secret Key again in CDN Settings."
		)
	return storage.open(_storage_settings(doc, secret_key))


def open_links(doc: Document | None = None) -> Links | None:
	"""What recognises links into the bucket, without its keys; None where CDN Settings name no bucket."""
	return links(_storage_settings(doc or frappe.get_cached_doc(DOCTYPE), ""))


def film_links(doc: Document) -> Links | None:
	"""What recognises the links that are published as the gate's, or signed; None where none is."""
	if is_gated(doc) and (doc.storage_provider or LOCAL) == LOCAL:
		return of_folder(_storage_settings(doc, ""))
	return open_links(doc) if is_gated(doc) or (doc.sign or "All") != "None" else None


def video_folders(doc: Document) -> tuple[str, ...]:
	"""Where in the bucket films are: nothing else in it is ever signed."""
	return paths.film_folders(plain_text.read(doc.get("video_folders") or "")) or paths.FILMS


def _storage_settings(doc: Document, secret_key: str) -> StorageSettings:
	return StorageSettings(
		provider=doc.storage_provider or LOCAL,
		endpoint_url=doc.endpoint_url or "",
		region=doc.region or "",
		bucket_name=doc.bucket_name or "",
		access_key=plain_text.read(doc.access_key or ""),
		secret_key=secret_key,
		cdn_base_url=doc.cdn_base_url or "",
		local_path=local_path(doc),
		local_meta=local_meta(doc),
		video_folders=video_folders(doc),
		gate_url=gate_url(doc),  # editors' links that lead there are films also while the gate is off
	)


def open_purge(doc: Document | None = None) -> CachePurge:
	"""The CDN cache in front of the storage, as CDN Settings name it; one that does nothing where none is."""
	doc = doc or frappe.get_cached_doc(DOCTYPE)
	if doc.get("cdn") not in CDN_FIELDS:
		return cache_purge.NoPurge()
	place, password = CDN_FIELDS[doc.cdn]
	access_key = plain_text.read(doc.cloudfront_access_key or "")
	if uses_bucket_keys(doc):
		access_key, password = plain_text.read(doc.access_key or ""), "secret_key"
	return cache_purge.open(
		PurgeSettings(
			cdn=doc.cdn,
			place=doc.get(place) or "",
			# One that cannot be decrypted counts as missing, which a purge says and no build minds.
			secret=secret(doc, password) or "",
			access_key=access_key,
			by_tag=bool(doc.purge_by_tag),
			base_url=base_url(doc),
			batch_size=int(doc.purge_batch_size or 0),
		)
	)


def purged_cache(doc: Document | None = None) -> str:
	"""Which CDN's cache is purged, as `CachePurge.behind` names it; "" where none is. No key is read for it."""
	doc = doc or frappe.get_cached_doc(DOCTYPE)
	base = base_url(doc)
	if doc.get("cdn") not in CDN_FIELDS or not base:
		return ""
	place, _password = CDN_FIELDS[doc.cdn]
	return cache_purge.name(doc.cdn, doc.get(place) or "", base)


def uses_bucket_keys(doc: Document) -> bool:
	"""Whether CloudFront is purged by the bucket's keys: those are AWS's, and CDN Settings name no others."""
	return (
		doc.cdn == "CloudFront"
		and doc.storage_provider == "AWS S3"
		and not doc.endpoint_url
		and not doc.cloudfront_access_key
		and not doc.cloudfront_secret_key
	)


def secret(doc: Document, fieldname: str) -> str | None:
	"""A password of CDN Settings, "" where there is none; None where it cannot be decrypted any more."""
	if not doc.get(fieldname):
		return ""
	said = len(frappe.local.message_log)
	try:
		return doc.get_password(fieldname)  # told not to raise, some releases say "" for both
	except (frappe.ValidationError, frappe.AuthenticationError):
		del frappe.local.message_log[said:]
		return None


def local_path(doc: Document) -> str:
	"""The folder of a Local Directory, absolute; a relative one starts in the site's folder."""
	return os.path.abspath(frappe.get_site_path(plain_text.read(doc.local_path or "") or DEFAULT_LOCAL_PATH))


def local_meta(doc: Document) -> str:
	"""Where a Local Directory keeps its notes of each file, "" for beside its folder. If the site serves that place too,
	it is in the site's `private` folder."""
	public = os.path.realpath(frappe.get_site_path("public"))
	folder = os.path.relpath(os.path.realpath(local_path(doc)), public)
	if folder.startswith(".."):
		return ""
	return os.path.abspath(frappe.get_site_path("private", "memora", f"{folder.replace(os.sep, '~')}.meta"))


def is_served_by_site(doc: Document) -> bool:
	"""Whether files go to a folder that the site itself serves to everybody."""
	if (doc.storage_provider or LOCAL) != LOCAL:
		return False
	public = os.path.realpath(frappe.get_site_path("public"))
	folder = os.path.realpath(local_path(doc))
	return folder == public or folder.startswith(public + os.sep)


def base_url(doc: Document) -> str:
	"""Where learners' apps read the files, without a trailing slash."""
	if doc.cdn_base_url:
		return doc.cdn_base_url.rstrip("/")
	public_files = os.path.abspath(frappe.get_site_path("public", "files"))
	folder = os.path.relpath(local_path(doc), public_files)
	if (doc.storage_provider or LOCAL) != LOCAL or folder.startswith(".."):
		return ""
	return frappe.utils.get_url(f"/files/{folder}" if folder != "." else "/files")
