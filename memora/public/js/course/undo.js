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
		try {
			const answer = await this.view.actions.agreed(step.method, step.args);
			if (!answer) return this.steps.push(step); // one thought better of it
			this.view.say(__("Undone: {0}", [step.said]), true);
		} catch (error) {
			this.view.say(__("This could not be undone: {0}", [text_of(error)]), true, "red");
		}
		this.view.bar.draw();
		return this.view.refresh();
	}
}
