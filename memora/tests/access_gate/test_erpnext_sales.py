"""What a user owns by ERPNext's sales. Where ERPNext is installed, its own tables are asked; else DocTypes that are made
here with the columns that are read."""

from __future__ import annotations

import itertools
from typing import Any
from unittest import SkipTest

import frappe
from frappe.utils import today

from memora.services.access_gate.erpnext_sales import owned_items
from memora.tests.helpers.users import make_user
from memora.tests.helpers.utils import MemoraTestCase

_TABLES: dict[str, tuple[bool, dict[str, str]]] = {
	"Customer": (False, {"customer_name": "Data"}),
	"Portal User": (True, {"user": "Data"}),
	"Sales Order": (False, {"customer": "Data", "status": "Data"}),
	"Sales Order Item": (True, {"item_code": "Data", "qty": "Float", "returned_qty": "Float"}),
	"Sales Invoice": (False, {"customer": "Data", "is_return": "Check"}),
	"Sales Invoice Item": (
		True,
		{"item_code": "Data", "qty": "Float", "sales_order": "Data", "so_detail": "Data"},
	),
	"Product Bundle": (False, {"new_item_code": "Data"}),
	"Product Bundle Item": (True, {"item_code": "Data"}),
}
_HEADS = ("Sales Order", "Sales Invoice")
ME, OTHER = "buyer@sales.test", "someone@sales.test"


class TestSales(MemoraTestCase):
	numbers = itertools.count(1)

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.has_erpnext = bool(frappe.db.exists("DocType", "Sales Invoice"))
		if not cls.has_erpnext:
			for name, (is_table, columns) in _TABLES.items():
				cls.make_doctype(name, is_table, columns)
		for user in (ME, OTHER):
			make_user(cls, user)

	@classmethod
	def make_doctype(cls, name: str, is_table: bool, columns: dict[str, str]) -> None:
		fields = [{"fieldname": each, "fieldtype": kind, "label": each} for each, kind in columns.items()]
		doctype = {"doctype": "DocType", "module": "Core", "custom": 1, "istable": is_table}
		frappe.get_doc({**doctype, "name": name, "fields": fields}).insert(ignore_if_duplicate=True)
		cls.addClassCleanup(frappe.db.commit)
		cls.addClassCleanup(frappe.delete_doc, "DocType", name, force=True, ignore_permissions=True)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.db.rollback)
		self.customer("MINE", ME)

	def put(self, doctype: str, **values: Any) -> str:
		"""A row as it is, past what ERPNext would ask for."""
		name = values.pop("name", "") or f"memora-{next(self.numbers)}"
		doc = frappe.get_doc({"doctype": doctype, **values})
		doc.name = name
		doc.db_insert()
		return name

	def customer(self, customer: str, user: str) -> None:
		self.put("Portal User", parenttype="Customer", parent=customer, parentfield="portal_users", user=user)

	def sale(
		self, doctype: str, *rows: dict[str, Any], customer: str = "MINE", docstatus: int = 1, **head: Any
	) -> str:
		"""An order or invoice with these rows; each may say its own name."""
		name = self.put(doctype, customer=customer, docstatus=docstatus, **head)
		for row in rows:
			self.put(
				f"{doctype} Item",
				parent=name,
				parenttype=doctype,
				parentfield="items",
				docstatus=docstatus,
				**row,
			)
		return name

	def order(self, *rows: dict[str, Any], **head: Any) -> str:
		return self.sale("Sales Order", *rows, **{"status": "To Deliver and Bill", **head})

	def invoice(self, *rows: dict[str, Any], **head: Any) -> str:
		return self.sale("Sales Invoice", *rows, **head)

	def test_orders_and_invoices_that_are_submitted_count(self) -> None:
		self.order({"item_code": "PHYSICS", "qty": 1})
		self.invoice({"item_code": "صنف ٢", "qty": 2})
		self.order({"item_code": "DRAFT", "qty": 1}, docstatus=0)
		self.invoice({"item_code": "CANCELLED", "qty": 1}, docstatus=2)
		self.assertEqual(sorted(owned_items(ME)), ["PHYSICS", "صنف ٢"])
		self.assertEqual(owned_items(OTHER), [])
		self.assertEqual(owned_items("Guest"), [])

	def test_another_customers_sales_are_not_mine(self) -> None:
		self.customer("HIS", OTHER)
		self.order({"item_code": "PHYSICS", "qty": 1}, customer="HIS")
		self.assertEqual((owned_items(ME), owned_items(OTHER)), ([], ["PHYSICS"]))

	def test_a_contact_with_the_user_is_a_way_to_the_customer(self) -> None:
		contact = self.put("Contact", first_name="Buyer", user=OTHER)
		self.put(
			"Dynamic Link",
			parent=contact,
			parenttype="Contact",
			parentfield="links",
			link_doctype="Customer",
			link_name="FIRM",
		)
		self.put(
			"Dynamic Link",
			parent=contact,
			parenttype="Contact",
			parentfield="links",
			link_doctype="Supplier",
			link_name="MINE",
		)
		self.order({"item_code": "PHYSICS", "qty": 1}, customer="FIRM")
		self.order({"item_code": "CHEMISTRY", "qty": 1})
		self.assertEqual(owned_items(OTHER), ["PHYSICS"])
		self.assertEqual(owned_items(ME), ["CHEMISTRY"])

	def test_what_was_given_back_is_not_owned(self) -> None:
		self.invoice({"item_code": "PHYSICS", "qty": 1})
		self.invoice({"item_code": "CHEMISTRY", "qty": 2})
		self.invoice({"item_code": "PHYSICS", "qty": -1}, {"item_code": "CHEMISTRY", "qty": -1}, is_return=1)
		self.invoice({"item_code": "CHEMISTRY", "qty": -1}, is_return=1, docstatus=2)
		self.assertEqual(owned_items(ME), ["CHEMISTRY"])

	def test_an_invoice_of_an_order_counts_once_with_it_and_so_does_its_credit_note(self) -> None:
		order = self.order({"name": "row-1", "item_code": "PHYSICS", "qty": 1})
		of_order = {"item_code": "PHYSICS", "sales_order": order, "so_detail": "row-1"}
		self.invoice({**of_order, "qty": 1})
		self.assertEqual(owned_items(ME), ["PHYSICS"])
		self.invoice({**of_order, "qty": -1}, is_return=1)
		self.assertEqual(owned_items(ME), [])

	def test_what_was_delivered_and_given_back_is_taken_off_once(self) -> None:
		order = self.order(
			{"name": "row-2", "item_code": "PHYSICS", "qty": 1, "returned_qty": 1},
			{"name": "row-3", "item_code": "CHEMISTRY", "qty": 2, "returned_qty": 1},
		)
		self.invoice(
			{"item_code": "CHEMISTRY", "sales_order": order, "so_detail": "row-3", "qty": -1}, is_return=1
		)
		self.assertEqual(owned_items(ME), ["CHEMISTRY"])

	def test_of_a_closed_order_only_what_was_invoiced_is_owned(self) -> None:
		order = self.order(
			{"name": "row-4", "item_code": "PHYSICS", "qty": 1},
			{"name": "row-5", "item_code": "CHEMISTRY", "qty": 1},
			status="Closed",
		)
		self.invoice({"item_code": "PHYSICS", "sales_order": order, "so_detail": "row-4", "qty": 1})
		self.assertEqual(owned_items(ME), ["PHYSICS"])

	def test_a_bundle_opens_what_it_holds(self) -> None:
		bundle = self.put("Product Bundle", new_item_code="YEAR")
		for item in ("PHYSICS", "CHEMISTRY"):
			self.put(
				"Product Bundle Item",
				parent=bundle,
				parenttype="Product Bundle",
				parentfield="items",
				item_code=item,
			)
		self.order({"item_code": "YEAR", "qty": 1}, {"item_code": "PHYSICS", "qty": 1})
		self.assertEqual(owned_items(ME), ["CHEMISTRY", "PHYSICS", "YEAR"])
		self.invoice({"item_code": "YEAR", "qty": -1}, is_return=1)
		self.assertEqual(owned_items(ME), ["PHYSICS"])


