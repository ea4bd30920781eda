from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from counterfoil.tables.aggregates import MAX_GROUPS, MAX_MEASURES
from counterfoil.tables.filters import MAX_FILTERS, MAX_VALUE_LENGTH
from counterfoil.tables.views.models import SavedView
from counterfoil.web.text import Line

_Name = Annotated[Line, StringConstraints(max_length=100)]
_Filter = Annotated[str, StringConstraints(max_length=MAX_VALUE_LENGTH + 200)]
_Term = Annotated[str, StringConstraints(max_length=100)]
_Filters = Annotated[list[_Filter], Field(max_length=MAX_FILTERS, examples=[["status:eq:succeeded"]])]
_Columns = Annotated[list[_Term], Field(min_length=1, max_length=200)]


class Chart(BaseModel):
    """What is drawn above the rows: an aggregate of those the filters let through."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["bar", "line", "area", "pie", "number"]
    groups: list[_Term] = Field([], max_length=MAX_GROUPS, examples=[["source_created_at:month"]])
    measures: list[_Term] = Field(["count"], min_length=1, max_length=MAX_MEASURES, examples=[["sum:amount"]])
    sort: _Term | None = None


class ViewIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    table: _Term = Field(examples=["payments"])
    name: _Name
    shared: StrictBool = Field(False, description="Every member who may read the table sees it")
    filters: _Filters = []
    sort: _Term | None = None
    columns: _Columns | None = Field(None, description="In this order; without it the table's own choice")
    chart: Chart | None = None


class ViewPatch(BaseModel):
    """What is given changes; `sort`, `columns` and `chart` are taken away with null."""

    model_config = ConfigDict(extra="forbid")

    name: _Name | None = None
    shared: StrictBool | None = None
    filters: _Filters | None = None
    sort: _Term | None = None
    columns: _Columns | None = None
    chart: Chart | None = None


class ViewOut(BaseModel):
    id: UUID
    table: str
    name: str
    owner_id: UUID
    mine: bool
    shared: bool
    filters: list[str]
    sort: str | None
    columns: list[str] | None
    chart: Chart | None
    version: int = Field(description="Its entity tag, for If-Match in quotes")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, view: SavedView, *, caller: UUID) -> Self:
        return cls(
            id=view.id,
            table=view.table_name,
            name=view.name,
            owner_id=view.owner_id,
            mine=view.owner_id == caller,
            shared=view.shared,
            filters=view.filters,
            sort=view.sort,
            columns=view.columns,
            chart=Chart.model_validate(view.chart) if view.chart else None,
            version=view.version,
            created_at=view.created_at,
            updated_at=view.updated_at,
        )
