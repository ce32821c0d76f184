// What can be done to rows, whether a key, a button, the menu or the bar of chosen rows asks for it.
import { asked_text } from "./ask";
import { can_be_typed, change, LESSON, STAGE, SUBJECT, text_of } from "./kinds";

const ref = (row) => `${row.doctype}:${row.name}`;

export class Actions {
	constructor(view) {
		this.view = view;
	}

	// Calls until what follows is agreed to; null where one thinks better of it.
	agreed(method, args) {
		return memora.publishing.agreed((agreed) => change(method, agreed ? { ...args, agreed } : args));
	}

	act(action, name, target, event) {
		const { view } = this;
		const { outline, selection, titles, tree } = view;
		const row = outline.row(name);
		const acts = {
			fold: () => {
				tree.focus(name);
				return view.toggle(name);
			},
			choose: () => (event.shiftKey ? selection.to(name) : selection.toggle(name)),
			rename: () => titles.rename(name),
			open: () => this.open(name),
			add_below: () => titles.add(name),
			add_last: () => titles.add(name),
			preview: () => this.preview(name),
			reveal: () => view.search.reveal(name),
			retry: () => this.retry(name),
			dismiss: () => this.dismiss(row),
			menu: () => view.menu.open(name, { under: target }),
		};
		return acts[action]();
	}

	retry(name) {
		const { view } = this;
		view.errors.delete(name);
		const again = view.again.get(name);
		view.draw();
		if (again) again();
	}

	dismiss(row) {
		const { view } = this;
		view.errors.delete(row.name);
		view.again.delete(row.name);
		if (row.is_new) {
			const parent = view.outline.row(row.parent);
			if (parent) parent.children -= 1;
			view.outline.remove(row.name);
		}
		view.draw();
	}

	// Rows that are chosen, if this is one of them; else this row.
	these(name) {
		const { outline } = this.view;
		return outline.chosen.has(name) ? [...outline.chosen] : [name];
	}

	rows(names) {
		return names.map((name) => this.view.outline.row(name)).filter((row) => row && !row.is_new);
	}

	// Does something to rows by a method that may ask first, and notes how to undo it.
	async run(names, method, args, said) {
		const { view } = this;
		const answer = await view.change_rows(names, method, args, true);
		if (!answer) return null;
		if (answer.undo) view.undo.push(said, answer.undo.method, answer.undo.args);
		view.say(said, true, "green");
		return answer;
	}

	named(rows) {
		return rows.length === 1 ? rows[0].title : __("{0} rows", [rows.length]);
	}

	publish(names, value, with_below = 0) {
		const rows = this.rows(names).filter((row) => row.doctype !== STAGE);
		if (!rows.length) return null;
		const said = value ? __("Published: {0}", [this.named(rows)]) : __("Unpublished: {0}", [this.named(rows)]);
		return this.run(names, "set_published", { rows: rows.map(ref), value, below: with_below }, said);
	}

	// The whole course, and a run for it: whoever publishes everything waits for learners to see it.
	async publish_all() {
		const answer = await this.publish([this.view.outline.subject], 1, 1);
		return answer && this.publish_now();
	}

	// What is live, as a learner of the plan that is looked through reads it, else of the first that has it.
	async view_as_learner() {
		const { subject, plan } = this.view.outline;
		const { plans } = await memora.publishing.ask("document_status", { doctype: SUBJECT, name: subject });
		const live = plans.filter(({ reader }) => reader);
		const shown = live.find((one) => one.plan === plan) || live[0];
		if (shown) window.open(shown.reader, "_blank", "noopener");
		else this.view.say(__("No plan shows this course to learners yet."), true, "orange");
	}

	// Of a stage its lesson's.
	history(name) {
		const row = this.view.outline.row(name);
		const of = row.doctype === STAGE ? { doctype: LESSON, name: row.parent, title: row.parent_title } : row;
		const title = of.title || (this.view.outline.row(of.name) || {}).title;
		return memora.history.show({ doctype: of.doctype, name: of.name, title, on_change: () => this.view.refresh() });
	}

	make_live(name) {
		const [row] = this.rows([name]);
		return this.run([name], "make_live", { doctype: row.doctype, name }, __("Published: {0}", [row.title]));
	}

	free(names, value) {
		const rows = this.rows(names).filter((row) => row.doctype !== STAGE);
		if (!rows.length) return null;
		const said = value ? __("Free preview: {0}", [this.named(rows)]) : __("No free preview: {0}", [this.named(rows)]);
		return this.run(names, "set_free_preview", { rows: rows.map(ref), value }, said);
	}

