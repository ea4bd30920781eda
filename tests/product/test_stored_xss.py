"""Hostile texts in every field that takes some, from people, programs and vendors; then every page that shows them."""

import csv
import hashlib
import hmac
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.product.browsing import NARROW, SPILLS, Walk
from tests.product.conftest import PASSWORD, Person, Product
from tests.product.hostile import CORPUS, hostile_vendor, packed
from tests.product.pages import PAGES

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.browser]

OPENAPI = Path(__file__).resolve().parents[2] / "frontend" / "openapi.json"
WEBHOOK_SECRET = "whsec_hostile"
# No address of a server, but one to the setting's own pattern.
ADDRESS = 'http://"><svg&#9;onload=pwn()>:{port}'
ALL = " ".join(CORPUS)

# Every text the API takes, by operation and field. Kept ones are written below and looked for on the pages; the others
# take a few words or shapes only, and have to refuse everything in the corpus.
KEPT = {
    "register.tenant_name",
    "register.full_name",
    "updateMe.full_name",
    "inviteUser.name",
    "acceptInvitation.full_name",
    "updateTenant.name",
    "createRole.title",
    "createRole.description",
    "updateRole.title",
    "updateRole.description",
    "createApiKey.name",
    "renameApiKey.name",
    "createConnection.label",
    "createConnection.settings",
    "createConnection.credentials",
    "updateConnection.label",
    "updateConnection.settings",
    "updateConnection.credentials",
    "createView.name",
    "createView.filters[]",
    "updateView.name",
    "updateView.filters[]",
}
CHART = {"kind": "bar", "groups": ["status"], "measures": ["count"], "sort": None}
REFUSED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "register.email": ("POST", "/auth/register", {"password": PASSWORD, "full_name": "N", "tenant_name": "T"}),
    "login.email": ("POST", "/auth/login", {"password": PASSWORD}),
    "forgotPassword.email": ("POST", "/auth/password/forgot", {}),
    "inviteUser.email": ("POST", "/users", {"roles": ["readonly"]}),
    "inviteUser.roles[]": ("POST", "/users", {"email": "x@example.com"}),
    "acceptInvitation.email": (
        "POST",
        "/auth/invitations/accept",
        {"token": "t", "password": PASSWORD, "full_name": "N"},
    ),
    "updateTenant.timezone": ("PATCH", "/tenants/me", {}),
    "createRole.permissions[]": ("POST", "/users/roles", {"title": "T", "name": "hostile_role"}),
    "updateRole.permissions[]": ("PATCH", "/users/roles/{role}", {}),
    "setMemberRoles.roles[]": ("PUT", "/users/{member}/roles", {}),
    "createApiKey.roles[]": ("POST", "/api-keys", {"name": "K", "kind": "service"}),
    "createApiKey.scopes[]": ("POST", "/api-keys", {"name": "K"}),
    "savePluginSettings.settings": ("PUT", "/plugins/stripe/settings", {}),
    "syncConnection.streams[]": ("POST", "/connections/{connection}/sync", {}),
    "replayConnection.streams[]": ("POST", "/connections/{connection}/replay", {}),
    "createConnection.kind": ("POST", "/connections", {"label": "L"}),
    "createView.table": ("POST", "/tables/views", {"name": "V"}),
    "createView.columns[]": ("POST", "/tables/views", {"name": "V", "table": "payments"}),
    "createView.sort": ("POST", "/tables/views", {"name": "V", "table": "payments"}),
    "createView.chart.groups[]": ("POST", "/tables/views", {"name": "V", "table": "payments", "chart": CHART}),
    "createView.chart.measures[]": ("POST", "/tables/views", {"name": "V", "table": "payments", "chart": CHART}),
    "createView.chart.sort": ("POST", "/tables/views", {"name": "V", "table": "payments", "chart": CHART}),
    "updateView.columns[]": ("PATCH", "/tables/views/{view}", {}),
    "updateView.sort": ("PATCH", "/tables/views/{view}", {}),
    "updateView.chart.groups[]": ("PATCH", "/tables/views/{view}", {"chart": CHART}),
    "updateView.chart.measures[]": ("PATCH", "/tables/views/{view}", {"chart": CHART}),
    "updateView.chart.sort": ("PATCH", "/tables/views/{view}", {"chart": CHART}),
}
# Text columns that are not a vendor's to write: the connector's own words, what has to be a currency, what Stripe has not.
NOT_THE_VENDORS = {"currency", "gateway", "source", "source_charge", "subsidiary"}
# Ids are Stripe's to choose, but the connector asks for objects by them; customers it never does.
HOSTILE_IDS = "customers"

