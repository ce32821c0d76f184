"""The site's web server, as `bench serve` but on loopback only: web.py SITE PORT, in the sites folder.

The demo's password is public, and Frappe's own server listens on every interface.
"""

import sys

import frappe.app
import werkzeug.serving

from memora import development_server

_run_simple = werkzeug.serving.run_simple


def main(site: str, port: str) -> None:
	development_server.install()
	werkzeug.serving.run_simple = lambda _, *rest, **options: _run_simple("127.0.0.1", *rest, **options)
	frappe.app.serve(port=int(port), no_reload=True, site=site, sites_path=".")


if __name__ == "__main__":
	main(*sys.argv[1:])
