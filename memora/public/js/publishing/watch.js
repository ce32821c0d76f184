// Follows publishing while something on the screen wants to know: by Frappe's realtime, and by asking again, often
// where no socket is connected and now and then where one is. It stops when the element leaves the page.
frappe.provide("memora.publishing");

const EVENT = "memora_publishing";
const SOON = 2500;
const LATER = 30000;
const RARELY = 60000;
const LOOKS_AFTER = 2; // what a run leaves behind, its record, can come a moment after its end

// watch({ element, refresh, busy }): `refresh` returns a promise, and `busy` says whether a change is near. Returns
// `now`, which refreshes at once, and `stop`.
memora.publishing.watch = function ({ element, refresh, busy }) {
	let timer = null;
	let ended = false;
	let looks_due = 0;

	const hears = () => Boolean(frappe.realtime.socket && frappe.realtime.socket.connected);
	const seen = () => document.visibilityState === "visible" && $(element).is(":visible");

	function again() {
		clearTimeout(timer);
		if (ended) return;
		looks_due = busy() ? 1 + LOOKS_AFTER : Math.max(looks_due - 1, 0);
		const pause = hears() ? RARELY : looks_due ? SOON : LATER;
		timer = setTimeout(look, pause);
	}

	function look() {
		if (!document.body.contains(element)) return stop();
		return seen() ? now() : again();
	}

	function now() {
		clearTimeout(timer);
		return Promise.resolve(refresh()).catch(() => {}).then(again);
	}

	function on_message() {
		clearTimeout(timer);
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