GUARD = """
    window.__pwned = 0;
    window.pwn = () => { window.__pwned += 1 };
"""
# What no page of ours has, whoever wrote its texts.
ODDITIES = """
    () => {
        const odd = [];
        if (window.__pwned) odd.push(`pwn() was called ${window.__pwned} times`);
        if (({}).polluted !== undefined || Object.keys(Object.prototype).length) odd.push('the prototype is polluted');
        for (const one of document.querySelectorAll('body *, head base, head meta[http-equiv]')) {
            if (one.matches('base, iframe, object, embed, meta[http-equiv]')) odd.push(one.outerHTML.slice(0, 120));
            for (const {name, value} of one.attributes) {
                if (name.startsWith('on')) odd.push(`${one.tagName} ${name}=${value.slice(0, 60)}`);
                if (!['href', 'src', 'action', 'formaction', 'xlink:href'].includes(name)) continue;
                const target = new URL(value, location.href);
                if (target.origin !== location.origin) odd.push(`${one.tagName} ${name}=${value.slice(0, 80)}`);
            }
        }
        for (const style of document.querySelectorAll('style'))
            if (style.textContent.includes('evil.example')) odd.push('a style of the vendor');
        return odd;
    }
"""


def takes_any_text(schema: dict[str, Any]) -> bool:
    """Secrets are never shown, and a pattern that lets no bracket pass lets none of the corpus pass."""
    if {"enum", "const"} & schema.keys() or schema.get("format") in {"uuid", "date-time", "password"}:
        return False
    return re.search(schema.get("pattern", ""), CORPUS[3]) is not None


