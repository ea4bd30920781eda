from datetime import datetime
from decimal import Decimal
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from counterfoil.outbound.budget import Standing, burst_of
from counterfoil.outbound.models import ApiCall
from counterfoil.plugins.connector import RateLimit

StatusClass = Literal["1xx", "2xx", "3xx", "4xx", "5xx", "none"]


class ApiCallOut(BaseModel):
    """One attempt at a request to the vendor. Secrets are masked as `***`."""

    id: UUID
    at: datetime = Field(description="When it was sent")
    job_id: UUID | None
    correlation_id: UUID | None
    method: str
    url: str
    status: int | None = Field(description="Null when no complete answer came")
    duration_ms: float
    request_bytes: int
    response_bytes: int | None
    attempt: int = Field(description="1 for the first try of a request")
    cost: Decimal | None = Field(description="In the vendor's own units, where it says")
    error_code: str | None = Field(description="What went wrong, as in a stream's reasons")
    excerpt: str | None = Field(description="The beginning of an answer that was an error")

    @classmethod
    def of(cls, call: ApiCall) -> Self:
        return cls.model_validate(call, from_attributes=True)


class BudgetLimit(BaseModel):
    requests_per_second: float
    concurrency: int
    burst: int = Field(description="Requests that may leave at once after a pause")


class BudgetOut(BaseModel):
    """What the vendor's account allows, and how much of it is in use, by all connections to it together."""

    limit: BudgetLimit
    current_requests_per_second: float = Field(description="Less than the limit for a while after the vendor refused")
    held_until: datetime | None = Field(description="Nothing starts before, at the vendor's wish")
    in_flight: int
    waiting: int = Field(description="Connections that wait for their turn")

    @classmethod
    def of(cls, limits: RateLimit, standing: Standing) -> Self:
        return cls(
            limit=BudgetLimit(
                requests_per_second=limits.rps, concurrency=limits.concurrency, burst=burst_of(limits.rps)
            ),
            current_requests_per_second=standing.current_rps,
            held_until=standing.held_until,
            in_flight=standing.in_flight,
            waiting=standing.waiting,
        )
