from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.ingest.records import Origin, UnmappableRecord, raw_version, rows_of
from counterfoil.ingest.records import RowMapper as Mapper
from counterfoil.kit.ids import derived_id
from counterfoil.plugins.connector import Json, Raw, Stream, TimeCursor
from counterfoil.sdk import Payment, PayoutLine, Ref

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin(tenant_id=UUID(int=1), connection_id=UUID(int=2), source="test", account="acct_1")

payloads = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=6,
)


async def _no_pages(_connector: Any, _ctx: Any, _window: Any) -> Any:
    for _ in ():
        yield _


def _stream(to_rows: Any = None, *, version: int = 1, volatile: tuple[str, ...] = ()) -> Stream:
    return Stream(
        name="things",
        title="Things",
        cursor=TimeCursor(),
        targets=(Payment,),
        version=version,
        volatile=volatile,
        pages=_no_pages,
        to_rows=to_rows,
    )


def _version(payload: Json, stream: Stream) -> Any:
    return raw_version(ORIGIN, stream, Raw("x1", payload), NOW)


@given(payload=payloads)
def test_the_hash_does_not_depend_on_the_order_of_keys(payload: Json) -> None:
    turned = dict(reversed(payload.items()))
    assert _version(payload, _stream()).content_hash == _version(turned, _stream()).content_hash


@given(payload=payloads, value=st.integers())
def test_a_volatile_path_does_not_count_as_a_change_and_any_other_does(payload: Json, value: int) -> None:
    stream = _stream(volatile=("meta.seen",))
    base = {**payload, "meta": {"kept": 1, "seen": 0}}
    assert (
        _version(base, stream).content_hash
        == _version({**base, "meta": {"kept": 1, "seen": value}}, stream).content_hash
    )
    changed = _version({**base, "meta": {"kept": 2, "seen": 0}}, stream)
    assert changed.content_hash != _version(base, stream).content_hash


def test_a_new_version_of_the_mapping_makes_every_record_count_as_changed() -> None:
    assert _version({"a": 1}, _stream(version=1)).content_hash != _version({"a": 1}, _stream(version=2)).content_hash


@given(text=st.text(alphabet=st.sampled_from("a\\u0\0"), max_size=12))
def test_a_nul_is_replaced_and_an_escaped_backslash_is_not(text: str) -> None:
    stored = _version({"t": text}, _stream())
    assert "\\u0000" not in stored.payload_json.replace("\\\\", "")
    assert stored.payload["t"] == text.replace("\0", "�")


def test_references_become_the_ids_of_the_rows_they_mean() -> None:
    def to_rows(raw: Json) -> list[PayoutLine]:
        return [
            PayoutLine(
                source_id=raw["id"],
                kind="charge",
                gross=Decimal("10.00"),
                fee=Decimal("0.59"),
                net=Decimal("9.41"),
                currency="USD",
                payout=Ref("payout", "po_1"),
            )
        ]

    stream = _stream(to_rows)
    mapper = Mapper(PayoutLine, ORIGIN)
    [row] = rows_of(stream, _version({"id": "txn_1"}, stream), lambda _kind: mapper)
    values = dict(zip(mapper.columns, row.values, strict=True))
    assert values["payout_id"] == derived_id(str(ORIGIN.tenant_id), "test", "acct_1", "payout", "po_1")
    assert values["payment_id"] is None
    assert ORIGIN.dedupe_prefix("payout_line") == "test:acct_1:payout_line:"
    assert row.id == ORIGIN.row_id("payout_line", "txn_1")


@pytest.mark.parametrize(
    "amount_and_currency",
    [
        (Decimal("NaN"), "USD"),
        (Decimal("Infinity"), "USD"),
        (Decimal(10) ** 13, "USD"),
        (Decimal(1), "usd"),
        (Decimal(1), ""),
    ],
)
def test_what_does_not_fit_the_table_is_reported_with_the_record(amount_and_currency: tuple[Decimal, str]) -> None:
    amount, currency = amount_and_currency
    stream = _stream(lambda raw: [Payment(source_id=raw["id"], amount=amount, currency=currency, status="paid")])
    mapper = Mapper(Payment, ORIGIN)
    with pytest.raises(UnmappableRecord, match="x1"):
        rows_of(stream, _version({"id": "x1"}, stream), lambda _kind: mapper)


def test_a_record_that_lacks_what_the_mapping_reads_is_reported_not_raised_as_a_crash() -> None:
    stream = _stream(
        lambda raw: [Payment(source_id=raw["id"], amount=raw["amount"]["value"], currency="USD", status="x")]
    )
    mapper = Mapper(Payment, ORIGIN)
    with pytest.raises(UnmappableRecord, match="KeyError"):
        rows_of(stream, _version({"id": "x1"}, stream), lambda _kind: mapper)
