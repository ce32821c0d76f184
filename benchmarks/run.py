"""Measure memora and print the table: run by dev/benchmark, on a site whose memora data is wiped."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import frappe

from benchmarks import answers, audit, cases, meter, model_check, real_uploads, saves, scale, steps
from benchmarks.cases import CASES, Bench, Row
from benchmarks.s3_server import S3Server
from memora.tests.helpers.utils import wipe

_MORE = ("uploads", "steps", "saves", "answers", "audit", "demo")
_LARGE = ("scale", "model")
"""Cases that run only where they are named: they take longer than all others together."""

REPO = Path(__file__).resolve().parent.parent
DOCS = REPO / "docs" / "performance-figures.md"
PICTURE = REPO / "docs" / "images" / "performance.png"
_BEGIN, _END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def main() -> None:
	options = _options()
	frappe.init(site=options.site)
	frappe.connect()
	if not frappe.conf.allow_tests:
		sys.exit(
			f"{options.site} may not be wiped; say: bench --site {options.site} set-config allow_tests true"
		)
	frappe.flags.in_test = True
	meter.as_in_use()
	found: dict[str, list[Row]] = {}
	taken: dict[str, float] = {}
	started = time.time()
	with S3Server() as server:
		bench = Bench(server, options.site, options.quick, *((5, 3) if options.quick else ()))
		bench.lessons, bench.plans = options.lessons, options.plans
		works = {
			**CASES,
			"uploads": real_uploads.uploads,
			"steps": steps.steps,
			"saves": saves.saves,
			"answers": answers.answers,
			"audit": audit.audit,
			"scale": scale.scale,
			"model": model_check.model,
			"demo": lambda bench: cases.demo(bench, options.demo),
		}
		for name in options.cases or [name for name in works if name not in _LARGE]:
			print(f"{name}: {(works[name].__doc__ or cases.demo.__doc__ or '').splitlines()[0]}", flush=True)
			found[name] = []
			meter.taken_by_host()  # from now on
			for row in works[name](bench):
				found[name].append(row)
				print(f"  {_as_text(row)}", flush=True)
			taken[name] = meter.taken_by_host()
			print(f"  {_as_share(taken[name])}", flush=True)
	wipe()
	report = {
		"about": _about(started),
		"rows": {name: [_as_dict(row) for row in rows] for name, rows in found.items()},
		"taken_by_host": taken,
	}
	if options.json:
		(options.folder / options.json).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
	if options.docs:
		_write_docs(report, found)
	if options.plot or options.docs:
		_plot(report, options.folder / options.plot if options.plot else PICTURE)


def _options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(prog="dev/benchmark", description=__doc__)
	parser.add_argument(
		"cases",
		nargs="*",
		metavar="CASE",
		help=f"all unless named: {', '.join([*CASES, *_MORE])}; only if named: {', '.join(_LARGE)}",
	)
	parser.add_argument("--quick", action="store_true", help="smaller and fewer: to see whether it runs")
	parser.add_argument("--lessons", type=int, default=0, help="of the case scale; 200,000 unless given")
	parser.add_argument("--plans", type=int, default=0, help="of the case scale; 10,000 unless given")
	parser.add_argument("--json", metavar="FILE", help="everything measured, each single run too")
	parser.add_argument("--plot", metavar="FILE", help="cost against plan size, as PNG; needs the case curve")
	parser.add_argument(
		"--docs", action="store_true", help="write table and plot into docs/performance-figures.md"
	)
	parser.add_argument("--site", required=True, help=argparse.SUPPRESS)
	parser.add_argument("--from", dest="folder", type=Path, default=Path(), help=argparse.SUPPRESS)
	parser.add_argument("--demo", type=Path, default=REPO / ".dev" / "curriculum", help=argparse.SUPPRESS)
	options = parser.parse_args()
	if unknown := set(options.cases) - {*CASES, *_MORE, *_LARGE}:
		parser.error(f"there is no case {', '.join(sorted(unknown))}")
	return options


def _about(started: float) -> dict[str, str]:
	flush = frappe.db.sql("select @@innodb_flush_log_at_trx_commit, version()")[0]
	load = os.getloadavg()
	return {
		"date": time.strftime("%Y-%m-%d", time.localtime(started)),
		"took": f"{time.time() - started:.0f} s",
		"machine": f"{os.cpu_count()} cores, load {load[0]:.1f} at the end and {load[2]:.1f} over a quarter of an hour",
		"versions": f"Python {platform.python_version()}, Frappe {frappe.__version__}, MariaDB {flush[1]}",
		"durability": f"innodb_flush_log_at_trx_commit = {flush[0]}",
	}


def _as_dict(row: Row) -> dict:
	return {**asdict(row), "ratio": row.ratio, "is_reached": row.is_reached}


def _as_text(row: Row) -> str:
	parts = [f"{row.name}: {_number(row.figure)} {row.unit}".rstrip()]
	if row.target is not None:
		parts.append(f"target {_number(row.target)} {'reached' if row.is_reached else 'MISSED'}")
	if row.work:
		parts.append(f"work {_number(row.work)} {row.unit}")
	if row.floor:
		parts.append(f"floor {_number(row.floor)} ({row.of_floor}), {row.ratio:.1f} ×")
	return "; ".join([*parts, row.note]).rstrip("; ")


def _as_share(taken: float) -> str:
	return f"Meanwhile the host gave {taken:.1%} of the processors to others"


def _number(value: float) -> str:
	return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _write_docs(report: dict, found: dict[str, list[Row]]) -> None:
	"""Put the table between its marks in docs/performance-figures.md; the rest of the page is prose."""
	lines = [f"{'. '.join(report['about'].values())}.\n\n"]
	for name, rows in found.items():
		lines.append(
			"| measure | measured | work | target | floor | ratio | |\n| --- | --- | --- | --- | --- | --- | --- |\n"
		)
		for row in rows:
			target = "" if row.target is None else f"≤ {_number(row.target)} {row.unit}"
			missed = row.is_reached is False
			lines.append(
				f"| {row.name} | {'**' if missed else ''}{_number(row.figure)} {row.unit}{'**' if missed else ''} "
				f"| {f'{_number(row.work)} {row.unit}' if row.work else ''} | {target} | {f'{_number(row.floor)} {row.unit} ({row.of_floor})' if row.floor else ''} "
				f"| {f'{row.ratio:.1f}' if row.ratio else ''} | {row.note} |\n"
			)
		lines.append(f"\n{_as_share(report['taken_by_host'][name])}.\n\n")
	text = DOCS.read_text()
	before, _, rest = text.partition(_BEGIN)
	DOCS.write_text(before + _BEGIN + "\n" + "".join(lines) + _END + rest.partition(_END)[2])


def _plot(report: dict, picture: Path) -> None:
	"""In a process of its own: matplotlib stands apart from what is measured."""
	curve = [row["more"] for row in report["rows"].get("curve", [])]
	if not curve:
		sys.exit("there is nothing to plot without the case curve")
	command = [os.environ["MEMORA_PLOT_PYTHON"], str(REPO / "benchmarks" / "plot.py"), str(picture)]
	subprocess.run(command, input=json.dumps(curve), text=True, check=True)


if __name__ == "__main__":
	main()
