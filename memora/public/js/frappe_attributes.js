// A text of ours holds no `<` and `>`, but it may hold quotes, and some of Frappe's screens write texts into an attribute
// as they are: behind the quote, the rest of the text would be attributes of its own, and those may run. Here each such
// element keeps the attributes that Frappe has written, before the page gets it. Other apps' DocTypes stay as they are.

const is_ours = (doctype) => /^(Memora|CDN) /.test(doctype || "");

// The same HTML, where these elements have no other attributes.
function only_own(html, selector, own) {
	const template = document.createElement("template"); // in which nothing runs
	template.innerHTML = html;
	keep_own(template.content.querySelectorAll(selector), own);
	return template.innerHTML;
}

function keep_own(elements, own) {
	for (const element of elements) {
		for (const { name } of [...element.attributes]) if (!own.includes(name)) element.removeAttribute(name);
	}
}

// Passes what a method of Frappe's returns through `change`, for our DocTypes.
function filter_result(owner, method, doctype_of, change) {
	const original = owner && owner[method];
	if (!original) return; // this version has no such screen
	owner[method] = function (...given) {
		const made = original.apply(this, given);
		return is_ours(doctype_of(this)) ? change(made) : made;
	};
}

const class_of = (name) => (frappe.views[name] || {}).prototype;
const own_doctype = (view) => view.doctype;

filter_result(class_of("ImageView"), "item_html", own_doctype, (html) =>
	only_own(html, ".image-field img", ["class", "data-name", "src", "alt", "loading"])
);
filter_result(class_of("ListGroupBy"), "get_dropdown_html", own_doctype, (html) =>
	only_own(html, ".group-by-value", ["class", "data-name"])
);
// A card has its title as HTML too, in which entities have become `<`.
const render = frappe.render_template;
frappe.render_template = function (name, data) {
	if (name !== "kanban_card" || !is_ours(frappe.get_route()[1])) return render.apply(this, arguments);
	const title = /</.test(data.title) ? frappe.utils.escape_html(data.title) : data.title;
	const html = render.call(this, name, { ...data, title });
	return only_own(html, ".kanban-card-title, .kanban-image img", ["class", "title", "src", "alt"]);
};
const { quick_list } = (frappe.widget || {}).widget_factory || {};
filter_result(
	quick_list && quick_list.prototype,
	"setup_quick_list_item",
	(list) => list.document_type,
	($item) => {
		keep_own($item.find(".title"), ["class", "title"]);
		return $item;
	}
);
// What a link offers is HTML in v15, and text later. Here it is text wherever it comes from: an entity that was typed stays
// one, and is not written twice as one. Below it is its way, and not the name that Frappe puts there, which is a hash.
const described = ({ description, value }) => {
	const text = String(description || "");
	return text === value ? "" : text.startsWith(`${value}, `) ? text.slice(value.length + 2) : text;
};
const link = frappe.ui.form.ControlLink.prototype;
const { setup_awesomeplete } = link;
link.setup_awesomeplete = function () {
	setup_awesomeplete.call(this);
	filter_result(
		this.awesomplete,
		"item",
		() => this.get_options(),
		(option) => {
			const offered = $(option).data("item.autocomplete") || {};
			keep_own(option.querySelectorAll("p"), ["title"]);
			if (!offered.html) {
				const title = this.get_translated(offered.label || offered.value);
				$(option).find("p").attr("title", title).find("strong").text(title);
				const way = described(offered);
				$(option).find("span.small").text(way);
				if (!way) $(option).find("br, span.small").remove();
			}
			return option;
		}
	);
};
