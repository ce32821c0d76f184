// From an address to its documents: #/plan/subject/unit/lesson, each part an id. A fifth part is the id of
// a place in the lesson's texts.

import { gate, read, ReadError } from "./cdn.js?v=1813956c";
/** @import { Lesson, Manifest, PlansIndex, Subject, Unit } from "../../contract/memora" */
import { state, token } from "./state.js?v=6016eab5";

export const link = (...ids) => `#${token}/${ids.map(encodeURIComponent).join("/")}`;

export const parse = (hash) => parts(hash).slice(0, 4);

export const place = (hash) => parts(hash)[4] ?? "";

function parts(hash) {
	try {
		const address = token && hash.startsWith(`#${token}`) ? hash.slice(token.length + 1) : hash;
		return address.replace(/^#?\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
	} catch {
		return [];
	}
}

/**
 * The documents on the way to an address: what `view` needs.
 * @typedef {object} Course
 * @property {"plans" | "plan" | "subject" | "unit" | "lesson"} view
 * @property {PlansIndex["plans"]} plans
 * @property {PlansIndex["plans"][0]} [plan]
 * @property {Manifest} [manifest]
 * @property {Manifest["subjects"][0]} [subjectEntry]
 * @property {Subject} [subject]
 * @property {Subject["tracks"][0]} [track]
 * @property {Subject["tracks"][0]["units"][0]} [unitEntry]
 * @property {Unit} [unit]
 * @property {Unit["topics"][0]} [topic]
 * @property {Unit["topics"][0]["lessons"][0]} [lessonEntry]
 */

/**
 * All documents on the way to an address. Only what is needed is read, by the links in the files.
 * @param {string[]} address
 * @returns {Promise<Course>}
 */
export async function load([planId, subjectId, unitId, lessonId]) {
	/** @type {PlansIndex} */
	const index = await read("plans/index.json");
	if (planId === undefined) return { view: "plans", plans: index.plans };
	const plan = listed(index.plans, (entry) => entry.plan_id === planId, planId);
	/** @type {Course} */
	const course = { view: "plan", plans: index.plans, plan, manifest: await read(plan.url) };
	noteItems(course.manifest.subjects);
	if (subjectId === undefined) return course;

	const subjectEntry = listed(course.manifest.subjects, (entry) => entry.id === subjectId, subjectId);
	/** @type {Subject} */
	const subject = await read(subjectEntry.url);
	Object.assign(course, { view: "subject", subjectEntry, subject });
	noteItems(subject.tracks, ...subject.tracks.map((track) => track.units));
	if (unitId === undefined) return course;

	const track = listed(subject.tracks, (entry) => entry.units.some((unit) => unit.id === unitId), unitId);
	const unitEntry = track.units.find((entry) => entry.id === unitId);
	/** @type {Unit} */
	const unit = await read(unitEntry.url);
	Object.assign(course, { view: "unit", track, unitEntry, unit });
	noteItems(unit.topics, ...unit.topics.map((topic) => topic.lessons));
	if (lessonId === undefined) return course;

	const topic = listed(unit.topics, (entry) => entry.lessons.some((lesson) => lesson.id === lessonId), lessonId);
	const lessonEntry = topic.lessons.find((entry) => entry.id === lessonId);
	return { ...course, view: "lesson", topic, lessonEntry };
}

/**
 * A lesson, read again if its signed addresses have expired.
 * @param {Course} course
 * @returns {Promise<Lesson>}
 */
export async function lessonOf(course) {
	/** @type {Lesson} */
	const lesson = await read(course.lessonEntry.url);
	const over = lesson.signed_url_expiry && Date.parse(lesson.signed_url_expiry) <= Date.now();
	const shown = over ? await read(course.lessonEntry.url, { anew: true }) : lesson;
	await gate?.fetchFiles(shown);
	return shown;
}

/**
 * The unit of a neighbour of this unit's lessons: this one, or the next with lessons in it.
 * @param {Course} course
 * @param {string} lessonId
 * @param {1 | -1} step
 */
export function unitOfNeighbour(course, lessonId, step) {
	if (course.unit.topics.some((topic) => topic.lessons.some((lesson) => lesson.id === lessonId))) return course.unit.id;
	const units = course.subject.tracks.flatMap((track) => track.units);
	let place = units.findIndex((unit) => unit.id === course.unit.id) + step;
	while (units[place] && !units[place].lesson_count) place += step;
	return units[place]?.id;
}

function listed(entries, wanted, id) {
	const entry = entries.find(wanted);
	if (!entry) throw new ReadError(id, 404);
	return entry;
}

function noteItems(...lists) {
	for (const { access } of lists.flat()) if (access.required_item) state.known.add(access.required_item);
}
