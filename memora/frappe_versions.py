"""What differs between the versions of Frappe that memora runs on, each said once, with when it can go.

Nothing asks for a version's number: each looks at what this Frappe does.
"""

from __future__ import annotations

from frappe import hooks as frappe_hooks


def _desk() -> str:
	"""The Desk's first path. Frappe sends those who ask for the other one there."""
	redirects = getattr(frappe_hooks, "website_redirects", ())
	return "/desk" if any(rule["target"].startswith("/desk") for rule in redirects) else "/app"


DESK = _desk()
"""Where the Desk is: `/app` in v15, `/desk` later. A link to the other one loads the whole page again.
Goes with v15: then it is `/desk`."""


def desk_route(page: str) -> str:
	"""The path of a page or workspace of the Desk, by its name in the address: `memora`, `cdn-export-dashboard`."""
	return f"{DESK}/{page}"
