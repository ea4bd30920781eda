"""Outbound HTTP: the guard against request forgery, bounded requests, pacing and retries."""

from counterfoil.kit.http.client import Bounds, HttpClient, Reply, query
from counterfoil.kit.http.errors import (
    BlockedDestination,
    BodyTooLarge,
    ConnectFailed,
    CutBody,
    HeldBack,
    HttpError,
    NoAnswer,
    TooManyRedirects,
    Unsendable,
    UntrustedCertificate,
)
from counterfoil.kit.http.guard import EgressPolicy, GuardedTransport
from counterfoil.kit.http.masking import Redactor, masked_excerpt, masked_url
from counterfoil.kit.http.pacing import Limiter, RateLimiter, RetryPolicy, retry_after_s

__all__ = [
    "BlockedDestination",
    "BodyTooLarge",
    "Bounds",
    "ConnectFailed",
    "CutBody",
    "EgressPolicy",
    "GuardedTransport",
    "HeldBack",
    "HttpClient",
    "HttpError",
    "Limiter",
    "NoAnswer",
    "RateLimiter",
    "Redactor",
    "Reply",
    "RetryPolicy",
    "TooManyRedirects",
    "Unsendable",
    "UntrustedCertificate",
    "masked_excerpt",
    "masked_url",
    "query",
    "retry_after_s",
]
