"""What a user owns by the sales of ERPNext: ready to be named by the hook `memora_owned_items` (docs/gate.md, "Who owns what").

- A user's customers are those whose portal user he is, and those that a contact with this user is linked to.
- What a submitted Sales Order or Sales Invoice names is owned, paid or not, in all of a customer's companies. An invoice of an order counts once, with it.
- A credit note takes off what it returns, and so does what was delivered and given back. What is cancelled or a draft does not count. Of a closed order
  only what was invoiced does.
- Whoever owns a Product Bundle owns the items that it holds now, too.
"""

from __future__ import annotations

import frappe

_CUSTOMERS = """
	select parent from `tabPortal User` where parenttype = 'Customer' and user = %(user)s
	union
	select link.link_name from tabContact contact
	join `tabDynamic Link` link on link.parent = contact.name and link.parenttype = 'Contact'
	where contact.user = %(user)s and link.link_doctype = 'Customer'"""

_OWNED = """
	select item_code from (
		select sold.item_code, sold.qty - greatest(coalesce(sold.returned_qty, 0), coalesce((
			select -sum(back.qty) from `tabSales Invoice Item` back
			join `tabSales Invoice` note on note.name = back.parent
			where back.so_detail = sold.name and note.docstatus = 1 and note.is_return = 1), 0)) qty
		from `tabSales Order` sale join `tabSales Order Item` sold on sold.parent = sale.name
		where sale.customer in %(customers)s and sale.docstatus = 1 and sale.status <> 'Closed'
		union all
		select sold.item_code, sold.qty
		from `tabSales Invoice` sale join `tabSales Invoice Item` sold on sold.parent = sale.name
		where sale.customer in %(customers)s and sale.docstatus = 1 and not exists (
			select 1 from `tabSales Order` ordered
			where ordered.name = sold.sales_order and ordered.docstatus = 1 and ordered.status <> 'Closed')
	) sales
	where coalesce(item_code, '') <> ''
	group by item_code having sum(qty) > 0"""

_IN_BUNDLES = """
	select held.item_code
	from `tabProduct Bundle` bundle join `tabProduct Bundle Item` held on held.parent = bundle.name
	where bundle.new_item_code in %(bought)s and coalesce(held.item_code, '') <> ''"""


def owned_items(user: str) -> list[str]:
	"""The codes of the items that this user's customers have bought and not given back. Empty without ERPNext."""
	if not frappe.db.exists("DocType", "Sales Invoice"):
		return []
	customers = frappe.db.sql(_CUSTOMERS, {"user": user}, pluck=True)
	bought = frappe.db.sql(_OWNED, {"customers": tuple(customers)}, pluck=True) if customers else []
	held = frappe.db.sql(_IN_BUNDLES, {"bought": tuple(bought)}, pluck=True) if bought else []
	return sorted({*bought, *held})