def free_texts(schemas: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    """Every field within a schema that takes any text, by its path; one of free form by its own."""
    if "$ref" in schema:
        yield from free_texts(schemas, schemas[schema["$ref"].rpartition("/")[2]], path)
    for word in ("anyOf", "oneOf", "allOf"):
        for option in schema.get(word, ()):
            yield from free_texts(schemas, option, path)
    match schema.get("type"):
        case "array":
            yield from free_texts(schemas, schema["items"], f"{path}[]")
        case "object" if schema.get("properties"):
            for name, child in schema["properties"].items():
                yield from free_texts(schemas, child, f"{path}.{name}")
        case "object":
            yield path
        case "string" if takes_any_text(schema):
            yield path


def asked_texts(document: dict[str, Any]) -> Iterator[str]:
    """`operation.field` for every text that a request's body may carry."""
    for item in document["paths"].values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from free_texts(document["components"]["schemas"], content["schema"], operation["operationId"])


@dataclass(kw_only=True)
class Attacked:
    """A company all of whose texts are hostile."""

    person: Person
    password: str
    ids: dict[str, str]


@pytest.fixture(scope="module")
def attacked(product: Product) -> Iterator[Attacked]:
    with hostile_vendor(product.stripe) as (vendor, refusing):
        person = Person(product)
        product.people.append(person)
        unique = str(time.time_ns())
        person.email = f"hostile-{unique}@example.com"
        names = packed(200)
        account = {"email": person.email, "password": PASSWORD, "tenant_slug": f"t-{unique}", "token_delivery": "body"}
        register = {**account, "tenant_name": names[0], "full_name": names[1]}
        person.http.headers["User-Agent"] = names[3].encode("ascii", "ignore").decode()
        session = person.call("POST", "/auth/register", json=register)
        person.http.cookies.clear()
        person.http.headers["Authorization"] = f"Bearer {session['access_token']}"
        ids = {"member": person.call("GET", "/auth/me")["user"]["id"]}
        write_what_people_write(person, ids, unique)
        write_what_vendors_write(person, ids, vendor, refusing)
        yield Attacked(person=person, password=PASSWORD, ids=ids)


def write_what_people_write(person: Person, ids: dict[str, str], unique: str) -> None:
    lines, names = packed(100), packed(200)
    call = person.call
    call("PATCH", "/auth/me", json={"full_name": names[2]})
    call("PATCH", "/tenants/me", json={"name": names[0]})
    for number, line in enumerate(lines):
        role = {"name": f"hostile_{number}", "title": line, "description": ALL[:1000], "permissions": ["tables.read"]}
        ids["role"] = call("POST", "/users/roles", json=role)["id"]
    call("PATCH", f"/users/roles/{ids['role']}", json={"title": f"{lines[-1]}!", "description": ALL[:1000]})
    for line in lines[:8]:
        ids["key"] = call("POST", "/api-keys", json={"name": line, "scopes": ["tables.read"]})["id"]
    call("PATCH", f"/api-keys/{ids['key']}", json={"name": lines[8]})
    links = []
    for number, name in enumerate(names):
        invitation = {"email": f"guest-{number}-{unique}@example.com", "name": name, "roles": ["hostile_0"]}
        links.append(call("POST", "/users", json=invitation)["link"])
    with httpx2.Client(base_url=person.product.url + "/api/v1") as guest:
        accepted = {"token": links[0].partition("#token=")[2], "email": f"guest-{unique}@example.com"}
        joining = {**accepted, "password": PASSWORD, "full_name": names[4], "token_delivery": "body"}
        guest.post("/auth/invitations/accept", json=joining).raise_for_status()
    for number, line in enumerate(lines):
        view = {"name": line, "table": "payments", "filters": [f"description:contains:{CORPUS[number]}"]}
        ids["view"] = call("POST", "/tables/views", json=view)["id"]
    changed = {"name": f"{lines[-1]}!", "filters": [f"method:in:{CORPUS[3]},{CORPUS[10]}"], "chart": CHART}
    call("PATCH", f"/tables/views/{ids['view']}", json=changed)


def write_what_vendors_write(person: Person, ids: dict[str, str], vendor: str, refusing: set[str]) -> None:
    lines = packed(100)
    call = person.call
    for line in lines[2:5]:
        settings = {"api_base": ADDRESS.format(port=1)}
        connection = {"kind": "stripe", "label": line, "settings": settings, "credentials": {"api_key": ALL[:200]}}
        call("POST", "/connections", json=connection)
    connection = {"kind": "stripe", "label": lines[0], "settings": {"api_base": vendor}}
    made = call("POST", "/connections", json={**connection, "credentials": {"api_key": "sk_test_demo"}})
    ids["connection"] = made["id"]
    secrets = {"api_key": "sk_test_hostile", "webhook_secret": WEBHOOK_SECRET}
    changed = {"label": lines[1], "settings": {"api_base": vendor}, "credentials": secrets}
    call("PATCH", f"/connections/{made['id']}", json=changed)
    assert call("POST", f"/connections/{made['id']}/test")["ok"]
    assert person.synced(made["id"])["status"] == "succeeded"
    refusing.add("/v1/disputes")
    job = person.synced(made["id"])
    assert job["status"] == "partial", job
    ids |= {"job": job["id"], "correlation_id": job["correlation_id"]}
    for text in CORPUS[:8]:
        deliver(
            person, made["id"], {"id": f"evt_{text}", "type": text, "data": {"object": {"object": text, "id": text}}}
        )


def deliver(person: Person, connection: str, event: dict[str, Any]) -> None:
    body, now = json.dumps({**event, "created": int(time.time())}), int(time.time())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={now},v1={signature}"}
    url = f"{person.product.url}/webhooks/stripe/{connection}"
    httpx2.post(url, content=body.encode(), headers=headers).raise_for_status()


def put(body: dict[str, Any], path: str, text: str) -> dict[str, Any]:
    """The body with a text at a path such as `chart.groups[]`."""
    name, _, rest = path.partition(".")
    if rest:
        return {**body, name: put(body.get(name, {}), rest, text)}
    if name.endswith("[]"):
        return {**body, name[:-2]: [text]}
    return {**body, name: {text: text} if name == "settings" else text}


def test_every_text_a_request_may_carry_is_kept_or_refused_here() -> None:
    assert set(asked_texts(json.loads(OPENAPI.read_text()))) == KEPT | REFUSED.keys()


def test_what_takes_a_few_words_only_refuses_the_corpus(attacked: Attacked) -> None:
    for field, (method, path, base) in REFUSED.items():
        name = field.partition(".")[2]
        for text in (CORPUS[3], CORPUS[10], "__proto__", "\u202ex"):
            answer = attacked.person.http.request(method, path.format(**attacked.ids), json=put(base, name, text))
            assert 400 <= answer.status_code < 500, (field, text, answer.status_code, answer.text)
            assert answer.headers["content-type"].startswith("application/problem+json"), field


def test_every_text_of_a_vendor_is_hostile(attacked: Attacked) -> None:
    """Or the pages below would prove nothing of the columns that are not."""
    harmless = []
    for table in attacked.person.call("GET", "/tables")["items"]:
        rows = attacked.person.rows(table["name"])
        skipped = NOT_THE_VENDORS | ({"source_id"} if table["name"] != HOSTILE_IDS else set())
        texts = [each["name"] for each in table["columns"] if each["type"] == "text" and each["name"] not in skipped]
        harmless += [
            f"{table['name']}.{name}"
            for name in texts
            if not any(text in str(row[name]) for row in rows for text in CORPUS)
        ]
    assert harmless == []


def test_an_export_is_safe_to_open(attacked: Attacked) -> None:
    http = attacked.person.http
    for path in ("/tables/payments/export.csv", "/tables/customers/export.csv", "/audit-events/export.csv"):
        answer = http.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["content-disposition"].startswith("attachment"), path
        assert answer.headers["x-content-type-options"] == "nosniff"
        cells = {cell for row in csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))) for cell in row}
        if "tables" in path:
            assert any(f"'{text}" in cells for text in CORPUS if text.startswith(("=", "+", "@", "-"))), path
        assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))] == []
        assert [cell for cell in cells if cell.startswith("-") and not cell[1:].replace(".", "").isdigit()] == []
    answer = http.get("/tables/payments/export.xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/")]
    assert sheets
    assert not any(b"<f>" in sheet or b"<f " in sheet or b"<hyperlink" in sheet for sheet in sheets)


