// What was typed into a stage and not saved yet: kept in this browser, for this user, until it is saved or discarded. It
// outlives a reload, a closed tab and an ended session. Without a store (a private window may have none) it is not kept.

const STORE = "stages";
const NEW = "new";
const DAYS = 60;
const PATIENCE = 5000;
const DAY = 24 * 60 * 60 * 1000;
const LEFT = "memora-stage-left:"; // what a page had no time to put into the store

let opened = null;

function database() {
	opened =
		opened ||
		new Promise((resolve, reject) => {
			const request = indexedDB.open("memora", 1);
			request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
	return opened;
}

async function answer_of(mode, work) {
	const transaction = (await database()).transaction(STORE, mode);
	return await new Promise((resolve, reject) => {
		const request = work(transaction.objectStore(STORE));
		transaction.oncomplete = () => resolve(request.result);
		transaction.onabort = () => reject(transaction.error);
	});
}

const late = () => new Promise((_, reject) => setTimeout(() => reject(new Error("The browser's store does not answer")), PATIENCE));

// Runs `work` on the store; → what its request answers, null where there is no store: no editor waits for one that does not answer.
async function on_store(mode, work) {
	try {
		return await Promise.race([answer_of(mode, work), late()]);
	} catch (error) {
		console.warn(error);
		return null;
	}
}

const user = () => frappe.session.user;
const key_of = (lesson, stage) => JSON.stringify([user(), lesson, stage]);

// What a stage is, to be compared.
export const mark = ({ title, type, config }) => JSON.stringify([title || "", type || "", config ?? ""]);

function on_left(work) {
	try {
		return work(localStorage);
	} catch (error) {
		console.warn(error);
		return null;
	}
}

let made = 0;

// What a stage that has no name yet is kept as: each of them as itself.
export const fresh_name = () => `${NEW}-${Date.now()}-${++made}`;

export const is_new = ({ stage }) => stage.startsWith(NEW);

const record = (lesson, stage, { title, type, config }, before, of) => ({
	key: key_of(lesson, stage),
	user: user(),
	lesson,
	stage,
	title,
	type,
	config,
	before,
	of,
	at: Date.now(),
});

// `before` is the stage as it was saved when this was typed, `of` the lesson's title.
export async function keep(lesson, stage, typed, before, of = "") {
	const kept_now = record(lesson, stage, typed, before, of);
	if ((await on_store("readwrite", (store) => store.put(kept_now))) === null) return;
	on_left((left) => {
		const text = left.getItem(LEFT + kept_now.key);
		if (text && JSON.parse(text).at <= kept_now.at) left.removeItem(LEFT + kept_now.key);
	});
}

// The same at once, for a page that goes: the store may have no time to answer. What has no room here is left to the store.
export const leave = (lesson, stage, typed, before, of = "") =>
	on_left((left) => left.setItem(LEFT + key_of(lesson, stage), JSON.stringify(record(lesson, stage, typed, before, of))));

export function drop(lesson, stage) {
	on_left((left) => left.removeItem(LEFT + key_of(lesson, stage)));
	return on_store("readwrite", (store) => store.delete(key_of(lesson, stage)));
}

// What pages have left goes into the store.
async function gather() {
	const texts = on_left((left) => {
		const names = Object.keys(left).filter((each) => each.startsWith(LEFT));
		return names.map((name) => {
			const text = left.getItem(name);
			left.removeItem(name);
			return text;
		});
	});
	for (const text of texts || []) await on_store("readwrite", (store) => store.put(JSON.parse(text)));
}

// All that this user has left, the newest first. What is old is forgotten.
export async function all() {
	await gather();
	const found = (await on_store("readonly", (store) => store.getAll())) || [];
	const is_old = ({ at }) => at < Date.now() - DAYS * DAY;
	for (const old of found.filter(is_old)) on_store("readwrite", (store) => store.delete(old.key));
	return found.filter((each) => !is_old(each) && each.user === user()).sort((one, other) => other.at - one.at);
}

export const all_of = async (lesson) => (await all()).filter((each) => each.lesson === lesson);

export const kept = async (lesson, stage) => (await all_of(lesson)).find((each) => each.stage === stage) || null;

// When it was typed, by this computer's clock.
export function moment({ at }) {
	const is_today = new Date(at).toDateString() === new Date().toDateString();
	const style = is_today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
	return new Intl.DateTimeFormat(String(frappe.boot.lang || "en").replaceAll("_", "-"), /** @type {any} */ (style)).format(at);
}
