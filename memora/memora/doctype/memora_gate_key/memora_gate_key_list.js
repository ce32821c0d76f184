// Which key signs, and the buttons that make the next one, accept an app's and take one back.
let states = {};

const INDICATORS = {
	waits: () => [__("Does Not Sign Yet"), "orange", "live_since,is,not set"],
	signs: () => [__("Signs"), "green", "revoked,is,not set"],
	leaves: () => [__("Signs No More"), "blue", "revoked,is,not set"],
	left: () => [__("Taken Out"), "gray", "retired,is,set"],
	announced: () => [__("An App's, Not Accepted Yet"), "orange", "of_app,=,Yes"],
	accepted: () => [__("An App's, Accepted"), "green", "of_app,=,Yes"],
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

function accept(list) {
	frappe.prompt(
		[
			{ fieldname: "kid", fieldtype: "Data", label: __("Name"), description: __("The <code>kid</code> in the app's tokens."), reqd: 1 },
			{
				fieldname: "public_key",
				fieldtype: "Small Text",
				label: __("Public Key"),
				description: __("As PEM, of Ed25519: <code>openssl pkey -in gate.pem -pubout</code> prints it. The private key stays with the app."),
				reqd: 1,
			},
		],
		(values) => change(list, "accept", values),
		__("Accept an App's Key"),
		__("Accept")
	);
}

let shown = null;

frappe.listview_settings["Memora Gate Key"] = {
	add_fields: ["live_since", "retired", "revoked", "of_app"],
	get_indicator: (doc) => INDICATORS[states[doc.name]]?.(),
	onload(list) {
		shown = list;
		list.page.add_inner_button(__("Make the Next Key"), () =>
			frappe.confirm(
				__("Make a key? It signs a minute and a half after it has been published. The one before leaves by itself a day later."),
				() => change(list, "rotate")
			)
		);
		list.page.add_inner_button(__("Accept an App's Key"), () => accept(list));
		read_states(list);
	},
	button: {
		show: (doc) => ["waits", "signs", "leaves", "announced", "accepted"].includes(states[doc.name]),
		get_label: () => __("Revoke"),
		get_description: () => __("The gate refuses all tokens that it has signed."),
		action: (doc) =>
			frappe.confirm(__("Revoke {0}? The gate refuses all tokens that it has signed; apps must get new ones.", [doc.name]), () =>
				change(shown, "revoke", { kid: doc.name })
			),
	},
};
