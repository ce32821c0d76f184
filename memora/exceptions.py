"""The errors memora raises itself: a small tree, so that a caller can catch just what it can handle.

Every message says what failed, where, and how to fix it, and holds no secret: admins read it, and CDN Sync Log
keeps it.
"""


class MemoraError(Exception):
	"""Anything that memora raises on purpose."""


class BuildError(MemoraError):
	"""A plan or shared subject cannot be made from what the editors have written."""


class AccessError(BuildError):
	"""A node's access level cannot be decided: it is paid, yet no item is named at it or above it. `name` is the node's."""

	def __init__(self, message: str, name: str = ""):
		super().__init__(message)
		self.name = name


class ContractError(BuildError):
	"""A document does not match its JSON Schema; nothing of its build was uploaded."""


class FileTooLargeError(BuildError):
	"""A document is larger than a published file may be (spec: 10,000,000 bytes)."""


class LeaseLostError(MemoraError):
	"""The lease on a scope has passed to another worker; this one must stop writing at once."""


class ScopeBusyError(MemoraError):
	"""Another worker holds the lease that is needed; try again later, nothing is wrong."""


class StorageError(MemoraError):
	"""The storage could not do what was asked. Subclasses say why.

	After a removal `remaining` are the files that may still be there; all others of the request are gone.
	"""

	remaining: tuple[str, ...] = ()


class StorageConfigurationError(StorageError):
	"""CDN Settings cannot work: wrong key, region, bucket, permission. Retrying will not help."""


class StorageUnavailableError(StorageError):
	"""The storage is down, slow, throttling or full. Retrying may help."""


class PreconditionFailedError(StorageError):
	"""A conditional write found another object than expected: another process has written (HTTP 412)."""


class PlaceRefusedError(StorageError):
	"""The bucket or folder belongs to another site: nothing is written there until an admin has decided."""


class JobQueueError(MemoraError):
	"""The job queue takes no job: its Redis is down, or too many jobs wait. The scheduler's next batch does the work."""


class PurgeError(MemoraError):
	"""The CDN's cache could not be purged. Files are live; caches may serve old ones until they expire."""


class TokenError(MemoraError):
	"""A learner's token that the gate does not accept. `reason` is token_invalid, token_expired or token_early."""

	def __init__(self, reason: str):
		super().__init__(reason)
		self.reason = reason


class KeysError(MemoraError):
	"""The gate's public keys are missing, too large or broken: no token can be checked."""


class GateKeyError(MemoraError):
	"""No key can sign tokens for the gate, or a key cannot be made or taken back."""


class MintingError(MemoraError):
	"""The gate would refuse such a token: it lasts too long, is too large, or its items are no texts."""


class OwnedItemsError(MemoraError):
	"""What a learner owns cannot be found out: a function of the hook `memora_owned_items` fails, or answers no list."""
