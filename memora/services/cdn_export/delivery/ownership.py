"""Whose place is it? A bucket or folder belongs to one site, and a mark in it says to which.

The mark (`memora/place.json`) holds the hash of the site's key and a number. Each batch raises the number once, before
its first write, and this database keeps the number that it wrote last. So, when the mark is read:

- another key: another site publishes there;
- our key and a higher number: a copy of this site has published there, or this database is from a backup;
- no mark: the place is claimed if it is empty, or if its list of plans is the one that the ledger speaks of.

In all other cases this site writes and removes nothing there until an admin takes the place over (`take_over`). What
waits goes on waiting. The site's own default folder needs no mark: only this site can reach it.

The number is noted here before it is written there. A worker that dies in between leaves a mark with a lower number
than is known, which is no reason to refuse.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple, get_args

import frappe
import orjson
from frappe import _
from frappe.model.document import Document as FrappeDocument
from frappe.utils import now_datetime

from memora.exceptions import (
	PlaceRefusedError,
	PreconditionFailedError,
	ScopeBusyError,
	StorageUnavailableError,
)
from memora.services.cdn_export import settings
from memora.services.cdn_export.delivery import admin_notices, refused_place
from memora.services.cdn_export.delivery.refused_place import Refusal, Why
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.published_file import LedgerEntry
from memora.services.cdn_export.state import database, ledger, relocation, site_key, site_values
from memora.services.cdn_export.storage import Storage, Upload

COMPARE_SECONDS = 60
"""So often a batch that goes on writing looks at the mark again."""

READ_BACK_SECONDS = 1.0
"""Where a storage ignores the conditions of a write, the mark is read again after this."""

_NOTE = "memora_ownership"
_PATIENCE_SECONDS = 30
_SAME_PATH_FOR_ALL = ("plans_index", "schemas_index", "schema", "gate_keys")
_ABOUT = (
	"One memora site publishes here, and this file says which. Leave it as it is. docs/storage.md says more."
)


class Mark(NamedTuple):
	"""The object at `paths.MARK`. `site` is "" where that is no mark."""

	site: str
	number: int
	etag: str


@dataclass(frozen=True, slots=True)
class Known:
	"""What this database knows: the highest number that it has written to any mark, whose key's hash is in the
	metadata of the files that the ledger knows, and of `place` which batch has
	written it, when it was compared, why the place was refused, and whose files an admin has given to this site."""

	number: int = 0
	site: str = ""
	place: str = ""
	batch: str = ""
	checked: float = 0.0
	refused: Why = ""
	refused_since: str = ""
	former: tuple[str, ...] = ()
	ignores_conditions: bool = False

	def of(self, place: str) -> Known:
		"""The same, without what it says of another place."""
		return self if place == self.place else Known(number=self.number, site=self.site, place=place)

	def checked_now(self) -> Known:
		return replace(self, checked=time.time(), refused="", refused_since="")


@dataclass(slots=True)
class Ownership:
	"""A place as one run sees it. Each run is a batch of its own, but the drains of a batch, which are told its name."""

	storage: Storage
	place: str
	label: str
	needs_mark: bool
	site: str
	former: tuple[str, ...] = ()
	batch: str = field(default_factory=lambda: secrets.token_hex(8))
	_looked: float = float("-inf")
	_has_claimed: bool = False

	@classmethod
	def open(cls, storage: Storage, doc: FrappeDocument) -> Ownership:
		"""The place that CDN Settings name. Makes the site's key where there is none. Commits.

		Raises StorageConfigurationError where a key is needed and cannot be made.
		"""
		place, needs_mark = settings.place(doc), not settings.is_own_folder(doc)
		site = site_key.site_hash() if needs_mark else site_key.hash_if_possible()
		noted = known().of(place)
		if not needs_mark and site and noted.site != site:  # restored files of another site, for instance
			_follow_key(replace(noted, site=site))
		return cls(storage, place, settings.place_label(doc), needs_mark, site, noted.former)

	def owns(self, site: str, *, is_known: bool, kind: str = "") -> bool:
		"""Whether an object is this site's, by the `site` of its metadata, "" for none, and by whether the ledger knows
		its path. Where all sites write to the same path, what an admin has taken over is so too."""
		if not self.needs_mark or site == self.site:
			return True
		if is_known and (not site or site in self.former):
			return True
		return kind in _SAME_PATH_FOR_ALL and site in self.former

	def claim(self) -> None:
		"""Make sure that this run may write here. Asked before each write or group of writes; most cost nothing.

		The first of a batch reads the mark and raises its number; later ones compare, at most once a minute. Then the
		current transaction is committed. Raises PlaceRefusedError, ScopeBusyError when another worker takes long
		over the mark, and what the storage raises.
		"""
		if not self._has_claimed or time.monotonic() - self._looked >= COMPARE_SECONDS:
			self._look(writes=True)
			self._has_claimed = True

	def check(self) -> None:
		"""`claim` for a run that may have nothing to write: the number stays as it is."""
		if time.monotonic() - self._looked >= COMPARE_SECONDS:
			self._look(writes=False)

	def is_refused(self) -> bool:
		"""Whether the last look at this place found it refused. One statement."""
		return self.needs_mark and bool(known().of(self.place).refused)

	def _look(self, *, writes: bool) -> None:
		if not self.needs_mark:
			return
		with _alone():
			before = known().of(self.place)
			raises = writes and before.batch != self.batch
			is_recent = 0 <= time.time() - before.checked < COMPARE_SECONDS and not before.refused
			if raises or not is_recent:
				mark = _read_mark(self.storage)
				self._judge(before, mark)
				if raises:
					self._raise_number(before, mark)
				else:
					_note(before.checked_now())
		self._looked = time.monotonic()

	def _judge(self, before: Known, mark: Mark | None) -> None:
		if why := _why(self.storage, self.site, before, mark, _listed_plans):
			self._refuse(before, why)

	def _raise_number(self, before: Known, mark: Mark | None) -> None:
		"""Write the next number. It is noted here first: who dies in between has no higher number against it."""
		after = replace(before.checked_now(), number=before.number + 1, batch=self.batch, site=self.site)
		_note(after)
		try:
			self._write(after, mark)
		except PreconditionFailedError as error:
			_note(before)  # the number that is there now is another's
			self._judge(before, _read_mark(self.storage))
			raise StorageUnavailableError(f"{error} It is tried again.") from error

	def _write(self, known: Known, mark: Mark | None) -> None:
		"""Write our mark over the one that was read. Raises PreconditionFailedError when another has written since."""
		upload = _upload(self.site, known.number)
		if mark is None:
			self.storage.put(upload, if_absent=True)
			known = replace(known, ignores_conditions=self._ignores_conditions(upload))
			_note(known)
		else:
			self.storage.put(upload, if_match=mark.etag)
		if known.ignores_conditions:
			time.sleep(READ_BACK_SECONDS)
			if self.storage.get(paths.MARK) != upload.body:
				raise PreconditionFailedError(
					f"{paths.MARK} in {self.label} was written by another site at the same time."
				)

	def _ignores_conditions(self, upload: Upload) -> bool:
		"""Whether the storage writes although a condition does not hold: tried once, with what is there anyway."""
		try:
			self.storage.put(upload, if_absent=True)
		except PreconditionFailedError:
			return False
		return True

	def _refuse(self, before: Known, why: Why) -> None:
		refusal = refused_place.explain(why, self.label)
		if before.refused != why:
			since = str(now_datetime())
			_note(replace(before, refused=why, refused_since=since))
			frappe.logger("memora").error(str(refusal))
			database.transaction(lambda: frappe.log_error("Nothing is published", str(refusal)))
			admin_notices.tell_admins(
				lambda lang: _("Nothing is published: whose is {0}?", lang).format(self.label), str(refusal)
			)
		raise PlaceRefusedError(str(refusal))


def known() -> Known:
	"""What this database knows. One statement."""
	noted = site_values.read(_NOTE)
	if not noted:
		return Known()
	values = json.loads(noted)
	return Known(**{**values, "former": tuple(values["former"])})


def last_refusal(doc: FrappeDocument | None = None) -> Refusal | None:
	"""Why the place that CDN Settings name was refused when it was last looked at; None if it was not. No network."""
	noted = known()
	if not noted.refused:
		return None
	doc = doc or settings.saved()
	if not noted.of(settings.place(doc)).refused or settings.is_own_folder(doc):
		return None
	return refused_place.explain(noted.refused, settings.place_label(doc))


def inspector(storage: Storage, doc: FrappeDocument) -> Callable[[], Refusal | None]:
	"""What looks at the mark now and says why the place is refused, or None; it changes nothing, and needs no database,
	so that another thread may call it. It raises what the storage raises."""
	if settings.is_own_folder(doc):
		return lambda: None
	before, site = known().of(settings.place(doc)), site_key.known_hash()
	listed = _listed_plans()
	words = {why: refused_place.explain(why, settings.place_label(doc)) for why in get_args(Why) if why}

	def inspect() -> Refusal | None:
		return words.get(_why(storage, site, before, _read_mark(storage), lambda: listed))

	return inspect


def take_over() -> list[str]:
	"""Make the place that CDN Settings name this site's, by an admin's word: all is published there again, and then
	audited. Returns the plans. Commits.

	Raises PlaceRefusedError where the place is this site's already, StorageConfigurationError and what the storage
	raises. Broken off, it can be done again.
	"""
	relocation.follow()
	doc = settings.saved()
	with settings.open_storage(doc) as storage:
		place = Ownership.open(storage, doc)
		if not place.needs_mark:
			raise PlaceRefusedError(_("{0} is this site's own folder already.").format(place.label))
		with _alone():
			before, mark = known().of(place.place), _read_mark(storage)
			if not _why(storage, place.site, before, mark, _listed_plans):
				raise PlaceRefusedError(_("{0} is this site's already.").format(place.label))
			listed = storage.head(paths.PLAN_INDEX)
			theirs = {mark.site if mark else "", listed.metadata.get("site", "") if listed else ""}
			after = Known(
				number=max(before.number, mark.number if mark else 0) + 1,
				site=place.site,
				place=place.place,
				batch=place.batch,
				former=tuple(sorted({*before.former, *theirs} - {place.site})),
				ignores_conditions=before.ignores_conditions,
			)

			def begin() -> list[str]:
				site_values.write(_NOTE, json.dumps(asdict(after)))
				return relocation.start_again(place.place)

			plans = database.transaction(begin)
			place._write(after, mark)
	frappe.logger("memora").warning(f"{place.label} was taken over by {frappe.session.user}")
	return plans


def _why(
	storage: Storage, site: str, before: Known, mark: Mark | None, listed: Callable[[], LedgerEntry | None]
) -> Why:
	"""Why a place with this mark is refused. `listed` is what the ledger says of the list of plans."""
	if mark is None:
		return "" if _is_empty(storage) or _is_that_of(storage, listed(), site) else "unclaimed"
	if not mark.site:
		return "no mark"
	if mark.site != site:
		return "other"
	return "copy" if mark.number > before.number else ""


def _is_empty(storage: Storage) -> bool:
	return not any(next(iter(storage.list(folder)), None) for folder in paths.OWN_FOLDERS)


def _is_that_of(storage: Storage, listed: LedgerEntry | None, site: str) -> bool:
	"""Whether the list of plans there is the one that the ledger speaks of."""
	if listed is None or listed.state not in ("live", "in_flight"):
		return False
	found = storage.head(paths.PLAN_INDEX)
	if found is None or found.metadata.get("site", site) != site:
		return False
	noted = (listed.content_hash, str(listed.version))
	return found.etag == listed.etag or noted == (
		found.metadata.get("content-hash"),
		found.metadata.get("version"),
	)


def _listed_plans() -> LedgerEntry | None:
	return ledger.of_paths([paths.PLAN_INDEX]).get(paths.PLAN_INDEX)


def _read_mark(storage: Storage) -> Mark | None:
	"""The mark, None where nothing is there. Raises what the storage raises: what cannot be read is not nothing."""
	found = storage.read(paths.MARK)
	if found is None:
		return None
	body, etag = found
	try:
		document = orjson.loads(body)
		return Mark(str(document["site"]), int(document["number"]), etag)
	except (ValueError, LookupError, TypeError):
		return Mark("", 0, etag)


def _upload(site: str, number: int) -> Upload:
	# What makes it differ from one that another writes with the same number at the same time.
	document = {"site": site, "number": number, "written": secrets.token_hex(8), "about": _ABOUT}
	return Upload(paths.MARK, orjson.dumps(document), "no-store", {"site": site})


def _note(what: Known) -> None:
	database.transaction(lambda: site_values.write(_NOTE, json.dumps(asdict(what))), reads=False)


def _follow_key(what: Known) -> None:
	"""Note another key of the site. What was published with the one before is uploaded again with this one's hash."""

	def write() -> None:
		if known().site:
			ledger.outdate()
		site_values.write(_NOTE, json.dumps(asdict(what)))

	database.transaction(write)


@contextmanager
def _alone() -> Iterator[None]:
	"""One worker of the site at a time looks at the mark. Commits, so that it reads what the one before has noted."""
	with database.alone(_NOTE, _PATIENCE_SECONDS) as is_alone:
		if not is_alone:
			raise ScopeBusyError("another worker looks whose the place is; this is tried again")
		database.fresh()
		yield
