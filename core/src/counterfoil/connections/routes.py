"""`/api/v1/connections`: accounts at vendors, and the kinds there are. What is synced through them is `ingest`'s."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from counterfoil.config import Settings
from counterfoil.connections import service
from counterfoil.connections.errors import (
    AccountChanged,
    ConnectionChanged,
    ConnectionNotFound,
    CredentialsUnreadable,
    InvalidSettings,
    LabelTaken,
    UnknownConnector,
)
from counterfoil.connections.schemas import (
    CheckOut,
    ConnectionIn,
    ConnectionOut,
    ConnectionPatch,
    ProviderOut,
    StreamOffer,
)
from counterfoil.connections.settings import schemas
from counterfoil.db import Database
from counterfoil.entitlements.errors import QuotaExceeded
from counterfoil.entitlements.plans import CONNECTIONS
from counterfoil.entitlements.quotas import require_quota
from counterfoil.entitlements.service import require_plugin, require_sync
from counterfoil.identity.deps import AnyCredential
from counterfoil.ingest.service import target_tables
from counterfoil.kit import context
from counterfoil.kit.errors import EntitlementRequired, PluginDisabled
from counterfoil.plugins.connector import Connector
from counterfoil.plugins.manager import PluginManager
from counterfoil.rbac import Caller, Scope, require
from counterfoil.rbac.deps import Gate
from counterfoil.web import Listing, Page, decode_cursor, encode_cursor, provided
from counterfoil.web.etag import IfMatch, tag
from counterfoil.web.links import finds
from counterfoil.web.pagination import InvalidCursor, listing
from counterfoil.web.problems import problem_responses

router = APIRouter(prefix="/api/v1/connections", tags=["connections"])

Readable = Annotated[Scope, require("connections.read")]
Manageable = Annotated[Scope, require("connections.manage")]
Plugins = Annotated[PluginManager, Depends(provided(PluginManager))]
Configuration = Annotated[Settings, Depends(provided(Settings))]
TheDatabase = Annotated[Database, Depends(provided(Database))]

_may_manage = asynccontextmanager(Gate("connections.manage").__call__)


async def manager(credential: AnyCredential, database: TheDatabase) -> AsyncIterator[Caller]:
    """As ``Manageable``, but with the transaction already closed: for a route that waits for a vendor."""
    async with _may_manage(credential, database) as scope:
        caller = scope.caller
    with context.bound(context.current_actor, caller.actor):
        yield caller


Manager = Annotated[Caller, Depends(manager, scope="function")]


@router.get("/providers", operation_id="listProviders", responses=problem_responses(403))
async def list_providers(scope: Readable, plugins: Plugins) -> Page[ProviderOut]:
    """Every kind of connection that is installed, with the settings it asks for and whether this tenant may use it."""
    offers = sorted(plugins.connectors.values(), key=lambda offer: (offer[1].title, offer[1].kind))
    return Page(items=[await _provider(scope, plugin, connector, plugins) for plugin, connector in offers])


@router.get(
    "",
    operation_id="listConnections",
    responses={**finds(200, connection_id="/items/0/id", kind="/items/0/kind"), **problem_responses(403)},
)
async def list_connections(scope: Readable, page: Annotated[Listing, Depends(listing)]) -> Page[ConnectionOut]:
    """Connections, oldest first; deleted ones are not listed."""
    found = await service.page(scope.uow, after=_after(page.cursor), limit=page.limit + 1)
    shown, more = found[: page.limit], len(found) > page.limit
    return Page(
        items=[ConnectionOut.of(connection) for connection in shown],
        next_cursor=encode_cursor(str(shown[-1].id)) if more else None,
    )


@router.post(
    "",
    operation_id="createConnection",
    status_code=201,
    responses={
        **finds(201, connection_id="/id", kind="/kind"),
        **problem_responses(
            403,
            EntitlementRequired,
            PluginDisabled,
            QuotaExceeded,
            LabelTaken,
            InvalidSettings,
            UnknownConnector,
            CredentialsUnreadable,
        ),
    },
)
async def create_connection(
    body: ConnectionIn, scope: Manageable, plugins: Plugins, configuration: Configuration, response: Response
) -> ConnectionOut:
    """Store settings and credentials. The vendor is not called: test the connection next."""
    plugin, _ = service.connector_of(body.kind, plugins=plugins)
    await require_sync(scope.uow, plugin, plugins=plugins)
    await require_quota(scope.uow, CONNECTIONS)
    connection = await service.create(
        scope.uow,
        kind=body.kind,
        label=body.label,
        settings=body.settings,
        credentials=body.credentials,
        plugins=plugins,
        configuration=configuration,
    )
    tag(response, connection.version)
    return ConnectionOut.of(connection)


@router.get(
    "/{connection_id:uuid}", operation_id="getConnection", responses=problem_responses(403, 404, ConnectionNotFound)
)
async def get_connection(connection_id: UUID, scope: Readable, response: Response) -> ConnectionOut:
    """One connection, with its ETag."""
    connection = await service.get(scope.uow, connection_id)
    tag(response, connection.version)
    return ConnectionOut.of(connection)


@router.patch(
    "/{connection_id:uuid}",
    operation_id="updateConnection",
    responses=problem_responses(
        403,
        EntitlementRequired,
        PluginDisabled,
        404,
        ConnectionNotFound,
        LabelTaken,
        AccountChanged,
        ConnectionChanged,
        InvalidSettings,
        UnknownConnector,
        CredentialsUnreadable,
    ),
)
async def update_connection(
    *,
    connection_id: UUID,
    body: ConnectionPatch,
    scope: Manageable,
    plugins: Plugins,
    configuration: Configuration,
    response: Response,
    if_match: IfMatch = None,
) -> ConnectionOut:
    """Change what is given. With new settings or credentials the connection waits for its next test."""
    await _require_plugin_of(scope, connection_id, plugins)
    connection = await service.update(
        scope.uow,
        connection_id,
        label=body.label,
        settings=body.settings,
        credentials=body.credentials,
        if_match=if_match,
        plugins=plugins,
        configuration=configuration,
    )
    tag(response, connection.version)
    return ConnectionOut.of(connection)


@router.delete(
    "/{connection_id:uuid}",
    operation_id="deleteConnection",
    status_code=204,
    responses=problem_responses(403, 404, ConnectionNotFound),
)
async def delete_connection(connection_id: UUID, scope: Manageable, if_match: IfMatch = None) -> None:
    """Destroy the credentials. What was synced stays."""
    await service.delete(scope.uow, connection_id, if_match=if_match)


@router.post(
    "/{connection_id}/test",
    operation_id="testConnection",
    responses=problem_responses(
        403,
        EntitlementRequired,
        PluginDisabled,
        ConnectionNotFound,
        AccountChanged,
        ConnectionChanged,
        UnknownConnector,
        CredentialsUnreadable,
    ),
)
async def test_connection(
    connection_id: UUID, caller: Manager, database: TheDatabase, plugins: Plugins, configuration: Configuration
) -> CheckOut:
    """Ask the vendor whose account it is. A refusal by the vendor is an answer, not an error of this request."""
    async with database.unit_of_work(caller.tenant_id) as uow:
        connection = await service.get(uow, connection_id)
        await require_plugin(uow, connection.plugin, plugins=plugins)
    checked = await service.check(
        lambda: database.unit_of_work(caller.tenant_id), connection_id, plugins=plugins, configuration=configuration
    )
    return CheckOut.of(checked)


async def _require_plugin_of(scope: Scope, connection_id: UUID, plugins: PluginManager) -> None:
    connection = await service.get(scope.uow, connection_id)
    await require_plugin(scope.uow, connection.plugin, plugins=plugins)


async def _provider(scope: Scope, plugin: str, connector: Connector, plugins: PluginManager) -> ProviderOut:
    refused: EntitlementRequired | PluginDisabled | None = None
    try:
        await require_sync(scope.uow, plugin, plugins=plugins)
    except (EntitlementRequired, PluginDisabled) as refusal:
        refused = refusal
    settings_schema, credentials_schema = schemas(connector.settings)
    return ProviderOut(
        kind=connector.kind,
        title=connector.title,
        plugin=plugin,
        description=connector.description,
        auth_kind="api_key",
        available=refused is None,
        unavailable_code=refused.code if refused else None,
        unavailable_reason=refused and (refused.detail or refused.title),
        settings_schema=settings_schema,
        credentials_schema=credentials_schema,
        streams=[
            StreamOffer(name=stream.name, title=stream.title, targets=target_tables(stream))
            for stream in connector.streams.values()
        ],
    )


def _after(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    (position,) = decode_cursor(cursor, length=1)
    try:
        return UUID(position)
    except (AttributeError, TypeError, ValueError):
        raise InvalidCursor from None
