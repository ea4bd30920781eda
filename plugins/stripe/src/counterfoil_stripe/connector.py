"""The Stripe connector: charges, payouts, balance transactions, and which of those each payout is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from counterfoil.sdk import (
    Account,
    Bearer,
    Connector,
    Page,
    ParentCursor,
    Payment,
    Payout,
    PayoutLine,
    RateLimit,
    Raw,
    Secret,
    Settings,
    SourceForbidden,
    SourceInvalid,
    SourceMalformed,
    SourceRateLimited,
    SourceUnauthorized,
    SourceUnavailable,
    TimeCursor,
    stream,
)
from counterfoil_stripe import rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from counterfoil.sdk import ConnectorContext, HttpClient, SourceError, Window

API_VERSION = "2026-10-28.endive"
_PAGE_SIZE = 100
_ERRORS: dict[int, type[SourceError]] = {
    400: SourceInvalid,
    401: SourceUnauthorized,
    402: SourceInvalid,
    403: SourceForbidden,
    404: SourceInvalid,
    429: SourceRateLimited,
    500: SourceUnavailable,
}


class StripeSettings(Settings):
    """What a connection to Stripe needs."""

    api_key: Secret = Field(title="API key", description="A restricted key that may read, or a secret key.")
    api_base: str = Field(default="https://api.stripe.com", title="API address", pattern=r"^https?://[^\s/]+$")


class Stripe(Connector):
    """Reads one Stripe account.

    Stripe lists by creation only. The lookbacks read again what still changes soon after it was made; objects found unchanged are
    not written. A charge is captured, refunded or disputed mostly within 7 days; what comes later shows as a balance transaction.
    A balance transaction becomes available within 7 days and is final. A payout travels, is reconciled or fails within 30.
    """

    kind = "stripe"
    title = "Stripe"
    description = "Charges, payouts and every movement of the balance"
    base_url = "https://api.stripe.com"
    settings = StripeSettings
    limits = RateLimit(rps=25, concurrency=4)  # docs.stripe.com/rate-limits: one endpoint, and a sandbox as a whole
    headers: ClassVar[Mapping[str, str]] = {"Stripe-Version": API_VERSION}

    def base_url_for(self, settings: StripeSettings) -> str:
        return settings.api_base

    async def authorize(self, http: HttpClient, settings: StripeSettings) -> Bearer:  # noqa: ARG002 - a key needs no exchange
        return Bearer(settings.api_key.get_secret_value())

    async def check(self, ctx: ConnectorContext) -> Account:
        account = await ctx.http.get("/v1/account")
        # A restricted key may see the account without its settings.
        label = (account.get("settings") or {}).get("dashboard", {}).get("display_name") or account["id"]
        is_live = "_live_" in ctx.settings.api_key.get_secret_value()
        return Account(id=account["id"], label=label, livemode=is_live)

    @stream("charges", cursor=TimeCursor(lookback="7d"), targets=[Payment])
    def charges(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return _pages(ctx, "/v1/charges", _created_in(w), w.resume)

    charges.rows(rows.of_charge)

    @stream("payouts", cursor=TimeCursor(lookback="30d"), targets=[Payout])
    def payouts(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return _pages(ctx, "/v1/payouts", _created_in(w), w.resume)

    payouts.rows(rows.of_payout)

    @stream("balance_transactions", cursor=TimeCursor(lookback="7d"), targets=[PayoutLine])
    def balance_transactions(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        return _pages(ctx, "/v1/balance_transactions", _created_in(w), w.resume)

    balance_transactions.rows(rows.of_balance_transaction)

    @stream("payout_transactions", cursor=ParentCursor(stream="payouts"), targets=[PayoutLine], authority=1)
    async def payout_transactions(self, ctx: ConnectorContext, w: Window) -> AsyncIterator[Page]:
        payout = w.parent or {}
        # Stripe refuses to list a manual payout, and what it lists of an automatic one is complete only when it says so.
        if payout["automatic"] and payout["reconciliation_status"] == "completed":
            async for page in _pages(ctx, "/v1/balance_transactions", {"payout": payout["id"]}, w.resume):
                yield Page(records=[_paid_out_in(payout, raw) for raw in page.records], resume=page.resume)

    payout_transactions.rows(rows.of_balance_transaction)

    def classify(self, status: int, body: Any, headers: Mapping[str, str]) -> SourceError | None:
        error = body.get("error") if isinstance(body, dict) else None
        if status not in _ERRORS or not isinstance(error, dict):
            return None
        # An object lock is a 429 with a code of its own; a limiter's names the limit in the header.
        hints = [error.get("code"), error.get("param"), headers.get("stripe-rate-limited-reason")]
        named = ", ".join(hint for hint in hints if hint)
        message = error.get("message", "Stripe gave no reason.")
        return _ERRORS[status](f"{message} ({named})" if named else message)


async def _pages(
    ctx: ConnectorContext, path: str, filters: dict[str, int | str], resume: str | None
) -> AsyncIterator[Page]:
    """The list, newest first; `resume` is the last id read. Objects made meanwhile stay out by the filters' fixed upper bound."""
    after, has_more = resume, True
    while has_more:
        cursor = {"starting_after": after} if after else {}
        body = await ctx.http.get(path, params={**filters, **cursor, "limit": _PAGE_SIZE})
        objects, has_more = _parts(path, body)
        after = objects[-1]["id"] if has_more else None
        yield Page(records=[Raw(item["id"], item) for item in objects], resume=after)


def _parts(path: str, body: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    objects, has_more = body.get("data"), body.get("has_more")
    if not isinstance(objects, list) or not isinstance(has_more, bool) or (has_more and not objects):
        raise SourceMalformed(f"{path} did not answer with a list")
    return objects, has_more


def _created_in(w: Window) -> dict[str, int | str]:
    bounds = {"created[gte]": w.since, "created[lte]": w.until}
    return {name: int(at.timestamp()) for name, at in bounds.items() if at}


def _paid_out_in(payout: dict[str, Any], raw: Raw) -> Raw:
    return Raw(raw.source_id, {**raw.payload, rows.PAYOUT: payout["id"]})
