"""Give the engine its name back.

`criscostack` on PyPI is Frappe 15.0-dev with its name searched and replaced. This undoes it:
derename.py INSTALLED_PACKAGE BENCH/apps/frappe writes BENCH/apps/frappe/frappe.
"""

import sys
from pathlib import Path

# In this order: the longer names first, what is left of them last.
NAMES = [
	("criscostack", "frappe"),
	("CRISCOSTACK", "FRAPPE"),
	("Criscostack", "Frappe"),
	("Criscoerp", "ERPNext"),
	("criscoerp", "erpnext"),
	("Crisco", "Frappe"),
	("brik_helper", "bench_helper"),
]
TEXT = {f".{ext}" for ext in "py js json html css scss vue txt md sql xml svg csv po less ts".split()}


def undo(text: str) -> str:
	for theirs, frappes in NAMES:
		text = text.replace(theirs, frappes)
	return text


def main(package: Path, app: Path) -> None:
	for source in package.rglob("*"):
		if source.is_dir() or "__pycache__" in source.parts:
			continue
		target = app / "frappe" / undo(str(source.relative_to(package)))
		target.parent.mkdir(parents=True, exist_ok=True)
		data = source.read_bytes()
		if source.suffix in TEXT:
			# surrogateescape: a few files are not UTF-8 and must come out as they went in
			data = undo(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
		target.write_bytes(data)


if __name__ == "__main__":
	main(Path(sys.argv[1]), Path(sys.argv[2]))
