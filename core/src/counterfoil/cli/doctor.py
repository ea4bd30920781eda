"""``counterfoil doctor``: what is in order, what is not, and what to do about it."""

import argparse
import asyncio
import io
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress

import redis.asyncio
from cryptography.fernet import Fernet
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from counterfoil.audit.seals import SealKeys
from counterfoil.cli.errors import CommandError
from counterfoil.cli.output import say
from counterfoil.cli.repository import ServerFacts, server_facts
from counterfoil.cli.services import ADMIN, NEEDED, missing, read_settings, usable_settings
from counterfoil.cli.weaknesses import weaknesses
from counterfoil.config import Settings
from counterfoil.connections import rotation
from counterfoil.db import Database
from counterfoil.db.database import sqlalchemy_url
from counterfoil.db.migrate import CORE, REQUIRED_POSTGRES, current_revisions
from counterfoil.db.roles import APP, OWNER, READ_ONLY, SYSTEM
from counterfoil.kit.errors import Problem
from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import MasterKeys
from counterfoil.kit.tokens import parse_keys
from counterfoil.objects import open_store
from counterfoil.plugins.errors import BundledPluginBroken
from counterfoil.plugins.manager import PluginManager

_MOST_NAMED = 20

Check = Callable[[Settings], Awaitable[str]]


class Finding(Exception):
    """Something is wrong: what, and what to do."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.todo = todo


def configure(_parser: argparse.ArgumentParser) -> None:
    """No arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:
        settings = read_settings()
        # Without them the first check says what is missing, and the others what can be said nevertheless.
        with suppress(CommandError):
            settings = stack.enter_context(usable_settings(NEEDED | ADMIN))
        return asyncio.run(examine(settings))


async def examine(settings: Settings) -> int:
    """Run every check and print a line for each; 1 when one failed."""
    failed = 0
    for name, check in CHECKS.items():
        try:
            say(f"  ok      {name}: {await check(settings)}")
        except Finding as finding:
            failed += 1
            say(f"  FAILED  {name}: {finding}\n          {finding.todo}")
    say(f"{failed} of {len(CHECKS)} checks failed" if failed else "All is well")
    return 1 if failed else 0


async def check_settings(settings: Settings) -> str:
    if lacking := missing(settings, NEEDED | ADMIN):
        raise Finding(f"not set: {', '.join(lacking)}", "Set them in the environment of this command.")
    return "every address and secret is set"


async def check_master_keys(settings: Settings) -> str:
    keys = [key.strip() for key in settings.master_keys.get_secret_value().split(",") if key.strip()]
    try:
        for key in keys:
            Fernet(key)
    except ValueError as error:
        todo = "Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        raise Finding("COUNTERFOIL_MASTER_KEYS holds something that is no Fernet key", todo) from error
    return _counted(keys, "COUNTERFOIL_MASTER_KEYS")


async def check_token_keys(settings: Settings) -> str:
    try:
        keys = list(parse_keys(settings.jwt_keys.get_secret_value()))
    except ValueError as error:
        todo = "Each is KID:BASE64 with 32 bytes or more: echo k1:$(head -c 32 /dev/urandom | base64)"
        raise Finding(f"COUNTERFOIL_JWT_KEYS: {error}", todo) from error
    return _counted(keys, "COUNTERFOIL_JWT_KEYS")


async def check_seal_key(settings: Settings) -> str:
    todo = "Make one, and keep it: head -c 32 /dev/urandom | base64"
    if not settings.seal_key.get_secret_value():
        raise Finding("COUNTERFOIL_SEAL_KEY is empty", todo)
    try:
        keys = SealKeys.of(settings)
    except ValueError as error:
        raise Finding(f"COUNTERFOIL_SEAL_KEY or COUNTERFOIL_FORMER_SEAL_KEYS: {error}", todo) from error
    return f"signs as {keys.signing.key_id}, {len(keys.public) - 1} former"


def _counted(keys: list[str], variable: str) -> str:
    if not keys:
        raise Finding(f"{variable} is empty", "Set it; every process needs the same value.")
    return f"{len(keys)} usable"


async def check_secrets(settings: Settings) -> str:
    if settings.environment == "demo":
        return "the demo makes its own"
    lacking = missing(settings, NEEDED | ADMIN)
    given = {variable: name for variable, name in (NEEDED | ADMIN).items() if variable not in lacking}
    if weak := weaknesses(settings, given):
        raise Finding("; ".join(weak), "Replace them; a production process refuses to start with these.")
    return "none is the demo's, and none can be guessed"


async def check_data_keys(settings: Settings) -> str:
    try:
        keys = MasterKeys.parse(settings.master_keys.get_secret_value())
    except ValueError as error:
        raise Finding(f"unknown: {error}", "See the line about master keys.") from error
    await _facts(settings.database_url.get_secret_value(), "DATABASE_URL")
    database = Database.connect(settings.database_url.get_secret_value(), pool_size=1)
    try:
        in_use = {
            slug: await rotation.master_keys_in_use(database, each) for each, slug in await rotation.tenants(database)
        }
    except SQLAlchemyError as error:
        raise Finding("unknown, the schema is not current", "Run `counterfoil migrate`.") from error
    finally:
        await database.close()
    if locked := [slug for slug, ids in in_use.items() if ids - set(keys.ids)]:
        todo = (
            "Put the master key they are under back into COUNTERFOIL_MASTER_KEYS, and run `counterfoil secrets rotate`."
        )
        raise Finding(f"under a master key that is not configured: {_some(locked)}", todo)
    if retired := [slug for slug, ids in in_use.items() if ids - {keys.current_id}]:
        return f"under a retired master key: {_some(retired)}; run `counterfoil secrets rotate` before it is removed"
    return f"those of {len(in_use)} tenants are under the first master key"


