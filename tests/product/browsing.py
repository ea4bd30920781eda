"""A page under watch, in a real browser."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from playwright.sync_api import Browser, Page, Request, ViewportSize

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
WATCH = """
    window.__violations = [];
    document.addEventListener('securitypolicyviolation', (e) =>
        window.__violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sample}`));
"""
Scheme: TypeAlias = Literal["light", "dark"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> str:
    """Fails, rather than skips: a walk nobody takes proves nothing."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("CHROME") or next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium here: install it (Debian: apt-get install chromium), or name one in CHROME"
    return found


WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 844}
SPILLS = """
    [document.scrollingElement, document.getElementById('main')]
        .filter((box) => box && box.scrollWidth > box.clientWidth)
        .map((box) => `${box.tagName} by ${box.scrollWidth - box.clientWidth} px`)
"""


class Walk:
    """A page under watch: what breaks the policy, what the console complains of, what axe finds."""

    def __init__(self, browser: Browser, url: str) -> None:
        # Movement costs a machine without a graphics card a lot, and axe might look in the middle of it.
        self.context = browser.new_context(viewport=WIDE, base_url=url, reduced_motion="reduce")
        self.context.add_init_script(WATCH)
        self.context.add_init_script(AXE.read_text())
        self.complaints: list[str] = []
        self.page: Page = self.tab()

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", self._failed)
        return page

    def _failed(self, request: Request) -> None:
        # A page that is left takes its requests with it.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.failure}: {request.url}")

    def look(self, name: str, *, schemes: Sequence[Scheme] = ("light", "dark")) -> None:
        """Check what is on the screen now, in both themes."""
        for scheme in schemes:
            self.axe(name, self.page, scheme)
        violations = self.page.evaluate("window.__violations")
        assert violations == [], f"{name}: {violations}"
        assert self.complaints == [], f"{name}: {self.complaints}"

    def axe(self, name: str, page: Page, scheme: Scheme) -> None:
        page.emulate_media(color_scheme=scheme)
        # Two frames: the theme is set in the first, and drawn in the second.
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found: list[dict[str, Any]] = page.evaluate(
            "async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags},"
            " resultTypes: ['violations']})).violations",
            RULES,
        )
        said = [f"{item['id']}: {[node['html'][:160] for node in item['nodes'][:3]]}" for item in found]
        assert said == [], f"{name} ({scheme}): {said}"

    def fits(self, name: str) -> None:
        """Nothing makes the page itself scroll sideways."""
        assert self.page.evaluate(SPILLS) == [], name

    def sign_in(self, email: str, password: str) -> None:
        self.page.goto("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/dashboard")