	async duplicate(names, with_below = 0) {
		const { view } = this;
		const rows = this.rows(view.outline.topmost(names));
		if (!rows.length) return;
		const answer = await this.run(names, "duplicate", { rows: rows.map(ref), below: with_below }, __("Duplicated: {0}", [this.named(rows)]));
		if (answer) await this.show_first(answer.rows);
	}

	async show_first(rows) {
		await this.view.refresh();
		if (rows.length) this.view.tree.focus(rows[0].name);
	}

	// The server asks, except for one draft without anything below it: that is undone in a moment.
	async delete(names) {
		const { view } = this;
		const rows = this.rows(view.outline.topmost(names));
		if (!rows.length) return;
		const holds = rows.some((row) => row.doctype !== LESSON && row.children) ? 1 : 0;
		const next = this.after_deletion(rows);
		const answer = await this.run(names, "delete", { rows: rows.map(ref), below: holds }, __("Deleted: {0}", [this.named(rows)]));
		if (!answer) return;
		if (rows.some((row) => row.doctype === SUBJECT)) {
			frappe.set_route("memora-course");
			return;
		}
		view.outline.chosen.clear();
		await view.refresh();
		view.tree.focus(next);
	}

	// What comes back is shown where it was.
	show_trash() {
		const { view } = this;
		memora.show_trash({ subject: view.outline.subject }, async ({ name, subject }) => {
			if (subject === view.outline.subject) await view.reveal(name);
		});
	}

	after_deletion(rows) {
		const { outline } = this.view;
		const gone = rows.map((row) => row.name);
		const [{ name, parent }] = rows;
		const siblings = outline.siblings(name);
		const later = siblings.slice(siblings.indexOf(name)).find((each) => !gone.includes(each));
		return later || siblings.filter((each) => !gone.includes(each)).pop() || parent;
	}

	open_form(name) {
		const row = this.view.outline.row(name);
		if (!row || row.is_new) return;
		if (row.doctype === STAGE) frappe.set_route("Form", LESSON, row.parent);
		else frappe.set_route("Form", row.doctype, row.name);
	}

	// What Enter does: a stage has an editor, all else a form.
	open(name) {
		const row = this.view.outline.row(name);
		if (row && row.doctype === STAGE) this.view.stages.open(name);
		else this.open_form(name);
	}

	// What follows F2's neighbour keys: a new sibling, or a child of what has none beside it.
	add_beside(name) {
		const { outline, titles } = this.view;
		const row = outline.row(name);
		if (outline.found || !row || row.is_new) return null;
		if (row.doctype === SUBJECT) return titles.add(name);
		if (!can_be_typed(row.doctype)) return titles.add(row.parent);
		return titles.add(row.parent, name);
	}

	preview(name) {
		const row = this.view.outline.row(name);
		if (!row || row.is_new) return;
		const shown = row.doctype === STAGE ? { doctype: LESSON, name: row.parent } : row;
		window.open(memora.publishing.preview_url(shown.doctype, shown.name, this.view.outline.plan), "_blank", "noopener");
	}

	share(name) {
		const { outline } = this.view;
		const row = outline.row(name);
		if (!row || row.is_new || row.doctype === STAGE) return;
		memora.publishing.share_preview({ doctype: row.doctype, name, title: row.title, plan: outline.plan });
	}

	// Through the eyes of a plan: what it makes of this row.
	async override(name, action) {
		const { outline } = this.view;
		const { plan } = outline;
		const [row] = this.rows([name]);
		if (!plan || !row) return;
		let value = "";
		if (action === "Rename") value = await asked_text(__("Its title in this plan"), __("Title"), row.plan_title || row.title);
		if (action === "Set Sold Separately") {
			value = await asked_text(__("Sell it separately in this plan"), __("Item Code"), row.required_item || "", __("Empty: the item that it has or inherits."));
		}
		if (value === null || (action === "Rename" && !value)) return;
		await this.run([name], "set_override", { plan, doctype: row.doctype, name, action, value }, __("Changed in this plan: {0}", [row.title]));
	}

	// Questions of a spreadsheet or of GIFT, as the lesson's last stages.
	async import_questions(name) {
		const { view } = this;
		const row = view.outline.row(name);
		const answer = await memora.stages.import_questions({ lesson: name, title: row.title, is_live: row.is_published });
		if (!answer) return view.tree.focus(name);
		const said = __("Questions that came in: {0}", [answer.rows.length]);
		view.undo.push(said, answer.undo.method, answer.undo.args);
		view.say(said, true, "green");
		if (!view.outline.found) await view.unfold(name);
		await this.show_first(answer.rows);
	}

	// Starts a run for what waits.
	publish_now() {
		return memora.publishing.publish_now(SUBJECT, this.view.outline.subject).then(
			() => this.view.live.watch.now(),
			(error) => this.view.bar.fail(text_of(error))
		);
	}
}

