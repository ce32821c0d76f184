"""What a gate is set up with: `wrangler.toml` for a Cloudflare Worker, or `gate.json` for Node, and each step after that.

Nothing secret is in either: a Worker reads the bucket by its binding, and Node's key comes from its environment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document

from memora.exceptions import StorageConfigurationError
from memora.services.cdn_export import settings
from memora.services.cdn_export.state import site_key

Runtime = Literal["worker", "node"]

COMPATIBILITY_DATE = "2026-04-01"
"""Of Cloudflare's runtime: the one that the tests run."""

_PORT = 8080


@dataclass(frozen=True, slots=True)
class GateConfig:
	"""A file for the gate, and what to do next, step by step."""

	name: str
	text: str
	steps: list[str]

	def as_dict(self) -> dict[str, Any]:
		"""Plain data, for --json."""
		return asdict(self)


def make(runtime: Runtime | None = None, origins: Sequence[str] = ()) -> GateConfig:
	"""The gate's configuration by CDN Settings as saved: for a Worker if files go to R2, else for Node, unless told
	otherwise. `origins` are the pages that may read; none are all.

	Raises StorageConfigurationError where CDN Settings lack something, or a Worker cannot read what they name.
	"""
	doc = settings.saved()
	is_r2 = doc.storage_provider == "Cloudflare R2"
	runtime = runtime or ("worker" if is_r2 else "node")
	if runtime == "worker" and not is_r2:
		raise StorageConfigurationError(
			_("A Cloudflare Worker reads R2, and files go to {0}. Set the gate up for Node.").format(
				settings.place_label(doc)
			)
		)
	if not settings.gate_url(doc):
		raise StorageConfigurationError(
			_(
				"Enter Gate URL or CDN Base URL in CDN Settings: the address at which apps read through the gate."
			)
		)
	return _for_worker(doc, origins) if runtime == "worker" else _for_node(doc, origins)


def _for_worker(doc: Document, origins: Sequence[str]) -> GateConfig:
	url = urlsplit(settings.gate_url(doc))
	shares_host = url.hostname == urlsplit(settings.base_url(doc)).hostname
	zone = doc.cloudflare_zone_id or ""
	if shares_host:
		route = f"pattern = {_quoted(f'{url.hostname}/*')}" + (f", zone_id = {_quoted(zone)}" if zone else "")
	else:
		route = f"pattern = {_quoted(url.hostname or '')}, custom_domain = true"
	lines = [
		f"name = {_quoted(f'memora-gate-{doc.bucket_name}'[:63])}",
		f"main = {_quoted(str(_edge() / 'worker.js'))}",
		f"compatibility_date = {_quoted(COMPATIBILITY_DATE)}",
		"workers_dev = false",
		"preview_urls = false",
		f"routes = [{{ {route} }}]",
		"",
		"[[r2_buckets]]",
		'binding = "BUCKET"',
		f"bucket_name = {_quoted(doc.bucket_name or '')}",
		"",
		"[vars]",
		f"SITE = {_quoted(site_key.site_hash())}",
		f"VIDEO_FOLDERS = {_quoted(chr(10).join(settings.video_folders(doc)))}",
		f"ORIGINS = {_quoted(' '.join(origins) or '*')}",
		f"BASE = {_quoted(_base(doc))}",
		"",
	]
	steps = [
		_("Run in the folder of this file: npx wrangler deploy"),
		_(
			"Let requests fail closed: in Cloudflare, the zone, Workers Routes, the route of {0}, Request limit failure "
			"mode, Fail closed."
		).format(url.hostname),
		_(
			"Close the bucket's other addresses: in Cloudflare, R2, {0}, Settings, switch off its r2.dev address."
		).format(doc.bucket_name),
		*_last_steps(doc, origins),
	]
	return GateConfig("wrangler.toml", "\n".join(lines), steps)


def _for_node(doc: Document, origins: Sequence[str]) -> GateConfig:
	config: dict[str, Any] = {
		"site": site_key.site_hash(),
		"video_folders": list(settings.video_folders(doc)),
		"origins": list(origins) or "*",
		"base": _base(doc),
		"port": _PORT,
	}
	steps = [_("Run on a machine with Node 20 or later: node {0} gate.json").format(_edge() / "server.js")]
	if doc.storage_provider == settings.LOCAL:
		config["folder"] = {"root": settings.local_path(doc), "meta": _meta(doc)}
		steps.append(_("Let its user read both folders, and no web server show them."))
	else:
		config["s3"] = {
			"endpoint": _endpoint(doc),
			"region": doc.region or ("auto" if doc.storage_provider == "Cloudflare R2" else "us-east-1"),
			"bucket": doc.bucket_name,
		}
		steps += [
			_(
				"Give it a key of its own in MEMORA_GATE_ACCESS_KEY and MEMORA_GATE_SECRET_KEY, with s3:GetObject and "
				"s3:ListBucket on the bucket {0} and nothing else."
			).format(doc.bucket_name),
			_("Close the bucket to the public: no policy, ACL or address may read it without a key."),
		]
	steps.append(
		_(
			"Put {0} before it with https, as a proxy or CDN that changes no Cache-Control and cuts /~… from its logs."
		).format(settings.gate_url(doc))
	)
	text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
	return GateConfig("gate.json", text, [*steps, *_last_steps(doc, origins)])


def _last_steps(doc: Document, origins: Sequence[str]) -> list[str]:
	steps = (
		[]
		if origins
		else [_("Any page may read through the gate: name your apps' with --origin, if it should not.")]
	)
	if not settings.is_gated(doc):
		steps.append(
			_(
				"Switch on Paid Content Is Private in CDN Settings, and wait until it says that paid lessons are private."
			)
		)
	return [*steps, _("Ask every address: bench --site {0} memora doctor").format(frappe.local.site)]


def _edge() -> Path:
	return Path(frappe.get_app_path("memora")).resolve().parent / "edge"


def _base(doc: Document) -> str:
	return f"{urlsplit(settings.gate_url(doc)).path.rstrip('/')}/"


def _meta(doc: Document) -> str:
	"""Where the folder's sidecars are (`storage/local`)."""
	return settings.local_meta(doc) or f"{settings.local_path(doc)}.meta"


def _endpoint(doc: Document) -> str:
	return doc.endpoint_url or f"https://s3.{doc.region}.amazonaws.com"


def _quoted(text: str) -> str:
	"""A basic string of TOML: JSON's escapes are among its own, but for one character."""
	return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
