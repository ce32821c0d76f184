"""What the gate's stores and its Node server are asked for, each with what is wrong about the answers: for `test_stores.py`, and for
`test_mutants.py`, which asks a store in which a check is missing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from memora.services.cdn_export import storage as storages
from memora.services.cdn_export.storage import Storage, StorageSettings, Upload
from tests.contract.gate.conftest import Runner
from tests.contract.gate.school import CONFIG, SITE

OPEN = {"access-level": "public", "site": SITE}
PAID = {"access-level": "paid", "required-items": "PHYSICS", "site": SITE}


def _put(storage: Storage, path: str, body: bytes, metadata: dict[str, str]) -> None:
	storage.put(Upload(path, body, cache_control="public, max-age=300", metadata=metadata))


def wrong_of_folder(runner: Runner, edge: str | None = None) -> list[str]:
	"""A folder that memora has written, in which things were changed by hand and a writer has died."""
	with tempfile.TemporaryDirectory() as place:
		root = Path(place) / "public"
		with storages.open(StorageSettings("Local Directory", local_path=str(root))) as storage:
			for name in ("open", "by-hand", "dying", "linked", "becoming-free"):
				_put(
					storage, f"lessons/{name}.json", b"0123456789", OPEN if name != "becoming-free" else PAID
				)
			_put(storage, "lessons/changed.json", b"first", PAID)
			_put(storage, "lessons/changed.json", b"second", OPEN)
		(root / "lessons/by-hand.json").write_bytes(b"9876543210")
		_die_between(root, "dying", b"a paid text", PAID)
		_die_between(root, "becoming-free", b"a free text", OPEN)
		(Path(place) / "secret.json").write_text("secret")
		(root / "lessons/link.json").symlink_to("open.json")
		(root / "lessons/out.json").symlink_to("../../secret.json")
		(root / "linked").symlink_to("lessons", target_is_directory=True)
		(root / "lessons/folder.json").mkdir()
		os.mkfifo(root / "lessons/pipe.json")
		(root / "units").mkdir()
		(root / "units/noted-wrongly.json").write_text("a unit")
		(root / "units/folder.json").mkdir()
		os.mkfifo(root / "units/pipe.json")
		(root.with_suffix(".meta") / "objects/units").mkdir()
		(root.with_suffix(".meta") / "objects/units/noted-wrongly.json").write_text("{")
		paths = {
			"lessons/open.json": (200, "0123456789"),
			"lessons/changed.json": (200, "second"),
			"lessons/by-hand.json": (401, None),
			"lessons/dying.json": (200, "0123456789"),
			"lessons/becoming-free.json": (401, None),
			"lessons/link.json": (401, None),
			"lessons/out.json": (401, None),
			"linked/open.json": (404, None),
			"lessons/folder.json": (401, None),
			"lessons/pipe.json": (401, None),
			"lessons/open.json/more": (401, None),
			"units/noted-wrongly.json": (200, "a unit"),
			"units/folder.json": (404, None),
			"units/pipe.json": (404, None),
			"units/" + "x" * 300: (404, None),
		}
		steps = [{"path": f"/{path}"} for path in paths]
		again = [
			{"path": "/lessons/by-hand.json"},
			{"path": "/lessons/open.json", "headers": {"Range": "bytes=-3"}},
		]
		store = {"kind": "folder", "root": str(root)}
		answers = runner.ask(store=store, config=CONFIG, steps=[*steps, *again], edge=edge)["answers"]
	expected = [*paths.values(), (401, None), (206, "789")]
	return [
		f"{step['path']}: {answer['status']} {answer['body'][:30]!r}, not {status}"
		for step, answer, (status, body) in zip([*steps, *again], answers, expected, strict=True)
		if answer["status"] != status or (body is not None and answer["body"] != body)
	]


def _die_between(root: Path, name: str, body: bytes, metadata: dict[str, str]) -> None:
	"""Leave a lesson as a writer does who is killed between its two renames: the note is the new file's, the file the old one."""
	file = root / f"lessons/{name}.json"
	before = file.read_bytes()
	with storages.open(StorageSettings("Local Directory", local_path=str(root))) as storage:
		_put(storage, f"lessons/{name}.json", body, metadata)
	file.write_bytes(before)
	note = root.with_suffix(".meta") / f"objects/lessons/{name}.json"
	assert orjson.loads(note.read_bytes())["before"]["etag"]


S3 = {
	"endpoint": "https://s3.example/",
	"region": "eu-central-1",
	"bucket": "school",
	"accessKey": "AKIATESTKEY",
	"secretKey": "a-secret/that+must-never=show",
}
NOW = 1_796_000_000
KEYS = (
	"lessons/a.json",
	"videos/a [1] (b)!'*.mp4",
	"videos/درس 🍕.mp4",
	"plans/~kfvb/lessons/a+b&c=d;e.json",
)


