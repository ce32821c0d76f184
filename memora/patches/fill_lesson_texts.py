"""Lessons that are there are found by their words."""

from memora.services.text_search import lesson_texts


def execute() -> None:
	lesson_texts.catch_up()
