// What this browser keeps for the page. Where it keeps nothing (no room, a private window), the page goes without.
export function kept(key) {
	try {
		return JSON.parse(localStorage.getItem(key));
	} catch {
		return null;
	}
}

export function keep(key, value) {
	try {
		localStorage.setItem(key, JSON.stringify(value));
	} catch {
		// the page works without
	}
}
