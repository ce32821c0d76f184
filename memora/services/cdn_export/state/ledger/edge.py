"""What the ledger knows of the CDN: the version that it was last seen to show at a path, and since when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import frappe

from memora.services.cdn_export.state import database
from memora.services.cdn_export.state.ledger.reading import CLOSED, TABLE, row_name


def seen_at_edge(versions: Mapping[str, int], now: datetime) -> None:
	"""Note that the CDN shows these versions, by path. In the caller's transaction."""
	database.upsert(
		TABLE,
		("name", "path", "edge_version", "edge_since"),
		[(row_name(path), path, version, now) for path, version in versions.items()],
		# `edge_since` first: each assignment sees those before it.
		"edge_since = if(edge_version = values(edge_version), edge_since, values(edge_since)),"
		" edge_version = values(edge_version)",
		stamped=False,
	)


def live_at_edge(paths: Collection[str], *, gated: bool) -> dict[str, datetime]:
	"""Since when the CDN shows the live version, of those paths where it was seen to. Where the site is `gated`, no cache
	keeps what is not open."""
	if not paths:
		return {}
	only = f" and not ({CLOSED})" if gated else ""
	return dict(
		frappe.db.sql(
			f"""select path, edge_since from `tab{TABLE}` where name in %s and live_version > 0
			and edge_version = live_version and edge_since is not null{only}""",
			(tuple(map(row_name, paths)),),
		)
	)
