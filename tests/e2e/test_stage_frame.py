"""The stage beside its form: the reader's page in a frame, which draws what the Desk gives it, and nothing from elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Frame, Page

from tests.e2e.conftest import Reader
from tests.e2e.server import ASSETS
from tests.e2e.test_reader import HOSTILE_HTML, PWNED
from tests.e2e.test_reader_content import ATTACKS, CHECK
from tests.example.configs import CONFIGS

HOST = f"""<!doctype html><title>A form</title><div id="place"></div>
<script type="module">
	import {{ StageFrame }} from "{ASSETS}js/stages/frame.js";
	window.StageFrame = StageFrame;
</script>"""
PAGE = f"{ASSETS}reader/stage.html"
SHOWN = "() => document.querySelector('.stage h2')?.textContent"


# Notes in a frame what is shown from now on, and which messages it has heard. The page listens for them before this does.
WATCH = """() => {
	window.seen = "";
	window.heard = [];
	new MutationObserver(() => { seen += document.body.textContent; })
		.observe(document, { subtree: true, childList: true, characterData: true });
	addEventListener("message", ({ data }) => heard.push(data.config?.text));
}"""


class Form:
	"""A page of the site with the frame in it, as the Desk's form has one."""

	def __init__(self, reader: Reader) -> None:
		self.reader = reader
		self.page: Page = reader.page
		self.count = 0

	def open(self, **options: str) -> Form:
		"""A form with a frame in English and light unless told otherwise."""
		asked = {"lang": "en", "theme": "light", "title": "Preview", **options}
		self.page.route("**/form.html", lambda route: route.fulfill(body=HOST, content_type="text/html"))
		self.page.goto(f"{self.reader.server.address}/form.html")
		self.reader.until("Boolean(window.StageFrame)")
		self.page.evaluate(
			"options => { window.stage_frame = new StageFrame(document.getElementById('place'), options) }",
			asked,
		)
		return self

	@property
	def frame(self) -> Frame:
		return next(frame for frame in self.page.frames if PAGE in frame.url)

	def show(self, type_: str, config: object) -> Frame:
		"""Show a stage, and wait until it is drawn."""
		self.count += 1
		stage = {"title": f"Stage {self.count}", "type": type_, "config": config}
		self.page.evaluate("stage => stage_frame.show(stage)", stage)
		self.reader.until("() => stage_frame.is_shown && !stage_frame.is_drawing")
		return self.frame


@pytest.fixture
def form(reader: Reader) -> Form:
	return Form(reader)


@pytest.mark.parametrize(("lang", "direction"), [("en", "ltr"), ("ar", "rtl")])
def test_a_stage_is_drawn_as_in_a_lesson_each_time_it_changes(form: Form, lang: str, direction: str) -> None:
	form.open(lang=lang)
	frame = form.show("Text", {"html": "<p>first <strong>draft</strong></p>"})
	assert frame.evaluate("document.documentElement.dir") == direction
	assert frame.inner_text(".prose strong") == "draft"
	assert frame.evaluate(SHOWN) == "Stage 1"
	frame = form.show("Question", {"question": "2 + 2", "choices": ["4", "5"], "answer": "4"})
	frame.check("text=4")
	frame.click("button[type=submit]")
	assert frame.locator(".verdict.right").count() == 1
	# The title alone leaves what was answered where it is.
	form.show("Question", {"question": "2 + 2", "choices": ["4", "5"], "answer": "4"})
	assert frame.locator(".verdict.right").count() == 1
	assert frame.evaluate(SHOWN) == "Stage 3"
	assert form.page.get_attribute("iframe", "title") == "Preview"


def test_the_frame_is_as_high_as_its_stage(form: Form) -> None:
	form.open()
	low = "() => document.querySelector('iframe').clientHeight < 250"
	form.show("Text", {"text": "one"})
	form.reader.until(low)
	form.show("Text", {"text": "one\n\n" * 40})
	form.reader.until("() => document.querySelector('iframe').clientHeight > 900")
	assert form.frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
	form.show("Text", {"text": "one"})
	form.reader.until(low)


def test_of_many_changes_at_once_the_last_is_drawn(form: Form) -> None:
	form.open()
	drawn = form.page.evaluate(
		"""async () => {
			let drawn = 0;
			addEventListener("message", ({ data }) => { drawn += data.memora === "shown"; });
			for (let n = 1; n <= 500; n++) stage_frame.show({ title: `${n}`, type: "Text", config: { text: `${n}` } });
			while (!stage_frame.is_shown || stage_frame.is_drawing) await new Promise((done) => setTimeout(done, 5));
			return drawn;
		}"""
	)
	assert form.frame.evaluate(SHOWN) == "500"
	assert drawn <= 3


