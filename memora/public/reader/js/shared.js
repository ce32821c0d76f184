// A link for a colleague: the preview as somebody without an account sees it. The secret is in the address behind #, where no
// server is told of it, and goes to this site in a header. Loaded with ?shared only.

import { h } from "./dom.js?v=459e199b";
import { t } from "./i18n.js?v=f2e1dbaa";
import { state, token } from "./state.js?v=6016eab5";

const API = "/api/method/memora.api.preview_links.";

export const WORDS = {
	en: {
		previewNote: "A preview for those who have its link. Learners read only what is published.",
		previewMissingHint: "It may have been deleted, renamed or moved. Ask whoever gave you the link.",
		sharedOver: "This link does not work.",
		sharedOverHint: "It may have ended or been taken back, or a part of it is missing. Ask whoever gave you the link for another.",
		sharedFails: "This cannot be shown right now.",
		sharedFailsHint: "Something in it has to be corrected first. Tell whoever gave you the link.",
		sharedBusy: "That was a lot at once.",
		sharedBusyHint: "Wait a minute, then try again.",
		sharedBy: "Shared by {name} until {date}.",
		sharedUntil: "Shared until {date}.",
		sharedDrafts: "With drafts",
		sharedPaid: "With paid content",
	},
	ar: {
		previewNote: "معاينة لمن لديه رابطها. لا يقرأ المتعلمون إلا ما نُشر.",
		previewMissingHint: "ربما حُذف أو أُعيدت تسميته أو نُقل. اسأل من أعطاك الرابط.",
		sharedOver: "هذا الرابط لا يعمل.",
		sharedOverHint: "ربما انتهت مدته أو أُلغي، أو ينقصه جزء. اطلب رابطًا آخر ممن أعطاك إياه.",
		sharedFails: "لا يمكن عرض هذا الآن.",
		sharedFailsHint: "فيه ما يجب تصحيحه أولًا. أخبر من أعطاك الرابط.",
		sharedBusy: "كان ذلك كثيرًا دفعة واحدة.",
		sharedBusyHint: "انتظر دقيقة ثم حاول مجددًا.",
		sharedBy: "يشاركه {name} حتى {date}.",
		sharedUntil: "مُشارَك حتى {date}.",
		sharedDrafts: "فيه مسودات",
		sharedPaid: "فيه محتوى مدفوع",
	},
};

const link = { name: "", ends: "" };

export function call(method, args) {
	return fetch(`${API}${method}?${new URLSearchParams(args)}`, {
		credentials: "omit",
		cache: "no-store",
		referrerPolicy: "no-referrer",
		headers: { Accept: "application/json", "X-Memora-Preview-Link": token },
	});
}

// Note who shows it, and until when.
export function begin(place) {
	Object.assign(link, { name: place.made_by, ends: place.ends });
}

// Own what opens the paid parts that come up: whoever has the link is shown them. What was taken off the list stays so.
export function own(access) {
	const item = access?.required_item;
	if (!item || state.known.has(item) || state.items.includes(item)) return;
	state.items = [...state.items, item];
}

// What the banner says of the link, and of what is shown.
export function signs(document, marks) {
	const date = new Intl.DateTimeFormat(state.language, { dateStyle: "long", timeStyle: "short" }).format(new Date(link.ends));
	return [
		h("span.preview-shared", {}, t(link.name ? "sharedBy" : "sharedUntil", { name: link.name, date })),
		Object.keys(marks).length ? h("span.preview-sign", {}, t("sharedDrafts")) : null,
		isPaid(document) ? h("span.preview-sign", {}, t("sharedPaid")) : null,
	].filter(Boolean);
}

function isPaid(value) {
	if (Array.isArray(value)) return value.some(isPaid);
	if (!value || typeof value !== "object") return false;
	return value.access_level === "paid" || Object.entries(value).some(([key, each]) => key !== "stages" && isPaid(each));
}

// The words for what could not be read.
export function explain(status) {
	const words = { 410: "sharedOver", 417: "sharedFails", 429: "sharedBusy" }[status];
	return words ? [t(words), t(`${words}Hint`)] : null;
}

addEventListener("hashchange", () => {
	if (location.hash.slice(1).split("/")[0] !== token) location.reload();
});
document.head.append(h("meta", { name: "robots", content: "noindex, nofollow" }));
