// The editors' preview: the reader's second source. Each file is drafted by this site when it is asked for, from content as
// it is saved now; what is drawn here says so. Loaded with ?preview=… only.

import { bdi, h } from "./dom.js?v=459e199b";
import { LANGUAGES, t } from "./i18n.js?v=f2e1dbaa";
import { isGuest, loginAddress } from "./session.js?v=c3d757e9";
import { isShared, state, token } from "./state.js?v=6016eab5";

const API = "/api/method/memora.api.learner_preview.";

// The preview's own words, beside the reader's.
export const WORDS = {
	en: {
		preview: "Preview",
		previewNote: "A preview for editors. Learners read only what is published.",
		previewSame: "Learners see it like this.",
		previewLeaving: "Learners see it like this until the next run.",
		previewChanged: "Differs from what learners see.",
		previewNew: "Learners do not see it yet.",
		previewDrafts: "Show drafts",
		previewForm: "Back to the form",
		previewShare: "Share preview",
		previewLeftOut: "The next run does not publish this.",
		previewLeftOutHint: "It is a draft or hidden, or something above it is. “Show drafts” shows it all the same.",
		previewMissing: "There is nothing to preview here.",
		previewMissingHint: "It may have been deleted, renamed or moved. Open the preview from its form again.",
		previewForbidden: "You may not see this.",
		previewForbiddenHint: "Your account may not read it. Ask those who manage the site.",
		previewLogin: "Log in to see the preview.",
		previewLoginHint: "You are not logged in any more.",
		previewLoginButton: "Log in",
		previewFails: "The next run would fail here.",
		previewFilm: "Play the film",
		previewFilmWait: "Asking for the film …",
		markDraft: "Draft",
		markHidden: "Hidden",
		kindPlan: "Plan",
		kindSubject: "Subject",
		kindTrack: "Track",
		kindUnit: "Unit",
		kindTopic: "Topic",
		kindLesson: "Lesson",
	},
	ar: {
		preview: "معاينة",
		previewNote: "معاينة للمحررين. لا يقرأ المتعلمون إلا ما نُشر.",
		previewSame: "هكذا يراه المتعلمون.",
		previewLeaving: "هكذا يراه المتعلمون حتى التشغيل التالي.",
		previewChanged: "يختلف عما يراه المتعلمون.",
		previewNew: "لا يراه المتعلمون بعد.",
		previewDrafts: "إظهار المسودات",
		previewForm: "العودة إلى النموذج",
		previewShare: "مشاركة المعاينة",
		previewLeftOut: "لن ينشر التشغيل التالي هذا.",
		previewLeftOutHint: "هو مسودة أو مخفي، أو ما فوقه كذلك. «إظهار المسودات» يُظهره على أي حال.",
		previewMissing: "لا شيء للمعاينة هنا.",
		previewMissingHint: "ربما حُذف أو أُعيدت تسميته أو نُقل. افتح المعاينة من نموذجه مرة أخرى.",
		previewForbidden: "لا يحق لك رؤية هذا.",
		previewForbiddenHint: "لا يحق لحسابك قراءته. اسأل من يدير الموقع.",
		previewLogin: "سجّل الدخول لترى المعاينة.",
		previewLoginHint: "لم تعد مسجَّل الدخول.",
		previewLoginButton: "تسجيل الدخول",
		previewFails: "سيفشل التشغيل التالي هنا.",
		previewFilm: "شغّل الفيلم",
		previewFilmWait: "يُطلب الفيلم …",
		markDraft: "مسودة",
		markHidden: "مخفي",
		kindPlan: "الخطة",
		kindSubject: "المادة",
		kindTrack: "المسار",
		kindUnit: "الوحدة",
		kindTopic: "الموضوع",
		kindLesson: "الدرس",
	},
};

// The preview of those who have a link alone; else null.
/** @type {typeof import("./shared.js?v=e063b164") | null} */
const shared = isShared ? await import("./shared.js?v=e063b164") : null;
for (const language of ["en", "ar"]) Object.assign(LANGUAGES[language], WORDS[language], shared?.WORDS[language]);

const KINDS = {
	plan: ["memora-academic-plan", "kindPlan"],
	subject: ["memora-subject", "kindSubject"],
	track: ["memora-track", "kindTrack"],
	unit: ["memora-unit", "kindUnit"],
	topic: ["memora-topic", "kindTopic"],
	lesson: ["memora-lesson", "kindLesson"],
};

const query = new URLSearchParams(location.search);
const [doctype, name] = halves(query.get("preview") ?? "");
const root = { kind: "", name, title: "", hash: "", focus: "", desk: "" };

