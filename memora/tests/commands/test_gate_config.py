"""`bench memora gate-config`: what it writes is what the real gate runs with, and nothing secret is in it."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
import tomllib

from memora.services.access_gate import keys, minting
from memora.services.access_gate.rules.key_states import WAIT
from memora.services.cdn_export.state import site_key
from memora.tests.delivery.test_private_files import Private
from memora.tests.helpers import clock, factories
from memora.tests.helpers.node_gate import NodeGate
from memora.tests.helpers.publishing import PublishingTestCase, make_course, publish_to, run_command
from memora.tests.helpers.seaweedfs import ACCESS_KEY, SECRET_KEY

R2 = {
	"storage_provider": "Cloudflare R2",
	"endpoint_url": f"https://{'a1' * 16}.r2.cloudflarestorage.com",
	"bucket_name": "school",
	"access_key": ACCESS_KEY,
	"secret_key": SECRET_KEY,
	"cdn_base_url": "https://cdn.school.example",
}


def made(*arguments: str) -> dict[str, Any]:
	answer = run_command("gate-config", "--json", *arguments)
	assert answer.exit_code == 0, answer.output
	assert SECRET_KEY not in answer.output and ACCESS_KEY not in answer.output
	return json.loads(answer.output)


class TestWorker(PublishingTestCase):
	def test_a_worker_that_shares_the_cdns_host_gets_a_route(self) -> None:
		self.addCleanup(publish_to, cloudflare_zone_id="", cloudflare_api_token="", video_folders="videos/")
		self.configure(
			**R2,
			cloudflare_zone_id="0f" * 16,
			cloudflare_api_token="t" * 40,
			video_folders="videos/\nfilms “a\\b”/",
		)
		found = made("--origin", "https://a.example", "--origin", "https://b.example")
		self.assertEqual(found["name"], "wrangler.toml")
		self.assertNotIn("t" * 40, str(found))
		config = tomllib.loads(found["text"])
		self.assertEqual(config["routes"], [{"pattern": "cdn.school.example/*", "zone_id": "0f" * 16}])
		self.assertEqual(config["r2_buckets"], [{"binding": "BUCKET", "bucket_name": "school"}])
		self.assertEqual(
			config["vars"],
			{
				"SITE": site_key.known_hash(),
				"VIDEO_FOLDERS": "videos/\nfilms “a\\b”/",
				"ORIGINS": "https://a.example https://b.example",
				"BASE": "/",
			},
		)
		self.assertFalse(config["workers_dev"])  # another address past the route
		self.assertFalse(config["preview_urls"])
		self.assertTrue(Path(config["main"]).is_file())
		said = " ".join(found["steps"])
		for words in (
			"npx wrangler deploy",
			"fail closed",
			"r2.dev",
			"memora doctor",
			"Paid Content Is Private",
		):
			self.assertIn(words, said)

	def test_one_with_a_host_of_its_own_gets_that(self) -> None:
		self.configure(**R2, gate_url="https://gate.school.example/media")
		self.addCleanup(publish_to, gate_url="")
		config = tomllib.loads(made()["text"])
		self.assertEqual(config["routes"], [{"pattern": "gate.school.example", "custom_domain": True}])
		self.assertEqual((config["vars"]["BASE"], config["vars"]["ORIGINS"]), ("/media/", "*"))

	def test_what_cannot_work_is_refused(self) -> None:
		answer = run_command("gate-config", "--for", "worker")
		self.assertEqual(answer.exit_code, 2)
		self.assertIn("A Cloudflare Worker reads R2", answer.output)
		self.configure(cdn_base_url="")
		answer = run_command("gate-config")
		self.assertEqual(answer.exit_code, 2)
		self.assertIn("Enter Gate URL or CDN Base URL", answer.output)


class TestNode(Private):
	def live_key(self) -> str:
		keys.ensure()
		self.publish()
		clock.skip(WAIT)
		return minting.mint(["PHYSICS"])

	def test_a_gate_of_a_bucket_runs_with_it(self) -> None:
		self.configure(gate_url="https://gate.school.example")
		with TemporaryDirectory() as folder:
			answer = run_command("gate-config", "--to", folder)
			self.assertEqual(answer.exit_code, 0, answer.output)
			for words in ("1. Run on a machine with Node", "MEMORA_GATE_SECRET_KEY", "s3:ListBucket"):
				self.assertIn(words, answer.output)
			text = Path(folder, "gate.json").read_text()
			self.assertNotIn(SECRET_KEY, text)
			again = run_command("gate-config", "--to", folder)
			self.assertEqual(again.exit_code, 2)
			self.assertIn("is there already", again.output)
			self.assertEqual(run_command("gate-config", "--to", f"{folder}/none").exit_code, 2)
		gate = NodeGate(
			self,
			{**json.loads(text), "port": 0},
			MEMORA_GATE_ACCESS_KEY=ACCESS_KEY,
			MEMORA_GATE_SECRET_KEY=SECRET_KEY,
		)
		token = self.live_key()
		path = self.lesson_path(self.paid)
		self.assertEqual(gate.ask(path), (401, "token_required"))
		self.assertEqual(gate.ask(path, token), (200, ""))
		self.assertEqual(gate.ask(self.lesson_path(self.free)), (200, ""))


class TestFolder(PublishingTestCase):
	def test_a_gate_of_a_folder_runs_with_it(self) -> None:
		self.addCleanup(publish_to, gate_url="")
		self.configure(gate_url="https://gate.school.example")
		course = make_course(units=1, lessons=1, required_item="PHYSICS")
		factories.make_plan([course["subject"]], is_published=1)
		keys.ensure()
		self.publish()
		clock.skip(WAIT)
		gate = NodeGate(self, {**json.loads(made()["text"]), "port": 0})
		path = f"lessons/{course['lessons'][0].name}.json"
		self.assertEqual(gate.ask(path), (401, "token_required"))
		self.assertEqual(gate.ask(path, minting.mint(["PHYSICS"])), (200, ""))
		self.assertEqual(requests.get(f"{gate.url}/plans/index.json", timeout=10).status_code, 200)
