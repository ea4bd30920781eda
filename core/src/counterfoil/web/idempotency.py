"""`Idempotency-Key`: a POST that is sent again does its work once and gets its first answer again.

The key is claimed and the answer kept in the request's own transaction, so there is no moment at which the work is done and the
answer lost. Whoever sends the same key meanwhile waits for that transaction: if it rolls back, the key is free again. Errors are
not kept: a request that failed did nothing, and may be repeated with its key.
"""

import copy
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column
from starlette.responses import Response

from counterfoil.db.base import CoreBase
from counterfoil.db.database import UnitOfWork
from counterfoil.kit import context
from counterfoil.kit.errors import Conflict, FieldError, InvalidInput, Problem, Unavailable
from counterfoil.kit.ids import new_id
from counterfoil.kit.sealing import CannotOpen, Place, key_version

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
LONGEST_KEY = 255

_KEPT_FOR = timedelta(hours=24)
_KEPT_HEADERS = ("content-type", "location", "etag")
# Expired keys that a claim takes along: more than one, so that they never pile up.
_SWEPT = 20
_LOCK_NOT_AVAILABLE = "55P03"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class IdempotencyKeyReused(Problem):
    status, code, title = 422, "idempotency_key_reused", "The idempotency key belongs to another request"


class IdempotencyInProgress(Conflict):
    status, code, title = 409, "idempotency_in_progress", "The first request with this key is still at work"


class AnswerLocked(Unavailable):
    code, title = "answer_locked", "The answer bears a secret that cannot be kept, or not be shown again"


class IdempotencyKey(CoreBase):
    """A key somebody used, and the answer they got. Without a status the work is under way, in this very transaction.

    An answer with a ``key_version`` is sealed under that one of the tenant's data keys.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        sa.Index("idempotency_keys_expires_at_idx", "tenant_id", "expires_at"),
        sa.Index(
            "idempotency_keys_sealed_key",
            "tenant_id",
            "id",
            unique=True,
            postgresql_where=sa.text("key_version IS NOT NULL"),
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core.tenants.id", ondelete="CASCADE"), primary_key=True)
    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    route: Mapped[str]
    request_hash: Mapped[bytes]
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None]
    key_version: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class AnswerSealer:
    """Seals answers that bear secrets, and opens them for a replay; what it cannot do is a ``CannotOpen``."""

    seal: Callable[[UnitOfWork, bytes, Place], Awaitable[bytes]]
    open: Callable[[UnitOfWork, bytes, Place], Awaitable[bytes]]


@dataclass(kw_only=True)
class _Attempt:
    """One request with a key. ``uow`` is set once the key is claimed: by then the request is the first of its kind."""

    key: str
    route: str
    request_hash: bytes
    sealer: AnswerSealer
    row_id: UUID = field(default_factory=new_id)
    uow: UnitOfWork | None = None
    secret: bool = False


class _Replay(Exception):
    """The way out of a route that has nothing left to do."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


_attempt: ContextVar[_Attempt | None] = ContextVar("idempotency_attempt", default=None)
_keys = cast("sa.Table", IdempotencyKey.__table__)


def honouring_keys(router: APIRouter) -> APIRouter:
    """The router with every POST behind its idempotency key; the routes themselves are left as they are.

    What a key protects is what happens in the unit of work of ``require``. Set from outside, so that nobody who writes a
    router has to think of it.
    """
    return APIRouter(routes=[_honouring(route) for route in router.routes])


def _honouring(route: Any) -> Any:
    if not isinstance(route, APIRoute) or "POST" not in (route.methods or ()):
        return route
    made = copy.copy(route)
    handler_of = made.get_route_handler
    # FastAPI's documented way to put something around a route, without a class for it.
    made.get_route_handler = lambda: _with_key(handler_of())  # type: ignore[method-assign]
    return made


