"""Pure: no Frappe, no I/O."""
