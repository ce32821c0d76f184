"""What happens one after another at the gate: see scenarios.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.gate.conftest import Runner
from tests.contract.gate.scenarios import SCENARIOS, cache_order
from tests.contract.gate.school import CONFIG

CONFIGS: list[tuple[dict[str, Any], str]] = [
	({}, ""),
	({"video_folders": []}, ""),
	({"site": ""}, "site"),
	({"site": None}, "site"),
	({"site": "A" * 32}, "site"),
	({"base": "files/"}, "base"),
	({"base": "/files"}, "base"),
	({"video_folders": ["lessons/"]}, "video_folders"),
	({"video_folders": ["access/"]}, "video_folders"),
	({"video_folders": [""]}, "video_folders"),
	({"video_folders": ["videos"]}, "video_folders"),
	({"video_folders": ["videos/", "courses/films"]}, "video_folders"),
	({"video_folders": ["courses/intro.mp4"]}, ""),
	({"video_folders": ["/videos/"]}, "video_folders"),
	({"video_folders": "videos/"}, "video_folders"),
	({"origins": "https://app.example"}, "origins"),
]
"""Changes of a configuration, each with what is said of it."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario(in_node: Runner, name: str) -> None:
	scenario = SCENARIOS[name]
	assert scenario.wrong(in_node.ask(**scenario.job())) == []


def test_what_an_owner_has_read_is_kept_for_no_stranger(in_workerd: Runner) -> None:
	"""In Cloudflare's runtime, whose caches would be there to be used."""
	scenario = cache_order(now=None)
	assert scenario.wrong(in_workerd.ask(**scenario.job(), world="cache order")) == []


@pytest.mark.parametrize(("change", "says"), CONFIGS, ids=str)
def test_a_configuration_that_cannot_be_meant_is_refused(
	in_node: Runner, change: dict[str, Any], says: str
) -> None:
	refused = in_node.ask(op="config", config={**CONFIG, **change})["refused"]
	assert refused.startswith(says) and bool(refused) == bool(says)
