"""Where files go: CDN Settings as they are saved, and the storage, tried."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from html import unescape
from typing import TypeVar

import frappe
from frappe.utils import strip_html

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import connection
from memora.services.cdn_export.admin.finding import Finding

T = TypeVar("T")

BUCKET_SECONDS = 30


def settings_page() -> Iterator[Finding]:
	"""Whether CDN Settings can work as they are saved."""
	doc = frappe.get_doc(settings.DOCTYPE)
	wrong = []
	for field in doc.meta.get("fields", {"fieldtype": "Password"}):
		if not doc.get(field.fieldname):
			continue
		try:
			doc.get_password(field.fieldname)
		except Exception:  # noqa: BLE001 - Frappe raises differently by release
			wrong.append(
				Finding(
					"settings",
					"error",
					f"{field.label} cannot be decrypted: the site was restored without its encryption_key.",
					f"Put the old encryption_key into site_config.json, or enter {field.label} again.",
				)
			)
	try:
		doc.validate()
	except frappe.ValidationError as error:
		lines = [unescape(strip_html(line)) for line in str(error).split("<br>")]
		wrong += [Finding("settings", "error", line, "CDN Settings") for line in lines if line]
	finally:
		frappe.clear_messages()
	yield from wrong
	if not doc.enabled:
		yield Finding("settings", "warning", "Export is disabled, so changes wait.", "CDN Settings, Enabled")
	elif not wrong:
		yield Finding("settings", "ok", f"Export to {doc.storage_provider} is enabled.")


def storage() -> Iterator[Finding]:
	"""The connection test, with an end to it: a storage that never answers must not stop the doctor."""
	try:
		found = in_time(connection.prepare())
	except TimeoutError:
		yield Finding(
			"storage",
			"error",
			f"The storage has not answered everything within {BUCKET_SECONDS} seconds.",
			"Check Endpoint URL, the network, and the provider's status page.",
		)
		return
	for finding in found:
		yield Finding(f"storage: {finding.check}", finding.level, finding.message, finding.fix)


def in_time(work: Callable[[], T]) -> T:
	"""What `work` answers, which asks the storage and no database. Raises TimeoutError where that takes too long, and what it
	raises."""
	result: Future[T] = Future()

	def run() -> None:
		try:
			result.set_result(work())
		except Exception as error:  # noqa: BLE001 - raised where it is waited for
			result.set_exception(error)

	# One of an executor's threads would keep this process from ending.
	threading.Thread(target=run, daemon=True).start()
	ended, _hanging = wait([result], BUCKET_SECONDS)
	if not ended:
		raise TimeoutError("the storage does not answer")
	return result.result()
