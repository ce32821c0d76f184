// Preview changes: what a plan's next run would do, and first of all who could read what afterwards.
const { esc, level, typed, html, put } = memora.publishing;

memora.publishing.show_preview = function (plan, title) {
	const dialog = new frappe.ui.Dialog({
		title: __("The next run of {0}", [esc(typed(title) || plan)]),
		size: "large",
		fields: [{ fieldname: "body", fieldtype: "HTML" }],
		primary_action_label: __("Publish Now"),
		primary_action() {
			memora.publishing.publish_now("Memora Academic Plan", plan).then(() => {
				dialog.hide();
				if (window.cur_frm && cur_frm.memora_status) cur_frm.memora_status.watch.now();
			});
		},
	});
	dialog.$wrapper.addClass("memora-preview-dialog");
	const $body = dialog.get_field("body").$wrapper;
	put($body, html`<p class="text-muted memora-pad">${__("Making everything as the next run would …")}</p>`);
	dialog.disable_primary_action();
	dialog.show();
	memora.publishing
		.ask("preview_changes", { plan }, { quiet: true })
		.then((found) => {
			put($body, preview_html(found));
			dialog.enable_primary_action();
		})
		.catch((error) =>
			put(
				$body,
				html`
				<div class="alert alert-danger" role="alert">
					<b>${__("The next run would fail, and what is live would stay.")}</b><br>
					${memora.publishing.message_of(error)}
				</div>`
			)
		);
	return dialog;
};

function preview_html(found) {
	const changes = ["lost", "narrowed", "widened", "added", "moved", "changed", "removed"];
	if (!changes.some((key) => found.counts[key])) {
		return html`<div class="memora-empty"><b>${__("Nothing would change.")}</b><br>${__(
			"What is on the CDN is what the plan says."
		)}</div>`;
	}
	return [access_html(found), brake_html(found), lessons_html(found), files_html(found), purge_html(found)];
}

// First of all what learners lose: nothing else of a run is so hard to take back.
function access_html(found) {
	const { lost, widened, narrowed } = found.counts;
	if (!lost && !widened && !narrowed) {
		return html`<p class="memora-preview-calm">${__("Nobody gains or loses access to a lesson that is live.")}</p>`;
	}
	return [
		lost_list(found),
		access_list(found, "narrowed", "warning", __("Lessons that fewer could read: {0}", [narrowed])),
		access_list(found, "widened", "danger", __("Paid lessons that could be read without paying: {0}", [widened])),
	];
}

function lost_list(found) {
	if (!found.lost.length) return "";
	const causes = {
		hidden: __("hidden in this plan"),
		unpublished: __("unpublished, itself or what is above it"),
		deleted: __("deleted"),
		moved: __("moved out of this plan"),
	};
	const rows = found.lost.map((row) => html`<li>${lesson_link(row)} <span class="text-muted">${causes[row.cause]}</span></li>`);
	return html`<div class="alert alert-danger"><b>${__("Live lessons that learners lose: {0}", [
		found.counts.lost,
	])}</b><ul class="memora-plain-list">${listed(rows, found.counts.lost)}</ul></div>`;
}

const lesson_link = (row) =>
	row.cause === "deleted"
		? html`<bdi>${row.title}</bdi>`
		: html`<a href="${frappe.utils.get_form_link("Memora Lesson", row.lesson)}"><bdi>${row.title}</bdi></a>`;

// The rows of a list; the answer holds only the first of them.
function listed(rows, count) {
	const more = count - rows.length;
	return more > 0 ? [...rows, html`<li>${__("and {0} more", [more])}</li>`] : rows;
}

function access_list(found, key, look, title) {
	if (!found.counts[key]) return "";
	const arrow = frappe.utils.is_rtl() ? "←" : "→";
	const rows = found[key].map(
		(row) =>
			html`<li>${lesson_link(row)} ${level(
				row.before
			)} ${arrow} <b>${level(row.after)}</b></li>`
	);
	return html`<div class="alert alert-${look}"><b>${title}</b><ul class="memora-plain-list">${listed(rows, found.counts[key])}</ul></div>`;
}

function brake_html(found) {
	if (!found.is_large) return "";
	if (!found.guard_is_on) {
		return html`<p class="text-muted">${__(
			"Hold Large Changes is off in CDN Settings, so this goes out without asking."
		)}</p>`;
	}
	return html`<div class="alert alert-info"><b>${__("This is held until an admin approves it.")}</b> ${
		found.counts.widened
			? __("Paid lessons stay paid until then; everything else goes out.")
			: __("Nothing of this run goes out until then.")
	}</div>`;
}

function lessons_html(found) {
	return html`<p>${__("Lessons now: {0}, afterwards: {1}", [found.live_lessons, found.lessons])}</p>`;
}

function files_html(found) {
	return [
		["added", __("Files added"), "green"],
		["moved", __("Files at another address"), "gray"],
		["changed", __("Files changed"), "blue"],
		["removed", __("Files removed"), "red"],
	]
		.map(([key, title, color]) => {
			const paths = key === "moved" ? found.moved.map(([, to]) => to) : found[key];
			const title_of = (path) => (found.titles[path] ? html`<bdi>${found.titles[path]}</bdi> ` : "");
			const name = (path) => html`${title_of(path)}<code dir="ltr">${path}</code>`;
			const head = html`<span class="indicator ${color}"></span>${title} <b>${found.counts[key]}</b>`;
			if (!paths.length) return html`<div class="memora-files text-muted">${head}</div>`;
			return html`
				<details class="memora-files"><summary>${head}</summary>
					<ul>${listed(paths.map((path) => html`<li>${name(path)}</li>`), found.counts[key])}</ul>
				</details>`;
		});
}

function purge_html(found) {
	if (!found.purges) return html`<p class="text-muted">${__("No CDN cache is set up, so nothing is purged.")}</p>`;
	return html`
		<details class="memora-files"><summary>${__("URLs purged from the CDN's cache")} <b>${found.counts.purge_urls}</b></summary>
			<ul dir="ltr">${listed(
				found.purge_urls.map((url) => html`<li><code>${url}</code></li>`),
				found.counts.purge_urls
			)}</ul>
		</details>`;
}
