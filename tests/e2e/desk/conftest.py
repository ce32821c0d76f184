"""One Desk for all tests here, on the site that memora's own tests use; each test leaves it as it found it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import frappe
import pytest
from playwright.sync_api import Browser

from memora.tests.conftest import SITES_PATH
from memora.tests.helpers.frappe_versions import set_in_test
from tests.e2e.desk import driver, school
from tests.e2e.desk.driver import Bench, Desk
from tests.e2e.desk.school import School


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
	started_in = os.getcwd()
	os.chdir(SITES_PATH)  # Frappe takes its logs and some files to be beside it
	from frappe.utils.install import complete_setup_wizard  # from v17 on it opens a log when it is imported

	set_in_test(True)
	# A new site's Desk shows its set-up wizard and nothing else; Frappe's own tests go past it in the same way.
	complete_setup_wizard()
	before = frappe.db.get_single_value("System Settings", "enable_scheduler")
	frappe.db.set_single_value("System Settings", {"enable_onboarding": 0, "enable_scheduler": 1})
	frappe.db.commit()
	frappe.clear_cache()
	driver.clean()
	bench = Bench()
	yield bench
	bench.stop()
	frappe.db.set_single_value("System Settings", "enable_scheduler", before)
	driver.clean()
	os.chdir(started_in)


@pytest.fixture(scope="session")
def desk(bench: Bench, browser: Browser) -> Iterator[Desk]:
	desk = Desk(bench.address, browser)
	yield desk
	desk.close()


@pytest.fixture(scope="session")
def schools(bench: Bench, desk: Desk) -> dict[str, School]:
	desk.configure()
	school.make_people()
	schools = school.make_schools()
	desk.publish()
	school.make_history(schools["en"].docs["plan"])
	bench.settle()  # a batch that all of this has started would take up what the first test changes
	return schools


@pytest.fixture(params=["en", "ar"])
def here(
	request: pytest.FixtureRequest, bench: Bench, desk: Desk, schools: dict[str, School]
) -> Iterator[School]:
	"""The school in each language, one after the other. What a test has changed in its documents is taken back."""
	school = schools[request.param]
	states = school.states()
	yield school
	if school.restore(states):
		desk.publish()
	bench.settle()
