"""Webhooks: events sent to an address, signed as Stripe signs them, and badly where a test wants that."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from random import Random
from typing import Any

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, Field

_FIRST_WAIT_S = 0.05


class Delivery(BaseModel):
    """Send the newest `count` events to `url`.

    Each is tried until a 2xx comes, at most `attempts` times; sent again `duplicates` times after it was taken; all of them in
    a random order if `shuffle`. `age_s` dates the signatures back.
    """

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern="^https?://")
    secret: str = Field(min_length=1)
    count: int = Field(default=1, ge=1, le=1000)
    duplicates: int = Field(default=0, ge=0, le=10)
    attempts: int = Field(default=3, ge=1, le=10)
    shuffle: bool = False
    age_s: int = Field(default=0, ge=0)


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The Stripe-Signature header; like Stripe's own in a sandbox it has a v0 beside the v1."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest},v0={digest[::-1]}"


async def deliver(order: Delivery, bodies: list[bytes]) -> list[dict[str, Any]]:
    """What became of each delivery: the event, and the status of every attempt (null: no answer)."""
    queue = [body for body in bodies for _ in range(1 + order.duplicates)]
    if order.shuffle:
        Random(order.secret).shuffle(queue)  # noqa: S311 - the same disorder every time
    async with httpx2.AsyncClient(timeout=10, trust_env=False) as http:
        return [await _delivered(http, order, body) for body in queue]


async def _delivered(http: httpx2.AsyncClient, order: Delivery, body: bytes) -> dict[str, Any]:
    event = orjson.loads(body)
    statuses: list[int | None] = []
    for attempt in range(order.attempts):
        if attempt:
            await asyncio.sleep(_FIRST_WAIT_S * 2**attempt)
        header = signature(order.secret, body, at=int(time.time()) - order.age_s)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": header,
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            answer = await http.post(order.url, content=body, headers=headers)
        except httpx2.TransportError:
            statuses.append(None)
            continue
        statuses.append(answer.status_code)
        if answer.is_success:
            break
    return {"event": event["id"], "type": event["type"], "statuses": statuses}
