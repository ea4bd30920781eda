"""Members of one tenant beside its owner, each signed in there."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx2

from counterfoil.testing.plugin import PASSWORD, SignedIn

Connection: TypeAlias = "asyncpg.Connection[Any]"
SignIn = Callable[[], Coroutine[Any, Any, SignedIn]]
Join = Callable[..., Coroutine[Any, Any, SignedIn]]

USERS = "/api/v1/users"


async def join(admin: Connection, tenant: SignedIn, guest: SignedIn, roles: Sequence[str]) -> SignedIn:
    """Make somebody a member of another's tenant, and log them in there."""
    membership = await admin.fetchval(
        "INSERT INTO core.memberships (tenant_id, id, user_id, last_used_at)"
        " VALUES ($1, uuidv7(), $2, now() + interval '1 minute') RETURNING id",
        tenant.tenant_id,
        guest.user_id,
    )
    await admin.executemany(
        "INSERT INTO core.membership_roles (tenant_id, membership_id, role) VALUES ($1, $2, $3)",
        [(tenant.tenant_id, membership, role) for role in roles],
    )
    # Log-in opens the tenant used last.
    answer = await guest.client.post("/api/v1/auth/login", json={"email": guest.email, "password": PASSWORD})
    assert answer.json()["tenant"]["id"] == str(tenant.tenant_id), answer.text
    guest.client.cookies.clear()
    guest.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return SignedIn(
        client=guest.client, tenant_id=tenant.tenant_id, user_id=UUID(answer.json()["user"]["id"]), email=guest.email
    )


async def make_role(who: SignedIn, name: str, permissions: Sequence[str]) -> dict[str, Any]:
    body = {"name": name, "title": name.title(), "permissions": list(permissions)}
    answer = await who.client.post(f"{USERS}/roles", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def give(who: SignedIn, user_id: UUID, *roles: str) -> httpx2.Response:
    return await who.client.put(f"{USERS}/{user_id}/roles", json={"roles": list(roles)})


async def permissions(who: SignedIn) -> set[str]:
    return set((await who.client.get("/api/v1/auth/me")).json()["permissions"])


def refused(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def reason(admin: Connection, answer: httpx2.Response) -> str | None:
    """What the audit trail says about a refused request."""
    found: str | None = await admin.fetchval(
        "SELECT reason FROM core.audit_events WHERE correlation_id = $1 AND outcome = 'denied'",
        UUID(answer.json()["correlation_id"]),
    )
    return found
