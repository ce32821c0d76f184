"""Frappe's development server, so that it sends published files with the headers that docs/contract.md promises.

`bench serve` hands out everything below /files by itself: it runs no hook, and lets browsers keep a file for twelve hours.
Here it gets the headers of `web_headers` for the files of the site's own folder. In production that is nginx's work
(docs/cdn.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from frappe.middlewares import StaticDataMiddleware
from werkzeug.exceptions import NotFound

from memora.services.cdn_export.rules import web_headers

PUBLISHED = "/files/memora/"
"""Where a site serves its own folder (`settings.DEFAULT_LOCAL_PATH`)."""

Serve = Callable[..., Iterable[bytes]]


def install() -> None:
	"""Let this process's development server send the headers of published files. Safe to call again."""
	serve = StaticDataMiddleware.__call__
	if not hasattr(serve, "__wrapped__"):
		StaticDataMiddleware.__call__ = _with_headers(serve)


def _with_headers(serve: Serve) -> Serve:
	@wraps(serve)
	def call(
		middleware: StaticDataMiddleware, environ: dict[str, Any], start_response: Callable[..., Any]
	) -> Iterable[bytes]:
		path = environ.get("PATH_INFO", "")
		if not path.startswith(PUBLISHED):
			return serve(middleware, environ, start_response)

		def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
			if status[:3] in ("200", "206", "304"):
				ours = web_headers.of(path.removeprefix(PUBLISHED))
				instead_of = {"expires", *(name.lower() for name in ours)}
				headers = [header for header in headers if header[0].lower() not in instead_of]
				headers += ours.items()
			return start_response(status, headers, *rest)

		try:
			return serve(middleware, environ, start)
		except NotFound as missing:  # Frappe lets it pass, and the server makes an error 500 of it
			return missing(environ, start_response)

	return call
