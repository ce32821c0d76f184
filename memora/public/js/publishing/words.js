// Words and small pieces that several screens share.
frappe.provide("memora.publishing");

const API = "memora.api.publishing.";

// What the caller itself says: Frappe would open a dialog for it.
const QUIET = Object.fromEntries(
	["ValidationError", "PermissionError", "DoesNotExistError", "LinkExistsError", "LinkValidationError", "DuplicateEntryError",
		"MandatoryError", "UniqueValidationError", "TimestampMismatchError"].map((type) => [type, () => {}])
);

// A stage's config, which is JSON, holds HTML by design, and Frappe would show it as such in reports.
frappe.form.formatters.JSON = frappe.form.formatters.JSON || frappe.form.formatters.Code;

const { esc, html } = memora.publishing;

// Content from the top down, each with the field that names its parent.
const PARENT_FIELDS = {
	"Memora Subject": "",
	"Memora Track": "parent_subject",
	"Memora Unit": "parent_track",
	"Memora Topic": "parent_unit",
	"Memora Lesson": "parent_topic",
};

Object.assign(memora.publishing, {
	PARENT_FIELDS,

	// A text of a form, with the signs for which the database holds stand-ins (plain_text.py).
	typed: (text) => String(text ?? "").replaceAll("\ufe64", "<").replaceAll("\ufe65", ">"),

	// What the server said went wrong, as one text; what was on lines of its own stays apart.
	text_of: (error) =>
		frappe.utils
			.html2text(String(memora.publishing.message_of(error)).replace(/<(?:br|\/p|\/li|\/div)\b/gi, " $&"))
			.replace(/\s+/g, " ")
			.trim(),

	// Ask the server without freezing the page; errors come back as a rejected promise, also those that Frappe
	// itself reports to no caller, such as a proxy's answer.
	ask: (method, args = {}, options = {}) =>
		new Promise((resolve, reject) =>
			frappe.call({
				method: method.includes(".") ? method : API + method,
				args,
				type: options.post ? "POST" : "GET",
				error_handlers: options.quiet ? QUIET : undefined,
				btn: options.button,
				callback: (answer) => resolve(answer.message),
				error: reject,
			}).then(reject, reject)
		),

	// What the CDN was asked to forget this month: its bill counts it.
	purged(found) {
		if (!found) return "";
		return found.budget
			? __("purged this month: {0} of {1}", [found.used, found.budget])
			: __("purged this month: {0}", [found.used]);
	},

	// A moment as people say it, with the exact one behind it, and whose clock that is.
	ago: (moment) =>
		moment
			? html`<time class="frappe-timestamp" data-timestamp="${moment}" title="${`${frappe.datetime.str_to_user(
					moment
			  )} ${zone()}`}">${frappe.datetime.prettyDate(moment)}</time>`
			: "",

	// How long until a moment, by the server's clock.
	until(moment, now) {
		const seconds = Math.round((as_date(moment) - as_date(now)) / 1000);
		if (seconds < 60) return __("in less than a minute");
		const minutes = Math.round(seconds / 60);
		if (minutes === 1) return __("in one minute");
		if (minutes < 60) return __("in {0} minutes", [minutes]);
		const hours = Math.round(minutes / 60);
		return hours === 1 ? __("in about one hour") : __("in about {0} hours", [hours]);
	},

	pill: (color, label) => html`<span class="indicator-pill ${color}"><span>${label}</span></span>`,

	level: (level) =>
		({
			public: __("Public", null, "Access level"),
			authenticated: __("Signed in", null, "Access level"),
			paid: __("Paid", null, "Access level"),
			free_preview: __("Free preview", null, "Access level"),
		}[level] || level),

	// Start a batch and say so.
	publish_now: (doctype, name, button) =>
		memora.publishing.ask("publish_now", { doctype, name }, { post: true, button }).then((started) => {
			frappe.show_alert({ message: esc(started.message), indicator: "blue" });
			return started;
		}),
});

// Frappe's times are the site's; later versions show them in the user's.
const zone = () => (frappe.boot.time_zone && (frappe.boot.time_zone.user || frappe.boot.time_zone.system)) || "";

function as_date(moment) {
	return new Date(String(moment).replace(" ", "T").slice(0, 19)).getTime();
}
