"""What an earlier build of this product got wrong, and that for each of it a test says so in its docstring.

Such a docstring begins with "earlier-defects, SECTION:" and goes on in the words below.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

DEFECTS: dict[str, tuple[str, ...]] = {
	"Frappe": (
		"a controller class whose name didn't match its DocType",
		"`bench migrate` deleted CDN Sync Log as orphaned",
		"Check fields are 0/1",
		"fields read that no DocType had",
		"imports that don't exist",
		"`frappe.logger.warning`",
		'`add_to_date(x, n, "minutes")`',
		"puts the text in the title",
		"a Link to ERPNext's Item without ERPNext",
		"the dashboard page came up blank",
		"deleting a published plan failed on the link from its sync logs",
		"two sites on the same Redis",
		"a `clear_cache` emptied the queue",
		"`sadd` prefixed and `scard` not, so the threshold never fired",
	),
	"Queue": (
		"plans popped from the set before the work was done",
		"a locked plan was dropped",
		"a batch that crashed lost every plan it had popped",
		"a batch that ran past the job's 300 s lost every plan",
		"queued before commit, a rolled-back save stayed queued",
		"plan and override edits queued nothing",
		"the fallback row was marked Processing, never built, and then blocked that plan for good",
		"nothing ever read `next_retry_at`",
		"the retry counter started at 0 on every run, so the dead letter was unreachable",
		"Retry reported success while nothing happened",
		"export disabled: the plan was popped and logged as Success with 0 files",
		"`error_message`, `files_uploaded` and `batch_interval_minutes` were never used",
		"a bare `except` around each step",
	),
	"Content": (
		"unpublished content exported in full",
		"lessons below a hidden track or topic still uploaded, as `authenticated`",
		"shared paths with plan-specific content: the last plan built won",
		"a paid subject's units and lessons said `authenticated`",
		"subject files embedded every stage, raw video URLs and answers included",
		"no order on siblings: the output came reversed",
		"no removal of files after a delete or a hide",
		"Rename and Set Sold Separately had no effect",
		"2 of 32 files were validated",
		"signed URLs were never renewed, and were of the old signature version",
	),
}


def _named() -> Iterator[tuple[str, str]]:
	"""Section and words of each docstring of a test that names a defect."""
	for folder in ("memora/tests", "tests"):
		for file in (REPO / folder).rglob("test_*.py"):
			for node in ast.walk(ast.parse(file.read_text())):
				if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
					continue
				text = " ".join((ast.get_docstring(node) or "").split())
				if text.startswith("earlier-defects, "):
					section, _, words = text.removeprefix("earlier-defects, ").partition(": ")
					yield section, words


NAMED = list(_named())


@pytest.mark.parametrize(
	("section", "defect"), [(section, defect) for section, all_of in DEFECTS.items() for defect in all_of]
)
def test_a_test_names_it(section: str, defect: str) -> None:
	assert [words for named, words in NAMED if named == section and defect in words]


@pytest.mark.parametrize(("section", "words"), sorted(set(NAMED)))
def test_a_test_names_nothing_else(section: str, words: str) -> None:
	assert any(defect in words for defect in DEFECTS.get(section, ()))
