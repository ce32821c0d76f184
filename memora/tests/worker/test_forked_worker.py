"""RQ forks a process for each job. One that is forked after an upload uploads too."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from uuid import uuid4

import frappe

from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.seaweedfs import ACCESS_KEY, SECRET_KEY

SCRIPT = """
import sys
from redis import Redis
from rq import Queue, Worker
from memora.services.cdn_export.storage import StorageSettings, Upload, open

redis, queue, url, bucket, access, secret = sys.argv[1:]
put = lambda path: open(StorageSettings("AWS S3", url, "us-east-1", bucket, access, secret)).put(Upload(path, b"body", ""))
put("parent.json")
connection = Redis.from_url(redis)
job = Queue(queue, connection=connection).enqueue(
	"memora.tests.worker.test_forked_worker.upload", url, bucket, access, secret, job_timeout=30
)
Worker([queue], connection=connection).work(burst=True, logging_level="ERROR")
put("after.json")
assert job.get_status(refresh=True) == "finished", job.get_status()
connection.delete(f"rq:queue:{queue}", job.key)
"""


def upload(url: str, bucket: str, access: str, secret: str) -> str:
	"""A job's work: write one file."""
	from memora.services.cdn_export.storage import StorageSettings, Upload, open

	return open(StorageSettings("AWS S3", url, "us-east-1", bucket, access, secret)).put(
		Upload("child.json", b"body", "")
	)


class TestForkedWorker(BucketTestCase):
	def test_a_job_uploads_although_its_worker_has_uploaded_before(self) -> None:
		arguments = [frappe.conf.redis_queue, f"memora-{uuid4().hex}", self.endpoint, self.bucket]
		done = subprocess.run(
			[sys.executable, "-c", textwrap.dedent(SCRIPT), *arguments, ACCESS_KEY, SECRET_KEY],
			timeout=90,
			capture_output=True,
			text=True,
		)
		self.assertEqual(done.returncode, 0, done.stderr)
		self.assertLessEqual({"parent.json", "child.json", "after.json"}, self.all_paths())