def _some(slugs: list[str]) -> str:
    more = len(slugs) - _MOST_NAMED
    return ", ".join(slugs[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


async def check_database(settings: Settings) -> str:
    facts = await _facts(settings.database_url.get_secret_value(), "DATABASE_URL")
    if facts.version < REQUIRED_POSTGRES:
        raise Finding(f"PostgreSQL {facts.version}", f"Counterfoil needs PostgreSQL {REQUIRED_POSTGRES} or newer.")
    return f"PostgreSQL {facts.version} answers as {facts.user}"


async def check_row_security(settings: Settings) -> str:
    facts = await _facts(settings.database_url.get_secret_value(), "DATABASE_URL")
    if facts.is_superuser or facts.bypasses_row_security:
        raise Finding(f"{facts.user} is not bound by row-level security", f"Let DATABASE_URL name the role {APP}.")
    return f"binds {facts.user}"


async def check_roles(settings: Settings) -> str:
    facts = await _facts(settings.database_admin_url.get_secret_value(), "DATABASE_ADMIN_URL")
    if absent := {OWNER, APP, READ_ONLY, SYSTEM} - facts.roles:
        raise Finding(f"missing: {', '.join(sorted(absent))}", "Run `counterfoil migrate`.")
    return "all there"


async def check_pgvector(settings: Settings) -> str:
    facts = await _facts(settings.database_admin_url.get_secret_value(), "DATABASE_ADMIN_URL")
    if not facts.pgvector:
        raise Finding("the extension `vector` is not installed on the server", "Install pgvector for PostgreSQL there.")
    return facts.pgvector


async def check_plugins(_settings: Settings) -> str:
    try:
        plugins = PluginManager.load().plugins
    except BundledPluginBroken as error:
        raise Finding(str(error), "One of our own plugins is broken: install matching versions.") from error
    if broken := [f"{plugin.name} ({plugin.reason})" for plugin in plugins if plugin.status == "quarantined"]:
        raise Finding(f"in quarantine: {', '.join(broken)}", "Uninstall it, or ask its publisher for a fixed version.")
    return ", ".join(plugin.name for plugin in plugins) or "none installed"


async def check_migrations(settings: Settings) -> str:
    address = settings.database_admin_url.get_secret_value()
    await _facts(address, "DATABASE_ADMIN_URL")
    try:
        wanted = [CORE, *PluginManager.load().lineages]
    except BundledPluginBroken as error:
        raise Finding("unknown, a plugin of ours is broken", "See the line about plugins.") from error
    reports = await current_revisions(admin_url=address, lineages=wanted)
    if behind := [report.schema for report in reports if report.before != report.after]:
        raise Finding(f"not current: {', '.join(behind)}", "Run `counterfoil migrate`.")
    return "current: " + ", ".join(f"{report.schema} {report.after}" for report in reports)


async def check_redis(settings: Settings) -> str:
    address = settings.redis_url.get_secret_value()
    if not address:
        raise Finding("REDIS_URL is not set", "Set it to a Redis or Valkey server.")
    try:
        client = redis.asyncio.Redis.from_url(address, socket_connect_timeout=5)
        try:
            await client.ping()
            policy = (await client.info("memory")).get("maxmemory_policy", "noeviction")
        finally:
            await client.aclose()
    except (RedisError, OSError, ValueError) as error:
        raise Finding(f"no answer: {error}", "Check REDIS_URL and that the server runs.") from error
    if policy != "noeviction":
        raise Finding(f"maxmemory-policy is {policy}", "Set it to noeviction: a full server must not drop messages.")
    return "answers"


async def check_home(settings: Settings) -> str:
    home = settings.home.expanduser().resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise Finding(
            f"{home} is not writable: {error.strerror}", "Set COUNTERFOIL_HOME to a folder that is."
        ) from error
    return str(home)


async def check_object_store(settings: Settings) -> str:
    """Write, read and delete a probe."""
    todo = "Check COUNTERFOIL_OBJECT_STORE_URL, the credentials, and that the bucket or folder is there and may be written."
    key, content = f"doctor/probe/{new_id()}", b"counterfoil"
    try:
        store = open_store(settings)
        try:
            await store.put(key, io.BytesIO(content))
            found = b"".join([chunk async for chunk in store.read(key)])
            await store.delete(key)
        finally:
            await store.close()
    except Problem as problem:
        raise Finding(problem.detail, todo) from problem
    except (OSError, ValueError) as error:
        raise Finding(str(error), todo) from error
    if found != content:
        raise Finding("a probe did not come back as it was written", todo)
    return settings.object_store_url.partition("?")[0] or "the folder `objects` of the home"


async def _facts(address: str, variable: str) -> ServerFacts:
    if not address:
        raise Finding(f"{variable} is not set", "Set it to a PostgreSQL address.")
    try:
        engine = create_async_engine(sqlalchemy_url(address), poolclass=NullPool, connect_args={"timeout": 5})
        try:
            async with engine.connect() as connection:
                return await server_facts(connection)
        finally:
            await engine.dispose()
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        todo = f"Check {variable} and that the server runs; `counterfoil migrate` makes the application's role."
        raise Finding(f"{variable}: {reason}", todo) from error


CHECKS: dict[str, Check] = {
    "settings": check_settings,
    "master keys": check_master_keys,
    "token keys": check_token_keys,
    "seal key": check_seal_key,
    "secrets": check_secrets,
    "database": check_database,
    "row-level security": check_row_security,
    "roles": check_roles,
    "pgvector": check_pgvector,
    "plugins": check_plugins,
    "migrations": check_migrations,
    "data keys": check_data_keys,
    "redis": check_redis,
    "home": check_home,
    "object store": check_object_store,
}
