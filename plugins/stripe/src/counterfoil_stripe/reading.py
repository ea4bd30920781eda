"""How Stripe is read: lists page by page, single objects, and what its refusals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from counterfoil.sdk import (
    Page,
    Raw,
    SourceForbidden,
    SourceInvalid,
    SourceMalformed,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
    utc_now,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from counterfoil.sdk import ConnectorContext, SourceError, Window

API_VERSION = "2026-10-28.endive"
_PAGE_SIZE = 100
_AGED_OUT = "aged out of our retention policy"


class NoSuchObject(SourceInvalid):
    """Stripe has no object of this id, or has it no longer."""


class NoLongerKept(SourceInvalid):
    """The event a list should go on from is older than what Stripe keeps: there is nothing after it any more."""


_ERRORS: dict[int, type[SourceError]] = {
    400: SourceInvalid,
    401: SourceUnauthorized,
    402: SourceInvalid,
    403: SourceForbidden,
    404: SourceInvalid,
    409: SourceUnavailable,
    429: SourceRateLimited,
    500: SourceUnavailable,
}


def classify(status: int, body: Any, headers: Mapping[str, str]) -> SourceError | None:
    """Stripe's own words as the right error; None for what is not written in Stripe's shape."""
    error = body.get("error") if isinstance(body, dict) else None
    if status not in _ERRORS or not isinstance(error, dict):
        return None
    # An object lock is a 429 with a code of its own; a limiter's names the limit in the header. Both pass.
    hints = [error.get("code"), error.get("param"), headers.get("stripe-rate-limited-reason")]
    named = ", ".join(str(hint) for hint in hints if hint)
    message = str(error.get("message", "Stripe gave no reason."))
    kind = _ERRORS[status]
    if status == 404 and error.get("code") == "resource_missing":  # noqa: PLR2004 - the status itself
        kind = NoSuchObject
    elif kind is SourceInvalid and _AGED_OUT in message:
        kind = NoLongerKept
    return kind(f"{message} ({named})" if named else message)


def created_in(w: Window) -> dict[str, int | str]:
    """The filters of a list for what was created in the window, both ends included."""
    bounds = {"created[gte]": w.since, "created[lte]": w.until}
    return {name: int(at.timestamp()) for name, at in bounds.items() if at}


async def pages(
    ctx: ConnectorContext, path: str, filters: Mapping[str, int | str], resume: str | None
) -> AsyncIterator[Page]:
    """The list, newest first; `resume` is the last id read. Objects made meanwhile stay out by the filters' fixed upper bound."""
    after, has_more = resume, True
    while has_more:
        cursor = {"starting_after": after} if after else {}
        body = await ctx.http.get(path, params={**filters, **cursor, "limit": _PAGE_SIZE})
        objects, has_more = _parts(path, body)
        after = objects[-1]["id"] if has_more else None
        yield Page(records=[Raw(item["id"], item) for item in objects], resume=after)


def fetching(path: str) -> Callable[[Any, ConnectorContext, str], Awaitable[Raw | None]]:
    """The `fetch` of a stream whose objects are at `path`.

    The observation is dated when it was asked for: what changes while the answer travels must not look older than it.
    """

    async def fetch(_: Any, ctx: ConnectorContext, source_id: str) -> Raw | None:
        asked_at = utc_now()
        try:
            body = await ctx.http.get(f"{path}/{quote(source_id, safe='')}")
        except NoSuchObject:
            return None
        if body.get("id") != source_id:
            raise SourceMalformed(f"{path} did not answer with the object asked for")
        # A deleted customer is still found, as a stub that says so.
        return Raw(source_id, body, observed_at=asked_at, deleted=body.get("deleted") is True)

    return fetch


async def has_any(ctx: ConnectorContext, path: str, *, before: int) -> bool:
    """Whether the list holds something created earlier; one that the key may not read counts as empty."""
    try:
        body = await ctx.http.get(path, params={"created[lt]": before, "limit": 1})
    except SourceForbidden:
        return False
    return bool(_parts(path, body)[0])


def _parts(path: str, body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    objects, has_more = body.get("data"), body.get("has_more")
    if not isinstance(objects, list) or not isinstance(has_more, bool) or (has_more and not objects):
        raise SourceMalformed(f"{path} did not answer with a list")
    return objects, has_more
