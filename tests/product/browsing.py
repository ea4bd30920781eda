"""A page under watch, in a real browser."""

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
WATCH = """
    window.__violations = [];
    document.addEventListener('securitypolicyviolation', (e) =>
        window.__violations.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sample}`));
"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> str:
    """Fails, rather than skips: a walk nobody takes proves nothing."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("CHROME") or next(filter(None, map(shutil.which, names)), None)
    assert found, "no Chromium here: install it (Debian: apt-get install chromium), or name one in CHROME"
    return found


class Walk:
    """A page under watch: what breaks the policy, what the console complains of, what axe finds."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=url)
        self.context.add_init_script(WATCH)
        self.context.add_init_script(AXE.read_text())
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def look(self, name: str) -> None:
        """Check what is on the screen now, in both themes."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.wait_for_timeout(150)
            found: list[dict[str, Any]] = self.page.evaluate(
                "async (tags) => (await axe.run(document, {runOnly: {type: 'tag', values: tags}})).violations", RULES
            )
            said = [f"{item['id']}: {[node['html'][:160] for node in item['nodes'][:3]]}" for item in found]
            assert said == [], f"{name} ({scheme}): {said}"
        violations = self.page.evaluate("window.__violations")
        assert violations == [], f"{name}: {violations}"
        assert self.complaints == [], f"{name}: {self.complaints}"

    def sign_in(self, email: str, password: str) -> None:
        self.page.goto("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/dashboard")
