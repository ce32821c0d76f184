// Who may open what: docs/contract.md, "Access", as code.

// What a learner lacks to open something: "" (nothing), "sign-in" or "buy".
export function missing(access, subjectAccess, learner) {
	const level = access.access_level;
	if (level === "public" || level === "free_preview") return "";
	if (level === "authenticated") return learner.signedIn ? "" : "sign-in";
	const owned = learner.signedIn && itemsAsked(access, subjectAccess).every((item) => learner.items.includes(item));
	return owned ? "" : "buy";
}

// The items that a paid node asks for.
export function itemsAsked(access, subjectAccess) {
	if (access.access_level !== "paid") return [];
	const subjectItem = access.parent_item_required && subjectAccess.required_item;
	return [...new Set([access.required_item, subjectItem || access.required_item])];
}
