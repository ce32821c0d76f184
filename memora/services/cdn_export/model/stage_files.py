"""Where a stage's config names files, and the same config with other links in their place.

Pure. A file is named by a text that is nothing but its address, or, in a text that is HTML, by `src`, `href`, `poster`
and `srcset`. Only the values of these attributes change; everything around them stays as the editor wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from html import escape, unescape
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from memora.services.cdn_export.model import paths

PUBLIC = "/files/"
PRIVATE = "/private/files/"

Replace = Callable[["Link"], "str | None"]


class Link(NamedTuple):
	"""A link as it was written. In HTML it is a URL, in which `%20` is a space; a text that is nothing but an address
	is what Frappe calls the file: its name, letter for letter."""

	url: str
	is_html: bool


class PublicFile(NamedTuple):
	"""A public file of the site as it is published: where it is read from, what tells it from an earlier one, and its
	digest and extension. `kept` says that it is published only because it was before its type or size was refused."""

	location: str
	stamp: str
	size: int
	digest: str
	extension: str
	kept: bool = False

	@property
	def name(self) -> str:
		return f"{self.digest}.{self.extension}"


_TAG = re.compile(r"<(?:(!--)|([a-zA-Z][^\s/>]*))")
_BEFORE_ATTRIBUTE = re.compile(r"[\s/]*")
_ATTRIBUTE = re.compile(
	r"""(=?[^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)))?""",
)
_LINKS = frozenset({"src", "href", "poster", "srcset"})
_RAW = frozenset(
	{"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"}
)
"""Elements whose content is text to a browser, whatever it looks like."""

_BEFORE_SOURCE = re.compile(r"[\s,]*")
_SOURCE = re.compile(r"\S+")
_DESCRIPTION = re.compile(r"[^,]*")
_ELSEWHERE = re.compile(r"#|\?|//|[a-zA-Z][a-zA-Z0-9+.-]+:")
_WITH_HOST = re.compile(r"""(?:\b(?:https?|s3):)?[/\\]{2,}[^\s<>"'`)]+""", re.IGNORECASE)
_PROSE = re.compile(r"[\n\r\t]")
_IGNORED = str.maketrans("", "", "\t\r\n")  # by browsers, anywhere in an address
_MAY_NAME_FILE = re.compile(r"f[\t\r\n]*i[\t\r\n]*l[\t\r\n]*e[\t\r\n]*s|&#")
"""`files`, as browsers read it in an address; or a character by its number, which may be one of these."""
_MENTION = re.compile(r"(?<![\w.%-])(?:/private)?/files/[^\s<>\"')\]]+")


def links(config: Any) -> Iterator[Link]:
	"""Every link in a stage's config: what may name a file, and what else an attribute of HTML leads to."""
	if isinstance(config, dict):
		for value in config.values():
			yield from links(value)
	elif isinstance(config, list):
		for value in config:
			yield from links(value)
	elif isinstance(config, str):
		if _is_address(config) or paths.lesson_of_file(config.partition("#")[0]):
			yield Link(config, is_html=False)
		if "<" in config:
			for _, _, name, value in _attributes(config):
				for url, _ in _urls(name, value):
					yield Link(url, is_html=True)


def file_links(config: Any) -> Iterator[Link]:
	"""The links in a stage's config that may name one of the site's files. Markup in which no such link can be is not taken
	apart."""
	if isinstance(config, dict):
		for value in config.values():
			yield from file_links(value)
	elif isinstance(config, list):
		for value in config:
			yield from file_links(value)
	elif isinstance(config, str) and may_name_file(config):
		yield from links(config)


def may_name_file(text: str) -> bool:
	"""Whether a text may hold a link to a file of the site's, however it is written; fast, for texts of any size."""
	return bool(_MAY_NAME_FILE.search(text))


