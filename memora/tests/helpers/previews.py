"""What the tests of both previews start from: a user, what he may read, and a film that is signed."""

from __future__ import annotations

from typing import Any

import frappe

from memora.tests.helpers.publishing import PublishingTestCase
from memora.tests.helpers.users import drop_user
from memora.tests.helpers.web import Web

BUCKET = {
	"storage_provider": "AWS S3",
	"endpoint_url": "http://127.0.0.1:9",
	"region": "eu-central-1",
	"bucket_name": "school",
	"access_key": "key",
	"secret_key": "a secret",
}
FILM = "videos/light.mp4"
"""Where no request is sent, as links are signed here."""


class WebTestCase(PublishingTestCase):
	"""Tests that ask over HTTP, each as users of its own."""

	def setUp(self) -> None:
		super().setUp()
		self.web = Web()

	def user(self, name: str, *roles: str) -> str:
		"""A user with these roles, for the tests of this class."""
		user = self.web.make_user(f"{name}@preview.test", *roles)
		self.addClassCleanup(drop_user, user)
		return user


def permit(test: PublishingTestCase, user: str, doc: Any) -> None:
	"""Let a user read this document of its kind and no other that is not permitted too; commits."""
	permission = {"doctype": "User Permission", "user": user, "allow": doc.doctype, "for_value": doc.name}
	name = frappe.get_doc({**permission, "apply_to_all_doctypes": 1}).insert().name
	frappe.db.commit()
	test.addCleanup(frappe.db.commit)
	test.addCleanup(frappe.delete_doc, "User Permission", name)
	test.addCleanup(frappe.set_user, "Administrator")
