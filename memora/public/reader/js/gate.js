// A gate in front of the files (docs/gate.md): lessons that are not open to everybody are asked for with a token. It is the one
// that the address brought, else the site makes one for who is signed in there. Loaded with the first lesson that a gate
// refuses, or where there is a token already.

import { bdi, h, icon } from "./dom.js?v=459e199b";
import { LANGUAGES, t } from "./i18n.js?v=f2e1dbaa";
import { isGuest, loginAddress, user } from "./session.js?v=c3d757e9";
import { handed } from "./state.js?v=6016eab5";

const CSRF = "/api/method/memora.api.reader.csrf_token";
const TOKEN = "/api/method/memora.api.gate.token";
const PLAYER = "/api/method/memora.api.gate.player_token";
const FOUR_HOURS = 14_400; // seconds: as long as a player's token may last
const REFUSED = ["token_required", "token_invalid", "token_expired", "token_early", "item_required", "closed"];
const PATIENCE = 20_000; // until who owns too little is looked up again: he may have bought it
// A lesson's own files, wherever its stages name them.
const FILES = /(?:plans\/[\w~-]+\/)?lessons\/[\w~-]+\/[0-9a-f]{64}\.[a-z0-9]+/g;
// What a browser shows without running anything in it. Other files it saves.
const SHOWN = /^(?:image\/(?!svg)|audio\/|video\/|text\/vtt|application\/pdf)/;

// The gate's own words, beside the reader's.
export const WORDS = {
	en: {
		gateSignIn: "Sign in to read this lesson.",
		gateSignInHint: "It is for those who are signed in.",
		gateBought: { one: "If you have bought this, sign in to read it:", other: "If you have bought these, sign in to read it:" },
		gateItems: { one: "Your account does not own what it asks for:", other: "Your account does not own all that it asks for:" },
		gateOver: "Your access has ended.",
		gateOverHint: "Open the link that you were given again, or ask for another.",
		gateLater: "This lesson cannot be opened just now.",
		gateLaterHint: "The site did not say what you own. Try again in a minute.",
		gateClosed: "This lesson cannot be opened.",
		gateClosedHint: "Tell those who run this site.",
		gateLogin: "Sign in",
	},
	ar: {
		gateSignIn: "سجّل الدخول لقراءة هذا الدرس.",
		gateSignInHint: "هو لمن سجّل الدخول.",
		gateBought: { one: "إن كنت قد اشتريت هذا فسجّل الدخول لتقرأه:", other: "إن كنت قد اشتريت كل هذا فسجّل الدخول لتقرأه:" },
		gateItems: { one: "لا يملك حسابك ما يطلبه الدرس:", other: "لا يملك حسابك كل ما يطلبه الدرس:" },
		gateOver: "انتهت صلاحية وصولك.",
		gateOverHint: "افتح الرابط الذي أُعطي لك من جديد، أو اطلب رابطًا آخر.",
		gateLater: "لا يمكن فتح هذا الدرس الآن.",
		gateLaterHint: "لم يقل الموقع ما تملكه. حاول مجددًا بعد دقيقة.",
		gateClosed: "لا يمكن فتح هذا الدرس.",
		gateClosedHint: "أخبر من يدير هذا الموقع.",
		gateLogin: "تسجيل الدخول",
	},
};
for (const [language, words] of Object.entries(WORDS)) Object.assign(LANGUAGES[language], words);

let base = "";
let lessons = /$^/; // and their own files, by their paths
let token = "";
let isHanded = false; // else the site has made it, for who was signed in then
let signedIn = user();
let asked = 0; // when the site was asked for a token
/** @type {Promise<string> | null} */
let asking = null;
/** @type {Map<string, { url: string, done: Promise<void> }>} The files of the lesson that is shown: where the browser has each. */
let files = new Map();
/** A token for the path, for the films of one lesson; "" where there is none. */
const NO_PLAYER = { lesson: "", token: "", until: 0 };
let player = NO_PLAYER;
let shown = ""; // the lesson that is, or will be next

