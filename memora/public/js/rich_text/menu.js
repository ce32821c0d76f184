// A menu that opens under a button of the toolbar.

let last = 0;

export class Menu {
	constructor(button, label, items, editor) {
		this.button = button;
		this.label = label;
		this.items = items;
		this.editor = editor;
		this.dom = null;
		button.setAttribute("aria-haspopup", "menu");
		button.setAttribute("aria-expanded", "false");
		button.addEventListener("click", () => (this.dom ? this.close() : this.open()));
		button.addEventListener("keydown", (event) => {
			if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
			event.preventDefault();
			this.open();
		});
		this.elsewhere = (event) => {
			if (!this.dom?.contains(event.target) && !button.contains(event.target)) this.close();
		};
	}

	open() {
		if (this.dom) return;
		const menu = document.createElement("div");
		menu.className = "memora-rt-menu";
		menu.id = `memora-rt-menu-${++last}`;
		menu.setAttribute("role", "menu");
		menu.setAttribute("aria-label", this.label);
		const { view } = this.editor;
		for (const item of this.items()) {
			const entry = document.createElement("button");
			entry.type = "button";
			entry.tabIndex = -1;
			entry.setAttribute("role", "on" in item ? "menuitemradio" : "menuitem");
			if ("on" in item) entry.setAttribute("aria-checked", String(item.on));
			if (item.may && !item.may(view.state)) entry.setAttribute("aria-disabled", "true");
			entry.textContent = item.label;
			entry.addEventListener("mousedown", (event) => event.preventDefault());
			entry.addEventListener("click", () => {
				if (entry.getAttribute("aria-disabled")) return;
				this.close();
				if (item.ask) return item.ask();
				item.run(view.state, view.dispatch, view);
				view.focus();
			});
			menu.append(entry);
		}
		menu.addEventListener("keydown", (event) => this.#key(event));
		this.button.after(menu);
		this.dom = menu;
		this.button.setAttribute("aria-expanded", "true");
		this.button.setAttribute("aria-controls", menu.id);
		this.#place();
		document.addEventListener("mousedown", this.elsewhere, true);
		/** @type {HTMLElement} */ (menu.querySelector('[aria-checked="true"]') || menu.firstElementChild).focus();
	}

	close() {
		if (!this.dom) return;
		this.dom.remove();
		this.dom = null;
		this.button.setAttribute("aria-expanded", "false");
		document.removeEventListener("mousedown", this.elsewhere, true);
	}

	// Under the button, within the window; the toolbar would cut it off otherwise.
	#place() {
		const under = this.button.getBoundingClientRect();
		const { width, height } = this.dom.getBoundingClientRect();
		const is_rtl = getComputedStyle(this.button).direction === "rtl";
		const left = is_rtl ? under.right - width : under.left;
		this.dom.style.left = `${Math.max(4, Math.min(left, window.innerWidth - width - 4))}px`;
		this.dom.style.top = `${Math.max(4, Math.min(under.bottom + 2, window.innerHeight - height - 4))}px`;
		// Within a dialog that is moved by a transform, "fixed" counts from the dialog.
		const now = this.dom.getBoundingClientRect();
		this.dom.style.marginTop = `${parseFloat(this.dom.style.top) - now.top}px`;
		this.dom.style.marginLeft = `${parseFloat(this.dom.style.left) - now.left}px`;
	}

	#key(event) {
		const entries = /** @type {HTMLElement[]} */ ([...this.dom.children]);
		const place = entries.findIndex((entry) => entry === document.activeElement);
		const to = {
			ArrowDown: (place + 1) % entries.length,
			ArrowUp: (place - 1 + entries.length) % entries.length,
			Home: 0,
			End: entries.length - 1,
		}[event.key];
		if (to !== undefined) entries[to].focus();
		else if (event.key === "Escape") {
			this.close();
			this.button.focus();
		} else if (event.key === "Tab") {
			this.close();
			return;
		} else return;
		event.preventDefault();
		event.stopPropagation();
	}
}
