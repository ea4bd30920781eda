"""The public facade: the only module of Counterfoil a plugin imports (besides `counterfoil.testing` in its tests).

``__all__`` is the contract. Arguments are added, never reordered; a removal warns for two minor versions and six months.
"""

from counterfoil.commerce.rows import Customer, Dispute, Fee, Invoice, Payment, Payout, PayoutLine, Refund
from counterfoil.db.base import TenantOwned, Timestamps, plugin_base
from counterfoil.entitlements.gates import needs_feature, require_feature
from counterfoil.jobs.context import JobContext
from counterfoil.jobs.service import enqueue
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
from counterfoil.plugins.records import Outcome, Reason, RetryPolicy, Task
from counterfoil.rbac import Scope, require
from counterfoil.web import provided
from counterfoil.web.problems import problem_responses

__all__ = [
    "Account",
    "Bearer",
    "CanonicalRow",
    "Connector",
    "ConnectorContext",
    "Customer",
    "Dispute",
    "Fee",
    "FieldError",
    "Hint",
    "HttpClient",
    "Invoice",
    "JobContext",
    "Outcome",
    "Page",
    "ParentCursor",
    "Payment",
    "Payout",
    "PayoutLine",
    "Problem",
    "RateLimit",
    "Raw",
    "Reason",
    "Ref",
    "Refund",
    "RetryPolicy",
    "Scope",
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
    "Task",
    "TenantOwned",
    "TimeCursor",
    "Timestamps",
    "WebhookEvent",
    "Window",
    "enqueue",
    "from_minor_units",
    "from_unix",
    "hookimpl",
    "needs_feature",
    "plugin_base",
    "problem_responses",
    "provided",
    "require",
    "require_feature",
    "stream",
    "utc_now",
]