/**
 * @param {string} place where the files are that a token is for
 * @param {RegExp} ofLessons which of them are lessons, or a lesson's own
 */
export function begin(place, ofLessons) {
	base = place;
	lessons = ofLessons;
	token = kept(handed || undefined);
	isHanded = Boolean(token);
}

// What was made for one who is signed in is not for the next.
function forgetOthers() {
	if (signedIn === user()) return;
	signedIn = user();
	if (!isHanded) token = "";
	player = NO_PLAYER;
}

/**
 * Ask for what the gate guards, and once more where another token may open it.
 * @param {URL} url
 * @param {RequestCache} cache
 * @param {Response | null} refused what has been answered without a token
 */
export async function ask(url, cache, refused = null) {
	forgetOthers();
	const sent = token;
	const answer = refused && !token ? refused : await send(url, cache);
	const why = await reason(answer);
	if (!REFUSED.includes(why) || why === "closed") return answer;
	// Of several that were refused at once, one asks.
	if (token === sent) {
		if (why === "item_required" && Date.now() - asked < PATIENCE) return answer;
		if (!isGuest()) asked = Date.now();
		asking ??= fromSite(TOKEN).finally(() => (asking = null));
		const made = await asking;
		if (!made) return answer;
		const again = await send(url, cache, made);
		// One that was handed still opens what it does.
		if (isHanded && why === "item_required" && !again.ok) return again;
		[token, isHanded] = [made, false];
		if (why === "token_invalid") player = NO_PLAYER; // its key may have been revoked, too
		kept("");
		return again;
	}
	return send(url, cache);
}

/** Why the gate refuses; "" where it does not, or something else answers. @param {Response} answer */
export async function reason(answer) {
	if (answer.ok) return "";
	try {
		return String((await answer.clone().json()).error ?? "");
	} catch {
		return "";
	}
}

// The token goes nowhere else, also where the gate sends the browser on.
function send(url, cache, sent = token) {
	if (!sent) return fetch(url, { credentials: "omit", cache });
	return fetch(url, { credentials: "omit", cache, redirect: "error", headers: { Authorization: `Bearer ${sent}` } });
}

// The token that was handed for these files is kept in this tab, until it is closed; "" forgets it.
/** @param {string} [value] */
function kept(value) {
	const key = `memora-token:${base}`;
	try {
		if (value) sessionStorage.setItem(key, value);
		else if (value === "") sessionStorage.removeItem(key);
		return sessionStorage.getItem(key) ?? "";
	} catch {
		return value ?? ""; // without storage it lasts as long as the page
	}
}

// A token for who is signed in at the reader's own site; "" for a guest, and if the site makes none.
/** @param {string} method @param {Record<string, string>} [given] */
async function fromSite(method, given) {
	if (isGuest()) return "";
	const options = /** @type {RequestInit} */ ({ credentials: "same-origin", cache: "no-store" });
	try {
		const session = await fetch(CSRF, { ...options, headers: { Accept: "application/json" } });
		if (!session.ok) return "";
		const headers = { Accept: "application/json", "X-Frappe-CSRF-Token": (await session.json()).csrf_token };
		const answer = await fetch(method, { ...options, method: "POST", headers, body: new URLSearchParams(given) });
		return answer.ok ? String((await answer.json()).token) : "";
	} catch {
		return "";
	}
}

/**
 * Have at hand the pictures, sounds and worksheets of a lesson, and what opens its films: what shows them sends no token.
 * @param {{ id: string, access: { access_level: string }, stages: { config: Record<string, unknown> }[] }} lesson
 */
