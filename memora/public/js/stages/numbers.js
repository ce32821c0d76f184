// Numbers and moments of a film as people type them, in the digits of any keyboard.

const ZEROS = [0x30, 0x660, 0x6f0, 0x966, 0xff10];

// With Western digits and a point; "" stays "".
export function western(text) {
	const digits = Array.from(text.trim(), (letter) => {
		const code = letter.codePointAt(0);
		const zero = ZEROS.find((first) => code >= first && code < first + 10);
		return zero === undefined ? letter : String(code - zero);
	}).join("");
	const written = digits.replaceAll("٫", ".").replaceAll("٬", "").replace(/[−–]/g, "-").replace(/[\u200e\u200f\u061c]/g, "");
	return /^[-+]?\d*,\d+$/.test(written) ? written.replace(",", ".") : written;
}

// undefined where nothing is typed, NaN where it is no number.
export function number_of(text) {
	const written = western(text);
	return written ? Number(written) : undefined;
}

// "1:30" and "90" are 90 seconds.
export function seconds_of(text) {
	const parts = western(text).split(":");
	if (parts.length > 3 || (parts.length > 1 && parts.some((part) => !/^\d+(\.\d+)?$/.test(part)))) return NaN;
	return parts.join("") ? parts.reduce((sum, part) => sum * 60 + Number(part), 0) : undefined;
}

export function as_moment(seconds) {
	if (!(seconds >= 60)) return String(seconds);
	const [minutes, rest] = [Math.floor(seconds / 60), Math.round((seconds % 60) * 1000) / 1000];
	const padded = (part) => (part < 10 ? `0${part}` : String(part));
	return minutes < 60 ? `${minutes}:${padded(rest)}` : `${Math.floor(minutes / 60)}:${padded(minutes % 60)}:${padded(rest)}`;
}
