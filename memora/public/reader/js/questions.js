// A Question: what is asked, what to answer with, and whether an answer is right.

import { isNear, isSame, plain } from "./answers.js?v=0adaddad";
import { h, icon } from "./dom.js?v=459e199b";
import { t } from "./i18n.js?v=f2e1dbaa";
import { checks, hasValue, isPlain, isText, markup, words } from "./parts.js?v=38cc669b";

const CHOOSING = ["one", "several", "true_false"];
// Each visit has an order of its own, which stays while the page is drawn again.
const SEED = Math.floor(Math.random() * 2 ** 32);

// Nothing of a Question is shown but what is known: the rest may be its answers.
export function question(config, id) {
	const { question, instructions, choices, answer, kind, tests } = config;
	const options = Array.isArray(choices) && choices.every(isPlain) ? [...new Set(choices.map(String))] : [];
	// A choice may be what typing leaves out, as ـ is.
	const isThere = options.length ? (text) => text.trim() : plain;
	const answers = [...new Set([answer].flat().filter(isPlain).map(String).filter(isThere))];
	const right = options.length ? answers.map((one) => meant(one, options)) : [];
	const each = [...new Map(right.map((same) => [String(same), same])).values()];
	const prompt = isPlain(question) ? String(question) : "";
	const asked = [isText(instructions) ? markup(instructions, id) : null, checks(tests, id)];

	// An answer that is none of the choices or cannot be typed, choices of another form, or nothing to answer with.
	const isBroken = options.length
		? (hasValue(answer) && !answers.length) || right.some((same) => !same.length)
		: hasValue(choices) || !answers.length || CHOOSING.includes(kind);
	if (isBroken) {
		return [
			...asked,
			prompt ? h("p", { dir: "auto" }, words(prompt)) : null,
			options.length ? h("ul.options", {}, options.map((option) => h("li", { dir: "auto" }, words(option)))) : null,
			h("p.note", {}, icon("warning"), t("unanswerable")),
		];
	}
	return [...asked, options.length ? choice(config, prompt, options, each, id) : typed(config, prompt, answers, id)];
}

// Choices may differ in their marks alone; an answer that is none of them as it is written is any that means the same.
const meant = (answer, options) =>
	options.includes(answer) ? [answer] : options.filter((option) => isSame(option, answer) || isSame(answer, option));

function choice(config, prompt, options, right, id) {
	const many = right.length > 1 || config.kind === "several";
	const input = (value) =>
		h(
			"label.choice",
			{},
			h("input", { type: many ? "checkbox" : "radio", name: id, value, "aria-label": spoken(value) }),
			h("span", { dir: "auto" }, words(value))
		);
	const shown = config.shuffle === true ? shuffled(options, id) : options;
	const fields = h(
		"fieldset",
		{ "aria-label": spoken(prompt) },
		h("legend", { dir: "auto" }, prompt ? words(prompt) : t("answer")),
		many ? h("p.row-note", {}, t("chooseSeveral")) : null,
		shown.map(input)
	);
	const isRight = (given) => given.length === right.length && right.every((same) => same.some((one) => given.includes(one)));
	return checked(config, id, fields, right.length ? isRight : null);
}

// What a field is called for those who listen: browsers leave a drawn formula out of its name, so it is said as it was typed.
const spoken = (text) => (/\\[([]/.test(text) ? text.replace(/\\[()[\]]/g, "") : null);

// Of several answers to type each is right.
function typed(config, prompt, answers, id) {
	const { kind, tolerance, unit } = config;
	const asksLink = kind !== "number" && answers.length === 1 && answers[0] === "url";
	const ofWhat = kind === "number" && isText(unit) ? unit : "";
	const field = h("input", {
		type: asksLink ? "url" : "text", // a phone's keys for numbers lack the minus
		name: id,
		id: `${id}-answer`,
		dir: "auto",
		autocomplete: "off",
		autocapitalize: "off",
		spellcheck: "false",
		"aria-label": spoken(prompt),
		"aria-describedby": ofWhat ? `${id}-unit` : null,
	});
	const label = h("label", { for: field.id, dir: "auto" }, prompt ? words(prompt) : t(asksLink ? "answerLink" : "answer"));
	const line = ofWhat ? h("span.with-unit", {}, field, h("span", { id: `${id}-unit`, dir: "auto" }, words(ofWhat))) : field;
	const near = typeof tolerance === "number" && tolerance > 0 ? tolerance : 0;
	const isMeant = (given, answer) => (kind === "number" ? isNear(given, answer, near, ofWhat) : isSame(given, answer));
	const isRight = ([given]) => answers.some((answer) => isMeant(given, answer));
	return checked(config, id, h("p.field", {}, label, line), asksLink ? null : isRight);
}

// A form that says whether what was given is right, or that it was noted where there is nothing to compare it with.
function checked({ hint, explanation }, id, fields, isRight) {
	const said = h("p.verdict", { role: "status" });
	const why = h("details.explanation", { hidden: true });
	// After a wrong answer it is there for those who want it: it may tell the right one.
	const explain = (isOpen) => {
		if (why.hidden) why.append(h("summary", {}, t("explanation")), markup(explanation, `${id}-why`));
		why.hidden = false;
		why.open = why.open || isOpen;
	};
	const form = h(
		"form",
		{
			novalidate: true,
			// What was said was said of another answer.
			oninput: () => {
				said.textContent = "";
				said.className = "verdict";
			},
			onsubmit: (event) => {
				event.preventDefault();
				const given = new FormData(form).getAll(id).map(String).filter((value) => value.trim());
				if (!given.length) {
					said.textContent = t("answerFirst");
					return;
				}
				const verdict = !isRight ? "noted" : isRight(given) ? "right" : "wrong";
				said.textContent = t(verdict);
				said.className = `verdict ${verdict}`;
				if (isText(explanation)) explain(verdict !== "wrong");
				form.dispatchEvent(new CustomEvent("memora-answer", { bubbles: true, detail: { verdict } }));
			},
		},
		fields,
		isText(hint) ? h("details.hint", {}, h("summary", {}, t("hint")), markup(hint, `${id}-hint`)) : null,
		h("div.form-end", {}, h("button", { type: "submit" }, t("checkAnswer")), said),
		why
	);
	return form;
}

// An order by chance: by the place of each choice, so that a choice whose text is being written stays where it is.
const shuffled = (options, id) =>
	options
		.map((option, place) => [chance(`${id}:${place}`), option])
		.sort(([one], [other]) => one - other)
		.map(([, option]) => option);

function chance(text) {
	let number = SEED;
	for (const letter of text) {
		number = Math.imul(number ^ letter.codePointAt(0), 0x9e3779b1);
		number ^= number >>> 15;
	}
	return number >>> 0;
}
