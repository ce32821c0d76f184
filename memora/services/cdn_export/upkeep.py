"""Where `maintenance.daily` was until 0.1: a job that was queued, or a Scheduled Job Type before the upgrade's migration, still
names it. Goes with 0.3."""

from memora.services.cdn_export.maintenance.daily import daily, run

__all__ = ["daily", "run"]
