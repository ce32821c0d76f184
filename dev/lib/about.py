"""Say in a line what the tests run on: about.py SITES_PATH SITE NAME."""

import os
import platform
import sys

import frappe
from frappe.utils.background_jobs import get_redis_conn


def main(sites_path: str, site: str, name: str) -> None:
	os.chdir(sites_path)  # Frappe takes its logs to be beside it
	frappe.init(site=site)
	frappe.connect()
	database = frappe.db.sql("SELECT version()")[0][0]
	queue = get_redis_conn().info("server")["redis_version"]
	print(
		f"Frappe {frappe.__version__} ({name}), Python {platform.python_version()}, MariaDB {database}, "
		f"Redis {queue}, site {site}"
	)
	if not frappe.conf.allow_tests:
		sys.exit(f"{site} does not allow tests; say: bench --site {site} set-config allow_tests true")


if __name__ == "__main__":
	main(*sys.argv[1:])
