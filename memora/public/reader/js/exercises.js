// An Interactive stage, as an exercise to read.

import { h } from "./dom.js?v=459e199b";
import { t } from "./i18n.js?v=a8e4157b";
import { checks, code, isText, markup, rest, taken, written } from "./parts.js?v=98ce83f9";

export function interactive(config, id) {
	const kinds = { instructions: isText, files: Array.isArray, tests: Array.isArray, libraries: Array.isArray };
	const [known, others] = taken(config, kinds);
	const { instructions, files, tests, libraries } = known;
	return [
		instructions ? markup(instructions, id) : null,
		...(files ?? []).map((file) => code(written(file?.content), written(file?.name))),
		checks(tests, id),
		libraries?.length
			? h("p.libraries", {}, `${t("libraries")}: `, h("bdi", {}, libraries.map(written).join(", ")))
			: null,
		// It may be the solution.
		Object.keys(others).length ? h("details.solution", {}, h("summary", {}, t("more")), rest(others)) : null,
	];
}
