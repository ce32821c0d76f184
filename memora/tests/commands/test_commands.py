"""`bench memora …`: what each command says, its JSON, and its exit codes. Most run in this process, through click;
the last class through bench itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import click
import frappe

from memora.commands import commands, memora
from memora.commands.running import COULD_NOT_RUN, FINE, FOUND
from memora.services.cdn_export.admin import pipeline_status, verification
from memora.services.cdn_export.builds import plan_build
from memora.services.cdn_export.model import paths, scopes
from memora.services.cdn_export.state import database, due, publish_state
from memora.tests.helpers import factories
from memora.tests.helpers.commands import CommandsTestCase
from memora.tests.helpers.processes import connected
from memora.tests.helpers.publishing import make_course

SUBPROCESS = (sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site")


class TestCommands(CommandsTestCase):
	def test_status_says_what_waits_and_what_is_live(self) -> None:
		before = self.says(FINE, "status")
		self.assertIn("export to Local Directory is enabled", before)
		self.assertRegex(before, r"waiting +0 plans, [1-9]\d* new changes, since ")
		self.assertRegex(before, r"live +0 plans, 0 files")

		self.publish()

		found = self.asked(FINE, "status")
		self.assertEqual((found["pending_count"], found["live_plans"], found["building"]), (0, 1, []))
		self.assertEqual(found["live_files"], len(self.all_paths()))
		self.assertIsNotNone(found["last_success_at"])

	def test_times_carry_the_zone_of_the_site(self) -> None:
		self.publish()
		zone = datetime.now(ZoneInfo(frappe.utils.get_system_timezone())).isoformat()[-6:]
		self.assertRegex(
			self.says(FINE, "status"), rf"last success +\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\{zone}\n"
		)
		for moment in (
			self.asked(FINE, "status")["last_success_at"],
			self.asked(FINE, "history")[0]["completed_at"],
		):
			self.assertEqual(str(datetime.fromisoformat(moment))[-6:], zone)

	def test_titles_stand_beside_ids(self) -> None:
		self.publish()
		frappe.db.set_value(publish_state.TABLE, scopes.plan(self.plan.name).id, "held", 1)
		named = f"“Grade 10” ({self.plan.name})"
		self.assertIn(f"{named}: for an admin to approve", self.says(FINE, "status"))
		self.kill(self.plan.name)
		self.assertIn(named, self.bench("dead-letters", "dismiss", self.plan.name).output)

	def test_the_overview_says_whole_sentences(self) -> None:
		for words in ((), ("dead-letters",)):
			said = " ".join(self.says(FINE, *words, "--help").split())
			self.assertNotIn("...", said.replace("[OPTIONS] COMMAND [ARGS]...", ""))
			group = memora.commands[words[0]] if words else memora
			for command in group.commands.values():
				self.assertIn(" ".join(command.help.partition("\n\n")[0].split()), said)

	def test_status_finds_what_has_waited_too_long(self) -> None:
		frappe.db.sql("update `tabCDN Change` set creation = creation - interval 11 minute")
		self.assertIn("TOO LONG", self.says(FOUND, "status"))
		self.configure(batch_interval_minutes=30)
		self.says(FINE, "status")
		self.configure(enabled=0, batch_interval_minutes=5)
		self.assertIn("DISABLED", self.says(FINE, "status"))

	def test_process_publishes_and_says_so(self) -> None:
		self.assertRegex(self.says(FINE, "process"), r"^\d builds done, 0 failed\n$")
		self.check()
		self.assertEqual(
			self.asked(FINE, "process"),
			{"published": 0, "failed": 0, "left": 0, "refused": "", "failures": []},
		)

	def test_process_names_what_it_could_not_publish(self) -> None:
		with patch("memora.services.cdn_export.rules.contracts.validate", side_effect=ValueError("odd")):
			found = self.asked(FOUND, "process")
		self.assertIn(self.plan.name, [failure["label"] for failure in found["failures"]])
		self.assertIn("odd", found["failures"][0]["error_message"])
		self.assertIn(f"“Grade 10” ({self.plan.name}), retry 1 at", self.says(FOUND, "status"))
		self.assertIn("odd", self.says(FOUND, "history", "--failed"))

	def test_process_with_export_disabled_cannot_run(self) -> None:
		self.configure(enabled=0)
		self.assertIn("Export is disabled", self.says(COULD_NOT_RUN, "process"))

	def test_rebuild_by_name_and_by_title_finds_what_hooks_cannot_see(self) -> None:
		self.publish()
		lesson = self.course["lessons"][0].name
		for title, plan in (("By name", self.plan.name), ("By title", "Grade 10")):
			frappe.db.sql("update `tabMemora Lesson` set title = %s where name = %s", (title, lesson))
			self.says(FINE, "rebuild", plan, "--now")
			self.assertEqual(self.read(paths.lesson(lesson))["title"], title)

	def test_rebuild_of_all_writes_nothing_when_nothing_differs(self) -> None:
		self.publish()
		with self.recorded() as steps:
			self.assertEqual(self.asked(FINE, "rebuild", "--all", "--now")["plans"], 1)
		self.assertEqual(steps, [])

	def test_rebuild_in_the_background_starts_a_batch(self) -> None:
		with patch("frappe.enqueue") as enqueue:
			self.assertIn("a batch starts now", self.says(FINE, "rebuild", self.plan.name))
		enqueue.assert_called_once()

	def test_rebuild_does_not_wait_for_the_next_retry(self) -> None:
		self.publish()
		frappe.db.set_value("Memora Track", self.course["track"].name, "is_sold_separately", 1)
		self.assertEqual(self.asked(FOUND, "rebuild", self.plan.name, "--now")["failed"], 1)
		failing = self.asked(FOUND, "status")["failing"]
		self.assertEqual([state["label"] for state in failing], [f"subject:{self.course['subject'].name}"])
		frappe.db.set_value("Memora Track", self.course["track"].name, "is_sold_separately", 0)
		for arguments in ((self.plan.name,), ("--all",)):
			self.assertEqual(self.asked(FINE, "rebuild", *arguments, "--now")["failures"], [])
		self.says(FINE, "status")

	def test_rebuild_wants_plans_that_exist_or_all(self) -> None:
		self.assertIn("There is no Academic Plan nope", self.says(COULD_NOT_RUN, "rebuild", "nope"))
		for arguments in ((), (self.plan.name, "--all")):
			self.assertIn("say --all", self.says(COULD_NOT_RUN, "rebuild", *arguments))

	def test_verify_finds_what_is_wrong(self) -> None:
		self.publish()
		self.assertIn("All is well.", self.says(FINE, "verify"))

		lost = paths.lesson(self.course["lessons"][0].name)
		(self.local_path / lost).unlink()
		(self.local_path / "units" / "stray.json").write_text("{}")

		found = self.asked(FOUND, "verify")
		self.assertIn(lost, [problem["path"] for problem in found["problems"]])
		self.assertEqual(found["unlinked"], ["units/stray.json"])
		self.assertIn("units/stray.json: nothing links to it", self.says(FOUND, "verify"))

	def test_repair_fixes_what_is_damaged(self) -> None:
		self.publish()
		self.assertIn("All is well.", self.says(FINE, "repair"))
		lost, altered = (paths.lesson(lesson.name) for lesson in self.course["lessons"][:2])
		body = self.read_bytes(altered)
		(self.local_path / lost).unlink()
		(self.local_path / altered).write_text("{}")

		found = self.says(FOUND, "repair", "--dry-run")
		self.assertIn(lost, found)
		self.assertIn(altered, found)
		self.assertIsNone(self.read_bytes(lost))

		queued = [finding["path"] for finding in self.asked(FINE, "repair")["queued"]]
		self.assertCountEqual(queued, [lost, altered])
		self.assertEqual(self.read_bytes(altered), body)
		self.says(FINE, "verify")

	def test_repair_rebuilds_a_lost_ledger(self) -> None:
		self.publish()
		before = self.contents()
		frappe.db.delete("CDN File")
		frappe.db.commit()
		self.assertGreater(self.asked(FINE, "repair", "--lost-ledger")["entered"], 0)
		self.says(FINE, "verify")
		self.assertEqual(self.paths(), set(before))

	def test_verify_where_there_is_nothing_to_publish(self) -> None:
		self.change(self.plan, is_published=0)
		self.assertEqual(self.says(FINE, "verify"), "Nothing has been published yet.\n")
		self.change(self.plan, is_published=1)
		self.assertIn("plans/index.json", self.says(FOUND, "verify"))

	def test_verify_looks_again_when_something_was_published_meanwhile(self) -> None:
		self.publish()
		path = self.local_path / paths.lesson(self.course["lessons"][0].name)
		body = path.read_bytes()
		path.unlink()
		states = iter([1, 2, 2, 2])  # as if a build had ended during the first look

		def state() -> int:
			if (now := next(states)) == 2:
				path.write_bytes(body)
			return now

		with patch.object(verification, "_publishing_state", state):
			self.assertTrue(verification.verify()["ok"])

	def test_files_in_their_grace_are_no_fault(self) -> None:
		rows = [factories.override(self.course["lessons"][0], "Rename", "Renamed")]
		own = factories.make_plan([self.course["subject"]], is_published=1, overrides=rows)
		self.publish()
		self.change(own, overrides=[])
		self.publish()
		found = self.asked(FINE, "verify")
		self.assertEqual(found["in_their_grace"], len(self.course["lessons"] + self.course["units"]))

	def test_dead_letters_are_listed_retried_and_dismissed(self) -> None:
		self.publish()
		self.assertIn("There are no dead letters.", self.says(FINE, "dead-letters"))
		subject = f"subject:{self.course['subject'].name}"
		for label in (self.plan.name, subject, "index"):
			self.kill(label)

		listed = self.says(FOUND, "dead-letters", "list")
		self.assertIn("no space left", listed)
		self.assertIn("Grade 10", listed)
		self.assertEqual(
			{letter["label"]: letter["title"] for letter in self.asked(FOUND, "dead-letters")},
			{self.plan.name: self.plan.title, subject: self.course["subject"].title, "index": ""},
		)
		self.says(FOUND, "status")

		dismissed = self.asked(FINE, "dead-letters", "dismiss", "index", "--yes")
		self.assertEqual(dismissed, {"dismissed": ["index"], "cleared": ["index"]})
		with patch("frappe.enqueue"):
			self.says(FINE, "dead-letters", "retry", subject)
			self.assertIn("1 dead letter put back", self.says(FINE, "dead-letters", "retry", "--all"))
		self.assertEqual(self.asked(FINE, "dead-letters"), [])
		self.says(FINE, "process")
		self.check()

	def test_dead_letters_answer_in_json_wherever_it_is_asked_for(self) -> None:
		self.publish()
		self.kill(self.plan.name)
		result = self.bench("dead-letters", "--json", "list")
		self.assertEqual([letter["label"] for letter in json.loads(result.output)], [self.plan.name])
		result = self.bench("dead-letters", "--json", "retry", "nothing")
		self.assertEqual(result.exit_code, COULD_NOT_RUN)
		self.assertIn("error", json.loads(result.output.splitlines()[0]))

	def test_dismissing_asks_first(self) -> None:
		self.publish()
		self.kill(self.plan.name)
		for answer in ("n\n", ""):
			result = self.bench("dead-letters", "dismiss", self.plan.name, answer=answer)
			self.assertEqual(result.exit_code, COULD_NOT_RUN, result.output)
		self.says(FOUND, "dead-letters")
		result = self.bench("dead-letters", "dismiss", self.plan.name, answer="y\n")
		self.assertEqual(result.exit_code, FINE, result.output)

	def test_what_is_not_dead_cannot_be_retried(self) -> None:
		for word in ("retry", "dismiss", "clear"):
			self.assertIn("say --all", self.says(COULD_NOT_RUN, "dead-letters", word))
		self.assertIn("not among the dead letters", self.says(COULD_NOT_RUN, "dead-letters", "retry", "x"))

	def test_history_shows_attempts(self) -> None:
		self.assertIn("Nothing has been published yet.", self.says(FINE, "history"))
		self.publish()
		self.assertRegex(self.says(FINE, "history"), r"“Grade 10” \(\w+\) +Success +\d+")
		found = self.asked(FINE, "history", "--plan", "Grade 10")
		self.assertEqual([log["status"] for log in found], ["Success"])
		self.assertEqual(self.asked(FINE, "history", "--failed"), [])
		self.assertIn("No attempt at a plan has failed.", self.says(FINE, "history", "--failed"))

	def test_preview_says_what_would_change(self) -> None:
		self.assertIn("files added", self.says(FINE, "preview", "Grade 10"))
		self.course["track"].db_set({"required_item": "ALGEBRA"})
		self.publish()
		self.assertEqual(self.says(FINE, "preview", self.plan.name), "Nothing would change.\n")
		lesson = self.course["lessons"][0]
		lesson.db_set("is_free_preview", 1)
		frappe.db.commit()
		before = self.contents()
		found = self.says(FOUND, "preview", self.plan.name, "--paths")
		self.assertIn(f"MORE people may read “{lesson.title}” ({lesson.name}): paid → free_preview", found)
		self.assertIn(f"  {paths.lesson(lesson.name)}", found)
		self.assertEqual(self.contents(), before)

	def test_every_command_explains_itself(self) -> None:
		def visit(command: click.Command, words: list[str]) -> None:
			result = self.bench(*words, "--help")
			self.assertEqual(result.exit_code, 0)
			self.assertTrue(command.help, words)
			for parameter in command.params:
				if isinstance(parameter, click.Option):
					self.assertTrue(parameter.help, f"{words} {parameter.name}")
			for name, below in getattr(command, "commands", {}).items():
				visit(below, [*words, name])

		visit(memora, [])
		self.assertEqual(commands, [memora])

	def test_an_error_in_json_is_json_too(self) -> None:
		result = self.bench("rebuild", "Reading & Writing", "--json")
		self.assertEqual(result.exit_code, COULD_NOT_RUN)
		self.assertEqual(
			json.loads(result.output.splitlines()[0]),
			{"error": "There is no Academic Plan Reading & Writing."},
		)

	def test_a_site_of_another_release_is_told_to_migrate(self) -> None:
		error = frappe.db.OperationalError(1054, "Unknown column 'x' in 'SELECT'")
		with patch.object(pipeline_status, "status", side_effect=error):
			self.assertIn("migrate", self.says(COULD_NOT_RUN, "status"))

	def test_interrupted_it_gives_its_lease_back(self) -> None:
		with patch.object(plan_build, "run", side_effect=KeyboardInterrupt):
			self.assertIn("Interrupted.", self.says(COULD_NOT_RUN, "process"))
		self.says(FINE, "process")
		self.check()

	def terminate_at_a_statement(self, *arguments: Any) -> None:
		"""In place of a build: a statement that waits until this process has been told to end."""
		connection = frappe.db.sql("select connection_id()")[0][0]
		site = frappe.local.site

		def terminate() -> None:
			running = (
				"select 1 from information_schema.processlist where id = %s and info like 'select sleep%%'"
			)
			while not frappe.db.sql(running, connection):
				frappe.db.commit()
			signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

		threading.Thread(target=connected, args=(site, terminate), daemon=True).start()
		frappe.db.sql("select sleep(60)")

	def test_terminated_amid_a_statement_it_gives_its_lease_back(self) -> None:
		with patch.object(plan_build, "run", side_effect=self.terminate_at_a_statement):
			self.assertIn("Interrupted.", self.says(COULD_NOT_RUN, "process"))
		self.assertEqual(due.is_anything_leased(), False)
		self.says(FINE, "process")
		self.check()

	def test_terminated_while_nothing_answers_it_says_that_it_was_interrupted(self) -> None:
		with (
			patch.object(plan_build, "run", side_effect=KeyboardInterrupt),
			patch.object(database, "rollback", side_effect=database.SERVER_ERRORS[0](2006, "gone away")),
		):
			self.assertIn("Interrupted.", self.says(COULD_NOT_RUN, "process"))


class TestRealCommand(CommandsTestCase):
	"""Through bench, in a process of its own."""

	def run_bench(self, site: str, *arguments: str) -> subprocess.CompletedProcess[str]:
		frappe.db.commit()
		return subprocess.run(
			[*SUBPROCESS, site, "memora", *arguments],
			cwd=os.path.abspath(frappe.local.sites_path),
			capture_output=True,
			text=True,
			timeout=120,
		)

	def test_bench_finds_it_and_passes_its_exit_code_on(self) -> None:
		done = self.run_bench(frappe.local.site, "process", "--json")
		self.assertEqual((done.returncode, json.loads(done.stdout)["failed"]), (FINE, 0), done.stderr)
		self.check()
		frappe.db.rollback()
		self.kill(self.plan.name)
		self.assertEqual(self.run_bench(frappe.local.site, "status").returncode, FOUND)

	def test_an_unknown_site_is_told(self) -> None:
		done = self.run_bench("nowhere.localhost", "status")
		self.assertEqual(done.returncode, COULD_NOT_RUN)
		self.assertIn("There is no site nowhere.localhost", done.stderr)

	def test_a_database_that_does_not_answer_is_told(self) -> None:
		site = Path(frappe.local.sites_path, "down.localhost")
		self.addCleanup(shutil.rmtree, site)
		(site / "logs").mkdir(parents=True)
		config = {"db_name": "nothing", "db_password": "nothing", "db_host": "127.0.0.1", "db_port": 1}
		(site / "site_config.json").write_text(json.dumps(config))
		done = self.run_bench(site.name, "status", "--json")
		self.assertEqual(done.returncode, COULD_NOT_RUN, done.stderr)
		self.assertIn("The database of down.localhost does not answer", json.loads(done.stdout)["error"])

	def test_terminated_midway_it_leaves_all_whole(self) -> None:
		for number in range(6):
			course = make_course(units=3, lessons=6, title=f"Subject {number}")
			self.plan.append("subjects", {"subject": course["subject"].name})
		self.plan.save()
		frappe.db.commit()
		process = subprocess.Popen(
			[*SUBPROCESS, frappe.local.site, "memora", "process"],
			cwd=os.path.abspath(frappe.local.sites_path),
			stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT,
			text=True,
		)
		deadline = time.monotonic() + 60
		while not self.all_paths() and process.poll() is None and time.monotonic() < deadline:
			time.sleep(0.005)
		process.send_signal(signal.SIGTERM)
		said, _ = process.communicate(timeout=60)
		self.assertTrue(re.search(r"Interrupted\.|builds done", said), said)
		frappe.db.rollback()
		self.says(FINE, "process")
		self.check(leaving=())
