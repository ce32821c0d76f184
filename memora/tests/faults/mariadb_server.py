"""A MariaDB of a scenario's own with a copy of the site's database, to kill: no other data is touched."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import frappe

from memora.tests.faults.redis_server import CannotRunError

_PATIENCE_SECONDS = 60


def _program(name: str) -> str:
	found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
	if not found:
		raise CannotRunError(f"there is no {name} on the PATH")
	return found


class MariaDBServer:
	"""mariadbd on a free port, as it comes: flushed at each commit. As a context manager it is the site's database, here
	and in processes."""

	def __init__(self) -> None:
		self._daemon, self._client, self._dump = map(_program, ("mariadbd", "mariadb", "mariadb-dump"))
		self._install = _program("mariadb-install-db")
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			self._port = free.getsockname()[1]
		self._folder = Path(tempfile.mkdtemp(prefix="memora-mariadb-"))
		self._socket = str(self._folder / "socket")
		self._process: subprocess.Popen | None = None
		self._stack = ExitStack()

	def start(self) -> None:
		"""Start it, and wait until it answers: after a kill it recovers first."""
		options = {
			"datadir": self._folder / "data",
			"tmpdir": self._folder,
			"socket": self._socket,
			"pid-file": self._folder / "pid",
			"port": self._port,
			"bind-address": "127.0.0.1",
			"user": getpass.getuser(),
			"character-set-server": "utf8mb4",
			"collation-server": "utf8mb4_unicode_ci",
			"innodb-buffer-pool-size": "64M",
		}
		with (self._folder / "log").open("ab") as log:
			self._process = subprocess.Popen(
				[
					self._daemon,
					"--no-defaults",
					"--skip-log-bin",
					"--skip-name-resolve",
					*(f"--{name}={value}" for name, value in options.items()),
				],
				stdout=log,
				stderr=log,
			)
		ends = time.monotonic() + _PATIENCE_SECONDS
		while self._ask("select 1", check=False).returncode:
			if self._process.poll() is not None or time.monotonic() > ends:
				raise CannotRunError(
					f"mariadbd did not start: {(self._folder / 'log').read_text(errors='replace')[-1000:]}"
				)
			time.sleep(0.05)

	def kill(self) -> None:
		"""`kill -9`; what was committed is on the disk."""
		if self._process:
			self._process.kill()
			self._process.wait()
			self._process = None

	def reconnect(self) -> None:
		"""Let this process go on with a new connection."""
		frappe.db.close()
		frappe.connect()

	def _ask(
		self, statements: str | None = None, *, check: bool = True, **options: object
	) -> subprocess.CompletedProcess:
		command = [self._client, "--no-defaults", f"--socket={self._socket}", "--user=root"]
		if statements:
			command += ["-e", statements]
		return subprocess.run(command, check=check, capture_output=True, **options)

	def _copy_site(self) -> None:
		conf = frappe.conf
		name, password = conf.db_name, conf.db_password.replace("\\", "\\\\").replace("'", "\\'")
		users = [f"'{name}'@'{host}'" for host in ("127.0.0.1", "localhost", "%")]
		self._ask(
			f"create database `{name}`;"
			+ "".join(
				f"create user {user} identified by '{password}'; grant all on `{name}`.* to {user};"
				for user in users
			)
		)
		frappe.db.commit()
		source = [f"--host={conf.db_host}", f"--port={conf.db_port}"]
		if getattr(conf, "db_socket", None):
			source = [f"--socket={conf.db_socket}"]
		dump = subprocess.run(
			[self._dump, "--no-defaults", *source, f"--user={name}", "--single-transaction", name],
			check=True,
			capture_output=True,
			env={**os.environ, "MYSQL_PWD": conf.db_password},
		).stdout
		self._ask(input=f"use `{name}`;\n".encode() + dump)

	def __enter__(self) -> MariaDBServer:
		try:
			subprocess.run(
				[
					self._install,
					"--no-defaults",
					f"--datadir={self._folder / 'data'}",
					f"--user={getpass.getuser()}",
					"--auth-root-authentication-method=normal",
					"--skip-test-db",
				],
				check=True,
				capture_output=True,
			)
			self.start()
			self._copy_site()
		except BaseException:
			self._remove()
			raise
		there = {"db_host": "127.0.0.1", "db_port": self._port, "db_socket": self._socket}
		variables = {f"FRAPPE_{name.upper()}": str(value) for name, value in there.items()}
		self._stack.callback(self.reconnect)
		self._stack.enter_context(patch.dict(os.environ, variables))
		self._stack.enter_context(patch.dict(frappe.local.conf, there))
		self.reconnect()
		return self

	def __exit__(self, *_: object) -> None:
		try:
			self._stack.close()
		finally:
			self._remove()

	def _remove(self) -> None:
		self.kill()
		shutil.rmtree(self._folder, ignore_errors=True)
