"""What a web server has to send with published files where no object store does it: with Local Directory.

A storage keeps type and Cache-Control beside each object. A folder has only paths, so here they follow from the path. The
development server sends these headers (`memora.development_server`), and so does nginx as docs/cdn.md sets it up; both are
held against this module.
"""

from __future__ import annotations

import re

from memora.services.cdn_export.model.cache_headers import cache_control

_VERSIONED = re.compile(
	r"(?:(?:plans/[^/]+|connection-test)/)?(?:(?:subjects|units|search|media)/.+|lessons/[^/]+/.+)"
)
"""Files that are only reached by a URL with their version or the hash of their content, and the connection test's
probes of that kind."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Content-Security-Policy: opened by itself in a browser, no file of ours runs or loads anything."""


def of(path: str) -> dict[str, str]:
	"""The headers of the published file at `path`, relative to the folder's root; its type only where it is JSON."""
	headers = {
		"Cache-Control": cache_control("unit" if _VERSIONED.fullmatch(path) else "manifest"),
		"Access-Control-Allow-Origin": "*",
		"X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": POLICY,
	}
	if path.endswith(".json"):
		headers["Content-Type"] = "application/json; charset=utf-8"
	return headers
