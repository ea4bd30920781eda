"""No page of the web app grows unseen: what each loads first stays within its budget."""

from tests.bench.bundles import BUDGETS, SIGN_IN, first_load
from tests.product.pages import PAGES, routes

DASHBOARD_REACH, SIGN_IN_REACH = 300, 150


def test_every_page_has_a_budget_that_keeps_the_reach() -> None:
    assert set(BUDGETS) == routes()
    assert SIGN_IN <= SIGN_IN_REACH
    assert {route for route, page in PAGES.items() if page.public and BUDGETS[route] > SIGN_IN_REACH} == set()
    assert max(BUDGETS.values()) <= DASHBOARD_REACH


def test_what_a_page_loads_first_stays_within_its_budget() -> None:
    told = []
    for route, chunks in first_load().items():
        total, budget = sum(chunk.gzip_bytes for chunk in chunks) / 1000, BUDGETS.get(route, SIGN_IN)
        if total > budget:
            listed = "\n    ".join(map(str, chunks))
            told.append(f"{route} loads {total:.1f} kB of gzip, {total - budget:.1f} over its {budget}:\n    {listed}")
    assert not told, (
        "\n".join(told)
        + "\nLoad what is not needed at first with next/dynamic, or raise the budget in tests/bench/bundles.py."
    )


def test_what_travels_is_counted_and_no_page_is_empty() -> None:
    pages = first_load()
    assert set(pages) > routes()
    for route, chunks in pages.items():
        assert len(chunks) > 3, route
        assert chunks[0].gzip_bytes > 20_000, route
