// Follows publishing while something on the screen wants to know: by Frappe's realtime, and by asking again. Where a
// socket is connected that is now and then; where none is, often at first and ever less, since each question costs the
// server an answer. It stops when the element leaves the page.
frappe.provide("memora.publishing");

const EVENT = "memora_publishing";
const SOON = 2500;
const SOON_TIMES = 6; // then each pause is half as long again as the one before, up to LATER
const LATER = 30000;
const RARELY = 60000;
const LOOKS_AFTER = 2; // what a run leaves behind, its record, can come a moment after its end

// watch({ element, refresh, busy }): `refresh` returns a promise, and `busy` says whether a change is near. Returns
// `now`, which refreshes at once, and `stop`.
memora.publishing.watch = function ({ element, refresh, busy }) {
	let timer = null;
	let ended = false;
	let looks_due = 0;
	let asked = 0; // since something happened here

	const hears = () => Boolean(frappe.realtime.socket && frappe.realtime.socket.connected);
	const seen = () => document.visibilityState === "visible" && $(element).is(":visible");

	function again() {
		clearTimeout(timer);
		if (ended) return;
		looks_due = busy() ? 1 + LOOKS_AFTER : Math.max(looks_due - 1, 0);
		timer = setTimeout(look, hears() ? RARELY : looks_due ? soon() : LATER);
	}

	const soon = () => Math.min(LATER, SOON * 1.5 ** Math.max(0, asked++ - SOON_TIMES));

	function look() {
		if (!document.body.contains(element)) return stop();
		return seen() ? ask() : again();
	}

	function now() {
		asked = 0;
		return ask();
	}

	function ask() {
		clearTimeout(timer);
		return Promise.resolve(refresh()).catch(() => {}).then(again);
	}

	function on_message() {
		clearTimeout(timer);
		asked = 0;
		timer = setTimeout(look, 300);
	}

	function on_visible() {
		if (document.visibilityState === "visible") on_message();
	}

	function stop() {
		ended = true;
		clearTimeout(timer);
		frappe.realtime.off(EVENT, on_message);
		document.removeEventListener("visibilitychange", on_visible);
	}

	frappe.realtime.on(EVENT, on_message);
	document.addEventListener("visibilitychange", on_visible);
	now();
	return { now, stop };
};
