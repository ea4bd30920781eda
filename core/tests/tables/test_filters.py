"""The filter grammar: what it accepts, and what it says about everything else."""

import contextlib
import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.tables.definitions import CORE_TABLES, PAYMENTS, PAYOUTS
from counterfoil.tables.errors import InvalidFilter
from counterfoil.tables.filters import MAX_FILTERS, MAX_IN_VALUES, MAX_VALUE_LENGTH, OPS, Condition, parse_filters
from counterfoil.tables.records import Table
from counterfoil.tables.values import Value, parse_value, value_text

STORABLE_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
# hypothesis wants bounds without a zone; at either end of the calendar some zones would leave it.
YEARS = (datetime.fromisoformat("0002-01-01"), datetime.fromisoformat("9998-01-01"))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12)


def one(text: str, table: Table = PAYMENTS) -> Condition:
    (condition,) = parse_filters(table, [text])
    return condition


def refusal(*texts: str, table: Table = PAYMENTS) -> str:
    with pytest.raises(InvalidFilter) as refused:
        parse_filters(table, texts)
    return refused.value.detail


@pytest.mark.parametrize(
    ("text", "table", "op", "values"),
    [
        ("amount:gte:100", PAYMENTS, "gte", (Decimal(100),)),
        ("amount:eq:-0.000001", PAYMENTS, "eq", (Decimal("-0.000001"),)),
        ("status:in:pending,failed,pending", PAYMENTS, "in", ("pending", "failed")),
        ("description:eq:", PAYMENTS, "eq", ("",)),
        ("description:eq:a:b::c", PAYMENTS, "eq", ("a:b::c",)),
        ('description:in:"a,b","say ""hi""",c', PAYMENTS, "in", ("a,b", 'say "hi"', "c")),
        ("description:contains:50%", PAYMENTS, "contains", ("50%",)),
        ("deleted_at:is_null:false", PAYMENTS, "is_null", (False,)),
        ("automatic:eq:true", PAYOUTS, "eq", (True,)),
        ("arrival_date:lt:2026-02-28", PAYOUTS, "lt", (date(2026, 2, 28),)),
        (
            "source_created_at:gt:2026-01-01T02:00:00.25+02:00",
            PAYMENTS,
            "gt",
            (datetime(2026, 1, 1, 0, 0, 0, 250_000, UTC),),
        ),
        ("synced_at:lte:2026-01-01t00:00:00z", PAYMENTS, "lte", (datetime(2026, 1, 1, tzinfo=UTC),)),
        (
            "order_id:eq:0192F0C1-2345-7abc-8def-0123456789ab",
            PAYMENTS,
            "eq",
            (UUID("0192f0c1-2345-7abc-8def-0123456789ab"),),
        ),
    ],
)
def test_a_filter_is_read_into_typed_values(text: str, table: Table, op: str, values: tuple[Value, ...]) -> None:
    condition = one(text, table)
    assert condition.column.name == text.split(":", maxsplit=1)[0]
    assert condition.op == op
    assert condition.values == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "column:op:value"),
        ("amount", "column:op:value"),
        ("amount:gte", "column:op:value"),
        ("total:eq:1", "Payments cannot be filtered by that column. Columns: id, source_created_at, status,"),
        ("tenant_id:eq:0192f0c1-2345-7abc-8def-0123456789ab", "cannot be filtered by that column"),
        ("content_hash:eq:x", "cannot be filtered by that column"),
        ("amount:above:1", "Unknown operator: amount (money) takes eq, ne, in, gt, gte, lt, lte, is_null."),
        ("amount:contains:1", "The operator contains does not fit: amount (money) takes"),
        ("status:gt:paid", "The operator gt does not fit: status (enum) takes eq, ne, in, is_null."),
        ("amount:gte:lots", "A value for amount is a plain decimal number"),
        ("amount:gte:NaN", "plain decimal"),
        ("amount:gte:1e400000", "plain decimal"),
        ("amount:gte:١٢", "plain decimal"),
        ("amount:eq:", "plain decimal"),
        ("amount:in:1,,2", "plain decimal"),
        ("status:eq:payed", "A value for status is one of pending, authorized, succeeded, failed, canceled."),
        ("status:in:", "1 to 100 values"),
        ("source_created_at:gt:2026-01-01", "RFC 3339 time with its offset"),
        ("source_created_at:gt:2026-01-01T00:00:00", "RFC 3339"),
        ("source_created_at:gt:2026-02-30T00:00:00Z", "RFC 3339"),
        ("source_created_at:gt:0001-01-01T00:00:00+14:00", "RFC 3339"),
        ("order_id:eq:{0192f0c1-2345-7abc-8def-0123456789ab}", "is a UUID"),
        ("deleted_at:is_null:yes", "is true or false"),
        ("description:contains:", "some text to look for"),
        ("description:eq:a\0b", "without NUL"),
        ('description:in:"a', "separated by commas"),
        ("description:in:a\nb", "separated by commas"),
        ("description:eq:" + "x" * (MAX_VALUE_LENGTH + 1), f"at most {MAX_VALUE_LENGTH} characters"),
        ("description:in:" + "x," * MAX_IN_VALUES, f"1 to {MAX_IN_VALUES} values"),
    ],
)
def test_a_wrong_filter_is_told_what_would_be_right(text: str, says: str) -> None:
    assert says in refusal(text)


