"""The SQL of custom roles."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from counterfoil.db import UnitOfWork
from counterfoil.identity.models import MembershipRole
from counterfoil.kit.ids import new_id
from counterfoil.rbac.errors import RoleNameTaken
from counterfoil.rbac.roles.models import Role, RolePermission

_NAME_KEY = "roles_tenant_id_name_key"
_SERVICE_KEYS_WITH = text(
    "SELECT count(*) FROM core.api_keys WHERE :role = ANY (roles) AND revoked_at IS NULL"
    " AND (expires_at IS NULL OR expires_at > now())"
)


@dataclass(frozen=True, kw_only=True)
class Custom:
    """A custom role with what it permits."""

    role: Role
    permissions: frozenset[str]


async def all_roles(uow: UnitOfWork) -> list[Custom]:
    """The tenant's own roles by name."""
    rows = (await uow.session.execute(_with_permissions().order_by(Role.name))).all()
    return [Custom(role=role, permissions=frozenset(held)) for role, held in rows]


async def one(uow: UnitOfWork, role_id: UUID) -> Custom | None:
    """The role with what it permits, both as of one moment."""
    found = (await uow.session.execute(_with_permissions().where(Role.id == role_id))).one_or_none()
    return Custom(role=found[0], permissions=frozenset(found[1])) if found else None


async def find(uow: UnitOfWork, role_id: UUID) -> Role | None:
    """The role, locked: nobody is given it meanwhile."""
    found: Role | None = await uow.session.scalar(select(Role).where(Role.id == role_id).with_for_update())
    return found


async def permissions_by_role(uow: UnitOfWork, names: Collection[str]) -> dict[str, frozenset[str]]:
    """What the custom roles among these names permit. They are kept from being deleted until the transaction ends."""
    query = select(Role.name).where(Role.name.in_(names)).order_by(Role.name).with_for_update(read=True)
    found: dict[str, set[str]] = {name: set() for name in (await uow.session.scalars(query)).all()}
    held = select(RolePermission.role, RolePermission.permission).where(RolePermission.role.in_(found))
    for role, permission in (await uow.session.execute(held)).all():
        found[role].add(permission)
    return {name: frozenset(permissions) for name, permissions in found.items()}


async def add(uow: UnitOfWork, *, name: str, title: str, description: str, permissions: Iterable[str]) -> Role:
    """A new role.

    Raises:
        RoleNameTaken: the tenant has one of this name.
    """
    role = Role(tenant_id=uow.tenant, id=new_id(), name=name, title=title, description=description)
    uow.session.add(role)
    try:
        await uow.session.flush()
    except IntegrityError as error:
        if _NAME_KEY in str(error.orig):
            raise RoleNameTaken(f"There is already a role “{name}”.") from error
        raise
    await _permit(uow, name, permissions)
    await uow.session.refresh(role)
    return role


async def save(uow: UnitOfWork, role: Role) -> None:
    await uow.session.flush()
    await uow.session.refresh(role)


async def permissions_of(uow: UnitOfWork, name: str) -> frozenset[str]:
    query = select(RolePermission.permission).where(RolePermission.role == name)
    return frozenset((await uow.session.scalars(query)).all())


async def replace_permissions(uow: UnitOfWork, name: str, permissions: Iterable[str]) -> None:
    await uow.session.execute(delete(RolePermission).where(RolePermission.role == name))
    await _permit(uow, name, permissions)


async def holders(uow: UnitOfWork, name: str) -> int:
    """How many members and service keys have the role."""
    query = select(func.count()).select_from(MembershipRole).where(MembershipRole.role == name)
    keys = await uow.session.execute(_SERVICE_KEYS_WITH, {"role": name})
    return ((await uow.session.scalar(query)) or 0) + int(keys.scalar_one())


async def remove(uow: UnitOfWork, role: Role) -> None:
    await uow.session.delete(role)
    await uow.session.flush()


def _with_permissions() -> Select[tuple[Role, Any]]:
    names = func.array_agg(RolePermission.permission)
    return (
        select(Role, func.array_remove(names, None))
        .outerjoin(RolePermission, (RolePermission.tenant_id == Role.tenant_id) & (RolePermission.role == Role.name))
        .group_by(Role.tenant_id, Role.id)
    )


async def _permit(uow: UnitOfWork, name: str, permissions: Iterable[str]) -> None:
    rows: Sequence[dict[str, object]] = [
        {"tenant_id": uow.tenant, "role": name, "permission": permission} for permission in sorted(permissions)
    ]
    if rows:
        await uow.session.execute(insert(RolePermission), rows)
