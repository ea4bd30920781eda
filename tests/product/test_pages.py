"""Every page of the web app in a real browser: with data, without, while it waits, and when the API fails it."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.product.browsing import NARROW, WIDE, Walk
from tests.product.conftest import PASSWORD, Company, Product
from tests.product.pages import PAGES, routes

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.browser]

ASKING = [route for route, page in PAGES.items() if page.asks and not page.public]
# With most on them, of every kind there is.
RICH = {"/connections/view", "/dashboard", "/login", "/tables/view"}
# Who somebody is has to be known before a page can fail for reasons of its own.
KNOWN = ("/auth/me", "/auth/refresh")


@pytest.fixture(scope="module")
def member(browser: Browser, product: Product, company: Company) -> Iterator[Walk]:
    """The owner of a company with data, signed in once for all pages."""
    walk = Walk(browser, product.url)
    walk.sign_in(company.owner.email, PASSWORD)
    yield walk
    walk.context.close()


@pytest.fixture(scope="module")
def stranger(browser: Browser, product: Product) -> Iterator[Walk]:
    walk = Walk(browser, product.url)
    yield walk
    walk.context.close()


def address(route: str, company: Company) -> str:
    return route + PAGES[route].query.format(
        connection=company.connection, job=company.job, correlation_id=company.correlation_id
    )


def test_every_page_of_the_app_is_walked() -> None:
    assert routes() == set(PAGES)


@pytest.mark.parametrize("route", PAGES)
def test_a_page_with_data_stands_up_to_axe_and_its_own_policy(
    member: Walk, stranger: Walk, company: Company, route: str
) -> None:
    walk = stranger if PAGES[route].public else member
    page = walk.page
    walk.complaints.clear()
    page.set_viewport_size(WIDE)
    # The same page with another fragment would not be loaded anew.
    page.goto("about:blank")
    page.goto(address(route, company))
    expect(page.get_by_text(PAGES[route].seen).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    # That nobody is signed in, and that a link is not valid, the browser itself reports.
    if PAGES[route].public:
        walk.complaints[:] = [said for said in walk.complaints if "401" not in said and "410" not in said]
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    # What is the same on many pages is looked at in both themes at both widths where there is most of it.
    walk.look(route, schemes=("light", "dark") if route in RICH else ("light",))
    page.set_viewport_size(NARROW)
    walk.look(f"{route}, narrow", schemes=("light", "dark") if route in RICH else ("dark",))
    walk.fits(route)


def test_an_address_without_a_page_says_so(member: Walk) -> None:
    page = member.page
    page.set_viewport_size(WIDE)
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="There is no page at this address")).to_be_visible()
    # The browser itself reports the status of the page it was sent to.
    member.complaints.clear()
    member.look("/nowhere")


def test_a_page_that_is_about_nothing_offers_a_way_on(member: Walk) -> None:
    member.page.set_viewport_size(NARROW)
    for route, page in PAGES.items():
        if "{" in page.query or route == "/tables/view":
            member.page.goto(route)
            expect(
                member.page.get_by_role("main")
                .get_by_role("link")
                .or_(member.page.get_by_label("Correlation id"))
                .first
            ).to_be_visible()
            member.look(f"{route}, of nothing", schemes=("light",))


def test_a_page_of_somebody_who_has_nothing_yet_says_what_to_do(browser: Browser, product: Product) -> None:
    walk = Walk(browser, product.url)
    page = walk.page
    walk.sign_in(product.newcomer("empty").email, PASSWORD)
    page.set_viewport_size(NARROW)
    for route in ASKING:
        if "{" not in PAGES[route].query:
            page.goto(route + PAGES[route].query)
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            page.wait_for_load_state("networkidle")
            walk.look(f"{route}, empty", schemes=("dark",))
            walk.fits(f"{route}, empty")
    walk.context.close()


def refused(status: int, code: str, title: str) -> Callable[[Route], None]:
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": "", "code": code})
    return lambda route: route.fulfill(status=status, content_type="application/problem+json", body=body)


def from_a_proxy(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<html><h1>502 Bad Gateway</h1></html>")


ABOUT_ONE = [route for route in ASKING if "{" in PAGES[route].query]
# How the API fails, what a person is told, and where: the words are made in one place, so not all of them everywhere.
# What somebody with few rights is really refused, `test_walks` looks at.
FAILURES: dict[str, tuple[Callable[[Route], None], str, list[str]]] = {
    "down": (from_a_proxy, "The server answered 502", ASKING),
    "offline": (
        lambda route: route.abort("connectionrefused"),
        "The server cannot be reached",
        ["/jobs", "/dashboard"],
    ),
    "forbidden": (refused(403, "permission_denied", "Permission denied"), "You may not see this", ABOUT_ONE),
    "gone": (refused(404, "not_found", "Not found"), "This does not exist, or no longer", ABOUT_ONE),
}


def tabs(
    walk: Walk, company: Company, answer: Callable[[Route], None], asking: list[str]
) -> Iterator[tuple[str, Page]]:
    """Pages that ask the API, all of them opened first: they wait beside each other."""

    def decide(route: Route) -> None:
        if route.request.url.endswith(KNOWN):
            route.continue_()
        else:
            answer(route)

    walk.context.route("**/api/v1/**", decide)
    opened = [(route, walk.tab()) for route in asking]
    for route, page in opened:
        page.goto(address(route, company), wait_until="commit")
    for route, page in opened:
        yield route, page
        page.close()
    walk.context.unroute("**/api/v1/**")


@pytest.mark.parametrize("failure", FAILURES)
def test_a_page_whose_data_does_not_come_says_why(member: Walk, company: Company, failure: str) -> None:
    answer, words, asking = FAILURES[failure]
    for route, page in tabs(member, company, answer, asking):
        # So many tabs at once are slow on a small machine.
        alert = page.get_by_role("main").get_by_role("alert").filter(has_text=words).first
        expect(alert, f"{route}, {failure}").to_be_visible(timeout=60_000)
        again = page.get_by_role("main").get_by_role("button", name="Try again")
        if failure in ("down", "offline"):
            expect(again.first, f"{route}, {failure}").to_be_visible()
        if failure == "forbidden":
            member.axe(f"{route}, {failure}", page, "dark")
    # What failed the browser itself reports; what the pages make of it is what counts.
    member.complaints.clear()


def test_a_page_whose_data_is_slow_shows_that_it_waits(member: Walk, company: Company) -> None:
    member.complaints.clear()
    for route, page in tabs(member, company, lambda _route: None, ASKING):
        expect(page.get_by_role("main").get_by_role("status").first, route).to_be_visible(timeout=60_000)
        # A place that waits is the same few elements everywhere.
        if route in {"/dashboard", "/tables/view", "/jobs/view"}:
            member.axe(f"{route}, waiting", page, "light")
    assert member.complaints == []
