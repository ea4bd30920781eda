"""The log-in page, told by an address where to go on: in a real browser it goes nowhere else."""

from urllib.parse import quote

import pytest
from tests.product.browsing import Walk
from tests.product.conftest import PASSWORD, Product

pytestmark = pytest.mark.xdist_group("product")


@pytest.mark.parametrize(
    "target", ["/.//evil.example/x", "//evil.example/x", "/%5cevil.example/x", "https://evil.example/x"]
)
def test_a_log_in_page_leads_on_to_no_other_site(walk: Walk, product: Product, target: str) -> None:
    person = product.newcomer("led")
    asked: list[str] = []
    walk.page.on("request", lambda request: asked.append(request.url))
    walk.page.goto(f"/login?next={quote(target, safe='')}")
    walk.page.get_by_label("E-mail").fill(person.email)
    walk.page.get_by_label("Password", exact=True).fill(PASSWORD)
    walk.page.get_by_role("button", name="Log in").click()
    walk.page.wait_for_url(lambda url: "/login" not in url, wait_until="commit")
    assert [url for url in asked if not url.startswith((product.url, "data:", "blob:"))] == []
