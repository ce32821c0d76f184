// The names of files are kept as they are, since files are found by them; and Frappe shows a text in lists as HTML.
frappe.meta.get_docfield("CDN Media", "file_url").formatter = frappe.utils.escape_html;
