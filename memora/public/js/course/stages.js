// Stages are opened and made in their own editor, and each is saved whole.
import { all, all_of, fresh_name, is_new } from "../stages/kept";

const API = "memora.api.stages.";

export class Stages {
	constructor(view) {
		this.view = view;
		this.opening = null;
		this.unsaved = new Set(); // the rows with what was typed and not saved: stages, and lessons of new ones
	}

	// Looks again at what this browser keeps, and marks it in the outline.
	async look() {
		const found = await all();
		this.unsaved = new Set(found.map((one) => (is_new(one) ? one.lesson : one.stage)));
		this.view.draw();
	}

	// However often it is asked for: a double click opens one editor.
	open(name) {
		this.opening = this.opening || this.read_and_edit(name).finally(() => (this.opening = null));
		return this.opening;
	}

	async read_and_edit(name) {
		const { view } = this;
		const row = view.outline.row(name);
		if (!row || row.is_new) return null;
		try {
			const found = await memora.publishing.ask(`${API}read`, { name }, { quiet: true });
			return await memora.stages.edit({
				...found,
				save_label: __("Save"),
				on_save: (stage) => this.save(found.lesson, stage),
				on_gone: () => this.look(),
			});
		} catch (error) {
			return view.fail(name, memora.publishing.text_of(error));
		}
	}

	// A new one behind the stage `after`: first what was typed for this lesson and not saved, if there is some.
	async add(lesson, after = "", is_another = false) {
		const row = this.view.outline.row(lesson);
		const left = is_another ? null : (await all_of(lesson)).find(is_new);
		return memora.stages.edit({
			lesson,
			lesson_title: row.title,
			is_published: row.is_published,
			stage: { name: "", title: "", type: "", config: null },
			kept_as: left ? left.stage : fresh_name(),
			save_label: __("Save"),
			on_save: (stage) => this.save(lesson, stage, after),
			on_gone: () => this.look(),
			another: () => this.add(lesson, after, true),
		});
	}

	// → {changed} where someone else has changed it meanwhile.
	async save(lesson, { name, title, type, config, seen = "" }, after = "") {
		const { view } = this;
		const args = { lesson, stage: JSON.stringify({ name, title, type, config }), seen, after };
		const answer = await view.queue.add(() => memora.publishing.ask(`${API}save`, args, { post: true, quiet: true }));
		if (answer.changed) return answer;
		await view.refresh();
		view.tree.focus(answer.row.name);
		view.say(__("Saved: {0}", [answer.row.title]), true, "green");
		return answer;
	}
}
