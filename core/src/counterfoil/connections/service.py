"""What can be done with connections. Vendors are only ever called with no transaction open."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import orjson

from counterfoil import audit
from counterfoil.config import Settings as Configuration
from counterfoil.connections import repository, vault
from counterfoil.connections.client import ConnectorContext, budget_key, connector_context, outbound
from counterfoil.connections.errors import (
    AccountChanged,
    ConnectionChanged,
    ConnectionNotFound,
    CredentialsUnreadable,
    UnknownConnector,
)
from counterfoil.connections.models import Connection
from counterfoil.connections.settings import split, validated
from counterfoil.db import Database, UnitOfWork
from counterfoil.kit.clock import utc_now
from counterfoil.kit.http import Bounds, RetryPolicy
from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import CannotOpen, MasterKeys, Place
from counterfoil.observability import get_logger
from counterfoil.plugins.connector import (
    Account,
    Connector,
    Json,
    Settings,
    SourceError,
    SourceMalformed,
    SourceUnauthorized,
)
from counterfoil.plugins.manager import PluginManager
from counterfoil.web.etag import require_match

RESOURCE = "connection"
UnitOfWorkFactory = Callable[[], AbstractAsyncContextManager[UnitOfWork]]

# Somebody is waiting for the answer of a test.
_TEST_RETRY = RetryPolicy(max_attempts=2, base_s=0.5, max_elapsed_s=5.0)
_TEST_BOUNDS = Bounds(connect_s=5.0, read_s=15.0, total_s=20.0)

_log = get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class OpenConnection:
    """A connection as it was when it was read, secrets included: all that is needed to work without the database.

    ``known_account`` is the one its rows belong to, None before the first check. ``account`` is the same, but None until
    a check has shown that the present credentials open it: read nothing from the vendor before. ``sealed`` and ``plain``
    tell later whether the connection is still the same.
    """

    id: UUID
    tenant_id: UUID
    kind: str
    label: str
    status: str
    connector: Connector
    settings: Settings = field(repr=False)
    known_account: Account | None
    is_verified: bool
    hosts: tuple[str, ...]
    allow_private: bool
    plain: Json = field(repr=False)
    sealed: bytes = field(repr=False)
    database: Database = field(repr=False)
    redis_url: str = field(repr=False)

    @property
    def budget_key(self) -> str:
        """What the connections to one account at the vendor share."""
        account = self.known_account.id if self.known_account else None
        return budget_key(self.tenant_id, self.kind, account=account, connection_id=self.id)

    @property
    def account(self) -> Account | None:
        return self.known_account if self.is_verified else None

    @asynccontextmanager
    async def client(
        self, *, retry: RetryPolicy | None = None, bounds: Bounds | None = None
    ) -> AsyncIterator[ConnectorContext]:
        """The signed-in context for ``check`` and for streams. Hold no unit of work open meanwhile."""
        async with (
            outbound(self, limits=self.connector.limits_for(self.settings)) as (limiter, calls),
            connector_context(
                self.connector,
                self.settings,
                allow_private=self.allow_private,
                hosts=self.hosts,
                account=self.account,
                retry=retry,
                bounds=bounds,
                limiter=limiter,
                calls=calls,
            ) as context,
        ):
            yield context


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The outcome of one check: the account, or the error."""

    account: Account | None = None
    error: SourceError | None = None
    duration_ms: int


def connector_of(kind: str, *, plugins: PluginManager) -> tuple[str, Connector]:
    """The plugin's name and the connector of that kind.

    Raises:
        UnknownConnector: no plugin that is fit to run brings it.
    """
    try:
        return plugins.connectors[kind]
    except KeyError:
        raise UnknownConnector(f"No plugin that runs here connects to “{kind}”.") from None


async def page(uow: UnitOfWork, *, after: UUID | None, limit: int) -> Sequence[Connection]:
    return await repository.page(uow, after=after, limit=limit)


