// Dragging rows, by mouse and by touch. SortableJS, which Frappe ships, moves what is seen; what may be dropped where, and
// why not, is decided here.
import { above, KINDS, read, words } from "./kinds";

const OPENS_AFTER = 600; // of resting on a closed row
const MANY = 150; // siblings beyond which nothing is animated

const keep_still = (event) => event.preventDefault();

export class Drag {
	constructor(view) {
		this.view = view;
		this.name = "";
		this.is_dragging = false;
		this.ended = 0;
		this.lists = new Map();
		this.$hint = $('<div class="memora-drag-hint" role="status"></div>').hide();
		this.on_move = (event) => this.follow(event);
	}

	attach(list) {
		const { Sortable } = /** @type {any} */ (window);
		if (!Sortable || this.lists.has(list)) return;
		const kind = list.dataset.kind;
		this.lists.set(
			list,
			Sortable.create(list, {
				group: {
					name: "memora-course",
					put: (to, _from, item) => item.dataset.kind === kind && !this.view.moves.refusal(kind, to.el.dataset.parent),
				},
				draggable: "li[role=treeitem]",
				filter: ".is-locked, button, input, .memora-row-error",
				preventOnFilter: false,
				forceFallback: true,
				fallbackOnBody: true,
				fallbackTolerance: 5,
				fallbackClass: "memora-drag-ghost",
				delay: 220,
				delayOnTouchOnly: true,
				touchStartThreshold: 6,
				swapThreshold: 0.65,
				emptyInsertThreshold: 12,
				animation: this.view.outline.children(list.dataset.parent).length > MANY ? 0 : 120,
				scroll: true,
				scrollSensitivity: 70,
				scrollSpeed: 14,
				onStart: (event) => this.start(event),
				onEnd: (event) => this.end(event),
			})
		);
	}

	detach(list) {
		const sortable = this.lists.get(list);
		if (sortable) sortable.destroy();
		this.lists.delete(list);
	}

	has_just_ended() {
		return Date.now() - this.ended < 50;
	}

	start({ item }) {
		const { view } = this;
		view.titles.close_draft(true);
		this.name = item.dataset.name;
		this.kind = item.dataset.kind;
		this.is_dragging = true;
		this.over = null;
		this.why = "";
		// Its kind is drawn closed meanwhile, so that it passes its siblings in one step; it stays under the pointer.
		const before = item.getBoundingClientRect().top;
		view.tree.element.dataset.dragging = this.kind.split(" ").pop().toLowerCase();
		window.scrollBy(0, item.getBoundingClientRect().top - before);
		const others = view.outline.chosen.has(this.name) ? this.names().length - 1 : 0;
		if (others) item.dataset.others = __("and {0} more", [others]);
		this.$hint.appendTo(document.body);
		document.addEventListener("selectstart", keep_still);
		document.addEventListener("pointermove", this.on_move, { passive: true });
		document.addEventListener("touchmove", this.on_move, { passive: true });
	}

	// What goes along: the chosen rows of the same kind, if the dragged one is among them.
	names() {
		const { outline } = this.view;
		if (!outline.chosen.has(this.name)) return [this.name];
		return outline.visible().filter((name) => outline.chosen.has(name) && outline.row(name).doctype === this.kind);
	}

	follow(event) {
		const point = event.touches ? event.touches[0] : event;
		if (!this.is_dragging || !point) return;
		this.point = { x: point.clientX, y: point.clientY };
		if (this.is_due) return;
		this.is_due = true;
		requestAnimationFrame(() => {
			this.is_due = false;
			if (this.is_dragging) this.look();
		});
	}

	look() {
		const { x, y } = this.point;
		const found = document.elementFromPoint(x, y);
		const row = found && found.closest(".memora-row");
		const node = row && row.parentElement;
		const name = (node && node.dataset.name) || "";
		if (name !== this.over) this.enter(name, node);
		this.$hint.css({ top: y + 18, insetInlineStart: "auto", left: Math.min(x + 14, window.innerWidth - 260) });
	}

	enter(name, node) {
		clearTimeout(this.timer);
		this.over = name;
		$(this.view.tree.element).find(".is-target").removeClass("is-target");
		this.into = "";
		this.why = "";
		const { outline, tree, moves } = this.view;
		const row = name && outline.row(name);
		if (row && name !== this.name && row.doctype !== this.kind) {
			if (row.doctype === above(this.kind) && !moves.refusal(this.kind, name)) {
				this.into = name;
				node.classList.add("is-target");
			} else if (!this.is_inside(row)) {
				this.why = row.doctype === above(this.kind) ? __("You may not change this.") : words(this.kind).place;
			}
			if (!outline.is_open(name) && KINDS.indexOf(row.doctype) < KINDS.indexOf(this.kind)) {
				this.timer = setTimeout(() => this.spring(name), OPENS_AFTER);
			}
		}
		tree.element.classList.toggle("is-refusing", Boolean(this.why));
		this.$hint.text(this.why).toggle(Boolean(this.why));
	}

	// Rows of a sibling's inside count as that sibling.
	is_inside(row) {
		return KINDS.indexOf(row.doctype) > KINDS.indexOf(this.kind);
	}

	// A closed row opens under what rests on it. The rest of the outline stays as it is until the drop.
	async spring(name) {
		const { outline, tree } = this.view;
		if (!outline.branches.has(name)) {
			const answer = await read("outline", { subject: outline.subject, open: [name], plan: outline.plan }).catch(() => null);
			if (!answer || !this.is_dragging) return;
			outline.branches.set(name, (answer.branches[name] || []).map((row) => row.name));
			for (const row of answer.branches[name] || []) outline.rows.set(row.name, row);
		}
		outline.unfold(name);
		tree.branch(tree.nodes.get(name), outline.row(name), Number(tree.nodes.get(name).getAttribute("aria-level")), true);
		tree.nodes.get(name).setAttribute("aria-expanded", "true");
	}

	end({ item, to }) {
		const { view } = this;
		const { name, kind, why, into } = this;
		const names = this.names();
		const previous = near(item, "previousElementSibling", names);
		const parent = to.dataset.parent;
		this.stop();
		delete item.dataset.others;
		const { outline } = view;
		const is_where_it_was = parent === outline.row(name).parent && previous === outline.previous(name);
		if (into) {
			const last = outline.children(into).filter((child) => !names.includes(child)).slice(-1)[0] || "";
			outline.unfold(into);
			if (!outline.branches.has(into)) return this.into_folded(names, into);
			return view.moves.many(names, into, last);
		}
		if (why) return view.fail(name, why);
		if (is_where_it_was || view.moves.refusal(kind, parent)) return view.draw();
		return view.moves.many(names, parent, previous);
	}

	async into_folded(names, parent) {
		const { view } = this;
		await view.refresh();
		await view.moves.many(names, parent, view.outline.children(parent).slice(-1)[0] || "");
	}

	stop() {
		clearTimeout(this.timer);
		document.removeEventListener("selectstart", keep_still);
		document.removeEventListener("pointermove", this.on_move);
		document.removeEventListener("touchmove", this.on_move);
		const { element } = this.view.tree;
		delete element.dataset.dragging;
		element.classList.remove("is-refusing");
		$(element).find(".is-target").removeClass("is-target");
		this.$hint.hide();
		this.is_dragging = false;
		this.name = "";
		this.ended = Date.now();
	}
}

// The next row in this direction that does not move itself.
function near(item, direction, names) {
	let other = item[direction];
	while (other && (!other.dataset.name || names.includes(other.dataset.name))) other = other[direction];
	return other ? other.dataset.name : "";
}
