"""Ids in Stripe's shape, derived from the world: the same world always speaks of the same objects."""

from base64 import b64encode
from hashlib import blake2b

_SUFFIX_BYTES = 18


def stripe_id(prefix: str, seed: int, record_id: int | str) -> str:
    """`ch_` and 24 letters or digits for prefix `ch`."""
    digest = blake2b(f"{seed}|{prefix}|{record_id}".encode(), digest_size=_SUFFIX_BYTES).digest()
    return f"{prefix}_{b64encode(digest, b'Xx').decode()}"


def account_id(seed: int) -> str:
    """`acct_` and 16 letters or digits."""
    return stripe_id("acct", seed, "account")[:21]
