"""Where published files go, behind one small interface: `open(settings)` gives a `Storage`.

Three providers: AWS S3, Cloudflare R2 and a local directory. What each guarantees, and what it does not, is
the table in docs/storage.md. A new provider is a subclass of `Storage` and a line in `PROVIDERS`.

Nothing here knows Frappe: `services/cdn_export/settings.py` reads CDN Settings and its passwords and hands
over plain `StorageSettings`.
"""

from __future__ import annotations

from importlib import import_module

from memora.exceptions import StorageConfigurationError
from memora.services.cdn_export.storage.base import (
	JSON,
	FileBody,
	Storage,
	StorageSettings,
	StoredObject,
	Upload,
	check_path,
	stamp_of,
)

__all__ = [
	"JSON",
	"PROVIDERS",
	"FileBody",
	"Storage",
	"StorageSettings",
	"StoredObject",
	"Upload",
	"check_path",
	"open",
	"stamp_of",
]

# Imported only when used: a site that publishes to a local directory never loads boto3.
PROVIDERS = {
	"AWS S3": ("memora.services.cdn_export.storage.s3", "S3Storage"),
	"Cloudflare R2": ("memora.services.cdn_export.storage.r2", "R2Storage"),
	"Local Directory": ("memora.services.cdn_export.storage.local", "LocalStorage"),
}


def open(settings: StorageSettings) -> Storage:
	"""The storage that the settings name. Touches no network; raises StorageConfigurationError when what is
	needed is missing or cannot be right."""
	if settings.provider not in PROVIDERS:
		raise StorageConfigurationError(
			f"There is no storage provider {settings.provider!r}. Choose one of "
			f"{', '.join(PROVIDERS)} in CDN Settings, Storage Provider."
		)
	module, name = PROVIDERS[settings.provider]
	return getattr(import_module(module), name)(settings)
