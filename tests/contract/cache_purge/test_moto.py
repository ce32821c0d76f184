"""CloudFront on moto's server over HTTP: a second fake, which knows AWS's own way of writing calls and answers."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from memora.services.cdn_export.cache_purge.cloudfront import CloudFrontPurge
from memora.tests.helpers.moto import moto

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLEEXAMPLE", "a-secret-key"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
	with moto() as url:
		yield url


def test_an_invalidation_is_made_and_completed(aws: str) -> None:
	admin = boto3.client(
		"cloudfront",
		endpoint_url=aws,
		region_name="us-east-1",
		aws_access_key_id=ACCESS_KEY,
		aws_secret_access_key=SECRET_KEY,
	)
	origin = {"Id": "o", "DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
	made = admin.create_distribution(
		DistributionConfig={
			"CallerReference": "x",
			"Origins": {"Quantity": 1, "Items": [origin]},
			"DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
			"Comment": "",
			"Enabled": True,
		}
	)
	distribution = made["Distribution"]["Id"]
	purge = CloudFrontPurge(distribution, ACCESS_KEY, SECRET_KEY, api=aws)
	urls = ["https://cdn.example.com/lessons/a.json", "https://cdn.example.com/lessons/a.json?v=7"]
	result = purge.purge(urls)
	assert result.purged == tuple(urls) and result.error == "" and result.spent == 2
	(receipt,) = set(result.receipts.values())
	assert purge.outcome(receipt).state == "done", "moto completes them at once"
	found = admin.get_invalidation(DistributionId=distribution, Id=receipt)["Invalidation"]
	assert found["InvalidationBatch"]["Paths"]["Items"] == ["/lessons/a.json", "/lessons/a.json?v=7"]
	assert purge.outcome("I-never-made").state == "unknown"
	other = CloudFrontPurge("E0OTHEREXAMPLE", ACCESS_KEY, SECRET_KEY, api=aws).purge(urls)
	assert other.final and "no distribution" in other.error
