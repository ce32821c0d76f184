"""CDN Settings: each wrong value is refused naming its field, and values copied from elsewhere are normalised."""

import os
import socket
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from cryptography.fernet import Fernet
from frappe.utils import get_bench_path, get_site_path
from pymysql import OperationalError

from memora.exceptions import StorageConfigurationError
from memora.memora import local_folder
from memora.patches import name_the_cdn
from memora.services.access_gate import keys
from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import connection_test
from memora.services.cdn_export.state import gate_switch, relocation, site_values
from memora.tests.helpers.buckets import BucketTestCase
from memora.tests.helpers.publishing import forget_gate
from memora.tests.helpers.utils import MemoraTestCase, messages

S3 = {
	"storage_provider": "AWS S3",
	"region": "eu-central-1",
	"bucket_name": "lessons",
	"access_key": "AKIA",
	"secret_key": "s3cr3t",
}
R2 = {
	"storage_provider": "Cloudflare R2",
	"endpoint_url": "https://abc.r2.cloudflarestorage.com",
	"bucket_name": "lessons",
	"access_key": "AKIA",
	"secret_key": "s3cr3t",
}


class TestCDNSettings(MemoraTestCase):
	def save(self, **fields):
		settings = frappe.get_doc("CDN Settings")
		settings.update(fields)
		settings.save()
		return frappe.get_doc("CDN Settings")

	def refused(self, **fields) -> str:
		with self.assertRaises(frappe.ValidationError) as refused:
			self.save(**fields)
		return str(refused.exception)

	def test_keys_and_a_path_are_kept_as_typed(self) -> None:
		"""Frappe's sanitizer would take `<b>` for markup."""
		for key in ("a<b>c", "x<y&z>", '["<svg/onload=ran()>"]', "&lt;'\"&amp;"):
			saved = self.save(**{**S3, "access_key": key, "secret_key": key, "local_path": f"/srv/{key}"})
			self.assertEqual(settings.secret(saved, "secret_key"), key)
			self.assertEqual(settings._storage_settings(saved, "").access_key, key)
			self.assertEqual(settings.local_path(saved), f"/srv/{key}")
			self.assertNotIn("<", saved.access_key + saved.local_path)

	def test_a_new_site_has_the_defaults(self) -> None:
		settings = frappe.get_doc("CDN Settings")
		self.assertEqual(
			[
				settings.get(fieldname)
				for fieldname in (
					"enabled",
					"storage_provider",
					"batch_interval_minutes",
					"batch_threshold",
					"signed_url_expiry_hours",
					"sign",
					"purge_batch_size",
					"hold_large_changes",
				)
			],
			[0, "Local Directory", 5, 50, 4, "All", 100, 0],
		)
		self.assertEqual(frappe.db.get_single_value("CDN Settings", "batch_threshold"), 50)

	def test_it_saves_as_installed_and_enabled(self) -> None:
		self.assertEqual(self.save(enabled=1).enabled, 1)

	def test_numbers_out_of_range_are_refused_naming_the_field(self) -> None:
		for fieldname, label, values in (
			("signed_url_expiry_hours", "Signed URL Expiry (Hours)", (0, 25, -1)),
			("batch_interval_minutes", "Batch Interval (Minutes)", (0, -5)),
			("batch_threshold", "Batch Threshold (Plans)", (0, -1)),
			("purge_batch_size", "URLs per Purge Call", (0, 501)),
		):
			for value in values:
				self.assertIn(label, self.refused(**{fieldname: value}))
		self.save(
			signed_url_expiry_hours=24, batch_interval_minutes=1, batch_threshold=1, purge_batch_size=500
		)
		self.save(signed_url_expiry_hours=1)

	def test_what_the_provider_needs_must_be_there(self) -> None:
		for complete, needed in (
			(S3, {"region", "bucket_name", "access_key", "secret_key"}),
			(R2, {"endpoint_url", "bucket_name", "access_key", "secret_key"}),
		):
			for fieldname in needed:
				label = frappe.get_meta("CDN Settings").get_label(fieldname)
				self.assertIn(
					f"{label}: {complete['storage_provider']}", self.refused(**{**complete, fieldname: ""})
				)
		self.save(**S3)
		self.save(**{**R2, "region": ""})
		self.save(**{**S3, "region": "", "endpoint_url": "http://127.0.0.1:9000"})

	def test_all_that_is_wrong_is_said_at_once(self) -> None:
		message = self.refused(storage_provider="AWS S3", batch_threshold=0)
		for label in ("Bucket Name", "Access Key", "Secret Key", "Region", "Batch Threshold"):
			self.assertIn(label, message)

	def test_urls_must_be_urls(self) -> None:
		for fieldname, label in (("endpoint_url", "Endpoint URL"), ("cdn_base_url", "CDN Base URL")):
			for value in (
				"cdn.example.com",
				"ftp://cdn.example.com",
				"https://",
				"https://user:pass@cdn.example.com",
				"https://cdn.example.com?x=1",
				"https://cdn.example.com#top",
				"https://cdn.example.com:port",
				"javascript:alert(1)",
				"/files",
			):
				self.assertIn(label, self.refused(**{**R2, fieldname: value}), value)

	def test_urls_and_keys_are_tidied(self) -> None:
		settings = self.save(
			**{
				**R2,
				"endpoint_url": " https://abc.r2.cloudflarestorage.com/lessons/\n",
				"cdn_base_url": "https://cdn.example.com/v1//",
				"access_key": "AKIA\n",
				"secret_key": " s3cr3t\r\n",
			}
		)
		self.assertEqual(settings.endpoint_url, "https://abc.r2.cloudflarestorage.com")
		self.assertEqual(settings.cdn_base_url, "https://cdn.example.com/v1")
		self.assertEqual(settings.access_key, "AKIA")
		self.assertEqual(settings.get_password("secret_key"), "s3cr3t")

	def test_a_bucket_or_key_that_comes_as_a_number_is_taken_as_text(self) -> None:
		saved = self.save(**{**S3, "bucket_name": 2026, "access_key": 12345})
		self.assertEqual((saved.bucket_name, saved.access_key), ("2026", "12345"))

	def test_an_endpoint_with_another_path_is_refused(self) -> None:
		self.assertIn("Endpoint URL", self.refused(**{**R2, "endpoint_url": "https://s3.example.com/other"}))

	def test_secrets_stay_when_saved_again_and_are_nowhere_to_read(self) -> None:
		self.save(**S3)
		settings = self.save(cdn_base_url="https://cdn.example.com")
		self.assertEqual(settings.get_password("secret_key"), "s3cr3t")
		self.assertNotIn("s3cr3t", settings.as_json())
		self.assertNotIn(
			"s3cr3t", str(frappe.db.sql("select value from tabSingles where doctype = 'CDN Settings'"))
		)
		self.assertNotIn("s3cr3t", str(frappe.get_all("Version", {"ref_doctype": "CDN Settings"}, ["data"])))

	def test_purging_needs_zone_token_and_base_url(self) -> None:
		self.assertIn(
			"API Token",
			self.refused(cdn="Cloudflare", cloudflare_zone_id="zone", cdn_base_url="https://cdn.example.com"),
		)
		self.assertIn("Zone ID", self.refused(cdn="Cloudflare", cloudflare_api_token="token"))
		self.assertIn(
			"CDN Base URL",
			self.refused(cdn="Cloudflare", cloudflare_zone_id="zone", cloudflare_api_token="token"),
		)
		self.save(
			cdn="Cloudflare",
			cloudflare_zone_id="zone",
			cloudflare_api_token="token",
			cdn_base_url="https://cdn.example.com",
		)

	def test_each_cdn_needs_its_own_fields(self) -> None:
		base = {"cdn_base_url": "https://cdn.example.com"}
		self.assertIn("Service ID", self.refused(cdn="Fastly", **base))
		self.assertIn("Fastly API Token", self.refused(cdn="Fastly", fastly_service_id="S", **base))
		self.assertIn("Pull Zone ID", self.refused(cdn="Bunny", **base))
		self.assertIn("Account API Key", self.refused(cdn="Bunny", bunny_pull_zone_id="1", **base))
		distribution = {"cdn": "CloudFront", "cloudfront_distribution_id": "E2QWRUHEXAMPLE", **base}
		self.assertIn("CloudFront Secret Key", self.refused(**distribution))
		for fields in (
			{**distribution, "cloudfront_access_key": "AKIA", "cloudfront_secret_key": "secret"},
			{"cdn": "Fastly", "fastly_service_id": "SU1Z0isxPaozGVKXdv0eY", "fastly_api_token": "t", **base},
			{"cdn": "Bunny", "bunny_pull_zone_id": "12 345", "bunny_api_key": "k", **base},
			{"cdn": "Cloudflare", "cloudflare_zone_id": "0a" * 16, "cloudflare_api_token": "t", **base},
		):
			self.save(**fields)
			purge = settings.open_purge(frappe.get_doc("CDN Settings"))
			self.assertEqual((purge.name, purge.active), (fields["cdn"], True))
			self.assertNotIn(" ", purge.place)
			self.assertCacheIsNamed()
		self.assertIn("CDN", self.refused(cdn="Akamai"))
		self.save(cdn="None")
		self.assertFalse(settings.open_purge(frappe.get_doc("CDN Settings")).active)
		self.assertEqual(settings.purged_cache(), "")

	def assertCacheIsNamed(self) -> None:
		"""Which cache it is can be told without its keys, as the opened one says."""
		doc = frappe.get_doc("CDN Settings")
		place, password = settings.CDN_FIELDS[doc.cdn]
		for written in (doc.get(place), f" {doc.get(place).swapcase()}\n"):
			doc.set(place, written)
			named = settings.open_purge(doc).behind("https://cdn.example.com")
			with patch.object(settings, "secret", side_effect=AssertionError(f"{password} is not needed")):
				self.assertEqual(settings.purged_cache(doc), named)

	def test_cloudfront_is_purged_by_the_keys_of_a_bucket_at_aws(self) -> None:
		self.save(
			**{**S3, "endpoint_url": "", "region": "eu-central-1"},
			enabled=0,
			cdn="CloudFront",
			cloudfront_distribution_id="E2QWRUHEXAMPLE",
			cdn_base_url="https://cdn.example.com",
		)
		purge = settings.open_purge(frappe.get_doc("CDN Settings"))
		self.assertEqual(purge._unusable(), "")
		self.assertEqual(purge._access_key, S3["access_key"])

	def test_a_site_that_names_a_zone_has_cloudflare_after_an_upgrade(self) -> None:
		for zone, cdn in (("zone", "Cloudflare"), ("", "None")):
			frappe.db.delete("Singles", {"doctype": "CDN Settings", "field": "cdn"})
			frappe.db.set_single_value("CDN Settings", "cloudflare_zone_id", zone)
			name_the_cdn.execute()
			self.assertEqual(frappe.db.get_single_value("CDN Settings", "cdn"), cdn)

	def test_a_folder_may_not_hold_anything_else_of_the_bench(self) -> None:
		bench = get_bench_path()
		for folder in ("public/files", "private/files", ".", "../other.site/public/files/x", "/", bench):
			self.assertIn("Folder", self.refused(local_path=folder), folder)
		for folder in (
			"public/files/school",
			os.path.abspath(get_site_path("public", "files", "x")),
			str(self.local_path),
		):
			self.save(local_path=folder)

	def test_a_bench_in_the_home_of_root_publishes_to_its_site(self) -> None:
		home = Path(get_bench_path()).resolve().parent
		with patch.object(local_folder, "_SYSTEM", (home,)):
			self.save(local_path="public/files/school")
			self.assertIn("belongs to the system", self.refused(local_path=str(home / "school")))

	def test_an_unknown_provider_is_refused(self) -> None:
		self.assertIn("Storage Provider", self.refused(storage_provider="FTP"))

	def test_a_secret_that_cannot_be_decrypted_is_replaced_by_typing_it_anew(self) -> None:
		self.save(**S3)
		frappe.clear_messages()
		with patch("frappe.utils.password.get_encryption_key", return_value=Fernet.generate_key().decode()):
			self.save(secret_key="typed-anew")
			self.assertEqual(frappe.get_doc("CDN Settings").get_password("secret_key"), "typed-anew")
		self.assertEqual(messages(), "")

	def test_credentials_in_a_url_are_not_said_again(self) -> None:
		for typed in (
			"https://AKIA:s3cr3t@s3.example.com",
			"https://AKIA:s3/cr@s3cr3t@s3.example.com",
			"AKIA:s3cr3t@s3.example.com",
			"https://s3.example.com/?X-Amz-Credential=s3cr3t",
			"https://s3.example.com#s3cr3t",
			"ftp://s3cr3t@host",
			"//s3cr3t@host:port",
			"https://s3cr3t@",
		):
			for field in ("endpoint_url", "cdn_base_url"):
				frappe.clear_messages()
				before = frappe.db.count("Error Log")
				message = self.refused(**{**R2, field: typed})
				self.assertNotIn("s3cr3t", message + messages(), typed)
				self.assertNotIn("AKIA:", message + messages(), typed)
				self.assertEqual(frappe.db.count("Error Log"), before)
			with self.assertRaises(StorageConfigurationError) as raised:
				settings.open_storage(frappe.get_doc("CDN Settings").update({**R2, "endpoint_url": typed}))
			self.assertNotIn("s3cr3t", str(raised.exception), typed)

	def test_a_new_folder_is_none_of_the_systems_and_holds_nothing_else(self) -> None:
		folder = self.local_path / "public"
		folder.mkdir()
		(folder / "index.html").write_text("somebody's")
		link = self.local_path / "link"
		link.symlink_to("/etc")
		file = self.local_path / "file"
		file.write_text("")
		for path in (
			*(
				"/",
				"/etc",
				"/etc/memora",
				"/usr",
				"/usr/share/memora",
				"/var",
				"/home",
				"/var/log/memora",
				"/proc/1",
				"/nowhere",
			),
			*(
				folder,
				link,
				link / "memora",
				file,
				f"{self.local_path}/new/../public",
				f"{folder}/../../../etc",
			),
			*(
				"private/backups",
				"private/files/x",
				"public",
				"../assets",
				"../../apps",
				"../../env/x",
				"../../config",
			),
			*("site_config.json", "public/files/../../private", "locks"),
		):
			self.assertIn("Folder", self.refused(local_path=str(path)), path)
		for path in (self.local_path / "new", self.local_path / "a" / "b"):
			self.save(local_path=str(path))
		for mark in ("memora/place.json", "plans/index.json"):
			ours = self.local_path / mark.replace("/", "-")
			(ours / mark).parent.mkdir(parents=True)
			(ours / mark).write_text("{}")
			self.save(local_path=str(ours))

	def test_a_folder_that_was_saved_before_stays(self) -> None:
		for path in ("/etc", str(self.local_path)):
			(self.local_path / "index.html").write_text("somebody's")
			frappe.db.set_single_value("CDN Settings", "local_path", path)
			self.assertEqual(self.save(batch_threshold=7).local_path, path)


