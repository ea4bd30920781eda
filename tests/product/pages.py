"""Every page of the web app, and where it has something to show. A page that is missing here fails `test_pages`."""

from dataclasses import dataclass
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "frontend" / "src" / "app"


def routes() -> set[str]:
    """The app's routes, as its source has them; folders in brackets are no part of an address."""
    found = set()
    for page in APP.rglob("page.tsx"):
        parts = [part for part in page.parent.relative_to(APP).parts if not part.startswith("(")]
        found.add("/" + "/".join(parts))
    return found


@dataclass(frozen=True, kw_only=True)
class Page:
    """How a page is opened.

    ``query`` names what it is about, with the names of `Company` in braces; ``seen`` is a text that is there once its data
    is. ``public``: for people who are not signed in. ``asks``: it shows what the API answers, so it can fail to.
    """

    query: str = ""
    seen: str
    public: bool = False
    asks: bool = True


PAGES: dict[str, Page] = {
    "/": Page(seen="Dashboard", asks=False),
    "/accept-invitation": Page(query="#token=unknown", seen="This link is not valid any more", public=True),
    "/account": Page(seen="This session"),
    "/api-keys": Page(seen="API keys"),
    "/audit": Page(seen="Session opened"),
    "/connections": Page(seen="Catalogue"),
    "/connections/records": Page(query="?id={connection}&stream=charges", seen="Charges: vendor records"),
    "/connections/view": Page(query="?id={connection}", seen="Payment intents"),
    "/dashboard": Page(seen="Payments captured by day"),
    "/forgot-password": Page(seen="Mail me a link", public=True, asks=False),
    "/jobs": Page(seen="Sync Stripe"),
    "/jobs/view": Page(query="?id={job}", seen="Download as text"),
    "/login": Page(seen="Forgot your password?", public=True, asks=False),
    "/members": Page(seen="Pending invitations"),
    "/plugins": Page(seen="Disable Stripe"),
    "/register": Page(seen="Create account", public=True, asks=False),
    "/reset-password": Page(query="#token=unknown", seen="Set a new password", public=True, asks=False),
    "/roles": Page(seen="tenant.read"),
    "/settings": Page(seen="Rows landed this month"),
    "/tables": Page(seen="Payout lines"),
    "/tables/view": Page(query="?t=payments", seen="Succeeded"),
    "/timeline": Page(query="?id={correlation_id}", seen="Charges: finished"),
}
