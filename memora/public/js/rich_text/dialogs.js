// What the editor asks: a link, a picture, a formula, a table, a language.
import { is_link, is_picture } from "./addresses";
import { around, insert, insert_table, link_at, set_attributes } from "./commands";
import { formula_picture } from "./formula_picture";
import { say_failure } from "./pictures";
import { is_math } from "./safe";
import { schema } from "./schema";

const { nodes, marks } = schema;

// Ask; `done` gets the values, and returns a text if they will not do, true if it hides the dialog itself.
export function ask(view, { title, fields, values = {}, primary = __("Insert"), done, after = (_) => {} }) {
	const dialog = new frappe.ui.Dialog({
		title,
		fields,
		primary_action_label: primary,
		primary_action(given) {
			const wrong = done(given);
			said.hidden = typeof wrong !== "string";
			said.textContent = said.hidden ? "" : wrong;
			if (said.hidden && wrong !== true) dialog.hide();
		},
	});
	// Beside the fields: Frappe's alerts are behind dialogs.
	const said = document.createElement("div");
	Object.assign(said, { className: "alert alert-danger", role: "alert", hidden: true });
	dialog.modal_body.append(said);
	dialog.onhide = () => {
		view.focus();
		setTimeout(() => dialog.$wrapper.remove(), 500); // after Bootstrap has faded it out
	};
	dialog.set_values(values);
	dialog.show();
	after(dialog);
	return dialog;
}

const ltr = (dialog, ...names) => {
	for (const name of names) dialog.get_input(name).attr("dir", "ltr");
};

export function link(view, files) {
	const { state } = view;
	const at = link_at(state);
	const { empty, from, to } = state.selection;
	const given = at || { from, to };
	const has_text = Boolean(at) || !empty;
	let file = null;
	const dialog = ask(view, {
		title: at ? __("Edit Link") : __("Insert Link"),
		primary: __("Apply"),
		fields: [
			{ fieldname: "file", fieldtype: "HTML", hidden: files?.upload ? 0 : 1 },
			{
				fieldname: "href",
				fieldtype: "Data",
				label: __("Address"),
				description: at ? __("Leave it empty to remove the link.") : "",
			},
			{ fieldname: "text", fieldtype: "Data", label: __("Text"), hidden: has_text ? 1 : 0 },
			{ fieldname: "title", fieldtype: "Data", label: __("Title, shown when someone points at it") },
		],
		values: { href: at?.mark.attrs.href || "", title: at?.mark.attrs.title || "" },
		after: (shown) => ltr(shown, "href"),
		done({ href, text, title }) {
			const put = (address, words) => {
				const tr = view.state.tr.removeMark(given.from, given.to, marks.a);
				if (address) {
					const mark = marks.a.create({ ...(at ? at.mark.attrs : {}), href: address, title: title || null });
					if (has_text) tr.addMark(given.from, given.to, mark);
					else
						tr.replaceSelectionWith(
							schema.text(words, mark.addToSet(view.state.selection.$from.marks())),
							false
						);
				}
				view.dispatch(tr);
			};
			if (file) {
				// Nothing else is typed meanwhile, so that the place of the link stays what it was.
				const { name } = file;
				dialog.get_primary_btn().prop("disabled", true);
				files.send_any(file).then(
					(address) => {
						if (!dialog.display) return; // left meanwhile
						put(address, text || name);
						dialog.hide();
					},
					(error) => {
						dialog.get_primary_btn().prop("disabled", false);
						say_failure(error);
					}
				);
				return true;
			}
			const address = (href || "").trim();
			if (!is_link(address)) return __("A link leads to http, https, mailto, tel or sms");
			put(address, text || address);
		},
	});
	dialog.get_field("file").$wrapper.append(file_input((chosen) => (file = chosen)));
}

const selected = (view, ...types) => {
	const { node } = view.state.selection;
	return node && types.includes(node.type.name) ? node : null;
};

export function picture(view, pictures) {
	const known = selected(view, "image");
	let file = null;
	const dialog = ask(view, {
		title: known ? __("Edit Picture") : __("Insert Picture"),
		primary: __("Apply"),
		fields: [
			{ fieldname: "file", fieldtype: "HTML", hidden: pictures.upload ? 0 : 1 },
			{ fieldname: "src", fieldtype: "Data", label: __("Address") },
			{
				fieldname: "alt",
				fieldtype: "Small Text",
				label: __("Alternative text"),
				description: __("What the picture says, for those who do not see it."),
			},
			{ fieldname: "decorative", fieldtype: "Check", label: __("It only decorates: no alternative text") },
		],
		values: {
			src: known?.attrs.src || "",
			alt: known?.attrs.alt || "",
			decorative: known && known.attrs.alt === "" ? 1 : 0,
		},
		after: (shown) => ltr(shown, "src"),
		done({ src, alt, decorative }) {
			const words = (alt || "").trim();
			if (!words && !decorative) return __("Say what the picture shows, or that it only decorates");
			const attributes = { ...known?.attrs, alt: decorative ? "" : words };
			if (file) {
				pictures.send(file).then(
					(address) => insert(view, nodes.image.create({ ...attributes, src: address })),
					say_failure
				);
				return;
			}
			const address = (src || "").trim();
			if (!address || !is_picture(address)) return __("A picture needs a file, or an address of http or https");
			insert(view, nodes.image.create({ ...attributes, src: address }));
		},
	});
	dialog.get_field("file").$wrapper.append(file_input((chosen) => (file = chosen), "image/*"));
}