def test_a_frame_that_is_loaded_again_shows_its_stage_again(form: Form) -> None:
	form.open()
	form.show("Text", {"text": "kept"})
	form.page.evaluate("stage_frame.frame.contentWindow.location.reload()")
	form.reader.until(
		"() => stage_frame.frame.contentDocument.querySelector('.prose')?.textContent === 'kept'"
	)


def test_a_large_stage_is_drawn_when_asked_for(form: Form) -> None:
	form.open()
	choices = [f"choice {place}" for place in range(10_000)]
	frame = form.show("Question", {"question": "Which?", "choices": choices, "answer": choices[7]})
	assert "not drawn while you type" in frame.inner_text(".note")
	assert not frame.locator(".choice").count()
	frame.click("text=Show it now")
	frame.wait_for_selector(".choice >> nth=9999")
	frame = form.show("Text", {"html": "<p>long</p>" * 900_000})
	assert not frame.locator(".prose").count()
	assert form.show("Text", {"html": "<p>short</p>"}).inner_text(".prose") == "short"


def test_the_sites_own_files_are_shown_by_the_address_that_editors_see(form: Form) -> None:
	form.reader.server.trees = {**form.reader.server.trees, "map.png": {"": b"x"}}
	form.reader.expected += ["404", "Content Security Policy"]
	form.open()
	own = form.reader.server.address
	frame = form.show(
		"Text",
		{
			"html": "<img id=a alt=map src='/files/map.png'><a href='/files/a%20sheet.pdf#page=2'>sheet</a>"
			"<a href='/files/../api/method/logout'>out</a><a href='/files/%2e%2e/login'>up</a><a href='/private/files/x.pdf'>p</a>"
			"<a href='/login'>in</a><a href='/files\\..\\..\\api'>back</a>"
		},
	)
	assert frame.get_attribute(".prose img", "src") == f"{own}/files/map.png"
	links = frame.locator(".prose a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
	assert links == [f"{own}/files/a%20sheet.pdf#page=2", None, None, None, None, None]
	page = form.reader.show(("Text", {"html": "<img alt=map src='/files/map.png'>"}))
	assert "Not shown here: map" in page.inner_text(".prose")  # learners get the published file only


def test_a_link_within_the_text_stays_in_the_frame(form: Form) -> None:
	form.open()
	frame = form.show("Text", {"html": f"<a href='#a/b ç'>down</a>{'<p>x</p>' * 80}<p id='a/b ç'>here</p>"})
	frame.click("text=down")
	assert frame.evaluate("document.activeElement.textContent") == "here"
	assert frame.evaluate("location.hash") == ""


# who may give it a stage


def test_alone_the_page_says_what_it_is_for(reader: Reader) -> None:
	reader.page.goto(f"{reader.server.address}{PAGE}?lang=en")
	assert "Open it from a lesson's form" in reader.page.inner_text(".empty")
	reader.page.evaluate(
		"postMessage({ memora: 'stage', title: 'x', type: 'Text', config: { text: 'x' } }, '*')"
	)
	reader.page.evaluate("new Promise((done) => setTimeout(done))")
	assert not reader.page.locator(".stage").count()


def test_another_origin_can_give_it_nothing_and_hears_nothing(reader: Reader) -> None:
	page = reader.page
	stage = "{ memora: 'stage', title: 'x', type: 'Text', config: { text: 'theirs' } }"
	body = f"""<iframe src="{reader.server.address}{PAGE}?lang=en"></iframe><script>
		window.heard = [];
		addEventListener("message", ({{ data }}) => heard.push(data));
		const frame = document.querySelector("iframe");
		window.give = () => frame.contentWindow.postMessage({stage}, "*");
	</script>"""
	reader.server.trees = {**reader.server.trees, "evil": {"form.html": body.encode()}}
	# Another origin, though it is this machine, too.
	elsewhere = f"{reader.server.address.replace('127.0.0.1', 'localhost')}/files/evil/form.html"
	page.route(elsewhere, lambda route: route.continue_())
	page.goto(elsewhere)
	reader.expected.append("target origin")
	frame = next(frame for frame in page.frames if PAGE in frame.url)
	frame.wait_for_load_state("load")  # its modules have run, so it listens
	frame.evaluate(WATCH)
	page.evaluate("give()")
	frame.wait_for_function("heard.length === 1")
	frame.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
	assert not frame.locator(".stage").count()
	assert "theirs" not in frame.evaluate("seen")
	assert page.evaluate("heard") == []


def test_another_frame_of_the_same_origin_can_give_it_nothing(form: Form) -> None:
	form.open()
	form.show("Text", {"text": "ours"}).evaluate(WATCH)
	form.page.evaluate(
		"""() => {
			const other = document.body.appendChild(document.createElement("iframe"));
			const script = other.contentDocument.createElement("script");
			script.textContent = `parent.stage_frame.frame.contentWindow.postMessage(
				{ memora: "stage", title: "x", type: "Text", config: { text: "theirs" } }, parent.location.origin)`;
			other.contentDocument.body.append(script);
		}"""
	)
	form.frame.wait_for_function("heard.includes('theirs')")
	form.show("Text", {"text": "ours again"})  # drawn after all that came before
	assert form.frame.inner_text(".prose") == "ours again"
	assert "theirs" not in form.frame.evaluate("seen")


def test_its_policy_is_the_readers(form: Form) -> None:
	policy = "document.querySelector('meta[http-equiv=\"Content-Security-Policy\"]').content"
	framed = form.open().show("Text", {"text": "x"}).evaluate(policy)
	assert framed == form.reader.open().evaluate(policy)


# whatever is typed into whichever field

FULL: dict[str, dict[str, Any]] = {
	"Video": {
		"video_url": "https://videos.example/a.mp4",
		"title": "t",
		"poster": "https://videos.example/a.png",
		"captions": [{"src": "https://videos.example/a.vtt", "lang": "ar", "label": "l"}],
		"start": 1,
		"end": 2,
		"more": "x",
	},
	"Text": {"html": "<p>x</p>", "text": "x", "dir": "rtl", "solutions": ["x"], "markdown": "x", "more": "x"},
	"Question": {
		**CONFIGS["Question"][0],
		"instructions": "<p>i</p>",
		"tests": [{"text": "x", "code": "y"}],
	},
	"Question, typed": {**CONFIGS["Question"][4], "hint": "h", "explanation": "e", "answer": ["9.81", "9.8"]},
	"Interactive": {
		"instructions": "<p>i</p>",
		"files": [{"name": "n", "content": "c", "language": "python", "before": "b", "after": "a"}],
		"starter": "s",
		"language": "python",
		"tests": [{"text": "x", "code": "y"}],
		"libraries": ["l"],
		"more": "x",
	},
	"Hologram": {"beam": "x"},
}
PAYLOADS: list[Any] = [
	HOSTILE_HTML,
	"".join(ATTACKS[:20]),
	"".join(ATTACKS[20:]),
	f'"><img src=x onerror=window.pwned=1>{PWNED}',
	"javascript:window.pwned=1",
	"\\(\\href{javascript:window.pwned=1}{x}\\) \\[\\htmlStyle{position:fixed}{x}\\]",
	{"toString": 1, "html": HOSTILE_HTML},
	[PWNED, [HOSTILE_HTML]],
	None,
]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
	"""Where each field is, lists and their parts too."""
	if path:
		yield path
	parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
	for key, part in parts:
		yield from paths(part, (*path, key))


def spoilt(config: dict[str, Any], path: tuple[Any, ...], payload: Any) -> dict[str, Any]:
	"""A config with something else in one of its fields."""
	changed = copy.deepcopy(config)
	place: Any = changed
	for key in path[:-1]:
		place = place[key]
	place[path[-1]] = payload
	return changed


@pytest.mark.parametrize("kind", FULL)
def test_nothing_typed_into_any_field_runs(form: Form, kind: str) -> None:
	form.reader.expected += ["404", "Content Security Policy", "ERR_", "sandbox", "MEDIA", "No supported"]
	form.open()
	for path in paths(FULL[kind]):
		for payload in PAYLOADS:
			frame = form.show(kind.partition(",")[0], spoilt(FULL[kind], path, payload))
			assert frame.locator(".stage").count() == 1, (path, payload)
			frame.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
			assert frame.evaluate(CHECK) == [], (path, payload)
			assert "[object" not in frame.inner_text("main"), (path, payload)
	form.page.wait_for_load_state("networkidle")  # what would run when a picture fails has done so
	assert form.frame.evaluate("window.pwned") is None
	assert form.page.evaluate("window.pwned") is None
	assert form.page.url.endswith("/form.html")
	assert not [url for url in form.reader.outside if "evil" in url]


def test_formulas_and_code_are_shown_as_in_a_lesson_and_the_frame_grows_with_them(form: Form) -> None:
	form.open(lang="ar", theme="dark")
	tall = r"\begin{pmatrix}" + r"1 \\ " * 20 + r"\end{pmatrix}"
	frame = form.show(
		"Text",
		{
			"html": rf'<p>\[{tall}\] and \(\vec{{v}}\)</p><pre><code class="language-python">def f(): 1</code></pre>'
		},
	)
	frame.wait_for_selector(".code-keyword")
	frame.wait_for_selector(".formula >> nth=1 >> svg >> visible=true")
	assert frame.locator(".formula .katex-html").count() == 2
	form.reader.until("() => document.querySelector('iframe').clientHeight > 500")
	assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
	frame = form.show("Question", {"question": r"\(x\)", "choices": [r"\(\frac{\)", "2"], "answer": "2"})
	frame.wait_for_selector("legend .katex-html")
	assert frame.inner_text(".choice .is-broken") == r"\(\frac{\)⚠"
