"""The part of Test connection that asks for a paid lesson, where a gate keeps paid content private.

It asks at every address that is known: as a stranger everywhere, and at the gate also with tokens that must not open it, and
with one that must. Only where all of that was seen is paid content called private. Knows no Frappe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import requests

from memora.services.cdn_export.admin.base_url_test import TIMEOUTS
from memora.services.cdn_export.admin.finding import Finding

Role = Literal["gate", "base url", "bucket", "site", "other"]

TOKENS: dict[str, tuple[int, str]] = {
	"forged": (401, "token_invalid"),
	"expired": (401, "token_expired"),
	"wrong": (403, "item_required"),
	"right": (200, ""),
}
"""What the gate answers to each kind of token: status, and the `error` of its refusal."""

_MOST = 65_536
_SHARED = re.compile(r"(?:^|[\s,])(?:public|s-maxage)", re.IGNORECASE)


class Address(NamedTuple):
	"""Where files can be asked for, without a trailing slash, and what leads there."""

	url: str
	role: Role


@dataclass(frozen=True, slots=True)
class PaidLesson:
	"""A published paid lesson, and tokens by kind (`TOKENS`); no tokens where none can be made, which `why` says."""

	path: str
	version: int
	tokens: Mapping[str, str]
	why: str = ""


class _Answer(NamedTuple):
	"""What was answered; `status` 0 where nothing was, which `error` says then."""

	status: int
	error: str = ""
	by_gate: bool = False
	cache_control: str = ""


def run(
	http: requests.Session,
	addresses: Sequence[Address],
	lesson: PaidLesson | None,
	still_public: str,
	translate: Callable[[str], str],
) -> Iterator[Finding]:
	"""A finding for each address, and a last one, `paid lessons`, which says whether they are private. `still_public` says
	what is not written as private yet, "" for nothing. Never raises for what the network does."""
	_ = translate
	test = _Test(http, lesson, _)
	if not lesson:
		yield Finding(
			"paid lessons",
			"warning",
			_("No paid lesson is published, so it was not tried whether the gate keeps one private."),
			_("Publish one, and test again."),
		)
		return
	findings = [test.at(address) for address in addresses]
	yield from findings
	if still_public:
		yield Finding("paid lessons", "warning", still_public)
	elif all(finding.level == "ok" for finding in findings):
		yield Finding(
			"paid lessons",
			"ok",
			_("Paid lessons are private: {0} was refused to strangers at each address.").format(lesson.path),
		)


class _Test:
	def __init__(
		self, http: requests.Session, lesson: PaidLesson | None, translate: Callable[[str], str]
	) -> None:
		self._http = http
		self._lesson = lesson or PaidLesson("", 0, {})
		self._ = translate

	def at(self, address: Address) -> Finding:
		"""What an address does with the lesson."""
		return self._at_gate(address.url) if address.role == "gate" else self._past_the_gate(address)

	def _past_the_gate(self, address: Address) -> Finding:
		check = f"paid lesson at {address.url}"
		answers = [self._ask(f"{address.url}/{path}") for path in (*self._paths(), self._disguised())]
		if any(200 <= answer.status < 400 for answer in answers):
			return Finding(
				check,
				"error",
				self._("A stranger can read paid lessons at {0}, past the gate.").format(address.url),
				self._fix(address),
			)
		if silent := next((answer for answer in answers if not answer.status or answer.status >= 500), None):
			return self._not_known(check, address.url, silent)
		return Finding(check, "ok", self._("Strangers are refused at {0}.").format(address.url))

	def _at_gate(self, url: str) -> Finding:
		check = f"paid lesson at {url}"
		strangers = [self._ask(f"{url}/{path}") for path in self._paths()]
		wrong = next((found for found in strangers if found.status != 401 or not found.by_gate), None)
		disguised = self._ask(f"{url}/{self._disguised()}")
		wrong = wrong or (disguised if 200 <= disguised.status < 400 else None)
		if wrong:
			return self._no_gate(check, url, wrong)
		if not self._lesson.tokens:
			return Finding(
				check,
				"warning",
				self._(
					"The gate at {0} refuses strangers; whether it lets an owner in was not tried. {1}"
				).format(url, self._lesson.why),
			)
		for kind, (status, error) in TOKENS.items():
			found = self._ask(f"{url}/{self._lesson.path}", self._lesson.tokens[kind])
			if (found.status, found.error) != (status, error):
				return self._other_answer(check, url, kind, found)
			if kind == "right" and _SHARED.search(found.cache_control):
				return Finding(
					check,
					"error",
					self._(
						"The gate at {0} sends a paid lesson with Cache-Control “{1}”, so caches may keep it."
					).format(url, found.cache_control),
					self._(
						"Let nothing between the gate and the apps change that header, and publish again."
					),
				)
		# What an owner has just read, no cache may give to the next.
		again = [self._ask(f"{url}/{path}") for path in self._paths()]
		if any(found.status != 401 for found in again):
			return Finding(
				check,
				"error",
				self._("A cache in front of {0} gives strangers what an owner has just read.").format(url),
				self._(
					"Let no rule of the CDN override Cache-Control: private, no Cache Everything, no edge TTL of its own."
				),
			)
		return Finding(
			check,
			"ok",
			self._("The gate at {0} refuses strangers and bad tokens, and lets an owner in.").format(url),
		)

	def _no_gate(self, check: str, url: str, found: _Answer) -> Finding:
		if not found.status or found.status >= 500:
			return self._not_known(check, url, found)
		if 200 <= found.status < 400:
			return Finding(
				check,
				"error",
				self._("A stranger can read paid lessons at {0}: no gate is asked there.").format(url),
				self._(
					"Route lessons and films of this address to the gate, and set the route to fail closed."
				),
			)
		return Finding(
			check,
			"error",
			self._(
				"What answers at {0} is not memora's gate (HTTP {1}), so owners may not be let in."
			).format(url, found.status),
			self._("Check Gate URL in CDN Settings, and that its path is the gate's BASE."),
		)

	def _other_answer(self, check: str, url: str, kind: str, found: _Answer) -> Finding:
		said = f"HTTP {found.status} {found.error}".strip() if found.status else found.error
		if kind == "right":
			return Finding(
				check,
				"error",
				self._("The gate at {0} refuses who owns the lesson ({1}).").format(url, said),
				self._(
					"Check SITE of the gate and its bucket, and the clocks; a new key is accepted after a minute. bench "
					"memora gate-config writes what the gate needs."
				),
			)
		return Finding(
			check,
			"error",
			{
				"forged": self._("The gate at {0} does not refuse a forged token as it should ({1})."),
				"expired": self._("The gate at {0} does not refuse an expired token as it should ({1})."),
				"wrong": self._("The gate at {0} does not refuse who owns another item as it should ({1})."),
			}[kind].format(url, said),
			self._("Run the gate that belongs to this release of memora, with this site's hash as SITE."),
		)

	def _not_known(self, check: str, url: str, found: _Answer) -> Finding:
		said = f"HTTP {found.status}" if found.status else found.error
		return Finding(
			check,
			"warning",
			self._("Who can read paid lessons at {0} is not known: it does not answer ({1}).").format(
				url, said
			),
			self._("Check the address, its DNS and its certificate, and what runs there."),
		)

	def _fix(self, address: Address) -> str:
		if (urlsplit(address.url).hostname or "").endswith(".r2.dev"):
			return self._("Switch the bucket's r2.dev address off: in Cloudflare, R2, the bucket, Settings.")
		return {
			"base url": self._(
				"Route lessons and films of this address to the gate, or let it lead to nothing but the shop window."
			),
			"bucket": self._(
				"Close the bucket to the public: no policy, ACL or access without a key may read it."
			),
			"site": self._("Choose a folder in CDN Settings that the site does not serve."),
		}.get(address.role, self._("Close this address, or route it to the gate."))

	def _paths(self) -> tuple[str, str]:
		"""As apps ask for the lesson: caches keep both."""
		return self._lesson.path, f"{self._lesson.path}?v={self._lesson.version}"

	def _disguised(self) -> str:
		"""The same file, past a rule that knows it by its path alone."""
		return f"%{ord(self._lesson.path[0]):02X}{self._lesson.path[1:]}"

	def _ask(self, url: str, token: str = "") -> _Answer:
		headers = {"Authorization": f"Bearer {token}"} if token else {}
		request = self._http.prepare_request(requests.Request("GET", url, headers))
		request.url = url  # as it is: requests would take the disguise off
		try:
			with self._http.send(request, timeout=TIMEOUTS, stream=True) as response:
				body = next(response.iter_content(_MOST), b"") if response.status_code >= 400 else b""
		except requests.RequestException as error:
			return _Answer(0, type(error).__name__)
		return _Answer(
			response.status_code,
			_error_in(body),
			"X-Memora-Gate" in response.headers,
			response.headers.get("Cache-Control", ""),
		)


def _error_in(body: bytes) -> str:
	found = re.search(rb'"error"\s*:\s*"([a-z_]{1,40})"', body)
	return found[1].decode() if found else ""