def replaced(config: Any, replace: Replace, may_hold: Callable[[str], bool] = may_name_file) -> Any:
	"""The config with another address for each link for which `replace` knows one; without any, the same object. Markup is
	only taken apart where it `may_hold` one."""
	if isinstance(config, dict):
		values = {key: replaced(value, replace, may_hold) for key, value in config.items()}
		return values if any(values[key] is not value for key, value in config.items()) else config
	if isinstance(config, list):
		items = [replaced(value, replace, may_hold) for value in config]
		return items if any(new is not old for new, old in zip(items, config, strict=True)) else config
	if not isinstance(config, str):
		return config
	if _is_address(config):
		found = replace(Link(config, is_html=False))
		if found is not None:
			return found
	return _html_replaced(config, replace) if "<" in config and may_hold(config) else config


def names(link: Link, hosts: Collection[str] = ()) -> list[str]:
	"""The names below the site's public files that a link may mean, the likeliest first; none where it leads elsewhere.

	`hosts` are the site's own, whose absolute addresses lead there too. A name is decoded at most once. Frappe calls
	files by their plain names and takes encoded ones as well, and editors put either into HTML.
	"""
	url = _below_site(link, hosts)
	if not url.startswith(PUBLIC):
		return []
	plain = url[len(PUBLIC) :]
	bare = re.split("[?#]", plain, maxsplit=1)[0]
	found = [unquote(bare), plain, unquote(plain), bare] if link.is_html else [plain, unquote(plain)]
	if not link.is_html:
		found += [bare, unquote(bare)]
	return [name for name in dict.fromkeys(found) if name]


def _below_site(link: Link, hosts: Collection[str]) -> str:
	"""A link without the site's own address before it; "" where it leads to another one."""
	url = link.url.strip() if link.is_html else link.url
	if url.startswith("/") and not url.startswith("//"):
		return url
	url = url.translate(_IGNORED)  # as `urlsplit` does
	try:
		parts = urlsplit(url)
	except ValueError:
		return ""
	if parts.scheme.lower() not in ("http", "https", "") or parts.netloc.lower() not in hosts:
		return ""
	return url[url.index(parts.netloc) + len(parts.netloc) :]


def fragment(link: Link, name: str) -> str:
	"""What of a link says where in the file: `#page=3`. None of it where `#` is part of the file's name."""
	before, sign, after = link.url.strip().partition("#")
	return f"#{after}" if sign and "#" not in name and PUBLIC in before else ""


def is_private(link: Link, hosts: Collection[str] = ()) -> bool:
	"""Whether a link leads to a private file of the site's."""
	return _below_site(link, hosts).startswith(PRIVATE)


def leads_nowhere(link: Link) -> bool:
	"""Whether a link that names no public file leads no learner anywhere: into the Desk, to a private file, to a file of
	the editor's own machine, or relative to a page that learners never see."""
	url = link.url.strip()
	if not link.is_html:
		return url.startswith(PRIVATE)
	if not _ELSEWHERE.match(url):
		return bool(url)
	return url[:5].lower() == "file:"


def mentions(config: Any) -> Iterator[str]:
	"""The site's files that texts name otherwise than by a link: in Markdown, or in a style."""
	if isinstance(config, dict | list):
		for value in config.values() if isinstance(config, dict) else config:
			yield from mentions(value)
	elif isinstance(config, str) and "/files/" in config and not _is_address(config):
		at = 0
		for start, end, _, _ in _attributes(config):
			yield from _MENTION.findall(config[at:start])
			at = end
		yield from _MENTION.findall(config[at:])


def paths_of(config: Any, urls: Collection[str]) -> dict[str, tuple[str | int, ...]]:
	"""Where in a stage's config each of these links and mentions is first, as keys and places; () where it is not found."""
	found: dict[str, tuple[str | int, ...]] = dict.fromkeys(urls, ())
	if urls:
		for path, text in _texts(config, ()):
			for url in (*(link.url for link in links(text)), *mentions(text)):
				if found.get(url) == ():
					found[url] = path
	return found


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
	if isinstance(value, str):
		yield path, value
	elif isinstance(value, dict | list):
		for key, each in value.items() if isinstance(value, dict) else enumerate(value):
			yield from _texts(each, (*path, key))


