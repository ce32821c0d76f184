"""Play fault scenarios many times each and print what came of them: run by dev/faults, on a site that is wiped.

Exits 1 when a committed change was lost or a link dangled, 2 when it could not run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import frappe

from memora.tests.faults.redis_server import CannotRunError
from memora.tests.faults.scenario import Scenario, play
from memora.tests.faults.scenarios import SCENARIOS
from memora.tests.helpers.frappe_versions import set_in_test

REPO = Path(__file__).resolve().parents[3]
DOCS = REPO / "docs" / "reliability.md"
RUNS, QUICK_RUNS = 20, 2
_BEGIN, _END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
_TOLD_AT_MOST = 5


@dataclass
class Row:
	"""A line of the table: how many things were lost and dangling in all runs, and the longest recovery in seconds."""

	scenario: str
	runs: int = 0
	lost: int = 0
	dangling: int = 0
	worst_recovery_s: float = 0.0


def main() -> None:
	options = _options()
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that no server or worker is left behind
	frappe.init(site=options.site)
	frappe.connect()
	if not frappe.conf.allow_tests:
		_give_up(
			f"{options.site} may not be wiped; say: bench --site {options.site} set-config allow_tests true"
		)
	set_in_test(True)
	logging.getLogger("memora").setLevel(logging.CRITICAL)  # what fails here is meant to
	if unknown := set(options.scenarios) - set(SCENARIOS):
		_give_up(f"there is no scenario {', '.join(sorted(unknown))}; dev/faults --list names all")
	if options.list:
		print("\n".join(SCENARIOS))
		return
	started, rows, left_out = time.time(), [], []
	for name in options.scenarios or SCENARIOS:
		scenario = SCENARIOS[name]
		runs = 1 if scenario.in_real_time else options.runs or (QUICK_RUNS if options.quick else RUNS)
		try:
			row = _play(scenario, runs, full=not options.quick)
		except CannotRunError as error:
			left_out.append(name)
			print(f"{name}: left out, {error}", flush=True)
			continue
		rows.append(row)
		print(
			f"{name}: {row.runs} runs, {row.lost} lost, {row.dangling} dangling,"
			f" recovered within {row.worst_recovery_s:.0f} s",
			flush=True,
		)
		if options.json:  # each time: what was played stays, should the next never end
			found = [asdict(row) for row in rows]
			(options.folder / options.json).write_text(json.dumps(found, indent=1) + "\n")
	if options.docs:
		_write_docs(_about(started), rows)
	if not rows or left_out:
		_give_up(f"could not be played: {', '.join(left_out)}")
	if any(row.lost or row.dangling for row in rows):
		sys.exit(1)


def _play(scenario: Scenario, runs: int, *, full: bool) -> Row:
	"""All runs of a scenario. After one that went wrong the next begins in a new school."""
	row = Row(scenario.name)
	while row.runs < runs:
		with scenario.stage(full) as school:
			while row.runs < runs:
				outcome = play(scenario, school, row.runs)
				row.runs += 1
				row.lost += len(outcome.lost)
				row.dangling += len(outcome.dangling)
				row.worst_recovery_s = max(row.worst_recovery_s, round(outcome.recovery_s or 0, 1))
				if wrong := [*outcome.lost, *outcome.dangling]:
					print(f"  run {row.runs} of {scenario.name}:", *wrong[:_TOLD_AT_MOST], sep="\n    ")
					break
	return row


def _options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(prog="dev/faults", description=__doc__)
	parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all unless named")
	parser.add_argument("--list", action="store_true", help="only name all scenarios")
	parser.add_argument(
		"--runs", type=int, metavar="N", help=f"how often each is played: {RUNS} unless given"
	)
	parser.add_argument("--quick", action="store_true", help=f"small, and {QUICK_RUNS} runs each")
	parser.add_argument(
		"--json", metavar="FILE", help="a list of {scenario, runs, lost, dangling, worst_recovery_s}"
	)
	parser.add_argument("--docs", action="store_true", help="write the table into docs/reliability.md")
	parser.add_argument("--site", required=True, help=argparse.SUPPRESS)
	parser.add_argument("--from", dest="folder", type=Path, default=Path(), help=argparse.SUPPRESS)
	return parser.parse_args()


def _give_up(why: str) -> None:
	print(why, file=sys.stderr)
	sys.exit(2)


def _about(started: float) -> str:
	flush, version = frappe.db.sql("select @@innodb_flush_log_at_trx_commit, version()")[0]
	load = os.getloadavg()
	return (
		f"{time.strftime('%Y-%m-%d', time.localtime(started))}. {(time.time() - started) / 60:.0f} minutes."
		f" {os.cpu_count()} cores, load {load[0]:.1f} at the end and {load[2]:.1f} over a quarter of an hour."
		f" Python {platform.python_version()}, Frappe {frappe.__version__}, MariaDB {version},"
		f" innodb_flush_log_at_trx_commit = {flush}."
	)


def _write_docs(about: str, rows: Sequence[Row]) -> None:
	"""Put the table between its marks in docs/reliability.md; the rest of the page is prose."""
	lines = [
		f"{about}\n\n| scenario | runs | lost | dangling | worst recovery, s |\n| --- | --- | --- | --- | --- |\n"
	]
	lines += [
		f"| {row.scenario} | {row.runs} | {row.lost} | {row.dangling} | {row.worst_recovery_s:.0f} |\n"
		for row in rows
	]
	text = DOCS.read_text()
	before, _, rest = text.partition(_BEGIN)
	DOCS.write_text(before + _BEGIN + "\n" + "".join(lines) + "\n" + _END + rest.partition(_END)[2])


if __name__ == "__main__":
	try:
		main()
	except Exception:  # noqa: BLE001 - 1 would say that something was lost
		traceback.print_exc()
		sys.exit(2)
