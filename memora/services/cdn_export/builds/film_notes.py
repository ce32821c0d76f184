"""What is noted of the films that lessons name while these are written, so that no film is ever open to more than they let in.

- Before a lesson is written: only whom both the old and the new one let in counts. Films that may lose somebody by that
  are closed to them first (`film_narrowing`), again until the lesson is live.
- Once it is live: whom it lets in. Films that may be open to more now, or to fewer, are looked at next (`film_build`).

Nothing is noted, and nothing is asked, where there is no gate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.model.published_file import Planned
from memora.services.cdn_export.rules.film_access import NO_ONE, Grant, both
from memora.services.cdn_export.state import named_films, publish_state
from memora.services.cdn_export.state.named_films import Naming

Films = Mapping[str, Collection[str]]
"""What lessons name, by their paths."""


@dataclass(slots=True)
class FilmNotes:
	"""Lessons that are about to be written: whom each will let in, and what was noted of them before. `bounds` are what is
	noted while they are written; `narrowed` are the films that may lose somebody by that."""

	grants: dict[str, Grant] = field(default_factory=dict)
	before: list[Naming] = field(default_factory=list)
	bounds: list[Naming] = field(default_factory=list)
	narrowed: set[str] = field(default_factory=set)

	@classmethod
	def of(cls, target: PublishTarget, files: Iterable[Planned]) -> FilmNotes:
		"""Read what is noted, in the transaction that notes more."""
		if not target.options.is_gated:
			return cls()
		grants = {
			file.path: (file.access_level, file.required_items) for file in files if file.kind == "lesson"
		}
		return cls(grants, named_films.of_lessons(grants))

	def begin(self, films: Films) -> None:
		"""Note that lessons are about to be written, which will name these films. To be committed before the first is.

		Where that was noted before and has not come about, the film may still be as open as before that.
		"""
		for naming in self.before:
			stays = naming.film in films.get(naming.path, ())
			bound = both(naming.grant, self.grants[naming.path]) if stays else NO_ONE
			self.bounds.append(naming._replace(grant=bound, is_bound=True))
			if naming.is_bound or bound != naming.grant or bound == NO_ONE:
				self.narrowed.add(naming.film)
		named_films.bound(self.bounds)

	def close(self, films: Films) -> None:
		"""Note which films the lessons name that are live now. To be called before the ledger says that they are whole.

		What an audit has said of a lesson meanwhile may have closed films that nothing else would open again.
		"""
		if not self.before and not films:
			return
		after = {Naming(film, path, self.grants[path]) for path, named in films.items() for film in named}
		is_same = after == set(self.before) and set(self.bounds) == set(named_films.of_lessons(self.grants))
		named_films.store({path: films.get(path, ()) for path in self.grants})
		if not is_same:
			look_again()


def let_in_others(target: PublishTarget, paths: Collection[str]) -> None:
	"""Note that files are live again as they were, or with what they ask for, so that lessons among them may let others in."""
	if target.options.is_gated and named_films.of_lessons(paths):
		look_again()


def doubt(target: PublishTarget, paths: Collection[str]) -> None:
	"""Note that it is not known which films these lessons name: they open none until they are written again."""
	let_in_others(target, paths)
	named_films.doubt(paths)


def look_again() -> None:
	"""Have it looked at next who may see which film. In the caller's transaction."""
	publish_state.raise_generations([scopes.FILMS])
