from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from counterfoil.db.base import CoreBase, TenantOwned

_CONNECTION = ["core.connections.tenant_id", "core.connections.id"]


class CursorState(TenantOwned, CoreBase):
    """Where a stream of a connection stands; moved in the same transaction as the rows it stands for."""

    __tablename__ = "cursor_states"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "connection_id"], _CONNECTION),
        UniqueConstraint("tenant_id", "connection_id", "stream", name="cursor_states_stream_key"),
    )

    connection_id: Mapped[UUID]
    stream: Mapped[str]
    position: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mapped_version: Mapped[int]
    job_id: Mapped[UUID | None]
    last_synced_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class StreamRun(TenantOwned, CoreBase):
    """One stream in one job: counts, first and last position, outcome with its reason.

    The rows counted are those that carry this run's id, whichever stream's they are: ``told`` says how many of them
    belong to other streams. ``read_at`` is when the reading began, by the clock that also stamps observations. One that is
    neither running nor finished waits for another attempt of its job, for the reason it has.
    """

    __tablename__ = "stream_runs"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "connection_id"], _CONNECTION),
        Index("stream_runs_connection_idx", "tenant_id", "connection_id", "stream", text("started_at DESC")),
        Index("stream_runs_job_idx", "tenant_id", "job_id"),
    )

    job_id: Mapped[UUID]
    connection_id: Mapped[UUID]
    stream: Mapped[str]
    mode: Mapped[str]
    status: Mapped[str]
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    pages: Mapped[int] = mapped_column(default=0)
    rows_read: Mapped[int] = mapped_column(BigInteger, default=0)
    rows_inserted: Mapped[int] = mapped_column(BigInteger, default=0)
    rows_updated: Mapped[int] = mapped_column(BigInteger, default=0)
    rows_unchanged: Mapped[int] = mapped_column(BigInteger, default=0)
    rows_deleted: Mapped[int] = mapped_column(BigInteger, default=0)
    rechecked: Mapped[int] = mapped_column(BigInteger, default=0)
    short: Mapped[int] = mapped_column(BigInteger, default=0)
    told: Mapped[dict[str, dict[str, int]]] = mapped_column(JSONB, default=dict)
    notices: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    expected: Mapped[int | None] = mapped_column(BigInteger)
    landed: Mapped[int | None] = mapped_column(BigInteger)
    first_position: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    last_position: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    read_at: Mapped[datetime | None]
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class RawRecord(TenantOwned, CoreBase):
    """The newest version of a record as the vendor sent it. Canonical rows can be rebuilt from these alone.

    ``change`` numbers the versions of a stream in the order they landed: what reads on from there misses none, whatever
    the clock does. ``observed_at`` is when this version was first seen so, ``seen_at`` when it was last found unchanged by
    somebody who had to know, ``seen_run`` the latest full read that was shown it. A deleted record keeps the payload it
    last had.
    """

    __tablename__ = "raw_records"
    __table_args__ = (
        Index("raw_records_change_idx", "tenant_id", "connection_id", "stream", "change"),
        Index("raw_records_open_idx", "tenant_id", "connection_id", "stream", "id", postgresql_where=text("is_open")),
    )

    connection_id: Mapped[UUID]
    stream: Mapped[str]
    change: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[str]
    content_hash: Mapped[bytes]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    run_id: Mapped[UUID]
    observed_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    is_open: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime | None]
    seen_run: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]


class StreamSchema(TenantOwned, CoreBase):
    """Every path that the records of a stream were ever seen to have, with the types of what was there."""

    __tablename__ = "stream_schemas"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "connection_id"], _CONNECTION),
        UniqueConstraint("tenant_id", "connection_id", "stream", name="stream_schemas_stream_key"),
    )

    connection_id: Mapped[UUID]
    stream: Mapped[str]
    paths: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class SchemaNotice(TenantOwned, CoreBase):
    """A field that a stream's records did not have before, or a type that it did not have. Never a value."""

    __tablename__ = "schema_notices"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "connection_id"], _CONNECTION),
        UniqueConstraint(
            "tenant_id", "connection_id", "stream", "path", "kind", "sample_type", name="schema_notices_path_key"
        ),
        Index("schema_notices_newest_idx", "tenant_id", "connection_id", text("id DESC")),
    )

    connection_id: Mapped[UUID]
    stream: Mapped[str]
    path: Mapped[str]
    kind: Mapped[str]
    sample_type: Mapped[str]
    run_id: Mapped[UUID]
    first_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None]
