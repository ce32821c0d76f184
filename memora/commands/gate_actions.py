"""What each `bench memora gate-keys` command and `gate-config` do, put into words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from memora.commands.answer import Answer, CannotRun, Progress
from memora.commands.wording import ask, moment, table
from memora.services.access_gate import keys
from memora.services.access_gate.rules.key_states import WAIT
from memora.services.cdn_export.admin import gate_config as config
from memora.services.cdn_export.admin import operations

_STATES = {
	"waits": "does not sign yet",
	"signs": "signs",
	"leaves": "signs no more",
	"left": "taken out",
	"revoked": "revoked",
	"announced": "an app's, not accepted yet",
	"accepted": "an app's, accepted",
}


def list_gate_keys(progress: Progress) -> Answer:
	found = keys.listed()
	if not found:
		return Answer(found, ["There are no keys: bench memora gate-keys rotate makes the first."], True)
	lines = table(
		("key", "state", "made", "live since", "signs from", "leaves at"),
		(
			(
				key["kid"],
				f"{_STATES[key['state']]}{', STILL ACCEPTED until published' if key['still_accepted'] else ''}",
				*(moment(key[column]) for column in ("made", "live_since", "signs_from", "leaves_at")),
			)
			for key in found
		),
	)
	signs = any(key["state"] == "signs" for key in found)
	return Answer(found, list(lines), not signs or any(key["still_accepted"] for key in found))


def rotate_gate_keys(progress: Progress) -> Answer:
	kid = keys.rotate()
	started = operations.start_batch()
	lines = [
		f"Key {kid} was made. It signs {WAIT} seconds after it has been published. {started['message']}",
	]
	return Answer({"kid": kid, **started}, lines)


def accept_gate_key(progress: Progress, kid: str, public_key: TextIO) -> Answer:
	try:
		pem = public_key.read()
	except UnicodeDecodeError as error:
		raise CannotRun(f"{public_key.name} is no text, so no key as PEM.") from error
	keys.accept(kid, pem)
	started = operations.start_batch()
	lines = [f"The gate accepts what is signed with {kid}, after the batch. {started['message']}"]
	return Answer({"kid": kid, **started}, lines)


def revoke_gate_key(progress: Progress, kid: str, yes: bool) -> Answer:
	if not yes:
		ask(
			f"Revoke {kid}? The gate refuses all tokens that it has signed; apps must get new ones.",
			"Nothing was revoked.",
		)
	made = keys.revoke(kid)
	started = operations.start_batch()
	lines = [
		f"Key {kid} is revoked. The gate refuses its tokens within a minute after the batch. {started['message']}"
	]
	if made:
		lines.append(
			f"No other key signs here: {made} was made, and signs {WAIT} seconds after it has been published."
		)
	return Answer({"revoked": kid, "made": made, **started}, lines)


def gate_config(
	progress: Progress, runtime: config.Runtime | None, origins: Sequence[str], folder: str
) -> Answer:
	made = config.make(runtime, origins)
	steps = [f"{number}. {step}" for number, step in enumerate(made.steps, 1)]
	if not folder:
		return Answer(made.as_dict(), [made.text, *steps])
	file = Path(folder).expanduser() / made.name
	try:
		with file.open("x", encoding="utf-8") as out:
			out.write(made.text)
	except FileExistsError as error:
		raise CannotRun(f"{file} is there already: move it away, or name another folder.") from error
	except OSError as error:
		raise CannotRun(f"{file} cannot be written: {error.strerror}.") from error
	return Answer({**made.as_dict(), "file": str(file)}, [f"{file} is written. Next:", *steps])
