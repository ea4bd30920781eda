"""Stripe, for the soak: what may happen in its world, and what it holds in the words of the canonical tables."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import httpx2
from tests.soak.vendors import WEBHOOK_SECRET, Holdings, Vendor, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random


@dataclass(kw_only=True)
class Stripe(Vendor):
    """The Stripe simulator."""

    kind: ClassVar[str] = "stripe"
    # The events' lag, and a little.
    settles_s: ClassVar[float] = 62.0

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
            self.happen("world/append", {"orders": rng.randint(2, 8), "at": at})
        elif draw < 0.5:
            self.happen("world/settle", {})
        else:
            self.happen("world/change", {**self._change(rng), "at": at})

    def _change(self, rng: Random) -> dict[str, Any]:
        expected = self.expected()
        what = rng.choice(("charges", "charges", "customers", "invoices", "payouts", "disputes"))
        to = {
            "charges": ("refunded", "refund_pending", "disputed", "captured"),
            "customers": ("renamed", "renamed", "deleted"),
            "invoices": ("open", "paid", "void", "uncollectible"),
            "payouts": ("in_transit", "paid", "failed", "reconciled"),
            "disputes": ("under_review", "won", "lost"),
        }[what]
        return {"object": rng.choice(expected[what]["ids"]), "to": rng.choice(to)}

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
        members = self.expected()["payout_transactions"]
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
        expected = self.expected()
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