class Besieged(Walk):
    """A walk that notices any harm the texts on the page may do."""

    def __init__(self, browser: Browser, url: str) -> None:
        super().__init__(browser, url)
        self.context.add_init_script(GUARD)
        self.page.set_viewport_size(NARROW)
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("popup", lambda popup: self.complaints.append(f"popup: {popup.url}"))
        self.context.on("request", lambda request: self._asked(request.url, url))

    def _asked(self, asked: str, origin: str) -> None:
        if not asked.startswith((origin + "/", "data:image/", "about:")):
            self.complaints.append(f"asked {asked[:200]}")

    def unharmed(self, where: str, *, is_refused: bool = False) -> None:
        """`is_refused`: the API may say no, which the browser itself reports."""
        page = self.page
        assert page.evaluate(ODDITIES) == [], where
        assert page.evaluate("window.__violations") == [], where
        assert page.evaluate(SPILLS) == [], where
        if is_refused:
            self.complaints[:] = [said for said in self.complaints if not said.startswith("Failed to load resource")]
        assert self.complaints == [], f"{where}: {self.complaints}"

    def visit(self, address: str, *, shows: str | None = "pwn()") -> None:
        page = self.page
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        page.wait_for_load_state("networkidle")
        if shows:
            expect(page.get_by_text(shows).first).to_be_attached()
        assert page.url.partition("?")[0].endswith(address.partition("?")[0]), (address, page.url)
        self.unharmed(address)

    def press(self, locator: str, where: str) -> None:
        """Open what is behind something, look, and close it again."""
        page = self.page
        page.locator(locator).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.wait_for_load_state("networkidle")
        self.unharmed(where)