def test_a_problem_names_the_filter_it_is_about() -> None:
    with pytest.raises(InvalidFilter) as refused:
        parse_filters(PAYMENTS, ["amount:gte:1", "nothing:eq:1"])
    assert [error.path for error in refused.value.errors] == ["filter.1"]


def test_too_many_filters_are_refused() -> None:
    assert parse_filters(PAYMENTS, ["amount:gte:1"] * MAX_FILTERS)
    assert str(MAX_FILTERS) in refusal(*["amount:gte:1"] * (MAX_FILTERS + 1))


@given(st.sampled_from(CORE_TABLES), st.text(max_size=80))
def test_any_text_is_either_a_filter_or_an_invalid_filter(table: Table, text: str) -> None:
    with contextlib.suppress(InvalidFilter):
        parse_filters(table, [text])


@given(st.data())
def test_any_value_after_a_good_column_and_operator_is_read_or_refused(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(CORE_TABLES))
    column = data.draw(st.sampled_from(table.columns))
    op = data.draw(st.sampled_from(OPS[column.type]))
    text = data.draw(st.text(max_size=60))
    with contextlib.suppress(InvalidFilter):
        condition = one(f"{column.name}:{op}:{text}", table)
        assert (condition.column, condition.op) == (column, op)
        assert condition.values


@given(st.lists(STORABLE_TEXT, min_size=1, max_size=8, unique=True))
def test_a_list_written_as_csv_is_read_back(values: list[str]) -> None:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="").writerow(values)
    assert one(f"description:in:{line.getvalue()}").values == tuple(values)


@given(DECIMALS)
def test_a_decimal_reads_back_exactly(value: Decimal) -> None:
    assert parse_value(value_text(value), "money") == value


@given(st.datetimes(*YEARS, timezones=st.timezones(), allow_imaginary=False))
def test_a_time_reads_back_to_the_same_instant(value: datetime) -> None:
    # In one zone: where clocks go back, a local time and its instant never compare equal.
    assert parse_value(value_text(value), "timestamp") == value.astimezone(UTC)


@given(st.dates())
def test_a_date_reads_back(value: date) -> None:
    assert parse_value(value_text(value), "date") == value


@given(st.uuids())
def test_a_uuid_reads_back(value: UUID) -> None:
    assert parse_value(value_text(value), "uuid") == value


@given(st.booleans())
def test_a_boolean_reads_back(value: bool) -> None:
    assert parse_value(value_text(value), "boolean") is value
