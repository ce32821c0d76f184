// Markup that an editor wrote, made harmless by DOMPurify. Without it markup is shown as text.

const PURIFY = "../../node_modules/dompurify/dist/purify.min.js?v=3.4.18";
const RULES = {
	USE_PROFILES: { html: true },
	FORBID_TAGS: ["style", "form", "input", "button", "select", "textarea", "dialog", "template", "audio", "video", "source"],
	FORBID_ATTR: ["style", "class", "id", "name", "tabindex", "contenteditable", "srcset", "popover", "popovertarget"],
	ALLOW_DATA_ATTR: false,
	ALLOWED_URI_REGEXP: /^https?:/i,
	RETURN_DOM_FRAGMENT: true,
};

let library;

export async function sanitised(markup) {
	library ??= import(PURIFY).then(() => globalThis.DOMPurify);
	try {
		const fragment = (await library).sanitize(markup, RULES);
		for (const anchor of fragment.querySelectorAll("a[href]")) {
			anchor.target = "_blank";
			anchor.rel = "noopener noreferrer nofollow";
		}
		for (const image of fragment.querySelectorAll("img")) image.loading = "lazy";
		for (const block of fragment.querySelectorAll("p, li, td, th, blockquote, h1, h2, h3, h4, h5, h6, dd, dt")) {
			if (!block.dir) block.dir = "auto";
		}
		for (const code of fragment.querySelectorAll("pre, code")) code.dir = "ltr";
		for (const code of fragment.querySelectorAll("pre")) code.tabIndex = 0;
		return fragment;
	} catch {
		library = undefined;
		return document.createTextNode(markup);
	}
}
