"""The public facade: the only module of Counterfoil a plugin imports (besides `counterfoil.testing` in its tests).

``__all__`` is the contract. Arguments are added, never reordered; a removal warns for two minor versions and six months.
"""

from counterfoil.commerce.rows import Payment, Payout, PayoutLine
from counterfoil.db.base import TenantOwned, Timestamps, plugin_base
from counterfoil.kit.clock import from_unix, utc_now
from counterfoil.kit.errors import FieldError, Problem
from counterfoil.kit.money import from_minor_units
from counterfoil.plugins.connector import (
    Account,
    Bearer,
    CanonicalRow,
    Connector,
    ConnectorContext,
    Hint,
    HttpClient,
    Page,
    ParentCursor,
    RateLimit,
    Raw,
    Ref,
    Secret,
    Settings,
    SignatureInvalid,
    SourceError,
    SourceForbidden,
    SourceInvalid,
    SourceMalformed,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
    Stream,
    TimeCursor,
    WebhookEvent,
    Window,
    stream,
)
from counterfoil.plugins.hookspecs import hookimpl

__all__ = [
    "Account",
    "Bearer",
    "CanonicalRow",
    "Connector",
    "ConnectorContext",
    "FieldError",
    "Hint",
    "HttpClient",
    "Page",
    "ParentCursor",
    "Payment",
    "Payout",
    "PayoutLine",
    "Problem",
    "RateLimit",
    "Raw",
    "Ref",
    "Secret",
    "Settings",
    "SignatureInvalid",
    "SourceError",
    "SourceForbidden",
    "SourceInvalid",
    "SourceMalformed",
    "SourceRateLimited",
    "SourceUnauthorized",
    "SourceUnavailable",
    "Stream",
    "TenantOwned",
    "TimeCursor",
    "Timestamps",
    "WebhookEvent",
    "Window",
    "from_minor_units",
    "from_unix",
    "hookimpl",
    "plugin_base",
    "stream",
    "utc_now",
]
