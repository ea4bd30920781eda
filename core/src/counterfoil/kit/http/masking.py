"""Keeping secrets out of what is shown, logged and kept: known ones by value, unknown ones by the name they go by."""

import base64
import html
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit, urlunsplit

import orjson

MASK = "***"

_SHORTEST_SECRET = 4
_EXCERPT_BYTES = 2048
_PLAIN_IN_PATHS = "/*:@!$'()+,;="
_PLAIN_IN_QUERIES = "*[]:,"
# Of a larger answer only the beginning is looked at.
_WINDOW_BYTES = 16_384
_DEEPEST = 30
_TELLING = (
    "password", "passwd", "passphrase", "secret", "token", "authorization", "apikey", "accesskey", "privatekey",
    "credential", "signature", "cookie", "bearer", "assertion", "otp",
)  # fmt: skip
_TELLING_ENDS = ("key", "pwd", "auth", "pin", "pass")
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")
# A name, a colon or an equals sign, and the value, which may have been cut off before its end. Nothing in it looks back
# over what it has passed, so that no answer takes longer than its length.
_NAMED_VALUE = re.compile(
    r"""(?<![\w.\-])(?P<name>[\w.\-]++)(?P<between>\\?["']?\s*+[:=]\s*+)"""
    r"""(?P<value>\\?"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|'[^']*+(?:'|\Z)|(?:(?:bearer|basic)\s++)?[^\s,;&<>"'}\]]+)""",
    re.IGNORECASE | re.DOTALL,
)


class Redactor:
    """Strikes known secrets out of text that may be shown or logged, in every form they are usually written in."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                self._forms.update(_forms(secret))
        # The longest first: a shorter secret inside of it would leave its rest standing.
        alternatives = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, alternatives))) if alternatives else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def without_cut_secret(self, text: str) -> str:
        """The text without the beginning of a secret at its very end, where something was cut off."""
        overlap = max((_overlap(text, form) for form in self._forms), default=0)
        return text[: len(text) - overlap]


def names_a_secret(name: str) -> bool:
    """Whether what goes by this name is surely or probably a secret."""
    plain = _NOT_A_LETTER.sub("", name.lower())
    return plain.endswith(_TELLING_ENDS) or any(telling in plain for telling in _TELLING)


def masked_url(url: str, params: Sequence[tuple[str, str]], redact: Redactor) -> str:
    """An address that may be kept: no user, no fragment, no secret in its path or query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = quote(redact(unquote(parts.path)), safe=_PLAIN_IN_PATHS, errors="replace")
    # A plus sign stays one: it may stand for a space, or for itself in a secret that nobody encoded.
    given = [pair.partition("=")[::2] for pair in parts.query.split("&") if pair]
    pairs = [_shown(unquote(name), unquote(value), redact, plain="+") for name, value in given]
    pairs += [_shown(name, value, redact) for name, value in params]
    return redact(urlunsplit((parts.scheme, host, path, "&".join(pairs), "")))


def masked_excerpt(body: bytes, redact: Redactor) -> str:
    """The beginning of an answer that may be kept: at most 2 KB, no secret, nothing a text column refuses."""
    text = _masked_json(body, redact) if len(body) <= _WINDOW_BYTES else None
    if text is None:
        text = redact(body[:_WINDOW_BYTES].decode(errors="replace"))
        if len(body) > _WINDOW_BYTES:
            text = redact.without_cut_secret(text.rstrip("\N{REPLACEMENT CHARACTER}"))
        text = _NAMED_VALUE.sub(_masked_value, text)
    return redact(text).replace("\0", "\N{REPLACEMENT CHARACTER}").encode()[:_EXCERPT_BYTES].decode(errors="ignore")


def _shown(name: str, value: str, redact: Redactor, *, plain: str = "") -> str:
    kept = MASK if names_a_secret(name) else redact(value)
    return "=".join(quote(part, safe=_PLAIN_IN_QUERIES + plain, errors="replace") for part in (redact(name), kept))


def _masked_json(body: bytes, redact: Redactor) -> str | None:
    try:
        return orjson.dumps(_masked(orjson.loads(body), redact, depth=0)).decode()
    except orjson.JSONDecodeError:
        return None


def _masked(value: Any, redact: Redactor, *, depth: int) -> Any:
    if depth > _DEEPEST:
        return MASK
    match value:
        case dict():
            return {
                redact(name): MASK
                if names_a_secret(name) and inner is not None
                else _masked(inner, redact, depth=depth + 1)
                for name, inner in value.items()
            }
        case list():
            return [_masked(inner, redact, depth=depth + 1) for inner in value]
        case str():
            return redact(value)
        case _:
            return value


def _masked_value(found: re.Match[str]) -> str:
    return f"{found['name']}{found['between']}{MASK}" if names_a_secret(found["name"]) else found[0]


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret), secret.replace(" ", "+")}
    encoded = {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    encoded |= {form.rstrip("=") for form in encoded}
    return {secret, *escaped, *(form.replace("/", "\\/") for form in escaped), *quoted, *encoded}


def _overlap(text: str, secret: str) -> int:
    """How many characters at the end of the text are the beginning of the secret."""
    longest = min(len(secret) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(secret[:length])), 0)