def wrong_of_s3(runner: Runner, edge: str | None = None) -> list[str]:
	"""What is sent to S3, against botocore's own signature; and what is made of each answer."""

	def ask(
		path: str = "lessons/a.json", call: str = "get", status: int = 200, **more: Any
	) -> dict[str, Any]:
		return runner.ask(
			op="s3", settings=S3, path=path, call=call, status=status, now=NOW, edge=edge, **more
		)

	found = []
	for path in KEYS:
		for call, options in (
			("get", {}),
			("head", {}),
			("get", {"range": {"offset": 2, "length": 3}, "etag": "abc"}),
		):
			(sent,) = ask(path, call, 206 if options else 200, options=options)["sent"]
			if (sent.get("cache"), sent.get("redirect"), sent["method"]) != (
				"no-store",
				"manual",
				call.upper(),
			):
				found.append(f"sent {sent}")
			if options and (sent["headers"].get("range"), sent["headers"].get("if-match")) != (
				"bytes=2-4",
				'"abc"',
			):
				found.append(f"sent {sent}")
			if sent["url"] != f"https://s3.example/school/{quote(path, safe='/~')}":
				found.append(f"the address of {path}: {sent['url']}")
			if sent["headers"]["authorization"] != _signature(sent):
				found.append(f"the signature for {path}")
	for status, options, expected in (
		(404, {}, None),
		(412, {"etag": "abc"}, None),
		(403, {}, "S3 answered 403 to GET lessons/a.json"),
		(301, {}, "S3 answered 301 to GET lessons/a.json"),
		(500, {}, "S3 answered 500 to GET lessons/a.json"),
		(
			200,
			{"range": {"offset": 0, "length": 2}},
			"S3 answered all of lessons/a.json where a range was asked for",
		),
	):
		answer = ask(status=status, options=options)
		if answer.get("error" if expected else "found", "") != expected:
			found.append(f"{status}: {answer}")
		if S3["secretKey"] in str(answer):
			found.append("the secret key is in it")
	return found


def wrong_of_r2(runner: Runner, edge: str | None = None) -> list[str]:
	"""What the bucket's binding is asked for, and that an object without a body, whose condition is not met, is none. The rest is
	tried on R2 itself, in Cloudflare's runtime."""
	there = {"etag": "abc", "size": 10, "body": "body"}
	condition = {"range": {"offset": 2, "length": 3}, "etag": "abc"}

	def ask(found: dict[str, Any] | None, options: dict[str, Any]) -> dict[str, Any]:
		return runner.ask(op="r2", path="lessons/a.json", object=found, options=options, edge=edge)

	whole, part = ask(there, {}), ask(there, condition)
	replaced = ask({"etag": "def", "size": 10}, condition)
	expected = {
		"whole": whole["sent"] == [{"key": "lessons/a.json"}] and whole["found"]["body"] == "body",
		"part": part["sent"]
		== [{"key": "lessons/a.json", "range": condition["range"], "onlyIf": {"etagMatches": "abc"}}],
		"replaced": replaced["found"] is None,
		"missing": ask(None, {})["found"] is None,
	}
	return [name for name, is_right in expected.items() if not is_right]


def _signature(sent: dict[str, Any]) -> str:
	"""The header `authorization` as botocore makes it of the same request."""
	signed = {
		name: value
		for name, value in sent["headers"].items()
		if name not in ("authorization", "accept-encoding")
	}
	request = AWSRequest(sent["method"], sent["url"], headers=signed)
	request.context["timestamp"] = signed["x-amz-date"]
	auth = S3SigV4Auth(Credentials(S3["accessKey"], S3["secretKey"]), "s3", S3["region"])
	scope = auth.credential_scope(request)
	headers = auth.headers_to_sign(request)
	text = auth.string_to_sign(request, auth.canonical_request(request))
	credential = f"Credential={S3['accessKey']}/{scope}, SignedHeaders={auth.signed_headers(headers)}"
	return f"AWS4-HMAC-SHA256 {credential}, Signature={auth.signature(text, request)}"


RAW_TARGETS = {
	"http://evil.example/lessons/open.json": 400,
	"*": 400,
	"//lessons/open.json": 404,
	"/lessons/open.json?a=//b": 200,
	"/\\lessons/open.json": 404,
}


def wrong_of_server(runner: Runner, edge: str | None = None) -> list[str]:
	"""Targets that no client writes, to the Node server."""
	objects = {"lessons/open.json": {"body": "0123456789", "metadata": OPEN, "etag": "abc"}}
	answers = runner.ask(
		store={"kind": "memory", "objects": objects},
		config=CONFIG,
		steps=[{"path": target} for target in RAW_TARGETS],
		http=True,
		edge=edge,
	)["answers"]
	return [
		f"{target}: {answer['status']}, not {status}, or no version: {answer['headers']}"
		for (target, status), answer in zip(RAW_TARGETS.items(), answers, strict=True)
		if (answer["status"], answer["headers"].get("x-memora-gate")) != (status, "1")
	]