// What came with each file, by its path; where each file was listed; and the site's own address of pictures and worksheets.
const answers = new Map();
const places = new Map([["plans/index.json", { plan: "", subject: "" }]]);
const files = new Map();
const films = new Map();
let drafts = query.get("drafts") !== "0";
let changes = 0;
let failed = null;

// Ask where the preview begins. Returns the base of what is published, "" where there is none.
export async function begin() {
	const args = shared ? {} : { doctype, name, plan: query.get("plan") ?? "" };
	const answer = await call("place", args).catch(() => null);
	if (!answer?.ok) {
		failed = { status: answer?.status ?? 0, why: answer ? await why(answer) : "" };
		return "";
	}
	const place = await answer.json();
	const hash = `#${token}/${place.address.map(encodeURIComponent).join("/")}`;
	const kind = place.doctype.split(" ").at(-1).toLowerCase();
	Object.assign(root, { kind, name: place.name, title: place.title, focus: place.focus, desk: place.desk, hash });
	shared?.begin(place);
	if (location.hash.length < token.length + 3) history.replaceState(null, "", hash);
	// As who owns what opens it, unless the address says otherwise. The visitor's own choice is kept for other visits.
	if (!query.has("as")) Object.assign(state, { kind: "owner", items: [...new Set([...state.items, ...place.items])] });
	return place.base;
}

// Ask for a file by the URL that another one gave.
export function ask(url) {
	if (failed) return Promise.resolve(new Response("", { status: failed.status || 504 }));
	const path = pathOf(url);
	const { plan, subject } = places.get(path) ?? { plan: "", subject: "" };
	return call("file", shared ? { path, subject } : { path, doctype, name: root.name, plan, subject, drafts: Number(drafts) });
}

// Note what came with a file. Returns its document.
export function take(url, answer) {
	const path = pathOf(url);
	const text = JSON.stringify(answer);
	if (answers.has(path) && answers.get(path).text !== text) changes += 1;
	answers.set(path, { ...answer, text });
	for (const [published, here] of Object.entries(answer.files)) files.set(published, here);
	const { document } = answer;
	note(document, places.get(path) ?? { plan: "", subject: "" });
	for (const stage of answer.films) {
		films.set(document.stages[stage - 1].config.video_url, { lesson: document.id, stage });
	}
	return document;
}

// What the site says of a file that it does not give.
export async function why(answer) {
	try {
		return String((await answer.json()).problem ?? "");
	} catch {
		return "";
	}
}

