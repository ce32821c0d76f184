"""Every text can be translated, is translated into Arabic, and says the same with the same places to fill in."""

import re

from lib import translations

AGAIN = "run: python dev/lib/translations.py"


def test_the_template_lists_every_text() -> None:
	assert (translations.LOCALE / "main.pot").read_bytes() == translations.as_po(translations.catalog()), (
		AGAIN
	)


def test_arabic_is_complete_and_nothing_more() -> None:
	done = {
		(message.id, message.context): message.string for message in translations.translated() if message.id
	}
	wanted = {(message.id, message.context) for message in translations.catalog() if message.id}
	assert done.keys() == wanted, AGAIN
	assert [key for key, text in done.items() if not text] == []


def test_translations_fill_in_the_same() -> None:
	for message in translations.translated():
		if message.id:
			for pattern in (r"\{\d*\}", r"<[^>]+>"):
				assert sorted(re.findall(pattern, message.id)) == sorted(
					re.findall(pattern, message.string)
				), message.id


def test_version_15_reads_the_same() -> None:
	written = (translations.APP / "translations" / "ar.csv").read_text()
	assert written == translations.as_csv(translations.translated()), AGAIN


def test_texts_are_found_where_people_see_them() -> None:
	found = {(text, context) for text, context, _file in translations.texts()}
	for text in (
		"Live",
		"Publish Now",
		"Sold Separately",
		"Set Free",
		"Published Plans",
		"Watch it go live",
		"Files can be deleted.",
	):
		assert (text, "") in found
	assert ("Paid", "Access level") in found


def test_a_moment_keeps_the_preposition_that_frappe_gives_it() -> None:
	"""Frappe says «منذ 1 دقيقة» and «قبل 3 دقائق»: another one before that reads “since since a minute”."""
	moments = [
		message.string
		for message in translations.translated()
		if message.id and re.search(r"\b(since|from) \{0\}$", message.id)
	]
	assert len(moments) == 6
	assert [text for text in moments if re.search(r"(منذ|من|قبل) \{0\}", text)] == []


def test_one_of_something_is_not_called_as_many_are() -> None:
	"""“1 lessons now” is what the first plan's editor would read: a count stands behind a colon, or one has words of its own."""
	own = {
		"In {0} plans": "In one plan: {0}",
		"in {0} minutes": "in one minute",
		"in about {0} hours": "in about one hour",
	}
	found = {text for text, _context, _file in translations.texts()}
	many = re.compile(r"(?<!of )\{0\} (lessons|lines|plans|subjects|files|minutes|hours|days|changes)\b")
	assert {text for text in found if many.search(text)} == own.keys()
	assert set(own.values()) <= found
