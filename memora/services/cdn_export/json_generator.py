"""A resolved tree as documents: one function per file of spec, "Files", each readable beside its row there.

Documents come without `version` and `generated_at`, which depend on what is live and are added by `diff`.
Keys are in the spec's order. What is always there is written as a plain key; what is left out when empty
goes through `_unless_empty`, or `_listed`, which is called most. Nothing here decides who may see what: what is
hidden or unpublished is not in the tree any more, and a plan's titles are already applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from memora.services.cdn_export.model import paths
from memora.services.cdn_export.model.tree import Plan, ResolvedNode, Stage

Document = dict[str, Any]
Link = Callable[[str], str]
"""Turns a path into the URL that carries its target's version: `Diff.link`."""


# plans/index.json


def plan_index_document(entries: Iterable[Document]) -> Document:
	"""Every published plan, by title and then id in code point order; also when there is none."""
	return {"plans": sorted(entries, key=lambda entry: (entry["title"], entry["plan_id"]))}


def plan_index_entry(plan: Plan) -> Document:
	"""One plan's entry. Its URL carries no version: the index changes only when its own content does."""
	return {**_about(plan), "url": paths.manifest(plan.name)}


# plans/{plan}/manifest.json


def manifest_document(plan: Plan, entries: Iterable[Document], search_index_url: str) -> Document:
	"""A plan's entry point. `entries` come in row order and are sorted by the plan's own sort_order."""
	return {
		**_about(plan),
		"subjects": sorted(entries, key=lambda entry: entry["sort_order"]),
		"search_index_url": search_index_url,
	}


def subject_entry(subject: ResolvedNode, plan: str, link: Link, sort_order: int) -> Document:
	"""A subject in its plan's manifest; `sort_order` is the plan's own, not the subject's."""
	return {
		"id": subject.name,
		"title": subject.title,
		**_unless_empty(description=subject.description, color_code=subject.color_code, image=subject.image),
		"sort_order": sort_order,
		"url": link(paths.plan_subject(plan, subject.name)),
		"access": subject.access.as_json(),
	}


# plans/{plan}/subjects/{subject}.json


def subject_document(subject: ResolvedNode, link: Link, plan_of_units: str | None) -> Document:
	"""A subject down to its units: the shared ones, or the own ones of `plan_of_units`."""
	units = [unit for track in subject.children for unit in track.children]
	return {
		"id": subject.name,
		"title": subject.title,
		**_unless_empty(description=subject.description, color_code=subject.color_code, image=subject.image),
		"access": subject.access.as_json(),
		"tracks": [
			{
				**_listed(track),
				"access": track.access.as_json(),
				"units": [_unit_entry(unit, link, plan_of_units) for unit in track.children],
			}
			for track in subject.children
		],
		"stats": {
			"total_units": len(units),
			"total_topics": sum(len(unit.children) for unit in units),
			"total_lessons": sum(lesson_count(unit) for unit in units),
		},
	}


def _unit_entry(unit: ResolvedNode, link: Link, plan: str | None) -> Document:
	return {
		**_listed(unit),
		"url": link(paths.unit(unit.name, plan)),
		"access": unit.access.as_json(),
		"topic_count": len(unit.children),
		"lesson_count": lesson_count(unit),
	}


def lesson_count(unit: ResolvedNode) -> int:
	return sum(len(topic.children) for topic in unit.children)


# units/{unit}.json


def unit_document(
	unit: ResolvedNode, track: ResolvedNode, subject: ResolvedNode, link: Link, plan: str | None
) -> Document:
	"""A unit down to its lessons, shared or a plan's own."""
	return {
		**_listed(unit),
		"access": unit.access.as_json(),
		"parent": {
			"track_id": track.name,
			"track_title": track.title,
			"subject_id": subject.name,
			"subject_title": subject.title,
		},
		"topics": [
			{
				**_listed(topic),
				"access": topic.access.as_json(),
				"lessons": [_lesson_entry(lesson, link, plan) for lesson in topic.children],
			}
			for topic in unit.children
		],
		"stats": {"total_topics": len(unit.children), "total_lessons": lesson_count(unit)},
	}


def _lesson_entry(lesson: ResolvedNode, link: Link, plan: str | None) -> Document:
	return {
		**_listed(lesson),
		"url": link(paths.lesson(lesson.name, plan)),
		"access": lesson.access.as_json(),
		"stage_count": lesson.stage_count,
	}