class TestDocuments(MemoraTestCase):
	"""The same by documents that ERPNext itself makes, submits, returns and cancels: on a site that has it and a company."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		if "erpnext" not in frappe.get_installed_apps() or not frappe.db.count("Company"):
			raise SkipTest("needs ERPNext, with a company")
		make_user(cls, ME)

	def setUp(self) -> None:
		super().setUp()
		self.addCleanup(frappe.db.rollback)
		self.company = frappe.get_all("Company", pluck="name")[0]
		for code in ("MEMORA-YEAR", "MEMORA-PHYSICS", "MEMORA-CHEMISTRY"):
			self.new(
				"Item", item_code=code, item_group=self.leaf("Item Group"), is_stock_item=0, stock_uom="Nos"
			)
		self.new(
			"Product Bundle", new_item_code="MEMORA-YEAR", items=[{"item_code": "MEMORA-CHEMISTRY", "qty": 1}]
		)
		self.customer = self.new(
			"Customer",
			customer_name="Memora's Buyer",
			customer_group=self.leaf("Customer Group"),
			territory=self.leaf("Territory"),
			portal_users=[{"user": ME}],
		).name

	def leaf(self, doctype: str) -> str:
		return frappe.get_all(doctype, {"is_group": 0}, pluck="name")[0]

	def new(self, doctype: str, **values: Any) -> Any:
		return frappe.get_doc({"doctype": doctype, **values}).insert()

	def sold(self, doctype: str, code: str) -> Any:
		row = {"item_code": code, "qty": 1, "rate": 10, "delivery_date": today()}
		doc = self.new(
			doctype,
			customer=self.customer,
			company=self.company,
			delivery_date=today(),
			due_date=today(),
			items=[row],
		)
		self.assertEqual(owned_items(ME), [])
		doc.submit()
		return doc

	def made(self, method: str, source: str) -> Any:
		doc = frappe.get_attr(method)(source)
		doc.insert().submit()
		return doc

	def test_an_order_that_is_invoiced_and_returned(self) -> None:
		order = self.sold("Sales Order", "MEMORA-PHYSICS")
		self.assertEqual(owned_items(ME), ["MEMORA-PHYSICS"])
		invoice = self.made("erpnext.selling.doctype.sales_order.sales_order.make_sales_invoice", order.name)
		self.assertEqual(owned_items(ME), ["MEMORA-PHYSICS"])
		note = self.made(
			"erpnext.accounts.doctype.sales_invoice.sales_invoice.make_sales_return", invoice.name
		)
		self.assertEqual(owned_items(ME), [])
		note.cancel()
		self.assertEqual(owned_items(ME), ["MEMORA-PHYSICS"])

	def test_an_order_that_is_closed_before_it_was_invoiced(self) -> None:
		order = self.sold("Sales Order", "MEMORA-YEAR")
		self.assertEqual(owned_items(ME), ["MEMORA-CHEMISTRY", "MEMORA-YEAR"])
		order.update_status("Closed")
		self.assertEqual(owned_items(ME), [])

	def test_an_invoice_that_is_cancelled(self) -> None:
		invoice = self.sold("Sales Invoice", "MEMORA-PHYSICS")
		self.assertEqual(owned_items(ME), ["MEMORA-PHYSICS"])
		invoice.cancel()
		self.assertEqual(owned_items(ME), [])
