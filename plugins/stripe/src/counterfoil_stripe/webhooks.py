"""Stripe's webhooks: proof that Stripe sent one (docs.stripe.com/webhooks/signature), and what it is about."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING

from counterfoil.sdk import SignatureInvalid, WebhookEvent, from_unix
from counterfoil_stripe.events import subject_of

if TYPE_CHECKING:
    from datetime import datetime

TOLERANCE_S = 300
_SCHEME = "v1"
_UNIX_TIME = re.compile(r"[0-9]{1,12}")


def verified(secret: str | None, signature: str | None, body: bytes, *, now: datetime) -> WebhookEvent:
    """The event, if the endpoint's secret signed it lately.

    Raises:
        SignatureInvalid: otherwise, or if it is no event.
    """
    if not secret:
        raise SignatureInvalid("this connection has no webhook secret")
    if not signature:
        raise SignatureInvalid("the Stripe-Signature header is missing")
    signed_at, signatures = _parts(signature)
    expected = hmac.new(secret.encode(), f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest().encode()
    # Every one is compared, each in constant time: while a secret is being replaced there are two.
    matches = [hmac.compare_digest(expected, each.encode()) for each in signatures]
    if not any(matches):
        raise SignatureInvalid("no signature matches the webhook secret")
    if signed_at < now.timestamp() - TOLERANCE_S:
        raise SignatureInvalid("the signature is too old")
    return _event(body)


def _parts(signature: str) -> tuple[int, list[str]]:
    pairs = [part.strip().partition("=") for part in signature.split(",")]
    moments = [value for name, _, value in pairs if name == "t"]
    if len(moments) != 1 or not _UNIX_TIME.fullmatch(moments[0]):
        raise SignatureInvalid("the Stripe-Signature header does not say when it was signed")
    signatures = [value for name, _, value in pairs if name == _SCHEME]
    if not signatures:
        raise SignatureInvalid("the Stripe-Signature header has no v1 signature")
    return int(moments[0]), signatures


def _event(body: bytes) -> WebhookEvent:
    try:
        event = json.loads(body)
        subject = subject_of(event)
        return WebhookEvent(
            id=str(event["id"]),
            type=str(event["type"]),
            created_at=from_unix(event["created"]),
            hints=[subject] if subject else [],
        )
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        raise SignatureInvalid("the body is signed, but is no event") from None