def addresses(config: Any) -> Iterator[str]:
	"""Every address with a host in a stage's texts: as a text of its own, in HTML, in Markdown."""
	if isinstance(config, dict | list):
		for value in config.values() if isinstance(config, dict) else config:
			yield from addresses(value)
	elif isinstance(config, str):
		yield from _WITH_HOST.findall(unescape(config))


def _is_address(text: str) -> bool:
	"""Whether a text may be nothing but the address of one of the site's files: the disk decides."""
	return text.startswith((PUBLIC, PRIVATE)) and len(text) < 1000 and not _PROSE.search(text)


def _attributes(html: str) -> Iterator[tuple[int, int, str, str]]:
	"""Where the values of linking attributes are, with the attribute's name and the value as it is written."""
	for _element, attributes in _tags(html):
		for found in attributes:
			group = _value(found)
			if group and (name := found[1].lower()) in _LINKS:
				yield found.start(group), found.end(group), name, found[group]


def elements(html: str) -> Iterator[tuple[str, dict[str, str]]]:
	"""Every element of some markup with its attributes, in lower case; of what a browser takes for text, none."""
	for element, found in _tags(html):
		attributes: dict[str, str] = {}
		for each in found:
			group = _value(each)
			attributes.setdefault(each[1].lower(), unescape(each[group]) if group else "")
		yield element, attributes


def _tags(html: str) -> Iterator[tuple[str, list[re.Match[str]]]]:
	"""The tags of some markup as a browser finds them: each element's name in lower case, the matches of its attributes."""
	at = 0
	while tag := _TAG.search(html, at):
		at = tag.end()
		if tag[1]:
			at = html.find("-->", at)
			if at < 0:
				return
			continue
		attributes = []
		while (at := _BEFORE_ATTRIBUTE.match(html, at).end()) < len(html) and html[at] != ">":  # type: ignore[union-attr]
			found = _ATTRIBUTE.match(html, at)
			if found is None:
				at += 1
				continue
			at = found.end()
			attributes.append(found)
		element = tag[2].lower()
		yield element, attributes
		if element in _RAW:
			closing = re.compile(f"</{re.escape(element)}", re.IGNORECASE).search(html, at)
			if closing is None:
				return
			at = closing.start() + 2


def _value(attribute: re.Match[str]) -> int:
	"""The group of the match that has the attribute's value; 0 where it has none."""
	return next((number for number in (2, 3, 4) if attribute[number] is not None), 0)


def _urls(attribute: str, value: str) -> Iterator[tuple[str, str]]:
	"""The URLs of an attribute as they are meant, each with what follows it there."""
	text = unescape(value)
	if attribute != "srcset":
		yield text, ""
		return
	at = 0
	while (at := _BEFORE_SOURCE.match(text, at).end()) < len(text):  # type: ignore[union-attr]
		source = _SOURCE.match(text, at)
		assert source is not None
		url, at = source[0].rstrip(","), source.end()
		described = None if source[0].endswith(",") else _DESCRIPTION.match(text, at)
		if described:
			at = described.end()
		yield url, described[0].strip() if described else ""


def _html_replaced(html: str, replace: Replace) -> str:
	pieces, at = [], 0
	for start, end, attribute, value in _attributes(html):
		urls = list(_urls(attribute, value))
		new = [replace(Link(url, is_html=True)) for url, _ in urls]
		if all(url is None for url in new):
			continue
		text = ", ".join(
			f"{old if url is None else url} {follows}".strip()
			for url, (old, follows) in zip(new, urls, strict=True)
		)
		pieces += [html[at:start], escape(text, quote=True)]
		at = end
	return "".join([*pieces, html[at:]]) if pieces else html
