"""Hosts of their own for processes on this machine: a network namespace each, with an address on a pair of virtual cards.

Servers here listen on loopback only. A namespace whose own loopback stays down reaches this machine's by its card, so what a
process in it sends really crosses the pair, and MariaDB sees the namespace's address. Needs root and `ip`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager


@contextmanager
def hosts(number: int) -> Iterator[list[list[str]]]:
	"""For each host what comes in front of a command that is to run there; removes them all at the end. [] for each where no
	namespace can be had."""
	with ExitStack() as stack:
		try:
			found = [stack.enter_context(_host(place)) for place in range(number)]
		except (OSError, subprocess.CalledProcessError):
			stack.close()
			found = [[] for _ in range(number)]
		yield found


@contextmanager
def _host(place: int) -> Iterator[list[str]]:
	if os.geteuid() or not shutil.which("ip"):
		raise PermissionError("a network namespace needs root and ip")
	name = f"memora-{os.getpid()}-{place}"
	here, there = f"mm{os.getpid() % 100_000}{place}a", f"mm{os.getpid() % 100_000}{place}b"
	network = f"10.213.{place}"
	inside = ["ip", "netns", "exec", name]
	with ExitStack() as stack:
		_run(["ip", "netns", "add", name])
		stack.callback(_run, ["ip", "netns", "del", name])  # and with it both ends of the pair
		_run(["ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name])
		stack.callback(subprocess.run, ["ip", "link", "del", here], capture_output=True, check=False)
		_run(["ip", "addr", "add", f"{network}.1/30", "dev", here])
		_run(["ip", "link", "set", here, "up"])
		_run(["sysctl", "-qw", f"net.ipv4.conf.{here}.route_localnet=1"])
		_run([*inside, "ip", "addr", "add", f"{network}.2/30", "dev", there])
		_run([*inside, "ip", "link", "set", there, "up"])
		_run([*inside, "sysctl", "-qw", f"net.ipv4.conf.{there}.route_localnet=1"])
		_run([*inside, "ip", "route", "add", "127.0.0.0/8", "via", f"{network}.1"])
		yield inside


def _run(command: Sequence[str]) -> None:
	subprocess.run(command, check=True, capture_output=True)
