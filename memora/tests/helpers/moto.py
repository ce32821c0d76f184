"""AWS on this machine: moto's server, over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer


@contextmanager
def moto() -> Iterator[str]:
	"""The address of moto's server, on a free port."""
	logging.getLogger("werkzeug").setLevel(logging.WARNING)
	server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
	server.start()
	host, port = server.get_host_and_port()
	try:
		yield f"http://{host}:{port}"
	finally:
		server.stop()
