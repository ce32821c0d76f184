// What was typed into a stage and not saved yet: kept in this browser, for this user, until it is saved or discarded. It
// outlives a reload, a closed tab and an ended session. What the store does not take (a private window may have none, it may
// be full) is left beside it, as far as there is room.

const STORE = "stages";
const NEW = "new";
const DAYS = 60;
const PATIENCE = 5000;
const DAY = 24 * 60 * 60 * 1000;
const LEFT = "memora-stage-left:"; // what is not in the store: a page had no time for it, or the store did not take it

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

// The name of a stage that is saved may begin with the same letters: it is a random one.
export const is_new = ({ stage }) => stage === NEW || stage.startsWith(`${NEW}-`);

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

const latest = new Map(); // what this page has kept last, by key; nothing where that was dropped

// `before` is the stage as it was saved when this was typed, `of` the lesson's title.
export async function keep(lesson, stage, typed, before, of = "") {
	const kept_now = record(lesson, stage, typed, before, of);
	latest.set(kept_now.key, kept_now);
	if ((await on_store("readwrite", (store) => store.put(kept_now))) !== null) forget_left(kept_now);
	else if (latest.get(kept_now.key) === kept_now) leave_record(kept_now);
}

// The same at once, for a page that goes: the store may have no time to answer. What has no room here is left to the store.
export const leave = (lesson, stage, typed, before, of = "") => leave_record(record(lesson, stage, typed, before, of));

export const drop = (lesson, stage) => forget(key_of(lesson, stage));

function forget(key) {
	latest.delete(key);
	on_left((left) => left.removeItem(LEFT + key));
	return on_store("readwrite", (store) => store.delete(key));
}

const leave_record = (kept_now) => on_left((left) => left.setItem(LEFT + kept_now.key, JSON.stringify(kept_now)));

// What was left before this goes, and what can't be read.
function forget_left({ key, at }) {
	on_left((left) => {
		const text = left.getItem(LEFT + key);
		if (text !== null && !(left_record(key, text)?.at > at)) left.removeItem(LEFT + key);
	});
}

// What pages have left. What can't be read stays where it is.
function all_left() {
	const read = (left) =>
		Object.keys(left)
			.filter((name) => name.startsWith(LEFT))
			.map((name) => left_record(name.slice(LEFT.length), left.getItem(name)));
	return (on_left(read) || []).filter(Boolean);
}

function left_record(key, text) {
	try {
		const found = JSON.parse(text);
		if (found?.key === key) return found;
	} catch (error) {
		console.warn(error);
	}
	return null;
}

// What pages have left goes into the store, unless it has something newer; it stays where it is until the store has it.
const gather = (left) =>
	Promise.all(
		left.map(async (each) => {
			const put_if_newer = (store) => {
				const found = store.get(each.key);
				found.onsuccess = () => found.result?.at > each.at || store.put(each);
				return found;
			};
			if ((await on_store("readwrite", put_if_newer)) !== null) forget_left(each);
		})
	);

// All that this user has left, the newest first. What is old is forgotten.
export async function all() {
	const left = all_left();
	const [stored] = await Promise.all([on_store("readonly", (store) => store.getAll()), gather(left)]);
	const newest = new Map();
	for (const each of [...(stored || []), ...left]) {
		if (!(newest.get(each.key)?.at > each.at)) newest.set(each.key, each);
	}
	const found = [...newest.values()];
	const is_old = ({ at }) => at < Date.now() - DAYS * DAY;
	for (const old of found.filter(is_old)) forget(old.key);
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
