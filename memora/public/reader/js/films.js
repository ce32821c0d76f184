// A film by its link: played here, asked for at its service once the learner wants it, or linked to.

import { h, icon } from "./dom.js?v=459e199b";
import { address, base, gate, preview } from "./cdn.js?v=1813956c";
import { t } from "./i18n.js?v=f2e1dbaa";

const MEDIA = /\.(mp4|m4v|webm|ogv|mov|mp3|m4a|ogg|oga|wav)$/i;
const YOUTUBE = /^(youtu\.be|youtube(-nocookie|kids|education)?\.com)$/;

/**
 * What a config says of its film beside the link. What is of another form, or has no address here, is left out.
 * @param {{ title?: unknown, poster?: unknown, captions?: unknown, start?: unknown, end?: unknown }} config
 */
export function details({ title, poster, captions, start, end }) {
	const from = isSeconds(start) ? start : undefined;
	return {
		title: typeof title === "string" ? title.trim() : "",
		poster: address(poster),
		captions: (Array.isArray(captions) ? captions : [])
			.map((one) => ({ ...one, src: address(one?.src) }))
			.filter(({ src, lang, label }) => src && [lang, label].every((text) => typeof text === "string" && text.trim())),
		start: from,
		end: isSeconds(end) && end > (from ?? 0) ? end : undefined,
	};
}

/** @returns {value is number} */
const isSeconds = (/** @type {unknown} */ value) => typeof value === "number" && value >= 0 && value < 1e6;

// The player of a link as an editor typed it.
export function player(typed, about = details({})) {
	const url = filmUrl(typed);
	if (!url) {
		return h("p.note", {}, icon("warning"), t("noVideo"), typeof typed === "string" && typed ? h("bdi", {}, h("code", {}, typed)) : null);
	}
	const signed = preview?.film(typed, {
		outside: () => outside(url),
		poster: (words) => cover(words, about),
		film: (link) => file(withFragment(new URL(link), url), about),
	});
	if (signed) return signed;
	if (url.protocol === "blob:" || MEDIA.test(url.pathname)) return played(url, about);
	const embedded = embed(url, about);
	if (!embedded) return outside(url);
	// Nothing is asked of the service before the learner wants it.
	const poster = cover(t("play", { host: url.hostname }), about);
	poster.addEventListener("click", () => {
		const frame = h("iframe", {
			src: embedded,
			title: about.title || t("Video"),
			allow: "autoplay; fullscreen; encrypted-media; picture-in-picture",
			sandbox: "allow-scripts allow-same-origin allow-presentation allow-popups",
			// YouTube plays nothing without (error 153), and Vimeo asks which site it is that a film is allowed on.
			referrerpolicy: "strict-origin-when-cross-origin",
		});
		poster.replaceWith(frame);
		frame.focus();
	});
	return poster;
}

// What is pressed to play a film.
const cover = (words, { title, poster }) =>
	h(
		"button.poster",
		{ type: "button" },
		poster ? h("img.poster-picture", { src: poster, alt: "", loading: "lazy" }) : null,
		h("span.poster-play", {}, icon("play")),
		h("span.poster-words", {}, title ? [h("bdi", {}, title), h("br")] : null, words)
	);

// A film's own file, with its captions. Those of another host need the film's host to agree (CORS): if it does not, the film
// is shown without them, and says so.
function played(url, about) {
	const film = file(url, about);
	film.addEventListener(
		"error",
		() => {
			if (!film.crossOrigin) return film.replaceWith(outside(url));
			film.replaceWith(played(url, { ...about, captions: [] }), h("p.note", {}, icon("warning"), t("noCaptions")));
		},
		{ once: true }
	);
	return film;
}

function file(url, { title, poster, captions, start, end }) {
	if (start !== undefined || end !== undefined) url.hash = `t=${start ?? seconds(fragment(url))}${end === undefined ? "" : `,${end}`}`;
	const at = (link) => gate?.film(link) ?? link;
	const isElsewhere = captions.some(({ src }) => new URL(src).origin !== location.origin);
	return h(
		"video",
		{
			crossorigin: isElsewhere ? "anonymous" : null,
			src: at(url.href),
			controls: true,
			preload: "metadata",
			playsinline: true,
			poster: poster || null,
			"aria-label": title || null,
		},
		captions.map(({ src, lang, label }) => h("track", { kind: "captions", src: at(src), srclang: lang, label }))
	);
}

