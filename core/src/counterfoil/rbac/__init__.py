"""What a member may do: the catalogue of permissions, the roles that hold them, and the gate in front of every route."""

from counterfoil.rbac.deps import Caller, Scope, require, require_member

__all__ = ["Caller", "Scope", "require", "require_member"]
