"""An S3 server that holds nothing: it lists and describes numbered files, so many as it is told, to whoever asks. Run as a process."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import urlopen

from memora.tests.helpers.numbered_files import NumberedStorage

_PAGE = 1000
_SINCE = "2026-11-30T00:00:00.000Z"


@contextmanager
def listing(count: int, site: str) -> Iterator[str]:
	"""The address of such a server, in a process of its own."""
	process = subprocess.Popen(
		[sys.executable, "-m", "benchmarks.listing_server", str(count), site],
		stdout=subprocess.PIPE,
		text=True,
	)
	try:
		assert process.stdout
		yield process.stdout.readline().strip()
	finally:
		process.terminate()
		process.wait()


def requests(address: str) -> Counter[str]:
	"""What the server was asked so far: how many LIST and HEAD."""
	with urlopen(f"{address}/requests") as answer:
		lists, heads = answer.read().split()
	return Counter(LIST=int(lists), HEAD=int(heads))


class _Handler(BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	files: NumberedStorage
	asked: Counter[str] = Counter()

	def do_GET(self) -> None:
		query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
		if "list-type" not in query:
			self._answer(f"{self.asked['LIST']} {self.asked['HEAD']}".encode(), {})
			return
		self.asked["LIST"] += 1
		after = query.get("continuation-token") or query.get("start-after", "")
		found = []
		for one in self.files.list(query.get("prefix", ""), after):
			if len(found) == _PAGE:
				break
			found.append(one)
		else:
			one = None
		entries = "".join(
			f"<Contents><Key>{file.path}</Key><LastModified>{_SINCE}</LastModified>"
			f"<ETag>&quot;{file.etag}&quot;</ETag><Size>{file.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
			for file in found
		)
		more = f"<NextContinuationToken>{found[-1].path}</NextContinuationToken>" if one else ""
		body = (
			'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
			f"<Name>b</Name><KeyCount>{len(found)}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
			f"<IsTruncated>{'true' if one else 'false'}</IsTruncated>{more}{entries}</ListBucketResult>"
		)
		self._answer(body.encode(), {"Content-Type": "application/xml"})

	def do_HEAD(self) -> None:
		self.asked["HEAD"] += 1
		found = self.files.head(unquote(urlsplit(self.path).path).split("/", 2)[2])
		assert found
		headers = {
			"ETag": f'"{found.etag}"',
			"Content-Type": found.content_type,
			"Cache-Control": found.cache_control,
			**{f"x-amz-meta-{name}": value for name, value in found.metadata.items()},
		}
		self._answer(b"", {**headers, "Content-Length": str(found.size)})

	def _answer(self, body: bytes, headers: dict[str, str]) -> None:
		self.send_response(200)
		for name, value in {"Content-Length": str(len(body)), **headers}.items():
			self.send_header(name, value)
		self.end_headers()
		self.wfile.write(body)

	def log_message(self, *_: object) -> None:
		pass


def main(count: str, site: str) -> None:
	_Handler.files = NumberedStorage(int(count), site)
	server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
	print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
	server.serve_forever()


if __name__ == "__main__":
	main(*sys.argv[1:])