# lessons/{lesson}.json


class LessonPlace(NamedTuple):
	"""A lesson with the nodes above it, and the neighbours that a learner goes to from it."""

	lesson: ResolvedNode
	topic: ResolvedNode
	unit: ResolvedNode
	track: ResolvedNode
	previous: ResolvedNode | None
	next: ResolvedNode | None


def lesson_places(subject: ResolvedNode) -> list[LessonPlace]:
	"""Every lesson of a subject in navigation order, which runs through the whole subject."""
	found = [
		(lesson, topic, unit, track)
		for track in subject.children
		for unit in track.children
		for topic in unit.children
		for lesson in topic.children
	]
	lessons = [None, *(lesson for lesson, *_ in found), None]
	return [
		LessonPlace(*place, previous, following)
		for place, previous, following in zip(found, lessons, lessons[2:], strict=False)
	]


def lesson_head(place: LessonPlace, subject: ResolvedNode, plan: str | None) -> Document:
	"""All of a lesson's document but its stages: its shape, which an edit of its body leaves as it is."""
	lesson, topic, unit, track = place.lesson, place.topic, place.unit, place.track
	navigation = {}
	if place.previous:
		navigation["previous_lesson"] = _neighbour(place.previous, plan)
	if place.next:
		navigation["next_lesson"] = _neighbour(place.next, plan)
	return {
		**_listed(lesson),
		"access": lesson.access.as_json(),
		"parent": {
			"topic_id": topic.name,
			"topic_title": topic.title,
			"unit_id": unit.name,
			"unit_title": unit.title,
			"track_id": track.name,
			"track_title": track.title,
			"subject_id": subject.name,
			"subject_title": subject.title,
		},
		"navigation": navigation,
	}


def _neighbour(lesson: ResolvedNode, plan: str | None) -> Document:
	"""The URL carries no version: neighbours would otherwise depend on each other in a circle."""
	return {"id": lesson.name, "title": lesson.title, "url": paths.lesson(lesson.name, plan)}


def lesson_document(head: Document, stages: Sequence[Stage]) -> Document:
	"""A lesson's head with its stages, numbered from 1."""
	document = dict(head)
	navigation = document.pop("navigation")
	document["stages"] = [
		{"idx": idx, "title": stage.title, "type": stage.type, "config": stage.config}
		for idx, stage in enumerate(stages, start=1)
	]
	document["navigation"] = navigation
	return document


def with_signed_videos(document: Document, sign: Callable[[str], str | None], until: str = "") -> Document:
	"""A lesson's document, stamp included, as it is uploaded: its videos signed, and until when (ISO 8601), if that ends.

	`sign` gives back a link's signed form, or None to leave it as it is. Signing comes last, just before the
	document is serialised: neither the content's hash nor the version knows of it, so that renewing a
	signature is no change. Without anything to sign the document itself comes back, and says no expiry.
	"""
	stages = list(document["stages"])
	is_signed = False
	for place, stage in enumerate(stages):
		if stage["type"] == "Video" and (config := _signed_config(stage["config"], sign)):
			stages[place] = {**stage, "config": config}
			is_signed = True
	if not is_signed:
		return document
	signed = {}
	for key, value in document.items():
		signed[key] = value
		if until and key == "generated_at":
			signed["signed_url_expiry"] = until
	signed["stages"] = stages
	return signed


def _signed_config(config: Document, sign: Callable[[str], str | None]) -> Document | None:
	"""A video's config with its link signed; None where there is nothing to sign."""
	link = config.get("video_url")
	if not isinstance(link, str) or not (signed := sign(link)):
		return None
	return {**config, "video_url": signed}


# what several of them share


def _about(plan: Plan) -> Document:
	return {
		"plan_id": plan.name,
		"title": plan.title,
		**_unless_empty(season=plan.season, grade=plan.grade, stream=plan.stream),
	}


def _listed(node: ResolvedNode) -> Document:
	"""How a track, unit, topic or lesson begins, in a file of its own as in an entry."""
	document: Document = {"id": node.name, "title": node.title}
	if node.description:
		document["description"] = node.description
	if node.image:
		document["image"] = node.image
	if node.badge_image:
		document["badge_image"] = node.badge_image
	document["sort_order"] = node.sort_order
	return document


def _unless_empty(**texts: str) -> dict[str, str]:
	return {key: text for key, text in texts.items() if text}