// Where a file of this computer is chosen.
function file_input(take, accept = "") {
	const input = document.createElement("input");
	Object.assign(input, { type: "file", accept, className: "form-control mb-3" });
	input.setAttribute("aria-label", __("A file of this computer"));
	input.addEventListener("change", () => take(input.files[0] || null));
	return input;
}

export function formula(view) {
	const math = selected(view, "math");
	if (math) return mathml(view, math);
	const known = selected(view, "formula")?.attrs;
	ask_formula(view, known, (given) => insert(view, nodes.formula.create(given)));
}

// A formula, drawn while it is typed. `owner` is focused afterwards; done({ source, display }).
export function ask_formula(owner, known, done) {
	ask(owner, {
		title: known ? __("Edit Formula") : __("Insert Formula"),
		primary: __("Apply"),
		fields: [
			{ fieldname: "source", fieldtype: "Small Text", label: __("LaTeX"), reqd: 1 },
			{ fieldname: "display", fieldtype: "Check", label: __("On a line of its own") },
		],
		values: { source: known?.source || "", display: known?.display ? 1 : 0 },
		after(dialog) {
			ltr(dialog, "source");
			const [source, display] = ["source", "display"].map((name) => dialog.get_input(name));
			let given = { source: "", display: false, ...known }; // Frappe fills its fields a moment later
			const { element, draw } = formula_picture(() => given);
			const typed = () => {
				given = { source: bare(String(source.val() ?? "")), display: display.prop("checked") };
				draw();
			};
			dialog.get_field("display").$wrapper.append(element);
			source.on("input", typed);
			display.on("change", typed);
			draw();
		},
		done({ source, display }) {
			const text = bare(source);
			if (!text || /\\[)\]]/.test(text)) return __("A formula holds neither \\) nor \\]");
			done({ source: text, display: Boolean(display) });
		},
	});
}

// A formula without what marks it in a text.
const bare = (source) =>
	source
		.trim()
		.replace(/^\\[([]|\\[)\]]$/g, "")
		.replace(/\s+/g, " ")
		.trim();

function mathml(view, known) {
	ask(view, {
		title: __("Edit Formula"),
		primary: __("Apply"),
		fields: [{ fieldname: "markup", fieldtype: "Small Text", label: "MathML", reqd: 1 }],
		values: { markup: known.attrs.markup },
		after: (dialog) => ltr(dialog, "markup"),
		done({ markup }) {
			if (!is_math(markup)) return __("This is not one formula in MathML");
			insert(view, nodes.math.create({ markup: markup.trim() }));
		},
	});
}

// Numbers are Data: Frappe selects a number a moment after its field was left for the editor, which cannot be selected.
export function table(view) {
	ask(view, {
		title: __("Insert Table"),
		fields: [
			{ fieldname: "rows", fieldtype: "Data", label: __("Rows"), default: 3, reqd: 1 },
			{ fieldname: "columns", fieldtype: "Data", label: __("Columns"), default: 3, reqd: 1 },
			{ fieldname: "header", fieldtype: "Check", label: __("The first row names the columns"), default: 1 },
		],
		values: { rows: 3, columns: 3, header: 1 },
		done({ header, ...given }) {
			const [rows, columns] = [cint(given.rows), cint(given.columns)];
			if (!(rows >= 1 && rows <= 100 && columns >= 1 && columns <= 20))
				return __("From 1 to 100 rows and 1 to 20 columns");
			insert_table(view, { rows, columns, header });
		},
	});
}

// The language of a block of code, or of the blocks that are selected.
export function language(view) {
	const code = around(view.state, "code_block");
	const { parent } = view.state.selection.$from;
	ask(view, {
		title: code ? __("Language of the Code") : __("Language of the Text"),
		primary: __("Apply"),
		fields: [
			{
				fieldname: "language",
				fieldtype: "Data",
				label: __("Language"),
				description: code
					? __("For example python, html or sql.")
					: __("Its code: ar, en, fr. Leave it empty for the lesson's own."),
			},
		],
		values: { language: (code ? code.node.attrs.language : parent.attrs.lang) || "" },
		after: (dialog) => ltr(dialog, "language"),
		done({ language: given }) {
			const name = (given || "").trim().toLowerCase();
			if (name && !/^[\w+#.-]+$/.test(name)) return __("The code of a language has no spaces");
			if (code)
				view.dispatch(
					view.state.tr.setNodeMarkup(code.pos, null, { ...code.node.attrs, language: name || null })
				);
			else set_attributes({ lang: name || null })(view.state, view.dispatch);
		},
	});
}

// What would be lost, and the text before and after; `done` when it may be.
export function confirm_loss({ words, before, after, done }) {
	const { html } = memora.publishing;
	const dialog = new frappe.ui.Dialog({
		title: __("Edit as Rich Text"),
		size: "large",
		fields: [{ fieldname: "body", fieldtype: "HTML" }],
		primary_action_label: __("Edit It and Lose That"),
		primary_action() {
			dialog.hide();
			done();
		},
	});
	memora.publishing.put(
		dialog.get_field("body").$wrapper,
		html`<p>${words}</p>
			<div class="memora-rt-compare">
				<div>
					<h6>${__("Now")}</h6>
					<pre class="memora-bytes" dir="ltr" tabindex="0">${before}</pre>
				</div>
				<div>
					<h6>${__("Afterwards")}</h6>
					<pre class="memora-bytes" dir="ltr" tabindex="0">${after}</pre>
				</div>
			</div>`
	);
	dialog.show();
}
