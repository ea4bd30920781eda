"""Vendors as the soak needs them: how to connect, what happens in their world, what it holds, and how they fail."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import httpx2
from tests.soak.gateway import Gateway, Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

# By table and source id: the columns to compare, as text.
Holdings = dict[str, dict[str, dict[str, str | None]]]

WEBHOOK_SECRET = "whsec_soak"


class Vendor(Protocol):
    """One vendor, with its simulator behind a gateway."""

    kind: str
    gateway: Gateway
    settles_s: float
    """How long after the last change a sync is sure to see it."""

    def connection(self) -> dict[str, Any]:
        """What to enter in the product."""

    def live(self, rng: Random) -> None:
        """Let something happen in its world."""

    def deliver(self, url: str, count: int) -> list[str]:
        """Send webhooks about the newest events; the ids of those that were taken."""

    def faults(self) -> dict[str, list[dict[str, Any]]]:
        """What its simulator can do wrong by itself, by name."""

    def fault(self, orders: list[dict[str, Any]]) -> None:
        """Have the simulator do so; with no orders it behaves."""

    def kill(self, strike: Callable[[], None]) -> None:
        """Have its simulator killed; from then on nobody gets through."""

    def revive(self) -> None:
        """Begin to bring the simulator back to where its world was; then people get through again."""

    def ready(self) -> None:
        """Wait until it is back."""

    def holdings(self) -> Holdings:
        """What its world holds, by its own count and its own lists."""


@dataclass(kw_only=True)
class Stripe:
    """The Stripe simulator. Its state is in memory, so whatever happens in its world is remembered here too."""

    address: str
    gateway: Gateway
    kind: str = "stripe"
    # The events' lag, and a little.
    settles_s: float = 62.0
    _happened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # Held by whoever changes the world, and from a simulator's death to its return.
    _at_work: threading.Lock = field(default_factory=threading.Lock)

    def connection(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "label": "Stripe",
            "settings": {"api_base": self.gateway.url},
            "credentials": {"api_key": "sk_test_demo", "webhook_secret": WEBHOOK_SECRET},
        }

    def live(self, rng: Random) -> None:
        # Said aloud, so that the same can happen again after a restart.
        at = int(time.time())
        draw = rng.random()
        if draw < 0.45:
            self._happen("world/append", {"orders": rng.randint(2, 8), "at": at})
        elif draw < 0.5:
            self._happen("world/settle", {})
        else:
            self._happen("world/change", {**self._change(rng), "at": at})

    def _change(self, rng: Random) -> dict[str, Any]:
        expected = self._expected()
        what = rng.choice(("charges", "charges", "customers", "invoices", "payouts", "disputes"))
        to = {
            "charges": ("refunded", "refund_pending", "disputed", "captured"),
            "customers": ("renamed", "renamed", "deleted"),
            "invoices": ("open", "paid", "void", "uncollectible"),
            "payouts": ("in_transit", "paid", "failed", "reconciled"),
            "disputes": ("under_review", "won", "lost"),
        }[what]
        return {"object": rng.choice(expected[what]["ids"]), "to": rng.choice(to)}

    def deliver(self, url: str, count: int) -> list[str]:
        if self.gateway.is_shut:
            return []
        order = {"url": url, "secret": WEBHOOK_SECRET, "count": count, "duplicates": 1, "attempts": 2, "shuffle": True}
        with self._control(timeout_s=120) as control:
            answer = control.post("/webhooks", json=order)
        return [each["event"] for each in answer.json() if any(s and 200 <= s < 300 for s in each["statuses"])]

    def faults(self) -> dict[str, list[dict[str, Any]]]:
        everywhere = {"match": "/v1/", "times": 6}
        return {
            "vendor-500": [{**everywhere, "kind": "status_500"}],
            "vendor-429": [{**everywhere, "kind": "status_429"}],
            "vendor-lock-timeout": [{**everywhere, "kind": "status_429", "reason": "lock_timeout"}],
            "vendor-403": [{"match": "/v1/payouts", "times": 2, "kind": "status_403"}],
            "vendor-cut-page": [{**everywhere, "kind": "cut_page"}],
            "vendor-wrong-length": [{**everywhere, "kind": "wrong_length"}],
            "vendor-malformed": [{**everywhere, "kind": "malformed"}, {**everywhere, "kind": "truncated"}],
            "vendor-html": [{**everywhere, "kind": "html"}],
            "vendor-late": [{**everywhere, "kind": "slow", "delay_s": 3}],
        }

    def fault(self, orders: list[dict[str, Any]]) -> None:
        with self._control() as control:
            control.put("/faults", json=orders).raise_for_status()

    def kill(self, strike: Callable[[], None]) -> None:
        self.gateway.shut()
        self._at_work.acquire()
        strike()

    def revive(self) -> None:
        # In the background: a long life takes a while to be told again.
        threading.Thread(target=self._revive, name="revival").start()

    def ready(self) -> None:
        with self._at_work:
            pass

    def _revive(self) -> None:
        try:
            self._tell_again()
        finally:
            self.gateway.open()
            self._at_work.release()

    def _tell_again(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                with self._control() as control:
                    control.get("/faults").raise_for_status()
                break
            except httpx2.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        with self._control() as control:
            for path, body in self._happened:
                control.post(f"/{path}", json=body).raise_for_status()

    def holdings(self) -> Holdings:
        found = {table: dict(getattr(self, f"_{table}")()) for table in _TABLES}
        self._agree(found)
        return found

    # -- what each list says, in the words of the canonical tables -------------------------------------------------------

    def _payments(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for one in self._list("charges"):
            taken = one["status"] != "succeeded" or one["captured"]
            status = one["status"] if taken else "canceled" if one["refunded"] else "authorized"
            yield one["id"], {**_money(one, "amount", "amount_captured", "amount_refunded"), "status": status}

    def _refunds(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for one in self._list("refunds"):
            yield one["id"], {**_money(one, "amount"), "status": one["status"]}

    def _disputes(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for one in self._list("disputes"):
            yield one["id"], {**_money(one, "amount"), "status": one["status"]}

    def _invoices(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for one in self._list("invoices"):
            amounts = _money(one, "total", "amount_due", "amount_paid", "amount_remaining")
            yield one["id"], {**amounts, "status": one["status"], "number": one["number"]}

    def _customers(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for one in self._list("customers"):
            yield one["id"], {"email": one["email"], "name": one["name"]}

    def _payouts(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for one in self._list("payouts"):
            state = {"status": one["status"], "reconciliation_status": one["reconciliation_status"]}
            yield one["id"], {**_money(one, "amount"), **state}

    def _payout_lines(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        members = self._expected()["payout_transactions"]
        payouts = {line: payout for payout, lines in members.items() for line in lines}
        for one in self._list("balance_transactions"):
            amounts = _money({**one, "gross": one["amount"]}, "gross", "fee", "net")
            # A payout's own withdrawal is listed with it, and is no part of it.
            payout = None if one["reporting_category"] == "payout" else payouts.get(one["id"])
            yield one["id"], {**amounts, "status": one["status"], "payout": payout}

    def _fees(self) -> Iterator[tuple[str, dict[str, str | None]]]:
        for one in self._list("balance_transactions"):
            for number, part in enumerate(one["fee_details"], 1):
                yield f"{one['id']}_fee_{number}", {**_money(part, "amount"), "kind": part["type"]}

    # ----------------------------------------------------------------------------------------------------------------------

    def _agree(self, found: Holdings) -> None:
        """The lists must say what the world itself says, or there is nothing to compare anything with."""
        expected = self._expected()
        for table, name in _TABLES.items():
            if name is not None and set(found[table]) != set(expected[name]["ids"]):
                msg = f"the simulator's list of {name} is not its world"
                raise AssertionError(msg)
        sums: Counter[str] = Counter()
        for one in found["payments"].values():
            sums[str(one["currency"]).lower()] += int(
                Decimal(one["amount"] or 0) * 10 ** _exponent(one["currency"] or "")
            )
        if sums != Counter(expected["charges"]["amount"]):
            raise AssertionError("the simulator's charges do not add up to its world's")

    def _list(self, name: str) -> Iterator[dict[str, Any]]:
        with httpx2.Client(base_url=self.address, timeout=60, headers={"Authorization": "Bearer sk_test_demo"}) as http:
            after: dict[str, str] = {}
            while True:
                answer = http.get(f"/v1/{name}", params={"limit": "100", **after}).raise_for_status()
                page = answer.json()
                yield from page["data"]
                if not page["has_more"]:
                    return
                after = {"starting_after": page["data"][-1]["id"]}

    def _expected(self) -> dict[str, Any]:
        with self._control() as control:
            found: dict[str, Any] = control.get("/expected").raise_for_status().json()
        return found

    def _happen(self, path: str, body: dict[str, Any]) -> None:
        with self._at_work:
            with self._control() as control:
                answer = control.post(f"/{path}", json=body)
            # Not everything can happen to everything.
            if answer.is_success:
                self._happened.append((path, body))

    def _control(self, *, timeout_s: float = 30) -> httpx2.Client:
        return httpx2.Client(base_url=f"{self.address}/_simulator", timeout=timeout_s)


_TABLES: dict[str, str | None] = {
    "payments": "charges",
    "refunds": "refunds",
    "disputes": "disputes",
    "invoices": "invoices",
    "customers": "customers",
    "payouts": "payouts",
    "payout_lines": "balance_transactions",
    "fees": None,
}


def _exponent(currency: str) -> int:
    return {"jpy": 0, "kwd": 3}.get(currency.lower(), 2)


def _money(one: dict[str, Any], *names: str) -> dict[str, str | None]:
    """Amounts as plain decimals, whatever number of places they are kept with."""
    currency = one["currency"].upper()
    scale = Decimal(1).scaleb(-_exponent(currency))
    return {"currency": currency, **{name: plain(one[name] * scale) for name in names}}


def plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f") if amount else "0"


def weathers() -> dict[str, Weather]:
    """What can happen on the way to any vendor."""
    return {
        "vendor-refused": Weather(kind="refused"),
        "vendor-reset": Weather(kind="reset"),
        "vendor-silent": Weather(kind="silent"),
        "vendor-cut": Weather(kind="cut"),
        "vendor-slow": Weather(kind="slow"),
        "vendor-503": Weather(kind="answered", status=503),
        "vendor-429-retry-after": Weather(kind="answered", status=429, retry_after_s=5),
    }
