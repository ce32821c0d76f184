"""What is doubtful about a stage's config."""

from __future__ import annotations

from typing import Any

import pytest

from memora.services.cdn_export.rules.stage_rules import doubts

FINE: tuple[tuple[str, dict[str, Any]], ...] = (
	("Text", {"html": "<p>x</p>"}),
	("Text", {"text": "x", "solutions": ["y"]}),
	("Text", {"body": "x"}),
	("Question", {"question": "2 + 2?", "choices": ["3", "4"], "answer": "4"}),
	("Question", {"question": "2 + 2?", "choices": [3, 4.0], "answer": 4}),
	("Question", {"question": "?", "choices": ["a", "b", "c"], "answer": ["a", " B "]}),
	("Question", {"question": "?", "choices": ["0", "1"], "answer": 0}),
	("Question", {"question": "Which are done?", "choices": ["a", "b"]}),
	("Question", {"instructions": "<p>…</p>", "answer": "url", "tests": [{"text": "t"}]}),
	("Question", {"question": "?", "answer": 0}),
	("Question", {"question": "?", "choices": [True, False], "answer": True}),
	("Interactive", {"blockly": {"deep": []}}),
	("Video", {"video_url": "https://v.example/1.mp4", "captions": []}),
)
DOUBTFUL: tuple[tuple[str, dict[str, Any], str], ...] = (
	("Text", {}, "nothing to read"),
	("Text", {"html": "  "}, "nothing to read"),
	("Text", {"markdown": "# x"}, '"markdown" means nothing'),
	("Text", {"html": ["x"], "markdown": "x"}, '"markdown" means nothing'),
	("Question", {}, "asks nothing"),
	("Question", {}, "no learner can answer"),
	("Question", {"question": "?", "options": ["a"], "correct": 0}, '"options", "correct" means nothing'),
	("Question", {"question": "?", "choices": ["a", "b"], "answer": 0}, "“0” is none of its choices"),
	(
		"Question",
		{"question": "?", "choices": ["a", "b"], "answer": ["a", "c"]},
		"“c” is none of its choices",
	),
	("Question", {"question": "?", "choices": [], "answer": "a"}, "empty"),
	("Question", {"question": "?", "choices": "a, b", "answer": "a"}, "must be a list"),
	("Question", {"question": "?", "choices": {"a": 1}}, "must be a list"),
	("Question", {"question": "?", "choices": ["a", "a"], "answer": "a"}, "the same"),
	("Question", {"question": "?", "choices": [{"text": "a"}], "answer": "a"}, "text or a number"),
	("Question", {"question": "?", "choices": ["a"], "answer": {"index": 0}}, "a list of them"),
	("Question", {"question": "?", "answer": " "}, "no learner can answer"),
	("Question", {"question": "?", "answer": []}, "no learner can answer"),
	("Interactive", {}, "see nothing"),
)


@pytest.mark.parametrize(("type_", "config"), FINE)
def test_what_the_contract_knows_is_fine(type_: str, config: dict[str, Any]) -> None:
	assert doubts(type_, config) == []


@pytest.mark.parametrize(("type_", "config", "said"), DOUBTFUL)
def test_what_learners_would_not_get_is_said(type_: str, config: dict[str, Any], said: str) -> None:
	assert said in " ".join(str(doubt) for doubt in doubts(type_, config))
