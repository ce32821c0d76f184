// Texts that a browser would lay out for minutes: they are taken and kept whole, and only their beginning is shown.

export const LONGEST = 200_000; // a field of ten times that freezes a page
const BEGINNING = 10_000;

export const is_long = (text) => text.length > LONGEST;

export const words = () => __("This text is too long to be edited here. It stays as it is; its beginning is shown.");

// What is seen of a long text.
const beginning = (text) => `${text.slice(0, BEGINNING)}…\n\n${words()}`;

// Puts a text into a field; of a long one its beginning, to be read only. → () => the whole text, as it is edited then.
export function put_into(field, text, is_too_long = is_long(text)) {
	field.readOnly = is_too_long;
	field.value = is_too_long ? beginning(text) : text;
	const shown = field.value; // a browser has its own line breaks
	return () => (field.value === shown ? text : field.value);
}

// Calls take(whole) in place of the browser where what is pasted, dropped or typed would make the text of a field too long.
export function catch_long(field, take) {
	field.addEventListener("beforeinput", (event) => {
		const data = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
		const { value, selectionStart, selectionEnd } = field;
		if (value.length - (selectionEnd - selectionStart) + data.length <= LONGEST) return;
		event.preventDefault();
		take(value.slice(0, selectionStart) + data.replace(/\r\n?/g, "\n") + value.slice(selectionEnd));
	});
}
