from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import cint, cstr, get_bench_path, get_site_path

from memora.memora.texts import PlainTexts
from memora.services.cdn_export import (
	file_types,
	paths,
	publish_state,
	relocation,
	settings,
	signature_renewal,
)
from memora.services.cdn_export.plain_text import as_html

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
	"cloudflare_zone_id",
	"cloudflare_api_token",
)
_URLS = {"endpoint_url": "https://s3.example.com", "cdn_base_url": "https://cdn.example.com"}
#: Smallest and largest allowed value.
_RANGES = {
	"batch_interval_minutes": (1, None),
	"batch_threshold": (1, None),
	"signed_url_expiry_hours": (1, 24),
	"purge_batch_size": (1, 500),
	"largest_file_mb": (1, 5000),
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
		cdn_base_url: DF.Data | None
		cloudflare_api_token: DF.Password | None
		cloudflare_zone_id: DF.Data | None
		enabled: DF.Check
		endpoint_url: DF.Data | None
		hold_large_changes: DF.Check
		largest_file_mb: DF.Int
		local_path: DF.Data | None
		more_file_types: DF.SmallText | None
		purge_batch_size: DF.Int
		region: DF.Data | None
		secret_key: DF.Password | None
		sign: DF.Literal["All", "Paid", "None"]
		signed_url_expiry_hours: DF.Int
		storage_provider: DF.Literal["AWS S3", "Cloudflare R2", "Local Directory"]
		video_folders: DF.SmallText | None
	# end: auto-generated types

	def validate(self):
		"""Tidy what was typed, then tell all that is wrong at once, each with its field."""
		self.tidy()
		super().validate()
		self.flags.has_other_secret = self._has_other_secret()  # Frappe stores it before `on_update`
		problems = [
			f"{_(self.meta.get_label(fieldname))}: {message}"
			for check in (
				self._wrong_numbers,
				self._missing_for_provider,
				self._wrong_urls,
				self._missing_for_purge,
				self._wrong_folder,
				self._wrong_video_folders,
				self._wrong_types,
				self._held_elsewhere,
			)
			for fieldname, message in check()
		]
		if problems:
			frappe.throw("<br>".join(problems), title=_("CDN Settings"))

	def on_update(self):
		relocation.settings_saved(self)
		signature_renewal.settings_saved(self)

	def tidy(self):
		"""Drop what comes along when values are copied from elsewhere."""
		for fieldname in _WITHOUT_SPACE:
			self.set(fieldname, "".join(cstr(self.get(fieldname)).split()))
		self.cdn_base_url = self.cdn_base_url.rstrip("/")
		self.endpoint_url = self.endpoint_url.rstrip("/")
		if self.bucket_name:  # Cloudflare shows the endpoint with the bucket behind it
			self.endpoint_url = self.endpoint_url.removesuffix(f"/{self.bucket_name}")
		self.local_path = cstr(self.local_path).strip()
		self.video_folders = "\n".join(paths.film_folders(cstr(self.video_folders)) or paths.FILMS)
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
				yield fieldname, _("“{0}” is not a URL like {1}.").format(as_html(value), example)
			elif fieldname == "endpoint_url" and urlsplit(value).path:
				yield fieldname, _("leave out what follows the host, as in {0}.").format(example)

	def _missing_for_purge(self) -> Iterator[Problem]:
		if self.cloudflare_zone_id and not self.cloudflare_api_token:
			yield "cloudflare_api_token", _("purging the zone needs it.")
		if self.cloudflare_api_token and not self.cloudflare_zone_id:
			yield "cloudflare_zone_id", _("name the zone that the API token is for, or remove the token.")
		if self.cloudflare_zone_id and not self.cdn_base_url:
			yield "cdn_base_url", _("purging needs it, to know the addresses of the files.")

	def _wrong_folder(self) -> Iterator[Problem]:
		"""Keep publishing, and its removals, out of everything else that this bench holds."""
		if self.storage_provider != "Local Directory" or not self.local_path:
			return
		site = Path(get_site_path()).resolve()
		folder = (site / self.local_path).resolve()
		bench = Path(get_bench_path()).resolve()
		if site / "public" / "files" in folder.parents:
			return
		if folder == bench or bench in folder.parents or folder in bench.parents:
			yield (
				"local_path",
				_("choose a folder below {0} of this site, or one outside the bench.").format("public/files"),
			)

	def _wrong_video_folders(self) -> Iterator[Problem]:
		"""A link into a video folder is signed, so it may hold nothing but films."""
		for folder in paths.film_folders(self.video_folders):
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
		"""Where nothing is live yet, the brake knows of nothing to hold back."""
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
