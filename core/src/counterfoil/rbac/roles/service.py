"""What can be done with roles. The rule behind all of it: nobody gives what they do not have."""

from collections.abc import Collection, Iterable
from typing import Protocol
from uuid import UUID

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.kit.errors import FieldError
from counterfoil.rbac.catalogue import OWNER, ROLES, Catalogue
from counterfoil.rbac.deps import Scope
from counterfoil.rbac.errors import (
    BeyondOwnPermissions,
    OwnersOnly,
    RoleInUse,
    RoleNameTaken,
    RoleNotFound,
    UnknownPermission,
    UnknownRole,
)
from counterfoil.rbac.roles import repository
from counterfoil.rbac.roles.models import Role
from counterfoil.rbac.roles.repository import Custom
from counterfoil.web.etag import require_match


class Grantor(Protocol):
    """Whoever gives: what they have bounds it."""

    @property
    def roles(self) -> frozenset[str]: ...

    @property
    def permissions(self) -> frozenset[str]: ...


async def require_grantable(uow: UnitOfWork, roles: Collection[str], *, by: Grantor, catalogue: Catalogue) -> None:
    """Pass if somebody may give these roles. Custom ones stay in being until the transaction ends.

    Raises:
        UnknownRole: one is neither built in nor of this tenant.
        OwnersOnly: only an owner makes another.
        BeyondOwnPermissions: one permits something that they may not do.
    """
    custom = await repository.permissions_by_role(uow, [role for role in roles if role not in ROLES])
    if unknown := sorted(set(roles) - custom.keys() - ROLES.keys()):
        errors = [FieldError(path="roles", message=f"There is no role {name}.") for name in unknown]
        raise UnknownRole(f"There is no role {unknown[0]}.", errors=errors)
    if OWNER in roles and OWNER not in by.roles:
        raise OwnersOnly("Only an owner makes somebody an owner.", reason=OWNER)
    held = (permission for name in roles for permission in custom.get(name, ()))
    require_held(by, catalogue.permissions_of(roles, custom=held))


def require_held(by: Grantor, permissions: Iterable[str]) -> None:
    """Pass if somebody holds all of these permissions.

    Raises:
        BeyondOwnPermissions: names those that are missing.
    """
    if lacking := sorted(set(permissions) - by.permissions):
        raise BeyondOwnPermissions(f"You do not have {', '.join(lacking)}.", reason=", ".join(lacking))


async def all_roles(uow: UnitOfWork) -> list[Custom]:
    return await repository.all_roles(uow)


async def get(uow: UnitOfWork, role_id: UUID) -> Custom:
    """One of the tenant's own roles.

    Raises:
        RoleNotFound: there is none.
    """
    custom = await repository.one(uow, role_id)
    if custom is None:
        raise RoleNotFound
    return custom


async def create(
    scope: Scope, *, name: str, title: str, description: str, permissions: Collection[str], catalogue: Catalogue
) -> Custom:
    """Make a role.

    Raises:
        RoleNameTaken: a built-in role or one of the tenant's has the name.
        UnknownPermission: there is no such permission.
        BeyondOwnPermissions: the caller does not hold one of them.
    """
    if name in ROLES:
        raise RoleNameTaken(f"The role {name} is built in.")
    _require_known(permissions, catalogue)
    require_held(scope, permissions)
    role = await repository.add(
        scope.uow, name=name, title=title, description=description, permissions=set(permissions)
    )
    await _record(scope.uow, "created", role, {"name": name, "permissions": sorted(set(permissions))})
    return Custom(role=role, permissions=frozenset(permissions))


async def update(
    scope: Scope,
    role_id: UUID,
    *,
    title: str | None,
    description: str | None,
    permissions: Collection[str] | None,
    if_match: str | None = None,
    catalogue: Catalogue,
) -> Custom:
    """Change what is given; members who have the role have the change from their next request on.

    Raises:
        RoleNotFound: there is none.
        PreconditionFailed: the caller saw another version.
        UnknownPermission: there is no such permission.
        BeyondOwnPermissions: the caller does not hold one that is added.
    """
    role = await _found(scope.uow, role_id)
    require_match(if_match, role.version)
    before = await repository.permissions_of(scope.uow, role.name)
    changed: dict[str, object] = {}
    for field, value in (("title", title), ("description", description)):
        if value is not None and value != getattr(role, field):
            setattr(role, field, value)
            changed[field] = value
    after = before if permissions is None else frozenset(permissions)
    if after != before:
        _require_known(after - before, catalogue)
        require_held(scope, after - before)
        await repository.replace_permissions(scope.uow, role.name, after)
        changed["permissions"] = {"added": sorted(after - before), "removed": sorted(before - after)}
    if changed:
        role.version += 1
        await repository.save(scope.uow, role)
        await _record(scope.uow, "updated", role, {"name": role.name, **changed})
    return Custom(role=role, permissions=after)


async def delete(scope: Scope, role_id: UUID, *, if_match: str | None = None) -> None:
    """Delete a role that nobody has.

    Raises:
        RoleNotFound: there is none.
        PreconditionFailed: the caller saw another version.
        RoleInUse: says how many have it.
    """
    role = await _found(scope.uow, role_id)
    require_match(if_match, role.version)
    if holders := await repository.holders(scope.uow, role.name):
        raise RoleInUse(f"{holders} still have the role {role.name}: take it from them first.")
    await repository.remove(scope.uow, role)
    await _record(scope.uow, "deleted", role, {"name": role.name})


def _require_known(permissions: Collection[str], catalogue: Catalogue) -> None:
    if unknown := sorted(set(permissions) - catalogue.permissions.keys()):
        errors = [FieldError(path="permissions", message=f"There is no permission {name}.") for name in unknown]
        raise UnknownPermission(f"There is no permission {unknown[0]}.", errors=errors)


async def _found(uow: UnitOfWork, role_id: UUID) -> Role:
    role = await repository.find(uow, role_id)
    if role is None:
        raise RoleNotFound
    return role


async def _record(uow: UnitOfWork, verb: str, role: Role, payload: dict[str, object]) -> None:
    await audit.record(uow, action=f"core.role.{verb}", resource_type="role", resource_id=role.id, payload=payload)
