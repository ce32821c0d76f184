from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, cstr, get_bench_path, get_site_path

from memora.exceptions import StorageConfigurationError
from memora.memora import local_folder
from memora.memora.doctype.cdn_settings import after_save
from memora.memora.texts import PlainTexts
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import connection_test
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.plain_text import as_html
from memora.services.cdn_export.rules import file_types
from memora.services.cdn_export.state import publish_state, relocation
from memora.services.cdn_export.storage.s3_settings import without_secrets

Problem = tuple[str, str]
"""A field and what is wrong with it."""

#: What each provider cannot do without.
_NEEDED = {
	"AWS S3": ("bucket_name", "access_key", "secret_key"),
	"Cloudflare R2": ("endpoint_url", "bucket_name", "access_key", "secret_key"),
	"Local Directory": (),
}
#: Copied from elsewhere, these often bring spaces or line ends along, and none of them may hold any.
_WITHOUT_SPACE = (
	"endpoint_url",
	"region",
	"bucket_name",
	"access_key",
	"secret_key",
	"cdn_base_url",
	"gate_url",
	"cloudflare_zone_id",
	"cloudflare_api_token",
	"cloudfront_distribution_id",
	"cloudfront_access_key",
	"cloudfront_secret_key",
	"fastly_service_id",
	"fastly_api_token",
	"bunny_pull_zone_id",
	"bunny_api_key",
)
#: What names the bucket and the way to it.
_CONNECTION = ("enabled", "storage_provider", "endpoint_url", "region", "bucket_name", "access_key")
_URLS = {
	"endpoint_url": "https://s3.example.com",
	"cdn_base_url": "https://cdn.example.com",
	"gate_url": "https://gate.example.com",
}
#: Smallest and largest allowed value.
_RANGES = {
	"batch_interval_minutes": (1, None),
	"batch_threshold": (1, None),
	"signed_url_expiry_hours": (1, 24),
	"purge_batch_size": (1, 500),
	"purge_budget": (0, None),
	"largest_file_mb": (1, 5000),
	"trash_days": (0, None),
}


