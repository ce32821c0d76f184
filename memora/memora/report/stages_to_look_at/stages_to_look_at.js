// Its texts are plain. Frappe 15 shows a cell as HTML, later ones as text: here each cell is text in all of them.
frappe.query_reports["Stages to Look At"] = {
	formatter(value, row, column, data, default_formatter) {
		if (column.fieldtype === "Data") return memora.publishing.esc(value);
		return default_formatter(value, row, column, data);
	},
};
