// Pictures that are pasted or dropped go to the form, which makes files of them: upload(file) → address.
import { Fragment, Slice } from "prosemirror-model";

import { is_data, is_link, is_picture } from "./addresses";
import { with_formulas } from "./read";
import { schema } from "./schema";

const TYPES = { jpeg: "jpg", "svg+xml": "svg" };
const { image } = schema.nodes;
let last = 0;

export class Pictures {
	#addresses = new Map(); // of those that have come, by the number of their place
	#running = new Set();

	constructor(upload) {
		this.upload = upload;
	}

	// Settles when every picture that is on its way has come; rejects if one of them has not.
	ready() {
		return Promise.all(this.#running);
	}

	// Files of a clipboard or a drop, as nodes that wait; true if there was a picture among them.
	take(view, files, pos) {
		const pictures = [...(files || [])].filter((file) => file.type.startsWith("image/"));
		if (!pictures.length) return false;
		if (!this.upload) {
			frappe.show_alert({
				message: __("Pictures can't be uploaded here. Give the address of one."),
				indicator: "orange",
			});
			return true;
		}
		const waiting = pictures.map((file) => this.#start(view, file));
		const { tr } = view.state;
		view.dispatch(
			pos == null ? tr.replaceSelection(new Slice(Fragment.from(waiting), 0, 0)) : tr.insert(pos, waiting)
		);
		return true;
	}

	// What is pasted: pictures of `data:` become files, formulas nodes of their own where they may be.
	taken_from(view, slice) {
		const { parent } = view.state.selection.$from;
		let refused = 0;
		const without = (fragment, into) => {
			const nodes = [];
			fragment.forEach((node) => {
				if (node.isText) {
					nodes.push(...(into.type.spec.code ? [node] : with_formulas(node.text, node.marks)));
					return;
				}
				if (node.type !== image || !is_data(node.attrs.src)) {
					nodes.push(node.copy(without(node.content, parent.type.spec.code ? parent : node)));
					return;
				}
				const file = this.upload && as_file(node.attrs.src);
				if (file) nodes.push(this.#start(view, file, node.attrs));
				else refused++;
			});
			return Fragment.fromArray(nodes);
		};
		const taken = new Slice(without(slice.content, parent), slice.openStart, slice.openEnd);
		if (refused) {
			frappe.show_alert({
				message: __("{0} pictures were left out: they could not be uploaded", [refused]),
				indicator: "orange",
			});
		}
		return taken;
	}

	// Those that wait and whose address is known by now, also after an undo.
	fill(state) {
		if (!this.#addresses.size) return null;
		const { tr } = state;
		const gone = [];
		state.doc.descendants((node, pos) => {
			if (node.type !== image || !this.#addresses.has(node.attrs.pending)) return;
			const src = this.#addresses.get(node.attrs.pending);
			if (src) tr.setNodeMarkup(pos, null, { ...node.attrs, src, pending: null }, node.marks);
			else gone.push(pos);
		});
		for (const pos of gone.reverse()) tr.delete(pos, pos + 1);
		return tr.docChanged ? tr.setMeta("addToHistory", false) : null;
	}

	#start(view, file, attributes = {}) {
		const pending = ++last;
		const arrives = (src) => {
			this.#addresses.set(pending, src);
			if (view.isDestroyed) return;
			const tr = this.fill(view.state);
			if (tr) view.dispatch(tr);
		};
		this.send(file).then(arrives, (error) => {
			arrives(null);
			say_failure(error);
		});
		return image.create({ ...attributes, src: "", pending });
	}

	// → the address of a picture's file; `ready` waits for it, and for what is done with it.
	send(file) {
		return this.#noted(this.#address_of(file, is_picture));
	}

	// The same for a file of any kind, which a link leads to.
	send_any(file) {
		return this.#noted(this.#address_of(file, is_link));
	}

	#noted(sent) {
		const running = sent.then(() => {}).finally(() => this.#running.delete(running));
		running.catch(() => {}); // who has sent it says what failed
		this.#running.add(running);
		return sent;
	}

	async #address_of(file, fits) {
		const answer = await this.upload(file);
		const src = answer?.file_url ?? answer?.url ?? answer;
		if (typeof src !== "string" || !src || is_data(src) || !fits(src)) throw new Error("no address");
		return src;
	}
}

// Why a picture has not come, in the words of who uploads it if there are some.
export function say_failure(error) {
	const words = error?.name === "UploadError" && error.message;
	const message = words ? frappe.utils.escape_html(words) : __("The picture could not be uploaded");
	frappe.show_alert({ message, indicator: "red" }, words ? 10 : 5);
}

function as_file(address) {
	const [, type, coded, data] =
		/^data:image\/([a-z0-9.+-]+)(?:;[^,;]*)*?(;base64)?,([^]*)$/i.exec(address.trim()) || [];
	if (!type) return null;
	try {
		const bytes = coded ? atob(data.replace(/\s/g, "")) : decodeURIComponent(data);
		const file_name = `picture-${++last}.${TYPES[type.toLowerCase()] || type.toLowerCase()}`;
		return new File([Uint8Array.from(bytes, (sign) => sign.charCodeAt(0))], file_name, {
			type: `image/${type.toLowerCase()}`,
		});
	} catch {
		return null;
	}
}
