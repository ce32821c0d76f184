"""Installing, migrating and uninstalling, by the commands an operator uses, on a Frappe without ERPNext."""

import importlib
import pkgutil
from unittest.mock import patch
from urllib.parse import urlsplit

import frappe
import pytest
from frappe.core.doctype.user_permission.user_permission import get_user_permissions
from frappe.installer import install_app

import memora
from memora.frappe_versions import desk_route
from memora.install import ROLES, after_install, after_migrate, fill_settings
from memora.services.cdn_export.delivery import admin_notices
from memora.tests.helpers import factories
from memora.tests.helpers.benches import bench, structure
from memora.tests.helpers.utils import MemoraTestCase, wipe
from memora.tests.helpers.web import Web


class TestInstall(MemoraTestCase):
	@pytest.mark.earlier_defect("`bench migrate` deleted CDN Sync Log as orphaned")
	def test_migrating_twice_changes_nothing(self) -> None:
		before = structure()
		for _ in range(2):
			bench("migrate", "--skip-search-index")
			self.assertEqual(structure(), before)
		self.assertEqual(before["roles"], sorted(ROLES))
		self.assertIn("CDN Sync Log", before["doctypes"])
		self.assertEqual(before["workspaces"], ["Memora"])

	def test_the_scheduler_knows_the_jobs(self) -> None:
		jobs = {job.method: job.cron_format for job in structure()["jobs"]}
		module = "memora.services.cdn_export.batch_processor"
		self.assertEqual(jobs[f"{module}.process_pending_plans"], "*/5 * * * *")
		self.assertEqual(jobs[f"{module}.check_due"], "* * * * *")

	def test_every_hook_names_something_that_exists(self) -> None:
		hooks = frappe.get_hooks(app_name="memora")
		methods = [
			*hooks.before_install,
			*hooks.after_install,
			*hooks.after_migrate,
			*hooks.before_uninstall,
			*hooks.after_uninstall,
			*(tile["has_permission"] for tile in hooks.add_to_apps_screen),
			*(
				method
				for events in hooks.doc_events.values()
				for paths in events.values()
				for method in paths
			),
			*(method for paths in hooks.scheduler_events["cron"].values() for method in paths),
			*hooks.scheduler_events["hourly"],
			*hooks.scheduler_events["daily"],
		]
		for method in methods:
			self.assertTrue(callable(frappe.get_attr(method)), method)

	@pytest.mark.earlier_defect("imports that don't exist")
	def test_every_module_can_be_imported(self) -> None:
		for module in pkgutil.walk_packages(memora.__path__, "memora."):
			if not module.name.startswith("memora.tests."):
				importlib.import_module(module.name)

	def test_installing_again_keeps_what_was_set(self) -> None:
		settings = frappe.get_doc("CDN Settings")
		settings.update({"batch_threshold": 7, "enabled": 1}).save()
		after_install()
		after_migrate()
		self.assertEqual(frappe.db.get_single_value("CDN Settings", "batch_threshold"), 7)
		self.assertEqual(frappe.db.get_single_value("CDN Settings", "enabled"), 1)

	def test_a_setting_that_a_release_adds_gets_its_default(self) -> None:
		frappe.db.delete("Singles", {"doctype": "CDN Settings", "field": "purge_batch_size"})
		fill_settings()
		self.assertEqual(frappe.db.get_single_value("CDN Settings", "purge_batch_size"), 100)

	def test_the_log_is_cleared_by_frappes_log_settings(self) -> None:
		log = frappe.get_doc({"doctype": "CDN Sync Log", "plan_id": "gone", "status": "Failed"})
		log.flags.ignore_links = True
		old = log.insert(ignore_permissions=True).name
		frappe.db.set_value(
			"CDN Sync Log", old, "creation", frappe.utils.add_days(None, -100), update_modified=False
		)
		recent = frappe.copy_doc(log)
		recent.flags.ignore_links = True
		recent.insert(ignore_permissions=True)

		# Frappe takes the hook up when it cleans up; early v15 releases know only what is registered.
		self.assertEqual(frappe.get_hooks("default_log_clearing_doctypes")["CDN Sync Log"], [90])
		settings = frappe.get_doc("Log Settings")
		settings.register_doctype("CDN Sync Log", 90)
		settings.clear_logs()

		self.assertEqual(frappe.get_all("CDN Sync Log", pluck="name"), [recent.name])

	def test_a_site_on_another_database_is_refused_in_one_sentence(self) -> None:
		before = structure()
		self.addCleanup(setattr, frappe.flags, "in_install", frappe.flags.in_install)
		for database in ("postgres", "sqlite"):
			with patch.object(frappe.local.db, "db_type", database), self.assertRaises(SystemExit) as refused:
				install_app("memora", force=True)
			self.assertEqual(
				refused.exception.code,
				f"memora needs MariaDB, and {frappe.local.site} runs on {database}: nothing was installed.",
			)
		self.assertEqual(structure(), before)

	def test_the_desks_links_are_those_of_this_frappe(self) -> None:
		"""Its router takes no other, and loads the whole page."""
		subjects = urlsplit(frappe.utils.get_url_to_list("Memora Subject")).path
		self.assertEqual(subjects, desk_route("memora-subject"))
		(tile,) = frappe.get_hooks("add_to_apps_screen", app_name="memora")
		self.assertEqual(tile["route"], desk_route("memora"))
		self.assertEqual(admin_notices.DASHBOARD, desk_route("cdn-export-dashboard"))

	def test_the_desks_icon_and_sidebar_are_there_by_role(self) -> None:
		"""From v16 on; before, Frappe knows neither, and leaves their files alone."""
		if not frappe.db.exists("DocType", "Workspace Sidebar"):
			self.assertEqual(frappe.get_all("Desktop Icon", {"app": "memora"}), [])
			return
		from frappe.boot import get_sidebar_items

		try:
			from frappe.desk.desktop import get_workspaces
		except ImportError:
			from frappe.desk.desktop import get_workspace_sidebar_items as get_workspaces
		from frappe.desk.doctype.desktop_icon.desktop_icon import get_desktop_icons

		self.addCleanup(frappe.set_user, "Administrator")
		web, seen = Web(), {}
		for role in (*ROLES, "Desk User"):
			user = web.make_user(f"{frappe.scrub(role)}@sidebar.test", role)
			self.addCleanup(frappe.delete_doc, "User", user, force=True, ignore_permissions=True)
			frappe.set_user(user)
			frappe.clear_cache(user=user)
			frappe.cache.hdel("desktop_icons", user)
			pages = [page["name"] for page in get_workspaces()["pages"]]
			items = get_sidebar_items(pages)
			icons = get_desktop_icons(user, frappe._dict(workspace_sidebar_item=items))
			listed = {
				item["link_to"] for item in items.get("memora", {}).get("items", []) if item["type"] == "Link"
			}
			seen[role] = (bool([icon for icon in icons if icon.label == "Memora"]), listed)
		editor, admin, nobody = seen[ROLES[0]], seen[ROLES[1]], seen["Desk User"]
		self.assertEqual((editor[0], admin[0], nobody[0]), (True, True, False))
		self.assertIn("Memora Lesson", editor[1] & admin[1])
		self.assertIn("CDN Settings", admin[1] - editor[1])
		self.assertNotIn("Memora Lesson", nobody[1])

	def test_uninstalling_leaves_frappe_as_it_was_and_says_what_stays(self) -> None:
		settings = frappe.get_doc("CDN Settings")
		settings.update({"secret_key": "s3cr3t"}).save()
		teacher = "teacher@memora.example"
		if not frappe.db.exists("User", teacher):
			user = {"doctype": "User", "email": teacher, "first_name": "Teacher", "send_welcome_email": 0}
			frappe.get_doc(user).insert(ignore_permissions=True)
		frappe.get_doc(
			{
				"doctype": "User Permission",
				"user": teacher,
				"allow": "Memora Subject",
				"for_value": factories.make_subject().name,
			}
		).insert(ignore_permissions=True)
		try:
			self.assertIn("public/files/memora", bench("uninstall-app", "memora", "--dry-run", "--yes"))
			self.assertTrue(frappe.db.exists("Role", ROLES[0]), "a dry run removed a role")

			printed = bench("uninstall-app", "memora", "--yes", "--no-backup")

			self.assertIn("Published files stay in public/files/memora", printed)
			self.assertEqual(frappe.db.sql("show tables like 'tabMemora%'"), ())
			self.assertEqual(frappe.db.sql("show tables like 'tabCDN%'"), ())
			for doctype, filters in (
				("DocType", {"module": "Memora"}),
				("Module Def", {"name": "Memora"}),
				("Workspace", {"name": "Memora"}),
				("Role", {"name": ("in", ROLES)}),
				("Has Role", {"role": ("in", ROLES)}),
				("Has Role", {"parenttype": "Desktop Icon", "parent": "Memora"}),  # from v16 on
				("Scheduled Job Type", {"method": ("like", "memora.%")}),
				("Logs To Clear", {"ref_doctype": ("in", ("CDN Sync Log", "Memora History"))}),
				("Global Search DocType", {"document_type": ("like", "Memora %")}),
				("Desktop Icon", {"app": "memora"}),
				("Workspace Sidebar", {"module": "Memora"}),  # from v16 on
			):
				if not frappe.db.exists("DocType", doctype):
					continue
				self.assertEqual(frappe.get_all(doctype, filters), [], doctype)
			for table in ("Singles", "__Auth"):
				self.assertEqual(frappe.db.count(table, {"doctype": "CDN Settings"}), 0, table)
			# Whoever had a permission for one of our documents can go on working.
			self.assertEqual(get_user_permissions(teacher), {})
		finally:
			if "memora" not in frappe.get_installed_apps():
				# As on a site that ran before memora was on the bench.
				frappe.cache().set_value("app_modules", {"frappe": frappe.get_module_list("frappe")})
				bench("install-app", "memora")
		wipe()
		self.assertEqual(structure()["roles"], sorted(ROLES))
