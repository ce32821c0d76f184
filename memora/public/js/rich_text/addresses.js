// Which addresses a text may name, and which of them the editor itself loads.

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const RASTER = /^data:image\/(?:png|jpe?g|gif|webp|avif|bmp);base64,[a-z0-9+/=\s]+$/i;
const FILES = /^\/(?:files|private\/files|assets)\//;

// Browsers read an address without the signs below a space, wherever they are.
// eslint-disable-next-line no-control-regex
const bare = (address) => String(address ?? "").replace(/[\u0000-\u0020]+/g, "");

// May a link lead there?
export function is_link(address) {
	const scheme = SCHEME.exec(bare(address));
	return !scheme || /^(?:https?|mailto|tel|sms):$/i.test(scheme[0]);
}

// May a picture be there?
export function is_picture(address) {
	const scheme = SCHEME.exec(bare(address));
	return !scheme || /^https?:$/i.test(scheme[0]) || RASTER.test(String(address).trim());
}

export const is_data = (address) => /^data:/i.test(bare(address));

// The address that the editor loads for a picture. Of this site only files: what else a GET might do, a picture never does.
export function loaded(address) {
	if (!address || !is_picture(address)) return null;
	if (is_data(address)) return address;
	try {
		const url = new URL(address, window.location.origin);
		return url.origin !== window.location.origin || FILES.test(url.pathname) ? url.href : null;
	} catch {
		return null;
	}
}