async def get(uow: UnitOfWork, connection_id: UUID) -> Connection:
    """One live connection of this tenant.

    Raises:
        ConnectionNotFound: also for a deleted one and for another tenant's.
    """
    return _found(await repository.find(uow, connection_id))


async def require_known(uow: UnitOfWork, connection_id: UUID) -> None:
    """Let through what is or was a connection of this tenant: what was recorded of a deleted one stays readable.

    Raises:
        ConnectionNotFound: there never was one.
    """
    if not await repository.is_known(uow, connection_id):
        raise ConnectionNotFound


async def create(
    uow: UnitOfWork,
    *,
    kind: str,
    label: str,
    settings: Json,
    credentials: Json,
    plugins: PluginManager,
    configuration: Configuration,
) -> Connection:
    """Store a connection, its credentials sealed. The vendor is not called: it is pending until it is checked.

    Raises:
        UnknownConnector: there is no such kind.
        InvalidSettings: with the wrong fields.
        LabelTaken: another connection has the label.
    """
    plugin, connector = connector_of(kind, plugins=plugins)
    connection = Connection(
        tenant_id=uow.tenant, id=new_id(), kind=kind, plugin=plugin, label=label, auth_kind=connector.auth_kind
    )
    await _put(uow, connection, validated(connector, settings=settings, credentials=credentials), configuration)
    await repository.save(uow, connection)
    await _record(uow, "created", connection, payload={"kind": kind, "label": label})
    return connection


async def update(
    uow: UnitOfWork,
    connection_id: UUID,
    *,
    label: str | None = None,
    settings: Json | None = None,
    credentials: Json | None = None,
    if_match: str | None = None,
    plugins: PluginManager,
    configuration: Configuration,
) -> Connection:
    """Change what is given; single settings and credentials that are not named keep their values.

    With new settings or credentials the connection is pending again, and still bound to the account it was for.

    Raises:
        ConnectionNotFound: there is none.
        PreconditionFailed: the caller saw another version.
        InvalidSettings: with the wrong fields.
        LabelTaken: another connection has the label.
    """
    connection = _found(await repository.find(uow, connection_id, for_update=True, with_credentials=True))
    require_match(if_match, connection.version)
    changed = [name for name, value in (("settings", settings), ("credentials", credentials)) if value is not None]
    if label is not None and label != connection.label:
        connection.label = label
        changed.append("label")
    if settings is not None or credentials is not None:
        _, connector = connector_of(connection.kind, plugins=plugins)
        kept = await _credentials(uow, connection, configuration)
        model = validated(
            connector,
            settings={**connection.settings, **(settings or {})},
            credentials={**kept, **(credentials or {})},
        )
        await _put(uow, connection, model, configuration)
    if changed:
        connection.version += 1
    await repository.save(uow, connection)
    if changed:
        await _record(uow, "updated", connection, payload={"changed": sorted(changed)})
    return connection


async def delete(uow: UnitOfWork, connection_id: UUID, *, if_match: str | None = None) -> Connection:
    """Destroy the credentials and hide the connection; its row and all that was synced through it stay.

    Raises:
        ConnectionNotFound: there is none.
        PreconditionFailed: the caller saw another version.
    """
    connection = _found(await repository.find(uow, connection_id, for_update=True, with_credentials=True))
    require_match(if_match, connection.version)
    connection.credentials = connection.key_version = connection.last_error = None
    connection.status = "revoked"
    await repository.save(uow, connection)
    await _record(uow, "deleted", connection, payload={"kind": connection.kind, "label": connection.label})
    return connection


