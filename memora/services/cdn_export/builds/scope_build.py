"""The build of a scope of any kind."""

from __future__ import annotations

from memora.services.cdn_export.builds import film_build, index_build, plan_build, subject_build
from memora.services.cdn_export.builds.build import Build
from memora.services.cdn_export.model.counts import Counts

_BUILDS = {"plan": plan_build, "subject": subject_build, "index": index_build, "films": film_build}


def run(build: Build) -> Counts | None:
	"""Bring the scope's files up to date; None where the change is held. Raises what the builds raise."""
	return _BUILDS[build.state.scope_type].run(build)
