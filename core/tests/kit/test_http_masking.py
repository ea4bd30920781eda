"""No secret survives in what is kept of a request, wherever it stands."""

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from counterfoil.kit.http import Redactor, masked_excerpt, masked_url
from counterfoil.kit.http.masking import names_a_secret

# As vendors make them; hard characters included, because each is escaped differently somewhere.
SECRETS = st.text(alphabet=st.sampled_from("abcXYZ019_-/+=&?#%\"'\\<> éß"), min_size=8, max_size=40).filter(
    lambda text: text.strip() == text and "***" not in text and len(set(text)) > 4
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    secret=SECRETS, place=st.sampled_from(["path", "name", "value", "given", "given name"]), around=st.text(max_size=9)
)
@example(secret="sk/+ ?&=#%secret", place="path", around="")
def test_an_address_keeps_no_known_secret(secret: str, place: str, around: str) -> None:
    text = f"{around}{secret}{around}"
    encoded = quote(text.encode("utf-8", "replace"), safe="")
    url, params = "https://api.vendor.test/v1/things", [("page", "2")]
    match place:
        case "path":
            url += f"/{encoded}/lines"
        case "name":
            url += f"?{encoded}=1"
        case "value":
            url += f"?q={encoded}&x=1"
        case "given":
            params.append(("q", text))
        case _:
            params.append((text, "q"))
    kept = masked_url(url, [(n.encode("utf-8", "replace").decode(), v) for n, v in params], Redactor([secret]))
    assert secret not in kept
    assert quote(secret, safe="") not in kept
    assert "page=2" in kept


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://u:p@host.test/v1?limit=5#part", "https://host.test/v1?limit=5"),
        ("https://host.test/v1?api_key=abc&limit=5", "https://host.test/v1?api_key=***&limit=5"),
        ("https://host.test/v1?access_token=abc&Password=x", "https://host.test/v1?access_token=***&Password=***"),
        ("https://host.test/v1/a%20b?created[gte]=5", "https://host.test/v1/a%20b?created[gte]=5"),
    ],
)
def test_an_address_is_otherwise_kept_as_it_was(url: str, kept: str) -> None:
    assert masked_url(url, [], Redactor()) == kept


@given(secret=SECRETS, form=st.sampled_from(["json", "ascii", "html", "query", "base64", "text", "key"]), rest=JSON)
def test_an_excerpt_keeps_no_known_secret_in_whatever_form_it_is_quoted(secret: str, form: str, rest: Any) -> None:
    body = {
        "json": json.dumps({"error": {"message": f"bad {secret}!", "rest": rest}}, ensure_ascii=False),
        "ascii": json.dumps({"error": [f"bad {secret}!"], "rest": rest}),
        "html": f"<p>bad {secret.replace('<', '&lt;')}",
        "query": f"error={quote(secret, safe='')}",
        "base64": base64.b64encode(secret.encode()).decode(),
        "text": f"no {secret} no",
        "key": json.dumps({secret: rest}, ensure_ascii=False),
    }[form].encode("utf-8", "replace")
    kept = masked_excerpt(body, Redactor([secret]))
    for shape in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert shape not in kept


@given(secret=SECRETS, at=st.integers(16_384 - 60, 16_384 + 20))
def test_a_secret_that_the_window_cuts_leaves_no_half(secret: str, at: int) -> None:
    # Long known secrets before it shrink the window's text, so that its end is within what is kept.
    filler = "0123456789abcdef" * 128
    body = (filler * 9)[:at].encode() + secret.encode() + b" and more" * 10
    kept = masked_excerpt(body, Redactor([secret, filler]))
    longest = max((n for n in range(len(secret) + 1) if kept.endswith(secret[:n])), default=0)
    assert longest <= 1 or secret[:longest] in filler


@given(
    name=st.sampled_from(
        ["password", "client_secret", "api_key", "apiKey", "X-Auth-Token", "access_token", "Authorization"]
    ),
    value=st.text(alphabet="abcdefghijkXYZ0123456789._-", min_size=12, max_size=30),
    form=st.sampled_from(
        ['{"a":{"%s":"%s"}}', '{"a":[{"%s":["%s"]}]}', '{"a": 1, "%s": "%s', "%s=%s&b=2", "x %s: %s\n", "'%s': '%s'"]
    ),
)
def test_an_unknown_secret_is_known_by_its_name(name: str, value: str, form: str) -> None:
    assert value not in masked_excerpt((form % (name, value)).encode(), Redactor())


@given(body=st.binary(max_size=300), secrets=st.lists(st.text(max_size=12), max_size=3))
@example(body=b"[" * 900 + b"]" * 900, secrets=[])
@example(body=b'{"a":"\\u0000"}', secrets=[])
@example(body=b"x" * 5000, secrets=[])
def test_whatever_a_vendor_answers_becomes_a_short_text_that_can_be_stored(body: bytes, secrets: list[str]) -> None:
    kept = masked_excerpt(body, Redactor(secrets))
    assert len(kept.encode()) <= 2048
    assert "\0" not in kept


@pytest.mark.parametrize(
    "text", ["a" * 10**6, 'a:"' * 10**5, "a:'" * 10**5, "a \\\n:" * 10**5, "token=" * 10**5, "a" + " " * 10**6]
)
def test_no_answer_takes_long_to_mask(text: str) -> None:
    began = time.perf_counter()
    masked_excerpt(text.encode(), Redactor(["something"]))
    assert time.perf_counter() - began < 0.5


def test_the_longer_of_two_secrets_is_struck_out_whole() -> None:
    redact = Redactor(["abcd"])
    redact.add("abcdefgh")
    assert redact("xabcdefghx abcdx") == "x***x ***x"


@pytest.mark.parametrize(
    "name", ["limit", "status", "currency", "created", "customer", "tokens_left" + "", "description"]
)
def test_what_merely_says_something_is_no_secret(name: str) -> None:
    assert names_a_secret(name) is (name == "tokens_left")
