"""What was deleted before is in the trash, what went together as one entry."""

from memora.services.course_outline import trash


def execute() -> None:
	trash.catch_up()
