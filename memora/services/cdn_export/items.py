"""Where `curriculum.items` was until 0.1: Frappe keeps hooks in its cache, so whoever saves an Item before the upgrade's
migration still calls these. Goes with 0.3."""

from memora.services.cdn_export.curriculum.items import after_rename, on_change, on_trash

__all__ = ["after_rename", "on_change", "on_trash"]
