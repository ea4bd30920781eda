"""Who may give which role: nobody gives more than they hold, and only an owner makes owners."""

from collections.abc import Collection, Sequence

from counterfoil.identity.errors import RoleNotGrantable
from counterfoil.kit.errors import FieldError, InvalidInput
from counterfoil.rbac.catalogue import ROLES, permissions_of

_OWNER = "owner"


def require_grantable(roles: Sequence[str], *, by: Collection[str]) -> None:
    """Refuse roles that hold more than the giver's.

    Args:
        roles: to be given.
        by: the roles of who gives them.

    Raises:
        InvalidInput: there is no such role.
        RoleNotGrantable: with the role as its reason.
    """
    unknown = [
        FieldError(path=f"roles.{at}", message="There is no such role.")
        for at, role in enumerate(roles)
        if role not in ROLES
    ]
    if unknown:
        raise InvalidInput("Some roles do not exist.", errors=unknown)
    for role in roles:
        if (role == _OWNER and _OWNER not in by) or not permissions_of([role]) <= permissions_of(by):
            raise RoleNotGrantable(f"You cannot give the role {role}.", reason=role)
