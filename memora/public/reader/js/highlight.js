// The colours of code, by highlight.js: it and a language are loaded for the first code that is in it.

import { whenNear } from "./near.js?v=bdf554d0";

const LIBRARY = "../../node_modules/@highlightjs/cdn-assets/es/";
const VERSION = "?v=11.12.0";
// Longer code, or a longer line, has no colours: grammars take time by the square of it.
const LONGEST = 10_000;
const LONG_LINE = /.{301}/;
// Each language's file with the other names that editors give it.
const NAMES = {
	bash: "sh shell zsh console",
	c: "h",
	cpp: "c++ cc hpp",
	csharp: "cs c#",
	css: "",
	dart: "",
	diff: "patch",
	go: "golang",
	haskell: "hs",
	java: "",
	javascript: "js jsx mjs",
	json: "",
	julia: "jl",
	kotlin: "kt",
	latex: "tex",
	lua: "",
	markdown: "md",
	matlab: "octave",
	php: "",
	python: "py python3",
	r: "",
	ruby: "rb",
	rust: "rs",
	scala: "",
	scss: "sass",
	sql: "mysql postgresql",
	swift: "",
	typescript: "ts tsx",
	xml: "html htm svg xhtml",
	yaml: "yml",
};
const FILES = new Map(
	Object.entries(NAMES).flatMap(([file, others]) => [file, ...others.split(" ")].filter(Boolean).map((name) => [name, file]))
);
// What is written in others within a language.
const WITHIN = { xml: ["css", "javascript"], php: ["xml"] };

let library;
const languages = new Map(); // file → whether it has come

// Colour an element of nothing but code, whose language is called `name`, when it is seen. Without the library it stays plain.
export async function highlight(element, name) {
	const file = FILES.get(name.toLowerCase());
	const source = element.textContent;
	if (!file || !source.trim() || source.length > LONGEST || LONG_LINE.test(source) || element.childElementCount) return;
	try {
		library ??= import(`${LIBRARY}core.min.js${VERSION}`).then((module) => module.default);
		const hljs = await library;
		await Promise.all([file, ...(WITHIN[file] ?? [])].map((one) => language(hljs, one)));
		whenNear(element, () => colour(element, hljs.highlight(source, { language: file, ignoreIllegals: true })));
	} catch (error) {
		console.warn(error);
	}
}

function language(hljs, file) {
	if (!languages.has(file)) {
		const grammar = import(`${LIBRARY}languages/${file}.min.js${VERSION}`);
		languages.set(file, grammar.then((module) => hljs.registerLanguage(file, module.default)));
	}
	return languages.get(file);
}

// From the tree of what was found, not from its markup: no text becomes markup here.
function colour(element, { _emitter: { rootNode } }) {
	const fragment = new DocumentFragment();
	const open = [[fragment, rootNode.children]];
	for (let [into, children] = open.pop(); ; [into, children] = open.pop()) {
		for (const child of children) {
			if (typeof child === "string") {
				into.append(child);
				continue;
			}
			const part = document.createElement("span");
			if (child.scope) part.className = `code-${child.scope.split(".")[0]}`;
			into.append(part);
			open.push([part, child.children]);
		}
		if (!open.length) break;
	}
	if (fragment.textContent === element.textContent) element.replaceChildren(fragment);
}
