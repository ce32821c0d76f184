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
from memora.services.cdn_export.cache_purge import CachePurge, NoPurge, Outcome, PurgeResult, Stale
from memora.services.cdn_export.delivery import purge_budget, purge_queue, tagged_cache
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import audit, repair
from memora.services.cdn_export.rules import edge_watch
from memora.services.cdn_export.state import ledger, site_values
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


class CachedTestCase(PublishingTestCase):
	"""A plan that is live, behind a CDN's cache."""

	cache_type: type = Cache

	def setUp(self) -> None:
		super().setUp()
		self.configure(cdn_base_url=BASE_URL)
		self.cache = self.cache_type()
		for replaced in (
			patch.object(settings, "open_purge", lambda *_: self.cache),
			patch.object(edge_watch, "FIRST_SECONDS", 86_400),  # `test_edge_check` asks
		):
			replaced.start()
			self.addCleanup(replaced.stop)
		self.course = make_course()
		self.lesson = self.course["lessons"][1]
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)
		self.publish()


class TestPurges(CachedTestCase):
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


class TagCache(Cache):
	"""A CDN that purges by tag and takes its time: what it forgets has a receipt until the test completes it."""

	place = "of-the-test"
	by_tag = True

	def __init__(self) -> None:
		super().__init__()
		self.asked_for: list[Stale] = []
		self.emptied = 0
		self.receipt = ""
		self.state = "waiting"

	def forget(self, stale: Sequence[Stale]) -> PurgeResult:
		self.asked_for += stale
		result = self.purge([each.url for each in stale])
		receipts = dict.fromkeys(result.purged, self.receipt) if self.receipt else {}
		return PurgeResult(
			result.purged, result.failed, error=result.error, spent=len(result.purged), receipts=receipts
		)

	def everything(self) -> PurgeResult:
		if self.refuses:
			return PurgeResult(error="refused by the test")
		self.emptied += 1
		return PurgeResult(spent=1)

	def outcome(self, receipt: str) -> Outcome:
		return Outcome(self.state, "not yet" if self.state == "waiting" else "")


class TestPurgesByTag(CachedTestCase):
	cache_type = TagCache

	def setUp(self) -> None:
		site_values.write(tagged_cache._KEY, "")
		site_values.write(purge_budget._KEY, "")
		frappe.db.commit()
		super().setUp()
		self.configure(purge_budget=0)

	def edit(self) -> list[Stale]:
		self.cache.asked_for.clear()
		self.change(self.lesson, title=f"{self.lesson.title} again")
		self.publish()
		return list(self.cache.asked_for)

	def tags_of(self, path: str) -> list[str]:
		"""As the object in the storage carries them."""
		with closing(PublishTarget.open()) as target:
			return target.storage.head(path).metadata["cache-tag"].split(",")

	def test_what_an_edit_makes_stale_goes_by_the_tags_of_its_objects(self) -> None:
		asked = self.edit()
		self.assertEqual(self.cache.emptied, 1)
		path = f"lessons/{self.lesson.name}.json"
		for url, *tags in asked:
			self.assertEqual(tags, self.tags_of(url.removeprefix(f"{BASE_URL}/").partition("?")[0]))
		self.assertIn(path, {url.removeprefix(f"{BASE_URL}/") for url, *_ in asked})
		self.cache.asked_for.clear()
		self.change(self.lesson, description="What the lesson is about")
		self.publish()
		self.assertLessEqual(len({tag for _, tag, _ in self.cache.asked_for}), 5)
		self.assertEqual(self.cache.emptied, 1)

	def test_until_every_object_has_its_tags_addresses_are_purged(self) -> None:
		frappe.db.sql(f"update `tab{ledger.TABLE}` set outdated = 1 where path = 'plans/index.json'")
		self.assertEqual({tag for _, tag, _ in self.edit()}, {""})
		self.assertEqual(self.cache.emptied, 0)
		frappe.db.sql(f"update `tab{ledger.TABLE}` set outdated = 0")
		self.assertNotIn("", {tag for _, tag, _ in self.edit()})
		self.assertEqual(self.cache.emptied, 1)

	def test_an_object_of_an_earlier_release_is_purged_by_address(self) -> None:
		self.edit()
		path = f"lessons/{self.lesson.name}.json"
		frappe.db.sql(f"update `tab{ledger.TABLE}` set outdated = 1 where path = %s", (path,))
		asked = {url.removeprefix(f"{BASE_URL}/").partition("?")[0]: tag for url, tag, _ in self.edit()}
		self.assertEqual([each for each, tag in asked.items() if not tag], [path])

	def test_what_the_cdn_has_cached_without_tags_is_emptied_when_they_are_switched_on_again(self) -> None:
		self.edit()
		self.configure(cdn_base_url=BASE_URL, purge_by_tag=1)
		self.edit()
		self.assertEqual(self.cache.emptied, 2)
		self.configure(cdn_base_url=BASE_URL, purge_by_tag=0)

	def noted(self) -> int:
		return frappe.db.count(purge_queue.TABLE)

	def test_a_purge_that_was_begun_is_asked_after_until_it_is_done(self) -> None:
		self.cache.receipt = "I1"
		asked = self.edit()
		self.assertEqual(self.noted(), len(asked))
		self.minutes_pass(2)
		self.tick()
		self.assertEqual((self.noted(), purge_queue.failing()[0]), (len(asked), 0))
		self.assertEqual(len(self.cache.asked_for), len(asked), "it was asked for once")
		frappe.db.sql(f"update `tab{purge_queue.TABLE}` set creation = creation - interval 20 minute")
		self.minutes_pass(2)
		self.tick()
		self.assertEqual(purge_queue.failing(), (len(asked), "not yet"))
		self.cache.state = "done"
		self.minutes_pass(2)
		self.tick()
		self.assertEqual((self.noted(), self.tick()), (0, {"due": ""}))

	def test_a_purge_that_the_cdn_does_not_know_is_asked_for_again(self) -> None:
		self.cache.receipt, self.cache.state = "I1", "unknown"
		asked = self.edit()
		self.cache.receipt = ""
		self.minutes_pass(2)
		self.tick()
		self.assertEqual(self.cache.asked_for, [*asked, *asked])
		self.assertEqual(self.noted(), 0)

	def test_admins_are_told_of_the_budget_at_80_and_at_100_percent_once(self) -> None:
		def told() -> list[str]:
			return frappe.get_all(
				"Notification Log",
				{"for_user": "Administrator", "subject": ("like", "%budget%")},
				pluck="subject",
			)

		before = len(told())
		self.edit()
		used = purge_budget.used()
		self.assertGreater(used, 1)
		self.assertEqual(dashboard.health()["purges"], {"used": used, "budget": 0})
		self.configure(cdn_base_url=BASE_URL, purge_budget=used * 2 + 1)
		self.edit()
		self.edit()
		self.assertGreater(purge_budget.used(), used * 2)
		self.assertEqual(len(told()) - before, 2)
		self.edit()
		self.assertEqual(len(told()) - before, 2)
		self.assertIn("used up", str(dashboard.health()["warnings"]))
		self.assertIn("this month", "\n".join(actions.status(Progress(shown=False)).lines))
		site_values.write(purge_budget._KEY, f"2020-01|{used}|100")
		self.assertEqual(purge_budget.used(), 0)
		self.assertNotIn("used up", str(dashboard.health()["warnings"]))
