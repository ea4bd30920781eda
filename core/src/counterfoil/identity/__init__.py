"""Users, memberships and sessions: who somebody is, and in which tenant."""

from counterfoil.identity.deps import Credential, authenticate
from counterfoil.identity.service import Identity

__all__ = ["Credential", "Identity", "authenticate"]
