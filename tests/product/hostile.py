"""Texts that attack whoever shows them, and a vendor whose every record is made of them."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

# `pwn()` is never to be called: the browser test defines it and counts.
CORPUS = [
    "<script>pwn()</script>",
    "</script><script>pwn()//",
    "</title></textarea><svg/onload=pwn()>",
    "<img src=x onerror=pwn()>",
    '"><img src=x onerror=pwn()>',
    "' autofocus onfocus=pwn() x='",
    '" onmouseover="pwn()" style="position:fixed;inset:0',
    "<details open ontoggle=pwn()>",
    "<iframe srcdoc='<script>parent.pwn()</script>'>",
    "<a href=javascript:pwn()>x</a>",
    "javascript:pwn()",
    "data:text/html,<script>opener.pwn()</script>",
    "//evil.example/x",
    "[x](javascript:pwn())![x](//evil.example/x)",
    "{{constructor.constructor('pwn()')()}}${pwn()}",
    "<style>*{display:none}@import'//evil.example'</style>",
    "<base href=//evil.example/><meta http-equiv=refresh content=0;url=//evil.example>",
    "=cmd|' /C calc'!A0",
    '+HYPERLINK("//evil.example",1)',
    "@SUM(1+1)*pwn()",
    "-2+3+pwn()",
    "\u202egnp.nwp\u202d \u2066x\u2069",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "W" * 90,
    "__proto__",
    "constructor",
    "toString",
    "%00%0d%0aSet-Cookie:x=1\ufeff\u200b",
    "Z\u0351\u036b\u0343\u036a\u0302" * 8,
]


def packed(most: int) -> list[str]:
    """The corpus in as few texts as there can be of at most so many characters each."""
    texts = [""]
    for one in CORPUS:
        if texts[-1] and len(texts[-1]) + len(one) + 1 > most:
            texts.append("")
        texts[-1] = f"{texts[-1]} {one}".strip()
    assert all(len(text) <= most for text in texts), most
    return texts


# What the connector finds its way by; all other texts of a record are the vendor's to write.
_STRUCTURE = frozenset(
    {"id", "object", "currency", "status", "url", "balance_type"},
)
_REFERENCE = re.compile(r"[a-z]{2,6}_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,}(/test)?")
# What the simulator leaves empty and a real account may fill.
_OFTEN_EMPTY = {
    "/v1/charges": ("customer",),
    "/v1/customers": ("phone", "name"),
    "/v1/refunds": ("failure_reason",),
    "/v1/payouts": ("statement_descriptor",),
}
# Of each slice of each list: every stream is read in several.
_MOST = 8


def hostile(value: Any, text: str) -> Any:
    """The same record with `text` wherever its vendor is free to write, and as names of what nobody knows yet."""
    if isinstance(value, list):
        return [hostile(each, text) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {
        key: text
        if isinstance(each, str) and key not in _STRUCTURE and not _REFERENCE.fullmatch(each)
        else hostile(each, text)
        for key, each in value.items()
    }
    if isinstance(value.get("metadata"), dict):
        changed["metadata"] = {text: text, "__proto__": {"polluted": text}, "constructor": {"prototype": text}}
    if isinstance(kind := value.get("type"), str) and kind in value:
        # It names the member that says more.
        changed["type"], changed[text] = text, changed.pop(kind)
    return changed


class HostileVendor(BaseHTTPRequestHandler):
    """Passes on what the simulated vendor answers, the first records of each list, and their texts changed."""

    upstream: ClassVar[httpx2.Client]
    texts: ClassVar[Iterator[str]]
    refusing: ClassVar[set[str]] = set()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path in self.refusing:
            text = " ".join(CORPUS[:6])
            self._answer(400, {"error": {"type": "invalid_request_error", "code": CORPUS[3], "message": text}})
            return
        query = dict(parse_qsl(parts.query))
        if "limit" in query:
            query["limit"] = str(min(_MOST, int(query["limit"])))
        answer = self.upstream.get(f"{parts.path}?{urlencode(query)}", headers={"Authorization": "Bearer sk_test_demo"})
        body = answer.json()
        if isinstance(body.get("data"), list):
            body["has_more"] = False
            body["data"] = [self._record(parts.path, each) for each in body["data"]]
        elif body.get("object") == "account":
            body["id"] += CORPUS[3]
            body["settings"]["dashboard"]["display_name"] = packed(200)[0]
        else:
            body = self._record(parts.path.rpartition("/")[0], body)
        self._answer(answer.status_code, body)

    def _record(self, path: str, record: Any) -> Any:
        text = next(self.texts)
        changed = hostile(record, text)
        for name in _OFTEN_EMPTY.get(path, ()):
            changed[name] = text
        if path == "/v1/payouts":
            changed["trace_id"] = {"status": "supported", "value": text}
        if path == "/v1/customers":
            changed["id"] = f"{record['id']}{text}"
        # A member nobody knows is told of by its name.
        changed[text] = text
        return changed

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Request-Id", "req_<img src=x onerror=pwn()>")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def hostile_vendor(stripe: str) -> Iterator[tuple[str, set[str]]]:
    """Its address, and the paths it refuses from now on."""
    with httpx2.Client(base_url=stripe, timeout=30) as upstream:
        refusing: set[str] = set()
        handler = type(
            "Handler", (HostileVendor,), {"upstream": upstream, "refusing": refusing, "texts": cycle(CORPUS)}
        )
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", refusing
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
