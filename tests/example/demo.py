"""What dev/demo publishes, without Frappe: freeCodeCamp's curriculum in two plans, through the pure half."""

from __future__ import annotations

from pathlib import Path

from curriculum import mapping, package, school
from curriculum.pieces import Piece, TitlePath

from memora.services.cdn_export.model import tree
from memora.services.cdn_export.model.tree import KINDS, Node, Override
from tests.support import NOW, PlanContent, Shelf


def published(folder: Path) -> dict[str, bytes]:
	"""Every published file by its path. The package is kept below `folder`, fetched by npm where it is not."""
	whole = school.curriculum(mapping.subjects(package.read(package.fetch(folder))))
	names = {path: f"n{number}" for number, (path, _) in enumerate(whole.paths())}
	stages: dict[str, tuple[tree.Stage, ...]] = {}

	def node(piece: Piece, above: TitlePath) -> Node:
		path = (*above, piece.title)
		name = names[path]
		stages[name] = tuple(tree.Stage(stage.title, stage.type, stage.config) for stage in piece.stages)
		return Node(
			kind=KINDS[len(above)],
			name=name,
			title=piece.title,
			description=piece.description,
			sort_order=piece.sort_order,
			is_published=piece.is_published,
			stage_count=len(piece.stages),
			children=tuple(node(child, path) for child in piece.children),
			**piece.flags,  # type: ignore[arg-type]
		)

	roots = {piece.title: node(piece, ()) for piece in whole.subjects}
	plans = [
		PlanContent(
			tree.Plan(f"plan-{number}", plan.title, plan.season, plan.grade, plan.stream),
			[(roots[title], order) for order, title in enumerate(plan.subjects)],
			[
				Override(KINDS[len(one.path) - 1], names[one.path], one.action, one.value)
				for one in plan.overrides
			],
		)
		for number, plan in enumerate(whole.plans, start=1)
	]
	shelf = Shelf(stages=stages, with_schemas=True)
	shelf.publish(plans, NOW)
	return shelf.files
