"""Signed tokens: the one place that touches python-jose, and it lets through one algorithm, one form, one meaning.

The library itself would accept ``algorithms=None``, empty keys and absent claims; everything it leaves open is closed here.
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from jose import jwt
from jose.backends import HMACKey
from jose.exceptions import JOSEError
from jose.utils import base64url_decode, base64url_encode

_ALGORITHM = "HS256"
_LEAST_KEY_BYTES = 32
_LONGEST_TOKEN = 4096
_CACHE_S = 10
_CACHE_SIZE = 10_000
_RESERVED = ("iss", "aud", "sub", "iat", "exp")


class InvalidToken(Exception):
    """Not a token of ours, or no longer one. Says nothing more: the reason is of use to an attacker only."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a verified token says. ``extra`` holds the issuer's own claims."""

    subject: str
    expires_at: int
    extra: Mapping[str, str]


class Tokens:
    """Issues and verifies the tokens of one type, as ``at+jwt`` (RFC 9068)."""

    def __init__(self, keys: Mapping[str, bytes], *, issuer: str, audience: str, token_type: str) -> None:
        """Build the key objects.

        Args:
            keys: secrets by key id; the first signs, all verify.
            issuer: who signs; any other ``iss`` is refused.
            audience: whom the token is for; any other ``aud`` is refused.
            token_type: the header's ``typ``, so that a token of one purpose never passes for another's.

        Raises:
            ValueError: without a key, or for one shorter than the hash it feeds.
        """
        if not keys:
            raise ValueError("at least one token key is needed")
        for kid, secret in keys.items():
            if len(secret) < _LEAST_KEY_BYTES:
                raise ValueError(f"token key {kid!r} has fewer than {_LEAST_KEY_BYTES} bytes")
        self._keys = {kid: HMACKey(secret, _ALGORITHM) for kid, secret in keys.items()}
        self._signing_kid = next(iter(keys))
        self._issuer, self._audience, self._type = issuer, audience, token_type
        self._verified: dict[bytes, tuple[float, Claims]] = {}

    def issue(self, subject: str, *, ttl_s: int, extra: Mapping[str, str] | None = None) -> str:
        now = int(time.time())
        claims: dict[str, str | int] = {
            **(extra or {}),
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": now,
            "exp": now + ttl_s,
        }
        headers = {"kid": self._signing_kid, "typ": self._type}
        return jwt.encode(claims, self._keys[self._signing_kid], algorithm=_ALGORITHM, headers=headers)

    def verify(self, token: str) -> Claims:
        """Check signature, form and meaning; a token seen a moment ago is only checked for its expiry.

        Raises:
            InvalidToken: for anything but a live token this object could have issued.
        """
        digest = hashlib.sha256(token.encode(errors="backslashreplace")).digest()
        now = time.time()
        cached_until, claims = self._verified.get(digest, (0.0, None))
        if claims is None or cached_until <= now:
            claims = self._checked(token)
            if len(self._verified) >= _CACHE_SIZE:
                self._verified.clear()
            self._verified[digest] = (now + _CACHE_S, claims)
        if claims.expires_at <= now:
            raise InvalidToken
        return claims

    def _checked(self, token: str) -> Claims:
        if len(token) > _LONGEST_TOKEN:
            raise InvalidToken
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(header.get("kid", ""))
            if key is None or header != {"alg": _ALGORITHM, "typ": self._type, "kid": header["kid"]}:
                raise InvalidToken
            signature = token.rsplit(".", 1)[1].encode()
            # The library decodes leniently, so that several spellings of one signature would pass.
            if base64url_encode(base64url_decode(signature)) != signature:
                raise InvalidToken
            payload = jwt.decode(token, key, algorithms=[_ALGORITHM], audience=self._audience, issuer=self._issuer)
        except (JOSEError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise InvalidToken from error
        return self._claims(payload)

    def _claims(self, payload: Mapping[str, object]) -> Claims:
        subject, expires_at = payload.get("sub"), payload.get("exp")
        # The library skips the audience check when the claim is absent, and takes a list that merely contains us.
        if payload.get("aud") != self._audience or payload.get("iss") != self._issuer:
            raise InvalidToken
        if not isinstance(subject, str) or type(expires_at) is not int:
            raise InvalidToken
        extra = {name: value for name, value in payload.items() if name not in _RESERVED and isinstance(value, str)}
        return Claims(subject=subject, expires_at=expires_at, extra=extra)


def parse_keys(text: str) -> dict[str, bytes]:
    """Read ``kid:base64,kid:base64`` in order.

    Raises:
        ValueError: for an entry of another form, or a key id that comes twice. Never repeats the secret.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
        kid, separator, encoded = entry.partition(":")
        try:
            secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            secret = b""
        if not kid or not separator or not secret or kid in keys:
            raise ValueError(f"token key {number} does not read kid:base64, or its kid is taken")
        keys[kid] = secret
    return keys
