frappe.ui.form.on("CDN Settings", {
	refresh(frm) {
		frm.add_custom_button(__("Test Connection"), () => test_connection(frm));
		frm.add_custom_button(__("Dashboard"), () => frappe.set_route("cdn-export-dashboard"));
		show_health(frm);
		// Keys that a provider has made: Frappe would send each to the server to judge it, and call it weak.
		for (const { fieldname } of frm.meta.fields.filter((df) => df.fieldtype === "Password")) {
			frm.get_field(fieldname).disable_password_checks();
		}
	},
});

function show_health(frm) {
	const { ask, ago, until, purged, html, fill, join } = memora.publishing;
	ask("memora.api.cdn_admin.get_health", {}, { quiet: true }).then((health) => {
		const runs = [
			health.last_batch_at ? fill(__("Last batch {0}"), ago(health.last_batch_at)) : __("No batch has run yet"),
			health.next_run ? __("next {0}", [until(health.next_run, health.now)]) : "",
			purged(health.purges),
		];
		const warnings = health.warnings.map(
			(warning) => html`<li><b>${warning.message}</b> ${warning.fix}</li>`
		);
		frm.get_field("gate_status").$wrapper.text(health.gate ? health.gate.message : "");
		frm.dashboard.clear_headline();
		const list = warnings.length ? html`<ul class="memora-plain-list">${warnings}</ul>` : "";
		frm.dashboard.set_headline(
			String(html`${join(runs, " · ")}${list}`),
			warnings.length ? "orange" : "blue"
		);
	});
}

// The button of the message that refuses a bucket which cannot be written to.
memora.publishing.save_settings_anyway = function () {
	const frm = cur_frm;
	frm.doc.__save_anyway = 1;
	return frm.save().finally(() => delete frm.doc.__save_anyway);
};

function test_connection(frm) {
	if (frm.is_dirty()) {
		return frm.save().then(() => test_connection(frm));
	}
	const { ask, html, pill, put, message_of } = memora.publishing;
	const dialog = new frappe.ui.Dialog({
		title: __("Test Connection"),
		size: "large",
		fields: [{ fieldname: "body", fieldtype: "HTML" }],
		primary_action_label: __("Test Again"),
		primary_action: () => run(),
	});
	const $body = dialog.get_field("body").$wrapper;
	const looks = {
		ok: ["green", __("Fine")],
		warning: ["orange", __("Look")],
		error: ["red", __("Broken")],
	};

	function run() {
		dialog.disable_primary_action();
		put(
			$body,
			html`<p class="text-muted memora-pad">${__("Writing, reading and removing two small files …")}</p>`
		);
		ask("memora.api.cdn_admin.test_connection", {}, { post: true, quiet: true })
			.then(({ findings }) => {
				const rows = findings.map(
					(finding) => html`
						<li>
							${pill(...looks[finding.level])}
							<span>${finding.message}${
						finding.fix && html`<br><span class="text-muted">${finding.fix}</span>`
					}</span>
						</li>`
				);
				put($body, html`<ul class="memora-findings" aria-live="polite">${rows}</ul>`);
			})
			.catch((error) =>
				put($body, html`<div class="alert alert-danger" role="alert">${message_of(error)}</div>`)
			)
			.finally(() => dialog.enable_primary_action());
	}

	dialog.show();
	run();
}
