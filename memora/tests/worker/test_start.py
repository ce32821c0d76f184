"""What a process loads before it can build: each job of RQ is a process of its own, and pays for that."""

from __future__ import annotations

import subprocess
import sys
import unittest

_FOR_SOME = {
	"boto3": "sites that publish to S3, or purge CloudFront",
	"requests": "sites that have a CDN to ask",
	"jsonschema": "documents that break their contract",
	"referencing": "documents that break their contract",
}
_SHOWS = """
import sys
import frappe, frappe.utils.background_jobs
before = set(sys.modules)
import memora.services.cdn_export.worker.drain
print(*(set(sys.modules) - before))
"""


class TestStart(unittest.TestCase):
	def test_a_worker_loads_nothing_that_only_some_need(self) -> None:
		shown = subprocess.run([sys.executable, "-c", _SHOWS], capture_output=True, text=True, check=True)
		loaded = set(shown.stdout.split())
		self.assertIn("memora.services.cdn_export.builds.plan_build", loaded)
		self.assertEqual({name: why for name, why in _FOR_SOME.items() if name in loaded}, {})
