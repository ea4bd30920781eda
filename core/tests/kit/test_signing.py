import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.signing import SealKey, key_id_of, parse_public_key, verify

SEED = base64.b64encode(bytes(range(32))).decode()
KEY, OTHER = SealKey.parse(SEED), SealKey.parse(base64.b64encode(bytes(32)).decode())


@given(st.binary(), st.binary())
def test_a_signature_holds_for_its_content_and_key_only(content: bytes, other: bytes) -> None:
    signature = KEY.sign(content)
    assert verify(KEY.public_key, signature, content)
    assert verify(KEY.public_key, signature, other) == (other == content)
    assert not verify(OTHER.public_key, signature, content)
    assert not verify(KEY.public_key, other, content)


def test_a_key_is_the_same_in_every_form_it_comes_in() -> None:
    pem = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    assert SealKey.parse(f"\n{pem.decode()}\n").public_key == SealKey.parse(f" {SEED}\n").public_key
    assert parse_public_key(KEY.public_key_pem) == parse_public_key(f" {KEY.public_key}\n") == KEY.public_key
    assert key_id_of(KEY.public_key) == KEY.key_id != OTHER.key_id


EC = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("text", ["", "secret", SEED[:-4], SEED + SEED, EC, "-----BEGIN PRIVATE KEY-----\nsecret\n"])
def test_what_is_no_key_is_refused_and_never_repeated(text: str) -> None:
    for parse in (SealKey.parse, parse_public_key):
        with pytest.raises(ValueError, match="32 bytes in base64") as caught:
            parse(text)
        assert not text or text not in str(caught.value)
