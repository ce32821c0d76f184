"""The site as browsers and scripts reach it: requests to Frappe's own web application, as one user or another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import frappe
import frappe.app
from werkzeug.test import Client, TestResponse

T = TypeVar("T")
_USERS: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {}
"""By site and e-mail address, who was made for a test: the roles and the API key."""


class Web:
	"""Requests as users who log in by an API key, each answered with a connection of its own; commit first."""

	def __init__(self) -> None:
		self._site = frappe.local.site
		self._keys: dict[str, str] = {}

	def make_user(self, email: str, *roles: str) -> str:
		"""A user with these roles who has an API key; commits. Who was made so before, and is there, stays: each save of a
		user has Frappe forget what it remembers of all DocTypes."""
		made, key = _USERS.get((self._site, email), ((), ""))
		if made == roles and key and frappe.db.exists("User", email):
			self._keys[email] = key
			return email
		if not frappe.db.exists("User", email):
			user = {"doctype": "User", "email": email, "first_name": email, "send_welcome_email": 0}
			frappe.get_doc(user).insert(ignore_permissions=True)
		user = frappe.get_doc("User", email)
		user.api_key, user.api_secret = frappe.generate_hash(length=15), frappe.generate_hash(length=15)
		secret = user.api_secret
		user.save(ignore_permissions=True)
		if roles:
			user.add_roles(*roles)
		self._keys[email] = f"token {user.api_key}:{secret}"
		_USERS[self._site, email] = roles, self._keys[email]
		frappe.db.commit()
		return email

	def ask(self, user: str, method: str, path: str, **options: Any) -> TestResponse:
		"""The answer to one request; `user` is one of `make_user` or Guest."""
		headers = {"Accept": "application/json", **options.pop("headers", {})}
		if user in self._keys:
			headers["Authorization"] = self._keys[user]
		return _elsewhere(lambda: self._ask(method, path, headers, options))

	def call(self, user: str, method: str, /, http: str = "POST", **arguments: Any) -> TestResponse:
		"""The answer of a whitelisted method."""
		given = {"json": arguments} if http == "POST" else {"query_string": arguments}
		return self.ask(user, http, f"/api/method/{method}", **given)

	def _ask(self, method: str, path: str, headers: dict[str, str], options: dict[str, Any]) -> TestResponse:
		frappe.app._site = self._site
		answer = Client(frappe.app.application).open(
			path, method=method, headers=headers, base_url=f"http://{self._site}", **options
		)
		answer.get_data()
		return answer


def _elsewhere(work: Callable[[], T]) -> T:
	"""Do this in a thread of its own, where Frappe has a request's state and connection, not the test's."""
	done: list[T] = []
	thread = threading.Thread(target=lambda: done.append(work()))
	thread.start()
	thread.join()
	return done[0]
