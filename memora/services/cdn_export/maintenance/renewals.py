"""What live files need with time, or after an upgrade or a switch, though no one has edited them."""

from __future__ import annotations

from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import (
	edge_check,
	header_renewal,
	link_settings,
	metadata_renewal,
	signature_renewal,
)


def run(target: PublishTarget) -> None:
	"""Write again what is due. Raises what the storage raises, and `Ownership.claim`."""
	link_settings.follow()
	signature_renewal.run(target)
	metadata_renewal.run(target)
	header_renewal.run(target)


def after_purges(target: PublishTarget) -> None:
	"""Go on with what waits for purges, and ask the CDN whether it shows what is live. Never raises for what the CDN does."""
	header_renewal.advance(target)
	edge_check.run(target)
