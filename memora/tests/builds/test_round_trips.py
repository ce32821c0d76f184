"""How many times a publish waits for the storage: what latency costs its users, counted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import frappe

from memora.tests.helpers import factories
from memora.tests.helpers.buckets import SeaweedFSTestCase
from memora.tests.helpers.faulty_server import FaultyServer, Request
from memora.tests.helpers.publishing import make_course

QUIET = 0.4  # seconds without another request, after which all that came are answered


@dataclass(frozen=True)
class Trip:
	"""Requests on their way at the same time."""

	requests: tuple[Request, ...]
	connects: bool
	"""Whether one of them has had to open a connection."""


class Gathered:
	"""A rule of `FaultyServer` that answers only when no other request comes: what comes after an answer is another trip,
	and what comes before has not waited for any."""

	def __init__(self) -> None:
		self._found: list[list[Request]] = [[]]
		self._last = 0.0
		self._changed = threading.Condition()

	def __call__(self, request: Request) -> None:
		with self._changed:
			trip = self._found[-1]
			trip.append(request)
			self._last = time.monotonic()
			while trip is self._found[-1]:
				left = self._last + QUIET - time.monotonic()
				if left <= 0:
					self._found.append([])
					self._changed.notify_all()
				else:
					self._changed.wait(left)

	def trips(self) -> list[Trip]:
		"""What came together, in order."""
		known: set[Any] = set()
		trips = []
		for requests in self._found[:-1]:
			opened = {request.connection for request in requests} - known
			known |= opened
			trips.append(Trip(tuple(requests), bool(opened)))
		return trips


class TestRoundTrips(SeaweedFSTestCase):
	"""50 plans list one subject, and one of its lessons is edited."""

	PLANS = 50

	def setUp(self) -> None:
		super().setUp()
		front = FaultyServer(self.endpoint)
		self.front = front.__enter__()
		self.addCleanup(front.__exit__, None, None, None)
		self.course = make_course()
		self.plans = [
			factories.make_plan([self.course["subject"]], is_published=1) for _ in range(self.PLANS)
		]
		frappe.db.commit()
		self.publish()
		self.configure(endpoint_url=self.front.url)
		self.publish()

	def edited(self, **values: Any) -> list[Trip]:
		self.change(self.course["lessons"][0], **values)
		frappe.db.commit()
		gathered = Gathered()
		self.front.by_rule(gathered)
		self.publish()
		return gathered.trips()

	def test_an_edit_is_live_in_all_plans_after_few_round_trips(self) -> None:
		trips = self.edited(title="Edited")
		self.assertLessEqual(len(trips), 8, _shown(trips))
		self.assertLessEqual(len(trips) + sum(trip.connects for trip in trips), 11, _shown(trips))
		manifests = {request.path for request in trips[-1].requests}
		self.assertEqual(len(manifests), self.PLANS, "all of them side by side, as one group")

	def test_an_edit_of_its_text_takes_fewer(self) -> None:
		trips = self.edited(description="Edited")
		self.assertLessEqual(len(trips), 8, _shown(trips))


def _shown(trips: list[Trip]) -> str:
	return "\n".join(
		f"{len(trip.requests)} requests{', connects' if trip.connects else ''}: {trip.requests[0].method} "
		f"{trip.requests[0].path}"
		for trip in trips
	)
