"""Users, memberships and sessions: who somebody is, and in which tenant."""

from counterfoil.identity.deps import Authenticated, Credential
from counterfoil.identity.service import Identity

__all__ = ["Authenticated", "Credential", "Identity"]
