"""One walk in a real browser, from registration to rows: accessible in both themes, and never past the page's policy."""

import re
import time

import pytest
from playwright.sync_api import expect
from tests.product.browsing import Walk
from tests.product.conftest import PASSWORD, Product

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.browser]


def test_from_registration_to_rows(walk: Walk, product: Product) -> None:
    page = walk.page
    unique = str(time.time_ns())[-10:]

    page.goto("/register")
    expect(page.get_by_role("button", name="Create account")).to_be_visible()
    walk.look("register")
    page.get_by_label("Company").fill(f"Walk {unique}")
    expect(page.get_by_label("Short name")).to_have_value(f"walk-{unique}")
    page.get_by_label("Your name").fill("Wanda Walker")
    page.get_by_label("E-mail").fill(f"wanda-{unique}@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    page.wait_for_url("**/dashboard")
    expect(page.get_by_text("Nothing was synced yet")).to_be_visible()
    walk.look("nothing synced")

    page.get_by_role("link", name="Connections", exact=True).click()
    page.wait_for_url("**/connections")
    expect(page.get_by_text("No connections yet")).to_be_visible()
    walk.look("no connections")

    page.get_by_role("button", name="Add connection").first.click()
    page.get_by_role("button", name="Connect Stripe").last.click()
    walk.look("add connection")
    page.get_by_label("Label").fill("My Stripe")
    page.get_by_label("API key").fill("sk_test_demo")
    page.get_by_label("API address").fill(product.stripe)
    page.get_by_role("button", name="Create connection").click()
    expect(page.get_by_text("The vendor accepted the credentials")).to_be_visible()
    walk.look("connection tested")
    page.get_by_role("button", name="Sync now").click()

    job = page.get_by_role("link", name=re.compile("^(Follow the|View( that)?) job")).first
    expect(job).to_be_visible()
    job.click()
    page.wait_for_url("**/jobs/view?id=*")
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=90_000)
    walk.look("job")

    page.goto("/tables/view?t=payments")
    rows = page.get_by_role("row")
    expect(rows.nth(3)).to_be_visible()
    walk.look("payments")
    rows.nth(2).click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_be_visible()
    walk.look("row")
    drawer.get_by_role("tab", name="Raw record").click()
    expect(drawer.get_by_text("payment_method_details").first).to_be_visible()
    drawer.get_by_role("tab", name="Lineage").click()
    expect(drawer.get_by_text("My Stripe").first).to_be_visible()
    walk.look("lineage")


def test_a_page_that_needs_a_log_in_comes_back_after_it(walk: Walk, product: Product) -> None:
    person = product.newcomer("return")
    page = walk.page
    page.goto("/tables")
    page.wait_for_url("**/login?next=*")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password", exact=True).fill("wrong password, of course")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/tables")
    expect(page.get_by_role("heading", name="Tables")).to_be_visible()
