// The kinds of rows from the top down, and what people read about each.

export const SUBJECT = "Memora Subject";
export const LESSON = "Memora Lesson";
export const STAGE = "Memora Lesson Stage";
export const PLAN = "Memora Academic Plan";
export const KINDS = [SUBJECT, "Memora Track", "Memora Unit", "Memora Topic", LESSON, STAGE];

export const below = (kind) => KINDS[KINDS.indexOf(kind) + 1] || "";
export const above = (kind) => KINDS[KINDS.indexOf(kind) - 1] || "";

// What is added by typing its title. A new stage is a Text; its editor has the rest of it.
export const can_be_typed = (kind) => KINDS.indexOf(kind) > 0;

// "track", "stage": for classes of CSS.
export const slug = (kind) => kind.split(" ").pop().toLowerCase();

const WORDS = {
	[SUBJECT]: () => ({ one: __("Course"), title: __("Title of the course") }),
	"Memora Track": () => ({
		one: __("Track"),
		add: __("Add Track"),
		first: __("Type the first track's title"),
		title: __("Type a track's title"),
		count: (number) => __("Tracks: {0}", [number]),
		place: __("A track belongs directly below the course."),
	}),
	"Memora Unit": () => ({
		one: __("Unit"),
		add: __("Add Unit"),
		first: __("Type the first unit's title"),
		title: __("Type a unit's title"),
		count: (number) => __("Units: {0}", [number]),
		place: __("A unit belongs in a track."),
	}),
	"Memora Topic": () => ({
		one: __("Topic"),
		add: __("Add Topic"),
		first: __("Type the first topic's title"),
		title: __("Type a topic's title"),
		count: (number) => __("Topics: {0}", [number]),
		place: __("A topic belongs in a unit."),
	}),
	[LESSON]: () => ({
		one: __("Lesson"),
		add: __("Add Lesson"),
		first: __("Type the first lesson's title"),
		title: __("Type a lesson's title"),
		count: (number) => __("Lessons: {0}", [number]),
		place: __("A lesson belongs in a topic."),
	}),
	[STAGE]: () => ({
		one: __("Stage"),
		add: __("Add Stage"),
		first: __("Type the first stage's title"),
		title: __("Type a stage's title"),
		count: (number) => __("Stages: {0}", [number]),
		place: __("A stage belongs in a lesson."),
	}),
};

export const words = (kind) => WORDS[kind]();

// Icons of our own, since Frappe's have other names in each version.
const PATHS = {
	chevron: "M6 4l4 4-4 4",
	add: "M8 3v10M3 8h10",
	more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
	pencil: "M3 13l.7-3 6.8-6.8 2.3 2.3L6 12.3zM9.2 4.5l2.3 2.3",
	eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 100-4 2 2 0 000 4",
	hidden: "M2 2l12 12M6.3 3.8A6 6 0 018 3.5C12 3.5 14.5 8 14.5 8a12 12 0 01-2 2.6M9.9 12.2A6 6 0 018 12.5C4 12.5 1.5 8 1.5 8a12 12 0 012.3-2.8",
	lock: "M4 7.5h8v6H4zM5.5 7.5V5.2a2.5 2.5 0 015 0v2.3",
	gift: "M2.5 6h11v2.5h-11zM3.5 8.5v5h9v-5M8 6v7.5M8 6C5 6 4.6 2.6 6.3 2.6 7.6 2.6 8 6 8 6s.4-3.4 1.7-3.4C11.4 2.6 11 6 8 6",
	globe: "M8 14A6 6 0 108 2a6 6 0 000 12M2 8h12M8 2c2.4 2.2 2.4 9.8 0 12M8 2c-2.4 2.2-2.4 9.8 0 12",
	person: "M8 8a2.6 2.6 0 100-5.2A2.6 2.6 0 008 8M3 13.5c.5-5 9.5-5 10 0",
	close: "M4 4l8 8M12 4l-8 8",
	search: "M7 12A5 5 0 107 2a5 5 0 000 10M10.7 10.7L14 14",
	undo: "M6 3L3 6l3 3M3 6h6a4 4 0 010 8H6",
	keys: "M1.5 4.5h13v7h-13zM4 7h.01M6.5 7h.01M9 7h.01M11.5 7h.01M5 9.5h6",
	check: "M3.5 8.5l3 3 6-7",
	trash: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.6 7v4M9.4 7v4",
};

export function icon(name) {
	const { html } = memora.publishing;
	return html`<svg class="memora-icon is-${name}" viewBox="0 0 16 16" aria-hidden="true"><path d="${PATHS[name]}"></path></svg>`;
}

// What the server said went wrong, as one text.
export const { text_of } = memora.publishing;

const listed = (args) =>
	Object.fromEntries(
		Object.entries(args).map(([name, value]) => [name, Array.isArray(value) ? JSON.stringify(value) : value])
	);

// What is refused is a rejected promise, and no message of Frappe's.
export const read = (method, args = {}) =>
	memora.publishing.ask(`memora.api.outline.${method}`, listed(args), { quiet: true });

export const change = (method, args = {}) =>
	memora.publishing.ask(`memora.api.course.${method}`, listed(args), { quiet: true, post: true });
