"""The Stripe connector: what customers paid, got back and question, what they were billed, and how it reached the bank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from counterfoil.sdk import (
    Account,
    Bearer,
    Connector,
    Customer,
    Dispute,
    Fee,
    Invoice,
    Page,
    ParentCursor,
    Payment,
    Payout,
    PayoutLine,
    RateLimit,
    Raw,
    Refund,
    Secret,
    Settings,
    TimeCursor,
    from_unix,
    stream,
)
from counterfoil_stripe import reading, rows, states, webhooks
from counterfoil_stripe.events import TOLD_STREAMS, read_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from counterfoil.sdk import ConnectorContext, HttpClient, SourceError, WebhookEvent, Window

_API = "https://api.stripe.com"
# docs.stripe.com/rate-limits: 100 requests a second live, of which other programs need some, and 25 in a sandbox.
_LIVE = RateLimit(rps=80, concurrency=8)
_SANDBOX = RateLimit(rps=25, concurrency=4)
# One endpoint takes 25 requests a second, and a page a fifth of one.
_SLICES = 5


class StripeSettings(Settings):
    """What a connection to Stripe needs."""

    api_key: Secret = Field(title="API key", description="A restricted key that may read, or a secret key.")
    webhook_secret: Secret | None = Field(
        default=None,
        title="Webhook signing secret",
        description="Of the webhook endpoint that sends to this connection; begins with whsec_.",
    )
    api_base: str = Field(default=_API, title="API address", pattern=r"^https?://[^\s/]+$")


class Stripe(Connector):
    """Reads one Stripe account.

    Stripe lists by creation only, so three things together find what changes later: each list looks back a little, `open`
    names the objects that are under way and are fetched again, and the events tell of the rest. Objects found unchanged are
    not written. Balance transactions have no events: they become available within the 7 days their list looks back, or are
    fetched again. A payout may fail for weeks after it was paid, and there are few: their list looks back 30 days.
    """

    kind = "stripe"
    title = "Stripe"
    description = "Payments, refunds, disputes, invoices, customers, payouts and every movement of the balance"
    base_url = _API
    settings = StripeSettings
    limits = _SANDBOX
    headers: ClassVar[Mapping[str, str]] = {"Stripe-Version": reading.API_VERSION}
    has_webhooks = True

    def base_url_for(self, settings: StripeSettings) -> str:
        return settings.api_base

    def limits_for(self, settings: StripeSettings) -> RateLimit:
        return _LIVE if _is_live(settings) and settings.api_base == _API else _SANDBOX

    async def authorize(self, http: HttpClient, settings: StripeSettings) -> Bearer:  # noqa: ARG002 - a key needs no exchange
        return Bearer(settings.api_key.get_secret_value())

    async def check(self, ctx: ConnectorContext) -> Account:
        account = await ctx.http.get("/v1/account")
        # A restricted key may see the account without its settings.
        label = (account.get("settings") or {}).get("dashboard", {}).get("display_name") or account["id"]
        return Account(id=account["id"], label=label, livemode=_is_live(ctx.settings))

    async def earliest(self, ctx: ConnectorContext) -> datetime | None:
        """When the account was created, if the lists that are read in slices hold nothing older.

        Stripe calls it the time the account was connected, and a test clock makes objects of any age.
        """
        created = (await ctx.http.get("/v1/account")).get("created")
        if not isinstance(created, int):
            return None
        for path in ("/v1/charges", "/v1/payment_intents", "/v1/balance_transactions", "/v1/customers"):
            if await reading.has_any(ctx, path, before=created):
                return None
        return from_unix(created)

    def verify(
        self, settings: StripeSettings, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> WebhookEvent:
        secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else None
        return webhooks.verified(secret, headers.get("stripe-signature"), body, now=now)

    def classify(self, status: int, body: Any, headers: Mapping[str, str]) -> SourceError | None:
        return reading.classify(status, body, headers)

    @stream("charges", cursor=TimeCursor(lookback="1d", slices=_SLICES), targets=[Payment])
    def charges(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/charges", reading.created_in(w), w.resume)

    charges.rows(rows.of_charge)
    charges.open(states.is_open_charge)
    charges.fetch(reading.fetching("/v1/charges"))

    # Kept raw only: the money an intent moved is its charges', and one that moved none is no payment.
    @stream("payment_intents", cursor=TimeCursor(lookback="1d", slices=_SLICES), targets=[])
    def payment_intents(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/payment_intents", reading.created_in(w), w.resume)

    payment_intents.open(states.is_open_payment_intent)
    payment_intents.fetch(reading.fetching("/v1/payment_intents"))

    @stream("refunds", cursor=TimeCursor(lookback="1d"), targets=[Refund])
    def refunds(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/refunds", reading.created_in(w), w.resume)

    refunds.rows(rows.of_refund)
    refunds.open(states.is_open_refund)
    refunds.fetch(reading.fetching("/v1/refunds"))

    @stream("disputes", cursor=TimeCursor(lookback="1d"), targets=[Dispute])
    def disputes(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/disputes", reading.created_in(w), w.resume)

    disputes.rows(rows.of_dispute)
    disputes.open(states.is_open_dispute)
    disputes.fetch(reading.fetching("/v1/disputes"))

    @stream("invoices", cursor=TimeCursor(lookback="1d"), targets=[Invoice])
    def invoices(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/invoices", reading.created_in(w), w.resume)

    invoices.rows(rows.of_invoice)
    invoices.open(states.is_open_invoice)
    invoices.fetch(reading.fetching("/v1/invoices"))

    @stream("customers", cursor=TimeCursor(lookback="1d", slices=_SLICES), targets=[Customer])
    def customers(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/customers", reading.created_in(w), w.resume)

    customers.rows(rows.of_customer)
    customers.fetch(reading.fetching("/v1/customers"))

    @stream("payouts", cursor=TimeCursor(lookback="30d"), targets=[Payout])
    def payouts(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/payouts", reading.created_in(w), w.resume)

    payouts.rows(rows.of_payout)
    payouts.open(states.is_open_payout)
    payouts.fetch(reading.fetching("/v1/payouts"))

    @stream(
        "balance_transactions",
        cursor=TimeCursor(lookback=states.BALANCE_LOOKBACK, slices=_SLICES),
        targets=[PayoutLine, Fee],
        version=2,
    )
    def balance_transactions(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return reading.pages(ctx, "/v1/balance_transactions", reading.created_in(w), w.resume)

    balance_transactions.rows(rows.of_balance_transaction)
    balance_transactions.open(states.is_open_transaction)
    balance_transactions.fetch(reading.fetching("/v1/balance_transactions"))

    # After the lists: what they show in the same run is newer than what its event said.
    @stream(
        "events",
        cursor=TimeCursor(lookback="5m", lag="60s", horizon="30d"),
        targets=[],
        tells_of=tuple(TOLD_STREAMS.values()),
    )
    def events(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return read_events(self, ctx, w)

    # After the events, which tell of payouts that have become complete.
    @stream(
        "payout_transactions",
        cursor=ParentCursor(stream="payouts"),
        targets=[PayoutLine, Fee],
        version=2,
        authority=1,
    )
    async def payout_transactions(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        payout = w.parent or {}
        # Stripe refuses to list a manual payout, and what it lists of an automatic one is complete only when it says so.
        if payout["automatic"] and payout["reconciliation_status"] == "completed":
            async for page in reading.pages(ctx, "/v1/balance_transactions", {"payout": payout["id"]}, w.resume):
                yield Page(records=[_paid_out_in(payout, raw) for raw in page.records], resume=page.resume)

    payout_transactions.rows(rows.of_balance_transaction)


def _is_live(settings: StripeSettings) -> bool:
    return "_live_" in settings.api_key.get_secret_value()


def _paid_out_in(payout: dict[str, Any], raw: Raw) -> Raw:
    return Raw(raw.source_id, {**raw.payload, rows.PAYOUT: payout["id"]})
