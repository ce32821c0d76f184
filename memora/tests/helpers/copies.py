"""A second site for tests: a copy of this one's database, restored beside it as people make a staging site."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from unittest import SkipTest

import frappe

from memora.services.cdn_export.state import site_key
from memora.tests.helpers.processes import connected

T = TypeVar("T")

_DATABASE = "memora_copy"


class Copy:
	"""A site that was restored from a backup of this one."""

	def __init__(self, name: str) -> None:
		self.name = name

	def run(self, work: Callable[[], T]) -> T:
		"""Run `work` on the copy, in a thread of its own: there Frappe knows no other site."""
		told: dict[str, Any] = {}

		def in_thread() -> None:
			try:
				told["result"] = connected(self.name, work)
			except BaseException as error:  # noqa: BLE001 - raised where it is waited for
				told["error"] = error

		thread = threading.Thread(target=in_thread)
		thread.start()
		thread.join()
		if "error" in told:
			raise told["error"]
		return told["result"]


@contextmanager
def copied_site(*, with_key: bool, **config: Any) -> Iterator[Copy]:
	"""Dump this site and restore it as another, with this site's `site_config.json` or with a new one as `bench restore`
	leaves it. Skips the test where there is no right to make a database."""
	client = _root()
	this, copy = frappe.local.site, f"copy-of-{frappe.local.site}"
	folder = Path(copy)
	frappe.db.commit()
	conf = json.loads(Path(this, "site_config.json").read_text())
	host = conf.get("db_host") or "127.0.0.1"
	user = f"'{_DATABASE}'@'%'"
	_sql(
		client,
		f"drop database if exists {_DATABASE}; create database {_DATABASE} character set utf8mb4 collate utf8mb4_unicode_ci;"
		f" create or replace user {user} identified by '{_DATABASE}'; grant all on {_DATABASE}.* to {user};",
	)
	try:
		dump = subprocess.run(
			["mariadb-dump", client, "--single-transaction", conf["db_name"]], capture_output=True, check=True
		)
		subprocess.run(["mariadb", client, _DATABASE], input=dump.stdout, check=True)
		for below in ("public/files", "private/files", "locks", "logs"):
			(folder / below).mkdir(parents=True, exist_ok=True)
		conf.update(db_name=_DATABASE, db_password=_DATABASE, db_host=host, **config)
		if not with_key:
			conf.pop(site_key.NAME, None)
		(folder / "site_config.json").write_text(json.dumps(conf))
		yield Copy(copy)
	finally:
		_sql(client, f"drop database if exists {_DATABASE}; drop user if exists {user};")
		shutil.rmtree(folder, ignore_errors=True)


def _root() -> str:
	"""The option with which MariaDB's programs may make databases: that of `dev/up`."""
	file = Path(
		os.environ.get("MEMORA_DEV_DIR") or Path(frappe.utils.get_bench_path()).parent,
		"mariadb",
		"client.cnf",
	)
	if not file.is_file():
		raise SkipTest("only the engine of dev/up may make a second database")
	return f"--defaults-file={file}"


def _sql(client: str, statements: str) -> None:
	subprocess.run(["mariadb", client], input=statements.encode(), check=True)