async def open_connection(
    uow: UnitOfWork, connection_id: UUID, *, plugins: PluginManager, configuration: Configuration
) -> OpenConnection:
    """Read a connection and open its credentials.

    Raises:
        ConnectionNotFound: there is none.
        UnknownConnector: its plugin does not run here.
        CredentialsUnreadable: the master keys do not open its credentials.
        InvalidSettings: the connector has come to ask for other settings.
    """
    connection = _found(await repository.find(uow, connection_id, with_credentials=True))
    plugin_name, connector = connector_of(connection.kind, plugins=plugins)
    plugin = plugins.find(plugin_name)
    account_id = connection.external_account_id
    credentials = await _credentials(uow, connection, configuration)
    return OpenConnection(
        id=connection.id,
        tenant_id=uow.tenant,
        kind=connection.kind,
        label=connection.label,
        status=connection.status,
        connector=connector,
        settings=validated(connector, settings=connection.settings, credentials=credentials),
        known_account=Account(id=account_id, label=connection.external_account_label or "") if account_id else None,
        is_verified=connection.verified_at is not None,
        hosts=plugin.manifest.hosts if plugin else (),
        allow_private=configuration.allow_private_networks,
        plain=connection.settings,
        sealed=connection.credentials or b"",
        database=uow.database,
        redis_url=configuration.redis_url.get_secret_value(),
    )


async def check(
    unit_of_work: UnitOfWorkFactory, connection_id: UUID, *, plugins: PluginManager, configuration: Configuration
) -> Checked:
    """Ask the vendor whose account it is, and write down what came of it.

    Args:
        unit_of_work: opens one for the connection's tenant; called twice, with the vendor in between.
        connection_id: the connection.
        plugins: where its connector comes from.
        configuration: master keys and network rules.

    Raises:
        AccountChanged: the credentials are those of another account than before.
        ConnectionChanged: somebody changed the connection during the check.
        ConnectionNotFound: there is none, or it was deleted during the check.
    """
    async with unit_of_work() as uow:
        opened = await open_connection(uow, connection_id, plugins=plugins, configuration=configuration)
    began = time.monotonic()
    account, error = await _ask(opened)
    checked = Checked(account=account, error=error, duration_ms=round((time.monotonic() - began) * 1000))
    known = opened.known_account
    changed = account is not None and known is not None and account.id != known.id
    async with unit_of_work() as uow:
        connection = await _unchanged(uow, opened, configuration)
        connection.last_check_at = utc_now()
        if changed:
            connection.verified_at = None
            _fail(connection, code=AccountChanged.code, detail=AccountChanged.title, status="error")
        elif error is not None:
            _fail_with(connection, error)
        elif account is not None:
            connection.external_account_id, connection.external_account_label = account.id, account.label or account.id
            connection.status, connection.last_error, connection.verified_at = "active", None, connection.last_check_at
        await repository.save(uow, connection)
        await _record_check(uow, connection, checked)
    if changed:
        raise AccountChanged("Make a new connection for the other account: its rows would mix with this one's.")
    return checked


async def record_job(uow: UnitOfWork, connection_id: UUID, job_id: UUID) -> None:
    """Remember the job that works on the connection now."""
    _found(await repository.find(uow, connection_id, for_update=True)).latest_job_id = job_id
    await uow.session.flush()


async def record_sync(uow: UnitOfWork, connection_id: UUID, error: SourceError | None = None) -> None:
    """Write down how a sync went with the vendor: whole, or the error that ended it. A deleted connection is left alone."""
    connection = await repository.find(uow, connection_id, for_update=True)
    if connection is None:
        return
    if error is None:
        connection.last_synced_at = utc_now()
    # With credentials that were changed during the sync, its outcome says nothing about those there are now.
    if connection.verified_at is not None:
        before = connection.status
        if error is not None:
            _fail_with(connection, error)
        else:
            connection.status, connection.last_error = "active", None
        if connection.status != before:
            await _record_status(uow, connection, before=before)
    await uow.session.flush()


