"""The roles of people who use memora in the Desk."""

EDITOR = "Memora Editor"
ADMIN = "Memora CDN Admin"

ADMINS = ("System Manager", ADMIN)
"""Who sees the pipeline and may start, retry and approve."""

EDITORS = (*ADMINS, EDITOR)
"""Who sees what is published of content."""
