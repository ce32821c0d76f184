"""What the reader makes of what editors typed: texts, films, questions, titles to search, links; and of what means harm."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.e2e.conftest import Reader
from tests.e2e.test_reader import search
from tests.example import curriculum
from tests.example.configs import CONFIGS

FILM = "aqz-KE-bpKQ"
SHA = "0123456789abcdef" * 4
PLACE = "#/grade-7/mathematics/angles/angles-1"


def text(html: str) -> tuple[str, dict[str, object]]:
	return "Text", {"html": html}


# texts are shown as written


HARMLESS = [
	(
		"<table><caption>c</caption><colgroup><col span='2'></colgroup><thead><tr><th colspan='2' scope='col' abbr='a'>h"
		"</th></tr></thead><tbody><tr><td rowspan='2' align='right' valign='top'>a</td><td>b</td></tr><tr><td>c</td></tr>"
		"</tbody><tfoot><tr><td colspan=2>f</td></tr></tfoot></table>",
		[
			"caption",
			"col[span='2']",
			"thead th[colspan='2'][scope='col'][abbr='a']",
			"td[rowspan='2'][align='right'][valign='top']",
			"tfoot td[colspan='2']",
		],
	),
	(
		"<ol start='5' reversed type='a'><li value='9'>n</li></ol>",
		["ol[start='5'][reversed][type='a'] li[value='9']"],
	),
	("<p lang='ar' dir='rtl'>نص</p>", ["p[lang='ar'][dir='rtl']"]),
	(
		"<div dir='rtl' lang='he'><p>שלום</p></div><bdo dir='rtl'>abc</bdo>",
		["div[dir='rtl'] p:not([dir])", "bdo[dir='rtl']"],
	),
	(
		"<figure><img src='https://x.example/a.png' width='200' height='50' alt='A'><figcaption>F</figcaption></figure>",
		["figure img[width='200'][height='50'][alt='A']", "figcaption"],
	),
	("<details open><summary>s</summary>d</details>", ["details[open] summary"]),
	("H<sub>2</sub>O x<sup>2</sup> <abbr title='T'>t</abbr>", ["sub", "sup", "abbr[title='T']"]),
	(
		"<ruby lang='ja'><rb>漢</rb><rp>(</rp><rt>kan</rt><rp>)</rp></ruby>",
		["ruby[lang='ja'] rb", "ruby rt", "ruby rp"],
	),
	(
		"<dl><dt>a</dt><dd>b</dd></dl><hr><blockquote cite='https://x.example/'>q</blockquote>",
		["dl dt", "dl dd", "hr"],
	),
	(
		"<time datetime='2026-01-01'>t</time><code>c</code><kbd>k</kbd><samp>s</samp><var>v</var><mark>m</mark><small>s</small>"
		"<del datetime='2026-01-01'>d</del><ins>i</ins><u>u</u><s>s</s><q>q</q><cite>c</cite><dfn>d</dfn><wbr>"
		"<meter min='0' max='9' value='5'>5</meter><progress max='9' value='5'></progress><data value='5'>five</data>",
		[
			"time[datetime='2026-01-01']",
			"meter[min='0'][max='9'][value='5']",
			"progress[max='9'][value='5']",
			"data[value='5']",
			*"code kbd samp var mark small del ins u s q cite dfn wbr".split(),
		],
	),
	(
		"<a href='https://x.example/' title='T' hreflang='de'>x</a>",
		["a[href='https://x.example/'][title='T'][hreflang='de']"],
	),
	("<p>text</p><aside>note</aside><section><h3>h</h3></section>", ["aside", "section h3"]),
	(
		"<table><tr><th id='a'>A</th><th id='b'>B</th></tr><tr><td headers='a b'>1</td></tr></table>",
		["th[id$=':a']", "td[headers*=':a stage-'][headers$=':b']"],
	),
	(
		"<math xmlns='http://www.w3.org/1998/Math/MathML' display='block'><semantics><mrow><mo stretchy='false'>(</mo>"
		"<mfrac linethickness='2px'><msup><mi mathvariant='bold'>x</mi><mn>2</mn></msup><msqrt><mi>y</mi></msqrt></mfrac>"
		"<mo stretchy='false'>)</mo><mtable columnalign='left right' rowspacing='1em'><mtr><mtd columnspan='2'><mtext>nested"
		"</mtext></mtd></mtr></mtable><munderover><mo movablelimits='false'>∑</mo><mi>i</mi><mi>n</mi></munderover>"
		"<mmultiscripts><mi>C</mi><mn>6</mn><none></none><mprescripts></mprescripts><none></none><mn>14</mn>"
		"</mmultiscripts></mrow><annotation encoding='application/x-tex'>x^2</annotation></semantics></math>",
		[
			"math[display='block'] semantics mo[stretchy='false']",
			"mfrac[linethickness='2px'] msup mi[mathvariant='bold']",
			"mtable[columnalign='left right'][rowspacing='1em'] mtd[columnspan='2'] mtext",
			"munderover mo[movablelimits='false']",
			"mmultiscripts mprescripts",
			"annotation[encoding='application/x-tex']",
		],
	),
	(
		f"<img src='lessons/angles-1/{SHA}.png' alt='own'><video src='lessons/angles-1/{SHA}.mp4' "
		f"poster='media/{SHA}.png'><track kind='captions' src='lessons/angles-1/{SHA}.vtt' srclang='ar' label='L'></video>"
		f"<audio><source src='plans/p/lessons/l/{SHA}.mp3' type='audio/mpeg'></audio>"
		f"<picture><source srcset='media/{SHA}.webp 1x, media/{SHA}.avif 2x'><img src='media/{SHA}.png' alt=''></picture>",
		[
			f"img[src$='/files/example/lessons/angles-1/{SHA}.png']",
			f"video[controls][src$='/files/example/lessons/angles-1/{SHA}.mp4'][poster$='/files/example/media/{SHA}.png']",
			f"track[kind='captions'][src$='/files/example/lessons/angles-1/{SHA}.vtt'][srclang='ar'][label='L']",
			f"audio[controls] source[src$='/files/example/plans/p/lessons/l/{SHA}.mp3'][type='audio/mpeg']",
			f"source[srcset*='/files/example/media/{SHA}.webp 1x, '][srcset$='/files/example/media/{SHA}.avif 2x']",
		],
	),
	(
		"<img src='data:image/png;base64,iVBORw0KGgo=' alt='pasted'>",
		["img[src^='data:image/png;base64,']"],
	),
]


def test_harmless_markup_is_shown_as_written(reader: Reader) -> None:
	reader.expected += ["404", "ERR"]  # of files that are not there
	page = reader.show(*(text(html) for html, _ in HARMLESS))
	for stage, (html, selectors) in enumerate(HARMLESS, 1):
		for selector in selectors:
			shown = page.locator(f"#stage-{stage} .prose {selector}")
			assert shown.count(), (selector, html, page.inner_html(f"#stage-{stage} .prose"))
	assert not page.locator("[data-left-out]").count()


def test_a_list_counts_as_its_editor_wrote(reader: Reader) -> None:
	page = reader.show(text("<ol type='A' id='x'><li>a</li></ol><ul><li>b</li></ul><p align='center'>c</p>"))
	style = "selector => getComputedStyle(document.querySelector(selector)).listStyleType"
	assert page.evaluate(style, ".prose ol") == "upper-alpha"
	assert page.evaluate(style, ".prose ul") == "disc"


LEFT_OUT = [
	("<iframe src='https://sim.example/a' title='A pendulum'></iframe>", ["A pendulum", "sim.example"]),
	("<iframe src='/files/a.html'>frame</iframe>", ["frame"]),
	("<object data='https://x.example/a.pdf'>A paper</object>", ["A paper", "x.example"]),
	("<embed src='https://x.example/a.swf'>", ["embed", "x.example"]),
	("<svg><text>A drawing</text></svg>", ["A drawing"]),
	("<canvas></canvas>", ["canvas"]),
	("<script type='math/tex'>x^2</script>", ["x^2"]),
	("<x-chart></x-chart>", ["x-chart"]),
	("<input value='typed'>", ["typed"]),
	("<img src='/files/private.png' alt='A map'>", ["A map"]),
	("<img src='cid:1'>", ["img"]),
	("<video src='blob:x' title='A film'></video>", ["A film"]),
	("<audio><source src='file:///a.mp3'>A song</audio>", ["A song"]),
	("<a href='/files/sheet.pdf'>The sheet</a>", ["The sheet", "leads nowhere"]),
	("<a href='javascript:alert(1)'>click</a>", ["click", "leads nowhere"]),
	("<a href='#gone'>below</a>", ["below", "leads nowhere"]),
	("<a href='notes.html'>notes</a>", ["notes", "leads nowhere"]),
	("<math><mtext><style>x</style></mtext></math>", ["math"]),
]


def test_what_cannot_be_shown_leaves_a_word_in_its_place(reader: Reader) -> None:
	reader.expected.append("Content Security Policy")  # of markup that DOMPurify has only parsed
	page = reader.show(*(text(f"<p>before</p>{html}<p>after</p>") for html, _ in LEFT_OUT))
	for stage, (html, left) in enumerate(LEFT_OUT, 1):
		said = page.inner_text(f"#stage-{stage} .prose")
		assert page.locator(f"#stage-{stage} [data-left-out]").is_visible(), html
		assert said.index("before") < said.index(left[0]) < said.index("after")
		assert all(word in said for word in left), said
	assert reader.outside == []


def test_no_text_is_lost_whatever_is_taken_away(reader: Reader) -> None:
	reader.expected.append("Content Security Policy")
	odd = [
		"<p is='x-y'>mine</p>",
		"<math><mark>mine</mark></math>",
		"<math><a href='#'><mi>mine</mi></a></math>",
		"<form><input name='attributes'>mine</form>",
		"<select><option>mine</option></select>",
		"<dialog><p>mine</p></dialog>",
		"<main><p>mine</p></main>",
		"<noscript><p>seen by none</p></noscript>mine",
		"<svg><foreignObject><p>mine</p></foreignObject></svg>",
		"<marquee>mine</marquee><blink>mine</blink>",
		"<table><p>mine</p><tr><svg><text>mine</text></svg></tr></table>",
		"<ul><li><iframe>mine</iframe></li></ul>",
		"<frameset><frame src='x'></frameset>mine",
		"<x-card><h3>mine</h3></x-card>",
		"<math><annotation-xml encoding='text/html'><p>unseen</p></annotation-xml><mi>mine</mi></math>",
		"mine",
		"<![CDATA[mine]]>mine",
		"<math><ms>mine</ms></math><math><mtext><svg><text>mine</text></svg></mtext></math>",
	]
	page = reader.show(*map(text, odd))
	said = reader.texts(".prose")
	assert [html for html, words in zip(odd, said, strict=True) if "mine" not in words] == []
	assert "unseen" not in page.inner_text("main")


def test_literal_text_stays_text(reader: Reader) -> None:
	page = reader.show(text("<xmp><b>x</b></xmp>"), text("<textarea><b>x</b></textarea>"))
	assert reader.texts(".prose pre") == ["<b>x</b>"] * 2
	assert not page.locator(".prose b").count()


def test_text_that_is_only_text_is_shown_with_its_lines(reader: Reader) -> None:
	page = reader.show(
		("Text", {"text": "one\ntwo\n\nthree"}),
		("Text", {"markdown": "# Head\n\n- item"}),
		("Text", {"text": 5}),
	)
	assert [said.split("\n") for said in reader.texts("#stage-1 p")] == [["one", "two"], ["three"]]
	assert reader.texts("#stage-2 .prose p") == ["# Head", "- item"]
	assert "Markdown" in page.inner_text("#stage-2 .note")
	assert page.inner_text("#stage-3 dd") == "5"


# links in texts


def test_links_lead_where_they_say(reader: Reader) -> None:
	links = {
		"mailto:a@school.example": "mailto:a@school.example",
		"tel:+20123": "tel:+20123",
		"https://x.example/a": "https://x.example/a",
		"//x.example/a": "https://x.example/a",
		"www.x.example": "https://www.x.example/",
		"x.example/a": "https://x.example/a",
		f"lessons/angles-1/{SHA}.pdf#page=2": f"{reader.server.address}/files/example/lessons/angles-1/{SHA}.pdf#page=2",
		"#/grade-7/physics": f"{reader.server.address}/assets/memora/reader/index.html?base=/files/example/&lang=en&theme=light#/grade-7/physics",
	}
	page = reader.show(text("".join(f"<a href='{link}'>x</a>" for link in links)))
	assert page.locator(".prose a").evaluate_all("links => links.map((link) => link.href)") == list(
		links.values()
	)
	assert page.locator(".prose a[target='_blank']").count() == 5
	assert page.locator(".prose a[target='_blank'][rel~='noopener']").count() == 5


def test_a_link_into_its_own_text_goes_there_and_the_page_stays(reader: Reader) -> None:
	far = "<p>x</p>" * 60
	html = (
		f"<a href='#note'>n</a><a href='#ملاحظة'>ع</a><a href='#%D9%85%D9%84%D8%A7%D8%AD%D8%B8%D8%A9'>ع</a><a href='#links'>l</a>"
		f"{far}<p id='note'>N</p>{far}<h3 id='ملاحظة'>A</h3>{far}<a name='links'>L</a><p id='main'>M</p>"
	)
	page = reader.show(text(html), text("<p id='note'>another</p><a href='#note'>o</a>"))
	page.evaluate("window.kept = document.querySelector('.prose')")
	for link, place in [(0, "N"), (1, "A"), (2, "A"), (3, "L"), (0, "N"), (0, "N")]:
		page.evaluate("scrollTo(0, 0)")
		page.click(f"#stage-1 a >> nth={link}")
		reader.until("place => document.activeElement.textContent === place", place)
		reader.until("document.activeElement.getBoundingClientRect().top < innerHeight && scrollY > 0")
	page.click("#stage-2 a")
	reader.until("document.activeElement.textContent === 'another'")
	assert page.evaluate("window.kept.isConnected")
	assert page.locator("#main").count() == 1  # the reader's own
	page.reload()
	reader.settle()
	assert page.evaluate("document.activeElement.textContent") == "another"


# films


@pytest.mark.parametrize("scheme", ["https://", "http://", "//", ""])
def test_links_to_films_as_editors_copy_them(reader: Reader, scheme: str) -> None:
	film, lists = f"embed/{FILM}?autoplay=1", "PL0123456789abcdef"
	links = {
		f"youtu.be/{FILM}": film,
		f"youtu.be/{FILM}?t=95": f"{film}&start=95",
		f"youtu.be/{FILM}?si=x&t=95": f"{film}&start=95",
		f"www.youtube.com/watch?v={FILM}&t=1m20s": f"{film}&start=80",
		f"www.youtube.com/watch?t=1h2m3s&v={FILM}&feature=youtu.be": f"{film}&start=3723",
		f"www.youtube.com/watch?v={FILM}&t=95s": f"{film}&start=95",
		f"www.youtube.com/watch?v={FILM}#t=1m": f"{film}&start=60",
		f"www.youtube.com/watch?v={FILM}&amp;t=95": f"{film}&start=95",
		f"m.youtube.com/watch?v={FILM}": film,
		f"music.youtube.com/watch?v={FILM}": film,
		f"YouTube.com/watch?v={FILM}": film,
		f"www.youtube.com/live/{FILM}?feature=share": film,
		f"youtube.com/shorts/{FILM}": film,
		f"www.youtube.com/embed/{FILM}?start=30": f"{film}&start=30",
		f"www.youtube-nocookie.com/embed/{FILM}": film,
		f"www.youtube.com/v/{FILM}": film,
		f"www.youtubekids.com/watch?v={FILM}": film,
		f"youtu.be/{FILM}&t=95": f"{film}&start=95",
		f"www.youtube.com/watch?v={FILM}?t=1:35": f"{film}&start=95",
		f"www.youtube.com/watch?v={FILM}&list={lists}&index=2": f"{film}&list={lists}",
		f"www.youtube.com/playlist?list={lists}": f"embed/videoseries?autoplay=1&list={lists}",
		f"www.youtube.com/embed/videoseries?list={lists}": f"embed/videoseries?autoplay=1&list={lists}",
		"vimeo.com/76979871": "76979871?dnt=1&autoplay=1",
		"vimeo.com/76979871?ts=80500&share=copy": "76979871?dnt=1&autoplay=1#t=80s",
		"vimeo.com/76979871#t=1m20s": "76979871?dnt=1&autoplay=1#t=80s",
		"vimeo.com/76979871/8272103f6e?share=copy#t=5": "76979871?dnt=1&autoplay=1&h=8272103f6e#t=5s",
		"player.vimeo.com/video/76979871?h=8272103f6e": "76979871?dnt=1&autoplay=1&h=8272103f6e",
	}
	page = reader.show(*[("Video", {"video_url": f" {scheme}{link} "}) for link in links])
	asked = []
	for stage, wanted in enumerate(links.values(), 1):
		assert page.locator(f"#stage-{stage} .poster").count(), list(links)[stage - 1]
		page.click(f"#stage-{stage} .poster")
		frame = f"#stage-{stage} iframe"
		asked.append(page.get_attribute(frame, "src"))
		assert page.get_attribute(frame, "referrerpolicy") == "strict-origin-when-cross-origin"
		page.evaluate("frame => document.querySelector(frame).remove()", frame)
		service = "player.vimeo.com/video" if "dnt" in wanted else "www.youtube-nocookie.com"
		assert asked[-1] == f"https://{service}/{wanted}", list(links)[stage - 1]


def test_a_frame_of_a_film_in_a_text_or_a_link_is_played(reader: Reader) -> None:
	frame = f'<iframe width="560" src="https://www.youtube.com/embed/{FILM}?si=x&amp;start=9" allowfullscreen></iframe>'
	page = reader.show(text(f"<p>a</p>{frame}<p>b</p>"), ("Video", {"video_url": frame}))
	assert reader.outside == []
	for stage in ("#stage-1 .prose", "#stage-2"):
		with page.expect_request("**/embed/**") as asked:
			page.click(f"{stage} .poster")
		assert "start=9" in asked.value.url
		assert asked.value.all_headers()["referer"] == f"{reader.server.address}/"
		page.evaluate("frame => document.querySelector(frame).remove()", f"{stage} iframe")


def test_a_link_without_a_scheme_is_never_one_into_the_cdn(reader: Reader) -> None:
	links = {
		"example.org/lecture": "https://example.org/lecture",
		"www.example.org": "https://www.example.org/",
		"vimeo.com/showcase/7008490": "https://vimeo.com/showcase/7008490",
		"evilvimeo.com/76979871": "https://evilvimeo.com/76979871",
		"lecture": None,
		"film.mp4": None,
		"/files/film.mp4": None,
		"../film.mp4": None,
		"s3://bucket/film.mp4": None,
		"javascript:alert(1)//.mp4": None,
		"localhost:8000/film.mp4": None,
		"youtube/watch?v=aqz-KE-bpKQ": None,
		"https:film": "https://film/",
	}
	page = reader.show(*[("Video", {"video_url": link}) for link in links])
	reader.expected.append("404")
	for stage, (link, wanted) in enumerate(links.items(), 1):
		assert page.locator(f"#stage-{stage} video").count() == 0, link
		if wanted:
			assert page.get_attribute(f"#stage-{stage} a", "href") == wanted
		else:
			assert link in page.inner_text(f"#stage-{stage} .note")
	page = reader.show(("Video", {"video_url": "videos/intro.mp4"}))
	base = f"{reader.server.address}/files/example/"
	assert (
		page.get_attribute("video, .outside", "src") or page.get_attribute(".outside", "href")
	) == f"{base}videos/intro.mp4"


# questions

SAME = [
	("−3", "-3"),
	("-3", "–3"),
	("-3", "‒3"),
	("-3", "﹣3"),
	("-3", "− 3"),
	("don't", "don’t"),
	("don’t", "donʼt"),
	('"a"', "“a”"),
	("3.5", "3,5"),
	("3,5", "3.5"),
	("٣٫٥", "3.5"),
	("3.5", "٣٫٥"),
	("1234", "١٬٢٣٤"),
	("0.125", "0,125"),
	("1,234.5", "1.234,5"),
	("12", "۱۲"),
	("12", "१२"),
	("5", "\u200f5"),
	("5", "\u061c5\u200e"),
	("5", "\u20675\u2069"),
	("5", "\ufeff5\u200b"),
	("New York", " new\u00a0  york "),
	("ABC1", "ａｂｃ１"),
	("H₂O", "h2o"),
	("x²", "x^2"),
	("½", "1/2"),
	("café", "CAFE"),
	("مُحَمَّد", "محمد"),
	("مُحَمَّد", "محمّد"),
	("أحمد", "احمد"),
	("مدرسة", "مدرسه"),
	("कि", "कि"),
	("القـــاهرة", "القاهرة"),
	("Cairo", "Cairo."),
	("القاهرة", "القاهرة."),
	("x=5", "x = 5"),
	("x = 5", "x=5"),
	("f(x)", "f (x)"),
	("a,b", "a, b"),
	("3×4", "3*4"),
	("3*4", "3 · 4"),
	("x <= 3", "x≤3"),
	("٢٠٪", "20 %"),
	("كم?", "كم؟"),
]
OTHER = [
	("10²", "102"),
	("3.5", "35"),
	("-3", "3"),
	("की", "का"),
	("1,234", "1.234"),
	("1.234", "1,234"),
	("mà", "má"),
	("ano", "año"),
	("كَتَبَ", "كُتِبَ"),
	("й", "и"),
	("が", "か"),
	("กา", "กี"),
	("(3,5)", "(3.5)"),
	("x-1", "x1"),
	("12", "21"),
	("C++", "C"),
	("56", "5 6"),
	("3!", "3"),
	("...", "."),
	("well-known", "wellknown"),
]


def test_a_typed_answer_is_right_by_its_meaning(reader: Reader) -> None:
	cases = [*SAME, *OTHER]
	page = reader.show(*[("Question", {"question": "q", "answer": answer}) for answer, _ in cases])
	said = []
	for stage, (_, typed) in enumerate(cases, 1):
		page.fill(f"#stage-{stage}-answer", typed)
		page.press(f"#stage-{stage}-answer", "Enter")
		said.append(page.inner_text(f"#stage-{stage} .verdict") == "That is right.")
	assert [case for case, right in zip(SAME, said, strict=False) if not right] == []
	assert [case for case, right in zip(OTHER, said[len(SAME) :], strict=True) if right] == []


def test_the_contracts_questions_are_answered_and_show_no_answer_before(reader: Reader) -> None:
	"""As an app of contract 1.0 reads them: texts for choices, and for an answer one of them or a list."""
	configs = CONFIGS["Question"]
	page = reader.show(*[("Question", config) for config in configs])
	for stage, config in enumerate(configs, 1):
		shown = page.inner_text(f"#stage-{stage}")
		right = config["answer"] if isinstance(config["answer"], list) else [config["answer"]]
		if "choices" in config:
			for answer in right:
				page.locator(f"#stage-{stage} .choice input").and_(
					page.locator(f"input[value={json.dumps(answer, ensure_ascii=False)}]")
				).check()
			page.click(f"#stage-{stage} button[type=submit]")
		else:
			assert [answer for answer in right if answer in shown] == []
			page.fill(f"#stage-{stage}-answer", right[-1])
			page.press(f"#stage-{stage}-answer", "Enter")
		assert "n x^{n-1}" not in shown
		assert page.inner_text(f"#stage-{stage} .verdict") == "That is right.", config


UNANSWERABLE: list[dict[str, object]] = [
	{},
	{"options": ["a", "b"], "correct": "SECRET"},
	{"question": "Which?"},
	{"question": "Which?", "options": ["SECRET", "b"], "correct": 1},
	{"question": "Which?", "choices": ["a", "b"], "answer": 0},
	{"question": "Which?", "choices": ["a", "b"], "answer": 2},
	{"question": "Which?", "choices": ["a", "b"], "answer": "c"},
	{"question": "Which?", "choices": ["a", "b"], "answer": ["a", "c"]},
	{"question": "Which?", "choices": ["a", "b"], "answer": {"correct": "SECRET"}},
	{"question": "Which?", "choices": [{"text": "SECRET", "correct": True}]},
	{"question": "Which?", "choices": "a, b", "answer": "a"},
	{"question": "Which?", "choices": {"A": "SECRET"}, "answer": "A"},
	{"question": "Which?", "answer": "\u200f"},
	{"question": "Which?", "answer": {"SECRET": 1}},
	{"question": "Which?", "kind": "one", "answer": "SECRET"},
	{"question": "Which?", "kind": "true_false", "answer": "SECRET"},
]


def test_a_question_that_nobody_can_answer_says_so(reader: Reader) -> None:
	page = reader.show(*(("Question", config) for config in UNANSWERABLE))
	for stage, config in enumerate(UNANSWERABLE, 1):
		said = page.inner_text(f"#stage-{stage}")
		assert "cannot be answered here" in said, config
		assert not page.locator(f"#stage-{stage} :is(input, button, dl)").count(), config
		assert ("question" in config) == ("Which?" in said)
		assert "[object" not in said
	assert "SECRET" not in page.content()


ANSWERED: list[tuple[dict[str, object], Any, str]] = [
	({"question": "q", "answer": "url"}, "https://me.example/", "Noted"),
	({"question": "q", "answer": ["4", "four"]}, "Four", "right"),
	({"question": "q", "answer": 0}, "0", "right"),
	({"question": "q", "answer": 3.5}, "3,5", "right"),
	({"choices": ["0", "1"], "answer": 0}, 0, "right"),
	({"choices": [0, 1], "answer": 1}, 1, "right"),
	({"choices": ["−3", "3"], "answer": "-3"}, 0, "right"),
	({"choices": [True, False], "answer": True}, 0, "right"),
	({"choices": ["a", "b"]}, 1, "Noted"),
	({"choices": ["a", "b"], "answer": ["a", "a", "A"]}, 0, "right"),
	({"choices": ["a", "b"], "answer": "a", "feedback": "SECRET", "correct": 0}, 1, "Not yet"),
]


def test_a_question_is_answered(reader: Reader) -> None:
	page = reader.show(*(("Question", config) for config, _, _ in ANSWERED))
	for stage, (config, given, verdict) in enumerate(ANSWERED, 1):
		if isinstance(given, str):
			page.fill(f"#stage-{stage}-answer", given)
		else:
			page.click(f"#stage-{stage} .choice >> nth={given}")
		page.click(f"#stage-{stage} button")
		assert verdict in page.inner_text(f"#stage-{stage} .verdict"), config
	assert "SECRET" not in page.content()


def test_a_stage_of_odd_values_does_not_take_its_lesson_along(reader: Reader) -> None:
	page = reader.show(
		(
			"Interactive",
			{"files": [{"name": {"toString": 1}, "content": {"a": 1}}, None], "solution": "SECRET"},
		),
		(
			"Interactive",
			{"libraries": [{"toString": 1}, None], "tests": [{"code": "x"}, {"text": 5}], "files": 5},
		),
		("Text", {"solutions": [{"toString": 1}], "html": {"a": "shown"}}),
		("Video", {"video_url": {"toString": 1}}),
	)
	assert page.locator(".stage").count() == 4
	assert "[object" not in page.inner_text("main")
	assert not page.get_by_text("SECRET").is_visible()  # until the learner looks
	assert "shown" in page.inner_text("#stage-3")


# search


def titled(reader: Reader, titles: list[str]) -> None:
	"""The reader at a plan whose lessons have these titles."""
	index = json.loads(curriculum.published()["plans/grade-7/search_index.json"])
	about = {**index["entries"][0], "subject_name": "S", "unit_name": "U", "topic_name": "T"}
	entries = [
		{**about, "lesson_id": f"l{place}", "lesson_name": title} for place, title in enumerate(titles)
	]
	index |= {"entries": entries, "total_lessons": len(titles)}
	reader.page.route("**/search_index.json*", lambda route: route.fulfill(json=index))
	reader.open("#/grade-7")


def test_only_what_a_scripts_readers_take_for_the_same_is_folded(reader: Reader) -> None:
	titled(
		reader,
		[
			"गति के नियम", "गीत और कविता", "किला", "काल", "की बात", "การบวก", "กีฬา", "தமிழ் கவிதை", "বাংলা কবিতা",
			"ភាសាខ្មែរ", "がっこう", "かっこう", "中国历史", "한국의 역사", "하늘", "שָׁלוֹם עולם", "Ἀθῆναι καὶ Σπάρτη", "Đà Nẵng",
			"Йод и ёлка", "Идея", "می‌خواهم", "İstanbul", "Straße",
		],
	)  # fmt: skip
	wanted = {
		"गति": ["गति के नियम"], "किला": ["किला"], "काल": ["काल"], "की": ["की बात"], "กา": ["การบวก"], "กี": ["กีฬา"],
		"கவிதை": ["தமிழ் கவிதை"], "কবিতা": ["বাংলা কবিতা"], "ខ្មែរ": ["ភាសាខ្មែរ"], "がっ": ["がっこう"], "かっ": ["かっこう"],
		"国": ["中国历史"], "하": ["하늘"], "역사": ["한국의 역사"], "שלום": ["שָׁלוֹם עולם"], "αθηναι": ["Ἀθῆναι καὶ Σπάρτη"],
		"ΣΠΑΡΤΗ": ["Ἀθῆναι καὶ Σπάρτη"], "da nang": ["Đà Nẵng"], "йод": ["Йод и ёлка"], "елка": ["Йод и ёлка"], "иде": ["Идея"],
		"میخواهم": ["می‌خواهم"], "istanbul": ["İstanbul"], "strasse": ["Straße"],
	}  # fmt: skip
	assert {query: search(reader, query) for query in wanted} == wanted
	search(reader, "ग")
	assert "Type a few letters" in reader.page.inner_text(".search-status")
	search(reader, "गति")
	assert reader.texts(".result strong mark") == ["गति"]


def test_a_search_reads_the_lists_again_when_a_shard_is_gone(reader: Reader) -> None:
	page = reader.open("#/large", tree="large")
	reader.expected.append("404")
	gone: list[str] = []

	def once(route: Any) -> None:
		if gone:
			route.continue_()
		else:
			gone.append(route.request.url)
			route.fulfill(status=404)

	page.route("**/search/*.json*", once)
	reader.server.asked()
	assert search(reader, "lesson")
	assert "/files/large/plans/large/manifest.json" in reader.server.asked()


# where the files come from


def test_what_has_no_version_is_asked_for_past_the_browsers_cache(reader: Reader) -> None:
	reader.page.add_init_script(
		"window.asked = []; const ask = fetch; fetch = (url, how) => (asked.push([String(url), how.cache]), ask(url, how));"
	)
	page = reader.open("#/grade-7/mathematics/angles/angles-1")
	search(reader, "right")
	caches = dict(page.evaluate("window.asked"))
	assert len(caches) >= 6
	for url, cache in caches.items():
		assert cache == ("default" if "?v=" in url else "no-cache"), url


OTHERS = [
	"https://evil.example/",
	"//evil.example/files/",
	"/\\evil.example/",
	"https://cdn.example.evil.example/memora/",
	"https://cdn.example/other/",
	"https://cdn.example/",
	"http://cdn.example/memora/",
	"https://cdn.example:444/memora/",
	"https://cdn.example@evil.example/memora/",
	"https://cdn.example/memora/../other/",
	"data:text/html,x/",
	"javascript:alert(1)",
	"https://",
]


@pytest.mark.parametrize("base", OTHERS)
def test_the_files_of_another_host_are_shown_only_if_the_site_names_it(reader: Reader, base: str) -> None:
	reader.server.bases.append("https://cdn.example/memora/")
	page = reader.open("#/grade-7", base=base)
	assert reader.heading() == "This address asks for the files of another site."
	assert reader.outside == []
	assert not [path for path in reader.server.asked() if path.startswith("/files/")]
	assert base in page.inner_text(".locked p >> nth=0")
	page.click("a.button")
	reader.until("!location.search")


def test_the_sites_own_cdn_and_this_machine_are_read(reader: Reader) -> None:
	reader.server.bases.append("https://cdn.example/memora/")
	index = curriculum.published()["plans/index.json"].decode()
	for base in ("https://cdn.example/memora/", "https://cdn.example/memora", "http://localhost:8080/files/"):
		reader.page.route(
			f"{base.rstrip('/')}/**",
			lambda route: route.fulfill(body=index, headers={"Access-Control-Allow-Origin": "*"}),
		)
		page = reader.open(base=base)
		assert reader.heading() == "Choose a plan"
		assert page.locator(".plan-card").count() == 2


# what means harm

RUN = "window.pwned=1"
ATTACKS = [
	f"<img src=x onerror={RUN}>",
	f"<script>{RUN}</script>",
	f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={RUN}&gt;'>",
	f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
	f"<math><mtext></p><style><a title='</style><img src=x onerror={RUN}>'>",
	f"<svg></p><style><a id='</style><img src=1 onerror={RUN}>'>",
	f"<svg><desc><template><img src=x onerror={RUN}>",
	f"<svg><title><style><img src=x onerror={RUN}></style></title></svg>",
	f"<math><annotation-xml encoding='text/html'><style><!--</style><img src=x onerror={RUN}>--></style></annotation-xml></math>",
	f"<math><semantics><annotation-xml encoding='application/xhtml+xml'><img src=x onerror={RUN}></annotation-xml></semantics></math>",
	f"<math><semantics><annotation><img src=x onerror={RUN}></annotation></semantics></math>",
	f"<math><mi><iframe srcdoc='<script>parent.{RUN}</script>'></iframe></mi></math>",
	f"<math><maction actiontype='statusline#https://evil.example' xlink:href='javascript:{RUN}'><mi>x</mi></maction></math>",
	f"<math href='javascript:{RUN}'><mi xlink:href='javascript:{RUN}'>x</mi></math>",
	f"<math><a href='javascript:{RUN}'><mi>x</mi></a></math>",
	f"<noscript><p title='</noscript><img src=x onerror={RUN}>'></noscript>",
	f"<svg><a xlink:href='javascript:{RUN}'><text>x</text></a></svg>",
	f"<svg><use href='data:image/svg+xml,<svg id=x onload={RUN}>#x'/></svg>",
	f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg><svg><set attributeName=href to='javascript:{RUN}'></svg>",
	f"<svg><foreignObject><img src=x onerror={RUN}></foreignObject></svg>",
	f"<a href='javascript:{RUN}'>a</a><a href=' java\nscript:{RUN}'>a</a><a href='&#x6A;avascript:{RUN}'>a</a>",
	f"<a href='\x01javascript:{RUN}'>a</a><a href='JaVaScRiPt:{RUN}'>a</a><a href='vbscript:x'>a</a><area href='javascript:{RUN}'>",
	f"<a href='data:text/html,<script>{RUN}</script>'>a</a><a href='blob:x'>a</a><a href='view-source:x'>a</a>",
	"<a href='//evil.example/x' target=_top>a</a><a href='/\\evil.example'>a</a><a href='https://ok.example' rel=opener>a</a>",
	f"<iframe src='javascript:parent.{RUN}'></iframe><object data='javascript:{RUN}'></object><embed src='javascript:{RUN}'>",
	f"<iframe srcdoc='<script>parent.{RUN}</script>' src='https://www.youtube.com/embed/{FILM}'></iframe>",
	f"<iframe src='https://www.youtube.com/embed/{FILM}?list=&quot;onload={RUN}'></iframe>",
	f"<form action='javascript:{RUN}' id=main name=main><button formaction='javascript:{RUN}'>go</button></form>",
	f"<form><input name=attributes><input name=parentNode><input name=nodeName autofocus onfocus={RUN}></form>",
	f"<form onmouseover={RUN}><input name=removeAttribute><input name=textContent></form>",
	f"<input autofocus onfocus={RUN}><select autofocus onfocus={RUN}><option>o</select><textarea autofocus onfocus={RUN}></textarea>",
	f"<details open ontoggle={RUN}>d</details><marquee onstart={RUN}>m</marquee><body onload={RUN}>",
	f"<video onerror={RUN}><source onerror={RUN} src=x></video><audio src=x onerror={RUN} autoplay></audio>",
	f"<video poster='javascript:{RUN}' src='javascript:{RUN}'></video><video src='data:video/mp4;base64,AAAA'></video>",
	f"<img src='javascript:{RUN}' srcset='javascript:{RUN} 1x, data:text/html,x 2x'><picture><source srcset='javascript:{RUN}'></picture>",
	f"<img src='data:image/svg+xml,<svg onload={RUN}>'><img src='data:text/html,x'>",
	f"<template><img src=x onerror={RUN}></template><div><template shadowrootmode=open><script>{RUN}</script></template></div>",
	"<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=https://evil.example'><link rel=stylesheet href='https://evil.example'>",
	"<style>*{display:none}</style><p style='position:fixed;inset:0'>x</p><table background='https://evil.example/'><tr><td background='//evil.example'></table>",
	"<p id=main class=skip name=body>x</p><img name=getElementById><a id=location name=location href='#location'>x</a><a href='#main'>x</a><p id=bar>x</p><map name=head><area></map>",
	"<p id='stage-1-answer' tabindex=1 contenteditable accesskey=x draggable=true>x</p><label for='stage-1-answer'>x</label>",
	"<dialog open>d</dialog><button popovertarget=menu-person popovertargetaction=show>b</button><div popover>p</div><main>m</main>",
	f"<x-y onclick={RUN} is=script>x</x-y><button is=x-y onclick={RUN}>b</button><p is=x-y data-left-out data-x=1>mine</p>",
	f"<xmp><img src=x onerror={RUN}></xmp><textarea></textarea><img src=x onerror={RUN}></textarea>",
	f"<!--><img src=x onerror={RUN}>--><!--[if gte IE 4]><script>{RUN}</script><![endif]--><?xml-stylesheet href='javascript:{RUN}'?>",
	f"<table><td><form><table><img src=x onerror={RUN}></table></form>",
	f"<plaintext><img src=x onerror={RUN}>",
]
# All that the reader ever leaves of a text. Own parts (posters of films) aside.
CHECK = """() => {
	const problems = [];
	const tags = /^(script|style|iframe|frame|object|embed|link|meta|base|form|input|button|select|textarea|template|svg|use|main|dialog|slot|canvas|noscript)$/;
	for (const node of document.querySelectorAll(".prose *")) {
		if (node.closest(".poster")) continue;
		const name = node.localName;
		// No markup gets a class: what is drawn is the reader's own.
		const drawn = node.closest(".formula");
		if (drawn && !(/svg/.test(node.namespaceURI) ? /^(svg|path|line)$/ : /^(span|m[a-z]+|semantics|annotation)$/).test(name)) problems.push(`drawn ${name}`);
		if (drawn && /svg/.test(node.namespaceURI)) continue;
		if (tags.test(name) || name.includes("-")) problems.push(name);
		if (!/(xhtml|MathML)$/.test(node.namespaceURI)) problems.push(`${name} ${node.namespaceURI}`);
		for (const { name: key, value } of node.attributes) {
			const banned = /^(on|style|class|srcdoc|action|formaction|background|popover|tabindex|contenteditable|xlink|is$|for$|name$|autoplay|data-(?!left-out))/;
			const own = (key === "class" && /^code-[a-z_-]+$/.test(value) && node.closest("pre")) || (drawn && /^(class|style|tabindex|data-waits)$/.test(key)) || (key === "tabindex" && name === "pre") || (key === "name" && name === "map") || (name === "mi" && value === "variable");
			if (banned.test(key) && !own) problems.push(`${name}[${key}=${value}]`);
			if (key === "id" && !/^stage-[\\w-]+:/.test(value)) problems.push(`id ${value}`);
			if (key === "id" && document.querySelectorAll(`[id="${CSS.escape(value)}"]`).length > 1) problems.push(`twice ${value}`);
			if (["href", "src", "poster"].includes(key)) {
				const raster = name === "img" && /^data:image\\/png;base64/.test(value);
				const anchor = name === "a" && /^(mailto:|tel:|#\\/)/.test(value);
				if (!raster && !anchor && !/^https?:\\/\\//.test(value)) problems.push(`${name}[${key}=${value}]`);
			}
			if (key === "srcset" && !value.split(", ").every((one) => /^https?:/.test(one))) problems.push(`srcset ${value}`);
		}
		if (node.target && !/noopener/.test(node.rel)) problems.push(`target ${node.outerHTML}`);
	}
	for (const node of document.querySelectorAll("[data-left-out]")) if (!node.textContent.includes("⚠")) problems.push("fake");
	if (document.querySelectorAll("main").length !== 1) problems.push("main");
	if (window.pwned) problems.push("it ran");
	return problems;
}"""


def test_no_attack_in_a_text_runs_or_leaves_its_place(reader: Reader) -> None:
	# Of pictures that are not there, and what the policy says of markup that DOMPurify has only parsed.
	reader.expected += ["404", "Content Security Policy", "ERR_", "sandbox"]
	page = reader.show(*map(text, ATTACKS))
	assert page.locator(".stage").count() == len(ATTACKS)
	page.wait_for_load_state("networkidle")  # what would run when a picture fails has done so
	assert page.evaluate(CHECK) == []
	assert not [url for url in reader.outside if "evil" in url]
	assert page.evaluate(
		"[document.body.tagName, typeof document.getElementById, location.pathname.slice(-10)]"
	) == [
		"BODY",
		"function",
		"index.html",
	]


@pytest.mark.parametrize("seed", range(3))
def test_no_mixture_of_attacks_runs(reader: Reader, seed: int) -> None:
	reader.expected += ["404", "Content Security Policy", "ERR_", "sandbox"]
	chance = random.Random(seed)
	glue = ["<math>", "<mtext>", "<svg>", "<table>", "<style>", "<!--", "-->", "</style>", "<p>", "</p>", "<select>", "<ruby><rt>",
		"<annotation-xml encoding=text/html>", "<template>", "<noscript>", "<title>", "<mglyph>", "<form>", "</form>", "<td>"]  # fmt: skip
	mixed = []
	for _ in range(120):
		parts = [chance.choice([*ATTACKS, *glue, *glue]) for _ in range(chance.randint(2, 6))]
		cut = [part[: chance.randint(1, len(part))] if chance.random() < 0.2 else part for part in parts]
		mixed.append("".join(cut))
	page = reader.show(*map(text, mixed))
	page.wait_for_load_state("networkidle")
	assert page.evaluate(CHECK) == []
