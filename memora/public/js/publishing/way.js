// Where a document is: the documents above it, from the subject down, each a link.
frappe.provide("memora.publishing");

const { html, put } = memora.publishing;

// Shows the way down to the last document of a line, which is the form's own, in an element of jQuery's.
memora.publishing.show_way = function ($way, line) {
	const above = line.slice(0, -1);
	const drawn = JSON.stringify(line.map(({ name, title }) => [name, title]));
	if ($way.data("drawn") === drawn) return; // who has the focus on a link keeps it
	$way.data("drawn", drawn).toggle(Boolean(line.length));
	const crumbs = above.map(
		({ doctype, name, title }) =>
			html`<li><a href="${frappe.utils.get_form_link(doctype, name)}" title="${__(doctype)}"><bdi>${title}</bdi></a></li>`
	);
	if (line.length) crumbs.push(html`<li aria-current="page"><bdi>${line[line.length - 1].title}</bdi></li>`);
	put($way, html`<ol>${crumbs}</ol>`);
};
