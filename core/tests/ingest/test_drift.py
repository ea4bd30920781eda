"""Fields that appear and types that change are noticed once, whatever vendors put into their keys."""

from datetime import timedelta
from typing import Any

import pytest
from core.tests.ingest.scripted import T0, total
from core.tests.ingest.wide import WideBench
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.ingest import drift
from counterfoil.ingest.drift import Shape

HOUR = timedelta(hours=1)


def shape(**paths: list[str]) -> Shape:
    return Shape(paths, is_settled=True)


def test_what_was_never_seen_appears_once_with_its_type() -> None:
    found = shape(id=["text"])
    found.examine({"id": "x", "card": {"brand": "visa", "year": 1}, "fees": [{"amount": 1.5}], "gone": None})
    assert set(found.taken()) == {
        ("card", "appeared", "object"),
        ("card.brand", "appeared", "text"),
        ("card.year", "appeared", "number"),
        ("fees", "appeared", "list"),
        ("fees[].amount", "appeared", "number"),
        ("gone", "appeared", "null"),
    }
    found.examine({"id": "x", "card": {"brand": "amex"}})
    assert found.taken() == []


def test_another_type_is_a_change_and_a_value_where_nothing_was_is_none() -> None:
    found = shape(amount=["number"], note=[])
    found.examine({"amount": 7, "note": "hello"})
    assert found.taken() == []
    found.examine({"amount": None, "note": None})
    assert found.taken() == []
    found.examine({"amount": "7", "note": "bye"})
    assert found.taken() == [("amount", "type_changed", "text")]


def test_an_object_whose_keys_are_data_is_one_path() -> None:
    found = shape()
    for number in range(500):
        found.examine({"metadata": {f"order {number}": "x"}})
    assert len(found.paths) <= drift.MOST_CHILDREN + 3
    assert "metadata.*" in found.paths


keys = st.text(max_size=200) | st.sampled_from(["a.b", "*", "[]", "__class__", "\0", "\ud800", "é"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(payloads=st.lists(st.dictionaries(keys, values, max_size=6), max_size=5))
def test_hostile_keys_become_short_printable_paths(payloads: list[dict[str, Any]]) -> None:
    found = shape()
    for payload in payloads:
        found.examine(payload)
    for path, kind, name in found.taken():
        assert path.isprintable()
        assert len(path) <= drift.DEEPEST * (drift.LONGEST_KEY + 4)
        assert kind == "appeared" or name
    assert len(found.paths) <= drift.MOST_PATHS
    for payload in payloads:
        found.examine(payload)
    assert found.taken() == []


def test_depth_and_number_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "MOST_PATHS", 50)
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"d": deep}
    found = shape()
    found.examine(deep)
    assert len(found.paths) == drift.DEEPEST
    for number in range(30):
        found.examine({f"part{number}": {"a": 1, "b": 2, "c": 3}})
    assert len(found.paths) == 50


async def test_the_first_read_is_how_it_is_and_later_changes_are_noticed_once(wide: WideBench) -> None:
    wide.vendor.add(3)
    first = await wide.sync("charges")
    assert total(first, "charges")["notices"] == []
    wide.vendor.charges["c0001"][1]["wallet"] = {"secret": "4242 4242"}
    wide.vendor.charges["c0002"][1]["wallet"] = {"secret": "x"}
    job = wide.bench.job()
    second = await wide.sync("charges", now=T0 + HOUR, mode="backfill", job=job)
    assert [notice["code"] for notice in total(second, "charges")["notices"]] == ["schema_changed"]
    assert any("wallet (object), wallet.secret (text)" in line for line in job.logs)
    third = await wide.sync("charges", now=T0 + 2 * HOUR, mode="backfill")
    assert total(third, "charges")["notices"] == []
    async with wide.bench.database.unit_of_work(wide.bench.tenant_id) as uow:
        rows = await (await uow.driver()).fetch("SELECT * FROM core.schema_notices ORDER BY path")
    assert [(row["stream"], row["path"], row["kind"], row["sample_type"]) for row in rows] == [
        ("charges", "wallet", "appeared", "object"),
        ("charges", "wallet.secret", "appeared", "text"),
    ]
    assert "4242" not in str([tuple(row) for row in rows])