class TestAfterSave(MemoraTestCase):
	def test_a_step_that_mariadb_refuses_takes_no_other_with_it_nor_what_others_do_after_the_commit(
		self,
	) -> None:
		self.addCleanup(forget_gate)
		done: list[str] = []
		doc = frappe.get_doc("CDN Settings")
		doc.update(
			{
				"enabled": 1,
				"local_path": str(self.local_path),
				"gate_enabled": 1,
				"gate_url": "https://gate.test",
			}
		)
		with patch.object(relocation, "follow", side_effect=OperationalError(1205, "by the test")):
			doc.save()
			frappe.db.after_commit.add(lambda: done.append("another app"))
			frappe.db.commit()
		self.assertEqual(done, ["another app"])
		self.assertTrue(gate_switch.parse(site_values.read(gate_switch.NOTE)).is_on)
		self.assertEqual(len(keys.rows()), 1)


class TestSavingTries(BucketTestCase):
	"""A bucket that cannot be written to is refused when the save that names it is made."""

	def save(self, **fields: Any) -> None:
		doc = frappe.get_doc("CDN Settings")
		doc.update({"enabled": 1, "storage_provider": "AWS S3", **fields})
		doc.save()

	def test_a_bucket_that_is_not_there_is_refused_with_what_the_test_says(self) -> None:
		before = frappe.get_doc("CDN Settings").as_dict()
		with self.assertRaises(frappe.ValidationError) as refused:
			self.save(**self.s3.settings("no-such-bucket", self.endpoint))
		self.assertIn("no-such-bucket", str(refused.exception))
		frappe.db.rollback()
		self.assertEqual(frappe.get_doc("CDN Settings").as_dict(), before)
		(message,) = [message for message in frappe.get_message_log() if "primary_action" in message]
		self.assertEqual(message["primary_action"]["client_action"], "memora.publishing.save_settings_anyway")

	def test_it_is_saved_anyway_when_asked_for(self) -> None:
		for field in ("", "__save_anyway"):
			doc = frappe.get_doc("CDN Settings")
			doc.update(
				{"enabled": 1, **self.s3.settings(f"no-such-bucket{len(field)}", self.endpoint), field: 1}
			)
			if field:
				doc.save()
			else:
				self.assertRaises(frappe.ValidationError, doc.save)
		self.assertEqual(
			frappe.db.get_single_value("CDN Settings", "bucket_name", cache=False), "no-such-bucket13"
		)

	def test_only_a_change_of_the_bucket_is_tried_and_only_while_enabled(self) -> None:
		self.configure(bucket_name="no-such-bucket")
		self.save(batch_threshold=9)
		self.save(cdn_base_url="https://cdn.example", enabled=0)
		self.save(**self.s3.settings("no-such-bucket-either", self.endpoint), enabled=0)
		self.assertRaises(frappe.ValidationError, self.save, enabled=1)
		self.save(**self.s3.settings(self.bucket, self.endpoint))
		self.assertEqual({path for path in self.s3.paths(self.bucket) if "connection-test" in path}, set())

	def test_it_waits_for_a_bounded_time(self) -> None:
		with (
			socket.create_server(("127.0.0.1", 0)) as silent,
			patch.object(connection_test, "SAVE_SECONDS", 0.5),
		):
			began = time.monotonic()
			with self.assertRaises(frappe.ValidationError) as refused:
				self.save(**self.s3.settings(self.bucket, f"http://127.0.0.1:{silent.getsockname()[1]}"))
		self.assertIn("0.5 seconds", str(refused.exception))
		self.assertLess(time.monotonic() - began, 10)
