"""Days and instants in requests, at every offset and at both ends of the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from counterfoil.testing.plugin import SignedIn
from counterfoil.web.instants import Bound, Day, Instant, ZonedInstant

ANY: tuple[TypeAdapter[Any], ...] = tuple(TypeAdapter[Any](kind) for kind in (Instant, ZonedInstant, Bound))
LOOSE, ZONED, BOUND = ANY
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(timezones=OFFSETS | st.sampled_from(sorted(available_timezones())).map(ZoneInfo))


@given(instant=INSTANTS)
def test_an_instant_stays_itself_or_lies_outside_of_all_years(instant: datetime) -> None:
    # isoformat of a zone has seconds in it before there were time zones; RFC 3339 has none.
    offset = instant.utcoffset()
    assert offset is not None
    if offset % timedelta(minutes=1):
        return
    for kind in (LOOSE, ZONED):
        try:
            read = kind.validate_python(instant.isoformat())
        except ValidationError:
            with pytest.raises(OverflowError):
                instant.astimezone(UTC)
            continue
        assert read.tzinfo is UTC
        assert read == instant.astimezone(UTC)
    # In UTC: to Python, a time that a clock was set past, or showed twice, equals none of another zone.
    assert BOUND.validate_python(instant.isoformat()).astimezone(UTC) == instant.astimezone(UTC)


@given(instant=st.datetimes())
def test_without_a_zone_it_is_utc_where_that_is_taken_and_refused_elsewhere(instant: datetime) -> None:
    assert LOOSE.validate_python(instant.isoformat()) == instant.replace(tzinfo=UTC)
    for kind in (ZONED, BOUND):
        with pytest.raises(ValidationError):
            kind.validate_python(instant.isoformat())


@given(number=st.integers() | st.floats() | st.integers().map(str) | st.floats().map(str))
def test_a_number_is_no_time(number: object) -> None:
    for kind in (*ANY, TypeAdapter[Any](Day)):
        with pytest.raises(ValidationError):
            kind.validate_python(number)


@given(day=st.dates())
def test_a_day_is_itself(day: date) -> None:
    assert TypeAdapter[Any](Day).validate_python(day.isoformat()) == day


@pytest.mark.parametrize("text", ["0.5", "1e9", "today", "2026-02-30", "0001-01-01T00:00:00+14:00", "2026-1-1"])
@pytest.mark.parametrize(
    "address", ["/api/v1/audit-events", "/api/v1/audit-events/verify", "/api/v1/audit-events/export.csv"]
)
async def test_a_route_names_the_field_that_is_no_time(signed_in: SignedIn, address: str, text: str) -> None:
    answer = await signed_in.client.get(address, params={"from": text})
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["from"]


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59-23:59", 4_000_000_000, "2030-01-01T00:00:00"])
async def test_a_key_ends_at_an_instant_that_there_is(signed_in: SignedIn, instant: object) -> None:
    body = {"name": "Script", "scopes": ["tables.read"], "expires_at": instant}
    answer: httpx2.Response = await signed_in.client.post("/api/v1/api-keys", json=body)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["expires_at"]
