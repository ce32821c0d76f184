"""Which folders a Local Directory may be: none of the system's, and none that holds what is not memora's."""

from __future__ import annotations

from pathlib import Path

from memora.services.cdn_export.model import paths

_SYSTEM = tuple(
	Path(name).resolve()
	for name in (
		*(
			"/bin",
			"/boot",
			"/dev",
			"/etc",
			"/lib",
			"/lib32",
			"/lib64",
			"/libx32",
			"/proc",
			"/root",
			"/run",
			"/sbin",
		),
		*("/sys", "/usr", "/var/backups", "/var/cache", "/var/log", "/var/mail", "/var/run", "/var/spool"),
		*("/System", "/Library", "/private/etc"),
	)
)


def is_systems(folder: Path) -> bool:
	"""Whether a folder is one that an operating system needs, or at its top."""
	return folder in _SYSTEM or len(folder.parts) < 3 or any(above in folder.parents for above in _SYSTEM)


def may_be_published_to(folder: Path) -> bool:
	"""Whether a folder is empty, or is one that memora publishes to: by a mark, or by the list of plans."""
	try:
		if not folder.is_dir():
			return False
		return next(folder.iterdir(), None) is None or any(
			(folder / path).is_file() for path in ("memora/place.json", paths.PLAN_INDEX)
		)
	except OSError:
		return False
