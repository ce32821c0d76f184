// Who is signed in at the reader's own site.

// Frappe says so in a cookie for scripts.
export const user = () => /(?:^|; )user_id=([^;]*)/.exec(document.cookie)?.[1] ?? "";

export const isGuest = () => ["", "Guest"].includes(user());

// Where to sign in, and come back to this place.
export const loginAddress = () => `/login?redirect-to=${encodeURIComponent(location.pathname + location.search + location.hash)}`;
