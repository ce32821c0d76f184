"""The key that tells this site from every other one, its own copies apart: random, in `site_config.json`.

Never in the database, which is dumped and restored elsewhere as it is. What others may see is the key's hash: in the
mark of a place (`ownership`) and in the metadata of each published object.
"""

from __future__ import annotations

import json
import secrets
import shutil
from hashlib import sha256
from pathlib import Path

import frappe
from frappe.installer import update_site_config

from memora.exceptions import StorageConfigurationError
from memora.services.cdn_export.state import database

NAME = "memora_site_key"
"""The key's name in `site_config.json`."""

_BYTES = 32
_SHORTEST = 32
"""Characters. A shorter key is none that memora has made, and could be guessed from its hash."""

_PATIENCE_SECONDS = 10
_ROOM = 1_000_000
"""Bytes. Frappe empties the file before it writes it: never on a disk that is full."""


def site_hash() -> str:
	"""The hash of this site's key, which is made when there is none yet. Commits then.

	Raises StorageConfigurationError, with what to do, where `site_config.json` cannot be written or its key is no key.
	"""
	return hash_of(_read() or _make())


def known_hash() -> str:
	"""The hash of this site's key, "" where none has been made yet."""
	key = _read()
	return hash_of(key) if key else ""


def hash_if_possible() -> str:
	"""`site_hash`, "" where the file cannot be written: when memora is installed or migrated, and where files need no
	mark. A batch that needs the key says what is wrong."""
	try:
		return site_hash()
	except StorageConfigurationError as error:
		frappe.logger("memora").warning(str(error))
		return ""


def hash_of(key: str) -> str:
	"""What others may see of a key: 128 bits of its SHA-256, in hex."""
	return sha256(key.encode()).hexdigest()[:32]


def _read() -> str:
	"""The key as the file has it: another process may have made it since this one has read its configuration."""
	try:
		config = json.loads(_file().read_text(encoding="utf-8"))
	except ValueError:  # it is being written just now; Frappe does not replace it at once
		config = frappe.conf
	key = config.get(NAME) or ""
	if key and (not isinstance(key, str) or len(key) < _SHORTEST):
		raise StorageConfigurationError(
			f"{NAME} in site_config.json of {frappe.local.site} is no key: it has less than {_SHORTEST} characters. "
			"Remove the line, and a new key is made; or put back the one that was there."
		)
	return key


def _make() -> str:
	try:
		with database.alone(NAME, _PATIENCE_SECONDS) as is_alone:
			if not is_alone:
				raise StorageConfigurationError(f"{NAME} is being made by another worker; it is tried again.")
			if key := _read():  # made by another worker meanwhile
				return key
			if shutil.disk_usage(_file().parent).free < _ROOM:
				raise OSError("the disk is full")
			update_site_config(NAME, secrets.token_hex(_BYTES))
			return _read()
	except OSError as error:
		raise StorageConfigurationError(
			f"{NAME} cannot be written into site_config.json of {frappe.local.site} ({error}), and without it nobody "
			"can tell whose files are whose. Let the file be written, or add a line with a random key of 64 hex "
			"digits by hand: openssl rand -hex 32"
		) from error


def _file() -> Path:
	return Path(frappe.get_site_path("site_config.json"))
