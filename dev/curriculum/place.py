"""Where the demo publishes to, and what its gate is set up with: a folder that no web server shows, or an S3 server.

Run by dev/demo before it starts the gate, in the bench's Python and its sites folder:

    python -m curriculum.place --site SITE --folder FOLDER --port PORT --to gate.json
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import frappe
from frappe.model.document import Document

from memora.services.cdn_export import settings
from memora.services.cdn_export.admin import gate_config

BUCKET = "memora-demo"
REGION = "us-east-1"
KEY = {"access_key": "demo", "secret_key": "demo-secret"}
"""What moto is given: it asks for a key, and takes any."""

_CHOSEN = ("bucket_name", "local_path", "cdn_base_url")
"""What somebody may have prepared who has not enabled export yet, or has paused it."""


class PlaceError(Exception):
	"""The demo cannot publish there; the message says what to do."""


@contextmanager
def site(name: str) -> Iterator[None]:
	"""Be at work on a site, as its administrator."""
	frappe.init(site=name)
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		yield
	finally:
		frappe.destroy()


def enable() -> None:
	"""Let the site publish. Commits."""
	doc = settings.saved()
	if not doc.enabled:
		doc.update({"enabled": 1})
		doc.save()
	frappe.db.commit()


def read_from(web: str) -> str:
	"""The address that published files are read from: through the gate, else where the site is served."""
	base = settings.load().base_url
	return base if settings.saved().cdn_base_url else web + urlsplit(base).path


def forget_former() -> bool:
	"""Remove what a demo without a gate had published to the folder that the site shows to everybody, now that files go
	elsewhere. Returns whether something was there."""
	doc = settings.saved()
	former = Path(frappe.get_site_path(settings.DEFAULT_LOCAL_PATH))
	if not settings.is_gated(doc) or settings.is_own_folder(doc) or not former.is_dir():
		return False
	shutil.rmtree(former)
	shutil.rmtree(frappe.get_site_path("private", "memora"), ignore_errors=True)  # its notes of each file
	return True


def _set_up(options: argparse.Namespace) -> bool:
	"""Let CDN Settings name the demo's place, behind the gate. Returns False, and changes nothing, where they name a folder
	that somebody has chosen. Raises PlaceError where they name a bucket, or on a bench of somebody's own anything while export
	is off. Commits."""
	doc = settings.saved()
	url = f"http://127.0.0.1:{options.port}"
	behind = {"cdn_base_url": url, "gate_enabled": 1}
	if options.s3:
		doc.update({**_bucket(options.s3), **behind})
	elif doc.enabled and doc.storage_provider != settings.LOCAL:
		raise PlaceError(
			f"this site publishes to {doc.storage_provider}, and the demo will not write there: "
			"use another site, choose Local Directory in its CDN Settings, or dev/demo --fresh"
		)
	elif doc.enabled and not _is_demos(doc, options):
		return False
	elif options.genuine and not _is_demos(doc, options) and any(map(doc.get, _CHOSEN)):
		raise PlaceError(
			"CDN Settings of this site are filled in, with Enabled off, and the demo would write over them: use another site"
		)
	else:
		doc.update({"storage_provider": settings.LOCAL, "local_path": str(options.folder), **behind})
	try:
		doc.save()
	except frappe.ValidationError as error:
		raise PlaceError(
			f"CDN Settings do not take the demo's folder: {error}\nMEMORA_DEV_DIR names another."
		) from error
	frappe.db.commit()
	return True


def _is_demos(doc: Document, options: argparse.Namespace) -> bool:
	"""Whether files go where a demo has put them: of one without a gate only on the engine's own site, since on a bench of
	somebody's own that is where every site publishes by itself."""
	return settings.local_path(doc) == str(options.folder) or (
		not options.genuine and settings.is_own_folder(doc)
	)


def _bucket(endpoint: str) -> dict[str, str]:
	"""A bucket that nobody reads without a key, and what CDN Settings say of it."""
	boto3.client(
		"s3",
		endpoint_url=endpoint,
		region_name=REGION,
		aws_access_key_id=KEY["access_key"],
		aws_secret_access_key=KEY["secret_key"],
	).create_bucket(Bucket=BUCKET)
	return {
		"storage_provider": "AWS S3",
		"endpoint_url": endpoint,
		"region": REGION,
		"bucket_name": BUCKET,
		**KEY,
	}


def main(arguments: Iterable[str]) -> int:
	"""Set up CDN Settings, and write the gate's configuration; without the file there is to be no gate."""
	parser = argparse.ArgumentParser(prog="dev/demo")
	parser.add_argument("--site", required=True)
	parser.add_argument("--folder", type=Path, required=True, help="where files go")
	parser.add_argument("--s3", default="", help="an S3 server to publish to, instead of the folder")
	parser.add_argument("--port", type=int, required=True, help="the gate's")
	parser.add_argument("--origin", action="append", default=[], help="a page that may read through the gate")
	parser.add_argument("--genuine", action="store_true", help="the site is somebody's own")
	parser.add_argument("--to", type=Path, required=True, help="the gate's configuration")
	options = parser.parse_args(list(arguments))
	options.to.unlink(missing_ok=True)
	try:
		with site(options.site):
			if _set_up(options):
				config = json.loads(gate_config.make("node", options.origin).text)
				options.to.write_text(json.dumps({**config, "port": options.port}, indent=2))
	except PlaceError as error:
		print(f"\ndev/demo: {error}", file=sys.stderr)
		return 1
	return 0


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
