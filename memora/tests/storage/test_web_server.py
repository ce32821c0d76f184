"""Published files as the site's own web server hands them out: Local Directory, `bench serve`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import frappe
import requests

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import connection_test
from memora.services.cdn_export.cache_purge import NoPurge
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.rules import web_headers
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course

# `bench serve`, but on loopback, on a free port that it prints; it listens on every interface.
_SERVE = """
import sys, werkzeug.serving
from werkzeug.serving import make_server

def run_simple(host, port, application, **options):
	server = make_server("127.0.0.1", 0, application, threaded=True)
	print(server.server_port, flush=True)
	server.serve_forever()

werkzeug.serving.run_simple = run_simple
sys.argv = ["bench", "frappe", "--site", sys.argv[1], "serve", "--noreload"]
from frappe.utils import bench_helper
bench_helper.main()
"""


class TestDevelopmentServer(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.local_path = Path(frappe.get_site_path(settings.DEFAULT_LOCAL_PATH)).resolve()
		self.configure(local_path="")
		self.course = make_course()
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()
		server = subprocess.Popen(
			[sys.executable, "-c", _SERVE, frappe.local.site],
			cwd=frappe.local.sites_path,
			stdout=subprocess.PIPE,
			stderr=subprocess.DEVNULL,
			text=True,
		)
		self.addCleanup(server.wait)
		self.addCleanup(server.kill)
		self.addCleanup(server.stdout.close)
		self.base_url = f"http://127.0.0.1:{server.stdout.readline().strip()}/files/memora"

	def get(self, path: str, **headers: str) -> requests.Response:
		return requests.get(f"{self.base_url}/{path}", headers=headers, timeout=30)

	def test_files_carry_the_headers_that_are_promised(self) -> None:
		lesson = paths.lesson(self.course["lessons"][0].name)
		unit = paths.unit(self.course["units"][0].name)
		for path in (paths.PLAN_INDEX, paths.manifest(self.plan.name), lesson, unit):
			with self.subTest(path):
				answer = self.get(path, Origin="http://localhost:5173")
				self.assertEqual(answer.status_code, 200)
				for name, value in web_headers.of(path).items():
					self.assertEqual(answer.headers.get(name), value)
				self.assertNotIn("Expires", answer.headers)
		again = self.get(lesson, **{"If-None-Match": self.get(lesson).headers["ETag"]})
		self.assertEqual((again.status_code, again.headers["Cache-Control"]), (304, "public, max-age=300"))

	def test_connection_is_content_with_what_an_app_is_served(self) -> None:
		with settings.open_storage() as storage:
			found = connection_test.run(storage, NoPurge(), self.base_url)
		levels = {finding.check: finding.level for finding in found}
		self.assertEqual([levels[check] for check in ("cors", "cache time", "versions")], ["ok"] * 3, found)

	def test_the_reader_is_told_where_files_come_from_without_a_login(self) -> None:
		site = self.base_url.removesuffix("/files/memora")

		def bases() -> list[str]:
			answer = requests.get(f"{site}/api/method/memora.api.reader.bases", timeout=30)
			self.assertEqual(answer.status_code, 200)
			return answer.json()["message"]

		[own] = bases()
		self.assertTrue(own.endswith("/files/memora/"), own)
		self.configure(local_path="", cdn_base_url="https://cdn.example/school")
		frappe.db.commit()
		self.assertEqual(bases(), ["https://cdn.example/school/"])
		self.configure(gate_url="https://gate.example/school/")
		frappe.db.commit()
		self.assertEqual(bases(), ["https://cdn.example/school/", "https://gate.example/school/"])

	def test_other_files_of_the_site_are_served_as_ever(self) -> None:
		name = f"{hashlib.sha256(self.id().encode()).hexdigest()[:8]}.json"
		file = Path(frappe.get_site_path("public", "files", name))
		file.write_text("{}")
		self.addCleanup(file.unlink)
		answer = requests.get(f"{self.base_url.rpartition('/')[0]}/{name}", timeout=30)
		self.assertEqual(answer.status_code, 200)
		self.assertNotIn("Access-Control-Allow-Origin", answer.headers)
		self.assertEqual(self.get("nothing.json").status_code, 404)
