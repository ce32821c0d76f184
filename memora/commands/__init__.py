"""`bench --site SITE memora …`: the operator's door to the pipeline.

Frappe imports this module for every bench command there is, so it imports nothing but click; what the commands
do is in `actions`, which is imported when one of them runs. It is also the one place of memora that `bench serve` passes
before it serves anything.
"""

from __future__ import annotations

import copy
import sys

import click

from memora.commands.running import action, json_option

if "serve" in sys.argv:
	from memora import development_server

	development_server.install()

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

LABEL_HELP = (
	"LABEL is what `dead-letters list` shows: a plan's ID (after `plan:` where it reads like another label), `subject:`"
	" and a subject's ID, `index`, or `removal:` and one of these where files cannot be removed from the CDN."
)


@click.group("memora", context_settings=CONTEXT)
def memora() -> None:
	"""Publishing of the curriculum to the CDN: see what waits and what failed, publish, check, repair.

	Each command takes --json for scripts and ends with 0 when all is well, with 1 when it found something
	that needs a look, and with 2 when it could not run. Each may be interrupted at any time (Ctrl-C): what is
	published stays whole, and what was begun is taken up by the next batch.
	"""


@memora.command("status")
@action("status")
def status() -> None:
	"""What waits and since when, what is being built, what failed, what is live.

	Ends with 1 when there are dead letters, when a build failed and will be tried again, or when something has
	waited longer than it should although export is enabled.
	"""


@memora.command("process")
@action("process")
def process() -> None:
	"""Publish what waits, in this process, and return when nothing waits any more.

	Does what the scheduler's batch does, without workers. Ends with 1 when a plan or subject could not be
	published; it is tried again after 2, 4 and 8 minutes, as after any batch.
	"""


@memora.command("rebuild")
@click.argument("plans", nargs=-1, metavar="[PLAN]...")
@click.option("--all", "everything", is_flag=True, help="Every plan and every subject.")
@click.option("--now", is_flag=True, help="Publish in this process, as `process` does, and wait for it.")
@action("rebuild")
def rebuild() -> None:
	"""Read plans and all their subjects again, and publish what differs from the live files.

	PLAN is a plan's ID or its title. Files whose content is the same are not uploaded again. Without --now a
	batch is started in the background.
	"""


@memora.command("verify")
@action("verify")
def verify() -> None:
	"""Read everything that is published, as a learner's app does, and say what is wrong.

	Follows every link from plans/index.json down: that it resolves, that versions, access and search fit, that
	each document is valid, and that there is no file to which nothing links. Reads only. Ends with 1 when
	anything is wrong.
	"""


@memora.command("repair")
@click.option("--dry-run", is_flag=True, help="Only say what differs; ends with 1 for anything.")
@click.option(
	"--lost-ledger", is_flag=True, help="First enter files that the ledger does not know, all of them."
)
@action("repair")
def repair() -> None:
	"""Compare the ledger with the storage and the content, and repair what differs.

	A file that is missing, altered or has the wrong type, cache time or metadata is uploaded again. A file that nothing
	needs is removed. A file that is not memora's is only reported. Ends with 1 when something is left for people.
	"""


@memora.command("take-over")
@click.option("--yes", is_flag=True, help="Do not ask.")
@action("take_over")
def take_over() -> None:
	"""Make the bucket or folder this site's although its mark, or its files, say otherwise.

	Everything is published there again, then audited. Another site's files are left there, but its list of plans is
	replaced. Ends with 2 when the place is this site's already.
	"""


@memora.group("dead-letters", invoke_without_command=True)
@json_option
@click.pass_context
def dead_letters(context: click.Context, as_json: bool) -> None:
	"""What is out of retries: list it, put it back, or dismiss it. Lists without a further word."""
	if context.invoked_subcommand is None:
		context.invoke(list_dead_letters, as_json=as_json)


@dead_letters.command("list")
@action("list_dead_letters")
def list_dead_letters() -> None:
	"""What could not be published after all retries, with its cause. Ends with 1 when there is any."""


@dead_letters.command("retry", epilog=LABEL_HELP)
@click.argument("labels", nargs=-1, metavar="[LABEL]...")
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@action("retry_dead_letters")
def retry_dead_letters() -> None:
	"""Put dead letters back, with all their retries, and start a batch."""


@dead_letters.command("dismiss", epilog=LABEL_HELP)
@click.argument("labels", nargs=-1, metavar="[LABEL]...")
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@action("dismiss_dead_letters")
def dismiss_dead_letters() -> None:
	"""Take dead letters off the list: what is live stays as it is until its content changes again.

	A removal goes on being tried every hour, and `status` tells of its files until they are gone.
	"""


