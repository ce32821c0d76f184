// What a learner has done and where they were, kept in this browser for each place of published files. Nothing is sent. The
// editors' preview keeps none.

import { base, preview } from "./cdn.js?v=1813956c";

const KEY = `memora-progress:${base}`;

// The lessons that are done, each with its unit; and of each plan where to go on: subject, unit, lesson, title.
/** @type {{ done: Map<string, string>, here: Map<string, string[]> }} */
let kept;
look();

export const isKept = !preview;
export const isDone = (lesson) => kept.done.has(lesson);
export const isAny = () => kept.done.size + kept.here.size > 0;
export const here = (plan) => kept.here.get(plan) ?? [];

// How many lessons of a unit are done, of those that are there now.
export const doneIn = (unit, lessons) => Math.min(lessons, [...kept.done.values()].filter((one) => one === unit).length);

// A learner opens a lesson, or is sent on to it: `way` is its subject, unit and own id.
export const goTo = (plan, way, title) => change(() => kept.here.set(plan, [...way, title]));

export const mark = (lesson, unit, done) => change(() => (done ? kept.done.set(lesson, unit) : kept.done.delete(lesson)));

// At the end of a subject there is nothing to go on with.
export const leave = (plan) => change(() => kept.here.delete(plan));

export const forget = () => change(() => [kept.done, kept.here].forEach((all) => all.clear()));

// Read again what is kept: another tab may have changed it.
export function look() {
	try {
		const { done, here } = preview ? {} : JSON.parse(localStorage.getItem(KEY) ?? "{}");
		const isWay = ([, way]) => Array.isArray(way) && way.length === 4 && way.every((part) => typeof part === "string");
		kept = { done: new Map(done), here: new Map([...new Map(here)].filter(isWay)) };
	} catch {
		kept ??= { done: new Map(), here: new Map() };
	}
}

function change(what) {
	if (preview) return;
	look();
	what();
	try {
		localStorage.setItem(KEY, JSON.stringify({ done: [...kept.done], here: [...kept.here] }));
	} catch {
		// Without storage progress lasts as long as the page: what is not kept cannot be read again.
	}
}
