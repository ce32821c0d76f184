"""What every endpoint does first: ask for its caller's role, then look at what it was given.

Arguments come from a request: anything may be missing, null, a list, or a text of a megabyte. Whatever does not fit the
function's annotations is refused by a sentence that names the argument (a ValidationError, HTTP 417), as any other mistake.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

import frappe
import orjson
import redis
from frappe import _
from frappe.rate_limiter import rate_limit
from frappe.utils import escape_html
from werkzeug.wrappers import Response

from memora.exceptions import MemoraError
from memora.services.cdn_export.model.plain_text import as_html

T = TypeVar("T")

WOULD_FAIL = 417
"""What Frappe answers with a ValidationError."""

LONGEST_TEXT = 10_000
"""Characters of a text: many times a name, a title or what anyone searches for."""

_LARGEST = 2**31 - 1


def endpoint(roles: Sequence[str], *methods: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	"""`frappe.whitelist` for these roles; GET and POST unless methods are named.

	An argument is a `str` (a number counts as one), an `int`, a `bool`, a `dict`, a `list[str]`, or what may be a
	`dict` or a list, each also as JSON; with a default it may be left out, or null where `None` is among its types.
	"""

	def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
		checked = _checked(function, lambda: frappe.only_for(roles))
		return frappe.whitelist(methods=list(methods or ("GET", "POST")))(checked)

	return decorate


def guest_endpoint(limit: int, seconds: int = 60) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	"""`frappe.whitelist` for everybody, GET alone: `limit` calls from one address in so many seconds, by whatever path.

	Arguments are as those of an `endpoint`. They are not escaped: the answer must be no HTML.
	"""

	def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
		command = f"{function.__module__}.{function.__name__}"
		counted = rate_limit(limit=limit, seconds=seconds)(lambda: None)

		def count() -> None:
			if not getattr(frappe.local, "request", None):
				return
			frappe.form_dict.cmd = command  # Frappe counts by it, and some paths let a caller name another
			try:
				counted()
			except frappe.ValidationError as error:  # in early v15 any of them, and all answer 417
				raise frappe.TooManyRequestsError(*error.args) from None

		return frappe.whitelist(allow_guest=True, xss_safe=True, methods=["GET"])(_checked(function, count))

	return decorate


def member_endpoint(limit: int, seconds: int = 60) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	"""`frappe.whitelist` for whoever is signed in, POST alone: `limit` calls of a user in so many seconds, wherever from.

	Arguments are as those of an `endpoint`.
	"""

	def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
		command = f"{function.__module__}.{function.__name__}"

		def allowed() -> None:
			user = frappe.session.user
			if user == "Guest":
				raise frappe.PermissionError(_("Sign in first."))
			if _calls(f"rl:{command}:{user}", seconds) > limit:
				raise frappe.TooManyRequestsError(_("That was asked too often. Try again in a minute."))

		return frappe.whitelist(methods=["POST"])(_checked(function, allowed))

	return decorate


def _calls(name: str, seconds: int) -> int:
	"""How often this was counted within so many seconds, this time too; once where Redis does not answer."""
	key = frappe.cache.make_key(name)
	try:
		with (
			frappe.cache.pipeline() as both
		):  # in one: a count that ended in between would begin again without an end
			both.set(key, 0, nx=True, ex=seconds)
			both.incrby(key, 1)
			return int(both.execute()[1])
	except redis.RedisError:
		return 1


def _checked(function: Callable[..., Any], allowed: Callable[[], None]) -> Callable[..., Any]:
	"""The function after what allows its call, with arguments that fit it."""
	signature = inspect.signature(function)

	def checked(*given: Any, **named: Any) -> Any:
		allowed()
		named = {name: value for name, value in named.items() if name in signature.parameters}
		try:
			bound = signature.bind(*given, **named)
		except TypeError as error:
			_refuse(str(error))
		kinds = get_type_hints(function)
		for name, value in bound.arguments.items():
			bound.arguments[name] = _fitting(name, value, kinds[name])
		return function(*bound.args, **bound.kwargs)

	answer: Any = checked
	checked.__name__, checked.__qualname__ = function.__name__, function.__qualname__
	checked.__module__, checked.__doc__ = function.__module__, function.__doc__
	answer.answers_as_typed = getattr(function, "answers_as_typed", False)  # a test looks for it
	# As texts, by which Frappe neither changes nor refuses an argument before; it asks that there is one for each.
	checked.__annotations__ = {name: str(asked.annotation) for name, asked in signature.parameters.items()}
	answer.__signature__ = signature  # for those who ask; Frappe passes all that came
	return checked


def told(work: Callable[[], T]) -> T:
	"""The result of `work`; what memora itself says went wrong is shown to the caller as it is."""
	try:
		return work()
	except MemoraError as error:
		frappe.throw(as_html(str(error)), title=_("This Would Fail"))
		raise  # never reached, which type checkers cannot know


def json_answer(
	content: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
	"""An answer that is this JSON as it is, without Frappe's `message`, and that nothing may keep."""
	headers = {"Cache-Control": "no-store", **(headers or {})}
	return Response(orjson.dumps(content), status, headers, content_type="application/json; charset=utf-8")


def _fitting(name: str, value: Any, kind: Any) -> Any:
	"""The value as the function takes it."""
	kinds = str(kind)
	if value is None and "None" in kinds:
		return None
	if "dict" in kinds or "list" in kinds:
		return _structure(name, value, tuple(each for each in (dict, list) if each.__name__ in kinds))
	if "bool" in kinds:
		return _truth(name, value)
	if "int" in kinds:
		return _number(name, value)
	return _text(name, value)


def _text(name: str, value: Any) -> str:
	if isinstance(value, bool) or not isinstance(value, str | int | float):
		_refuse(_("{0} must be a text.").format(name))
	text = str(value)
	if len(text) > LONGEST_TEXT:
		_refuse(_("{0} is too long: {1} characters are allowed.").format(name, LONGEST_TEXT))
	if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
		_refuse(_("{0} holds half a character.").format(name))
	return text


def _number(name: str, value: Any) -> int:
	try:
		if isinstance(value, bool) or not isinstance(value, str | int | float):
			raise ValueError
		number = int(value)
	except (ValueError, OverflowError):  # also more digits than Python reads, NaN and Infinity
		_refuse(_("{0} must be a whole number.").format(name))
	return max(-_LARGEST, min(number, _LARGEST))


def _truth(name: str, value: Any) -> bool:
	text = str(value).lower()
	if text not in ("0", "1", "false", "true"):
		_refuse(_("{0} must be true or false.").format(name))
	return text in ("1", "true")


def _structure(name: str, value: Any, kinds: tuple[type, ...]) -> Any:
	if isinstance(value, str):
		try:
			value = json.loads(value or "null")
		except (ValueError, RecursionError):
			_refuse(_("{0} must be JSON.").format(name))
	if value is None:
		value = kinds[0]()
	if not isinstance(value, kinds):
		if len(kinds) > 1:
			_refuse(_("{0} must be an object or a list.").format(name))
		_refuse(
			_("{0} must be an object.").format(name)
			if dict in kinds
			else _("{0} must be a list.").format(name)
		)
	return [_text(name, each) for each in value] if kinds == (list,) else value


def _refuse(message: str) -> None:
	frappe.throw(escape_html(message), title=_("Wrong Argument"))
