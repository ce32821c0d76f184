// Which key signs, and the buttons that make the next one and take one back.
let states = {};

const INDICATORS = {
	waits: () => [__("Does Not Sign Yet"), "orange", "live_since,is,not set"],
	signs: () => [__("Signs"), "green", "revoked,is,not set"],
	leaves: () => [__("Signs No More"), "blue", "revoked,is,not set"],
	left: () => [__("Taken Out"), "gray", "retired,is,set"],
	revoked: () => [__("Revoked"), "red", "revoked,is,set"],
};

async function read_states(list) {
	const { message } = await frappe.call({ method: "memora.api.gate_keys.listed", type: "GET" });
	states = Object.fromEntries(message.map(({ kid, state }) => [kid, state]));
	list.render_list();
}

async function change(list, method, args) {
	const { message } = await frappe.call({ method: `memora.api.gate_keys.${method}`, type: "POST", args });
	frappe.show_alert({ message: frappe.utils.escape_html(message.message), indicator: "green" });
	await read_states(list);
	list.last_args = null; // else a list that has just been asked for is not asked for again
	list.refresh();
}

let shown = null;

frappe.listview_settings["Memora Gate Key"] = {
	add_fields: ["live_since", "retired", "revoked"],
	get_indicator: (doc) => INDICATORS[states[doc.name]]?.(),
	onload(list) {
		shown = list;
		list.page.add_inner_button(__("Make the Next Key"), () =>
			frappe.confirm(
				__("Make a key? It signs a minute and a half after it has been published. The one before leaves by itself a day later."),
				() => change(list, "rotate")
			)
		);
		read_states(list);
	},
	button: {
		show: (doc) => ["waits", "signs", "leaves"].includes(states[doc.name]),
		get_label: () => __("Revoke"),
		get_description: () => __("The gate refuses all tokens that it has signed."),
		action: (doc) =>
			frappe.confirm(__("Revoke {0}? The gate refuses all tokens that it has signed; apps must get new ones.", [doc.name]), () =>
				change(shown, "revoke", { kid: doc.name })
			),
	},
};
