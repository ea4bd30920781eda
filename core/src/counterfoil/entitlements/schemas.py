from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from counterfoil.entitlements.models import UsageCounter
from counterfoil.entitlements.quotas import Allowance, Quota
from counterfoil.entitlements.service import FeatureStanding
from counterfoil.kit.clock import utc_now
from counterfoil.plugins.manifest import NavigationEntry


class Contributions(BaseModel):
    connectors: list[str]


class NavigationOut(BaseModel):
    """A link in the side bar."""

    title: str
    path: str = Field(examples=["/netsuite/scripts"])

    @classmethod
    def of(cls, entry: NavigationEntry) -> "NavigationOut":
        return cls(title=entry.title, path=entry.path)


class PluginOut(BaseModel):
    """An installed plugin as one tenant sees it."""

    name: str
    title: str
    publisher: str
    version: str
    status: Literal["active", "quarantined"]
    reason: str | None = Field(description="Why it is in quarantine")
    enabled: bool = Field(description="The tenant turned it on, and its plan includes it")
    available: bool = Field(description="The tenant's plan includes it")
    plans_needed: list[str] = Field(description="Plans that include it; empty when every plan does")
    contributes: Contributions
    navigation: list[NavigationOut] = Field(description="What the caller may open of it; empty while it is not enabled")


class PluginFeatureOut(BaseModel):
    name: str = Field(examples=["stripe.sync"])
    title: str = Field(examples=["Sync from Stripe"])
    plans: list[str] = Field(description="Plans that include it")
    included: bool = Field(description="The tenant's plan, or its operator, includes it")


class PluginPermissionOut(BaseModel):
    name: str
    description: str


class PluginDetailOut(PluginOut):
    """One installed plugin with all it claims."""

    description: str
    hosts: list[str] = Field(description="Addresses it may reach")
    features: list[PluginFeatureOut]
    permissions: list[PluginPermissionOut]
    requires: list[str] = Field(description="Plugins it does not work without")
    offers: list[str] = Field(description="Services it has for other plugins")
    uses: list[str] = Field(description="Services of others that it uses where they are there")
    has_settings: bool


class PluginSettingsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    settings: dict[str, Any] = Field(description="As the plugin's schema wants them; replaces what was there")


class PluginSettingsOut(BaseModel):
    """``settings`` is null where the plugin needs some that nobody has saved."""

    settings: dict[str, Any] | None
    settings_schema: dict[str, Any] = Field(description="JSON Schema of the settings")
    version: int = Field(description="Their entity tag, for If-Match in quotes; 0 before any were saved")


class QuotaOut(BaseModel):
    name: str = Field(examples=["connections"])
    title: str
    limit: int | None = Field(description="Null where there is none")
    used: int

    @classmethod
    def of(cls, quota: Quota) -> "QuotaOut":
        return cls(name=quota.name, title=quota.title, limit=quota.limit, used=quota.used)


class FeatureOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str = Field(examples=["core.api_keys"])
    title: str = Field(examples=["API keys for scripts and services"])
    included: bool


class PlanOut(BaseModel):
    """The tenant's plan, and how much of it is used."""

    plan: str
    title: str
    expires_at: datetime | None
    has_ended: bool = Field(description="Everything can still be read, nothing can be changed")
    features: list[FeatureOut]
    quotas: list[QuotaOut]

    @classmethod
    def of(cls, allowance: Allowance, features: list[FeatureStanding]) -> "PlanOut":
        return cls(
            plan=allowance.plan,
            title=allowance.title,
            expires_at=allowance.expires_at,
            has_ended=allowance.expires_at is not None and allowance.expires_at <= utc_now(),
            features=[FeatureOut.model_validate(feature) for feature in features],
            quotas=[QuotaOut.of(quota) for quota in allowance.quotas],
        )


class UsageOut(BaseModel):
    """What was used of one thing on one day (UTC)."""

    day: date
    metric: str = Field(examples=["rows_landed"])
    value: int

    @classmethod
    def of(cls, counter: UsageCounter) -> "UsageOut":
        return cls(day=counter.day, metric=counter.metric, value=counter.value)