export async function fetchFiles(lesson) {
	forgetOthers();
	shown = lesson.id;
	const isGuarded = lesson.access.access_level === "paid" || lesson.access.access_level === "authenticated";
	const before = files;
	const paths = new Set(isGuarded ? JSON.stringify(lesson.stages).match(FILES) : []);
	files = new Map([...paths].map((path) => [path, before.get(path) ?? fetchFile(path)]));
	for (const [path, { url }] of before) if (!paths.has(path) && url.startsWith("blob:")) URL.revokeObjectURL(url);
	const opening = isGuarded && lesson.stages.some(({ config }) => filmPath(config.video_url)) ? openFilms(lesson.id) : null;
	await Promise.all([opening, ...[...files.values()].map(({ done }) => done)]);
}

// Where the gate has a film, by its link; "" for what is elsewhere, and for a lesson's own file.
function filmPath(link) {
	if (typeof link !== "string" || !URL.canParse(link, base)) return "";
	const { href } = new URL(link, base);
	const path = href.startsWith(base) ? href.slice(base.length) : "";
	return lessons.test(path) ? "" : path;
}

/** @param {string} lesson */
async function openFilms(lesson) {
	if (player.lesson === lesson && Date.now() < player.until) return;
	const until = Date.now() + FOUR_HOURS * 500; // for whoever opens the lesson after half of that there is a new one
	const made = await fromSite(PLAYER, { lesson, seconds: String(FOUR_HOURS) });
	if (shown === lesson) player = { lesson, token: made, until: made ? until : 0 };
}

/** Where a film of the lesson that is shown can be played, and its captions: a player sends a token by the path alone. */
export function film(link) {
	const path = player.lesson === shown && player.token && filmPath(link);
	return path ? `${base}~${player.token}/${path}` : link;
}

/** @param {string} path */
function fetchFile(path) {
	const found = { url: "", done: Promise.resolve() };
	const fetched = async () => {
		const answer = await ask(new URL(path, base), "default");
		if (answer.ok) found.url = await local(await answer.blob());
		else files.delete(path);
	};
	found.done = fetched().catch(() => void files.delete(path));
	return found;
}

// An address of the browser's own. One that could be opened as a page and run something is no address of this site.
async function local(body) {
	if (!body.type.startsWith("image/svg")) {
		const type = SHOWN.test(body.type) ? body.type : "application/octet-stream";
		return URL.createObjectURL(new Blob([body], { type }));
	}
	return `data:image/svg+xml,${encodeURIComponent(await body.text())}`;
}

/** Where the browser has a file of the lesson that is shown, by its published path and what comes behind it. */
export function file(link) {
	const [, path, place] = link.match(/^(?:\.\/)?([^?#]*)[^#]*(.*)$/s);
	const url = files.get(path)?.url;
	return url ? url + place : link;
}

/**
 * What is said in place of a lesson that the gate refuses; null where it does not.
 * @param {{ why?: string }} error
 * @param {string[]} items those that the lesson asks for
 */
export function refusal({ why }, items) {
	if (!REFUSED.includes(why)) return null;
	const needed = items.length ? "buy" : "gateSignIn";
	// Who is signed in and has no token was given none.
	const without = isGuest() ? needed : "gateLater";
	const words = { closed: "gateClosed", item_required: needed, token_expired: "gateOver" }[why] ?? without;
	const hint =
		words !== "buy" ? t(`${words}Hint`) : t(why === "item_required" ? "gateItems" : "gateBought", { n: items.length });
	// A copy of the reader elsewhere has no site to sign in at.
	const mayLogIn = why !== "closed" && isGuest() && location.pathname.startsWith("/assets/");
	const retry = () => dispatchEvent(new CustomEvent("memora-change"));
	return h(
		"section.locked",
		{ "data-gate": why },
		h("span.locked-mark", {}, icon("lock")),
		h("h2", {}, t(words)),
		h("p", {}, hint),
		words === "buy" ? h("ul.tags", {}, items.map((item) => h("li.tag", {}, h("code", {}, bdi(item))))) : null,
		h(
			"p.buttons",
			{},
			mayLogIn ? h("a.button", { href: loginAddress() }, t("gateLogin")) : null,
			h("button.quiet", { type: "button", onclick: retry }, t("retry"))
		)
	);
}
