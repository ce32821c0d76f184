// Rows that were copied, for this tab and the others: in the browser's clipboard where it lets us, and beside it.
import { keep, kept } from "./kept";
import { above } from "./kinds";

const KEPT = "memora-course-copied";

export class Clipboard {
	constructor(view) {
		this.view = view;
	}

	copy(names, cuts = false) {
		const { outline, selection } = this.view;
		const rows = outline.topmost(names).map((name) => outline.row(name)).filter((row) => !row.is_new && row.parent);
		if (!rows.length) return;
		if (rows.some((row) => row.doctype !== rows[0].doctype)) {
			this.view.say(__("Copy rows of one kind at a time."), true, "orange");
			return;
		}
		const copied = {
			memora: rows.map(({ doctype, name, title }) => ({ doctype, name, title })),
			cuts,
			subject: outline.subject,
		};
		keep(KEPT, copied);
		if (navigator.clipboard) navigator.clipboard.writeText(JSON.stringify(copied)).catch(() => {});
		const said = rows.length === 1 ? rows[0].title : __("{0} rows", [rows.length]);
		this.view.say(cuts ? __("Cut: {0}. Paste it where it goes.", [said]) : __("Copied: {0}", [said]), true);
		selection.clear();
	}

	// What was copied last; `text` is what the browser's clipboard holds, where it was asked.
	copied(text = "") {
		return rows_of(parsed(text)) || rows_of(kept(KEPT));
	}

	kind() {
		const copied = this.copied();
		return copied ? copied.memora[0].doctype : "";
	}

	fits(row) {
		const kind = this.kind();
		return Boolean(kind) && !this.view.outline.found && (row.doctype === kind || row.doctype === above(kind));
	}

	// Behind the row, or into it as the last.
	async paste(name, text = "") {
		const { view } = this;
		const { actions, outline } = view;
		const copied = this.copied(text);
		const row = outline.row(name);
		if (!copied || !row || row.is_new) return;
		const { doctype: kind } = copied.memora[0];
		const is_beside = row.doctype === kind;
		const parent = is_beside ? row.parent : name;
		const refused = outline.found ? __("Leave the search first.") : view.moves.refusal(kind, parent);
		if (refused) {
			view.fail(name, refused);
			return;
		}
		await view.unfold(parent);
		const after = is_beside ? name : outline.children(parent).slice(-1)[0] || "";
		if (copied.cuts && copied.subject === outline.subject) return this.bring(copied, parent, after);
		const rows = copied.memora.map(({ doctype, name: each }) => `${doctype}:${each}`);
		const said = __("Pasted: {0}", [copied.memora.map(({ title }) => title).join(", ")]);
		const answer = await actions.run([parent], "paste", { rows, parent, after }, said);
		if (answer) await actions.show_first(answer.rows);
	}

	// What was cut is moved.
	async bring(copied, parent, after) {
		const { view } = this;
		const { moves, outline } = view;
		const names = copied.memora.map(({ name }) => name);
		for (const name of names) if (!outline.row(name)) await view.open_path(name);
		if (names.some((name) => !outline.row(name))) await view.refresh();
		if (await moves.many(names.filter((name) => outline.row(name)), parent, after)) keep(KEPT, null);
		view.tree.focus(names[0]);
	}
}

const rows_of = (copied) => (copied && Array.isArray(copied.memora) && copied.memora.length ? copied : null);

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

