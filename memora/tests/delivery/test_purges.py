"""What a CDN's cache is told to forget, and what becomes of that when it does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import frappe

from memora.commands import actions
from memora.commands.running import Progress
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import dashboard
from memora.services.cdn_export.cache_purge import CachePurge, NoPurge, PurgeResult
from memora.services.cdn_export.delivery import purge_queue
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, repair
from memora.tests.helpers import factories
from memora.tests.helpers.publishing import PublishingTestCase, make_course

BASE_URL = "https://cdn.example.com"


class Cache(CachePurge):
	"""A CDN's cache that notes what it is to forget, or refuses."""

	name = "of the test"

	def __init__(self) -> None:
		self.forgot: list[str] = []
		self.asked = 0
		self.refuses = False

	def purge(self, urls: Sequence[str]) -> PurgeResult:
		self.asked += 1
		if self.refuses:
			return PurgeResult(failed=tuple(urls), error="refused by the test")
		self.forgot += urls
		return PurgeResult(purged=tuple(urls))

	def verify(self, url: str) -> None:
		"""Always fine."""


class TestPurges(PublishingTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.configure(cdn_base_url=BASE_URL)
		self.cache = Cache()
		behind = patch.object(settings, "open_purge", lambda *_: self.cache)
		behind.start()
		self.addCleanup(behind.stop)
		self.course = make_course()
		self.lesson = self.course["lessons"][1]
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()

	def test_a_lesson_that_moves_to_another_subject_is_forgotten_as_it_was(self) -> None:
		second = make_course(units=1, lessons=1)
		self.change(self.plan, subjects=[*self.plan.subjects, {"subject": second["subject"].name}])
		self.publish()
		path = f"lessons/{self.lesson.name}.json"
		version = self.read(path)["version"]
		self.change(self.lesson, parent_topic=second["topics"][0].name)
		self.publish()
		self.assertLessEqual({f"{BASE_URL}/{path}", f"{BASE_URL}/{path}?v={version}"}, set(self.cache.forgot))

	def test_a_damaged_picture_is_forgotten_when_it_is_fixed(self) -> None:
		file = Path(frappe.get_site_path("public", "files", "memora-purge.png"))
		file.write_bytes(b"\x89PNG\r\n\x1a\n picture")
		self.addCleanup(file.unlink, missing_ok=True)
		self.change(self.lesson, image="/files/memora-purge.png")
		self.publish()
		(picture,) = (path for path in self.paths() if path.startswith("media/"))
		(self.local_path / picture).write_bytes(b"damaged")
		with closing(PublishTarget.open()) as target:
			repair.repair(target, audit.verify(target).findings)
		self.tick()
		self.assertEqual(self.read_bytes(picture), file.read_bytes())
		self.assertIn(f"{BASE_URL}/{picture}", self.cache.forgot)

	def noted(self) -> int:
		return frappe.db.count(purge_queue.TABLE)

	def test_what_is_refused_is_tried_again(self) -> None:
		self.cache.refuses = True
		self.change(self.lesson, title="Edited")
		self.assertEqual(self.publish().failed, 0)
		self.assertTrue(self.noted())
		status = actions.status(Progress(shown=False))
		self.assertTrue(status.found)
		self.assertIn("refused by the test", "\n".join(status.lines))
		self.assertIn("refused by the test", str(dashboard.health()["warnings"]))
		self.cache.refuses = False
		self.minutes_pass(2)
		self.assertEqual(self.tick(), {"due": "removal"})
		self.assertIn(f"{BASE_URL}/lessons/{self.lesson.name}.json", self.cache.forgot)
		self.assertEqual((self.noted(), self.tick()), (0, {"due": ""}))

	def test_a_cache_that_does_not_answer_holds_up_one_build_and_not_each(self) -> None:
		for number in range(3):
			rows = [factories.override(self.lesson, "Rename", f"In plan {number}")]
			factories.make_plan([self.course["subject"]], is_published=1, overrides=rows)
		self.publish()
		self.cache.refuses = True
		self.cache.asked = 0
		self.change(self.course["lessons"][0], title="Edited")
		self.assertEqual(self.publish().failed, 0)
		self.assertEqual(self.cache.asked, 1)
		self.check()

	def test_what_caches_may_keep_for_a_year_is_never_given_up(self) -> None:
		self.cache.refuses = True
		self.change(self.course["units"][0], is_published=0)
		self.publish()
		frappe.db.sql(f"update `tab{purge_queue.TABLE}` set creation = creation - interval 3 day")
		self.minutes_pass(2)
		self.tick()
		self.cache.refuses = False
		self.minutes_pass(61)
		self.tick()
		forgot = {url.partition("?")[0] for url in self.cache.forgot}
		self.assertIn(f"{BASE_URL}/units/{self.course['units'][0].name}.json", forgot)
		self.assertNotIn(f"{BASE_URL}/plans/{self.plan.name}/manifest.json", forgot)

	def test_what_was_refused_is_forgotten_when_there_is_no_cache_any_more(self) -> None:
		self.cache.refuses = True
		self.change(self.lesson, title="Edited")
		self.publish()
		with patch.object(settings, "open_purge", lambda *_: NoPurge()):
			self.minutes_pass(2)
			self.assertEqual(self.tick(), {"due": "removal"})
			self.assertEqual((self.noted(), self.tick()), (0, {"due": ""}))
