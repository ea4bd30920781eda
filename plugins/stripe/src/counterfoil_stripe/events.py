"""Stripe's events: what happened to objects after they were made, and which object a webhook is about.

An event carries its object as it was then, in the shape of the account's API version at that time and not of the one asked
for. So a payload is believed only if its version is ours; otherwise the object itself is fetched, unless it was so young when
the event happened that its own list is going to show it again. That list begins its look-back at an instant before the event
and is read after it, so nothing is missed, and an account whose events are all of an older version costs no request for
each of its new charges.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from counterfoil.sdk import Hint, Page, Raw, SourceForbidden, TimeCursor, from_unix, utc_now
from counterfoil_stripe import reading
from counterfoil_stripe.reading import API_VERSION, NoLongerKept

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from datetime import datetime

    from counterfoil.sdk import Connector, ConnectorContext, Window

Json = dict[str, Any]

# The streams an event tells of, by the kind of its object.
TOLD_STREAMS = {
    "charge": "charges",
    "customer": "customers",
    "dispute": "disputes",
    "invoice": "invoices",
    "payment_intent": "payment_intents",
    "payout": "payouts",
    "refund": "refunds",
}
# It speaks of an invoice that does not exist yet.
_UNREAL = {"invoice.upcoming"}
_OBJECT_ID = re.compile(r"[A-Za-z0-9_]+")
_FETCHES_AT_ONCE = 4
# A moment before every event: a record that was fetched is told of for good.
_FETCHED = 0


def subject_of(event: Json) -> Hint | None:
    """The record an event is about, or None if it is none that is kept, or another account's."""
    subject = event["data"]["object"]
    stream = TOLD_STREAMS.get(subject.get("object"))
    source_id = subject.get("id")
    if stream is None or event["type"] in _UNREAL or event.get("account") or not isinstance(source_id, str):
        return None
    return Hint(stream=stream, source_id=source_id) if _OBJECT_ID.fullmatch(source_id) else None


async def read_events(connector: Connector, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
    """The records the window's events tell of, as records of their own streams."""
    told: dict[Hint, int] = {}
    try:
        async for page in reading.pages(ctx, "/v1/events", reading.created_in(w), w.resume):
            happened = [raw.payload for raw in page.records]
            news = {
                subject: latest
                for subject, latest in _latest(happened).items()
                if subject not in told or latest[0]["created"] < told[subject]
            }
            believed, doubtful = _judged(connector, news)
            yield Page(records=believed + await _fetched(connector, ctx, doubtful), resume=page.resume)
            # What is older than this page is known to be older by its time, but a second may go on over the page's end.
            oldest = happened[-1]["created"] if happened else 0
            told |= {subject: latest[0]["created"] for subject, latest in news.items()}
            told = {subject: at for subject, at in told.items() if at in {oldest, _FETCHED}} | dict.fromkeys(
                doubtful, _FETCHED
            )
    except NoLongerKept:
        # The rest of the window is older than what Stripe keeps; the engine knows how long that is.
        return


def _latest(happened: Iterable[Json]) -> dict[Hint, list[Json]]:
    """For each record, the events of the newest second that tells of it. The events come newest first."""
    latest: dict[Hint, list[Json]] = {}
    for event in happened:
        subject = subject_of(event)
        if subject is not None:
            same = latest.setdefault(subject, [event])
            if event is not same[0] and event["created"] == same[0]["created"]:
                same.append(event)
    return latest


def _judged(connector: Connector, news: dict[Hint, list[Json]]) -> tuple[list[Raw], dict[Hint, Json]]:
    """The records that can be taken from the events, and the events whose records have to be fetched."""
    believed: list[Raw] = []
    doubtful: dict[Hint, Json] = {}
    for subject, latest in news.items():
        deletion = next((each for each in latest if _is_deletion(each)), None)
        event = deletion or latest[0]
        if deletion or _can_be_believed(latest):
            believed.append(_record(subject, event, observed_at=_end_of_second(event), deleted=deletion is not None))
        elif not _is_listed_again(connector, subject, event):
            doubtful[subject] = event
    return believed, doubtful


def _is_deletion(event: Json) -> bool:
    return bool(event["type"] == f"{event['data']['object']['object']}.deleted")


def _can_be_believed(latest: Sequence[Json]) -> bool:
    """Rendered in our version, and no other state in the same second: the list does not say which of the two came last."""
    state = latest[0]["data"]["object"]
    return all(each["api_version"] == API_VERSION and each["data"]["object"] == state for each in latest)


def _is_listed_again(connector: Connector, subject: Hint, event: Json) -> bool:
    cursor = connector.streams[subject.stream].cursor
    created = event["data"]["object"].get("created")
    if not isinstance(cursor, TimeCursor) or not isinstance(created, int):
        return False
    return timedelta(0) <= timedelta(seconds=event["created"] - created) < cursor.lookback_delta


def _record(subject: Hint, event: Json, *, observed_at: datetime, deleted: bool) -> Raw:
    payload = event["data"]["object"]
    return Raw(subject.source_id, payload, stream=subject.stream, observed_at=observed_at, deleted=deleted)


def _end_of_second(event: Json) -> datetime:
    """Stripe writes times in whole seconds, rounded down.

    A list read within that second but before the event must not look newer than it. One read within it and after the event
    says the same, or there is a later event.
    """
    return from_unix(event["created"]) + timedelta(seconds=1)


async def _fetched(connector: Connector, ctx: ConnectorContext, doubtful: Mapping[Hint, Json]) -> list[Raw]:
    slots = asyncio.Semaphore(_FETCHES_AT_ONCE)

    async def fetch(subject: Hint, event: Json) -> Raw | None:
        fetch_one = connector.streams[subject.stream].fetch_one
        assert fetch_one is not None  # noqa: S101 - every stream events tell of has one; a test holds us to it
        async with slots:
            asked_at = utc_now()
            try:
                found = await fetch_one(connector, ctx, subject.source_id)
            except SourceForbidden:
                # A key that may not read these: their own stream says so, and the others' events are still of use.
                return None
        if found is None:
            return _record(subject, event, observed_at=asked_at, deleted=True)
        return Raw(
            subject.source_id,
            found.payload,
            stream=subject.stream,
            observed_at=found.observed_at,
            deleted=found.deleted,
        )

    tasks = [asyncio.create_task(fetch(subject, event)) for subject, event in doubtful.items()]
    try:
        found = [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [raw for raw in found if raw is not None]
