"""What memora promises its readers: a JSON Schema (draft-07) per kind of file, and the check against it.

The schemas are beside this module, one file each, and are what a front-end developer reads; `common` holds
what they share. Every document is checked before anything of its build is uploaded; a stage's `config`, which has a
schema for each type, is not. They are published too,
under `schemas/`, with the version of the whole contract: docs/contract.md says what may change under which.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, get_args

import jsonschema_rs
import orjson

from memora.exceptions import ContractError
from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.diff import Diff
from memora.services.cdn_export.model.published_file import FileKind

if TYPE_CHECKING:
	import jsonschema

VERSION = "1.1"
"""The contract's: the first number is raised by what breaks a reader, the second by what only adds."""

KINDS: tuple[FileKind, ...] = tuple(
	kind for kind in get_args(FileKind) if kind not in ("schema", "gate_keys")
)
"""Kinds of documents that apps read. What the gate alone reads, `gate_keys`, is checked, and is not in the contract."""

STAGE_TYPES = ("Video", "Question", "Text", "Interactive")
STAGES: dict[str, str] = {type_: f"stage_{type_.lower()}" for type_ in STAGE_TYPES}
"""The schema of a stage's `config`, by the stage's type. No build checks by them: what editors entered before there was
such a schema stays published. `rules/stage_check` says what does not fit."""

NAMES: tuple[str, ...] = ("common", *KINDS, *STAGES.values())
"""All schemas, those that others refer to first."""

BASE = "https://memora.app/schemas/cdn/"

_LONGEST_REASON = 300


def validate(kind: FileKind, document: dict[str, Any], path: str) -> None:
	"""Raise ContractError unless the document, stamp included, is what its kind promises.

	The error names the file, the place in it as a JSON pointer, and the reason: of all that is wrong, what explains it best.
	"""
	if _validator(kind).is_valid(document):
		return
	# Loaded for documents that are refused: most processes see none.
	from jsonschema.exceptions import best_match

	error = best_match(_explainer(kind).iter_errors(document))
	if error is None:
		raise ContractError(f"{path} breaks its contract, and only the quicker of two validators says so.")
	place = "".join(f"/{_escaped(str(step))}" for step in error.absolute_path)
	reason = error.message
	if len(reason) > _LONGEST_REASON:
		reason = f"{reason[: _LONGEST_REASON // 2]} … {reason[-_LONGEST_REASON // 2 :]}"
	raise ContractError(f"{path} breaks its contract at {place or 'the top'}: {reason}")


def offer(diff: Diff) -> None:
	"""Offer the schemas and their index to a build, which uploads what has changed."""
	entries = [
		{"name": name, "url": diff.offer(paths.schema(name), "schema", "", schema(name)).url}
		for name in NAMES
	]
	index = {"contract_version": VERSION, "schemas": entries}
	diff.offer(paths.SCHEMA_INDEX, "schemas_index", "", index)


@cache
def schema(name: str) -> dict[str, Any]:
	"""The JSON Schema of a kind, or `common`."""
	loaded: dict[str, Any] = orjson.loads(files(__package__).joinpath(f"{name}.schema.json").read_bytes())
	return loaded


@cache
def _validator(kind: FileKind) -> jsonschema_rs.Draft7Validator:
	if kind == "schema":
		return jsonschema_rs.Draft7Validator({"$ref": "http://json-schema.org/draft-07/schema#"})
	return jsonschema_rs.Draft7Validator(schema(kind), retriever=_beside)


@cache
def _explainer(kind: FileKind) -> jsonschema.Draft7Validator:
	"""Slower by far, so it is asked only why a document was refused."""
	import jsonschema
	from referencing import Registry, Resource

	if kind == "schema":
		return jsonschema.Draft7Validator(jsonschema.Draft7Validator.META_SCHEMA)
	shipped = Registry().with_resources(
		(schema(name)["$id"], Resource.from_contents(schema(name))) for name in NAMES
	)
	return jsonschema.Draft7Validator(schema(kind), registry=shipped)


def _beside(uri: str) -> dict[str, Any]:
	"""A schema that another one refers to: always one that is shipped, never fetched."""
	return schema(uri.removeprefix(BASE).removesuffix(".schema.json"))


def _escaped(step: str) -> str:
	return step.replace("~", "~0").replace("/", "~1")
