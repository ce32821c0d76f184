"""The Desk's own search finds content by title and description, where the site restricts no editor."""

from memora.services.course_outline import desk_search


def execute() -> None:
	desk_search.offer()
