"""Reading published files over HTTP as a learner's app does: without credentials, and where a browser would look."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import DEFAULT_POOLSIZE, HTTPAdapter


def open_session(*, connections: int = DEFAULT_POOLSIZE, retries: int = 0) -> requests.Session:
	"""A session that sends no credentials, not even those of a .netrc. It keeps so many connections, and tries a
	request again so often when the connection fails.

	It finds `*.localhost` on this machine, as browsers do (RFC 6761, section 6.3). Many resolvers do not.
	"""
	session = requests.Session()
	session.auth = _as_nobody
	adapter = _Adapter(pool_connections=connections, pool_maxsize=connections, max_retries=retries)
	session.mount("https://", adapter)
	session.mount("http://", adapter)
	return session


class _Adapter(HTTPAdapter):
	def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
		url = urlsplit(request.url or "")
		if url.scheme == "http" and (url.hostname or "").endswith(".localhost"):
			request.headers["Host"] = url.netloc
			port = f":{url.port}" if url.port else ""
			request.url = url._replace(netloc=f"127.0.0.1{port}").geturl()
		return super().send(request, *args, **options)


def _as_nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
	return request
