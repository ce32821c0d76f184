"""Scopes: what is published as one, by one builder at a time. A plan, a shared subject, the list of plans, who may
see which film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from memora.services.cdn_export.model import paths

ScopeType = Literal["plan", "subject", "index", "media", "films", "removal"]


@dataclass(frozen=True, slots=True)
class Scope:
	"""One owner of published files, or what it still has to remove. `ref` is the document's name, "" for the index, the
	media and the films; of a removal it is the label of the scope whose files the storage refuses to remove."""

	type: ScopeType
	ref: str = ""

	@property
	def id(self) -> str:
		"""The key of its state row, its lock and its files in the ledger: short and plain for any name.

		MariaDB does not tell "a" from "A", and a document can be renamed from one to the other.
		"""
		if not self.ref:
			return self.type
		if self.type == "removal":
			return f"removal:{self.owner.id}"
		segment = paths.segment(self.ref)
		return f"{self.type}:{segment if segment == segment.lower() else paths.digested(self.ref)}"

	@property
	def label(self) -> str:
		"""How dead letters and locks call it: a plan by its name alone, a subject as `subject:{name}`.

		A plan whose name reads like another scope's label is `plan:{name}`. `of_label` is the way back.
		"""
		if self.type == "plan" and self.ref.partition(":")[0] not in get_args(ScopeType):
			return self.ref
		return f"{self.type}:{self.ref}" if self.ref else self.type

	@property
	def owner(self) -> Scope:
		"""The scope that owns the files: of a removal the one it is named after, else this one."""
		return of_label(self.ref) if self.type == "removal" else self


INDEX = Scope("index")
MEDIA = Scope("media")
FILMS = Scope("films")
"""Who may see which film, for the gate."""


def plan(name: str) -> Scope:
	"""The scope of everything under `plans/{name}/`."""
	return Scope("plan", name)


def subject(name: str) -> Scope:
	"""The scope of a subject's shared units and lessons."""
	return Scope("subject", name)


def removal(scope: Scope) -> Scope:
	"""What the storage refuses to remove of a scope."""
	return Scope("removal", scope.label)


def of_file(path: str, subject: str) -> str:
	"""The id of the scope that a file belongs to, by its path and its node's subject."""
	folder, _, below = path.partition("/")
	if folder == "plans" and "/" in below:
		segment = below.partition("/")[0]
		return f"plan:{segment if segment == segment.lower() else paths.digested(segment)}"
	if folder in ("units", "lessons"):
		return Scope("subject", subject).id
	return {"media": MEDIA, "access": FILMS}.get(folder, INDEX).id


def of_label(label: str) -> Scope:
	"""The scope that dead letters and locks call `label`."""
	for alone in (INDEX, MEDIA, FILMS):
		if label == alone.label:
			return alone
	kind, _, name = label.partition(":")
	if name and kind == "subject":
		return subject(name)
	if name and kind == "removal":
		return removal(of_label(name))
	return plan(name if name and kind == "plan" else label)
