"""What memora adds to `frappe.db`: rows written many at a time, and transactions that are run again."""

from __future__ import annotations

from datetime import datetime, timezone
from unittest.mock import patch

import frappe

from memora.services.cdn_export.model import scopes
from memora.services.cdn_export.state import bulk_rows, database, publish_state
from memora.tests.helpers.publishing import PublishingTestCase

_COLUMNS = ("name", "scope_type", "ref", "generation", "is_live", "next_retry_at", "last_error")


class TestUpsert(PublishingTestCase):
	def upsert(self, rows: list[tuple], **options: object) -> list[tuple]:
		database.upsert("CDN Publish State", _COLUMNS, rows, "generation = values(generation)", **options)
		return frappe.db.sql(
			f"select {', '.join(_COLUMNS)} from `tabCDN Publish State` where name like 'x%' order by name"
		)

	def test_what_comes_back_is_what_went_in_however_many_rows_there_are_and_whatever_they_share(
		self,
	) -> None:
		awkward = "it's 100 % “سؤال” \\ `q` %s 🚀 \n\t\x00\x1a \"','), null"
		separators = [f"a{separator}b" for separator in ("\x1d", "\x1e", "\x1f")]
		changed_by_frappe = "ifnull(x, 1) IFNULL(y)"
		for count in (1, 2, 40):
			for text in ("", awkward, "\x1d", *separators, changed_by_frappe, None):
				for moment in (None, datetime(2026, 1, 25, 4, 0, 0, 250)):
					with self.subTest(count=count, text=text, moment=moment):
						frappe.db.delete("CDN Publish State")
						rows = [(f"x{n:02}", "plan", text, 7, True, moment, text) for n in range(count)]
						self.assertEqual(list(self.upsert(rows[::-1])), rows)
						rows = [
							(f"x{n:02}", "plan", f"{text}{n}", n, False, moment, None) for n in range(count)
						]
						frappe.db.delete("CDN Publish State")
						self.assertEqual(list(self.upsert(rows)), rows)

	def test_what_all_rows_share_comes_back_as_it_went_in(self) -> None:
		rows = [(f"x{n:02}", "plan", "a", n, 0, None) for n in range(40)]
		for text in ("100 %", "ifnull(a, 100 %)", "a\x1fb", None):
			with self.subTest(text):
				frappe.db.delete("CDN Publish State")
				database.upsert(
					"CDN Publish State",
					_COLUMNS[:-1],
					rows,
					"generation = values(generation)",
					same={"last_error": text},
				)
				self.assertEqual(
					frappe.db.sql(
						"select distinct last_error from `tabCDN Publish State` where name like 'x%'"
					),
					((text,),),
				)

	def test_a_moment_is_written_without_its_zone_by_either_way(self) -> None:
		moment = datetime(2026, 1, 25, 4, tzinfo=timezone.utc)
		for text in ("one", "a\x1fb"):
			with self.subTest(text):
				frappe.db.delete("CDN Publish State")
				((*_, found, _),) = self.upsert([("x", "plan", text, 1, True, moment, text)])
				self.assertEqual(found, moment.replace(tzinfo=None))


class TestTexts(PublishingTestCase):
	def texts(self, titles: list[str]) -> tuple[list[list[str]], int]:
		"""How states come back that hold these texts, and by how many statements."""
		database.upsert(
			"CDN Publish State",
			_COLUMNS,
			[(f"x{n:02}", "plan", title, n, True, None, title) for n, title in enumerate(titles)],
			"generation = generation",
		)

		def statement(pack: bulk_rows.Pack) -> str:
			row = pack(("name", "generation", "last_error"))
			return f"select {row} from `tabCDN Publish State` where name like %s order by name"

		sql = frappe.db.sql
		with patch.object(frappe.db, "sql", side_effect=sql) as sent:
			return bulk_rows.texts(statement, ("x%",), 3), sent.call_count

	def test_all_rows_come_as_texts_in_one_statement(self) -> None:
		titles = ["", "a, b", 'it\'s "سؤال" 🚀 \\ %s', "two\nlines", "\x1e\x00"]
		rows = [[f"x{n:02}", str(n), title] for n, title in enumerate(titles)]
		self.assertEqual(self.texts(titles), (rows, 1))

	def test_and_in_two_where_one_holds_what_is_put_between_them(self) -> None:
		for titles in (["a", "b\x1fc"], ["\x1f"], ["\x1f\x1f\x1f", "d"]):
			with self.subTest(titles):
				frappe.db.delete("CDN Publish State")
				rows = [[f"x{n:02}", str(n), title] for n, title in enumerate(titles)]
				self.assertEqual(self.texts(titles), (rows, 2))


class TestTransaction(PublishingTestCase):
	def commits(self, **options: bool) -> int:
		"""How many commits it takes to write, after what the test has done."""
		commit = frappe.db.commit
		with patch.object(frappe.db, "commit", side_effect=commit) as committed:
			database.transaction(lambda: publish_state.raise_generations([scopes.INDEX]), **options)
		return committed.call_count

	def test_what_was_written_before_is_committed_and_what_was_only_read_need_not_be(self) -> None:
		frappe.db.commit()
		frappe.db.sql("select 1")
		self.assertEqual(self.commits(), 2)
		frappe.db.sql("select 1")
		self.assertEqual(self.commits(reads=False), 1)
		frappe.db.set_value("CDN Publish State", "index", "last_error", "kept")
		self.assertEqual(self.commits(reads=False), 2)
		self.assertEqual(frappe.db.get_value("CDN Publish State", "index", "last_error"), "kept")
