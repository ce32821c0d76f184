// Work on an element once it is near what is seen, a few milliseconds at a time: a text may hold thousands of them.

const SLICE = 12;
const works = new WeakMap();
const queue = [];
let observer;
let isWorking = false;

export function whenNear(element, work) {
	observer ??= watching();
	works.set(element, work);
	element.dataset.waits = "";
	observer.observe(element);
}

function watching() {
	// What is printed is seen, all of it.
	addEventListener("beforeprint", () => document.querySelectorAll("[data-waits]").forEach(now));
	return new IntersectionObserver(
		(entries) => {
			queue.push(...entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target));
			if (!isWorking) next();
		},
		{ rootMargin: "100% 0px" }
	);
}

function next() {
	const until = performance.now() + SLICE;
	while (queue.length && performance.now() < until) now(queue.shift());
	isWorking = queue.length > 0;
	if (isWorking) requestAnimationFrame(() => setTimeout(next));
}

function now(element) {
	const work = works.get(element);
	works.delete(element);
	observer.unobserve(element);
	delete element.dataset.waits;
	work?.();
}
