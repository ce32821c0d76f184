// One function a page: a course as `course.load` gives it, to what is shown.

import { itemsAsked, missing } from "./access.js?v=8d1364d1";
import { address, gate } from "./cdn.js?v=1813956c";
import { lessonOf, link, unitOfNeighbour } from "./course.js?v=b9f200e3";
import { bdi, h, icon } from "./dom.js?v=459e199b";
import { t } from "./i18n.js?v=f2e1dbaa";
import * as progress from "./progress.js?v=2f7e8af0";
import { change, learner, state } from "./state.js?v=6016eab5";

/** @import { Course } from "./course.js?v=b9f200e3" */

/**
 * A page: the heading that gets the focus, the main column, and the column beside it.
 * @param {Course} course
 * @returns {Promise<{ title: string, main: Node[], aside?: Node, colour?: string }>}
 */
export async function page(course) {
	const views = { plans, plan, subject, unit, lesson };
	progress.look();
	return views[course.view](course);
}

// plans

/** @param {Course} course */
function plans(course) {
	return {
		title: t("plans"),
		main: [
			h("header.hero", {}, heading(t("plans")), h("p.lead", {}, t("plansLead"))),
			course.plans.length
				? h("ul.cards", {}, course.plans.map((entry) => h("li", {}, planCard(entry))))
				: empty(t("noPlans")),
		],
	};
}

const planCard = (entry) =>
	h(
		"a.card.plan-card",
		{ href: link(entry.plan_id) },
		h("h2", node("plan", entry.plan_id), bdi(entry.title)),
		h("p.tags", {}, facts(entry).map((fact) => h("span.tag", {}, bdi(fact))))
	);

const facts = (plan) => [plan.season, plan.grade, plan.stream].filter(Boolean);

// a plan: its subjects

/** @param {Course} course */
function plan(course) {
	const { manifest } = course;
	return {
		title: manifest.title,
		main: [
			h(
				"header.hero",
				{},
				heading(manifest.title, "plan", manifest.plan_id),
				h("p.tags", {}, facts(manifest).map((fact) => h("span.tag", {}, bdi(fact))), h("span.tag", {}, t("subjects", { n: manifest.subjects.length })))
			),
			goOn(course),
			progress.isAny()
				? h("p.row-note", {}, t("progressNote"), " ", h("button.quiet", { type: "button", onclick: forget }, t("forget")))
				: null,
			manifest.subjects.length
				? h("ul.cards", {}, manifest.subjects.map((entry) => h("li", {}, subjectCard(course, entry))))
				: empty(t("noSubjects")),
		],
	};
}

function forget() {
	progress.forget();
	change({});
}

// The way to the lesson where the learner was, if it is below what is shown.
/** @param {Course} course */
function goOn({ plan, manifest, subject }) {
	const [subjectId, unitId, lessonId, title] = progress.here(plan.plan_id);
	const isThere = subject
		? subject.id === subjectId && subject.tracks.some((track) => track.units.some((unit) => unit.id === unitId))
		: manifest.subjects.some((entry) => entry.id === subjectId);
	if (!isThere) return null;
	return h(
		"a.go-on",
		{ href: link(plan.plan_id, subjectId, unitId, lessonId) },
		h("span.row-text", {}, h("span.row-note", {}, t("continueHere")), h("strong", {}, bdi(title))),
		icon("arrow")
	);
}

const subjectCard = (course, entry) =>
	h(
		"a.card.subject-card",
		{ href: link(course.plan.plan_id, entry.id), "--subject": colour(entry) },
		picture(entry),
		h("div.card-text", {}, h("h2", node("subject", entry.id), bdi(entry.title)), about(entry)),
		badge(entry.access, entry.access)
	);

// a subject: its tracks and units

/** @param {Course} course */
function subject(course) {
	const { subject } = course;
	return {
		title: subject.title,
		aside: outline(course),
		colour: colour(subject),
		main: [
			trail(course),
			h(
				"header.hero.subject-hero",
				{},
				picture(subject),
				h(
					"div",
					{},
					heading(subject.title, "subject", subject.id),
					about(subject, "lead"),
					h(
						"p.tags",
						{},
						h("span.tag", {}, t("units", { n: subject.stats.total_units })),
						h("span.tag", {}, t("lessons", { n: subject.stats.total_lessons })),
						badge(subject.access, course.subjectEntry.access)
					)
				)
			),
			goOn(course),
			subject.tracks.length ? subject.tracks.map((track) => trackSection(course, track)) : empty(t("noUnits")),
		],
	};
}