class CDNSettings(PlainTexts):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		access_key: DF.Data | None
		batch_interval_minutes: DF.Int
		batch_threshold: DF.Int
		bucket_name: DF.Data | None
		bunny_api_key: DF.Password | None
		bunny_pull_zone_id: DF.Data | None
		cdn: DF.Literal["None", "Cloudflare", "CloudFront", "Fastly", "Bunny"]
		cdn_base_url: DF.Data | None
		cloudflare_api_token: DF.Password | None
		cloudflare_zone_id: DF.Data | None
		cloudfront_access_key: DF.Data | None
		cloudfront_distribution_id: DF.Data | None
		cloudfront_secret_key: DF.Password | None
		enabled: DF.Check
		endpoint_url: DF.Data | None
		gate_enabled: DF.Check
		gate_url: DF.Data | None
		fastly_api_token: DF.Password | None
		fastly_service_id: DF.Data | None
		hold_large_changes: DF.Check
		largest_file_mb: DF.Int
		local_path: DF.Data | None
		more_file_types: DF.SmallText | None
		other_addresses: DF.SmallText | None
		preview_links: DF.Check
		purge_batch_size: DF.Int
		purge_budget: DF.Int
		purge_by_tag: DF.Check
		region: DF.Data | None
		secret_key: DF.Password | None
		sign: DF.Literal["All", "Paid", "None"]
		signed_url_expiry_hours: DF.Int
		storage_provider: DF.Literal["AWS S3", "Cloudflare R2", "Local Directory"]
		trash_days: DF.Int
		video_folders: DF.SmallText | None
	# end: auto-generated types

	def validate(self):
		"""Normalise the typed values, then report everything that is wrong at once, each with its field."""
		if self.docstatus:
			self.before_cancel()
		super().validate()
		self.tidy()
		self.flags.has_other_secret = self._has_other_secret()  # Frappe stores it before `on_update`
		problems = [
			f"{_(self.meta.get_label(fieldname))}: {message}"
			for check in (
				self._wrong_numbers,
				self._missing_for_provider,
				self._wrong_urls,
				self._missing_for_purge,
				self._wrong_folder,
				self._served_folder,
				self._wrong_addresses,
				self._wrong_video_folders,
				self._wrong_types,
				self._held_elsewhere,
			)
			for fieldname, message in check()
		]
		if problems:
			frappe.throw("<br>".join(problems), title=_("CDN Settings"))
		self._try_to_write()

	def before_insert(self):
		# Frappe inserts them once, when they are installed. Any later insert would remove what is not in it.
		if settings.stamp():
			frappe.throw(
				_("CDN Settings are there already: change them where they are."), frappe.DuplicateEntryError
			)

	def before_cancel(self):
		# Frappe cancels what has no table, though it cannot be submitted, and then never saves it again.
		frappe.throw(_("CDN Settings cannot be cancelled."), frappe.PermissionError)

	def on_trash(self):
		frappe.throw(
			_("CDN Settings cannot be deleted. To stop publishing, switch {0} off.").format(_("Enabled")),
			frappe.PermissionError,
		)

	def validate_share(self, share: Document):
		"""CDN Settings are given by role only, since they name the keys of the storage."""
		frappe.throw(_("CDN Settings cannot be shared."), frappe.PermissionError)

	def on_update(self):
		after_save.follow(self)

	def _try_to_write(self):
		"""Refuse a bucket that cannot be written to, when this save is what names it; *Save Anyway* lets it pass.

		Takes `connection_test.SAVE_SECONDS` at most. Migrations and patches never wait for a network.
		"""
		if (
			self.flags.save_anyway
			or self.get("__save_anyway")
			or frappe.flags.in_migrate
			or frappe.flags.in_patch
		):
			return
		if not self.enabled or self.storage_provider == settings.LOCAL or not self._connects_otherwise():
			return
		try:
			storage = settings.open_storage(self)
		except StorageConfigurationError as error:
			refusal = str(error)
		else:
			refusal = connection_test.cannot_write(storage, translate=_)
		if refusal:
			frappe.msgprint(
				_("{0} Nothing was saved.").format(as_html(refusal)),
				title=_("The Bucket Cannot Be Written"),
				indicator="red",
				raise_exception=frappe.ValidationError,
				primary_action={
					"label": _("Save Anyway"),
					"client_action": "memora.publishing.save_settings_anyway",
					"hide_on_success": True,
				},
			)

	def _connects_otherwise(self) -> bool:
		before = self.get_doc_before_save()
		return (
			not before
			or self.flags.has_other_secret
			or any((before.get(name) or "") != (self.get(name) or "") for name in _CONNECTION)
		)

	def tidy(self):
		"""Drop what comes along when values are copied from elsewhere."""
		for fieldname in _WITHOUT_SPACE:
			self.set(fieldname, "".join(cstr(self.get(fieldname)).split()))
		self.cdn_base_url = cstr(self.cdn_base_url).rstrip("/")
		self.gate_url = cstr(self.gate_url).rstrip("/")
		self.other_addresses = "\n".join(settings.other_addresses(self))
		self.endpoint_url = cstr(self.endpoint_url).rstrip("/")
		if self.bucket_name:  # Cloudflare shows the endpoint with the bucket behind it
			self.endpoint_url = self.endpoint_url.removesuffix(f"/{self.bucket_name}")
		self.local_path = cstr(self.local_path).strip()
		self.video_folders = "\n".join(paths.film_folders(cstr(self.video_folders)) or paths.FILMS)
		self.cdn = cstr(self.cdn) or "None"
		self.more_file_types = ", ".join(settings.more_file_types(self))

	def _has_other_secret(self) -> bool:
		"""Whether a secret key was typed that is not the one that is stored."""
		if not self.secret_key or self.is_dummy_password(self.secret_key):
			return False
		return self.secret_key != settings.secret(settings.saved(), "secret_key")

	def _wrong_numbers(self) -> Iterator[Problem]:
		for fieldname, (smallest, largest) in _RANGES.items():
			value = cint(self.get(fieldname))
			if largest and not smallest <= value <= largest:
				yield fieldname, _("enter a number from {0} to {1}.").format(smallest, largest)
			elif value < smallest:
				yield fieldname, _("enter {0} or more.").format(smallest)

	def _missing_for_provider(self) -> Iterator[Problem]:
		needed = _NEEDED.get(self.storage_provider, ())
		if self.storage_provider == "AWS S3" and not self.endpoint_url:
			needed = (*needed, "region")
		for fieldname in needed:
			if not self.get(fieldname):
				yield fieldname, _("{0} needs it.").format(_(self.storage_provider))

	def _wrong_urls(self) -> Iterator[Problem]:
		for fieldname, example in _URLS.items():
			value = self.get(fieldname)
			if not value:
				continue
			if not _is_http_url(value):
				yield (
					fieldname,
					_("“{0}” is not a URL like {1}.").format(as_html(without_secrets(value)), example),
				)
			elif fieldname == "endpoint_url" and urlsplit(value).path:
				yield fieldname, _("leave out what follows the host, as in {0}.").format(example)

	def _missing_for_purge(self) -> Iterator[Problem]:
		if self.cdn not in settings.CDN_FIELDS:
			return
		place, key = settings.CDN_FIELDS[self.cdn]
		needed = [place, key]
		if self.cdn == "CloudFront":
			needed = [place] if settings.uses_bucket_keys(self) else [place, "cloudfront_access_key", key]
		for fieldname in needed:
			if not self.get(fieldname):
				yield fieldname, _("{0} needs it.").format(_(self.cdn))
		if not self.cdn_base_url:
			yield "cdn_base_url", _("purging needs it, to know the addresses of the files.")

	def _wrong_folder(self) -> Iterator[Problem]:
		"""Keep publishing, and its removals, out of everything else that this machine holds. A folder that was saved
		before stays as it is."""
		before = self.get_doc_before_save()
		if self.storage_provider != settings.LOCAL or not self.local_path:
			return
		if before and before.storage_provider == settings.LOCAL and before.local_path == self.local_path:
			return
		site = Path(get_site_path()).resolve()
		folder = (site / self.local_path).resolve()
		bench = Path(get_bench_path()).resolve()
		is_sites = site / "public" / "files" in folder.parents  # also of a bench in root's home
		if not is_sites and (folder == bench or bench in folder.parents or folder in bench.parents):
			yield (
				"local_path",
				_("choose a folder below {0} of this site, or one outside the bench.").format("public/files"),
			)
		elif not is_sites and local_folder.is_systems(folder):
			yield (
				"local_path",
				_("{0} belongs to the system: choose a folder of its own.").format(as_html(str(folder))),
			)
		elif folder.exists() and not local_folder.may_be_published_to(folder):
			yield (
				"local_path",
				_("{0} is no folder, or holds other files: choose a new or an empty one.").format(
					as_html(str(folder))
				),
			)

	def _served_folder(self) -> Iterator[Problem]:
		"""What the site itself serves to everybody, no gate keeps private. What was saved before stays as it is."""
		if not settings.is_gated(self) or not settings.is_served_by_site(self):
			return
		before = self.get_doc_before_save()
		if (
			before
			and settings.is_gated(before)
			and settings.local_path(before) == settings.local_path(self)
			and before.storage_provider == self.storage_provider
		):
			return
		yield (
			"local_path",
			_(
				"{0} is served to everybody by this site, past the gate. Choose a folder outside the bench that no web "
				"server shows, such as {1}, and let the gate read it there."
			).format(as_html(settings.local_path(self)), "/srv/memora"),
		)

	def _wrong_addresses(self) -> Iterator[Problem]:
		for address in settings.other_addresses(self):
			if not _is_http_url(address):
				yield (
					"other_addresses",
					_("“{0}” is not a URL like {1}.").format(
						as_html(without_secrets(address)), "https://pub-0123.r2.dev"
					),
				)

	def _wrong_video_folders(self) -> Iterator[Problem]:
		"""A link into a video folder is signed, so it may hold nothing but films."""
		for folder in paths.film_folders(cstr(self.video_folders)):
			if not paths.may_hold_films(folder):
				yield (
					"video_folders",
					_(
						"“{0}” cannot hold films: choose a folder of their own, not one of memora's, such as {1}."
					).format(as_html(folder), "videos/"),
				)

	def _wrong_types(self) -> Iterator[Problem]:
		"""Nothing that a browser or a web server would run."""
		for extension in settings.more_file_types(self):
			if not file_types.may_be_added(extension):
				yield (
					"more_file_types",
					_(
						"“{0}” cannot be published: enter extensions of files that no browser runs, such as mp4."
					).format(as_html(extension)),
				)

	def _held_elsewhere(self) -> Iterator[Problem]:
		"""Where nothing is live yet, the large-change guard knows of nothing to hold back."""
		if self.hold_large_changes and relocation.moves(self) and (held := publish_state.count_held()):
			yield (
				"hold_large_changes",
				_(
					"published to another place, what is held for approval (see the dashboard: {0}) would go out. "
					"Approve or undo it first, or switch this off."
				).format(held),
			)


def _is_http_url(value: str) -> bool:
	try:
		url = urlsplit(value)
		url.port  # noqa: B018 - reading it checks it
	except ValueError:
		return False
	return (
		url.scheme in ("http", "https")
		and bool(url.hostname)
		and not (url.username or url.password or url.query or url.fragment)
	)