# The rest of the pages have no text but the person's and the company's names, in the menus.
SHOWING = ("/connections", "/connections/records", "/connections/view", "/jobs", "/jobs/view", "/members", "/roles",
           "/api-keys", "/settings", "/account", "/dashboard", "/audit")  # fmt: skip
QUERIES = ("/login?next={}", "/timeline?id={}", "/tables/view?t={}", "/jobs/view?id={}", "/connections/view?id={}",
           "/connections/records?id={}&stream={}", "/audit?event={}&action={}", "/dashboard?period={}&payments={}",
           "/tables/view?t=payments&filter=description:contains:{}&sort={}&view={}")  # fmt: skip


def test_no_page_does_what_a_stored_text_says(browser: Browser, product: Product, attacked: Attacked) -> None:
    walk = Besieged(browser, product.url)
    page, ids = walk.page, attacked.ids
    walk.sign_in(attacked.person.email, attacked.password)
    for route, known in PAGES.items():
        if not known.public and route != "/":
            walk.visit(route + known.query.format(**ids), shows="pwn()" if route in SHOWING else None)
    for tab in ("cursors", "requests", "notices", "webhooks"):
        shows = "pwn()" if tab in ("notices", "webhooks") else None
        walk.visit(f"/connections/view?id={ids['connection']}&tab={tab}", shows=shows)
    look_into_drawers(walk, ids)
    for table in attacked.person.call("GET", "/tables")["items"]:
        walk.visit(f"/tables/view?t={table['name']}", shows=None)
    walk.visit(f"/tables/view?t=payments&view={ids['view']}", shows=None)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_text("pwn()").first).to_be_visible()
    walk.unharmed("palette")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="User menu").click()
    expect(page.get_by_role("menu").get_by_text("pwn()").first).to_be_visible()
    walk.unharmed("user menu")
    ask_with_hostile_addresses(walk)
    walk.context.close()


def look_into_drawers(walk: Besieged, ids: dict[str, str]) -> None:
    page: Page = walk.page
    walk.visit(f"/connections/records?id={ids['connection']}&stream=charges")
    walk.press("table button", "a record")
    expect(page.get_by_role("dialog").get_by_text("polluted").first).to_be_attached()
    walk.visit("/tables/view?t=payments", shows=None)
    page.get_by_role("row").nth(2).click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("pwn()").first).to_be_attached()
    walk.unharmed("a row")
    for tab in ("Raw record", "Lineage"):
        drawer.get_by_role("tab", name=tab).click()
        page.wait_for_load_state("networkidle")
        walk.unharmed(tab)
    walk.visit(f"/connections/view?id={ids['connection']}&tab=requests", shows=None)
    walk.press("table button", "a request")
    walk.visit("/audit")
    walk.press("table button, table a", "an event")


def ask_with_hostile_addresses(walk: Besieged) -> None:
    """The texts in the address, where anybody can put them into a link."""
    for query in QUERIES:
        for text in (CORPUS[3], CORPUS[10]):
            walk.page.goto(query.replace("{}", quote(text)))
            walk.page.wait_for_load_state("networkidle")
            walk.unharmed(query, is_refused=True)
