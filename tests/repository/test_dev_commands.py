"""What the commands under `dev/` do with what they are told, as far as that needs nothing of theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

OURS = {name: value for name, value in os.environ.items() if name not in ("MEMORA_BENCH", "MEMORA_SITE")}


def _copy_parts(folder: Path) -> None:
	"""What commands source."""
	for parts in ("lib", "engine"):
		shutil.copytree(ROOT / "dev" / parts, folder / "dev" / parts)


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("-h", 0), ("--dry-run", 1), ("site", 1)])
@pytest.mark.parametrize(
	("command", "does"), [("clean", "remove"), ("down", "Stop"), ("up", "running Frappe")]
)
def test_nothing_is_done_when_a_command_is_asked_for_something_else(
	tmp_path: Path, command: str, does: str, argument: str, code: int
) -> None:
	(tmp_path / "data").touch()
	ended = subprocess.run(
		[ROOT / "dev" / command, argument],
		env=OURS | {"MEMORA_DEV_DIR": str(tmp_path)},
		capture_output=True,
		text=True,
		timeout=60,
	)
	assert (ended.returncode, [path.name for path in tmp_path.iterdir()]) == (code, ["data"]), ended.stderr
	assert does in ended.stdout if code == 0 else f"dev/{command} --help" in ended.stderr


@pytest.mark.parametrize(("end", "code"), [("exit 0", 0), ("exit 1", 1), ("false", 1), ("kill -INT $$", -2)])
def test_a_command_that_fails_or_is_interrupted_stops_its_servers_too(
	tmp_path: Path, end: str, code: int
) -> None:
	"""Within a trap, bash's plain `return` gives back what the command ended with."""
	_copy_parts(tmp_path)
	command = tmp_path / "dev" / "test"
	command.write_text(
		f"""source "$(dirname "$0")/lib/all.sh"
		servers_running() {{ false; }}
		servers_stop() {{ echo stopped; }}
		use_servers
		trap leave_servers EXIT
		{end}
		"""
	)
	ended = subprocess.run(
		["bash", command],
		env=OURS | {"MEMORA_DEV_DIR": str(tmp_path / ".dev")},
		capture_output=True,
		text=True,
		timeout=60,
	)
	assert (ended.returncode, ended.stdout) == (code, "stopped\n"), ended.stderr


def test_folders_that_start_at_once_have_ports_of_their_own(tmp_path: Path) -> None:
	"""Servers bind their ports after these were chosen, so a free port may already be another folder's."""
	_copy_parts(tmp_path)
	command = tmp_path / "dev" / "ports"
	command.write_text(
		"""source "$(dirname "$0")/lib/all.sh"
		mkdir -p "$DEV"
		choose_ports
		echo "${PORT[@]}"
		"""
	)
	folders = [tmp_path / f".dev{number}" for number in range(3)]
	for _ in range(2):  # what was chosen is kept
		chosen = [
			subprocess.Popen(
				["bash", command],
				env=OURS | {"MEMORA_DEV_DIR": str(folder), "TMPDIR": str(tmp_path)},
				stdout=subprocess.PIPE,
				text=True,
			)
			for folder in folders
		]
		ports = [process.communicate(timeout=60)[0].split() for process in chosen]
		assert all(len(of_one) >= 5 for of_one in ports), ports
		assert len({port for of_one in ports for port in of_one}) == sum(map(len, ports)), ports
