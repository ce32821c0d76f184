// What was typed into a stage and not saved yet: kept in this browser, for this user, until it is saved or discarded. It
// outlives a reload, a closed tab and an ended session. Without a store (a private window may have none) it is not kept.

const STORE = "stages";
const DAYS = 60;
const DAY = 24 * 60 * 60 * 1000;

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

// Runs `work` on the store; → what its request answers, null where there is no store.
async function on_store(mode, work) {
	try {
		const store = (await database()).transaction(STORE, mode).objectStore(STORE);
		return await new Promise((resolve, reject) => {
			const request = work(store);
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
	} catch (error) {
		console.warn(error);
		return null;
	}
}

const user = () => frappe.session.user;
const key_of = (lesson, stage) => JSON.stringify([user(), lesson, stage]);

// What a stage is, to be compared.
export const mark = ({ title, type, config }) => JSON.stringify([title || "", type || "", config ?? ""]);

// `before` is the stage as it was saved when this was typed.
export const keep = (lesson, stage, { title, type, config }, before) =>
	on_store("readwrite", (store) =>
		store.put({ key: key_of(lesson, stage), user: user(), lesson, stage, title, type, config, before, at: Date.now() })
	);

export const drop = (lesson, stage) => on_store("readwrite", (store) => store.delete(key_of(lesson, stage)));

// All that this user has left in a lesson, the newest first. What is old is forgotten.
export async function all_of(lesson) {
	const found = (await on_store("readonly", (store) => store.getAll())) || [];
	const is_old = ({ at }) => at < Date.now() - DAYS * DAY;
	for (const old of found.filter(is_old)) on_store("readwrite", (store) => store.delete(old.key));
	return found
		.filter((each) => !is_old(each) && each.user === user() && each.lesson === lesson)
		.sort((one, other) => other.at - one.at);
}

export const kept = async (lesson, stage) => (await all_of(lesson)).find((each) => each.stage === stage) || null;

// When it was typed, by this computer's clock.
export function moment({ at }) {
	const is_today = new Date(at).toDateString() === new Date().toDateString();
	const style = is_today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
	return new Intl.DateTimeFormat(String(frappe.boot.lang || "en").replaceAll("_", "-"), /** @type {any} */ (style)).format(at);
}
