"""Signatures over what has to be checked later, by anybody who holds the public key: audit seals and evidence packs.

Ed25519 (RFC 8032). What is signed says itself what it is, so that a signature for one purpose never passes for another's.
"""

import base64
import hashlib
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

_PEM = "-----BEGIN"


class SealKey:
    """The key this installation signs with; it lives outside the database."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key()
        self.public_key = base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        self.public_key_pem = pem_of(self.public_key)
        self.key_id = key_id_of(self.public_key)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the environment's form: 32 random bytes in base64, or a PEM private key.

        Raises:
            ValueError: it is neither; the message does not repeat it.
        """
        text = text.strip()
        try:
            if text.startswith(_PEM):
                key: object = load_pem_private_key(text.encode(), password=None)
            else:
                key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("a seal key is 32 bytes in base64, or an Ed25519 private key as PEM")  # noqa: TRY004  (a wrong value, whatever its type)
        return cls(key)

    def sign(self, content: bytes) -> bytes:
        return self._key.sign(content)


def parse_public_key(text: str) -> str:
    """A public key as ``SealKey.public_key`` has it, from that form or from PEM.

    Raises:
        ValueError: it is neither.
    """
    text = text.strip()
    try:
        if not text.startswith(_PEM):
            raw = base64.b64decode(text, validate=True)
            Ed25519PublicKey.from_public_bytes(raw)
            return base64.b64encode(raw).decode()
        key = load_pem_public_key(text.encode())
        if isinstance(key, Ed25519PublicKey):
            return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    except ValueError:
        pass
    raise ValueError("a public key is 32 bytes in base64, or an Ed25519 public key as PEM")


def pem_of(public_key: str) -> str:
    """A public key as PEM, for OpenSSL."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_id_of(public_key: str) -> str:
    """A short name for a public key, to tell which one signed."""
    return hashlib.sha256(b"counterfoil seal key\0" + base64.b64decode(public_key)).hexdigest()[:16]


def verify(public_key: str, signature: bytes, content: bytes) -> bool:
    """Whether the holder of that key signed exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key)).verify(signature, content)
    except InvalidSignature:
        return False
    return True
