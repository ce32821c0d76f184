"""Connects pytest to a Frappe site, as `bench run-tests` does it, so that the same tests run under both.

`dev/test` says which site: a clean one of the engine, or MEMORA_SITE on a genuine bench.
"""

import importlib
import os
from collections.abc import Iterator

import frappe
import pytest

SITES_PATH = os.environ.get("MEMORA_SITES_PATH")
SITE = os.environ.get("MEMORA_SITE")
STARTED_IN = os.getcwd()


def connect() -> None:
	if not SITES_PATH or not SITE:
		raise pytest.UsageError("these tests need a site: use dev/test, or bench run-tests --app memora")
	os.chdir(SITES_PATH)  # Frappe takes its logs and some files to be beside it
	frappe.init(site=SITE)
	frappe.connect()
	# For a worker that a test starts, too: it knows no site until it has a job.
	os.environ["FRAPPE_REDIS_QUEUE"] = frappe.conf.redis_queue
	importlib.import_module("frappe.app")  # from v17 on it opens a log when it is imported
	os.chdir(STARTED_IN)
	if not frappe.conf.allow_tests:
		raise pytest.UsageError(f"{SITE} allows no tests: bench --site {SITE} set-config allow_tests true")


# Now rather than in the fixture: a test module may use what belongs to the site while it is imported.
connect()


@pytest.fixture(scope="session", autouse=True)
def site() -> Iterator[None]:
	os.chdir(SITES_PATH)
	from memora.tests.helpers.frappe_versions import set_in_test  # imports what wants a site

	set_in_test(True)
	frappe.clear_cache()
	for hook in frappe.get_hooks("before_tests", app_name="memora"):
		frappe.get_attr(hook)()
	frappe.db.commit()
	yield
	frappe.db.rollback()
	frappe.clear_cache()
	frappe.destroy()
	os.chdir(STARTED_IN)


@pytest.fixture(scope="module", autouse=True)
def few_jobs(site: None) -> None:
	"""No worker runs beside these tests, and Frappe takes no job any more when hundreds wait (after v15)."""
	from frappe.utils.background_jobs import get_queue

	for name in ("short", "default", "long"):
		queue = get_queue(name)
		for job in queue.get_job_ids():
			if job.startswith(frappe.local.site):
				queue.remove(job)
