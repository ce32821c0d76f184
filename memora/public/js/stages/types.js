// What each type of stage is made of: its fields in the order of the form. The contract's schemas have the same keys.

export const TYPES = ["Video", "Text", "Question", "Interactive"];

// Sentences for those who choose one.
export const ABOUT = {
	Video: () => __("A film to watch, with captions"),
	Text: () => __("Something to read: text, pictures, tables, formulas, code"),
	Question: () => __("Something to answer: by choosing or by typing"),
	Interactive: () => __("An exercise with files and tests"),
};

// `has_formulas`: with a button for them. `is_more`: not there until someone wants it. `is_half`: two of them share a line.
const FIELDS = {
	Video: () => [
		{ key: "video_url", kind: "line", dir: "ltr", label: __("Link to the film"), help: __("A page of YouTube or Vimeo, a film's file, or its path in the storage.") },
		{ key: "title", kind: "line", label: __("Title of the film"), is_more: true },
		{ key: "start", kind: "moment", label: __("Begins at"), help: __("Minutes and seconds, like 1:30."), is_more: true, is_half: true },
		{ key: "end", kind: "moment", label: __("Ends at"), help: __("Minutes and seconds, like 1:30."), is_more: true, is_half: true },
		{ key: "poster", kind: "line", dir: "ltr", label: __("Picture before it plays"), is_more: true, upload: "image" },
		{ key: "captions", kind: "rows", row: "caption", label: __("Captions"), one: __("Captions"), add: __("Add Captions"), is_more: true },
	],
	Text: () => [
		{ key: "html", kind: "rich", label: __("Text") },
		{ key: "text", kind: "lines", rows: 6, label: __("Plain text"), help: __("An empty line begins a paragraph."), is_rare: true },
		{ key: "dir", kind: "direction", label: __("Direction of the whole text"), is_more: true },
		{ key: "solutions", kind: "rows", row: "code", label: __("Solutions, behind a fold"), one: __("Solution"), add: __("Add Solution"), is_more: true },
	],
	Question: () => [
		{ key: "question", kind: "lines", label: __("Question"), has_formulas: true },
		{ key: "instructions", kind: "rich", label: __("Text before the question"), is_more: true },
		{ key: "answer", kind: "answer", keys: ["kind", "choices", "answer", "tolerance", "unit", "shuffle"], label: __("Answer") },
		{ key: "hint", kind: "rich", label: __("Hint"), help: __("Learners open it before they answer."), is_more: true },
		{ key: "explanation", kind: "rich", label: __("Explanation"), help: __("Shown after an answer."), is_more: true },
		{ key: "tests", kind: "rows", row: "test", label: __("Tests"), one: __("Test"), add: __("Add Test"), is_rare: true },
	],
	Interactive: () => [
		{ key: "instructions", kind: "rich", label: __("What to do") },
		{ key: "files", kind: "rows", row: "file", label: __("Files to begin with"), one: __("File"), add: __("Add File"), is_more: true },
		{ key: "starter", kind: "code", label: __("Code to begin with"), is_more: true },
		{ key: "language", kind: "line", dir: "ltr", list: "memora-stage-languages", label: __("Language of the code"), is_more: true },
		{ key: "tests", kind: "rows", row: "test", label: __("Tests"), one: __("Test"), add: __("Add Test"), is_more: true },
		{ key: "libraries", kind: "rows", row: "name", label: __("Libraries"), one: __("Library"), add: __("Add Library"), is_more: true },
	],
};

export const fields_of = (type) => (Object.hasOwn(FIELDS, type) ? FIELDS[type]() : []);

// The keys that a type's form can fill.
export const keys_of = (type) => fields_of(type).flatMap(({ key, keys }) => keys || [key]);

export const LANGUAGES = ["bash", "c", "cpp", "csharp", "css", "dart", "go", "html", "java", "javascript", "json", "kotlin", "php", "python", "r", "ruby", "rust", "sql", "swift", "typescript", "xml", "yaml"];

// What a key, or a kind of answer, is called on the screen.
export const NAMES = {
	video_url: () => __("Link to the film"),
	poster: () => __("Picture before it plays"),
	captions: () => __("Captions"),
	start: () => __("Begins at"),
	end: () => __("Ends at"),
	html: () => __("Text"),
	text: () => __("Text"),
	dir: () => __("Direction of the whole text"),
	solutions: () => __("Solutions"),
	question: () => __("Question"),
	instructions: () => __("Text"),
	kind: () => __("How it is answered"),
	choices: () => __("Choices"),
	answer: () => __("Right answer"),
	tolerance: () => __("Tolerance"),
	unit: () => __("Unit"),
	shuffle: () => __("Another order each time"),
	hint: () => __("Hint"),
	explanation: () => __("Explanation"),
	tests: () => __("Tests"),
	files: () => __("Files to begin with"),
	starter: () => __("Code to begin with"),
	language: () => __("Language of the code"),
	libraries: () => __("Libraries"),
	src: () => __("File"),
	lang: () => __("Language"),
	label: () => __("Name"),
	name: () => __("Name"),
	content: () => __("Content"),
	before: () => __("Code that runs before"),
	after: () => __("Code that runs after"),
	code: () => __("Code of the test"),
	title: () => __("Title of the film"),
	one: () => __("One right answer"),
	several: () => __("Several right answers"),
	true_false: () => __("True or false"),
	short: () => __("Short answer"),
	number: () => __("Number"),
};

// What of a config another type takes under which name. What is not named stays if the other type knows it.
const BECOMES = {
	"Text Question": { html: "instructions", text: "question" },
	"Text Interactive": { html: "instructions" },
	"Question Text": { instructions: "html", question: "text" },
	"Interactive Text": { instructions: "html" },
};

// Names for the parts of a config in another type, "" for what it has no place for. A site's own keys stay.
export function names_in(config, from, to) {
	const [ours, theirs] = [keys_of(from), keys_of(to)];
	const becomes = BECOMES[`${from} ${to}`] || {};
	const shared = (key) => theirs.includes(key) && (key !== "language" || to === "Interactive");
	const name = (key) => becomes[key] || (shared(key) || !ours.includes(key) ? key : "");
	return Object.fromEntries(config.keys.map((key) => [key, name(key)]));
}
