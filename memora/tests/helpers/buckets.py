"""Tests that publish to a bucket: S3 and R2 on moto's server over HTTP, or on SeaweedFS. And what a vandal does to
one."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from typing import Any

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.storage import Storage, r2
from memora.tests.helpers import seaweedfs
from memora.tests.helpers.moto import moto
from memora.tests.helpers.publishing import PublishingTestCase
from memora.tests.helpers.seaweedfs import ACCESS_KEY, SECRET_KEY


class S3Server:
	"""An S3 server, looked at behind memora's back with a client of boto3's own."""

	def __init__(self, endpoint: str) -> None:
		self.endpoint = endpoint
		self.client = seaweedfs.client(endpoint)

	def make_bucket(self) -> str:
		"""A new bucket that anyone may read, as behind a CDN."""
		name = f"memora-{secrets.token_hex(6)}"
		self.client.create_bucket(Bucket=name)
		anyone_reads = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
		statement = [{**anyone_reads, "Resource": f"arn:aws:s3:::{name}/*"}]
		policy = {"Version": "2012-10-17", "Statement": statement}
		self.client.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
		return name

	def settings(self, bucket: str, endpoint: str) -> dict[str, str]:
		"""What CDN Settings say to publish to a bucket that is reached at `endpoint`."""
		return {
			"endpoint_url": endpoint,
			"region": "us-east-1",
			"bucket_name": bucket,
			"access_key": ACCESS_KEY,
			"secret_key": SECRET_KEY,
			"cdn_base_url": f"{self.endpoint}/{bucket}",
		}

	def paths(self, bucket: str) -> set[str]:
		"""All that is in a bucket."""
		pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
		return {found["Key"] for page in pages for found in page.get("Contents", ())}

	def read(self, bucket: str, path: str) -> bytes | None:
		"""An object's body, None where there is none."""
		try:
			return self.client.get_object(Bucket=bucket, Key=path)["Body"].read()
		except self.client.exceptions.NoSuchKey:
			return None


class BucketTestCase(PublishingTestCase):
	"""Export goes to a bucket of the test's own, which is read back with a client of boto3's own."""

	provider = "AWS S3"

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.endpoint = cls.start_server()
		cls.s3 = S3Server(cls.endpoint)
		cls.client = cls.s3.client

	@classmethod
	def start_server(cls) -> str:
		"""The address of an S3 server; moto's, which ends with the class."""
		stack = ExitStack()
		cls.addClassCleanup(stack.close)
		return stack.enter_context(moto())

	def setUp(self) -> None:
		self.bucket = self.make_bucket()
		spacing, r2.SPACING = r2.SPACING, 0.0  # moto takes more than a write a second
		self.addCleanup(setattr, r2, "SPACING", spacing)
		super().setUp()

	def make_bucket(self) -> str:
		return self.s3.make_bucket()

	def configure(self, **fields: Any) -> None:
		super().configure(
			**{"storage_provider": self.provider, **self.s3.settings(self.bucket, self.endpoint), **fields}
		)

	def storage(self) -> Storage:
		storage = settings.open_storage(settings.saved())
		self.addCleanup(storage.close)
		return storage

	def all_paths(self) -> set[str]:
		return self.s3.paths(self.bucket) - {paths.MARK}

	def read_bytes(self, path: str) -> bytes | None:
		return self.s3.read(self.bucket, path)

	def put(self, path: str, body: bytes, **headers: Any) -> None:
		"""Write past memora."""
		self.client.put_object(Bucket=self.bucket, Key=path, Body=body, **headers)

	def rewrite(self, path: str, **headers: Any) -> None:
		"""The same bytes under other headers."""
		found = self.client.get_object(Bucket=self.bucket, Key=path)
		kept = {name: found[name] for name in ("ContentType", "CacheControl", "Metadata")}
		self.put(path, found["Body"].read(), **{**kept, **headers})

	def drop(self, *paths: str) -> None:
		for path in paths:
			self.client.delete_object(Bucket=self.bucket, Key=path)

	def objects(self) -> dict[str, tuple[Any, ...]]:
		"""All that is in the bucket: bytes, type, cache control and metadata by path."""
		found = {}
		for path in self.all_paths():
			answer = self.client.get_object(Bucket=self.bucket, Key=path)
			found[path] = (
				answer["Body"].read(),
				answer["ContentType"],
				answer.get("CacheControl"),
				answer["Metadata"],
			)
		return found


class SeaweedFSTestCase(BucketTestCase):
	"""The same on SeaweedFS."""

	@classmethod
	def start_server(cls) -> str:
		return seaweedfs.url()


def lose_rows(*paths: str) -> None:
	"""Let the ledger forget these files."""
	frappe.db.delete("CDN File", {"path": ("in", paths)})
	frappe.db.commit()
