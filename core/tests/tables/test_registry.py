"""Table records: a wrong one is refused where it is made, not when somebody opens it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from counterfoil.kit.errors import NotFound
from counterfoil.tables import Column, Table, TableRegistry
from counterfoil.tables.definitions import CORE_TABLES, PAYMENTS, PAYOUTS

READER = frozenset({"tables.read"})


def with_column(column: Column) -> Callable[[], Table]:
    return lambda: replace(PAYMENTS, columns=(*PAYMENTS.columns, column))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (with_column(PAYMENTS.columns[0]), "declared twice"),
        (lambda: replace(PAYMENTS, columns=PAYMENTS.columns[1:]), "'id' is missing"),
        (with_column(Column(name="nothing", title="Nothing", type="text")), "no column 'nothing'"),
        (with_column(Column(name="authority", title="Authority", type="money")), "names its currency's column"),
        (
            with_column(Column(name="authority", title="Authority", type="number", currency_column="currency")),
            "names its currency's column",
        ),
        (with_column(Column(name="authority", title="Authority", type="enum")), "lists its values"),
        (lambda: replace(PAYMENTS, default_sort="-nothing"), "cannot sort by '-nothing'"),
    ],
)
def test_a_wrong_table_cannot_be_made(make: Callable[[], Table], says: str) -> None:
    with pytest.raises(ValueError, match="table 'payments'") as refused:
        make()
    assert says in str(refused.value)


def test_two_tables_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two tables are called 'payments'"):
        TableRegistry([PAYMENTS, PAYOUTS, PAYMENTS])


def test_a_table_is_there_only_for_those_with_its_permission() -> None:
    registry = TableRegistry([PAYMENTS, replace(PAYOUTS, permission="payouts.read")])
    assert [table.name for table in registry.visible(READER)] == ["payments"]
    assert registry.find("payments", READER) is PAYMENTS
    for name in ("payouts", "nothing"):
        with pytest.raises(NotFound):
            registry.find(name, READER)


@pytest.mark.parametrize("table", CORE_TABLES, ids=lambda table: table.name)
def test_every_business_column_of_a_canonical_row_is_shown(table: Table) -> None:
    internal = {"tenant_id", "dedupe_key", "raw_id", "content_hash", "authority"}
    internal |= {column.order_column for column in table.columns if column.order_column}
    assert set(table.by_name) == set(table.source.columns.keys()) - internal
