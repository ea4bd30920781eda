"""The driver connection that carries the tenant into every transaction at no extra round trip."""

from typing import Any
from uuid import UUID

import asyncpg

from counterfoil.kit import context

TENANT_SETTING = "app.current_tenant_id"


class TenantConnection(asyncpg.Connection):
    """Merges ``SET LOCAL app.current_tenant_id`` into BEGIN.

    Without a current tenant nothing is set, and every tenant table then raises instead of looking empty.
    """

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109  (asyncpg's signature)
        tenant_id = context.current_tenant_id.get()
        if tenant_id is not None and not args and query.startswith("BEGIN"):
            query = f"{query.rstrip(';')}; SET LOCAL {TENANT_SETTING} = '{UUID(str(tenant_id))}'"
        status: str = await super().execute(query, *args, timeout=timeout)
        return status
