"""Calls that Frappe takes otherwise than they look, found by reading the source: they fail only when they run."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "memora"


def wrong_calls(source: str) -> Iterator[str]:
	"""Each wrong call of `source`, with its line."""
	for node in ast.walk(ast.parse(source)):
		if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "frappe.logger":
			yield f"{node.lineno}: frappe.logger is a function, so frappe.logger().{node.attr}"
		if not isinstance(node, ast.Call):
			continue
		called = ast.unparse(node.func).removeprefix("frappe.utils.")
		if called == "add_to_date" and len(node.args) > 1:
			yield f"{node.lineno}: add_to_date takes what to add by keyword"
		if called == "frappe.log_error" and not _has_short_title(node):
			yield f"{node.lineno}: the title of frappe.log_error comes first, and holds 140 characters"


def _has_short_title(call: ast.Call) -> bool:
	titles = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "title")]
	return len(titles) == 1 and isinstance(titles[0], ast.Constant) and len(str(titles[0].value)) <= 140


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda path: str(path.relative_to(APP)))
@pytest.mark.earlier_defect(
	'`frappe.logger.warning`; `add_to_date(x, n, "minutes")`; `frappe.log_error(long text, '
	"title)` raised inside the error handler and took the whole batch with it"
)
def test_no_call_that_frappe_takes_otherwise(path: Path) -> None:
	assert list(wrong_calls(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
	"source",
	[
		"frappe.logger.warning('x')",
		"add_to_date(now, 5, 'minutes')",
		"frappe.utils.add_to_date(now, 5)",
		"frappe.log_error(traceback, 'title')",
		"frappe.log_error()",
		f"frappe.log_error('{'x' * 141}')",
	],
)
def test_each_is_found(source: str) -> None:
	assert list(wrong_calls(source))


def test_right_calls_pass() -> None:
	right = "frappe.logger().warning('x'); add_to_date(now, minutes=5); frappe.log_error('short', text); frappe.log_error(title='short')"
	assert list(wrong_calls(right)) == []
