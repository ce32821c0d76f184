"""The numbers in docs/storage.md are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

from memora.services.cdn_export.cache_purge import cloudflare
from memora.services.cdn_export.delivery import signing
from memora.services.cdn_export.storage import (
	PROVIDERS,
	base,
	local,
	r2,
	s3,
	s3_api,
	s3_flow,
	s3_obstore,
	s3_settings,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "storage.md").read_text()
_SETTINGS = json.loads((ROOT / "memora/memora/doctype/cdn_settings/cdn_settings.json").read_text())
LABELS = {field["fieldname"]: field.get("label", "") for field in _SETTINGS["fields"]}


def test_every_provider_has_its_column() -> None:
	head = next(line for line in PAGE.splitlines() if line.startswith("| | Local Directory"))
	assert sorted(cell.strip() for cell in head.strip("|").split("|")[1:]) == sorted(PROVIDERS)


def test_what_is_set_on_purpose() -> None:
	for said in (
		f"| `put` at once | {local.LocalStorage.writers} | from {s3_flow.FIRST} to {s3.S3Storage.writers}, as the server",
		f"| longest path | {base.MAX_PATH_BYTES:,} bytes, 255 between slashes | {base.MAX_PATH_BYTES:,} bytes |",
		f"| files removed in a request | – | {s3_api.DELETE_BATCH:,} | {s3_api.DELETE_BATCH:,} |",
		f"by UTF-8 bytes, {s3_api.PAGE:,} a page",
		f"| time-outs | {s3_settings.CONNECT_SECONDS} s to connect, {s3_settings.READ_SECONDS} s between bytes (obstore:",
		f"| tries | one by obstore, then {s3_settings.ATTEMPTS} on 5xx, broken connections and throttling; {s3_api.THROTTLED_ATTEMPTS} on 429 with"
		f" `Retry-After` up to {s3_api.LONGEST_WAIT:.0f} s; {s3_api.CONFLICT_ATTEMPTS} on 409 |",
		f"its pool as large as they are many | {s3.S3Storage.writers} |",
		f"| writes at once | {s3_flow.FIRST} at first, one more for each that takes at most {s3_flow.QUICK_SECONDS:.0f} s,"
		f" up to {s3.S3Storage.writers}; half as many after one that fails or takes {s3_flow.SLOW_SECONDS:.0f} s;"
		f" {base.MOST_ON_THEIR_WAY // 1_000_000} MB in all; {s3.S3Storage.threads} without obstore |",
		f"larger than {s3_obstore.LARGEST // 1_000_000} MB, and all else",
		f"{cloudflare.BATCH} URLs a call (*{LABELS['purge_batch_size']}*; {cloudflare.LARGEST_BATCH} on Enterprise)",
		f"{cloudflare.URLS_PER_SECOND} URLs a second and {cloudflare.CALLS:,} calls in five minutes. A wait of up to"
		f" {cloudflare.PATIENCE:.0f} s",
	):
		assert said in " ".join(PAGE.split()), said
	assert r2.SPACING == 1.0 and "one a second: spaced" in PAGE
	assert cloudflare.CALLS_WITHIN == 300.0


def test_what_signing_costs() -> None:
	rows = re.findall(r"^\| expiry (\d+) h.*? \| ([\d.]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
	assert len(rows) == 4
	for hours, renewals, uploads in rows:
		cost = signing.uploads_a_day(20_000, int(hours))
		assert int(uploads.replace(",", "")) == cost
		assert float(renewals) == round(cost / 20_000, 1)
