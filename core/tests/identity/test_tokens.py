import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kit.tokens import InvalidToken, Tokens, parse_keys

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
CLAIMS: dict[str, Any] = {"iss": "us", "aud": "api", "sub": "somebody", "tid": "t"}
HEADER = {"alg": "HS256", "typ": "at+jwt", "kid": "one"}


def tokens(keys: dict[str, bytes] | None = None, **changes: str) -> Tokens:
    names = {"issuer": "us", "audience": "api", "token_type": "at+jwt", **changes}
    return Tokens(keys or {"one": KEY}, **names)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: dict[str, Any], claims: dict[str, Any], *, key: bytes = KEY, digest: str = "sha256") -> str:
    """A token made by hand, so that it may say what the library would refuse to write."""
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{signed}.{encoded(hmac.digest(key, signed.encode(), getattr(hashlib, digest)))}"


def refused(token: str) -> bool:
    try:
        tokens().verify(token)
    except InvalidToken:
        return True
    return False


@given(subject=st.text(max_size=50), extra=st.dictionaries(st.sampled_from(["tid", "sid"]), st.text(max_size=50)))
def test_an_issued_token_verifies_to_what_it_was_issued_with(subject: str, extra: dict[str, str]) -> None:
    ours = tokens()
    claims = ours.verify(ours.issue(subject, ttl_s=60, extra=extra))
    assert (claims.subject, claims.extra) == (subject, extra)
    assert claims.expires_at == pytest.approx(time.time() + 60, abs=2)


def test_a_token_made_by_hand_in_our_form_verifies() -> None:
    assert not refused(forged(HEADER, {**CLAIMS, "exp": int(time.time()) + 60}))


@given(data=st.data())
def test_a_token_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    token = tokens().issue("somebody", ttl_s=60)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(max_codepoint=0x7E).filter(lambda character: character != token[place]))
    assert refused(token[:place] + other + token[place + 1 :])


@given(st.text(max_size=200))
def test_text_that_is_no_token_is_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS384", "HS512", "RS256", "ES256", "hs256", "", None, 1, ["HS256"]]
)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_any_other_algorithm_is_refused(algorithm: object, digest: str) -> None:
    claims = {**CLAIMS, "exp": int(time.time()) + 60}
    token = forged({**HEADER, "alg": algorithm}, claims, digest=digest)
    assert refused(token)
    assert refused(token.rsplit(".", 1)[0] + ".")


@given(
    claim=st.sampled_from(["iss", "aud"]),
    value=st.one_of(st.text(), st.none(), st.lists(st.sampled_from(["us", "api"])), st.integers(), st.booleans()),
)
def test_any_other_issuer_or_audience_is_refused(claim: str, value: object) -> None:
    claims = {**CLAIMS, "exp": int(time.time()) + 60, claim: value}
    assert refused(forged(HEADER, claims)) is (value != CLAIMS[claim])


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "sub"])
def test_a_token_without_a_required_claim_is_refused(claim: str) -> None:
    claims = {**CLAIMS, "exp": int(time.time()) + 60}
    del claims[claim]
    assert refused(forged(HEADER, claims))


@pytest.mark.parametrize("expiry", [0, -1, "9999999999", 9999999999.5, None, True, [9999999999]])
def test_an_expiry_that_is_past_or_no_integer_is_refused(expiry: object) -> None:
    assert refused(forged(HEADER, {**CLAIMS, "exp": expiry}))


@given(past_s=st.integers(0, 10**9))
def test_an_expired_token_is_refused(past_s: int) -> None:
    ours = tokens()
    with pytest.raises(InvalidToken):
        ours.verify(ours.issue("somebody", ttl_s=-past_s))


def test_a_cached_token_is_refused_once_it_has_expired() -> None:
    ours = tokens()
    token = ours.issue("somebody", ttl_s=1)
    ours.verify(token)
    time.sleep(1.1)
    with pytest.raises(InvalidToken):
        ours.verify(token)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "kid": "one"},
        {"alg": "HS256", "kid": "one", "typ": "JWT"},
        {"alg": "HS256", "typ": "at+jwt"},
        {**HEADER, "kid": "two"},
        {**HEADER, "kid": ["one"]},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "jwk": {"kty": "oct", "k": "b2s"}},
    ],
)
def test_any_other_header_is_refused(header: dict[str, Any]) -> None:
    assert refused(forged(header, {**CLAIMS, "exp": int(time.time()) + 60}))


def test_a_token_of_another_purpose_is_refused() -> None:
    assert refused(tokens(token_type="refresh+jwt").issue("somebody", ttl_s=60))


def test_a_token_signed_with_another_key_under_our_key_id_is_refused() -> None:
    assert refused(tokens({"one": OTHER_KEY}).issue("somebody", ttl_s=60))


def test_tokens_of_the_former_key_verify_after_a_rotation() -> None:
    old = tokens().issue("somebody", ttl_s=60)
    rotated = tokens({"two": OTHER_KEY, "one": KEY})
    assert rotated.verify(old).subject == "somebody"
    assert refused(rotated.issue("somebody", ttl_s=60))


def test_no_key_and_short_keys_are_refused_at_the_start() -> None:
    for keys in ({}, {"one": b"k" * 31}, {"one": b""}):
        with pytest.raises(ValueError, match="key"):
            Tokens(keys, issuer="us", audience="api", token_type="at+jwt")


@given(st.dictionaries(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), st.binary(min_size=1), min_size=1))
def test_written_keys_read_back_in_order(keys: dict[str, bytes]) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = ", ".join(f"{kid}:{encode(secret).decode()}" for kid, secret in keys.items())
        assert list(parse_keys(text).items()) == list(keys.items())


@pytest.mark.parametrize("text", ["one", "one:", ":a2V5", "one:%%%", "one:a2V5,one:a2V5"])
def test_a_malformed_key_list_is_refused_without_repeating_the_secret(text: str) -> None:
    with pytest.raises(ValueError, match="does not read kid:base64") as caught:
        parse_keys(text)
    assert "a2V5" not in str(caught.value)


def test_the_ecdsa_package_is_never_imported() -> None:
    script = (
        "import sys; from counterfoil.kit.tokens import Tokens;"
        "t = Tokens({'k': b'k' * 32}, issuer='i', audience='a', token_type='t');"
        "t.verify(t.issue('s', ttl_s=60)); sys.exit('ecdsa' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603  (our own interpreter)
