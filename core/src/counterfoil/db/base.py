"""Declarative bases: one schema each, one naming convention, tenant first in every key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, Text, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from counterfoil.kit.ids import new_id

NAMING = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}
TIMESTAMPTZ = TIMESTAMP(timezone=True)
TYPES: dict[Any, Any] = {datetime: TIMESTAMPTZ, str: Text()}


class CoreBase(DeclarativeBase):
    """Tables of the schema ``core``."""

    metadata = MetaData(schema="core", naming_convention=NAMING)
    type_annotation_map = TYPES


class TenantOwned:
    """A tenant's row: ``tenant_id`` leads the primary key, and with it every index and reference."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


class Timestamps:
    """``created_at`` and ``updated_at``, both set by the database's clock."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=100)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), sort_order=101)


def plugin_base(schema: str) -> type[DeclarativeBase]:
    """The declarative base of a plugin: its tables live in a schema that carries the plugin's name."""

    class PluginBase(DeclarativeBase):
        metadata = MetaData(schema=schema, naming_convention=NAMING)
        type_annotation_map = TYPES

    return PluginBase
