// A Question: what is asked, what to answer with, and whether an answer is right.

import { isSame, plain } from "./answers.js?v=1ff12f84";
import { h, icon } from "./dom.js?v=459e199b";
import { t } from "./i18n.js?v=a8e4157b";
import { checks, hasValue, isPlain, isText, markup, words } from "./parts.js?v=98ce83f9";

// Nothing of a Question is shown but what is known: the rest may be its answers.
export function question(config, id) {
	const { question, instructions, choices, answer, tests } = config;
	const options = Array.isArray(choices) && choices.every(isPlain) ? [...new Set(choices.map(String))] : [];
	const answers = [...new Set([answer].flat().filter(isPlain).map(String).filter(plain))];
	const right = options.length ? answers.map((one) => meant(one, options)) : [];
	const each = [...new Map(right.map((same) => [String(same), same])).values()];
	const prompt = isPlain(question) ? String(question) : "";
	const asked = [isText(instructions) ? markup(instructions, id) : null, checks(tests, id)];

	// An answer that is none of the choices or cannot be typed, choices of another form, or nothing to answer with.
	const isBroken = options.length
		? (hasValue(answer) && !answers.length) || right.some((same) => !same.length)
		: hasValue(choices) || !answers.length;
	if (isBroken) {
		return [
			...asked,
			prompt ? h("p", { dir: "auto" }, words(prompt)) : null,
			options.length ? h("ul.options", {}, options.map((option) => h("li", { dir: "auto" }, words(option)))) : null,
			h("p.note", {}, icon("warning"), t("unanswerable")),
		];
	}
	return [...asked, options.length ? choice(prompt, options, each, id) : typed(prompt, answers, id)];
}

// Choices may differ in their marks alone; an answer that is none of them as it is written is any that means the same.
const meant = (answer, options) =>
	options.includes(answer) ? [answer] : options.filter((option) => isSame(option, answer) || isSame(answer, option));

function choice(prompt, options, right, id) {
	const many = right.length > 1;
	const input = (value) =>
		h(
			"label.choice",
			{},
			h("input", { type: many ? "checkbox" : "radio", name: id, value }),
			h("span", { dir: "auto" }, words(value))
		);
	const fields = h("fieldset", {}, h("legend", { dir: "auto" }, prompt ? words(prompt) : t("answer")), options.map(input));
	const isRight = (given) => given.length === right.length && right.every((same) => same.some((one) => given.includes(one)));
	return checked(id, fields, right.length ? isRight : null);
}

// Of several answers to type each is right.
function typed(prompt, answers, id) {
	const asksLink = answers.length === 1 && answers[0] === "url";
	const field = h("input", { type: asksLink ? "url" : "text", name: id, id: `${id}-answer`, dir: "auto", autocomplete: "off" });
	const label = h("label", { for: field.id, dir: "auto" }, prompt ? words(prompt) : t(asksLink ? "answerLink" : "answer"));
	const isRight = ([given]) => answers.some((answer) => isSame(given, answer));
	return checked(id, h("p.field", {}, label, field), asksLink ? null : isRight);
}

// A form that says whether what was given is right, or that it was noted where there is nothing to compare it with.
function checked(id, fields, isRight) {
	const said = h("p.verdict", { role: "status" });
	const form = h(
		"form",
		{
			novalidate: true,
			onsubmit: (event) => {
				event.preventDefault();
				const given = new FormData(form).getAll(id).map(String).filter((value) => value.trim());
				if (!given.length) return;
				const verdict = !isRight ? "noted" : isRight(given) ? "right" : "wrong";
				said.textContent = t(verdict);
				said.className = `verdict ${verdict}`;
			},
		},
		fields,
		h("div.form-end", {}, h("button", { type: "submit" }, t("checkAnswer")), said)
	);
	return form;
}