const trackSection = (course, track) =>
	h(
		"section.track",
		{},
		h("header.track-head", {}, h("h2", node("track", track.id), bdi(track.title)), badge(track.access, course.subjectEntry.access, { listed: true })),
		about(track),
		track.units.length
			? h("ul.rows", {}, track.units.map((entry) => h("li", {}, unitRow(course, entry))))
			: empty(t("noUnits"))
	);

const unitRow = (course, entry) =>
	h(
		"a.row",
		{ href: link(course.plan.plan_id, course.subject.id, entry.id) },
		entry.badge_image || entry.image ? h("img.row-picture", { src: address(entry.badge_image ?? entry.image) || null, alt: "", loading: "lazy" }) : null,
		h(
			"span.row-text",
			{},
			h("strong", node("unit", entry.id), bdi(entry.title)),
			h("span.row-note", {}, entry.description ? [bdi(entry.description), h("br")] : null, unitFacts(entry))
		),
		badge(entry.access, course.subjectEntry.access, { listed: true }),
		icon("arrow")
	);

function unitFacts({ id, topic_count: topics, lesson_count: lessons }) {
	const done = progress.doneIn(id, lessons);
	const facts = [t("topics", { n: topics }), t("lessons", { n: lessons }), done ? t("doneOf", { done, n: lessons }) : ""];
	return facts.filter(Boolean).join(" · ");
}

// a unit: its topics and lessons

/** @param {Course} course */
function unit(course) {
	const { unit } = course;
	return {
		title: unit.title,
		aside: outline(course),
		colour: colour(course.subject),
		main: [
			trail(course),
			h(
				"header.hero",
				{},
				heading(unit.title, "unit", unit.id),
				about(unit, "lead"),
				h("p.tags", {}, h("span.tag", {}, t("lessons", { n: unit.stats.total_lessons })), badge(unit.access, course.subjectEntry.access))
			),
			unit.topics.length ? unit.topics.map((topic) => topicSection(course, topic)) : empty(t("noLessons")),
		],
	};
}

const topicSection = (course, topic) =>
	h(
		"section.track",
		{},
		h("header.track-head", {}, h("h2", node("topic", topic.id), bdi(topic.title)), badge(topic.access, course.subjectEntry.access, { listed: true })),
		about(topic),
		topic.lessons.length
			? h("ol.rows", {}, topic.lessons.map((entry) => h("li", {}, lessonRow(course, entry))))
			: empty(t("noLessons"))
	);

const lessonRow = (course, entry) =>
	h(
		"a.row",
		{ href: link(course.plan.plan_id, course.subject.id, course.unit.id, entry.id) },
		h("span.row-number", { "aria-hidden": "true" }),
		h(
			"span.row-text",
			{},
			h("strong", node("lesson", entry.id), bdi(entry.title)),
			h("span.row-note", {}, entry.description ? [bdi(entry.description), h("br")] : null, t("steps", { n: entry.stage_count }))
		),
		progress.here(course.plan.plan_id)[2] === entry.id ? h("span.badge.is-here", {}, t("continueHere")) : null,
		progress.isDone(entry.id) ? h("span.badge.is-owned", {}, icon("check"), t("lessonDone")) : null,
		badge(entry.access, course.subjectEntry.access, { listed: true })
	);

// a lesson: its stages, or why they are locked

