"""Where `outbox.reconciliation` was until 0.1: a Scheduled Job Type still names it before the upgrade's migration. Goes with 0.3."""

from memora.services.cdn_export.outbox.reconciliation import daily, hourly

__all__ = ["daily", "hourly"]
