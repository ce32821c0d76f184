"""Films are closed to those whom no lesson lets in any more, before the lesson that did is written over or removed."""

from __future__ import annotations

import time
from collections.abc import Collection

import frappe

from memora.exceptions import LeaseLostError, ScopeBusyError, StorageError
from memora.services.cdn_export.builds import film_notes, film_objects
from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.rules import film_access
from memora.services.cdn_export.state import database, ledger, named_films, publish_state


def prepare(target: PublishTarget) -> None:
	"""Close all films that are open from before the gate was switched on, or from an earlier time in this place: nothing is
	noted of these. Before a lesson is written or removed; later it is one statement. Raises what `narrow` raises."""
	if not target.options.is_gated or publish_state.of(scopes.FILMS).is_live:
		return
	with film_objects.alone(target) as build:
		if not build.state.is_live:
			film_objects.close_all(build)

			def close() -> None:
				build.lease.hold()
				publish_state.reopen([scopes.FILMS.id])

			database.transaction(close)


def narrow(target: PublishTarget, films: Collection[str]) -> None:
	"""Write the access objects of these films again that are there, as is committed by now.

	An object that is not to be there is written as closed: it goes with the next look at all films. Raises ScopeBusyError when
	others keep the films for 10 s, and what an upload raises.
	"""
	if not films:
		return
	with film_objects.alone(target) as build:
		films = {*films, *named_films.below(film for film in films if film.endswith("/"))}
		entries = {
			path: entry
			for path, entry in ledger.of_paths(map(paths.access, films)).items()
			if entry.state != "removed"
		}
		folders, site = target.options.video_folders, target.ownership.site
		around = {folder for film in films for folder in paths.folders_around(film, folders)}
		named = named_films.of_films(films | around)
		offered = Diff(entries, int(time.time()))
		for film in sorted(films):
			if (path := paths.access(film)) in entries:
				grants = film_access.opening(film, named, folders)
				document = film_access.document(grants, site) or film_access.closed(site)
				offered.offer(path, "access", "", document)
		if changed := offered.changed():
			film_objects.write(build, changed, entries)


def before_removal(target: PublishTarget, lessons: Collection[str]) -> bool:
	"""Close the films that only these lessons' files open, which are about to go. Returns whether that is done: else they
	must stay for now."""
	if not lessons or not target.options.is_gated:
		return True
	try:
		prepare(target)
		narrow(target, {naming.film for naming in named_films.of_lessons(lessons)})
	except (LeaseLostError, ScopeBusyError, StorageError) as error:
		database.rollback()
		frappe.logger("memora").warning(f"lessons stay until their films are closed: {error}")
		database.transaction(film_notes.look_again)  # what is wrong is said by that
		return False
	return True