// Where the site itself has a file, by its published path and what comes behind it.
export function file(link) {
	const [, path, rest] = link.match(/^(?:\.\/)?([^?#]*)(.*)$/s);
	return files.has(path) ? new URL(files.get(path) + rest.replace(/^\?[^#]*/, ""), location.origin).href : link;
}

// A film that is signed when it is published: a button that asks for a link once it is pressed, and again when that has run
// out.
export function film(link, shown) {
	const found = films.get(link);
	if (!found) return null;
	const poster = shown.poster(t("previewFilm"));
	poster.addEventListener("click", async () => {
		poster.disabled = true;
		poster.textContent = t("previewFilmWait");
		const url = await filmUrl(found);
		if (!url) return poster.replaceWith(shown.outside());
		const player = shown.film(new URL(url, location.href).href);
		player.autoplay = true;
		poster.replaceWith(player);
		player.focus();
		let asked = Date.now();
		player.addEventListener("error", async () => {
			const next = Date.now() - asked > 30_000 ? await filmUrl(found) : "";
			if (!next) return player.replaceWith(shown.outside());
			const { currentTime } = player;
			asked = Date.now();
			player.src = next;
			player.currentTime = currentTime;
			player.play();
		});
	});
	return poster;
}

async function filmUrl(found) {
	const answer = await call("film", found).catch(() => null);
	return answer?.ok ? (await answer.json()).url : "";
}

// Look whether what is shown has changed meanwhile.
export async function refresh(reload, show) {
	const before = changes;
	await reload().catch(() => (changes += 1));
	if (changes !== before) show();
}

// The words for what could not be read, and what to press where that is not "Try again".
export function explain(error) {
	const status = failed?.status ?? error.status;
	const ended = shared?.explain(status);
	if (ended) banner.remove();
	if (ended) return ended;
	const problem = failed?.why || error.why;
	if (problem) return [t(failed ? "previewMissing" : "previewFails"), problem];
	if ((status === 401 || status === 403) && !shared && isGuest()) {
		return [t("previewLogin"), t("previewLoginHint"), h("a.button", { href: loginAddress() }, t("previewLoginButton"))];
	}
	if (status === 401 || status === 403) return [t("previewForbidden"), t("previewForbiddenHint")];
	if (status === 404 && !drafts) return [t("previewLeftOut"), t("previewLeftOutHint")];
	return status === 404 || status === 417 ? [t("previewMissing"), t("previewMissingHint")] : null;
}

const banner = h("section.preview", {});

// Draw the preview's own signs over a page: the banner, and what is a draft or hidden.
export function draw(course, show) {
	const urls = {
		plans: "plans/index.json",
		plan: course.plan?.url,
		subject: course.subjectEntry?.url,
		unit: course.unitEntry?.url,
		lesson: course.lessonEntry?.url,
	};
	const answer = answers.get(pathOf(urls[course.view]));
	const id = course[{ plan: "plan", subject: "subject", unit: "unit", lesson: "lessonEntry" }[course.view]];
	const isRoot = location.hash === root.hash || course.view === "plans" || !id || id.plan_id === "~preview";
	const here = isRoot ? root : { kind: course.view, name: id.id ?? id.plan_id, title: id.title };
	const [form, words] = KINDS[here.kind] ?? KINDS.plan;
	document.title = `${t("preview")}: ${document.title}`;
	const isLeaving = answer?.live === "same" && Object.keys(answer.marks).length > 0;
	const said = isLeaving ? "previewLeaving" : { same: "previewSame", changed: "previewChanged", new: "previewNew" }[answer?.live];
	banner.setAttribute("aria-label", t("preview"));
	const shown = Object.values(urls).flatMap((url) => answers.get(pathOf(url)) ?? []);
	const marks = Object.assign({}, ...shown.map((one) => one.marks));
	banner.replaceChildren(
		h("strong.preview-mark", {}, t("preview")),
		h("p.preview-of", {}, t(words), " ", h("b", {}, bdi(here.title)), said ? h(`span.preview-live.is-${answer.live}`, {}, t(said)) : null),
		...(shared ? shared.signs(answer?.document, marks) : tools(form, here, course.plan?.plan_id ?? "", show))
	);
	if (!banner.isConnected) document.querySelector(".skip").after(banner);
	mark(marks);
	const focus = root.focus && location.hash === root.hash && document.querySelector(`main [data-node="${CSS.escape(root.focus)}"]`);
	if (focus) {
		root.focus = "";
		requestAnimationFrame(() => focus.scrollIntoView());
	}
}

// What an editor can do from here.
function tools(form, here, inPlan, show) {
	const drafted = h("input", { type: "checkbox", name: "drafts", checked: drafts, onchange: (event) => set(event.target.checked, show) });
	const back = `${root.desk}/${form}/${encodeURIComponent(here.name)}`;
	const plan = here.kind === "plan" ? "" : new URLSearchParams({ share_preview: inPlan });
	return [
		h("label.choice", {}, drafted, h("span", {}, t("previewDrafts"))),
		h("a.button.quiet", { href: `${back}?${plan || "share_preview="}` }, t("previewShare")),
		h("a.button", { href: back }, t("previewForm")),
	];
}

function mark(marks) {
	for (const element of document.querySelectorAll("[data-node]")) {
		const words = (marks[/** @type {HTMLElement} */ (element).dataset.node] ?? []).map((one) =>
			h(`span.preview-badge.is-${one}`, {}, t(one === "draft" ? "markDraft" : "markHidden"))
		);
		element.append(...words);
	}
}

function set(wanted, show) {
	drafts = wanted;
	if (drafts) query.delete("drafts");
	else query.set("drafts", "0");
	history.replaceState(null, "", `?${query}${location.hash}`);
	show();
}

const pathOf = (url) => (url ?? "").split("?")[0];

// Where a file is that a document links to: in which plan and, below the manifest, in which subject.
function note(value, place) {
	if (Array.isArray(value)) for (const each of value) note(each, place);
	else if (value && typeof value === "object") {
		if (typeof value.url === "string") {
			const plan = value.plan_id ?? place.plan;
			places.set(pathOf(value.url), { plan, subject: place.subject || (place.plan && value.id) || "" });
		}
		shared?.own(value.access);
		for (const [key, each] of Object.entries(value)) if (key !== "stages") note(each, place);
	}
}

function call(method, args) {
	if (shared) return shared.call(method, args);
	return fetch(`${API}${method}?${new URLSearchParams(args)}`, {
		credentials: "same-origin",
		cache: "no-store",
		headers: { Accept: "application/json" },
	});
}

function halves(text) {
	const at = text.indexOf(":");
	return [text.slice(0, at), text.slice(at + 1)];
}

const link = h("link", { rel: "stylesheet", href: new URL("../preview.css?v=9bbbd7f7", import.meta.url).href });
document.head.append(link);
