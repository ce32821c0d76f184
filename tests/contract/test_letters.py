"""Editors' search and learners' search take the same letters for the same."""

from __future__ import annotations

import json
import random
import unicodedata
from pathlib import Path

from memora.services.text_search.rules import letters
from tests.npm import REPO, node

READER = REPO / "memora" / "public" / "reader" / "js" / "fold.js"
SCRIPTS = (
	(0x20, 0x7F), (0xA0, 0x24F), (0x300, 0x3FF), (0x400, 0x52F), (0x591, 0x5F4), (0x600, 0x6FF), (0x750, 0x77F),
	(0x8A0, 0x8FF), (0x900, 0x97F), (0xE00, 0xE4F), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x3040, 0x30FF),
	(0x3200, 0x32FF), (0x4E00, 0x4F00), (0xAC00, 0xAD00), (0xFB50, 0xFDFF), (0xFE00, 0xFEFC), (0xFF00, 0xFFEF),
)  # fmt: skip


def test_both_take_the_same_letters_for_one_and_find_the_same_words(tmp_path: Path) -> None:
	dice = random.Random(7)
	# Characters that this Python knows: another release of Unicode may know more.
	known = [chr(code) for first, last in SCRIPTS for code in range(first, last + 1)]
	known = [letter for letter in known if unicodedata.category(letter) != "Cn"]
	texts = known + ["".join(dice.choices(known, k=dice.randint(2, 12))) for _ in range(3_000)]
	(tmp_path / "fold.mjs").write_text(READER.read_text())
	(tmp_path / "texts.json").write_text(json.dumps(texts))
	(tmp_path / "run.mjs").write_text(
		"import { readFileSync } from 'fs'; import { fold, words } from './fold.mjs';"
		"const texts = JSON.parse(readFileSync('texts.json'));"
		"console.log(JSON.stringify(texts.map((text) => [fold(text), words(text)])));"
	)
	answered = json.loads(node("run.mjs", cwd=tmp_path))
	differing = [
		(text, here, list(there))
		for text, there in zip(texts, answered, strict=True)
		if (here := [letters.alike(text), letters.words(text)]) != there
	]
	assert differing == []
