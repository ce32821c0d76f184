"""The whole pipeline against buckets, on S3, on R2 and on SeaweedFS: what a learner reads, what is beside it, moving on."""

from __future__ import annotations

from unittest.mock import patch

import frappe
from cryptography.fernet import Fernet

from memora.services.cdn_export import batch_processor
from memora.services.cdn_export.maintenance import daily
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.cache_headers import YEAR
from memora.services.cdn_export.state import job_queue
from memora.tests.helpers import factories
from memora.tests.helpers.buckets import BucketTestCase, SeaweedFSTestCase
from memora.tests.helpers.publishing import PublishingTestCase, make_course
from memora.tests.helpers.seaweedfs import SECRET_KEY
from memora.tests.helpers.utils import messages


class PipelineCase:
	def setUp(self) -> None:
		super().setUp()
		self.course = make_course(title="الرياضيات", required_item="ذهب 100%")
		self.plan = factories.make_plan([self.course["subject"]], is_published=1)

	def test_an_edit_is_live_with_its_headers_and_what_is_hidden_is_gone(self) -> None:
		self.assertEqual(self.publish().failed, 0)
		self.check()
		lesson, unit = self.course["lessons"][0], self.course["units"][0]
		path = f"lessons/{lesson.name}.json"
		found = self.storage().head(path)
		document = self.read(path)
		self.assertEqual(found.content_type, "application/json; charset=utf-8")
		self.assertEqual(found.cache_control, "public, max-age=300")
		self.assertEqual(found.metadata["version"], str(document["version"]))
		self.assertEqual(found.metadata["access-level"], "paid")
		self.assertEqual(found.metadata["required-item"], "ذهب 100%")
		self.assertEqual(
			self.storage().head(f"units/{unit.name}.json").cache_control,
			f"public, max-age={YEAR}, immutable",
		)
		before = self.contents()
		self.change(lesson, title="جديد")
		self.publish()
		self.check()
		self.assertWritten(
			before,
			{
				path,
				f"lessons/{self.course['lessons'][1].name}.json",  # its neighbour names it
				f"units/{unit.name}.json",
				f"plans/{self.plan.name}/subjects/{self.course['subject'].name}.json",
				paths.search_index(self.plan.name),
				paths.manifest(self.plan.name),
			},
		)
		self.change(lesson, is_published=0)
		self.publish()
		self.assertIsNone(self.read_bytes(path))
		self.check()
		self.change(self.plan, is_published=0)
		self.publish()
		self.assertEqual(self.paths(), {paths.PLAN_INDEX})

	def test_another_bucket_and_back(self) -> None:
		self.publish()
		first, before = self.bucket, self.read(paths.PLAN_INDEX)["version"]
		lesson = f"lessons/{self.course['lessons'][0].name}.json"
		self.bucket = self.make_bucket()
		frappe.clear_messages()
		self.configure()
		self.assertIn("All 1 published plans will be published there again", messages())
		self.assertNotIn(SECRET_KEY, messages())
		self.publish()
		self.check()
		self.change(self.course["lessons"][0], is_published=0)
		self.publish()
		self.bucket = first
		self.configure()
		with patch.object(batch_processor.frappe, "enqueue") as enqueue:
			self.publish()
			self.publish()
		enqueue.assert_called_once()
		self.assertEqual(enqueue.call_args[0], (job_queue.AUDIT,))
		self.assertEqual(self.check(leaving=[lesson]).problems, [])
		self.assertGreater(self.read(paths.PLAN_INDEX)["version"], before)
		daily.run()
		self.publish()
		self.check()


class TestS3(PipelineCase, BucketTestCase):
	provider = "AWS S3"


class TestR2(PipelineCase, BucketTestCase):
	provider = "Cloudflare R2"


class TestSeaweedFS(PipelineCase, SeaweedFSTestCase):
	provider = "AWS S3"


class TestSecrets(BucketTestCase):
	"""The site was restored without its encryption_key."""

	def setUp(self) -> None:
		super().setUp()
		self.plan = factories.make_plan([make_course()["subject"]], is_published=1)

	def lose_the_key(self) -> None:
		key = patch("frappe.utils.password.get_encryption_key", return_value=Fernet.generate_key().decode())
		key.start()
		self.addCleanup(key.stop)

	def test_a_secret_key_that_cannot_be_decrypted_is_a_failure_that_says_so(self) -> None:
		self.lose_the_key()
		self.publish()
		self.assertIn("Secret Key cannot be decrypted", self.failures()[self.plan.name])
		self.assertIn("encryption_key", frappe.get_last_doc("CDN Sync Log").error_message)
		self.minutes_pass(2)
		self.configure()  # with the key typed again
		self.publish()
		self.check()
		self.assertEqual(self.failures(), {})

	def test_one_that_is_not_needed_holds_nothing_up(self) -> None:
		PublishingTestCase.configure(self)
		self.lose_the_key()
		self.assertEqual(self.publish().failed, 0)
		self.assertTrue((self.local_path / paths.manifest(self.plan.name)).is_file())

	def test_a_token_that_cannot_be_decrypted_fails_purges_and_no_build(self) -> None:
		self.publish()
		self.configure(cdn="Cloudflare", cloudflare_zone_id="0" * 32, cloudflare_api_token="token")
		self.lose_the_key()
		self.configure()
		self.change(self.plan, title="Edited")
		self.assertEqual(self.publish().failed, 0)
		self.check()
		said = frappe.get_all("CDN Purge", {"error": ("is", "set")}, pluck="error")
		self.assertIn("token is missing", said[0])


class TestFolderToBucket(BucketTestCase):
	def test_from_a_folder_to_a_bucket(self) -> None:
		PublishingTestCase.configure(self)
		course = make_course()
		factories.make_plan([course["subject"]], is_published=1)
		PublishingTestCase.publish(self)
		self.configure()
		self.publish()
		self.check()
		self.configure(provider="Cloudflare R2")
		self.publish()
		self.check()
