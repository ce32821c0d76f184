"""Frappe's scheduler for one site: scheduler.py SITE, in the sites folder.

`bench schedule` works for every site of the bench, and the jobs of test sites would get into tests.
"""

import sys
import time

from frappe.utils.scheduler import enqueue_events_for_site

TICK_SECONDS = 60


def main(site: str) -> None:
	while True:
		enqueue_events_for_site(site)
		time.sleep(TICK_SECONDS)


if __name__ == "__main__":
	main(*sys.argv[1:])