_former = copy.copy(dismiss_dead_letters)  # what the command was called until 0.2; goes with 0.4
_former.hidden = True
dead_letters.add_command(_former, "clear")


@memora.group("gate-keys", invoke_without_command=True)
@json_option
@click.pass_context
def gate_keys(context: click.Context, as_json: bool) -> None:
	"""The keys that sign learners' tokens for the gate: list, rotate, accept, revoke. Lists without a further word."""
	if context.invoked_subcommand is None:
		context.invoke(list_gate_keys, as_json=as_json)


@gate_keys.command("list")
@action("gate_actions.list_gate_keys")
def list_gate_keys() -> None:
	"""Each key, what it does, and since when. Ends with 1 when none signs, or when a revoked one is still published."""


@gate_keys.command("rotate")
@action("gate_actions.rotate_gate_keys")
def rotate_gate_keys() -> None:
	"""Make the next key, the first one too, and start a batch, which publishes it.

	It signs 90 seconds after that. The key before signs until then, and stays published until its last token has expired;
	then it leaves by itself.
	"""


@gate_keys.command("accept")
@click.argument("kid", metavar="NAME")
@click.argument("public_key", metavar="[FILE]", type=click.File(), default="-")
@action("gate_actions.accept_gate_key")
def accept_gate_key() -> None:
	"""Have the gate accept the tokens of an app that signs them with a key of its own, and start a batch, which publishes that.

	NAME is the kid in the app's tokens. FILE, or what is typed in, is the public key as PEM (Ed25519).
	"""


@gate_keys.command("revoke")
@click.argument("kid", metavar="KEY")
@click.option("--yes", is_flag=True, help="Do not ask.")
@action("gate_actions.revoke_gate_key")
def revoke_gate_key() -> None:
	"""Take a key back that others may know, and start a batch, which publishes that.

	The gate refuses all that it has signed within a minute after. If no other key signs here, a new one is made.
	"""


@memora.command("gate-config")
@click.option("--for", "runtime", type=click.Choice(["worker", "node"]), help="A Cloudflare Worker, or Node.")
@click.option(
	"--origin", "origins", multiple=True, help="A page that may read, https://app.example.com; else all may."
)
@click.option(
	"--to", "folder", default="", metavar="FOLDER", help="Write the file there instead of showing it."
)
@action("gate_actions.gate_config")
def gate_config() -> None:
	"""What a gate is set up with: wrangler.toml for a Cloudflare Worker, gate.json for Node; and each step after that.

	By CDN Settings as saved: for a Worker where files go to R2, else for Node. Nothing secret is in it. A file that is
	there already is not replaced.
	"""


@memora.command("history")
@click.option("--plan", default="", help="Only this plan, by ID or title.")
@click.option("--failed", is_flag=True, help="Only failed attempts and dead letters; ends with 1 for any.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200), help="How many.")
@action("history")
def history() -> None:
	"""The latest attempts to publish a plan, newest first. What failed of a subject is in `status`."""


@memora.command("preview")
@click.argument("plan")
@click.option("--paths", is_flag=True, help="Name every file, not only how many.")
@action("preview")
def preview() -> None:
	"""What a plan's next run would change: who may read what, and which files. Changes nothing.

	PLAN is a plan's ID or its title. Ends with 1 when the run is a large one: it would take many lessons away, or
	make paid content free or public; CDN Settings can have that wait for an admin.
	"""


@memora.command("doctor")
@click.option(
	"--no-storage", is_flag=True, help="Ask the storage nothing: the connection test writes two small files."
)
@click.option("--strict", is_flag=True, help="End with 1 for warnings too.")
@action("doctor")
def doctor() -> None:
	"""Say what is wrong with this site, within a minute, and how to fix it.

	Looks at versions, tables, both Redis, workers and queues, the scheduler and its rows, settings, the storage and
	the CDN, clocks, disks, and at what is stuck. Ends with 1 when something keeps publishing from working.
	"""


def _say_all(group: click.Group) -> None:
	"""Let a group's help show the first paragraph of each command whole; click cuts it off to a line."""
	for command in group.commands.values():
		command.short_help = " ".join((command.help or "").partition("\n\n")[0].split())
		if isinstance(command, click.Group):
			_say_all(command)


_say_all(memora)

commands = [memora]
"""Where Frappe looks for them."""
