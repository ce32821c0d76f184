// Keys, and what typing turns into: "# " a heading, "- " a list, \(x\) a formula.
import { baseKeymap, chainCommands, exitCode, newlineInCode } from "prosemirror-commands";
import { undo, redo } from "prosemirror-history";
import { InputRule, inputRules, textblockTypeInputRule, wrappingInputRule } from "prosemirror-inputrules";
import { keymap } from "prosemirror-keymap";
import { splitListItem } from "prosemirror-schema-list";
import { goToNextCell } from "prosemirror-tables";

import { around, indent, outdent, set_block, tidied, tidy, toggle, toggle_list, toggle_quote } from "./commands";
import { schema } from "./schema";

const { nodes } = schema;

const line_break = (state, dispatch) => {
	if (dispatch) dispatch(state.tr.replaceSelectionWith(nodes.hard_break.create()).scrollIntoView());
	return true;
};

// Down from the last line of code that nothing follows: there would be no other way on.
const out_of_code = (state, dispatch) => {
	const { $head, empty } = state.selection;
	const is_last = $head.parent.type.spec.code && $head.parentOffset === $head.parent.content.size;
	if (!empty || !is_last || $head.after() !== $head.end($head.depth - 1)) return false;
	return exitCode(state, dispatch);
};

// `editor` has link(), formula() and to_toolbar(), and says whether Tab shall leave it.
export function keys(editor) {
	const tab = (command) => (state, dispatch, view) => !editor.is_leaving && command(state, dispatch, view);
	const in_list = (command) => (state, dispatch) => Boolean(around(state, "list_item")) && command(state, dispatch);
	const call = (name) => () => {
		editor[name]();
		return true;
	};
	const bound = {
		"Mod-z": undo,
		"Mod-y": redo,
		"Mod-Shift-z": redo,
		"Mod-b": toggle("bold"),
		"Mod-i": toggle("italic"),
		"Mod-u": toggle("underline"),
		"Mod-e": toggle("code"),
		"Mod-Shift-x": toggle("strike"),
		"Mod-,": toggle("sub"),
		"Mod-.": toggle("sup"),
		"Mod-k": call("link"),
		"Mod-Alt-m": call("formula"),
		"Mod-Alt-0": set_block("paragraph"),
		"Mod-Alt-c": set_block("code_block"),
		"Mod-Shift-7": toggle_list("ordered_list"),
		"Mod-Shift-8": toggle_list("bullet_list"),
		"Mod-Shift-9": toggle_quote,
		"Mod-]": indent,
		"Mod-[": outdent,
		Enter: tidied(chainCommands(newlineInCode, splitListItem(nodes.list_item), baseKeymap.Enter)),
		Backspace: tidied(baseKeymap.Backspace),
		"Shift-Enter": chainCommands(newlineInCode, line_break),
		"Mod-Enter": chainCommands(exitCode, line_break),
		Tab: tab(chainCommands(goToNextCell(1), in_list(indent))),
		"Shift-Tab": tab(chainCommands(goToNextCell(-1), in_list(outdent))),
		"Alt-F10": call("to_toolbar"),
		ArrowDown: out_of_code,
	};
	for (let level = 1; level <= 6; level++) bound[`Mod-Alt-${level}`] = set_block("heading", { level });
	return [keymap(bound), keymap(baseKeymap)];
}

const list_rule = (pattern, type, attributes) => {
	const rule = wrappingInputRule(pattern, type, attributes);
	// @ts-ignore -- handler is not in its types
	return new InputRule(pattern, (...found) => {
		// @ts-ignore
		const tr = rule.handler(...found);
		return tr && tidy(tr);
	});
};

export const typing = () =>
	inputRules({
		rules: [
			textblockTypeInputRule(/^(#{1,6})\s$/, nodes.heading, ([, signs]) => ({ level: signs.length })),
			textblockTypeInputRule(/^```([\w+#.-]*)\s$/, nodes.code_block, ([, language]) => ({
				language: language || null,
			})),
			wrappingInputRule(/^>\s$/, nodes.blockquote),
			list_rule(/^[-*]\s$/, nodes.bullet_list, null),
			list_rule(/^(\d+)[.)]\s$/, nodes.ordered_list, ([, number]) => ({ start: number === "1" ? null : number })),
			new InputRule(/(?:\\\((.+)\\\)|\\\[(.+)\\\])$/, (state, [, inline, display], start, end) =>
				state.tr.replaceWith(
					start,
					end,
					nodes.formula.create({ source: inline ?? display, display: display != null })
				)
			),
		],
	});
