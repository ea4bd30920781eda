"""Walks through every part of the web app, with a synced company and as somebody who may see little."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.product.browsing import Walk
from tests.product.conftest import PASSWORD, Company, Product

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.browser]


@pytest.fixture
def owner(walk: Walk, company: Company) -> Walk:
    walk.sign_in(company.owner.email, PASSWORD)
    return walk


@pytest.fixture
def reader(browser: Browser, product: Product, company: Company) -> Iterator[Walk]:
    """Somebody with the role `readonly`, by an invitation accepted in the browser."""
    invited = company.owner.call("POST", "/users", json={"email": "ivy@example.com", "roles": ["readonly"]})
    walk = Walk(browser, product.url)
    page = walk.page
    # The page asks whether somebody is signed in; that nobody is, the browser itself reports.
    with page.expect_response("**/auth/refresh"):
        page.goto(invited["link"])
    expect(page.get_by_role("heading", name=re.compile("^Join "))).to_be_visible()
    page.wait_for_timeout(200)
    walk.complaints[:] = [said for said in walk.complaints if "401" not in said]
    walk.look("invitation")
    page.get_by_label("Your name").fill("Ivy Invited")
    page.get_by_label("E-mail").fill(f"ivy-{company.owner.email}")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Accept invitation").click()
    page.wait_for_url("**/dashboard")
    yield walk
    walk.context.close()


def dialog(page: Page) -> None:
    expect(page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))).to_be_visible()


def test_a_figure_of_the_dashboard_leads_to_the_rows_it_is_made_of(owner: Walk) -> None:
    page = owner.page
    expect(page.get_by_role("table", name="Connections and their syncs")).to_be_visible()
    expect(page.get_by_role("heading", name="Refunds")).to_be_visible()
    expect(page.get_by_text("Payments captured by day").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    owner.look("dashboard")
    page.get_by_role("link", name=re.compile("^Refunds: [0-9,]+$")).click()
    page.wait_for_url("**/tables/view?*")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    owner.look("rows of a figure")


def test_the_parts_of_a_connection(owner: Walk, company: Company) -> None:
    page = owner.page
    page.goto(f"/connections/view?id={company.connection}")
    expect(page.get_by_role("table", name="Streams of this connection")).to_be_visible()
    owner.look("streams")
    for tab, seen in (
        ("Cursors", "Cursors of this connection"),
        ("Requests", "Requests to the vendor"),
    ):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("table", name=seen)).to_be_visible()
        owner.look(tab)
    page.get_by_role("table", name="Requests to the vendor").get_by_role("button").first.click()
    dialog(page)
    expect(page.get_by_text("Bearer ***").or_(page.get_by_text("GET")).first).to_be_visible()
    owner.look("request")
    page.keyboard.press("Escape")
    for tab in ("Schema notices", "Webhooks"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_load_state("networkidle")
        owner.look(tab)


def test_a_cursor_is_reset_after_a_question(owner: Walk, company: Company) -> None:
    page = owner.page
    page.goto(f"/connections/view?id={company.connection}&tab=cursors")
    row = page.get_by_role("row", name=re.compile("^Disputes"))
    row.get_by_role("button", name=re.compile("Reset")).click()
    dialog(page)
    owner.look("reset")
    page.get_by_role("dialog").get_by_role("button", name="Reset cursor").click()
    expect(row.get_by_text("Nothing yet")).to_be_visible()


def test_a_streams_records_open_as_the_vendor_sent_them(owner: Walk, company: Company) -> None:
    page = owner.page
    page.goto(f"/connections/records?id={company.connection}&stream=payment_intents")
    first = page.get_by_role("table", name="Records of this stream").get_by_role("button").first
    name = first.inner_text()
    owner.look("records")
    first.click()
    dialog(page)
    expect(page.get_by_role("dialog").get_by_text("amount_received")).to_be_visible()
    owner.look("record")
    page.keyboard.press("Escape")
    page.get_by_label("Vendor's id").fill(name)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("table", name="Records of this stream").get_by_role("button")).to_have_count(1)
    page.get_by_label("Vendor's id").fill("pi_nobody")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("No record has this id")).to_be_visible()
    owner.look("no record")


def test_a_jobs_evidence_log_and_repetition(owner: Walk, company: Company) -> None:
    page = owner.page
    page.goto(f"/jobs/view?id={company.job}")
    pack = page.get_by_role("link", name=re.compile("^Download pack"))
    expect(pack).to_be_visible(timeout=30_000)
    owner.look("job with evidence")
    with page.expect_download() as download:
        pack.click()
    assert download.value.suggested_filename.endswith(".zip")
    page.get_by_role("button", name="Run again").click()
    dialog(page)
    owner.look("run again")
    page.get_by_role("dialog").or_(page.get_by_role("alertdialog")).get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: "/jobs/view" in url and company.job not in url)
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=90_000)


def test_the_timeline_of_a_job_tells_what_one_request_set_off(owner: Walk, company: Company) -> None:
    page = owner.page
    page.goto(f"/jobs/view?id={company.job}")
    page.get_by_role("link", name="View timeline").click()
    page.wait_for_url("**/timeline?*")
    line = page.get_by_role("list", name="Timeline")
    expect(line.get_by_text(re.compile("^Charges: ")).first).to_be_visible()
    expect(line.get_by_text("Requests", exact=True)).to_be_visible()
    owner.look("timeline")


def test_the_chain_of_seals_is_verified_and_an_event_is_proven(owner: Walk) -> None:
    page = owner.page
    page.goto("/audit")
    events = page.get_by_role("table", name="Audit events")
    expect(events.get_by_role("row").nth(1)).to_be_visible()
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text(re.compile("^Verified up to seal"))).to_be_visible()
    owner.look("verified")
    events.get_by_role("button").or_(events.get_by_role("link")).first.click()
    dialog(page)
    owner.look("event")
    page.keyboard.press("Escape")
    page.get_by_label("Action begins with").fill("core.nothing")
    page.get_by_role("button", name="Apply filters").click()
    expect(page.get_by_role("table", name="Audit events").get_by_role("row").nth(1)).not_to_be_visible()
    owner.look("no events")


def test_a_filter_is_kept_as_a_view(owner: Walk) -> None:
    page = owner.page
    page.goto("/tables/view?t=payments")
    expect(page.get_by_role("row").nth(2)).to_be_visible()
    page.get_by_role("button", name="Add filter").click()
    page.get_by_label("Column").select_option(label="Status")
    page.get_by_label("Failed").check()
    owner.look("filter")
    page.get_by_role("button", name="Apply filter").click()
    page.get_by_role("button", name=re.compile("^Views?")).click()
    page.get_by_role("menuitem", name=re.compile("Save as new")).click()
    dialog(page)
    page.get_by_label("Name").fill("Failed ones")
    owner.look("save a view")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Save")).click()
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.get_by_role("button", name="Export").click()
    owner.look("export")
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile("CSV")).first.click()
    assert download.value.suggested_filename.startswith("payments-")


def test_roles_keys_members_and_settings_are_managed(owner: Walk) -> None:
    page = owner.page
    page.goto("/roles")
    page.get_by_role("button", name="Create role").click()
    dialog(page)
    page.get_by_label("Title").fill("Month end")
    owner.look("create role")
    page.get_by_role("dialog").get_by_role("button", name="Create role").click()
    expect(page.get_by_role("columnheader", name=re.compile("Month end"))).to_be_visible()
    owner.look("matrix")

    page.goto("/api-keys")
    page.get_by_role("button", name="Create key").first.click()
    dialog(page)
    page.get_by_label("Name").fill("Nightly export")
    page.get_by_role("dialog").get_by_role("button", name="All").first.click()
    owner.look("create key")
    page.get_by_role("dialog").get_by_role("button", name="Create key").click()
    expect(page.get_by_text("This key is shown once")).to_be_visible()
    owner.look("key")
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("table", name="API keys").get_by_text("Nightly export")).to_be_visible()

    page.goto("/members")
    page.get_by_role("button", name="Invite member").click()
    dialog(page)
    page.get_by_label("E-mail").fill("new@example.com")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("This link is shown once")).to_be_visible()
    owner.look("invited")
    page.get_by_role("button", name="Done").click()

    page.goto("/settings")
    page.get_by_label("Name").fill("Renamed Ltd")
    page.get_by_role("button", name="Save company").click()
    expect(page.get_by_text("Renamed Ltd").first).to_be_visible()
    owner.look("settings")


def test_what_a_plugin_claims_can_be_read_before_it_is_enabled(owner: Walk) -> None:
    page = owner.page
    page.goto("/plugins")
    page.get_by_role("button", name="Details of Stripe").click()
    dialog(page)
    expect(page.get_by_role("dialog").get_by_text("May reach")).to_be_visible()
    owner.look("plugin")


def test_who_may_only_read_is_told_so(reader: Walk, company: Company) -> None:
    page = reader.page
    for path in ("/audit", "/api-keys", "/members", "/roles", "/settings", "/plugins", "/account"):
        page.goto(path)
        expect(page.get_by_role("heading").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        # The browser itself reports refused requests; that the page makes something of them is what counts.
        reader.complaints[:] = [said for said in reader.complaints if "403" not in said]
        reader.look(path)
    page.goto("/members")
    expect(page.get_by_role("button", name="Invite member")).not_to_be_visible()
    page.goto(f"/connections/view?id={company.connection}")
    expect(page.get_by_role("table", name="Streams of this connection")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).not_to_be_visible()
    reader.look("connection of a reader")
