"""What an attacker makes of a token they hold, or make up: none of it is ever taken for one of ours."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import SecretStr

from counterfoil.config import Settings
from counterfoil.db import Database
from counterfoil.identity.service import Identity
from counterfoil.kit import cache
from counterfoil.kit.signing import SealKey
from counterfoil.kit.tokens import InvalidToken, Tokens

KEY, FORMER_KEY = b"k" * 32, b"f" * 32
OURS = Tokens({"now": KEY, "former": FORMER_KEY}, issuer="us", audience="api", token_type="at+jwt")
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "now"}
TOKEN = OURS.issue("somebody", ttl_s=10**6, extra={"tid": "tenant-a", "sid": "session"})
OTHER = OURS.issue("somebody else", ttl_s=10**6, extra={"tid": "tenant-b", "sid": "session"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def refused(token: str) -> bool:
    # First the good ones: what was verified a moment ago is remembered, and must not vouch for another.
    OURS.verify(TOKEN)
    OURS.verify(OTHER)
    try:
        OURS.verify(token)
    except InvalidToken:
        return True
    return False


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": "us", "aud": "api", "sub": "somebody", "iat": now, "exp": now + 600, **changes}


def signed(header: bytes | dict[str, Any], payload: bytes | dict[str, Any], key: bytes = KEY) -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    text = f"{encoded(parts[0])}.{encoded(parts[1])}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), hashlib.sha256))}"


def test_a_token_made_by_this_files_own_hand_is_accepted() -> None:
    # Or every refusal below might have another reason.
    assert not refused(signed(HEADER, claims()))
    assert not refused(signed({**HEADER, "kid": "former"}, claims(), FORMER_KEY))


# -- mutations of a good token -----------------------------------------------------------------------------------------

Mutation = Callable[[st.DataObject, str], str]


def flip_a_bit(data: st.DataObject, token: str) -> str:
    parts = token.split(".")
    number = data.draw(st.integers(0, len(parts) - 1))
    raw = bytearray(decoded_or_raw(parts[number]))
    if raw:
        place = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw[place // 8] ^= 1 << place % 8
    parts[number] = encoded(bytes(raw))
    return ".".join(parts)


def decoded_or_raw(part: str) -> bytes:
    try:
        return decoded(part)
    except ValueError:
        return part.encode(errors="replace")


def cut(data: st.DataObject, token: str) -> str:
    begin = data.draw(st.integers(0, len(token)))
    return token[:begin] + token[data.draw(st.integers(begin, len(token))) :]


def insert(data: st.DataObject, token: str) -> str:
    place = data.draw(st.integers(0, len(token)))
    return token[:place] + data.draw(st.text(min_size=1, max_size=8)) + token[place:]


def swap_parts(data: st.DataObject, token: str) -> str:
    parts, others = token.split("."), OTHER.split(".")
    for number in range(min(len(parts), len(others))):
        if data.draw(st.booleans()):
            parts[number] = others[number]
    return ".".join(parts)


def edit_a_claim(data: st.DataObject, token: str) -> str:
    parts = token.split(".")
    try:
        said = json.loads(decoded(parts[1]))
        said[data.draw(st.sampled_from(["tid", "sub", "exp", "sid", "aud"]))] = data.draw(JSON)
    except (ValueError, IndexError, TypeError, AttributeError):
        return token
    return ".".join([parts[0], encoded(json.dumps(said).encode()), *parts[2:]])


def spell_otherwise(data: st.DataObject, token: str) -> str:
    """Another spelling of the same bytes: padding, the other alphabet, white space, a last character with idle bits set."""
    return data.draw(
        st.sampled_from(
            [
                token + "=",
                token + "==",
                token.replace("-", "+").replace("_", "/"),
                token + "\n",
                " " + token,
                token.replace(".", ".\n"),
                token.replace(".", ". ", 1),
                token[:-1] + chr(ord(token[-1]) + 1) if token else token,
            ]
        )
    )


MUTATIONS: list[Mutation] = [flip_a_bit, cut, insert, swap_parts, edit_a_claim, spell_otherwise]


@examples(max_examples=600)
@given(data=st.data())
def test_no_mutation_of_a_token_is_ever_accepted(data: st.DataObject) -> None:
    token = TOKEN
    for _ in range(data.draw(st.integers(1, 3))):
        token = data.draw(st.sampled_from(MUTATIONS))(data, token)
    if token not in (TOKEN, OTHER):
        assert refused(token)


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_no_beginning_of_a_token_is_accepted(length: int) -> None:
    assert refused(TOKEN[:length])


def test_every_other_spelling_of_the_last_character_is_refused() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same_bytes = [c for c in alphabet if decoded(TOKEN[-43:-1] + c) == decoded(TOKEN[-43:]) and c != TOKEN[-1]]
    assert len(same_bytes) == 3
    assert all(refused(TOKEN[:-1] + character) for character in alphabet if character != TOKEN[-1])


# -- algorithms and keys -----------------------------------------------------------------------------------------------


def pem(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


RSA, EC, ED = (
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate(),
)
SEAL = SealKey.parse(base64.b64encode(b"s" * 32).decode())
PUBLIC: dict[str, bytes] = {
    "an RSA key": pem(RSA),
    "an EC key": pem(EC),
    "the seals' key as PEM": SEAL.public_key_pem.encode(),
    "the seals' key": SEAL.public_key.encode(),
    "the seals' key, raw": base64.b64decode(SEAL.public_key),
    "the id of our key": b"now",
    "nothing": b"",
    "a null": b"\0",
    "the issuer": b"us",
}


@pytest.mark.parametrize("kid", ["now", "former", "", None, "other"])
@pytest.mark.parametrize("secret", list(PUBLIC))
def test_what_everybody_knows_is_no_secret_to_sign_with(secret: str, kid: str | None) -> None:
    for text in (PUBLIC[secret], PUBLIC[secret].strip(), base64.b64encode(PUBLIC[secret])):
        assert refused(signed({**HEADER, "kid": kid}, claims(), text))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA", "HS256"])
def test_a_signature_of_the_attackers_own_key_is_refused_whatever_it_calls_itself(algorithm: str) -> None:
    text = f"{encoded(json.dumps({**HEADER, 'alg': algorithm}).encode())}.{encoded(json.dumps(claims()).encode())}"
    for signature in (
        RSA.sign(text.encode(), padding.PKCS1v15(), SHA256()),
        EC.sign(text.encode(), ec.ECDSA(SHA256())),
        ED.sign(text.encode()),
    ):
        assert refused(f"{text}.{encoded(signature)}")


@pytest.mark.parametrize(
    "algorithm", ["none", "NONE", "nOnE", "", "HS384", "HS512", "hs256", "HS256 ", "\uff28S256", None, 0]
)
def test_one_algorithm_is_accepted_by_one_name(algorithm: object) -> None:
    header = {**HEADER, "alg": algorithm}
    text = signed(header, claims()).rpartition(".")[0]
    digests = [hmac.digest(KEY, text.encode(), name) for name in ("sha256", "sha384", "sha512")]
    for signature in (b"", *digests):
        assert refused(f"{text}.{encoded(signature)}")
    assert refused(text)


@pytest.mark.parametrize(
    "kid",
    [
        *("", " ", "now ", "NOW", "other", "../../dev/null", "/dev/null", "/etc/passwd", "now\0", "now' OR '1'='1"),
        *("https://evil.example/key", "|cat key", None, 0, False, ["now"], {"now": 1}, [["now"]]),
    ],
)
@pytest.mark.parametrize("key", [KEY, FORMER_KEY, b"", b"\0" * 32], ids=["ours", "former", "empty", "zeros"])
def test_a_key_id_that_names_none_of_our_keys_is_refused(kid: object, key: bytes) -> None:
    assert refused(signed({**HEADER, "kid": kid}, claims(), key))


def test_each_key_id_stands_for_its_own_key_only() -> None:
    assert refused(signed({**HEADER, "kid": "former"}, claims(), KEY))
    assert refused(signed({**HEADER, "kid": "now"}, claims(), FORMER_KEY))


@pytest.mark.parametrize(
    "more",
    [
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "x"},
        {"jwk": {"kty": "oct", "k": encoded(KEY), "alg": "HS256"}},
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
        {"typ": "JWT"},
        {"typ": "AT+JWT"},
        {"typ": "application/at+jwt"},
        {"typ": "refresh+jwt"},
        {"typ": None},
        {"typ": ["at+jwt"]},
    ],
)
def test_a_header_that_says_anything_more_or_else_is_refused_though_we_signed_it(more: dict[str, Any]) -> None:
    assert refused(signed({**HEADER, **more}, claims()))


def test_a_key_that_was_taken_out_verifies_nothing_any_more() -> None:
    old = signed({**HEADER, "kid": "former"}, claims(), FORMER_KEY)
    assert not refused(old)
    without = Tokens({"now": KEY}, issuer="us", audience="api", token_type="at+jwt")
    with pytest.raises(InvalidToken):
        without.verify(old)


def test_a_former_key_signs_nothing_new() -> None:
    assert json.loads(decoded(OURS.issue("x", ttl_s=1).split(".")[0]))["kid"] == "now"


@pytest.mark.parametrize("keys", ["", " ", ",", "now:" + base64.b64encode(b"k" * 31).decode()])
async def test_the_product_does_not_start_without_keys(settings: Settings, database: Database, keys: str) -> None:
    redis = cache.connect(settings.redis_url.get_secret_value())
    with pytest.raises(ValueError, match="key"):
        Identity.build(settings.model_copy(update={"jwt_keys": SecretStr(keys)}), database=database, redis=redis)
    await redis.aclose()


# -- claims and shapes -------------------------------------------------------------------------------------------------


@examples(max_examples=300)
@given(name=st.sampled_from(["iss", "aud", "sub", "exp", "iat", "nbf", "tid", "jti"]), value=JSON)
def test_a_claim_of_any_type_is_refused_or_read_and_never_an_error(name: str, value: object) -> None:
    said = claims(**{name: value})
    token = signed(HEADER, said)
    if not refused(token):
        read = OURS.verify(token)
        assert read.subject == said["sub"]
        assert (said["iss"], said["aud"], type(said["exp"])) == ("us", "api", int)
        assert all(isinstance(each, str) for each in read.extra.values())


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "NaN", "Infinity", "1" * 5000, "-0", "1e3", "true", '"9999999999"']
)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_a_number_beyond_reason_is_refused(name: str, number: str) -> None:
    payload = json.dumps(claims(**{name: "HERE"})).replace('"HERE"', number)
    token = signed(HEADER, payload.encode())
    if name == "exp":
        assert refused(token)
    else:
        refused(token)


@pytest.mark.parametrize("ahead_s", [2, 60, 10**6])
def test_a_token_is_not_valid_before_its_time(ahead_s: int) -> None:
    assert refused(signed(HEADER, claims(nbf=int(time.time()) + ahead_s)))


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b'"x"', b"1", b"{", b"\xff", b"[" * 1500, b'{"a":' * 700])
def test_a_payload_that_is_no_object_is_refused_though_we_signed_it(payload: bytes) -> None:
    assert refused(signed(HEADER, payload))


@pytest.mark.parametrize("header", [b"", b"null", b"[]", b'"x"', b"{", b"\xff", b"[" * 2500, b'{"a":' * 500])
def test_a_header_that_is_no_object_is_refused(header: bytes) -> None:
    assert refused(signed(header, claims()))


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"now"}', None),
        (b'{"alg":"HS256","alg":"none","typ":"at+jwt","kid":"now"}', None),
        (b'{"alg":"HS256","typ":"at+jwt","kid":"other","kid":"now"}', None),
        (None, b'"aud":"api","aud":"else"'),
        (None, b'"aud":"else","aud":"api"'),
        (None, b'"sub":"else","sub":"somebody"'),
    ],
)
def test_a_name_that_comes_twice_gives_nobody_without_the_key_another_meaning(
    header: bytes | None, payload: bytes | None
) -> None:
    """Two readers may take different ones of them. Here one reads, what it reads is signed, and a stranger signs nothing."""
    now = str(int(time.time()) + 600).encode()
    said = b'{"iss":"us",' + (payload or b'"aud":"api"') + b',"sub":"somebody","exp":' + now + b"}"
    assert refused(signed(header or HEADER, said, b"x" * 32))
    parts = TOKEN.split(".")
    assert refused(".".join([encoded(header) if header else parts[0], encoded(said), parts[2]]))


@pytest.mark.parametrize("size", [4_097, 100_000, 5_000_000])
def test_a_huge_token_is_refused_before_anything_is_read_of_it(size: int) -> None:
    token = signed(HEADER, claims(pad="x" * size))
    began = time.process_time()
    assert refused(token)
    assert refused("." * size)
    # Its hash has to be taken, no more: reading 5 MB of JSON takes far longer.
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize("parts", [1, 2, 4, 5, 6, 50])
def test_a_token_has_three_parts(parts: int) -> None:
    assert refused(".".join((TOKEN.split(".") * 20)[:parts]))
