"""Whatever is typed into the form of a stage, the contract's schema accepts; and each of its keys has a field."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from memora.services.cdn_export.rules import contracts, stage_check
from tests.e2e.desk.driver import Desk
from tests.e2e.desk.school import School

_FILL = """([type, texts, ticks]) => {
	const element = document.createElement("div");
	document.body.append(element);
	const editor = new memora.stages.Editor({ stage: { name: "", title: "T", type, config: null } });
	element.append(editor.element);
	let next = 0;
	const word = () => texts[next++ % texts.length];
	const choice = (list) => list[ticks[next++ % ticks.length] % list.length];
	for (const chip of [...element.querySelectorAll("[data-add]")]) if (choice([true, true, false])) chip.click();
	const kinds = [...element.querySelectorAll(".memora-stage-answer > .memora-stage-switch button")];
	if (kinds.length) choice(kinds).click();
	for (const add of [...element.querySelectorAll(".memora-stage-add")]) add.click();
	for (const input of element.querySelectorAll(".memora-stage-fields :is(input[type=text], textarea)")) {
		input.value = input.inputMode === "decimal" ? choice(["1", "٢٫٥", "3,5", "12"]) : word();
		if (input.closest("[data-part=lang]")) input.value = choice(["ar", "en-GB"]);
		if (input.closest("[data-field=video_url]")) input.value = "https://videos.example/a.mp4";
		input.dispatchEvent(new Event("input", { bubbles: true }));
	}
	const marks = [...element.querySelectorAll(".memora-stage-right")];
	if (marks.length) choice(marks).click();
	for (const [key, { input }] of editor.form.fields) {
		if (editor.form.fields.get(key).spec.kind !== "rich") continue;
		input.on_change(`<p>${frappe.utils.escape_html(word())}</p>`);
	}
	const { config } = editor.value();
	editor.destroy();
	element.remove();
	return config;
}"""
_TYPED = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and not _has_half(text))


def _has_half(text: str) -> bool:
	return any("\ud800" <= letter <= "\udfff" for letter in text)


@pytest.fixture(scope="module")
def bare(desk: Desk, schools: dict[str, School]) -> Iterator[Page]:
	with desk.login(schools["en"].editor) as page:
		desk.open(page, "memora-lesson")
		page.locator(".page-title:visible, .result:visible").first.wait_for()
		page.evaluate("() => new Promise((done) => frappe.require('memora_stages.bundle.js', done))")
		yield page


def test_each_key_of_the_contract_has_a_field(bare: Page) -> None:
	for type_, name in contracts.STAGES.items():
		assert sorted(bare.evaluate("memora.stages.keys_of", type_)) == sorted(
			contracts.schema(name)["properties"]
		)


@pytest.mark.parametrize("type_", contracts.STAGE_TYPES)
def test_what_the_form_makes_the_schema_accepts(bare: Page, type_: str) -> None:
	@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
	@given(
		texts=st.lists(
			_TYPED, min_size=8, max_size=8, unique_by=lambda text: " ".join(text.casefold().split())
		),
		ticks=st.lists(st.integers(0, 9), min_size=6, max_size=6),
	)
	def made(texts: list[str], ticks: list[int]) -> None:
		config = bare.evaluate(_FILL, [type_, texts, ticks])
		found = [
			finding for finding in stage_check.check_text(type_, config) if finding.path not in (("end",),)
		]
		assert found == [], (config, [str(finding) for finding in found])

	made()
