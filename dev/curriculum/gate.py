"""What the gate does with a paid lesson: asked over HTTP, as an app asks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import frappe
import requests

from memora.services.access_gate import keys, minting
from memora.services.access_gate.rules import key_states
from memora.services.cdn_export.admin import connection, publication_status, reader_links
from memora.services.cdn_export.admin.finding import Finding
from memora.services.cdn_export.delivery import http_session
from memora.services.cdn_export.model.doctypes import LESSON


class Asked(NamedTuple):
	"""A request, and what was answered: `error` is why it was refused; `status` 0 if nothing was answered."""

	who: str
	path: str
	expected: int
	status: int
	error: str
	body: bytes

	@property
	def fine(self) -> bool:
		"""Whether it was answered as it should be."""
		return self.status == self.expected


def let_key_sign() -> None:
	"""Have the site's first key sign now. Commits.

	A key waits until every gate has read the file again that it is in. The demo's only gate has been started after it was
	published, or has read no file before, so there is nothing to wait for. A key that has a predecessor waits as always.
	"""
	rows = keys.rows()
	if len(rows) == 1 and rows[0].live_since is not None:
		frappe.db.sql(
			f"update `tab{keys.TABLE}` set live_since = least(live_since, utc_timestamp() - interval %s second)",
			(key_states.WAIT,),
		)
	frappe.db.commit()


def token(items: list[str]) -> str:
	"""A token for who owns these items, for a day."""
	return minting.mint(items, seconds=24 * minting.HOUR)


def asked(url: str, paid: str, item: str, public: str) -> Iterator[Asked]:
	"""Ask the gate for a paid lesson and for a public one, each by its path."""
	with http_session.open_session() as http:
		for who, path, expected, held in (
			("a stranger", paid, 401, None),
			("who owns something else", paid, 403, ["SOMETHING-ELSE"]),
			(f"who owns {item}", paid, 200, [item]),
			("a stranger, a public lesson", public, 200, None),
		):
			headers = {} if held is None else {"Authorization": f"Bearer {token(held)}"}
			try:
				answer = http.get(f"{url}/{path}", headers=headers, timeout=10)
			except requests.RequestException as error:
				yield Asked(who, path, expected, 0, type(error).__name__, b"")
				continue
			error = answer.json().get("error", "") if answer.status_code >= 400 else ""
			yield Asked(who, path, expected, answer.status_code, error, answer.content)


def path(web: str, base: str, plan: str, lesson: str, item: str) -> Iterator[tuple[str, str]]:
	"""A paid lesson in the reader on the server `web`, as a stranger and as its owner, who is handed a token by the link."""
	page, _, place = reader_links.address(
		base, plan, publication_status.line_of(LESSON, lesson), item
	).partition("#")
	title = frappe.db.get_value(LESSON, lesson, "title")
	yield f"6  “{title}”, which is paid, without a token", f"{web}{page}#{place}"
	yield "7  the same, with a token for a day", f"{web}{page}#token={token([item])}{place}"


def tested() -> list[Finding]:
	"""What *Test Connection* of CDN Settings finds."""
	return connection.prepare()()
