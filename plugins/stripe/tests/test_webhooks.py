"""Only what Stripe signed lately, with this endpoint's secret, is a webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from counterfoil.sdk import Hint, SignatureInvalid, WebhookEvent, from_unix
from counterfoil_stripe.connector import Stripe, StripeSettings

if TYPE_CHECKING:
    from starlette.requests import Request

SECRET = "whsec_test_secret"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.refunded",
    "created": AT - 3,
    "data": {"object": {"id": "ch_1", "object": "charge"}},
}
BODY = json.dumps(EVENT).encode()


def settings(secret: str | None = SECRET) -> StripeSettings:
    return StripeSettings.model_validate({"api_key": "sk_test_x", "webhook_secret": secret})


def signed(body: bytes = BODY, *, at: int | str = AT, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def verify(header: str | None, body: bytes = BODY, *, secret: str | None = SECRET) -> WebhookEvent:
    headers = {} if header is None else {"stripe-signature": header}
    return Stripe().verify(settings(secret), headers, body, now=NOW)


def test_a_signed_event_says_what_it_is_about() -> None:
    assert Stripe.has_webhooks
    assert verify(f"t={AT},v1={signed()}") == WebhookEvent(
        id="evt_1",
        type="charge.refunded",
        created_at=from_unix(AT - 3),
        hints=[Hint(stream="charges", source_id="ch_1")],
    )


@pytest.mark.parametrize(
    "header",
    [
        f"t={AT},v1={'0' * 64},v1={signed()}",
        f"t={AT},v1={signed()},v1={'0' * 64},v0=abc",
        f"t={AT}, v1={signed()}",
        f"v1={signed()},t={AT}",
        f"t={AT - 300},v1={signed(at=AT - 300)}",
        f"t={AT + 5},v1={signed(at=AT + 5)}",
    ],
)
def test_any_v1_signature_of_the_last_five_minutes_will_do(header: str) -> None:
    assert verify(header).id == "evt_1"


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (None, "header is missing"),
        ("", "header is missing"),
        ("nonsense", "when it was signed"),
        (f"v1={signed()}", "when it was signed"),
        (f"t={AT},t={AT},v1={signed()}", "when it was signed"),
        (f"t=soon,v1={signed()}", "when it was signed"),
        (f"t={'9' * 5000},v1={signed()}", "when it was signed"),
        (f"t=-1,v1={signed(at=-1)}", "when it was signed"),
        (f"t={AT}", "no v1 signature"),
        (f"t={AT},v0={signed()}", "no v1 signature"),
        (f"t={AT},v1=", "no signature matches"),
        (f"t={AT},v1={signed()[:-1]}", "no signature matches"),
        (f"t={AT},v1={signed().upper()}", "no signature matches"),
        (f"t={AT},v1=\xe9\xff", "no signature matches"),
        (f"t={AT + 1},v1={signed()}", "no signature matches"),
        (f"t={AT},v1={signed(secret='whsec_other')}", "no signature matches"),
        (f"t={AT - 301},v1={signed(at=AT - 301)}", "too old"),
    ],
)
def test_everything_else_is_refused(header: str | None, says: str) -> None:
    with pytest.raises(SignatureInvalid, match=says):
        verify(header)


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nothing_is_believed(secret: str | None) -> None:
    with pytest.raises(SignatureInvalid, match="has no webhook secret"):
        verify(f"t={AT},v1={signed(secret='')}", secret=secret)


@given(st.binary(max_size=200), st.integers(0, 8 * len(BODY) - 1))
def test_a_body_that_was_touched_is_refused(tail: bytes, bit: int) -> None:
    touched = bytearray(BODY)
    touched[bit // 8] ^= 1 << bit % 8
    for body in (bytes(touched), BODY + b" " + tail):
        with pytest.raises(SignatureInvalid, match="no signature matches"):
            verify(f"t={AT},v1={signed()}", body)


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b"{}", b"null", b'{"id":"evt_1"}', json.dumps({**EVENT, "created": 10**30}).encode()],
)
def test_what_is_signed_and_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureInvalid, match="is no event"):
        verify(f"t={AT},v1={signed(body)}", body)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "invoice.upcoming", "data": {"object": {"id": "in_u", "object": "invoice"}}},
        {"account": "acct_of_another"},
        {"data": {"object": {"id": "sub_1", "object": "subscription"}}},
        {"data": {"object": {"object": "balance"}}},
    ],
)
def test_an_event_of_nothing_we_keep_has_no_hints(change: dict[str, Any]) -> None:
    body = json.dumps({**EVENT, **change}).encode()
    assert verify(f"t={AT},v1={signed(body)}", body).hints == []


class Endpoint:
    """Where webhooks arrive: checks each as the product does, and is unwell at first."""

    def __init__(self, *, failures: int = 0, secret: str = SECRET) -> None:
        self.failures = failures
        self.secret = secret
        self.taken: list[WebhookEvent] = []
        self.refused: list[str] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/hook", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        if self.failures:
            self.failures -= 1
            return Response(status_code=503)
        try:
            event = Stripe().verify(
                settings(self.secret), dict(request.headers), await request.body(), now=datetime.now(UTC)
            )
        except SignatureInvalid as error:
            self.refused.append(str(error))
            return Response(status_code=400)
        self.taken.append(event)
        return Response(status_code=200)


def deliver(stripe: Any, base_url: str, **order: Any) -> list[dict[str, Any]]:
    answer = stripe.control.post(
        "/_simulator/webhooks", json={"url": f"{base_url}/hook", "secret": SECRET, **order}, timeout=30
    )
    answer.raise_for_status()
    outcome: list[dict[str, Any]] = answer.json()
    return outcome


def test_what_the_simulator_delivers_is_what_its_list_shows(stripe: Any, serve: Any) -> None:
    endpoint = Endpoint()
    with serve(endpoint.app()) as base_url:
        outcome = deliver(stripe, base_url, count=20)
    listed = stripe.get("/v1/events", limit=20)["data"]
    assert [event.id for event in endpoint.taken] == [event["id"] for event in reversed(listed)]
    assert [each["statuses"] for each in outcome] == [[200]] * 20
    assert {hint.stream for event in endpoint.taken for hint in event.hints} <= set(Stripe.streams)


def test_deliveries_are_repeated_until_they_are_taken(stripe: Any, serve: Any) -> None:
    endpoint = Endpoint(failures=2)
    with serve(endpoint.app()) as base_url:
        assert deliver(stripe, base_url)[0]["statuses"] == [503, 503, 200]
    assert deliver(stripe, base_url, attempts=2)[0]["statuses"] == [None, None]


def test_deliveries_may_be_doubled_and_in_any_order(stripe: Any, serve: Any) -> None:
    endpoint = Endpoint()
    with serve(endpoint.app()) as base_url:
        deliver(stripe, base_url, count=10, duplicates=1, shuffle=True)
    arrived = [event.id for event in endpoint.taken]
    listed = [event["id"] for event in reversed(stripe.get("/v1/events", limit=10)["data"])]
    assert sorted(arrived) == sorted(listed * 2)
    assert list(dict.fromkeys(arrived)) != listed


def test_a_late_or_foreign_delivery_is_refused(stripe: Any, serve: Any) -> None:
    endpoint = Endpoint()
    with serve(endpoint.app()) as base_url:
        assert deliver(stripe, base_url, age_s=400, attempts=1)[0]["statuses"] == [400]
        assert deliver(stripe, base_url, secret="whsec_other", attempts=1)[0]["statuses"] == [400]
    assert endpoint.refused == ["the signature is too old", "no signature matches the webhook secret"]
