"""The composition root of the API: the only place, with the worker, that knows everything."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from redis.asyncio import Redis

from counterfoil.audit.routes import router as audit_router
from counterfoil.audit.seals import SealKeys
from counterfoil.config import Settings
from counterfoil.connections import vault
from counterfoil.connections.routes import router as connections_router
from counterfoil.db import Database, UnitOfWork
from counterfoil.entitlements.mounting import mount_plugin_routes
from counterfoil.entitlements.routes import router as plugins_router
from counterfoil.evidence.routes import router as evidence_router
from counterfoil.identity.account.routes import router as account_router
from counterfoil.identity.account.service import Accounts
from counterfoil.identity.api_keys.routes import router as api_keys_router
from counterfoil.identity.invitations.routes import router as invitations_router
from counterfoil.identity.invitations.service import Invitations
from counterfoil.identity.routes import router as identity_router
from counterfoil.identity.service import Identity
from counterfoil.ingest.raw.routes import router as raw_router
from counterfoil.ingest.routes import router as ingest_router
from counterfoil.jobs.feed import JobFeed
from counterfoil.jobs.registry import TaskRegistry
from counterfoil.jobs.routes import router as jobs_router
from counterfoil.kit import cache
from counterfoil.kit.mail import Mailer, make_mailer
from counterfoil.kit.provided import Provided
from counterfoil.kit.ratelimit import RateLimiter
from counterfoil.kit.sealing import MasterKeys, Place
from counterfoil.monitoring.routes import router as monitoring_router
from counterfoil.objects import ObjectStore, open_store
from counterfoil.outbound.routes import router as outbound_router
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.migrate import quarantine_unmigrated
from counterfoil.rbac.catalogue import Catalogue
from counterfoil.rbac.members.routes import router as members_router
from counterfoil.rbac.roles.routes import router as roles_router
from counterfoil.tables.definitions import CORE_TABLES
from counterfoil.tables.exports import ExportSlots
from counterfoil.tables.registry import TableRegistry
from counterfoil.tables.routes import router as tables_router
from counterfoil.tables.views.routes import router as views_router
from counterfoil.tenancy.routes import router as tenants_router
from counterfoil.timeline.routes import router as timeline_router
from counterfoil.web.health import ReadinessProbes
from counterfoil.web.health import router as health_router
from counterfoil.web.idempotency import AnswerSealer, honouring_keys
from counterfoil.web.limits import ApiLimits
from counterfoil.web.middleware import BodyLimit, RequestContext, TextGuard
from counterfoil.web.openapi import described
from counterfoil.web.problems import install_problem_handlers
from counterfoil.web.ui import StaticUi
from counterfoil.web.unrouted import Unrouted
from counterfoil.webhooks.routes import router as webhooks_router
from counterfoil.worker import TASKS

# What becomes of a request before any operation has it; each operation lists its own answers.
_ANSWERS_OF_NO_OPERATION = """\
Errors are `application/problem+json` with a stable `code`. Before an operation is found, a request may be answered 400
(`malformed_request`), 404 (`not_found`), 405 (`method_not_allowed`), 408 (`request_timeout`), 413 (`payload_too_large`), 415
(`unsupported_encoding`), 422 (`invalid_input`: the address or the JSON holds what cannot be stored, names a member twice, or is
nested too deep) or 431 (`headers_too_large`)."""


def create_app(settings: Settings, *, plugins: PluginManager | None = None, with_ui: bool = True) -> FastAPI:
    """Wire the API up; connections are opened when the application starts.

    Args:
        settings: complete; `serve` checks them first.
        plugins: those of this process; the installed ones by default.
        with_ui: serve the web app too, which has to be built then.
    """
    manager = plugins or PluginManager.load()
    app = FastAPI(
        title="Counterfoil",
        version=version("counterfoil"),
        description=_ANSWERS_OF_NO_OPERATION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings, manager),
    )
    app.state.provided = Provided()
    for router in (
        identity_router,
        account_router,
        # Before the users' own, whose /{id} would swallow /invitations.
        invitations_router,
        tenants_router,
        roles_router,
        members_router,
        api_keys_router,
        plugins_router,
        # Before the connections' own, whose /{id} would swallow more exact paths.
        ingest_router,
        raw_router,
        outbound_router,
        webhooks_router,
        connections_router,
        jobs_router,
        # Before the tables' own, whose /{table} would swallow it.
        views_router,
        evidence_router,
        tables_router,
        audit_router,
        timeline_router,
        health_router,
        monitoring_router,
    ):
        app.include_router(honouring_keys(router))
    _mount_plugins(app, manager)
    app.mount("/", Unrouted(app.routes, ui=StaticUi() if with_ui else None))
    app.openapi = lambda: described(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    install_problem_handlers(app)
    app.add_middleware(TextGuard)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(RequestContext, is_https=settings.origin.startswith("https://"))
    return app


def _mount_plugins(app: FastAPI, manager: PluginManager) -> None:
    """Every plugin's routes, or none of one that brings a route which cannot be."""
    routers: dict[str, list[APIRouter]] = defaultdict(list)
    for plugin, router in manager.collect("register_routes"):
        routers[plugin.name].append(router)
    for plugin in manager.active:
        with manager.quarantining(plugin, "mounting its routes"):
            mount_plugin_routes(app, plugin.name, routers[plugin.name])