/** @param {Course} course */
async function lesson(course) {
	const entry = course.lessonEntry;
	const lacks = missing(entry.access, course.subjectEntry.access, learner());
	const parts = { title: entry.title, aside: outline(course), colour: colour(course.subject) };
	const head = h(
		"header.hero",
		{},
		heading(entry.title, "lesson", entry.id),
		about(entry, "lead"),
		h("p.tags", {}, h("span.tag", {}, t("steps", { n: entry.stage_count })), badge(entry.access, course.subjectEntry.access))
	);
	if (lacks) return { ...parts, main: [trail(course), head, locked(course, lacks)] };

	let document;
	try {
		document = await lessonOf(course);
	} catch (error) {
		const refused = gate?.refusal(error, itemsAsked(entry.access, course.subjectEntry.access));
		if (!refused) throw error;
		head.querySelector(".is-owned")?.remove();
		return { ...parts, main: [trail(course), head, refused] };
	}
	const { stages } = await import("./stages.js?v=bc2f8ea7");
	const image = address(document.image);
	const shown = await stages(document.stages);
	const own = [course.subject.id, course.unit.id, entry.id];
	if (!progress.isDone(entry.id)) progress.goTo(course.plan.plan_id, own, entry.title);
	return {
		...parts,
		main: [
			trail(course),
			head,
			image ? h("img.lesson-picture", { src: image, alt: "", loading: "lazy" }) : null,
			shown.length ? shown : empty(t("noStages")),
			shown.length && progress.isKept ? finish(course, document.navigation.next_lesson, shown) : null,
			neighbours(course, document.navigation),
		],
	};
}

// Says that a lesson is done: the learner by a button, or the last of its questions that was answered right.
/**
 * @param {Course} course
 * @param {import("../../contract/memora").Lesson["navigation"]["next_lesson"]} next
 * @param {HTMLElement[]} shown
 */
function finish(course, next, shown) {
	const { plan, subject, unit, lessonEntry: entry } = course;
	const button = h("button.quiet.mark-done", { type: "button" }, icon("check"), t("markDone"));
	const tell = () => button.setAttribute("aria-pressed", String(progress.isDone(entry.id)));
	const set = (done) => {
		progress.mark(entry.id, unit.id, done);
		if (!done) progress.goTo(plan.plan_id, [subject.id, unit.id, entry.id], entry.title);
		else if (next) progress.goTo(plan.plan_id, [subject.id, unitOfNeighbour(course, next.id, 1), next.id], next.title);
		else progress.leave(plan.plan_id);
		tell();
	};
	button.addEventListener("click", () => set(!progress.isDone(entry.id)));
	for (const stage of shown) {
		stage.addEventListener("memora-answer", () => {
			const forms = shown.flatMap((one) => [...one.querySelectorAll("form")]);
			if (forms.every((form) => form.querySelector(".verdict:is(.right, .noted)"))) set(true);
		});
	}
	tell();
	return h("p.finish", {}, button, h("span.row-note", {}, t("progressNote")));
}

/** @param {Course} course */
function locked(course, lacks) {
	const items = itemsAsked(course.lessonEntry.access, course.subjectEntry.access);
	const signIn = lacks === "sign-in";
	const become = signIn
		? { kind: "signed-in" }
		: { kind: "owner", items: [...new Set([...state.items, ...items])] };
	return h(
		"section.locked",
		{},
		h("span.locked-mark", {}, icon("lock")),
		h("h2", {}, t(signIn ? "signIn" : "buy")),
		h("p", {}, signIn ? t("signInHint") : t("buyHint", { n: items.length })),
		signIn ? null : h("ul.tags", {}, items.map((item) => h("li.tag", {}, h("bdi", {}, h("code", {}, item))))),
		h("button", { type: "button", onclick: () => change(become) }, t(signIn ? "signInButton" : "buyButton"))
	);
}

/**
 * @param {Course} course
 * @param {import("../../contract/memora").Lesson["navigation"]} navigation
 */
function neighbours(course, { previous_lesson: previous, next_lesson: next }) {
	const to = (neighbour, step, words) => {
		const unitId = unitOfNeighbour(course, neighbour.id, step);
		return h(
			`a.neighbour.${step < 0 ? "previous" : "next"}`,
			{
				href: link(course.plan.plan_id, course.subject.id, unitId, neighbour.id),
				rel: step < 0 ? "prev" : "next",
			},
			icon("arrow"),
			h("span", {}, h("small", {}, words), h("strong", {}, bdi(neighbour.title)))
		);
	};
	return h(
		"nav.neighbours",
		{ "aria-label": `${t("previous")} / ${t("next")}` },
		previous ? to(previous, -1, t("previous")) : h("span"),
		next ? to(next, 1, t("next")) : h("p.note", {}, icon("check"), t("done"))
	);
}

