from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class RawRecordOut(BaseModel):
    """What is known of a record as the vendor sent it, its payload apart."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    stream: str
    source_id: str
    change: int = Field(description="Numbers the versions of a stream in the order they landed")
    run_id: UUID = Field(description="The stream run that brought this version")
    observed_at: datetime = Field(description="When the vendor first showed it so")
    changed_at: datetime = Field(description="When this version landed")
    is_open: bool = Field(description="Not final at the vendor yet, and looked at again on every sync")
    deleted_at: datetime | None = Field(description="When it was found gone at the vendor; the payload is its last one")


class RawRecordDetail(RawRecordOut):
    """A record with its payload; numbers in it are as the vendor wrote them."""

    payload: dict[str, Any]
