"""A model of a fleet of workers: edits, the relay, builds and uploads as discrete events, with costs that were measured.

It follows `worker/drain` and `worker/builder`: each drain lists what waits, subjects before plans, takes what is free, and
builds plans as groups. Standard library only. The same seed gives the same report.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

from benchmarks.events import Clock, Processors

MOST_PLANS, MOST_RENDERED, REMEMBERED, PAUSE = 50, 64, 16, 0.2
THRESHOLD, THRESHOLD_SECONDS, BATCH_SECONDS = 50, 30, 300
"""As in `plan_group`, `delivery/target`, `worker/drain`, CDN Settings, `change_tracker` and hooks.py."""

LOOKS = 10
"""So many in vain are one event: a walk past what others have built takes its time, but not an event each."""

Steps = Generator[Any, None, None]


@dataclass(frozen=True, slots=True)
class Work:
	"""Seconds of a worker's Python, seconds of MariaDB's thread for it, and how many statements go back and forth."""

	python: float = 0.0
	server: float = 0.0
	statements: float = 0.0

	def __add__(self, other: Work) -> Work:
		return Work(
			self.python + other.python, self.server + other.server, self.statements + other.statements
		)

	def __mul__(self, times: float) -> Work:
		return Work(self.python * times, self.server * times, self.statements * times)


@dataclass(frozen=True, slots=True)
class Costs:
	"""What was measured. A subject's build has one edited lesson in it; `read` is a subject that a plan has to read
	again, `look` a lease that is not free or a scope that is up to date, `tried` a group that no plan can join."""

	start: Work = Work(0.1)
	relay: Work = Work()
	change: Work = Work()
	raised: Work = Work()
	listed: Work = Work()
	look: Work = Work()
	tried: Work = Work()
	subject: Work = Work()
	lesson: Work = Work()
	group: Work = Work()
	plan: Work = Work()
	alone: Work = Work()
	read: Work = Work()
	put: Work = Work()


@dataclass(frozen=True, slots=True)
class Fleet:
	"""The machines. With `database_cores` 0, MariaDB is on the workers' only machine."""

	machines: int = 1
	workers: int = 1
	cores: int = 2
	database_cores: int = 0
	round_trip: float = 0.0
	latency: float = 0.03
	at_once: int = 32
	key_seconds: float = 0.0
	"""How long a storage wants between two writes to one key: 1 s at R2."""


@dataclass(slots=True)
class Site:
	"""Which subjects each plan lists."""

	plans: list[list[int]]
	readers: list[list[int]]

	@classmethod
	def of(cls, plans: list[list[int]], subjects: int) -> Site:
		readers: list[list[int]] = [[] for _ in range(subjects)]
		for plan, listed in enumerate(plans):
			for subject in listed:
				readers[subject].append(plan)
		return cls(plans, readers)

	@classmethod
	def spread(cls, subjects: int, plans: int, listed: int, skew: float = 0.5, seed: int = 0) -> Site:
		"""Plans that list so many subjects each, the n-th subject n ** -skew times as often as the first."""
		chance, weights = random.Random(seed), [(n + 1) ** -skew for n in range(subjects)]
		picks = (chance.choices(range(subjects), weights, k=listed) for _ in range(plans))
		return cls.of([sorted(set(pick)) for pick in picks], subjects)


@dataclass(slots=True)
class Report:
	"""What came of it. Times to live are sorted seconds; `used` are shares of what there is, while edits came."""

	seconds: float = 0.0
	edits: int = 0
	live: list[float] = field(default_factory=list)
	finished: dict[int, float] = field(default_factory=dict)
	backlog: int = 0
	puts: int = 0
	gets: int = 0
	builds: dict[str, int] = field(
		default_factory=lambda: dict.fromkeys(("subject", "group", "alone", "in vain"), 0)
	)
	used: dict[str, float] = field(default_factory=dict)

	def after(self, share: float) -> float:
		"""After how many seconds this share of the edits was live."""
		return self.live[max(0, ceil(share * len(self.live)) - 1)] if self.live else 0.0

	@property
	def first(self) -> str:
		"""What is used most."""
		return max(self.used, key=lambda name: self.used[name])


@dataclass(slots=True)
class _Change:
	"""What a subject's build has published: the moments of its edits, and how many plans do not show it yet."""

	subject: int
	edits: list[float]
	left: int


@dataclass(slots=True)
class _Worker:
	cores: Processors
	memory: dict[int, int] = field(default_factory=dict)
	looks: int = 0
	tries: int = 0


