"""The gate: what keeps paid lessons and films private at the edge (docs/gate.md).

The gate itself is JavaScript and runs before the storage: `edge/`. Here is the same rule in Python:

- `rules/`: tokens, which paths are guarded, who may read; pure. `tests/contract/gate` holds both to one table of cases
"""
