"""Refresh tokens: opaque to their bearer, stored as a hash, each with one possible successor."""

import base64
import hashlib
import hmac


def successor(token: str, secret: bytes) -> str:
    """The token that replaces this one.

    Derived, not drawn: two requests that race with one token, or one that comes again because its answer was lost, then
    get the same successor although only hashes are stored.
    """
    digest = hmac.digest(secret, b"refresh\0" + token.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