// what several pages share

const heading = (title, kind, id) => h("h1", { tabindex: "-1", ...(id && node(kind, id)) }, bdi(title));

// Says of an element which document's title it holds.
const node = (kind, id) => ({ "data-node": `${kind}:${id}` });

const about = (node, style = "about") => (node.description ? h(`p.${style}`, {}, bdi(node.description)) : null);

const empty = (words) => h("p.empty", {}, words);

function picture(node) {
	const image = address(node.image);
	if (image) return h("span.picture", {}, h("img", { src: image, alt: "", loading: "lazy" }));
	return h("span.picture", { "aria-hidden": "true" }, h("span.initial", {}, initial(node.title)));
}

// The first letter, with the marks that belong to it.
const initial = (title) => [...new Intl.Segmenter().segment(title.trim().replace(/^ال(?=.)/, ""))][0]?.segment;

const colour = (node) => (node.color_code && CSS.supports("color", node.color_code) ? node.color_code : null);

// What an access level is to this learner, in a word and a sign. In lists what is simply open needs no word.
function badge(access, subjectAccess, { listed = false } = {}) {
	const level = access.access_level;
	const lacks = missing(access, subjectAccess, learner());
	if (lacks) {
		const items = itemsAsked(access, subjectAccess).join(" + ");
		const words = lacks === "buy" ? t("paid") : t("signInShort");
		return h(`span.badge.is-${lacks}`, { title: items || null }, icon("lock"), words);
	}
	if (level === "paid") return h("span.badge.is-owned", {}, icon("check"), t("owned"));
	if (level === "free_preview") return h("span.badge.is-free", {}, icon("gift"), t("free_preview"));
	return level === "public" && !listed ? h("span.badge.is-public", {}, t("public")) : null;
}

/** @param {Course} course */
function trail(course) {
	const { plan, subject, unit, view } = course;
	const steps = [[link(plan.plan_id), plan.title]];
	if (view === "unit" || view === "lesson") steps.push([link(plan.plan_id, subject.id), subject.title]);
	if (view === "lesson") steps.push([link(plan.plan_id, subject.id, unit.id), unit.title]);
	return h(
		"nav.trail",
		{ "aria-label": t("path") },
		h("ol", {}, steps.map(([href, title]) => h("li", {}, h("a", { href }, bdi(title)))))
	);
}

// The subject's units, and the lessons of the one at hand.
/** @param {Course} course */
function outline(course) {
	const { plan, subject, view } = course;
	const unitItem = (entry) => {
		const here = view !== "subject" && entry.id === course.unit.id;
		return h(
			"li",
			{},
			h(
				"a.outline-unit",
				{ href: link(plan.plan_id, subject.id, entry.id), "aria-current": here && view === "unit" ? "page" : null, ...node("unit", entry.id) },
				bdi(entry.title),
				missing(entry.access, course.subjectEntry.access, learner()) ? icon("lock") : null
			),
			here
				? h("ul", {}, course.unit.topics.flatMap((topic) => topic.lessons).map((one) => lessonItem(entry, one)))
				: null
		);
	};
	const lessonItem = (unitEntry, entry) =>
		h(
			"li",
			{},
			h(
				"a.outline-lesson",
				{
					href: link(plan.plan_id, subject.id, unitEntry.id, entry.id),
					"aria-current": view === "lesson" && entry.id === course.lessonEntry.id ? "page" : null,
					...node("lesson", entry.id),
				},
				bdi(entry.title),
				missing(entry.access, course.subjectEntry.access, learner()) ? icon("lock") : null
			)
		);
	return h(
		"nav.outline",
		{ "aria-label": t("contents") },
		h("a.outline-subject", { href: link(plan.plan_id, subject.id), "aria-current": view === "subject" ? "page" : null }, bdi(subject.title)),
		subject.tracks
			.filter((track) => track.units.length)
			.map((track) => [
				subject.tracks.length > 1 ? h("p.outline-track", node("track", track.id), bdi(track.title)) : null,
				h("ul", {}, track.units.map(unitItem)),
			])
	);
}
