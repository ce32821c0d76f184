// What the page changes goes to the server one after the other, in the order in which people did it: each change may build
// on the one before. Reading waits until all of it is through.
export class Queue {
	constructor() {
		this.last = Promise.resolve();
		this.waiting = 0;
		this.count = 0; // of changes that have begun
	}

	add(work) {
		this.waiting += 1;
		this.count += 1;
		const result = this.last.then(work);
		this.last = result.catch(() => {}).then(() => {
			this.waiting -= 1;
		});
		return result;
	}

	// When nothing waits any more, also nothing that was added meanwhile.
	async idle() {
		while (this.waiting) await this.last;
	}
}
