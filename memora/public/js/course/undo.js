// What can be taken back, the last first. Undoing is an ordinary call, and it asks where it would do more than what was.
import { text_of } from "./kinds";

const MOST = 30;

export class Undo {
	constructor(view) {
		this.view = view;
		this.steps = [];
	}

	push(said, method, args) {
		this.steps.push({ said, method: method.split(".").pop(), args });
		this.steps.splice(0, Math.max(0, this.steps.length - MOST));
		this.view.bar.draw();
	}

	get last() {
		return this.steps[this.steps.length - 1];
	}

	async run() {
		await this.view.queue.idle();
		const step = this.steps.pop();
		if (!step) return this.view.say(__("There is nothing to undo."), true);
		this.view.bar.draw();
		if (takes_down(step) && !(await goes_on(step))) return this.keep(step);
		try {
			const answer = await this.view.queue.add(() => this.view.actions.agreed(step.method, step.args));
			if (!answer) return this.keep(step);
			this.view.say(__("Undone: {0}", [step.said]), true);
		} catch (error) {
			this.view.say(__("This could not be undone: {0}", [text_of(error)]), true, "red");
		}
		this.view.bar.draw();
		return this.view.refresh();
	}

	// One thought better of it.
	keep(step) {
		this.steps.push(step);
		this.view.bar.draw();
	}
}

const takes_down = ({ method, args }) => method === "set_published" && !Number(args.value);

// Whoever goes back key by key should not take a course from its learners unawares.
const goes_on = ({ said }) =>
	new Promise((resolve) => {
		let is_meant = false;
		const dialog = frappe.confirm(memora.publishing.esc(__("Undo “{0}”? Learners lose what that published.", [said])), () => {
			is_meant = true;
		});
		dialog.$wrapper.on("hidden.bs.modal", () => resolve(is_meant));
	});
