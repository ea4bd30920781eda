"""Sorts and cursors: every position reads back, and nothing else is taken for one."""

import base64
import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.ids import new_id
from counterfoil.tables.definitions import CORE_TABLES, PAYMENTS, PAYOUTS
from counterfoil.tables.errors import InvalidSort
from counterfoil.tables.records import Column, Table
from counterfoil.tables.sorting import (
    TEXT_SORT_LENGTH,
    Position,
    Sort,
    decode_position,
    encode_position,
    parse_sort,
)
from counterfoil.tables.values import Value
from counterfoil.web.pagination import InvalidCursor, encode_cursor

LONGEST_CURSOR = 2048
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=TEXT_SORT_LENGTH)
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "text": TEXT,
    "enum": TEXT,
    "money": st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12),
    "number": st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal(0), max_value=10**6),
    "timestamp": st.datetimes(timezones=st.just(UTC)),
    "date": st.dates(),
    "boolean": st.booleans(),
    "uuid": st.uuids(),
}
AMOUNT = Sort(column=PAYMENTS.by_name["amount"], descending=True)
AN_ID = "0192f0c1-2345-7abc-8def-0123456789ab"


@st.composite
def positions(draw: st.DrawFn) -> tuple[Table, Sort, Position]:
    table = draw(st.sampled_from(CORE_TABLES))
    column: Column = draw(st.sampled_from(table.columns))
    value = draw(VALUES[column.type] | st.none() if table.is_nullable(column) else VALUES[column.type])
    return table, Sort(column=column, descending=draw(st.booleans())), Position(value=value, id=draw(st.uuids()))


@given(positions())
def test_a_cursor_reads_back_to_its_position_and_fits_an_address(position: tuple[Table, Sort, Position]) -> None:
    table, sort, end = position
    cursor = encode_position(table, sort, end)
    assert decode_position(table, sort, cursor) == end
    assert len(cursor) <= LONGEST_CURSOR


def test_the_longest_text_still_makes_a_cursor_that_fits() -> None:
    sort = parse_sort(PAYMENTS, "-source_created_at")
    for character in ("\x01", "\U0001f4b6", '"', "\\"):
        description = Sort(column=PAYMENTS.by_name["description"], descending=sort.descending)
        end = Position(value=character * TEXT_SORT_LENGTH, id=new_id())
        assert len(encode_position(PAYMENTS, description, end)) <= LONGEST_CURSOR


@given(positions(), positions())
def test_a_cursor_of_another_table_or_sort_is_refused(
    one: tuple[Table, Sort, Position], other: tuple[Table, Sort, Position]
) -> None:
    cursor = encode_position(*one)
    if (one[0].name, str(one[1])) != (other[0].name, str(other[1])):
        with pytest.raises(InvalidCursor, match="another table or another sort"):
            decode_position(other[0], other[1], cursor)


@given(
    st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="))
)
def test_any_text_is_either_a_cursor_or_an_invalid_cursor(cursor: str) -> None:
    with contextlib.suppress(InvalidCursor):
        decode_position(PAYMENTS, AMOUNT, cursor)


@pytest.mark.parametrize(
    "parts",
    [
        ("payments", "-amount", "1.00"),
        ("payments", "-amount", 1.0, AN_ID),
        ("payments", "-amount", True, AN_ID),
        ("payments", "-amount", "1 OR 1=1", AN_ID),
        ("payments", "-amount", "NaN", AN_ID),
        ("payments", "-amount", None, AN_ID),
        ("payments", "-amount", "1.00", "not an id"),
        ("payments", "-amount", "1.00", 7),
        ("payments", "-amount", ["1.00"], AN_ID),
        ("payments", ["-amount"], "1.00", AN_ID),
    ],
)
def test_a_forged_cursor_is_refused(parts: tuple[object, ...]) -> None:
    with pytest.raises(InvalidCursor):
        decode_position(PAYMENTS, AMOUNT, encode_cursor(*parts))


def test_a_cursor_that_smuggles_a_nul_is_refused() -> None:
    sort = parse_sort(PAYMENTS, "description")
    with pytest.raises(InvalidCursor):
        decode_position(PAYMENTS, sort, encode_cursor("payments", "description", "a\0b", AN_ID))


def test_a_cursor_says_nothing_but_position() -> None:
    end = Position(value=datetime(2026, 11, 23, 8, 15, 0, 1, UTC), id=UUID(AN_ID))
    cursor = encode_position(PAYMENTS, parse_sort(PAYMENTS, None), end)
    decoded = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert decoded == ["payments", "-source_created_at", "2026-11-23T08:15:00.000001Z", AN_ID]


def test_without_a_sort_the_tables_own_holds() -> None:
    for text in (None, ""):
        assert str(parse_sort(PAYOUTS, text)) == "-source_created_at"


@pytest.mark.parametrize("text", ["amount", "-amount", "arrival_date", "-id"])
def test_a_sort_reads_back(text: str) -> None:
    assert str(parse_sort(PAYOUTS, text)) == text


@pytest.mark.parametrize(
    "text", ["--amount", "-", "amount desc", "tenant_id", "content_hash", "amount; DROP TABLE core.payouts"]
)
def test_a_wrong_sort_is_told_what_would_be_right(text: str) -> None:
    with pytest.raises(InvalidSort) as refused:
        parse_sort(PAYOUTS, text)
    assert "Payouts cannot be sorted by that. Columns: id, source_created_at, status, amount" in refused.value.detail
    assert [error.path for error in refused.value.errors] == ["sort"]
