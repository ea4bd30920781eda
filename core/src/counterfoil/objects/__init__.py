"""Files kept outside the database: artifacts, evidence packs, exports, anchors of the audit log."""

from counterfoil.objects.opening import open_store
from counterfoil.objects.store import (
    DirectoryStore,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    ObjectStoreUnavailable,
    Readable,
)

__all__ = [
    "DirectoryStore",
    "ObjectExists",
    "ObjectMissing",
    "ObjectStore",
    "ObjectStoreUnavailable",
    "Readable",
    "open_store",
]
