"""Which items a learner owns: what the functions answer that a site names by the hook `memora_owned_items`.

    memora_owned_items = "school.shop.owned_items"  # in hooks.py of an app

Each is called with the user's name and answers a list of item codes. What all of them name counts. A site without an app of
its own names one in `site_config.json`, under the same word. Where one fails, or answers anything but a list of texts, what the
others say opens nothing either.
"""

from __future__ import annotations

from typing import Any

import frappe
from frappe import _

from memora.exceptions import OwnedItemsError

HOOK = "memora_owned_items"


def of_user(user: str) -> list[str]:
	"""The codes of all items that a user owns, each once. Empty where the site names no function.

	Raises OwnedItemsError where one cannot say. Error Log has why, even if the request is rolled back.
	"""
	found: dict[str, None] = {}
	for method in _methods():
		try:
			answer = frappe.get_attr(method)(user)
		except Exception as error:
			_log(f"{method} fails.\n{frappe.get_traceback()}")
			raise OwnedItemsError(_cannot_say()) from error
		if not _is_list_of_codes(answer):
			_log(f"{method} answers {type(answer).__name__}, where a list of item codes is needed.")
			raise OwnedItemsError(_cannot_say())
		found.update(dict.fromkeys(answer))
	return list(found)


def _log(message: str) -> None:
	"""Tell admins, also where the request is rolled back."""
	frappe.log_error("Who owns what cannot be found out", message, defer_insert=True)


def _methods() -> list[str]:
	"""The functions of all apps, and of this site."""
	of_site: Any = frappe.conf.get(HOOK) or []
	named = [*frappe.get_hooks(HOOK), *([of_site] if isinstance(of_site, str) else of_site)]
	return list(dict.fromkeys(named))


def _is_list_of_codes(answer: object) -> bool:
	return isinstance(answer, list) and all(isinstance(code, str) and code for code in answer)


def _cannot_say() -> str:
	"""No more than that: whoever asks is a learner."""
	return _("What you own cannot be looked up just now. Try again later.")
