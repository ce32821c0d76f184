// The text that someone brings: typed, pasted, or of a file, whatever encoding a spreadsheet has written it in.

export const LONGEST_SHOWN = 100_000;
const WORKBOOKS = [
	[0x50, 0x4b, 0x03, 0x04], // .xlsx, .ods
	[0xd0, 0xcf, 0x11, 0xe0], // .xls
];

// What Windows calls the letters of a language in files without a mark.
const WINDOWS = { ar: "windows-1256", fa: "windows-1256", ur: "windows-1256", he: "windows-1255", ru: "windows-1251" };

// The text of a file, and what is to know of it; throws an Error whose message is for people.
export async function text_of_file(file) {
	const bytes = new Uint8Array(await file.arrayBuffer());
	if (WORKBOOKS.some((mark) => mark.every((byte, place) => bytes[place] === byte))) {
		throw new Error(__("{0} is a whole workbook. Save its sheet as CSV, or copy its cells and paste them here.", [file.name]));
	}
	return decoded(bytes);
}

export function decoded(bytes) {
	const mark = (...wanted) => wanted.every((byte, place) => bytes[place] === byte);
	if (mark(0xff, 0xfe)) return { text: new TextDecoder("utf-16le").decode(bytes), note: "" };
	if (mark(0xfe, 0xff)) return { text: new TextDecoder("utf-16be").decode(bytes), note: "" };
	try {
		return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), note: "" };
	} catch {
		const encoding = WINDOWS[String(frappe.boot.lang).slice(0, 2)] || "windows-1252";
		const note = __("The file is not in UTF-8, so it is read as {0}. Look whether all letters are right.", [encoding]);
		return { text: new TextDecoder(encoding).decode(bytes), note };
	}
}

export function download(name, text) {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
