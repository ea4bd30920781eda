from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from counterfoil.tenancy.models import Tenant
from counterfoil.web.text import Line


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such time zone")
    return name


TimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_known_zone)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,5}$"), Field(examples=["EUR"])]


class OwnTenantOut(BaseModel):
    """The tenant one is signed in to."""

    id: UUID
    name: str
    slug: str
    status: str
    plan: str
    plan_expires_at: datetime | None
    default_currency: str
    timezone: str
    created_at: datetime

    @classmethod
    def of(cls, tenant: Tenant) -> "OwnTenantOut":
        return cls.model_validate(tenant, from_attributes=True)


class TenantPatch(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Line, StringConstraints(max_length=200)] | None = None
    timezone: TimeZone | None = None
    default_currency: CurrencyCode | None = None
