"""Fetch freeCodeCamp's curriculum from the npm registry and read it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "@freecodecamp/curriculum"
VERSION = "3.2.1"
INTEGRITY = "sha512-MST9uyA2ZYubHanr/ZTF/vMfFxXDZNoYltM6qTHHsfh8rNyNE7FKj4IUeTKV7P/YCwfY9oT4u6vHd8NyYEj6Xw=="
CREDIT = f"freeCodeCamp's curriculum {VERSION} (npm {NAME}), freecodecamp.org, CC BY-SA 4.0"

_FOLDER = "package/dist/challenges/"


class PackageError(Exception):
	"""The curriculum cannot be had or is not what we know; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Block:
	"""One file of the package: a block of challenges, in the folder of its superblock."""

	folder: str
	file: str
	content: dict[str, Any]


def fetch(folder: Path) -> Path:
	"""Return the package's archive below `folder`, fetching it with npm unless it is there and sound."""
	archive = folder / f"freecodecamp-curriculum-{VERSION}.tgz"
	if archive.exists() and integrity(archive) == INTEGRITY:
		return archive
	npm = shutil.which("npm")
	if npm is None:
		raise PackageError(
			"npm is not installed, and the demo's curriculum comes from there: apt-get install npm"
		)
	folder.mkdir(parents=True, exist_ok=True)
	archive.unlink(missing_ok=True)
	command = [npm, "pack", f"{NAME}@{VERSION}", "--loglevel=error", "--pack-destination", str(folder)]
	try:
		done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
	except subprocess.TimeoutExpired:
		raise PackageError(
			f"npm did not fetch {NAME}@{VERSION} within 2 minutes: is the npm registry reachable?"
		) from None
	if done.returncode or not archive.exists():
		said = (line.removeprefix("npm error").strip() for line in (done.stderr or done.stdout).splitlines())
		reason = " / ".join(list(filter(None, said))[:3])
		raise PackageError(
			f"npm could not fetch {NAME}@{VERSION}: is the npm registry reachable? It said: {reason}"
		)
	found = integrity(archive)
	if found != INTEGRITY:
		archive.unlink()
		raise PackageError(
			f"{NAME}@{VERSION} is not the package we know (its integrity is {found}); not used. "
			"Try again, or ask who runs your npm mirror."
		)
	return archive


def integrity(archive: Path) -> str:
	"""Return an archive's hash the way npm writes it."""
	return "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()


def read(archive: Path) -> list[Block]:
	"""Return the archive's blocks in the order of their paths. Nothing is unpacked to disk."""
	blocks = []
	with tarfile.open(archive) as package:
		for member in package:
			if not (member.isfile() and member.name.startswith(_FOLDER) and member.name.endswith(".json")):
				continue
			folder, file = member.name.removeprefix(_FOLDER).split("/")
			blocks.append(Block(folder, file, json.load(package.extractfile(member))))
	return sorted(blocks, key=lambda block: (block.folder, block.file))
