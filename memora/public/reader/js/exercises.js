// An Interactive stage, as an exercise to read.

import { h } from "./dom.js?v=459e199b";
import { t } from "./i18n.js?v=f2e1dbaa";
import { checks, code, isText, markup, rest, taken, written } from "./parts.js?v=38cc669b";

export function interactive(config, id) {
	const kinds = {
		instructions: isText,
		files: Array.isArray,
		starter: isText,
		language: isText,
		tests: Array.isArray,
		libraries: Array.isArray,
	};
	const [known, others] = taken(config, kinds);
	const { instructions, files, starter, language, tests, libraries } = known;
	const isCode = Boolean(files?.length || starter);
	return [
		instructions ? markup(instructions, id) : null,
		...(files ?? []).map((file) => code(written(file?.content), written(file?.name), written(file?.language))),
		starter ? code(starter, t("starter"), language) : null,
		checks(tests, id),
		libraries?.length
			? h("p.libraries", {}, `${t("libraries")}: `, h("bdi", {}, libraries.map(written).join(", ")))
			: null,
		isCode ? h("p.note", {}, t("toRead")) : null,
		// It may be the solution.
		Object.keys(others).length ? h("details.solution", {}, h("summary", {}, t("more")), rest(others)) : null,
	];
}