def _with_key(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return await handler(request)
        attempt = await _attempted(request, key)
        with context.bound(_attempt, attempt):
            try:
                response = await handler(request)
            except _Replay as replay:
                return replay.response
        if attempt.uow is not None:
            # The function-scoped unit of work is still open here: it ends when the handler has returned.
            await _keep(attempt, attempt.uow, response)
        return response

    return handle


async def claim(uow: UnitOfWork, *, secret_answer: bool) -> None:
    """Claim the request's key, if it has one, before any work is done; ends the request where the work was done before.

    Raises:
        IdempotencyKeyReused: the key came with another request.
        IdempotencyInProgress: the first request with it does not end.
        AnswerLocked: the first answer was sealed, and does not open any more.
    """
    attempt = _attempt.get()
    if attempt is None or attempt.uow is not None:
        return
    attempt.secret = secret_answer
    try:
        replay = None if await _claim(uow, attempt) else _Replay(await _first_answer(uow, attempt))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise IdempotencyInProgress("Try again in a moment.", headers={"Retry-After": "5"}) from error
    if replay is not None:
        raise replay
    attempt.uow = uow


async def _claim(uow: UnitOfWork, attempt: _Attempt) -> bool:
    # Waits for a transaction that has claimed the same key, for as long as the role's lock_timeout.
    values = {
        "id": attempt.row_id,
        "route": attempt.route,
        "request_hash": attempt.request_hash,
        "expires_at": sa.func.now() + _KEPT_FOR,
    }
    statement = (
        insert(IdempotencyKey)
        .values(tenant_id=uow.tenant, caller=_caller(), key=attempt.key, **values)
        .on_conflict_do_update(
            index_elements=["tenant_id", "caller", "key"],
            set_={
                **values,
                "status": None,
                "headers": None,
                "body": None,
                "key_version": None,
                "created_at": sa.func.now(),
            },
            where=_keys.c.expires_at < sa.func.now(),
        )
        .returning(_keys.c.id)
    )
    return (await uow.session.execute(statement)).first() is not None


async def _first_answer(uow: UnitOfWork, attempt: _Attempt) -> Response:
    statement = sa.select(IdempotencyKey).where(IdempotencyKey.caller == _caller(), IdempotencyKey.key == attempt.key)
    # Held, so that the data key it is sealed under is not replaced and dropped between this and the opening.
    kept = (await uow.session.scalars(statement.with_for_update(read=True))).one()
    if kept.request_hash != attempt.request_hash:
        raise IdempotencyKeyReused("Use a new key for a new request.")
    body = kept.body or b""
    if kept.key_version is not None:
        with _explained("The work was done by the first request, but its answer does not open any more"):
            body = await attempt.sealer.open(uow, body, _place(uow, kept.id))
    return Response(body, kept.status or HTTPStatus.OK, headers={**(kept.headers or {}), REPLAYED: "true"})


async def _keep(attempt: _Attempt, uow: UnitOfWork, response: Response) -> None:
    mine = sa.and_(_keys.c.caller == _caller(), _keys.c.key == attempt.key)
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        await uow.session.execute(sa.delete(_keys).where(mine))
        return
    body = bytes(response.body)
    version = None
    if attempt.secret:
        with _explained("Nothing was done, for the answer could not be kept"):
            body = await attempt.sealer.seal(uow, body, _place(uow, attempt.row_id))
            version = key_version(body)
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    identity = sa.tuple_(_keys.c.caller, _keys.c.key)
    expired = (
        sa.select(_keys.c.caller, _keys.c.key)
        .where(_keys.c.expires_at < sa.func.now())
        .order_by(_keys.c.expires_at)
        .limit(_SWEPT)
        .with_for_update(skip_locked=True)
    )
    swept = sa.delete(_keys).where(identity.in_(expired)).cte("swept")
    values = {"status": response.status_code, "headers": headers, "body": body, "key_version": version}
    await uow.session.execute(sa.update(_keys).where(mine).values(values).add_cte(swept))


@contextmanager
def _explained(state: str) -> Iterator[None]:
    try:
        yield
    except CannotOpen as error:
        raise AnswerLocked(f"{state}: {error}.") from error


async def _attempted(request: Request, key: str) -> _Attempt:
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        message = f"An idempotency key has 1 to {LONGEST_KEY} printable ASCII characters."
        raise InvalidInput(message, errors=[FieldError(path=HEADER, message=message)])
    url = f"{request.url.path}?{request.url.query}"
    content_type = request.headers.get("content-type", "")
    asked = hashlib.sha256(f"{request.method} {url}\n{content_type}\n".encode())
    # Read here, whatever the route reads later is this same body; its size is bounded by then.
    asked.update(await request.body())
    return _Attempt(
        key=key,
        route=f"{request.method} {request.url.path}",
        request_hash=asked.digest(),
        sealer=request.app.state.provided[AnswerSealer],
    )


def _caller() -> str:
    actor = context.current_actor.get()
    return f"{actor.kind}:{actor.id}"


def _place(uow: UnitOfWork, row_id: UUID) -> Place:
    return Place(tenant_id=uow.tenant, table="core.idempotency_keys", column="body", row_id=row_id)
