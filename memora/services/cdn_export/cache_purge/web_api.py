"""Calls of a CDN's web API: within time limits, with the key in a header, and each failure a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from memora.services.cdn_export.cache_purge.keyed import PAUSE_AFTER_429, Refusal

TIMEOUTS = (5, 30)  # to connect, to answer
LONGEST = 200  # characters of what a CDN says that a message repeats, once the key is taken out of it


class WebApi:
	"""A CDN's API behind a key that goes into `header`. `cdn` is what messages call it; `fix` says where its key and id are."""

	def __init__(self, url: str, cdn: str, header: str, key: str, fix: str) -> None:
		self._url = url
		self._cdn = cdn
		self._header = header
		self._key = key
		self._fix = fix
		self._session = requests.Session()
		self._session.auth = self._authorise  # not a header, which a .netrc would replace

	def __repr__(self) -> str:
		return f"<{self._cdn} {self._url}>"

	def post(
		self,
		path: str,
		*,
		body: Mapping[str, Any] | None = None,
		params: Mapping[str, str] | None = None,
		headers: Mapping[str, str] | None = None,
	) -> Refusal | str:
		"""Make one call. Returns "" when it worked, or why it did not. Never raises for what the CDN or the network does."""
		try:
			response = self._session.post(
				f"{self._url}{path}",
				json=body,
				params=params,
				headers=dict(headers or {}),
				timeout=TIMEOUTS,
				allow_redirects=False,
			)
		except (requests.RequestException, ValueError) as error:
			return Refusal(
				f"{self._cdn}'s API could not be reached ({type(error).__name__}). Check this machine's network; the "
				"purge is tried again."
			)
		return "" if self._has_worked(response) else self._refusal(response)

	def _has_worked(self, response: requests.Response) -> bool:
		return 200 <= response.status_code < 300

	def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
		request.headers[self._header] = self._key
		return request

	def _refusal(self, response: requests.Response) -> Refusal:
		status, said = response.status_code, self._said(response)
		if status == 429:
			asked = response.headers.get("Retry-After", "")
			wait = float(asked) if asked.isdigit() else PAUSE_AFTER_429
			return Refusal(f"{self._cdn} asks for fewer purges ({said}). The rest is purged later.", wait)
		if status >= 500:
			return Refusal(f"{self._cdn}'s API has a fault ({said}). The purge is tried again.")
		if status in (401, 403, 404):
			return Refusal(f"{self._cdn} refuses the purge ({said}). {self._fix}", final=True)
		return Refusal(
			f"{self._cdn} does not accept what is to be purged ({said}). Check that CDN Base URL in CDN Settings is"
			f" an address of it. {self._fix}",
			splits=True,
		)

	def _said(self, response: requests.Response) -> str:
		text = f"HTTP {response.status_code} {self._words(answered(response))}".strip()
		return (text.replace(self._key, "…") if self._key else text)[:LONGEST]

	def _words(self, answer: Mapping[str, Any]) -> str:
		return next((str(answer[name]) for name in ("msg", "Message", "message") if answer.get(name)), "")


def answered(response: requests.Response) -> dict[str, Any]:
	"""The object that an API has answered; an empty one where it is none, as a proxy in between may answer."""
	try:
		answer = response.json()
	except ValueError:
		answer = None
	return answer if isinstance(answer, dict) else {}


def unfit(key: str) -> bool:
	"""Whether a key holds what no key has: a space, a line end, letters of another script."""
	return not key.isascii() or not key.isprintable() or " " in key
