"""What can be done with API keys. A key never does more than whoever made, or rotated, it could do at that moment."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from counterfoil import audit
from counterfoil.db import UnitOfWork
from counterfoil.identity.api_keys import repository
from counterfoil.identity.api_keys.errors import ApiKeyInvalid, ApiKeyIsOver, ApiKeyNotFound, NotYourApiKey
from counterfoil.identity.api_keys.keys import Kind, new_key
from counterfoil.identity.api_keys.models import ApiKey
from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import FieldError, PermissionDenied
from counterfoil.kit.ids import new_id
from counterfoil.rbac.catalogue import OWNER, Catalogue
from counterfoil.rbac.deps import Scope
from counterfoil.rbac.roles.service import require_grantable, require_held

MANAGE = "api_keys.manage"


async def page(scope: Scope, *, after: UUID | None, limit: int) -> Sequence[ApiKey]:
    """The caller's own keys, or everybody's for whom the permission says so."""
    of_user = None if MANAGE in scope.permissions else scope.caller.user_id
    return await repository.page(scope.uow, of_user=of_user, after=after, limit=limit)


async def create(
    scope: Scope,
    *,
    kind: Kind,
    name: str,
    scopes: Collection[str],
    roles: Collection[str],
    expires_at: datetime | None,
    catalogue: Catalogue,
) -> tuple[ApiKey, str]:
    """A new key, and how it reads: nobody finds that out again.

    Raises:
        ApiKeyInvalid: an unknown scope, an expiry that is past, roles where there are none or none where they are needed.
        PermissionDenied: a service key without the permission to make one.
        BeyondOwnPermissions: a scope or a role goes beyond the caller's own permissions.
    """
    if wrong := _wrong(scope, kind=kind, scopes=scopes, roles=roles, expires_at=expires_at, catalogue=catalogue):
        raise ApiKeyInvalid(wrong[0].message, errors=wrong)
    if kind == "service":
        _require_manage(scope)
        await require_grantable(scope.uow, roles, by=scope, catalogue=catalogue)
    require_held(scope, scopes)
    made = new_key(kind)
    row = ApiKey(
        tenant_id=scope.uow.tenant,
        id=new_id(),
        kind=kind,
        name=name,
        prefix=made.prefix,
        key_hash=made.key_hash,
        scopes=sorted(set(scopes)),
        user_id=scope.caller.user_id if kind == "personal" else None,
        roles=sorted(set(roles)),
        expires_at=expires_at,
        created_by=scope.caller.actor.label,
    )
    await repository.add(scope.uow, row)
    payload = {"kind": kind, "name": name, "prefix": row.prefix, "scopes": row.scopes, "roles": row.roles}
    expiry = {"expires_at": expires_at.isoformat() if expires_at else None}
    await _record(scope.uow, "created", row, {**payload, **expiry})
    return row, made.key


async def rename(scope: Scope, key_id: UUID, name: str) -> ApiKey:
    """Give a key another name.

    Raises:
        ApiKeyNotFound: there is none that the caller may see.
    """
    row = await _visible(scope, key_id)
    if row.name != name:
        before, row.name = row.name, name
        await repository.save(scope.uow, row)
        await _record(scope.uow, "renamed", row, {"from": before, "to": name})
    return row


async def rotate(scope: Scope, key_id: UUID, *, catalogue: Catalogue) -> tuple[ApiKey, str]:
    """Another secret for the same key; the old one is refused from now on.

    Whoever rotates a key then holds it, so the rule for making it holds too.

    Raises:
        ApiKeyNotFound: there is none that the caller may see.
        NotYourApiKey: it is somebody's personal key.
        ApiKeyIsOver: it is expired or revoked.
        BeyondOwnPermissions: it can do what the caller may not.
    """
    row = await _visible(scope, key_id)
    if row.kind == "personal" and row.user_id != scope.caller.user_id:
        raise NotYourApiKey("Only its owner can rotate a personal key. You can revoke it.")
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= utc_now()):
        raise ApiKeyIsOver("Make a new one.")
    # Scopes that mean nothing any more, their plugin being gone, can come back only with it.
    require_held(scope, catalogue.permissions.keys() & frozenset(row.scopes))
    made = new_key("personal" if row.kind == "personal" else "service")
    before, row.prefix, row.key_hash = row.prefix, made.prefix, made.key_hash
    await repository.save(scope.uow, row)
    await _record(scope.uow, "rotated", row, {"name": row.name, "from": before, "to": row.prefix})
    return row, made.key


async def revoke(scope: Scope, key_id: UUID) -> None:
    """End a key for good; a second time does nothing.

    Raises:
        ApiKeyNotFound: there is none that the caller may see.
    """
    row = await _visible(scope, key_id)
    if row.revoked_at is None:
        row.revoked_at, row.revoked_reason = utc_now(), "revoked"
        await repository.save(scope.uow, row)
        await _record(scope.uow, "revoked", row, {"name": row.name, "prefix": row.prefix})


async def _visible(scope: Scope, key_id: UUID) -> ApiKey:
    row = await repository.find(scope.uow, key_id)
    if row is None or (row.user_id != scope.caller.user_id and MANAGE not in scope.permissions):
        raise ApiKeyNotFound
    return row


def _require_manage(scope: Scope) -> None:
    if MANAGE not in scope.permissions:
        raise PermissionDenied(f"A service key needs the permission {MANAGE}.", reason=MANAGE)


def _wrong(
    scope: Scope,
    *,
    kind: Kind,
    scopes: Collection[str],
    roles: Collection[str],
    expires_at: datetime | None,
    catalogue: Catalogue,
) -> list[FieldError]:
    found = [
        FieldError(path="scopes", message=f"There is no permission {name}.")
        for name in sorted(set(scopes) - catalogue.permissions.keys())
    ]
    if expires_at is not None and expires_at <= utc_now():
        found.append(FieldError(path="expires_at", message="This is past."))
    if kind == "personal" and roles:
        found.append(FieldError(path="roles", message="A personal key has its maker's roles."))
    if kind == "service" and not roles:
        found.append(FieldError(path="roles", message="A service key needs at least one role."))
    if OWNER in roles:
        found.append(FieldError(path="roles", message="No service is an owner."))
    if kind == "personal" and scope.caller.is_service:
        found.append(FieldError(path="kind", message="A service has no personal keys."))
    return found


async def _record(uow: UnitOfWork, verb: str, row: ApiKey, payload: dict[str, object]) -> None:
    await audit.record(uow, action=f"core.api_key.{verb}", resource_type="api_key", resource_id=row.id, payload=payload)
