// Language, light or dark, and as which kind of learner to look. What the visitor chose of it is kept in this browser; what an
// address or a preview says is for this page.

const KEY = "memora-reader";
const KINDS = ["anonymous", "signed-in", "owner"];
const asked = new URLSearchParams(location.search);
const kept = stored();

// A token for the gate (gate.js) that the address brings. It leaves the address at once, so that no bookmark and no link has it.
const brought = /^#token=([\w.-]*)/.exec(location.hash);
export const handed = brought?.[1] ?? "";
if (brought) history.replaceState(null, "", `#${location.hash.slice(brought[0].length)}`);

// A link for a colleague (shared.js), and its secret, which comes before the place behind #.
export const isShared = asked.has("shared");
export const token = isShared ? location.hash.slice(1).split("/")[0] : "";

export const state = {
	language: one(["en", "ar"], asked.get("lang"), kept.language, navigator.language?.startsWith("ar") ? "ar" : "en"),
	theme: one(["auto", "light", "dark"], asked.get("theme"), kept.theme, "auto"),
	kind: one(KINDS, asked.get("as"), kept.kind, "signed-in"),
	items: asked.get("items")?.split(",").filter(Boolean).map(decoded) ?? kept.items ?? [],
	// Items seen in files, to choose from.
	known: new Set(),
};

// The learner as access rules see one.
export const learner = () => ({
	signedIn: state.kind !== "anonymous",
	items: state.kind === "owner" ? state.items : [],
});

// Take what the visitor has chosen.
export function change(values) {
	keep(values);
	Object.assign(state, values);
	dispatchEvent(new CustomEvent("memora-change"));
}

// Of items those that came or went: the others may be the address's or the preview's.
function keep({ items, ...values }) {
	for (const [name, value] of Object.entries(values)) if (value !== state[name]) kept[name] = value;
	if (items) {
		const left = (kept.items ?? []).filter((item) => items.includes(item));
		kept.items = [...new Set([...left, ...items.filter((item) => !state.items.includes(item))])];
	}
	try {
		localStorage.setItem(KEY, JSON.stringify(kept));
	} catch {
		// Without storage the choice lasts as long as the page.
	}
}

function stored() {
	try {
		return JSON.parse(localStorage.getItem(KEY)) ?? {};
	} catch {
		return {};
	}
}

// A comma within an item's code is written %2C, and % is written %25; everything else stays as it is.
function decoded(item) {
	return item.replace(/%2C/gi, ",").replace(/%25/g, "%");
}

function one(values, ...candidates) {
	return candidates.find((candidate) => values.includes(candidate));
}
