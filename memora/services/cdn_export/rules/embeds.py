"""Whose players apps embed, and what of a text's markup they don't show.

The list is the contract's: `embed` in common.schema.json, and the table in docs/contract.md. The reader's policy has the
same origins as its `frame-src`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import urlsplit

from memora.services.cdn_export.model import stage_files
from memora.services.cdn_export.rules.stage_finding import Finding, Path, _, named


class Service(NamedTuple):
	"""A video service: the origin that its players come from, and the hosts of links that lead to its films."""

	name: str
	origin: str
	hosts: tuple[str, ...]


SERVICES = (
	Service(
		"YouTube",
		"https://www.youtube-nocookie.com",
		("youtube.com", "youtu.be", "youtube-nocookie.com", "youtubekids.com", "youtubeeducation.com"),
	),
	Service("Vimeo", "https://player.vimeo.com", ("vimeo.com",)),
)
NAMES = ", ".join(service.name for service in SERVICES)

_FRAME = re.compile(r"<iframe\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
_LONGEST_LINK = 5_000
_WEB_ADDRESS = re.compile(
	r"(?:(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d+)?/|www\.[^/\s]+\.[^\W\d_]{2,}(?:[:/?#]|$))", re.IGNORECASE
)
"""As people write an address without https://; the reader has the same."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d)", re.IGNORECASE)
_FILM_SCHEMES = ("http", "https", "s3")
_EMBEDDING = frozenset({"iframe", "frame", "embed", "object"})
_NOT_SHOWN = frozenset(
	{
		"script",
		"style",
		"form",
		"input",
		"button",
		"select",
		"textarea",
		"dialog",
		"template",
		"canvas",
		"svg",
	}
)
_SUSPECT = re.compile(f"<(?:{'|'.join(sorted(_EMBEDDING | _NOT_SHOWN))})\\b", re.IGNORECASE)
_MOST_SAID = 20


def service_of(link: str) -> Service | None:
	"""The service whose player shows what a link leads to; None for every other address."""
	host = host_of(link)
	for service in SERVICES:
		if any(host == known or host.endswith(f".{known}") for known in service.hosts):
			return service
	return None


def host_of(link: str) -> str:
	"""The host of an address as editors write it, in lower case; "" where it leads to none."""
	link = link.strip()
	if not re.match(r"(?:https?:)?//", link, re.IGNORECASE):
		if not _WEB_ADDRESS.match(link):
			return ""
		link = f"//{link}"
	try:
		return (urlsplit(link).hostname or "").lower()
	except ValueError:
		return ""


def framed(text: str) -> str:
	"""The address of the frame that a text copied from a service is; "" where it is none."""
	found = _FRAME.search(text[:_LONGEST_LINK])
	return unescape(found[1]) if found else ""


def is_film(link: str) -> bool:
	"""Whether a link may lead to a film: a web address, a file of the site, or one of the storage."""
	link = link.strip()
	scheme = _SCHEME.match(link)
	if scheme:
		return scheme[1].lower() in _FILM_SCHEMES
	return bool(host_of(link)) or "/" in link or "\\" in link


def markup(path: Path, html: str) -> Iterator[Finding]:
	"""What of a field's markup learners would not see: broken where it embeds a host that is not on the list."""
	if not _SUSPECT.search(html):
		return
	said: set[str] = set()
	for element, attributes in stage_files.elements(html):
		what = ""
		if element in _EMBEDDING:
			link = attributes.get("data" if element == "object" else "src", "")
			if service_of(link):
				continue
			what = host_of(link)
			if what and what not in said:
				yield Finding(
					path,
					"broken",
					_("{0} embeds “{1}”. Apps embed only {2}. Link to it instead, or upload the file."),
					(named(path), what, NAMES),
				)
		elif element not in _NOT_SHOWN:
			continue
		if not what and (what := f"<{element}>") not in said:
			yield Finding(
				path, "warning", _("{0} has a {1}, which apps don't show. Take it out."), (named(path), what)
			)
		said.add(what)
		if len(said) >= _MOST_SAID:
			return
