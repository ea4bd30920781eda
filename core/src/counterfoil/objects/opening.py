"""Which store the settings name."""

from counterfoil.config import Settings
from counterfoil.objects.store import DirectoryStore, ObjectStore


def open_store(settings: Settings) -> ObjectStore:
    """A folder in the home."""
    return DirectoryStore(settings.home.expanduser().resolve() / "objects")
