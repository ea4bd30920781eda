"""Secrets that are no secrets: what a production process refuses to start with."""

import base64
import json
from collections.abc import Iterable, Mapping
from itertools import pairwise

from cryptography.fernet import Fernet
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from counterfoil.cli.home import Home
from counterfoil.config import Settings
from counterfoil.kit.tokens import parse_keys

_LEAST_BYTES = 32
_LEAST_DISTINCT = 12
_LEAST_HEX_DIGITS = 64
_LEAST_PASSWORD = 8
_USUAL_PASSWORDS = frozenset(
    {"password", "passw0rd", "postgres", "postgresql", "counterfoil", "counterfoil_app", "changeme", "change-me",
     "changeit", "administrator", "12345678", "123456789", "qwertyuiop"}
)  # fmt: skip


def weaknesses(settings: Settings, needed: Mapping[str, str]) -> list[str]:
    """What is wrong with the secrets among these settings, in words that repeat none of them."""
    demo = _of_the_demo(settings)
    found: list[str] = []
    keys: dict[bytes, str] = {}
    for variable, read in (("COUNTERFOIL_MASTER_KEYS", _master_keys), ("COUNTERFOIL_JWT_KEYS", _token_keys)):
        if variable not in needed:
            continue
        value = getattr(settings, needed[variable]).get_secret_value()
        try:
            secrets = list(read(value))
        except ValueError as error:
            found.append(f"{variable}: {error}")
            continue
        reasons = [_weakness(secret) for secret in secrets]
        reasons += ["one key is there twice, or is another setting's"] * any(secret in keys for secret in secrets)
        reasons += ["that is the demo's"] * (value in demo)
        found += [f"{variable}: {reason}" for reason in dict.fromkeys(filter(None, reasons))]
        keys |= dict.fromkeys(secrets, variable)
    for variable in ("DATABASE_URL", "DATABASE_ADMIN_URL"):
        if variable in needed and _is_usual(getattr(settings, needed[variable]).get_secret_value()):
            found.append(f"{variable}: its password is one that anybody would guess")
    return found


def _master_keys(value: str) -> Iterable[bytes]:
    for key in filter(None, (part.strip() for part in value.split(","))):
        try:
            Fernet(key)
        except ValueError:
            raise ValueError("a master key is not 32 bytes in URL-safe base64") from None
        yield base64.urlsafe_b64decode(key)


def _token_keys(value: str) -> Iterable[bytes]:
    return parse_keys(value).values()


def _weakness(secret: bytes) -> str | None:
    """Why a key cannot have come from chance; a random one has none of these but once in more than ten million years."""
    if len(secret) < _LEAST_BYTES:
        return f"a key has fewer than {_LEAST_BYTES} bytes"
    text = secret.decode("ascii", errors="ignore").strip()
    is_text = len(text) >= len(secret) - 2 and text.isprintable()
    is_long_hex = len(text) >= _LEAST_HEX_DIGITS and all(one in "0123456789abcdefABCDEF" for one in text)
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    if len(set(secret)) < _LEAST_DISTINCT or len(steps) == 1:
        return "a key follows a pattern"
    if is_text and not is_long_hex:
        return "a key is written text instead of random bytes"
    return None


def _of_the_demo(settings: Settings) -> set[str]:
    try:
        kept = json.loads((Home(settings.home).path / "secrets" / "demo.json").read_text())
    except (OSError, ValueError):
        return set()
    return {value for value in kept.values() if isinstance(value, str)}


def _is_usual(url: str) -> bool:
    try:
        password = make_url(url).password
    except ArgumentError:
        return False
    # None at all is a server that knows its clients by other means.
    return bool(password) and (len(str(password)) < _LEAST_PASSWORD or str(password).lower() in _USUAL_PASSWORDS)
