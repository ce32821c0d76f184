"""What live files need with time, or after an upgrade or a switch, though no one has edited them."""

from __future__ import annotations

from memora.services.cdn_export.delivery.target import PublishTarget
from memora.services.cdn_export.maintenance import header_renewal, metadata_renewal, signature_renewal


def run(target: PublishTarget) -> None:
	"""Write again what is due. Raises what the storage raises, and `Ownership.claim`."""
	signature_renewal.run(target)
	metadata_renewal.run(target)
	header_renewal.run(target)
