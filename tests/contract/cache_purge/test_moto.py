"""CloudFront on moto's server over HTTP: a second fake, which knows AWS's own way of writing calls and answers."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from memora.services.cdn_export.cache_purge.cloudfront import CloudFrontPurge

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLEEXAMPLE", "a-secret-key"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
	server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
	server.start()
	host, port = server.get_host_and_port()
	yield f"http://{host}:{port}"
	server.stop()


def test_an_invalidation_is_made_and_completed(moto: str) -> None:
	admin = boto3.client(
		"cloudfront",
		endpoint_url=moto,
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
	purge = CloudFrontPurge(distribution, ACCESS_KEY, SECRET_KEY, api=moto)
	urls = ["https://cdn.example.com/lessons/a.json", "https://cdn.example.com/lessons/a.json?v=7"]
	result = purge.purge(urls)
	assert result.purged == tuple(urls) and result.error == "" and result.spent == 2
	(receipt,) = set(result.receipts.values())
	assert purge.outcome(receipt).state == "done", "moto completes them at once"
	found = admin.get_invalidation(DistributionId=distribution, Id=receipt)["Invalidation"]
	assert found["InvalidationBatch"]["Paths"]["Items"] == ["/lessons/a.json", "/lessons/a.json?v=7"]
	assert purge.outcome("I-never-made").state == "unknown"
	other = CloudFrontPurge("E0OTHEREXAMPLE", ACCESS_KEY, SECRET_KEY, api=moto).purge(urls)
	assert other.final and "no distribution" in other.error