// A link for a film's file begins where the link that an editor typed does.
function withFragment(link, typed) {
	link.hash = link.hash || typed.hash;
	return link;
}

// Whether a link is of a service whose player can be shown.
export const isEmbedded = (typed) => {
	const url = filmUrl(typed);
	return Boolean(url && embed(url));
};

function filmUrl(typed) {
	if (typeof typed !== "string") return null;
	// Services offer the whole frame to copy, too; and what was copied from markup has its & written out.
	const link = (typed.match(/<iframe\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]+)/i)?.[1] ?? typed).trim().replaceAll("&amp;", "&");
	const found = address(link) || (isKey(link) ? new URL(link, base).href : "");
	return found ? new URL(found) : null;
}

// A path under the base, as editors may write a film of the bucket. What begins like a host is none.
const isKey = (link) => /^[^\s./\\:?#<>]+\/.*[^/]\.\w{2,5}$/.test(link);

function embed(url, about = details({})) {
	const host = url.hostname.replace(/^(www|m|music|gaming)\./, "");
	if (YOUTUBE.test(host)) return youtube(url, host, about);
	return host === "vimeo.com" || host.endsWith(".vimeo.com") ? vimeo(url, about) : "";
}

function youtube(url, host, about) {
	// Who adds a start by hand mixes up ? and &.
	const [pathname, ...added] = url.pathname.split("&");
	const asked = new URLSearchParams([...added, url.search.slice(1).replaceAll("?", "&")].join("&"));
	const path = host === "youtu.be" ? pathname : pathname.match(/^\/(?:embed|shorts|live|v|e|watch)(\/.+)/)?.[1];
	const id = [asked.get("v"), path?.split("/")[1]].find((one) => /^[\w-]{6,20}$/.test(one ?? "") && one !== "videoseries");
	const list = /^[\w-]{10,}$/.test(asked.get("list") ?? "") && asked.get("list");
	if (!id && !list) return "";
	const written = asked.get("t") ?? asked.get("start") ?? asked.get("time_continue") ?? fragment(url);
	const start = Math.floor(about.start ?? seconds(written));
	const wanted = new URLSearchParams({ autoplay: "1" });
	if (start) wanted.set("start", String(start));
	if (about.end !== undefined) wanted.set("end", String(Math.ceil(about.end)));
	if (list) wanted.set("list", list);
	return `https://www.youtube-nocookie.com/embed/${id ?? "videoseries"}?${wanted}`;
}

function vimeo(url, about) {
	// A film that is not listed has a key behind its number, or as `h`. A showcase or an event is no film.
	const [, film, written] = url.pathname.match(/^(?!\/(?:showcase|album|event)\/\d+\/?$).*\/(\d{5,})(?:\/(\w+))?\/?$/) ?? [];
	if (!film) return "";
	const key = written ?? url.searchParams.get("h");
	const linked = seconds(fragment(url) || url.searchParams.get("t")) || Number(url.searchParams.get("ts")) / 1000;
	const start = Math.floor(about.start ?? linked);
	const wanted = `dnt=1&autoplay=1${key ? `&h=${encodeURIComponent(key)}` : ""}${about.end === undefined ? "" : `&end_time=${Math.ceil(about.end)}`}`;
	return `https://player.vimeo.com/video/${film}?${wanted}${start ? `#t=${start}s` : ""}`;
}

const fragment = (url) => url.hash.match(/[#&]t=([^&]*)/)?.[1] ?? "";

// 95, 95s, 1m20s, 1h2m3s, 1:20 and 1:02:03, in seconds; of a part, as in #t=7,20, its start.
function seconds(written) {
	const [time] = String(written ?? "").split(",");
	if (/^\d+(:\d+){1,2}$/.test(time)) return time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
	const found = time.match(/^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)(?:\.\d+)?s?)?$/i);
	return found ? Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0) : 0;
}

const outside = (url) =>
	h("a.outside", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, icon("play"), t("watch", { host: url.hostname }), icon("out"));
