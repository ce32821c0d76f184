"""What the tests on a site start from."""

import shutil
import tempfile
from pathlib import Path

import frappe
from frappe.utils.background_jobs import get_redis_conn

from memora.install import fill_settings
from memora.services.cdn_export.state import audit_progress, edge_notes
from memora.tests.helpers.frappe_versions import class_for_tests

__all__ = ["MemoraTestCase", "messages", "wipe"]


def wipe() -> None:
	"""Leave nothing of memora on the site, neither in MariaDB nor in Redis; commits.

	Settings go back to what installing leaves. It deletes rows rather than truncating tables, which takes longer.
	"""
	frappe.db.rollback()
	doctypes = frappe.get_all("DocType", {"module": "Memora"}, ["name", "issingle"])
	owners = [*(doctype.name for doctype in doctypes), "Deleted Document"]
	for file in frappe.get_all("File", {"attached_to_doctype": ("in", owners)}, pluck="name"):
		frappe.delete_doc("File", file, force=True, ignore_permissions=True)  # on the disk too
	for doctype in doctypes:
		if doctype.issingle:
			frappe.db.delete("Singles", {"doctype": doctype.name})
		else:
			frappe.db.delete(doctype.name)
	names = [doctype.name for doctype in doctypes]
	frappe.db.delete("Version", {"ref_doctype": ("in", names)})
	frappe.db.delete("Deleted Document", {"deleted_doctype": ("in", names)})
	frappe.db.delete("Comment", {"reference_doctype": ("in", names)})
	frappe.db.delete("ToDo", {"reference_type": ("in", names)})
	frappe.db.delete("DocShare", {"share_doctype": ("in", names)})
	frappe.db.delete("DefaultValue", {"name": ("in", (audit_progress.NOTE, edge_notes.NOTE))})
	frappe.db.sql("DELETE FROM `__Auth` WHERE doctype IN %s", [names])
	fill_settings()
	frappe.db.commit()
	for doctype in doctypes:
		if doctype.issingle:
			frappe.clear_document_cache(doctype.name, doctype.name)
	queue = get_redis_conn()
	keys = list(queue.scan_iter(f"{frappe.conf.db_name}|cdn_export:*", count=1000))
	if keys:
		queue.delete(*keys)


def messages() -> str:
	"""What Frappe would show the user by now, as one text."""
	return " ".join(message["message"] for message in frappe.get_message_log())


class MemoraTestCase(class_for_tests()):
	"""Each test begins and each class ends with nothing of memora on the site, whatever was committed.

	`local_path` is an empty folder of the test's own, for the Local Directory provider.
	"""

	local_path: Path

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls.addClassCleanup(wipe)

	def setUp(self) -> None:
		super().setUp()
		wipe()
		self.local_path = Path(tempfile.mkdtemp(prefix="memora-"))
		for folder in (self.local_path, f"{self.local_path}.meta"):
			self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