async def _ask(opened: OpenConnection) -> tuple[Account | None, SourceError | None]:
    try:
        async with opened.client(retry=_TEST_RETRY, bounds=_TEST_BOUNDS) as context:
            return _by_mode(await opened.connector.check(context)), None
    except SourceError as error:
        return None, error
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        # A connector that reads a field which is not there: the answer is not the vendor's usual one.
        _log.warning(
            "connection.check_failed", kind=opened.kind, connection_id=str(opened.id), error=type(error).__name__
        )
        return None, SourceMalformed("the source's answer is not what its protocol promises")


def _by_mode(account: Account) -> Account:
    """An account's test mode is another account: its rows never stand among the real ones, nor are its keys taken for them."""
    return replace(account, id=f"{account.id}/test") if account.livemode is False else account


async def _unchanged(uow: UnitOfWork, opened: OpenConnection, configuration: Configuration) -> Connection:
    connection = _found(await repository.find(uow, opened.id, for_update=True, with_credentials=True))
    same = connection.settings == opened.plain
    if same and connection.credentials != opened.sealed:
        # The same credentials may merely have been sealed under another key.
        same = await _credentials(uow, connection, configuration) == split(opened.settings).credentials
    if not same:
        raise ConnectionChanged("Test it once more.")
    return connection


async def _put(uow: UnitOfWork, connection: Connection, settings: Settings, configuration: Configuration) -> None:
    parts = split(settings)
    with _readable():
        sealed = await vault.seal(uow, _master_keys(configuration), orjson.dumps(parts.credentials), _place(connection))
    connection.settings, connection.credentials, connection.key_version = parts.plain, sealed.blob, sealed.key_version
    connection.status, connection.last_error, connection.verified_at = "pending", None, None


async def _credentials(uow: UnitOfWork, connection: Connection, configuration: Configuration) -> Json:
    keys = _master_keys(configuration)
    with _readable():
        try:
            opened = await vault.open_sealed(uow, keys, connection.credentials or b"", _place(connection))
        except vault.KeyGone:
            # Sealed anew since the row was read, and the old key dropped: the row says by now under which.
            _found(await repository.find(uow, connection.id, with_credentials=True))
            opened = await vault.open_sealed(uow, keys, connection.credentials or b"", _place(connection))
    credentials: Json = orjson.loads(opened)
    return credentials


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except CannotOpen as error:
        raise CredentialsUnreadable(f"The server cannot open them: {error}.") from error


def _place(connection: Connection) -> Place:
    return vault.CREDENTIALS.place(connection.tenant_id, connection.id)


def _master_keys(configuration: Configuration) -> MasterKeys:
    return MasterKeys.parse(configuration.master_keys.get_secret_value())


def _found(connection: Connection | None) -> Connection:
    if connection is None:
        raise ConnectionNotFound
    return connection


def _fail_with(connection: Connection, error: SourceError) -> None:
    status = "needs_reauth" if isinstance(error, SourceUnauthorized) else "error"
    _fail(connection, code=error.code, detail=error.detail, status=status)


def _fail(connection: Connection, *, code: str, detail: str, status: str) -> None:
    connection.last_error = {"code": code, "detail": detail}
    connection.status = status


async def _record(
    uow: UnitOfWork, verb: str, connection: Connection, *, payload: Json, error: str | None = None
) -> None:
    await audit.record(
        uow,
        action=f"core.connection.{verb}",
        resource_type=RESOURCE,
        resource_id=connection.id,
        outcome="error" if error else "ok",
        reason=error,
        payload=payload,
    )


async def _record_check(uow: UnitOfWork, connection: Connection, checked: Checked) -> None:
    account_id = checked.account.id if checked.account else None
    payload = {"account_id": account_id, "duration_ms": checked.duration_ms}
    await _record(uow, "tested", connection, payload=payload, error=_error_code(connection))


async def _record_status(uow: UnitOfWork, connection: Connection, *, before: str) -> None:
    payload = {"from": before, "to": connection.status}
    await _record(uow, "status_changed", connection, payload=payload, error=_error_code(connection))


def _error_code(connection: Connection) -> str | None:
    return connection.last_error["code"] if connection.last_error else None
