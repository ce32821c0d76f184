"""A file of one's own computer, uploaded into a text in the Desk: by the editor's session, to the site's files and on to learners."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import frappe
import pytest
from PIL import Image
from playwright.sync_api import Locator, Route, expect

from memora.tests.helpers.files import pdf
from tests.e2e.desk.driver import Desk, save
from tests.e2e.desk.rich_text import Editor, opened
from tests.e2e.desk.school import School
from tests.e2e.desk.stage_forms import add_stage, open_stage
from tests.e2e.desk.test_stage_forms import lesson_of, stored

PLACE = "51 deg 30' N"

_OPTIONS = """{ upload: async (file) => {
	const { upload } = await import("/assets/memora/js/stages/upload.js");
	window.parts = [];
	return upload(file, { doctype: "Memora Lesson", name: window.lesson, on_progress: (part) => window.parts.push(part) });
} }"""


@pytest.fixture(scope="module")
def editor(desk: Desk, schools: dict[str, School]) -> Iterator[Editor]:
	here = schools["en"]
	with opened(desk, here.editor) as editor:
		editor.page.evaluate("name => { window.lesson = name }", here.docs["finding x"].name)
		yield editor
	frappe.db.rollback()
	for file in frappe.get_all("File", {"attached_to_name": here.docs["finding x"].name}, pluck="name"):
		frappe.delete_doc("File", file, ignore_permissions=True)
	frappe.db.commit()


def photo() -> bytes:
	"""As a phone writes it, on its side: red above, blue below."""
	image = Image.new("RGB", (2400, 1200), (20, 20, 230))
	image.paste((230, 20, 20), (0, 0, 2400, 600))
	notes = Image.Exif()
	notes[0x0112], notes[0x010E] = 6, PLACE
	found = io.BytesIO()
	image.save(found, format="JPEG", exif=notes)
	return found.getvalue()


def test_a_photo_is_chosen_described_and_shown(editor: Editor, desk: Desk) -> None:
	editor.mount("<p>a</p>", _OPTIONS)
	editor.write("")
	editor.button("Picture").click()
	dialog = editor.dialog(alt="A beach")
	dialog.locator("input[type=file]").set_input_files(
		{"name": "strand ☀.jpg", "mimeType": "image/jpeg", "buffer": photo()}
	)
	dialog.locator(".btn-modal-primary").click()
	picture = editor.text.locator("img.memora-rt-image")
	expect(picture).to_have_attribute("alt", "A beach")
	address = picture.get_attribute("data-src") or ""
	assert address.startswith("/files/strand-")
	size = picture.evaluate(
		"async (img) => { await img.decode(); return [img.naturalWidth, img.naturalHeight] }"
	)
	assert size[0] < size[1] <= 1920
	kept = editor.page.request.get(f"{desk.address}{address}").body()
	assert PLACE.encode() not in kept
	assert editor.page.evaluate("window.parts.at(-1)") == 1
	assert f'<img src="{address}" alt="A beach">' in editor.html


def test_why_a_file_is_refused_is_said(editor: Editor) -> None:
	editor.mount("<p>a</p>", _OPTIONS)
	said = editor.page.evaluate(
		"""() => {
			const clipboardData = new DataTransfer();
			const drawing = '<svg xmlns="http://www.w3.org/2000/svg"><script>ran()</scr' + 'ipt></svg>';
			clipboardData.items.add(new File([drawing], "<img src=x onerror=ran()>.svg", { type: "image/svg+xml" }));
			document.querySelector("#place .ProseMirror").dispatchEvent(
				new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
			return editor.ready().then(() => "ready", () => "refused");
		}"""
	)
	assert said == "refused"  # whoever waits for it does not save without it unawares
	alert = editor.page.locator("#alert-container")
	expect(alert).to_contain_text("is an SVG with more than shapes and text in it")
	expect(alert).to_contain_text("﹤img src=x onerror=ran()﹥.svg")
	assert editor.html == "<p>a</p>"
	assert editor.page.evaluate("window.hasRun") is None


def test_a_document_that_is_gone_and_a_stop_are_said(editor: Editor) -> None:
	said = editor.page.evaluate(
		"""async () => {
			const { upload } = await import("/assets/memora/js/stages/upload.js");
			const file = new File(["%PDF-1.7 x"], "a.pdf");
			const failed = (error) => [error.name, error.message];
			const stop = new AbortController();
			const stopped = upload(file, { doctype: "Memora Lesson", name: window.lesson, signal: stop.signal })
				.catch(failed);
			stop.abort();
			return [
				await upload(file, { doctype: "Memora Lesson", name: "none" }).catch(failed),
				await stopped,
			];
		}"""
	)
	assert said[0] == ["UploadError", "There is no Memora Lesson none any more."]
	assert said[1][0] == "AbortError"


def test_a_worksheet_is_uploaded_into_a_link(editor: Editor) -> None:
	editor.mount("<p>a</p>", _OPTIONS)
	editor.write(" ")
	editor.button("Link").click()
	dialog = editor.dialog(text="Worksheet")
	dialog.locator("input[type=file]").set_input_files(
		{"name": "sheet.pdf", "mimeType": "application/pdf", "buffer": pdf("sheet")}
	)
	dialog.locator(".btn-modal-primary").click()
	dialog.wait_for(state="hidden")
	link = editor.text.locator("a")
	expect(link).to_have_text("Worksheet")
	address = link.get_attribute("href") or ""
	assert address.startswith("/files/sheet-")
	assert f'<a href="{address}">Worksheet</a>' in editor.html


def test_a_films_picture_and_captions_come_from_the_form_to_learners(desk: Desk, here: School) -> None:
	captions = "WEBVTT\n\n00:00.000 --> 00:01.000\nمرحبًا\n".encode()
	with (
		lesson_of(here) as lesson,
		desk.login(here.editor, expected=("Failed to load resource",), width=1280, height=900) as page,
	):
		desk.form(page, lesson)
		stage = add_stage(page, here)
		stage.pick("Video", "Waves")
		stage.fill("video_url", "https://videos.example/waves.mp4")

		def choose(name: str, kind: str, content: bytes, within: Locator) -> None:
			with page.expect_file_chooser() as chooser:
				within.get_by_role("button", name=here.say("Upload")).click()
			chooser.value.set_files({"name": name, "mimeType": kind, "buffer": content})

		choose("cover.jpg", "image/jpeg", photo(), stage.add("poster"))
		expect(stage.field("poster").locator("input")).to_have_value(re.compile(r"^/files/\w+-\w+\.jpg$"))
		stage.add("captions")
		row = stage.rows("captions").first
		choose("arabic.vtt", "text/vtt", captions, row)
		expect(stage.part(row, "src")).to_have_value(re.compile(r"^/files/arabic-\w+\.vtt$"))
		stage.part(row, "lang").fill("ar")
		stage.part(row, "label").fill("العربية")
		stage.done()
		save(page)
		config = json.loads(stored(lesson)[0].config)
		assert config["captions"][0]["src"].startswith("/files/arabic-")
		assert page.request.get(f"{desk.address}{config['captions'][0]['src']}").body() == captions
		attached = frappe.get_all("File", {"attached_to_name": lesson.name}, pluck="file_url")
		assert sorted(attached) == sorted([config["poster"], config["captions"][0]["src"]])
		desk.edit(lesson, is_published=1)
		desk.publish()
		published = json.loads(desk.read(f"lessons/{lesson.name}.json"))["stages"][0]["config"]
		assert published["poster"].startswith(f"lessons/{lesson.name}/")
		assert desk.read(published["captions"][0]["src"]) == captions.decode()


def test_a_file_that_does_not_come_is_said_before_the_stage_is_saved_without_it(
	desk: Desk, here: School
) -> None:
	film = {"type": "Video", "config": '{"video_url": "https://youtu.be/aqz-KE-bpKQ"}'}
	with (
		lesson_of(here, film) as lesson,
		desk.login(here.editor, expected=("Failed to load resource",)) as page,
	):
		desk.form(page, lesson)
		stage = open_stage(page, here)
		poster = stage.add("poster")
		waiting: list[Route] = []
		page.route("**/memora.api.stage_files.upload", lambda route: waiting.append(route))
		with page.expect_file_chooser() as chooser:
			poster.get_by_role("button", name=here.say("Upload")).click()
		with page.expect_request("**/memora.api.stage_files.upload"):
			chooser.value.set_files({"name": "cover.jpg", "mimeType": "image/jpeg", "buffer": photo()})
		button = stage.locator(".standard-actions .btn-primary")
		button.click()  # while the file is on its way
		waiting[0].fulfill(status=413)
		words = here.say("The file is too large for this server.")
		expect(poster.locator("[role=alert]")).to_have_text(words)
		expect(stage.locator(".memora-stage-status.is-bad")).to_contain_text(words)
		button.click()  # who has read it may save without the file
		expect(page.locator(".memora-stage-dialog")).to_have_count(0)


def test_a_text_can_be_dropped_where_a_file_can(desk: Desk, schools: dict[str, School]) -> None:
	here = schools["en"]
	film = {"type": "Video", "config": '{"video_url": "https://youtu.be/aqz-KE-bpKQ", "poster": ""}'}
	with lesson_of(here, film) as lesson, desk.login(here.editor) as page:
		desk.form(page, lesson)
		place = open_stage(page, here).field("poster").locator(".memora-stage-file")
		swallowed = place.evaluate(
			"""(place) => {
				const dropped = (add) => {
					const dataTransfer = new DataTransfer();
					add(dataTransfer);
					const event = new DragEvent("dragover", { dataTransfer, bubbles: true, cancelable: true });
					place.dispatchEvent(event);
					return event.defaultPrevented;
				};
				return [
					dropped((data) => data.setData("text/plain", "https://e.example/a.png")),
					dropped((data) => data.items.add(new File(["a"], "a.png"))),
				];
			}"""
		)
		assert swallowed == [False, True]
