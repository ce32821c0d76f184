"""What is said about a stage: each thing with its field, and whether learners can use the stage."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memora.services.cdn_export.rules import contracts
from memora.services.cdn_export.rules.stage_check import check, check_text

FULL: tuple[tuple[str, dict[str, Any]], ...] = (
	("Text", {"html": "<p>x \\(x^2\\)</p>", "dir": "rtl", "solutions": ["print(1)"]}),
	("Text", {"text": "x"}),
	("Text", {"solutions": ["x"]}),
	("Text", {"html": '<pre><code class="language-python">a &lt;iframe&gt;</code></pre><!-- <script> -->'}),
	("Text", {"html": '<iframe src="https://www.youtube.com/embed/aqz-KE-bpKQ"></iframe>'}),
	(
		"Question",
		{
			"question": "2 + 2?",
			"instructions": "<p>Count.</p>",
			"kind": "one",
			"choices": ["3", "4"],
			"answer": "4",
			"hint": "<p>Fingers.</p>",
			"explanation": "<p>\\(2 + 2 = 4\\)</p>",
			"shuffle": True,
		},
	),
	("Question", {"question": "?", "choices": ["a", "b", "c"], "answer": ["a", " B "]}),
	("Question", {"question": "?", "kind": "several", "choices": ["a", "b"], "answer": ["a"]}),
	("Question", {"question": "?", "kind": "true_false", "choices": ["صحيح", "خطأ"], "answer": "خطأ"}),
	("Question", {"question": "?", "kind": "short", "answer": ["colour", "color"]}),
	("Question", {"question": "g?", "kind": "number", "answer": "9.81", "tolerance": 0.05, "unit": "m/s²"}),
	("Question", {"question": "?", "kind": "number", "answer": ["-2", "1e3", ".5"]}),
	("Question", {"instructions": "<p>…</p>", "answer": "url", "tests": [{"text": "t", "code": ""}]}),
	(
		"Interactive",
		{
			"instructions": "<p>Do.</p>",
			"files": [{"name": "a.py", "content": "", "language": "python", "before": "", "after": ""}],
			"tests": [{"text": "it runs", "code": "assert 1"}],
			"libraries": ["https://cdn.example/a.js"],
		},
	),
	("Interactive", {"starter": "print()", "language": "python"}),
	(
		"Video",
		{
			"video_url": "https://v.example/1.mp4",
			"title": "Waves",
			"poster": "/files/a.png",
			"captions": [{"src": "/files/a.vtt", "lang": "ar-EG", "label": "العربية"}],
			"start": 3.5,
			"end": 10,
		},
	),
	("Video", {"video_url": "videos/waves.mp4"}),
	("Video", {"video_url": "youtu.be/aqz-KE-bpKQ"}),
	("Video", {"video_url": '<iframe width="5" src="https://player.vimeo.com/video/76979871?h=8&amp;a=1">'}),
)
"""Every field of every type, as it should be."""

WRONG: tuple[tuple[str, dict[str, Any], tuple[str | int, ...], str, str], ...] = (
	("Text", {}, (), "broken", "nothing to read"),
	("Text", {"html": "  "}, ("html",), "broken", '"html" is empty'),
	("Text", {"html": ["x"]}, ("html",), "broken", '"html" must be a text in quotes'),
	("Text", {"html": ["x"], "text": "x"}, ("html",), "warning", '"html" must be a text'),
	("Text", {"markdown": "# x"}, (), "broken", "nothing to read"),
	(
		"Text",
		{"markdown": "# x"},
		("markdown",),
		"warning",
		'"markdown" means nothing here. Write it as "html"',
	),
	("Text", {"body": "x"}, ("body",), "warning", 'Write it as "text"'),
	("Text", {"blocks": []}, (), "warning", "nothing to read"),
	("Text", {"html": "x", "dir": "up"}, ("dir",), "warning", '"dir" must be one of "ltr", "rtl"'),
	("Text", {"html": "<IFRAME SRC=https://evil.example/x>"}, ("html",), "broken", "embeds “evil.example”"),
	("Text", {"html": "<embed src='//evil.example'>"}, ("html",), "broken", "Apps embed only YouTube, Vimeo"),
	(
		"Text",
		{"html": '<iframe src="https://youtube.com.evil.example/embed/1">'},
		("html",),
		"broken",
		"embeds",
	),
	("Text", {"html": "<form><p>x</p></form>"}, ("html",), "warning", "has a <form>, which apps don't show"),
	("Text", {"html": '<object data="/files/a.pdf">'}, ("html",), "warning", "<object>"),
	("Question", {}, (), "broken", "asks nothing"),
	("Question", {"question": "?"}, ("answer",), "broken", "no learner can be right"),
	("Question", {"question": "?", "choices": ["a", "b"]}, ("answer",), "broken", '"answer" is missing'),
	("Question", {"question": "?", "options": ["a"], "correct": 0}, ("options",), "warning", 'as "choices"'),
	("Question", {"question": "?", "options": ["a"], "correct": 0}, ("answer",), "broken", "is missing"),
	(
		"Question",
		{"question": "?", "choices": ["a", "b"], "answer": 0},
		("answer",),
		"broken",
		'like "a", not its',
	),
	(
		"Question",
		{"question": "?", "choices": ["a", "b"], "answer": "c"},
		("answer",),
		"broken",
		"“c” is none",
	),
	(
		"Question",
		{"question": "?", "choices": ["a", "b"], "answer": ["a", "c"]},
		("answer",),
		"broken",
		"“c” is",
	),
	("Question", {"question": "?", "choices": [], "answer": "a"}, ("choices",), "broken", "empty list"),
	(
		"Question",
		{"question": "?", "choices": "a, b", "answer": "a"},
		("choices",),
		"broken",
		"must be a list",
	),
	(
		"Question",
		{"question": "?", "choices": {"a": 1}, "answer": "a"},
		("choices",),
		"broken",
		"must be a list",
	),
	(
		"Question",
		{"question": "?", "choices": ["a", "a"], "answer": "a"},
		("choices",),
		"warning",
		"the same",
	),
	(
		"Question",
		{"question": "?", "choices": ["a", {"text": "b"}], "answer": "a"},
		("choices", 1),
		"broken",
		"#2",
	),
	("Question", {"question": "?", "choices": [3, 4.0], "answer": 4}, ("choices", 1), "warning", 'like "4"'),
	(
		"Question",
		{"question": "?", "choices": [True, False], "answer": True},
		("answer",),
		"warning",
		'"true"',
	),
	(
		"Question",
		{"question": "?", "choices": ["a"], "answer": {"index": 0}},
		("answer",),
		"broken",
		"must be a text",
	),
	("Question", {"question": "?", "answer": " "}, ("answer",), "broken", '"answer" is empty'),
	("Question", {"question": "?", "answer": []}, ("answer",), "broken", "empty list"),
	("Question", {"question": "?", "answer": "a", "kind": "one"}, ("choices",), "broken", "are missing"),
	(
		"Question",
		{"question": "?", "answer": "a", "kind": "many"},
		("kind",),
		"warning",
		'one of "one", "several"',
	),
	(
		"Question",
		{"question": "?", "answer": "3,5", "kind": "number"},
		("answer",),
		"broken",
		"“3,5” is no number",
	),
	(
		"Question",
		{"question": "?", "answer": "\u200fـ "},
		("answer",),
		"broken",
		"has no letter or digit that is compared",
	),
	(
		"Question",
		{"question": "?", "choices": ["a", "b"], "answer": ["a", "b"], "kind": "one"},
		("answer",),
		"broken",
		'the kind "one" has one right answer',
	),
	(
		"Question",
		{"question": "?", "choices": ["a", "b", "c"], "answer": "a", "kind": "true_false"},
		("choices",),
		"broken",
		"two choices",
	),
	(
		"Question",
		{"question": "?", "choices": ["1", "2"], "answer": "1", "kind": "number"},
		("choices",),
		"broken",
		"asks for a typed answer",
	),
	(
		"Question",
		{"question": "?", "answer": "1", "tolerance": 1},
		("tolerance",),
		"warning",
		'kind "number"',
	),
	("Question", {"question": "?", "answer": "1", "tolerance": -1}, ("tolerance",), "warning", "0 or more"),
	(
		"Question",
		{"question": "?", "answer": "a", "shuffle": 1},
		("shuffle",),
		"warning",
		"must be true or false",
	),
	("Question", {"question": "?", "answer": "a", "hint": "<script>x"}, ("hint",), "warning", "<script>"),
	(
		"Question",
		{"question": "?", "answer": "a", "tests": [{}]},
		("tests", 0, "text"),
		"warning",
		'#1 "text" is',
	),
	("Interactive", {}, (), "broken", "nothing to do"),
	("Interactive", {"instructions": " "}, ("instructions",), "broken", "empty"),
	("Interactive", {"blockly": {"deep": []}}, (), "warning", "nothing to do"),
	("Interactive", {"files": ["a.js"]}, ("files", 0), "warning", "must be an object"),
	(
		"Interactive",
		{"files": [{"content": ""}]},
		("files", 0, "name"),
		"warning",
		'"files" #1 "name" is missing',
	),
	(
		"Interactive",
		{"starter": "x", "files": [{"name": "a", "content": "", "role": 1}]},
		("files", 0, "role"),
		"warning",
		"means nothing here",
	),
	("Video", {}, ("video_url",), "broken", "it has no film"),
	("Video", {"url": "https://v.example/1.mp4"}, ("url",), "warning", 'Write it as "video_url"'),
	("Video", {"video_url": "  "}, ("video_url",), "broken", "empty"),
	("Video", {"video_url": 5}, ("video_url",), "broken", "must be a text"),
	("Video", {"video_url": "javascript:alert(1)"}, ("video_url",), "broken", "leads to no film"),
	("Video", {"video_url": "the film about waves"}, ("video_url",), "broken", "Begin a link with https://"),
	(
		"Video",
		{"video_url": '<iframe src="https://evil.example/1">'},
		("video_url",),
		"broken",
		"“evil.example”",
	),
	("Video", {"video_url": "<iframe>"}, ("video_url",), "broken", "embeds"),
	(
		"Video",
		{"video_url": "https://v.example/1.mp4", "captions": "a.vtt"},
		("captions",),
		"warning",
		"a list",
	),
	(
		"Video",
		{"video_url": "https://v.example/1.mp4", "captions": [{"src": "a", "lang": "Arabic!", "label": "x"}]},
		("captions", 0, "lang"),
		"warning",
		"code of a language",
	),
	(
		"Video",
		{"video_url": "https://v.example/1.mp4", "start": "3"},
		("start",),
		"warning",
		"without quotes",
	),
	(
		"Video",
		{"video_url": "https://v.example/1.mp4", "start": 5, "end": 5},
		("end",),
		"warning",
		"later than",
	),
	(
		"Video",
		{"video_url": "https://v.example/1.mp4", "duration": 5},
		("duration",),
		"warning",
		"means nothing",
	),
)


@pytest.mark.parametrize(("type_", "config"), FULL)
def test_nothing_is_said_about_what_is_as_it_should_be(type_: str, config: dict[str, Any]) -> None:
	assert check(type_, config) == []


@pytest.mark.parametrize("type_", contracts.STAGE_TYPES)
def test_every_field_of_a_schema_is_among_them(type_: str) -> None:
	used = {key for each, config in FULL if each == type_ for key in config}
	assert used == set(contracts.schema(contracts.STAGES[type_])["properties"])


@pytest.mark.parametrize(("type_", "config", "path", "severity", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_field(
	type_: str, config: dict[str, Any], path: tuple[str | int, ...], severity: str, said: str
) -> None:
	found = check(type_, config)
	assert [one for one in found if one.path == path and one.severity == severity and said in str(one)], found


@pytest.mark.parametrize(
	("text", "said"),
	[
		('{"a": 1\n "b": 2}', "line 2, column 2: a comma or a closing bracket is missing"),
		("{\n'a': 1}", "line 2, column 1: a key in double quotes is missing"),
		('{"a": }', "line 1, column 7: a value is missing"),
		('{"a" 1}', "line 1, column 6: a colon is missing"),
		('{"a": "x', "line 1, column 7: the text that begins there has no end"),
		('{"a": "x\ny"}', "line 1, column 9: within a text, write a new line as \\n"),
		('{"a": "\\(x\\)"}', "line 1, column 8: within a text, write a backslash twice"),
		('{"a": 1} x', "line 1, column 10: the config has ended before that"),
		("A sentence.", "line 1, column 1: a value is missing there. Put texts in double quotes"),
		('{"a": NaN}', "not valid JSON"),
		('{"a": 1, "a": 2}', "a"),
		("[1]", "must be a JSON object"),
	],
)
def test_a_text_that_is_no_json_is_said_with_its_place(text: str, said: str) -> None:
	(finding,) = check_text("Text", text)
	assert finding.severity == "broken"
	assert said in str(finding)


def test_a_stored_config_is_checked_as_what_it_says() -> None:
	assert check_text("Text", '{"html": "x"}') == []
	assert [str(one) for one in check_text("Text", None)] == [str(one) for one in check("Text", {})]


# Whatever the schema refuses is said with its field

odd = st.sampled_from(
	[
		None,
		True,
		0,
		-1,
		1.5,
		"",
		" ",
		"x",
		"rtl",
		"number",
		"one",
		[],
		["x"],
		[1],
		[[]],
		[{}],
		{},
		{"text": 1},
	]
).map(copy.deepcopy)


@settings(max_examples=400)
@given(st.data())
def test_whatever_the_schema_refuses_is_said_with_its_field(data: st.DataObject) -> None:
	type_, sample = data.draw(st.sampled_from(FULL))
	config = copy.deepcopy(sample)
	for _ in range(data.draw(st.integers(1, 4))):
		_spoil(data, config, contracts.schema(contracts.STAGES[type_]))
	found = check(type_, config)
	said = {finding.path for finding in found}
	for path in _refused(type_, config):
		assert path in said, (path, config, found)
	for finding in found:
		assert "{" not in finding.text.format(*("" for _ in finding.about)), finding
		assert len(str(finding)) < 1_000


def _spoil(data: st.DataObject, config: dict[str, Any], schema: dict[str, Any]) -> None:
	boxes = [config, *_boxes(config)]
	box = data.draw(st.sampled_from(boxes))
	keys = (
		[*box, *(schema["properties"] if box is config else ("text", "name", "src"))]
		if isinstance(box, dict)
		else []
	)
	if isinstance(box, list):
		box.append(data.draw(odd))
	elif data.draw(st.booleans()) and keys:
		box.pop(data.draw(st.sampled_from(keys)), None)
	elif keys:
		box[data.draw(st.sampled_from(keys))] = data.draw(odd)


def _boxes(value: Any) -> Iterator[Any]:
	for inner in value.values() if isinstance(value, dict) else value:
		if isinstance(inner, dict | list):
			yield inner
			yield from _boxes(inner)


def _refused(type_: str, config: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
	"""The field of each thing that an independent validator refuses."""
	for error in jsonschema.Draft7Validator(contracts.schema(contracts.STAGES[type_])).iter_errors(config):
		path = tuple(error.absolute_path)
		if error.validator == "required":
			yield from ((*path, key) for key in error.validator_value if key not in error.instance)
		elif path[:1] == ("answer",) and isinstance(error.instance, list):
			# Of a text or a list: what is wrong with the list.
			yield from (
				tuple(inner.absolute_path) for inner in error.context or () if inner.schema_path[0] == 1
			)
		else:
			yield path


@settings(max_examples=200)
@given(
	st.sampled_from(contracts.STAGE_TYPES),
	st.recursive(
		st.none()
		| st.booleans()
		| st.integers(-5, 5)
		| st.text(max_size=5)
		| st.sampled_from(["<iframe", "{0}"]),
		lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
		max_leaves=8,
	),
)
def test_any_shape_is_looked_at_without_an_error(type_: str, value: Any) -> None:
	schema = contracts.schema(contracts.STAGES[type_])
	for config in ({"x": value}, *({key: value} for key in schema["properties"])):
		for finding in check(type_, config):
			assert str(finding)


HOSTILE: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
	"10,000 choices": (
		"Question",
		lambda: {"question": "?", "choices": [f"{n}" for n in range(10_000)], "answer": "9999"},
	),
	"10,000 numbers for choices": (
		"Question",
		lambda: {"question": "?", "choices": list(range(10_000)), "answer": 10_001},
	),
	"9.6 MB of paragraphs": ("Text", lambda: {"html": "<p>x</p>" * 1_200_000}),
	"9.9 MB of <": ("Text", lambda: {"html": "<" * 9_900_000}),
	"frames without an end": ("Text", lambda: {"html": "<iframe " * 1_200_000}),
	"comments without an end": ("Text", lambda: {"html": "<!--" * 2_000_000}),
	"a film of frames": ("Video", lambda: {"video_url": "<iframe " * 1_000_000}),
	"10,000 keys": (
		"Interactive",
		lambda: {"files": [{"name": "a", "content": "", str(n): n} for n in range(10_000)]},
	),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_large_and_hostile_configs_are_looked_at_in_seconds(name: str) -> None:
	type_, made = HOSTILE[name]
	config = made()
	began = time.process_time()  # whatever else the machine does
	check(type_, config)
	assert time.process_time() - began < 10


def test_what_is_broken_stands_first() -> None:
	found = check("Question", {"question": "?", "choices": ["a", "a"], "answer": "c", "x": 1})
	assert [one.severity for one in found] == ["broken", "warning", "warning"]
