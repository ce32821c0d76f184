"""What a learner owns is what the functions of the hook say, all of them together, or nothing at all."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import frappe
from frappe.deferred_insert import save_to_db

from memora.exceptions import OwnedItemsError
from memora.services.access_gate import owned_items
from memora.tests.helpers.utils import MemoraTestCase

HERE = __name__
asked: list[str] = []
answer: Any = []


def books(user: str) -> list[str]:
	asked.append(user)
	return ["BOOK", "صنف ٢"]


def films(user: str) -> list[str]:
	return ["FILM", "BOOK"]


def anything(user: str) -> Any:
	return answer


def broken(user: str) -> list[str]:
	raise RuntimeError("the shop is closed")


def hooks(*names: str) -> Any:
	"""The hook as apps of this site would name it."""
	found = frappe.get_hooks

	def get_hooks(hook: str | None = None, *arguments: Any, **named: Any) -> Any:
		if hook == owned_items.HOOK:
			return [f"{HERE}.{name}" for name in names]
		return found(hook, *arguments, **named)

	return patch.object(frappe, "get_hooks", get_hooks)


class TestOwnedItems(MemoraTestCase):
	def setUp(self) -> None:
		super().setUp()
		asked.clear()
		frappe.db.delete("Error Log")

	def test_what_all_functions_say_is_joined(self) -> None:
		with hooks("books", "films"):
			self.assertEqual(owned_items.of_user("a@b.test"), ["BOOK", "صنف ٢", "FILM"])
		self.assertEqual(asked, ["a@b.test"])

	def test_without_a_function_nobody_owns_anything(self) -> None:
		self.assertEqual(owned_items.of_user("a@b.test"), [])

	def test_a_site_names_one_of_its_own(self) -> None:
		for named in (f"{HERE}.films", [f"{HERE}.films"]):
			with hooks("books"), patch.dict(frappe.local.conf, {owned_items.HOOK: named}):
				self.assertEqual(owned_items.of_user("a@b.test"), ["BOOK", "صنف ٢", "FILM"])

	def test_one_that_fails_lets_nobody_in_by_what_the_others_say(self) -> None:
		for name in ("broken", "nothing_of_this_name"):
			with hooks("books", name), self.assertRaises(OwnedItemsError) as raised:
				owned_items.of_user("a@b.test")
			self.assertNotIn("shop", str(raised.exception))
		self.assertIn("the shop is closed", self.logged())

	def test_an_answer_that_is_no_list_of_texts_is_none(self) -> None:
		global answer
		for given in (None, "BOOK", ("BOOK",), {"BOOK"}, [1], ["BOOK", None], [""], [["BOOK"]], {"BOOK": 1}):
			answer = given
			with hooks("books", "anything"), self.assertRaises(OwnedItemsError):
				owned_items.of_user("a@b.test")
			self.assertIn("anything answers", self.logged())

	def logged(self) -> str:
		"""What Error Log has although the request was rolled back."""
		frappe.db.rollback()
		save_to_db()
		return str(frappe.get_all("Error Log", ["method", "error"]))
