from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from counterfoil.tables.aggregates import Bucket, Function
from counterfoil.tables.filters import Op
from counterfoil.tables.records import ColumnType
from counterfoil.web.pagination import Page

Cell = str | int | bool | None


class ColumnOut(BaseModel):
    name: str
    title: str
    type: ColumnType
    filterable: bool
    sortable: bool
    indexed: bool = Field(description="Sorting by it is fast however many rows there are; by others up to 100000 rows")
    ops: list[Op] = Field(description="Operators a filter on it may have")
    groupable: bool = Field(description="An aggregate may group by it; a timestamp by its time buckets only")
    buckets: list[Bucket] = Field(description="Time buckets it may be grouped by")
    description: str | None = None
    unit: Literal["currency", "UTC"] | None = Field(
        None, description="What its values are in: the currency of the row's currency_column, or UTC"
    )
    hidden_by_default: bool
    currency_column: str | None = Field(None, description="Money columns: where the amount's currency is")
    enum: list[str] | None = Field(None, description="Enum columns: the values a filter accepts")


class TableOut(BaseModel):
    name: str
    title: str
    description: str
    row_count_estimate: int = Field(description="Rows that are not deleted: exact up to 10000; 10001 means more")
    default_sort: str = Field(examples=["-source_created_at"])
    columns: list[ColumnOut]


class TableList(BaseModel):
    items: list[TableOut]


class RowOut(BaseModel):
    """One row: its id and the table's columns. Money and numbers are decimal strings, times RFC 3339 in UTC."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Cell]

    id: UUID


class RowPage(Page[RowOut]):
    total: int | None = Field(None, description="With count=true: all rows the filters let through")


class GroupColumnOut(BaseModel):
    name: str
    type: ColumnType
    bucket: Bucket | None
    added: bool = Field(description="Nobody asked for it: it keeps the currencies of an amount apart")


class MeasureOut(BaseModel):
    name: str = Field(examples=["sum_amount"])
    function: Function
    column: str | None
    type: ColumnType
    currency_column: str | None = Field(description="Amounts: the group that says their currency")


class GroupOut(BaseModel):
    """One group. A time bucket is named by where it begins."""

    group: dict[str, Cell]
    values: dict[str, Cell] = Field(description="By measure: amounts and numbers as decimal strings, counts as numbers")
    filters: list[str] | None = Field(
        description="Filters that list the rows of this group; null where the list would not take them"
    )


class AggregateOut(BaseModel):
    groups: list[GroupColumnOut]
    measures: list[MeasureOut]
    timezone: str = Field(description="Where days and longer buckets begin at midnight", examples=["Europe/Berlin"])
    items: list[GroupOut]
    truncated: bool = Field(description="There are more groups than the limit; the figures of those shown are complete")


class RawOut(BaseModel):
    """The record as the vendor sent it, in its newest version."""

    id: UUID
    stream: str
    source_id: str
    payload: dict[str, Any]
    content_hash: str = Field(description="Hexadecimal; changes when the payload does")
    observed_at: datetime
    changed_at: datetime


class ConnectionRef(BaseModel):
    id: UUID
    label: str
    kind: str


class RunRef(BaseModel):
    id: UUID
    stream: str
    mode: str
    status: str
    started_at: datetime
    finished_at: datetime | None


class JobRef(BaseModel):
    id: UUID
    kind: str
    status: str


class LineageOut(BaseModel):
    """Where a row came from; a part that is gone is null."""

    connection: ConnectionRef
    run: RunRef | None
    job: JobRef | None
    dedupe_key: str = Field(description="source|account|object|source id: what makes the row one and the same")


class RowDetail(BaseModel):
    row: RowOut
    raw: RawOut | None
    lineage: LineageOut
