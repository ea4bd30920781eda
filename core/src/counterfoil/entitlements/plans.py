"""The plans: what each includes and how much of it. Plugins name the plans of their own features in their manifests."""

from collections.abc import Mapping
from dataclasses import dataclass

CUSTOM_ROLES, API_KEYS = "core.custom_roles", "core.api_keys"
CORE_FEATURES = {
    CUSTOM_ROLES: "Roles of your own beside the built-in ones",
    API_KEYS: "API keys for scripts and services",
}

CONNECTIONS, MEMBERS, KEYS = "connections", "members", "api_keys"
ROWS_PER_MONTH, EXPORT_BYTES_PER_MONTH = "rows_per_month", "export_bytes_per_month"
QUOTAS = {
    CONNECTIONS: "Connections",
    MEMBERS: "Members",
    KEYS: "API keys that have not ended",
    ROWS_PER_MONTH: "Rows landed in a calendar month (UTC)",
    EXPORT_BYTES_PER_MONTH: "Bytes exported in a calendar month (UTC)",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One plan; a quota of None is unlimited."""

    name: str
    title: str
    features: frozenset[str]
    quotas: Mapping[str, int | None]


_TRIAL = Plan(
    name="trial",
    title="Trial",
    features=frozenset(CORE_FEATURES),
    quotas={
        CONNECTIONS: 10,
        MEMBERS: 10,
        KEYS: 10,
        ROWS_PER_MONTH: 5_000_000,
        EXPORT_BYTES_PER_MONTH: 2 * 1024**3,
    },
)
_PRO = Plan(
    name="pro",
    title="Pro",
    features=frozenset(CORE_FEATURES),
    quotas={
        CONNECTIONS: 50,
        MEMBERS: 50,
        KEYS: 50,
        ROWS_PER_MONTH: 50_000_000,
        EXPORT_BYTES_PER_MONTH: 100 * 1024**3,
    },
)
_ENTERPRISE = Plan(
    name="enterprise", title="Enterprise", features=frozenset(CORE_FEATURES), quotas=dict.fromkeys(QUOTAS)
)
PLANS = {plan.name: plan for plan in (_TRIAL, _PRO, _ENTERPRISE)}


def plan_named(name: str) -> Plan:
    """The plan; one that this version does not know is as small as a trial."""
    return PLANS.get(name, _TRIAL)
