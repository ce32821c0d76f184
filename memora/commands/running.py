"""How every command runs: on one site, with one form of answer, and with exit codes that scripts can trust."""

from __future__ import annotations

import html
import json
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from importlib import import_module
from typing import Any

import click

from memora.commands.answer import COULD_NOT_RUN, FINE, FOUND, Answer, CannotRun, Progress
from memora.services.cdn_export.model.plain_text import read, read_all

INTERRUPTED = (
	"Interrupted. What is published is whole; what was begun or still waits is taken up by the next batch."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")


def action(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
	"""Make a click command's function run `actions.{name}`, or `name` in the module that it names, with its options, and say
	what that answers."""

	def decorate(described: Callable[..., None]) -> Callable[..., None]:
		@json_option
		@click.pass_context
		@wraps(described)
		def run(context: click.Context, /, as_json: bool, **options: Any) -> None:
			of_group = context.parent.params.get("as_json") if context.parent else False
			context.exit(_run(name, _site_of(context), bool(as_json or of_group), options))

		return run

	return decorate


@contextmanager
def connected(site: str) -> Iterator[None]:
	"""A connection to a site on which memora is installed. Raises CannotRun when there is none."""
	import frappe

	from memora.services.cdn_export.state import database

	try:
		frappe.init(site=site)
		frappe.connect()
		installed = frappe.get_installed_apps()  # the first that asks the database, unless the cache knows
	except frappe.exceptions.IncorrectSitePath as error:
		raise CannotRun(f"There is no site {site} on this bench.") from error
	except database.SERVER_ERRORS as error:
		raise CannotRun(f"The database of {site} does not answer: {error}") from error
	try:
		if "memora" not in installed:
			raise CannotRun(f"memora is not installed on {site}: bench --site {site} install-app memora")
		yield
	finally:
		frappe.destroy()


def _site_of(context: click.Context) -> str:
	from memora.frappe_versions import sites_of

	sites = sites_of(context.obj)
	if len(sites) != 1:
		raise CannotRun("Name one site: bench --site SITE memora …")
	return str(sites[0])


def _run(name: str, site: str, as_json: bool, options: dict[str, Any]) -> int:
	"""Run an action and print its answer. Returns the exit code; never raises but for what click shows."""
	previous = signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that leases are given back
	try:
		with connected(site):
			answer = _answer(name, as_json, options)
			lines = [read(line) for line in answer.lines]
			if as_json:  # while the site is there, whose zone its times are in
				data = read_all(answer.data)
				lines = [json.dumps(data, ensure_ascii=False, indent=1, default=_as_json)]
	except KeyboardInterrupt:
		return _refuse(INTERRUPTED, as_json)
	except click.ClickException as error:
		if _was_interrupted(error):
			return _refuse(INTERRUPTED, as_json)
		if not as_json or isinstance(error, click.UsageError):
			error.exit_code = COULD_NOT_RUN
			raise
		return _refuse(error.format_message(), as_json)
	finally:
		signal.signal(signal.SIGTERM, previous)
	for line in lines:
		click.echo(line)
	return FOUND if answer.found else FINE


def _answer(name: str, as_json: bool, options: dict[str, Any]) -> Answer:
	import frappe
	import redis

	from memora.exceptions import MemoraError
	from memora.services.cdn_export.state import database

	try:
		module, _, function = name.rpartition(".")
		actions = import_module(f"memora.commands.{module or 'actions'}")
		return getattr(actions, function)(Progress(shown=not as_json), **options)
	except click.ClickException:
		raise
	except frappe.ValidationError as error:  # its message is HTML, for the Desk
		raise CannotRun(read(html.unescape(frappe.utils.strip_html(str(error))))) from error
	except MemoraError as error:
		raise CannotRun(read(str(error))) from error
	except (*database.SERVER_ERRORS, redis.RedisError) as error:
		if database.errno(error) in database.OTHER_SCHEMA:
			raise CannotRun(
				f"The site's tables are not those of this release ({error}): "
				f"bench --site {frappe.local.site} migrate"
			) from error
		raise CannotRun(f"MariaDB or Redis does not answer: {error}") from error
	except Exception as error:  # Python's own exit code for it would mean "found something"
		traceback.print_exc()
		raise CannotRun(f"This is a fault in memora: {type(error).__name__}: {error}") from error


def _as_json(value: Any) -> str:
	from memora.services.cdn_export.builds.event_log import in_zone

	return in_zone(value).isoformat() if isinstance(value, datetime) else str(value)


def _was_interrupted(error: BaseException) -> bool:
	"""Whether this came of cleaning up after an interruption: amid a statement that costs the connection."""
	cause: BaseException | None = error
	while cause and not isinstance(cause, KeyboardInterrupt):
		cause = cause.__context__
	return cause is not None


def _refuse(message: str, as_json: bool) -> int:
	if as_json:
		click.echo(json.dumps({"error": message}, ensure_ascii=False))
	click.secho(message, err=True, fg="yellow")
	return COULD_NOT_RUN