def _lifespan(settings: Settings, manager: PluginManager) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            url = settings.database_url.get_secret_value()
            database = Database.connect(url, pool_size=settings.database_pool_size)
            stack.push_async_callback(database.close)
            redis = cache.connect(settings.redis_url.get_secret_value())
            stack.push_async_callback(redis.aclose)
            feed = JobFeed(url)
            stack.push_async_callback(feed.close)
            store = open_store(settings)
            stack.push_async_callback(store.close)
            await quarantine_unmigrated(manager, settings)
            provided: Provided = app.state.provided
            for thing in (settings, database, redis, feed, manager):
                provided.add(thing)
            provided.add(store, ObjectStore)
            _add_features(provided, settings, manager, database=database, redis=redis)
            provided.add(ReadinessProbes(probes={"database": lambda: _ask(database), "redis": redis.ping}))
            yield

    return lifespan


def _add_features(
    provided: Provided, settings: Settings, manager: PluginManager, *, database: Database, redis: Redis
) -> None:
    catalogue = Catalogue.of(manager)
    mailer = make_mailer(
        settings.smtp_url.get_secret_value(), sender=settings.mail_sender, folder=settings.home / "mail"
    )
    identity = Identity.build(settings, database=database, redis=redis)
    for thing in (
        catalogue,
        identity,
        Accounts(identity, database=database, settings=settings, mailer=mailer),
        Invitations(identity, database=database, settings=settings, catalogue=catalogue),
        ApiLimits(RateLimiter(redis), per_minute=settings.api_rate_per_minute, burst=settings.api_burst),
        TaskRegistry(TASKS, plugins=manager, permissions=catalogue.permissions),
        TableRegistry(CORE_TABLES),
        ExportSlots(settings.exports_at_once),
        SealKeys.of(settings),
        _answer_sealer(settings),
    ):
        provided.add(thing)
    provided.add(mailer, as_type=Mailer)


def _answer_sealer(settings: Settings) -> AnswerSealer:
    keys = MasterKeys.parse(settings.master_keys.get_secret_value())

    async def seal(uow: UnitOfWork, answer: bytes, place: Place) -> bytes:
        return (await vault.seal(uow, keys, answer, place)).blob

    return AnswerSealer(seal=seal, open=lambda uow, sealed, place: vault.open_sealed(uow, keys, sealed, place))


async def _ask(database: Database) -> None:
    async with database.unit_of_work(None):
        """Opening a unit of work asks the database something already."""
