from pathlib import Path
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, escape_html, get_bench_path, get_site_path

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
#: Smallest and largest allowed value.
_RANGES = {
	"batch_interval_minutes": (1, None),
	"batch_threshold": (1, None),
	"signed_url_expiry_hours": (1, 24),
	"purge_batch_size": (1, 500),
}


class CDNSettings(Document):
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
		local_path: DF.Data | None
		purge_batch_size: DF.Int
		region: DF.Data | None
		secret_key: DF.Password | None
		sign: DF.Literal["All", "Paid", "None"]
		signed_url_expiry_hours: DF.Int
		storage_provider: DF.Literal["AWS S3", "Cloudflare R2", "Local Directory"]
	# end: auto-generated types

	def validate(self):
		"""Tidy what was typed, then tell all that is wrong at once, each with its field."""
		for fieldname in _WITHOUT_SPACE:
			self.set(fieldname, "".join((self.get(fieldname) or "").split()))
		self.endpoint_url = self.endpoint_url.rstrip("/")
		# Cloudflare shows the endpoint with the bucket behind it.
		self.endpoint_url = (
			self.endpoint_url.removesuffix(f"/{self.bucket_name}") if self.bucket_name else self.endpoint_url
		)
		self.cdn_base_url = self.cdn_base_url.rstrip("/")
		self.local_path = (self.local_path or "").strip()
		self._problems: list[str] = []
		self._check_ranges()
		self._check_provider()
		self._check_urls()
		self._check_purge()
		self._check_local_path()
		if self._problems:
			frappe.throw(self._problems, title=_("CDN Settings"), as_list=len(self._problems) > 1)

	def _problem(self, fieldname: str, message: str):
		self._problems.append(f"{_(self.meta.get_label(fieldname))}: {message}")

	def _check_ranges(self):
		for fieldname, (smallest, largest) in _RANGES.items():
			value = cint(self.get(fieldname))
			if largest and not smallest <= value <= largest:
				self._problem(fieldname, _("enter a number from {0} to {1}.").format(smallest, largest))
			elif value < smallest:
				self._problem(fieldname, _("enter {0} or more.").format(smallest))

	def _check_provider(self):
		for fieldname in _NEEDED.get(self.storage_provider, ()):
			if not self.get(fieldname):
				self._problem(fieldname, _("{0} needs it.").format(_(self.storage_provider)))
		if self.storage_provider == "AWS S3" and not (self.region or self.endpoint_url):
			self._problem("region", _("{0} needs it.").format(_(self.storage_provider)))

	def _check_urls(self):
		for fieldname, example in (
			("endpoint_url", "https://s3.example.com"),
			("cdn_base_url", "https://cdn.example.com"),
		):
			value = self.get(fieldname)
			if value and not _is_http_url(value):
				self._problem(
					fieldname, _("“{0}” is not a URL like {1}.").format(escape_html(value), example)
				)
			elif value and fieldname == "endpoint_url" and urlsplit(value).path:
				self._problem(fieldname, _("leave out what follows the host, as in {0}.").format(example))

	def _check_purge(self):
		if self.cloudflare_zone_id and not self.cloudflare_api_token:
			self._problem("cloudflare_api_token", _("purging the zone needs it."))
		if self.cloudflare_api_token and not self.cloudflare_zone_id:
			self._problem(
				"cloudflare_zone_id", _("name the zone that the API token is for, or remove the token.")
			)
		if self.cloudflare_zone_id and not self.cdn_base_url:
			self._problem("cdn_base_url", _("purging needs it, to know the addresses of the files."))

	def _check_local_path(self):
		"""Keep publishing, and its removals, out of everything else that this bench holds."""
		if self.storage_provider != "Local Directory" or not self.local_path:
			return
		site = Path(get_site_path()).resolve()
		uploads = site / "public" / "files"
		folder = (site / self.local_path).resolve()
		bench = Path(get_bench_path()).resolve()
		if uploads in folder.parents:
			return
		if (
			folder == bench
			or bench in folder.parents
			or folder in bench.parents
			or folder == Path(folder.anchor)
		):
			self._problem(
				"local_path",
				_("choose a folder below {0} of this site, or one outside the bench.").format("public/files"),
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