class Model:
	"""One run: `edits` are (moment, subject) in order."""

	def __init__(self, site: Site, costs: Costs, fleet: Fleet, edits: Iterator[tuple[float, int]]) -> None:
		self.site, self.costs, self.fleet, self.report = site, costs, fleet, Report()
		self.clock = Clock()
		machines = [Processors(self.clock, fleet.cores) for _ in range(fleet.machines)]
		self.database = Processors(self.clock, fleet.database_cores) if fleet.database_cores else machines[0]
		self._machines, self._edits = machines, edits
		self._idle = [_Worker(machines[n % fleet.machines]) for n in range(fleet.machines * fleet.workers)]
		self._outbox: list[tuple[float, int]] = []
		self._touched: set[int] = set()
		self._relaying: list[Callable[[], None]] | None = None
		self._waiting: list[list[float]] = [[] for _ in site.readers]
		self._news: list[list[_Change]] = [[] for _ in site.plans]
		self._generation = [0] * len(site.readers)
		self._subjects: dict[int, None] = {}  # due, the longest waiting first
		self._plans: dict[int, None] = {}
		self._building: set[int] = set()  # subjects
		self._leased: set[int] = set()  # plans
		self._writes: dict[tuple[str, int], tuple[float, int]] = {}
		self._occupied = self._transfer = self._relayed = 0.0
		self._batches = self._marked = 0
		self._rings_at = 0.0

	def run(self) -> Report:
		self._next_edit()
		self._tick()
		self.clock.run()
		report = self.report
		report.live.sort()
		return report

	def burst(self, subjects: Iterable[int]) -> Report:
		"""One edit in each of these waits at the start, and all workers begin at once."""
		self._outbox = [(0.0, subject) for subject in subjects]
		self.report.edits = len(self._outbox)
		self._batch()
		self.clock.run()
		return self.report

	# Who starts what

	def _next_edit(self) -> None:
		moment, subject = next(self._edits, (inf, 0))
		if moment < inf:
			self.clock.at(moment, lambda: self._edit(subject))
		elif not self.report.used:
			self._note_use()

	def _edit(self, subject: int) -> None:
		self.report.edits += 1
		self._outbox.append((self.clock.now, subject))
		self._touched.update(self.site.readers[subject])
		self._next_edit()
		if len(self._touched) >= THRESHOLD and self.clock.now >= self._rings_at:
			self._rings_at = self.clock.now + THRESHOLD_SECONDS
			self._batch()

	def _tick(self) -> None:
		self._batch()
		if self.report.edits > len(self.report.live) or not self.report.used:
			self.clock.at(self.clock.now + BATCH_SECONDS, self._tick)

	def _batch(self) -> None:
		"""Start no more drains than what waits has work for."""
		if self._outbox or self._subjects or self._plans:
			self._touched.clear()
			self._batches += 1
			most = len(self._outbox) + len(self._subjects) + len(self._plans)
			for _ in range(min(most, len(self._idle))):
				self._go_on(self._drain(self._idle.pop(0), self._batches))

	def _note_use(self) -> None:
		"""What the edits' time has taken of everything there is."""
		fleet, seconds = self.fleet, max(self.clock.now, 1e-9)
		workers = fleet.machines * fleet.workers
		self.report.seconds = seconds
		everyone = sum(machine.busy for machine in self._machines)
		self.report.used = {
			"worker processes": self._occupied / seconds / workers,
			"workers' processors": everyone / seconds / fleet.machines / fleet.cores,
			"MariaDB's processors": self.database.busy / seconds / self.database.cores,
			"connections to the storage": self._transfer / seconds / workers / fleet.at_once,
			"the relay": self._relayed / seconds,
			"one key's writes": max((n for _, n in self._writes.values()), default=0)
			* fleet.key_seconds
			/ seconds,
		}

	def _go_on(self, steps: Steps) -> None:
		step = next(steps, None)
		if isinstance(step, float):
			self.clock.at(self.clock.now + step, lambda: self._go_on(steps))
		elif isinstance(step, list):
			step.append(lambda: self._go_on(steps))
		elif step is not None:
			processors, seconds = step
			processors.do(seconds, lambda: self._go_on(steps))

	# What a worker does

	def _drain(self, worker: _Worker, batch: int) -> Steps:
		worker.memory.clear()
		yield from self._work(worker, self.costs.start)
		self.report.gets += 1  # the mark: read, and raised
		if self._marked < batch:
			self._marked = batch
			yield from self._upload(worker, [[("mark", 0)]])
		while True:
			yield from self._relay(worker)
			subjects, plans = list(self._subjects), list(self._plans)
			if not subjects and not plans:
				break
			yield from self._work(worker, self.costs.listed * (len(subjects) + len(plans)))
			built = yield from self._build_all(worker, subjects, plans)
			yield from self._pay(worker)
			if not built:
				yield PAUSE
		self._idle.append(worker)

	def _relay(self, worker: _Worker) -> Steps:
		"""One at a time; who comes meanwhile waits, and mostly finds nothing left."""
		while self._relaying is not None:
			yield self._relaying
		if not self._outbox:
			return
		self._relaying, began = [], self.clock.now
		rows, self._outbox = self._outbox, []
		plans = dict.fromkeys(plan for _, subject in rows for plan in self.site.readers[subject])
		costs = self.costs
		yield from self._work(worker, costs.relay + costs.change * len(rows) + costs.raised * len(plans))
		for moment, subject in rows:
			self._waiting[subject].append(moment)
			self._subjects.setdefault(subject)
		for plan in plans:
			self._plans.setdefault(plan)
		self.report.backlog = max(self.report.backlog, len(self._subjects) + len(self._plans))
		self._relayed += self.clock.now - began
		others, self._relaying = self._relaying, None
		for go_on in others:
			go_on()

	def _build_all(self, worker: _Worker, subjects: list[int], plans: list[int]) -> Generator[Any, None, int]:
		built = 0
		while subjects:
			subject, *subjects = subjects
			is_built = yield from self._build_subject(worker, subject)
			yield from self._pay(worker, LOOKS)
			built += is_built
			if not is_built:  # others have come this way
				subjects = [subject for subject in subjects if subject in self._subjects]
				plans = [plan for plan in plans if plan in self._plans and plan not in self._leased]
		while plans:
			group, plans = plans[:MOST_PLANS], plans[MOST_PLANS:]
			joined, alone, without_room = (
				(yield from self._build_group(worker, group)) if len(group) > 1 else ((), group, ())
			)
			built += len(joined)
			for plan in alone:
				built += yield from self._build_plan(worker, plan)
				yield from self._pay(worker, LOOKS)
			plans = [*without_room, *plans]
		return built

	def _build_subject(self, worker: _Worker, subject: int) -> Generator[Any, None, bool]:
		if subject not in self._subjects:
			self._in_vain(worker)
			return subject not in self._building
		del self._subjects[subject]
		self._building.add(subject)
		edits, self._waiting[subject] = self._waiting[subject], []
		work = self.costs.subject + self.costs.lesson * (len(edits) - 1)
		lessons = [("lesson", -1)] * len(edits)
		yield from self._build(worker, "subject", work, [lessons, [("unit", subject)]])
		self._generation[subject] += 1
		self._remember(worker, subject)
		change = _Change(subject, edits, len(self.site.readers[subject]))
		for plan in self.site.readers[subject]:
			self._news[plan].append(change)
		self._building.discard(subject)
		if not change.left:
			self.report.live += [self.clock.now - moment for moment in edits]
		return True

	def _build_plan(self, worker: _Worker, plan: int) -> Generator[Any, None, bool]:
		if plan not in self._plans or plan in self._leased:
			self._in_vain(worker)
			return plan not in self._leased
		self._leased.add(plan)
		for subject in self.site.plans[plan]:
			if subject in self._subjects:
				yield from self._build_subject(worker, subject)
		if not self._building.isdisjoint(self.site.plans[plan]):
			self._in_vain(worker)
			self._leased.discard(plan)
			return False
		work = self.costs.alone + self.costs.read * self._read(
			worker, {change.subject for change in self._news[plan]}
		)
		yield from self._publish(worker, "alone", work, [plan])
		return True

	def _build_group(
		self, worker: _Worker, group: Sequence[int]
	) -> Generator[Any, None, tuple[Sequence[int], Sequence[int], Sequence[int]]]:
		"""Build those that only have to show news; all that are free are leased meanwhile. Also returns those to build alone,
		and those that find no room. What waits for a subject that is being built is left."""
		free = [plan for plan in group if plan in self._plans and plan not in self._leased]
		joined: list[int] = []
		alone: list[int] = []
		without_room: list[int] = []
		subjects: set[int] = set()
		rendered = 0
		for plan in free:
			if not self._building.isdisjoint(self.site.plans[plan]):
				continue
			news = {change.subject for change in self._news[plan]}
			if not self._subjects.keys().isdisjoint(self.site.plans[plan]):
				alone.append(plan)
			elif joined and (rendered + len(news) > MOST_RENDERED or len(subjects | news) > REMEMBERED):
				without_room.append(plan)
			else:
				joined.append(plan)
				subjects |= news
				rendered += len(news)
		if len(joined) < 2:
			worker.tries += 1
			return (), [*alone, *joined], without_room
		self._leased.update(free)
		work = (
			self.costs.group + self.costs.plan * len(joined) + self.costs.read * self._read(worker, subjects)
		)
		yield from self._publish(worker, "group", work, joined)
		self._leased.difference_update(free)
		return joined, alone, without_room

	def _publish(self, worker: _Worker, kind: str, work: Work, plans: Sequence[int]) -> Steps:
		shown: list[_Change] = []
		files: list[tuple[str, int]] = []
		for plan in plans:
			del self._plans[plan]
			changes, self._news[plan] = self._news[plan], []
			shown += changes
			files += [("subject", -1)] * len({change.subject for change in changes})
		yield from self._build(worker, kind, work, [files, [("manifest", plan) for plan in plans]])
		for change in shown:
			change.left -= 1
			if not change.left:
				self.report.live += [self.clock.now - moment for moment in change.edits]
		for plan in plans:
			self._leased.discard(plan)
			self.report.finished[plan] = self.clock.now

	# What that takes

	def _build(self, worker: _Worker, kind: str, work: Work, phases: list[list[tuple[str, int]]]) -> Steps:
		self.report.builds[kind] += 1
		began = self.clock.now
		yield from self._pay(worker)
		yield from self._work(worker, work * 0.7)
		yield from self._upload(worker, phases)
		yield from self._work(worker, work * 0.3)
		self._occupied += self.clock.now - began

	def _in_vain(self, worker: _Worker) -> None:
		"""What comes to nothing is paid for some at a time."""
		self.report.builds["in vain"] += 1
		worker.looks += 1

	def _pay(self, worker: _Worker, least: int = 1) -> Steps:
		if worker.looks + worker.tries >= least:
			owed = self.costs.look * worker.looks + self.costs.tried * worker.tries
			worker.looks = worker.tries = 0
			yield from self._work(worker, owed)

	def _work(self, worker: _Worker, work: Work, slices: int = 3) -> Steps:
		"""Python and MariaDB take turns."""
		for _ in range(slices if work.python and work.server else 1):
			if work.python:
				yield worker.cores, work.python / (slices if work.server else 1)
			if work.server:
				yield self.database, work.server / (slices if work.python else 1)
		if away := work.statements * self.fleet.round_trip:
			yield away

	def _upload(self, worker: _Worker, phases: list[list[tuple[str, int]]]) -> Steps:
		for files in phases:
			self.report.puts += len(files)
			if not files:
				continue
			yield from self._work(worker, self.costs.put * len(files))
			wait = max(self._spaced(key) for key in files)
			self._transfer += len(files) * self.fleet.latency
			yield float(wait) + ceil(len(files) / self.fleet.at_once) * self.fleet.latency

	def _spaced(self, key: tuple[str, int]) -> float:
		"""How long a write to this key has to wait for the one before."""
		if key[1] < 0:  # written once, or one of many: never too soon
			return 0.0
		last, times = self._writes.get(key, (-inf, 0))
		wait = max(0.0, last + self.fleet.key_seconds - self.clock.now)
		self._writes[key] = self.clock.now + wait, times + 1
		return wait

	def _read(self, worker: _Worker, subjects: Iterable[int]) -> int:
		"""How many of these have to be read; all are remembered from now on."""
		unknown = 0
		for subject in sorted(subjects):
			unknown += worker.memory.get(subject) != self._generation[subject]
			self._remember(worker, subject)
		return unknown

	def _remember(self, worker: _Worker, subject: int) -> None:
		worker.memory.pop(subject, None)
		worker.memory[subject] = self._generation[subject]
		if len(worker.memory) > REMEMBERED:
			del worker.memory[next(iter(worker.memory))]


def poisson(
	rates: Sequence[float], subjects: int, seed: int = 0, hour: float = 3600.0
) -> Iterator[tuple[float, int]]:
	"""Edits by chance, so many a second in each hour, each of any subject."""
	chance = random.Random(seed)
	for number, rate in enumerate(rates):
		moment = number * hour
		while rate and (moment := moment + chance.expovariate(rate)) < (number + 1) * hour:
			yield moment, chance.randrange(subjects)
