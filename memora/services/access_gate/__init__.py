"""The gate: what keeps paid lessons and films private at the edge (docs/gate.md).

The gate itself is JavaScript and runs before the storage: `edge/`. Here is what memora itself needs of it in Python, and what it relies on:

- `rules/`: tokens, which paths are guarded, and which key signs; pure. `tests/contract/gate` has the rest of the rule, and holds both to
  one table of cases
- `keys`: the keys that sign tokens, made, rotated and revoked
- `minting`: tokens
- `owned_items`: the hook that says who owns what; `erpnext_sales`, one to name there; `lesson_items`, what one lesson asks for
"""
