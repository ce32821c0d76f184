"""A learner of the site in the reader, behind the real gate: the site's own login, keys and tokens; in both languages."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from contextlib import contextmanager

import frappe
import pytest
from frappe.installer import update_site_config
from playwright.sync_api import Page

from memora.services.access_gate import keys, owned_items
from memora.services.access_gate.rules.key_states import WAIT
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import publication_status, reader_links
from memora.services.cdn_export.model.doctypes import LESSON
from memora.services.cdn_export.state import site_key
from memora.tests.helpers import clock, owners
from memora.tests.helpers.node_gate import NodeGate
from tests.e2e.desk.driver import Desk
from tests.e2e.desk.school import School

WORDS = {
	"en": {
		"bought": "If you have bought this, sign in to read it:",
		"items": "Your account does not own what it asks for:",
	},
	"ar": {
		"bought": "إن كنت قد اشتريت هذا فسجّل الدخول لتقرأه:",
		"items": "لا يملك حسابك ما يطلبه الدرس:",
	},
}


@pytest.fixture
def gate(desk: Desk, here: School) -> Iterator[NodeGate]:
	"""The gate in front of what the site has published, with a key of the site's."""
	frappe.db.delete(keys.TABLE)
	keys.rotate()
	desk.publish()
	clock.skip(WAIT)
	doc = settings.saved()
	folder = {"root": settings.local_path(doc), "meta": settings.local_meta(doc)}
	case = unittest.TestCase()
	yield NodeGate(case, {"site": site_key.site_hash(), "folder": folder})
	case.doCleanups()


@pytest.fixture
def sold() -> Iterator[None]:
	"""The site asks a function who owns what."""
	update_site_config(owned_items.HOOK, f"{owners.__name__}.{owners.owned_items.__name__}")
	yield
	update_site_config(owned_items.HOOK, "None")


def address(desk: Desk, here: School, gate: NodeGate) -> str:
	lesson = here.name("what is speed")
	line = publication_status.line_of(LESSON, lesson)
	where = reader_links.address(gate.url, here.name("plan"), line, "PHYSICS-7")
	return f"{desk.address}{where.replace('?', f'?lang={here.language}&')}"


@contextmanager
def stranger(desk: Desk) -> Iterator[Page]:
	context = desk.browser.new_context()
	yield context.new_page()
	context.close()


def test_a_stranger_is_sent_to_the_login_and_an_owner_reads_on(
	desk: Desk, here: School, gate: NodeGate, sold: None
) -> None:
	where, words = address(desk, here, gate), WORDS[here.language]
	with stranger(desk) as page:
		page.goto(where)
		page.wait_for_selector("[data-gate=token_required]")
		assert page.inner_text("[data-gate] p >> nth=0") == words["bought"]
		assert page.inner_text("[data-gate] .tags") == "PHYSICS-7"
		page.click("[data-gate] a")
		page.wait_for_url("**/login?redirect-to=**")
	with desk.login(here.editor, expected=("401",)) as page:
		desk.open(page, "memora-course")  # from now on its session asks for a CSRF token
		page.wait_for_selector(".page-head:visible")
		page.goto(where)
		page.wait_for_selector(".stage")
	with desk.login(here.admin, expected=("401", "403")) as page:
		page.goto(where)
		page.wait_for_selector("[data-gate=item_required]")
		assert page.inner_text("[data-gate] p >> nth=0") == words["items"]
		assert page.locator("[data-gate] a").count() == 0
