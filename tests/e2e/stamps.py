"""The reader's own links carry their target's version too: a bench lets browsers keep /assets for a year.

`stamped` gives each of its files with `?v=` and a hash behind every file it names; dev/contract/make writes them.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from tests.npm import REPO

READER = REPO / "memora" / "public" / "reader"
_LINK = re.compile(r'"((?:\.{1,2}/|js/)?[\w-]+\.(?:js|css))(?:\?v=[0-9a-f]+)?"')


def stamped() -> dict[Path, str]:
	"""Every file that names others, as it should be."""
	return {
		file: _stamped(file)
		for file in [*sorted(READER.glob("*.html")), *sorted((READER / "js").glob("*.js"))]
	}


def write() -> None:
	for file, text in stamped().items():
		file.write_text(text, encoding="utf-8")
	_stamped.cache_clear()


@cache
def _stamped(file: Path) -> str:
	def link(found: re.Match[str]) -> str:
		target = (file.parent / found[1]).resolve()
		text = _stamped(target) if target.suffix == ".js" else target.read_text(encoding="utf-8")
		return f'"{found[1]}?v={sha256(text.encode()).hexdigest()[:8]}"'

	return _LINK.sub(link, file.read_text(encoding="utf-8"))
