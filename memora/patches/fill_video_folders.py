"""Video Folders of CDN Settings are new, and only films in them are signed: fill in those that existing links use.

Links to anything else stay as they are, unsigned; `bench memora doctor` lists them.
"""

import frappe

from memora.services.cdn_export import settings
from memora.services.cdn_export.curriculum import films
from memora.services.cdn_export.state import database


def execute() -> None:
	database.transaction(_fill)


def _fill() -> None:
	doc = frappe.get_doc(settings.DOCTYPE)
	if not doc.get("video_folders"):
		folders = "\n".join(films.folders_in_use(doc))
		frappe.db.set_single_value(settings.DOCTYPE, "video_folders", folders, update_modified=False)
